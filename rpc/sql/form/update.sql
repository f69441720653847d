-- In: {org_id, id, lead}, prepared by core. Out: {id}. A form fills in what is not known; it adds to the notes, and the campaign that
-- the lead came by first stays.
update public.leads l
set first_name = coalesce(l.first_name, g.first_name), last_name = coalesce(l.last_name, g.last_name),
  email = coalesce(l.email, g.email), phone = coalesce(l.phone, g.phone), phone_raw = coalesce(l.phone_raw, g.phone_raw),
  source = coalesce(l.source, g.source),
  notes = case when g.notes is null or position(g.notes in coalesce(l.notes, '')) > 0 then l.notes
    else left(concat_ws(E'\n\n', l.notes, g.notes), 20000) end,
  custom_fields = g.custom_fields || l.custom_fields || (g.custom_fields - 'utm')
from jsonb_to_record($1 -> 'lead') as g (first_name text, last_name text, email text, phone text, phone_raw text, source text,
  notes text, custom_fields jsonb)
where l.org_id = ($1 ->> 'org_id')::uuid and l.id = ($1 ->> 'id')::uuid
returning jsonb_build_object('id', l.id)
