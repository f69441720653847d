select public.crm_claim_messages(batch_limit => 100, lease_seconds => 60, providers => '{"email": "log"}');
