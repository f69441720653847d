-- In: {org_id, items: [a moment with as: instant or day | {as: ranges, of: [[start, end or null]]} | {as: days, of: [moment]}
-- | {as: tags, of: [name], all} | {as: segments, of: [name or id]}], now}.
-- Out: {time_zone, now, values}, each value the text that fieldcrm.bound casts. now: only tests send one.
-- An unknown tag is no element; where all are wanted, it is one that nobody has.
with org as materialized (
  select o.id, o.time_zone, coalesce(($1 ->> 'now')::timestamptz, now()) as now
  from public.orgs o where o.id = ($1 ->> 'org_id')::uuid
)
select jsonb_build_object('time_zone', o.time_zone, 'now', o.now, 'values', coalesce((
  select jsonb_agg(case i.item ->> 'as'
    when 'instant' then to_jsonb(fieldcrm.segment_moment(i.item, o.now, o.time_zone)) #>> '{}'
    when 'day' then to_jsonb((fieldcrm.segment_moment(i.item, o.now, o.time_zone) at time zone o.time_zone)::date) #>> '{}'
    when 'ranges' then (
      select range_agg(tstzrange(r.low, coalesce(r.high, r.low), case when r.high is null then '[]' else '[)' end))::text
      from (
        select fieldcrm.segment_moment(x -> 0, o.now, o.time_zone) as low,
          case when x -> 1 <> 'null' then fieldcrm.segment_moment(x -> 1, o.now, o.time_zone) end as high
        from jsonb_array_elements(i.item -> 'of') x) r)
    when 'days' then (
      select array_agg((fieldcrm.segment_moment(x, o.now, o.time_zone) at time zone o.time_zone)::date)::text
      from jsonb_array_elements(i.item -> 'of') x)
    when 'tags' then (
      select coalesce(array_agg(distinct coalesce(t.id, '00000000-0000-0000-0000-000000000000'))
        filter (where t.id is not null or (i.item ->> 'all')::boolean), '{}')::text
      from jsonb_array_elements_text(i.item -> 'of') x
      left join public.crm_tags t on t.org_id = o.id and t.name_key = lower(x))
    when 'segments' then (
      select coalesce(array_agg(distinct s.id), '{}')::text
      from jsonb_array_elements_text(i.item -> 'of') x
      join public.crm_segments s on s.org_id = o.id and (s.id::text = lower(x) or s.name = x))
    end order by i.n)
  from jsonb_array_elements($1 -> 'items') with ordinality i (item, n)), '[]'))
from org o
