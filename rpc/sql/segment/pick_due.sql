-- In: {org_id or null for all, batch_limit}. Out: the segments that are due, locked, the longest due first. What another
-- session computes is left to it, and whose members have scores keeps them.
with due as (
  select s.* from public.crm_segments s
  where s.is_active and s.definition is not null and s.scored_at is null and s.recompute_at <= now()
    and ($1 ->> 'org_id' is null or s.org_id = ($1 ->> 'org_id')::uuid)
  order by s.recompute_at, s.id
  limit ($1 ->> 'batch_limit')::bigint
  for no key update skip locked
)
select coalesce(jsonb_agg(to_jsonb(d) order by d.recompute_at, d.id), '[]') from due d
