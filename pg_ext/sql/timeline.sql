revoke all on function fieldcrm.customer_timeline(text) from public;
grant execute on function fieldcrm.customer_timeline(text) to authenticated, service_role;

create or replace function public.crm_customer_timeline(
  customer_id uuid, page_size integer default 50, cursor text default null, kinds text[] default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.customer_timeline(json_build_object(
    'customer_id', customer_id, 'page_size', page_size, 'cursor', "cursor", 'kinds', kinds)::text));
end $$;
comment on function public.crm_customer_timeline(uuid, integer, text, text[]) is $$What happened with a customer and what is planned, newest first.
page_size: 1 to 100. cursor: next_cursor of the page before. kinds: interaction, followup, work_order; all by default.
Returns {items, next_cursor}: each item has kind, at and the columns of its table. at is occurred_at of an interaction,
due_at of a follow-up, and completed_at, else window_start, else created_at of a work order; next_cursor is null on the
last page. Writes who looked into crm_access_log, so it cannot run in a read-only transaction. Needs customers.read.
Errors: 400 invalid_argument (page_size, cursor, kinds), 403 forbidden, 404 not_found (absent or invisible).
Example: select crm_customer_timeline(customer_id => '…', kinds => '{interaction,followup}');$$;

revoke all on function public.crm_customer_timeline(uuid, integer, text, text[]) from public, anon, authenticated, service_role;
grant execute on function public.crm_customer_timeline(uuid, integer, text, text[]) to authenticated, service_role;
