select count(*), count(*) filter (where not (
  c.primary_contact_id is not null and c.primary_location_id is not null
  and (select count(*) from public.customer_contacts x where x.customer_id = c.id) = 2
  and (select count(*) from public.customer_locations x where x.customer_id = c.id) = 1
  and (select count(*) from public.crm_preferences x where x.customer_id = c.id) = 1
  and (select count(*) from public.crm_customer_tags x where x.customer_id = c.id) = 2))
from public.customers c where c.name like 'Crash %'
