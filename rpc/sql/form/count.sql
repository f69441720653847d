-- In: {org_id, channel_id, source, max_per_minute}. Out: {count}; null where the source sent as many as it may. Counts of the day
-- before go, a few at a time.
with pruned as (
  delete from fieldcrm.form_submissions f
  where (f.org_id, f.channel_id, f.source, f.minute) in (
    select x.org_id, x.channel_id, x.source, x.minute from fieldcrm.form_submissions x
    where x.org_id = ($1 ->> 'org_id')::uuid and x.channel_id = ($1 ->> 'channel_id')::uuid and x.minute < now() - interval '1 day'
    limit 20 for update skip locked)
)
insert into fieldcrm.form_submissions as f (org_id, channel_id, source, minute)
select ($1 ->> 'org_id')::uuid, ($1 ->> 'channel_id')::uuid, $1 ->> 'source', date_trunc('minute', now())
where ($1 ->> 'max_per_minute')::integer > 0
on conflict (org_id, channel_id, source, minute) do update set count = f.count + 1
  where f.count < ($1 ->> 'max_per_minute')::integer
returning jsonb_build_object('count', f.count)
