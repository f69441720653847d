-- In: the parameter of a compiled segment with sample_size. Out: {count, sample}, newest customers first.
with matching as materialized ({matching})
select jsonb_build_object('count', (select count(*) from matching), 'sample', coalesce((
  select jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'email', s.email, 'phone', s.phone, 'status', s.status)
    order by s.created_at desc, s.id desc)
  from (
    select c.id, c.name, c.email, c.phone, c.status, c.created_at
    from public.customers c join matching m on m.id = c.id
    where c.org_id = ($1 ->> 'org_id')::uuid
    order by c.created_at desc, c.id desc
    limit ($1 ->> 'sample_size')::bigint) s), '[]'))
