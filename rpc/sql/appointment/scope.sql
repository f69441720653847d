-- The head of statements about rows of the caller's customers. In: {org_id, scope: [{customer_id, location_id or null: all}], …}.
-- Runs as owner, after the account was checked.
with scope as materialized (
  select s.customer_id, bool_or(s.location_id is null) as whole, array_agg(s.location_id) as locations
  from jsonb_to_recordset($1 -> 'scope') as s (customer_id uuid, location_id uuid)
  group by s.customer_id
)
