-- In: {org_id, id, set: columns}. Out: the row.
update public.leads l
set (first_name, last_name, email, phone, phone_raw, status, source, notes, tags, custom_fields, assigned_to) = (
  select n.first_name, n.last_name, n.email, n.phone, n.phone_raw, n.status, n.source, n.notes, n.tags, n.custom_fields, n.assigned_to
  from jsonb_populate_record(l, $1 -> 'set') n)
where l.org_id = ($1 ->> 'org_id')::uuid and l.id = ($1 ->> 'id')::uuid
returning to_jsonb(l)
