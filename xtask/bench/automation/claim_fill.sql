truncate bench.queue;
insert into bench.queue (message) select jsonb_build_object('to', 'customer' || n || '@example.com', 'subject', 'Hello', 'body', 'Hello there')
from generate_series(1, 300000) n;
truncate public.crm_outbox cascade;
set session_replication_role = replica;
insert into public.crm_outbox (org_id, customer_id, contact_id, channel, purpose, to_address, subject, body, decision_code, decided_at)
select k.org_id, k.customer_id, k.id, 'email', 'transactional', k.value, 'Hello', 'Hello there', 'allowed', now()
from public.customer_contacts k cross join generate_series(1, 60)
where k.org_id = '11111111-1111-4111-8111-111111111111' and k.value like 'customer%@example.com';
insert into fieldcrm.outbox_queue (org_id, id, channel, due_at)
select o.org_id, o.id, o.channel, o.available_at from public.crm_outbox o;
analyze fieldcrm.outbox_queue;
analyze bench.queue;
analyze public.crm_outbox;
