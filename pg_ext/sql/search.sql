revoke all on function fieldcrm.search_customers(text) from public;
grant execute on function fieldcrm.search_customers(text) to authenticated, service_role;
-- A generic plan's costs are guesses: compiling what runs a millisecond takes a hundred.
alter function fieldcrm.search_customers(text) set jit = off;

create or replace function public.crm_search_customers(
  q text default null, status text default null, lifecycle_stage text default null, pipeline_stage text default null,
  tag text default null, segment_id uuid default null, owner_id uuid default null, product_id uuid default null,
  archived text default 'false', page_size integer default 50, "cursor" text default null, count boolean default false
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.search_customers(json_build_object(
    'q', q, 'status', status, 'lifecycle_stage', lifecycle_stage, 'pipeline_stage', pipeline_stage, 'tag', tag,
    'segment_id', segment_id, 'owner_id', owner_id, 'product_id', product_id, 'archived', archived,
    'page_size', page_size, 'cursor', "cursor", 'count', count)::text));
end $$;
comment on function public.crm_search_customers(text, text, text, text, text, uuid, uuid, uuid, text, integer, text, boolean)
is $$Finds customers, the newest first.
q: words (at most 8, 200 characters) that all have to be in the names, e-mails, phones, external_ref, contacts or
addresses, case and accents aside; a phone number in any spelling, in whole or in part. status, lifecycle_stage,
pipeline_stage, owner_id, product_id: as the columns. tag: a name. segment_id: a segment. archived: false (default),
true, any. page_size: 1 to 100. cursor: the next_cursor of the page before. count: whether to count all that match.
Returns {customers: [{id, type, name, first_name, last_name, company_name, email, phone, status, lifecycle_stage,
pipeline_stage, source, owner_id, product_id, is_archived, created_at, updated_at}], next_cursor (null on the last page),
total (null unless counted)}. Needs customers.read.
Errors: 400 invalid_argument, 403 forbidden. Example: select crm_search_customers(q => '(415) 555', tag => 'VIP');$$;

revoke all on function public.crm_search_customers(text, text, text, text, text, uuid, uuid, uuid, text, integer, text, boolean)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_search_customers(text, text, text, text, text, uuid, uuid, uuid, text, integer, text, boolean)
  to authenticated, service_role;
