-- The table that react-querybuilder is told of: a customer a row.
select c.*, l.city, l.state, l.country, coalesce(m.total_spend, 0) as total_spend, coalesce(m.balance_due, 0) as balance_due
from public.customers c
left join public.customer_locations l on l.id = c.primary_location_id
left join public.customer_metrics m on m.customer_id = c.id
where c.org_id = $1 and not c.is_archived
