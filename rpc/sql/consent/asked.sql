-- The head of consent/facts.sql for whoever asks about customers and members.
-- In: {orgs: [id], customers: [{org_id, id}], members: [{org_id, id}]}, each once; the key of a customer is their id.
with asked as materialized (
  select x.id as key, x.org_id, x.id, null::uuid as contact_id
  from jsonb_to_recordset($1 -> 'customers') as x (org_id uuid, id uuid)
), asked_orgs as (
  select x.id::uuid as id from jsonb_array_elements_text($1 -> 'orgs') as x (id)
), asked_members as (
  select x.org_id, x.id from jsonb_to_recordset($1 -> 'members') as x (org_id uuid, id uuid)
), rest as (
  select '[]'::json as document
)
