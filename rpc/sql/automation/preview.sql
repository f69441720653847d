-- In: the parameter of the rule's compiled conditions with rule_id or null, segment_id or null, once, cooldown_minutes or null,
-- takes_archived, sample_size, with_ids. Out: {now, considered, would_enroll, sample: [{customer_id, name}], skipped: {code: n},
-- skipped_sample: [{customer_id, name, code}], ids or null}, newest customers first.
-- Put together by a grouping and not by joins: it takes no longer where the planner expects fewer customers than there are.
with known as (
  select c.id, c.name, c.created_at, c.is_archived, c.erased_at is not null or c.merged_into_id is not null as is_closed,
    null::boolean as matches, null::boolean as is_member, null::boolean as is_enrolled, null::boolean as is_cooling
  from public.customers c
  where c.org_id = ($1 ->> 'org_id')::uuid
  union all
  select m.id, null, null, null, null, true, null, null, null from ({matching}) m
  union all
  select s.customer_id, null, null, null, null, null, true, null, null
  from public.crm_segment_members s
  where s.org_id = ($1 ->> 'org_id')::uuid and s.segment_id = ($1 ->> 'segment_id')::uuid
  union all
  select a.customer_id, null, null, null, null, null, null, true, null
  from public.crm_automation_runs a
  where ($1 ->> 'once')::boolean and a.org_id = ($1 ->> 'org_id')::uuid and a.rule_id = ($1 ->> 'rule_id')::uuid
    and starts_with(a.occurrence_key, 'once:')
  union all
  select e.customer_id, null, null, null, null, null, null, null, true
  from fieldcrm.automation_enrollments e
  where e.org_id = ($1 ->> 'org_id')::uuid and e.rule_id = ($1 ->> 'rule_id')::uuid
    and e.enrolled_at > now() - make_interval(mins => ($1 ->> 'cooldown_minutes')::integer)
), considered as materialized (
  select k.id, max(k.name) as name, max(k.created_at) as created_at, case
    when bool_or(k.matches) is not true then 'conditions'
    when bool_or(k.is_closed) then 'closed'
    when bool_or(k.is_archived) and not ($1 ->> 'takes_archived')::boolean then 'archived'
    when bool_or(k.is_enrolled) then 'already_enrolled'
    when bool_or(k.is_cooling) then 'cooldown' end as skip
  from known k
  group by k.id
  having max(k.name) is not null and ($1 ->> 'segment_id' is null or bool_or(k.is_member))
)
select jsonb_build_object('now', now(), 'considered', (select count(*) from considered),
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
