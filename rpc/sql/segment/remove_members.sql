-- In: {org_id, segment_id, members: [{customer_id}]}. Out: {removed, not_found}: those who were no members.
with wanted as materialized (
  select distinct x.customer_id from jsonb_to_recordset($1 -> 'members') as x (customer_id uuid)
), removed as (
  delete from public.crm_segment_members m
  using wanted w
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid and m.customer_id = w.customer_id
  returning m.customer_id
)
select jsonb_build_object('added', 0, 'removed', (select count(*) from removed), 'not_found', coalesce((
  select jsonb_agg(w.customer_id) from wanted w where not exists (select from removed r where r.customer_id = w.customer_id)), '[]'))
