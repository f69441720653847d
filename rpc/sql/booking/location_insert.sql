-- In: {org_id, customer_id, location}. Out: the id of the new address. Runs as owner.
insert into public.customer_locations (org_id, customer_id, label, type, address_line1, address_line2, city, state, postal_code,
  country)
select ($1 ->> 'org_id')::uuid, ($1 ->> 'customer_id')::uuid, l.label, l.type, l.address_line1, l.address_line2, l.city, l.state,
  l.postal_code, l.country
from jsonb_to_record($1 -> 'location') as l (label text, type public.location_type, address_line1 text, address_line2 text,
  city text, state text, postal_code text, country text)
returning to_jsonb(id)
