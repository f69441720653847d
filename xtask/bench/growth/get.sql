\set n random(1, :customers)
select public.crm_get_customer(md5('segment bench ' || :n)::uuid);
