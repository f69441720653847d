select public.crm_run_automations(batch_limit => 20);
