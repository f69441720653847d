-- In: the parameter of a compiled segment with segment_id. Out: {added, removed, total}.
-- Touches the difference only. The segment is locked, so that nobody else computes it; members that come in by
-- hand meanwhile stay where they match.
with matching as materialized ({matching}),
gone as (
  delete from public.crm_segment_members m
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid
    and not exists (select from matching x where x.id = m.customer_id)
  returning m.customer_id
), come as (
  insert into public.crm_segment_members (org_id, segment_id, customer_id)
  select ($1 ->> 'org_id')::uuid, ($1 ->> 'segment_id')::uuid, x.id
  from matching x
  where not exists (
    select from public.crm_segment_members m
    where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid and m.customer_id = x.id)
  on conflict (org_id, segment_id, customer_id) do nothing
  returning customer_id
), computed as (
  update public.crm_segments s set last_computed_at = now(), recompute_at = now() + interval '1 hour'
  where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
)
select jsonb_build_object('added', (select count(*) from come), 'removed', (select count(*) from gone),
  'total', (select count(*) from matching))
