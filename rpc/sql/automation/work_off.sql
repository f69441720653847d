-- In: {org_id or null for all, queue_ids: [id]}. Out: {events: how many there were}.
with gone as (
  delete from fieldcrm.event_queue q
  where q.id = any (array(select x::bigint from jsonb_array_elements_text($1 -> 'queue_ids') x))
    and ($1 ->> 'org_id' is null or q.org_id = ($1 ->> 'org_id')::uuid)
  returning 1
)
select jsonb_build_object('events', (select count(*) from gone))
