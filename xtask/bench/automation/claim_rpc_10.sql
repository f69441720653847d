select public.crm_claim_messages(batch_limit => 10, lease_seconds => 60, providers => '{"email": "log"}');
