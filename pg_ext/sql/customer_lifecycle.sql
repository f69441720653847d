revoke all on function fieldcrm.archive_customer(text), fieldcrm.restore_customer(text), fieldcrm.delete_customer(text),
  fieldcrm.bulk_tag(text), fieldcrm.merge_customers(text) from public;
grant execute on function fieldcrm.archive_customer(text), fieldcrm.restore_customer(text), fieldcrm.delete_customer(text),
  fieldcrm.bulk_tag(text), fieldcrm.merge_customers(text) to authenticated, service_role;

create or replace function public.crm_archive_customer(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.archive_customer(json_build_object('id', id)::text));
end $$;
comment on function public.crm_archive_customer(uuid) is $$Takes a customer out of the default lists; nothing is lost.
Can be repeated. Returns what crm_get_customer returns. Needs customers.write, or customers.write_own for one's own.
Errors: 403 forbidden, 404 not_found. Example: select crm_archive_customer(id => '…');$$;

create or replace function public.crm_restore_customer(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.restore_customer(json_build_object('id', id)::text));
end $$;
comment on function public.crm_restore_customer(uuid) is $$Brings an archived customer back.
Can be repeated. Returns what crm_get_customer returns. Needs customers.write, or customers.write_own for one's own.
Errors: 403 forbidden, 404 not_found, 409 wrong_state (a merged duplicate; merged_into_id is in the details).
Example: select crm_restore_customer(id => '…');$$;

create or replace function public.crm_delete_customer(id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.delete_customer(json_build_object('id', id)::text));
-- Postgres 18 says restrict_violation where a key is on delete restrict.
exception when foreign_key_violation or restrict_violation then
  raise exception using errcode = 'PT409', message = 'This conflicts with what is already there',
    detail = '{"code":"conflict"}', hint = 'Something that must outlive the customer still refers to it: archive it instead.';
end $$;
comment on function public.crm_delete_customer(uuid) is $$Deletes a customer for good, with everything that belongs to it.
Returns {deleted: true, id}. Needs customers.delete. crm_archive_customer only hides it.
Errors: 403 forbidden, 404 not_found, 409 wrong_state (somebody signs in to the portal for it), 409 conflict (something else
must outlive the customer). Example: select crm_delete_customer(id => '…');$$;

create or replace function public.crm_bulk_tag(customer_ids uuid[], add text[] default null, remove text[] default null)
returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.bulk_tag(json_build_object(
    'customer_ids', customer_ids, 'add', add, 'remove', remove)::text));
end $$;
comment on function public.crm_bulk_tag(uuid[], text[], text[]) is $$Puts tags on many customers and takes others off.
customer_ids: at most 1,000. add: names, made where unknown, if the caller has tags.write. remove: names. At most 50 each.
Can be repeated. Returns {tagged, untagged: how many changed, not_found: [ids the caller may not change]}.
Needs customers.write, or customers.write_own for one's own.
Errors: 400 invalid_argument, 403 forbidden (unknown_tags in the details where the caller may make none).
Example: select crm_bulk_tag(customer_ids => array['…']::uuid[], add => array['VIP']);$$;

create or replace function public.crm_merge_customers(id uuid, duplicate_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.merge_customers(json_build_object('id', id, 'duplicate_id', duplicate_id)::text));
end $$;
comment on function public.crm_merge_customers(uuid, uuid) is $$Makes one customer of two.
All that belongs to duplicate_id goes to id: contacts (of two alike the one of id stays, with the stricter consent),
locations, tags, segments, preferences (the stricter wins), interactions, follow-ups, work orders, quotes, invoices, files;
columns of id that are empty are filled. duplicate_id stays as an archived row with merged_into_id. There is no way back.
Returns what crm_get_customer returns of id. Needs customers.write.
Errors: 400 invalid_argument (the same customer), 403 forbidden, 404 not_found (which: id in the details),
409 wrong_state (one of them was merged before or erased). Example: select crm_merge_customers(id => '…', duplicate_id => '…');$$;

revoke all on function public.crm_archive_customer(uuid), public.crm_restore_customer(uuid), public.crm_delete_customer(uuid),
  public.crm_bulk_tag(uuid[], text[], text[]), public.crm_merge_customers(uuid, uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_archive_customer(uuid), public.crm_restore_customer(uuid), public.crm_delete_customer(uuid),
  public.crm_bulk_tag(uuid[], text[], text[]), public.crm_merge_customers(uuid, uuid)
  to authenticated, service_role;
