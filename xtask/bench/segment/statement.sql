-- The rule as it would be written by hand, with what refreshing the members of a segment takes: the difference only.
with matching as materialized (
  select c.id
  from public.customers c
  join public.customer_metrics m on m.org_id = c.org_id and m.customer_id = c.id
  join public.customer_locations l on l.id = c.primary_location_id
  where c.org_id = '11111111-1111-4111-8111-111111111111' and not c.is_archived and c.status = 'active'
    and m.last_interaction_at < now() - interval '180 days'
    and l.city in ('Chicago', 'Evanston', 'Oak Park', 'Naperville', 'Milwaukee')
    and exists (
      select from public.crm_customer_tags x join public.crm_tags t on t.id = x.tag_id
      where x.org_id = c.org_id and x.customer_id = c.id and t.name = 'VIP')
    and exists (
      select from public.crm_interactions i
      where i.org_id = c.org_id and i.customer_id = c.id and i.sentiment = 'negative'
        and i.occurred_at >= now() - interval '365 days' and i.occurred_at <= now())
), gone as (
  delete from public.crm_segment_members m
  where m.org_id = '11111111-1111-4111-8111-111111111111' and m.segment_id = 'bbbbbbbb-0000-4000-8000-00000000000a'
    and not exists (select from matching x where x.id = m.customer_id)
  returning m.customer_id
), come as (
  insert into public.crm_segment_members (org_id, segment_id, customer_id)
  select '11111111-1111-4111-8111-111111111111', 'bbbbbbbb-0000-4000-8000-00000000000a', x.id
  from matching x
  where not exists (
    select from public.crm_segment_members m
    where m.org_id = '11111111-1111-4111-8111-111111111111' and m.segment_id = 'bbbbbbbb-0000-4000-8000-00000000000a'
      and m.customer_id = x.id)
  returning customer_id
)
select (select count(*) from come) as added, (select count(*) from gone) as removed, (select count(*) from matching) as total;
