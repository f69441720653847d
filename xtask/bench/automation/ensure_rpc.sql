select public.crm_ensure_followup(customer_id => md5('automation bench 1')::uuid, title => 'Call back', due_at => now() + interval '1 day',
  dedupe_key => 'bench:' || (extract(epoch from clock_timestamp()) * 200)::bigint);
