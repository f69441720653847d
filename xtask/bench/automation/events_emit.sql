insert into public.crm_events (org_id, event_type, customer_id, event_key)
select c.org_id, 'bench_happened', c.id, 'bench:' || gen_random_uuid()
from public.customers c
where c.org_id = '11111111-1111-4111-8111-111111111111' and c.email like 'customer%@example.com';
