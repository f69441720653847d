-- In: {org_id, segment_id, members: [{customer_id, score}]}. Out: {added, not_found}.
-- Who is a member already stays one, with the new score if there is one.
with wanted as materialized (
  select distinct on (x.customer_id) x.customer_id, x.score
  from jsonb_to_recordset($1 -> 'members') as x (customer_id uuid, score numeric)
  order by x.customer_id
), known as materialized (
  select w.customer_id, w.score
  from wanted w join public.customers c on c.org_id = ($1 ->> 'org_id')::uuid and c.id = w.customer_id
  order by w.customer_id
), scored as (
  update public.crm_segment_members m set score = k.score
  from known k
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid
    and m.customer_id = k.customer_id and k.score is not null and m.score is distinct from k.score
), added as (
  insert into public.crm_segment_members (org_id, segment_id, customer_id, score)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'segment_id')::uuid, k.customer_id, k.score from known k
  on conflict (org_id, segment_id, customer_id) do nothing
  returning customer_id
)
select jsonb_build_object('added', (select count(*) from added), 'removed', 0, 'not_found', coalesce((
  select jsonb_agg(w.customer_id) from wanted w where not exists (select from known k where k.customer_id = w.customer_id)), '[]'))
