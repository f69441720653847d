-- In: the parameter of the rule's compiled conditions with rule_id or null, segment_id or null, once, cooldown_minutes or null,
-- takes_archived, sample_size, with_ids. Out: {considered, would_enroll, sample: [{customer_id, name}], skipped: {code: n},
-- skipped_sample: [{customer_id, name, code}], ids or null}, newest customers first.
with matching as materialized ({matching}),
considered as materialized (
  select c.id, c.name, c.created_at, case
    when m.id is null then 'conditions'
    when c.erased_at is not null or c.merged_into_id is not null then 'closed'
    when c.is_archived and not ($1 ->> 'takes_archived')::boolean then 'archived'
    when a.id is not null then 'already_enrolled'
    when e.customer_id is not null then 'cooldown' end as skip
  from public.customers c
  left join matching m on m.id = c.id
  left join public.crm_automation_runs a on ($1 ->> 'once')::boolean and a.org_id = ($1 ->> 'org_id')::uuid
    and a.rule_id = ($1 ->> 'rule_id')::uuid and a.occurrence_key = 'once:' || c.id
  left join fieldcrm.automation_enrollments e on e.org_id = ($1 ->> 'org_id')::uuid and e.rule_id = ($1 ->> 'rule_id')::uuid
    and e.customer_id = c.id and e.enrolled_at > now() - make_interval(mins => ($1 ->> 'cooldown_minutes')::integer)
  where c.org_id = ($1 ->> 'org_id')::uuid and ($1 ->> 'segment_id' is null or exists (
    select from public.crm_segment_members s
    where s.org_id = ($1 ->> 'org_id')::uuid and s.segment_id = ($1 ->> 'segment_id')::uuid and s.customer_id = c.id))
)
select jsonb_build_object('considered', (select count(*) from considered),
  'would_enroll', (select count(*) from considered x where x.skip is null),
  'sample', coalesce((
    select jsonb_agg(jsonb_build_object('customer_id', s.id, 'name', s.name) order by s.created_at desc, s.id desc)
    from (select x.* from considered x where x.skip is null order by x.created_at desc, x.id desc
      limit ($1 ->> 'sample_size')::bigint) s), '[]'),
  'skipped', coalesce((
    select jsonb_object_agg(s.skip, s.count)
    from (select x.skip, count(*) from considered x where x.skip is not null group by x.skip) s), '{}'),
  'skipped_sample', coalesce((
    select jsonb_agg(jsonb_build_object('customer_id', s.id, 'name', s.name, 'code', s.skip) order by s.created_at desc, s.id desc)
    from (select x.* from considered x where x.skip is not null order by x.created_at desc, x.id desc
      limit ($1 ->> 'sample_size')::bigint) s), '[]'),
  'ids', case when ($1 ->> 'with_ids')::boolean then coalesce((
    select jsonb_agg(x.id order by x.id) from considered x where x.skip is null), '[]') end)
