-- Files that come in with mails: <org id>/inbound/<hash>/<name> in the bucket of the attachments. Who may read the message may read
-- them; who may see the customer, theirs.
-- squawk-ignore-file require-concurrent-index-creation

create index idx_messages_attachments on public.messages using gin ((metadata -> 'attachments') jsonb_path_ops)
  where direction = 'inbound' and metadata ? 'attachments';
comment on table public.attachments is 'Files in Storage that belong to a customer; object_name is <org id>/<customer id>/<file>, or <org id>/inbound/<hash>/<file> for what they sent.';
comment on column public.messages.metadata is 'What the provider says beyond the columns: media, headers, reactions; attachments: [{file_name, content_type, size_bytes, object_name}].';

-- For policies: of an object it is asked by name, which no scan of the messages under RLS could find fast.
create function fieldcrm.reads_inbound_file(object_name text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from public.messages m
    -- Only what came in: of what members note they write the metadata themselves.
    where m.direction = 'inbound' and m.metadata ? 'attachments' and m.metadata -> 'attachments' @> jsonb_build_array(jsonb_build_object('object_name', $1))
      and m.org_id = fieldcrm.current_org_id() and m.client_id = any (fieldcrm.client_ids('viewer')))
  or exists (
    select from public.attachments a
    where a.bucket_id = 'attachments' and a.object_name = $1
      and a.org_id = fieldcrm.current_org_id() and fieldcrm.has_capability('customers.read'))
$$;
comment on function fieldcrm.reads_inbound_file(text) is 'Whether the caller may read the message, or the customer''s attachment, that the object belongs to.';
revoke all on function fieldcrm.reads_inbound_file(text) from public, anon, authenticated, service_role;
grant execute on function fieldcrm.reads_inbound_file(text) to authenticated, service_role;

-- Plain Postgres has no Storage.
do $storage$
declare
  of_org constant text := $$bucket_id = 'attachments' and split_part(name, '/', 1) = (select fieldcrm.current_org_id())::text$$;
  inbound constant text := $$split_part(name, '/', 2) = 'inbound'$$;
  may_write constant text := of_org || ' and not ' || inbound || $$ and ((select fieldcrm.has_capability('customers.write'))
    or fieldcrm.owns_customer(
      substring(name from '^[^/]+/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/')::uuid))$$;
begin
  if to_regclass('storage.objects') is null then
    return;
  end if;
  execute format('alter policy "Staff read the attachments of their org" on storage.objects using (%s and not %s
    and (select fieldcrm.has_capability(%L)))', of_org, inbound, 'customers.read');
  execute format('create policy "Who may read what was written reads what came with it" on storage.objects for select to authenticated
    using (%s and %s and ((select fieldcrm.has_capability(%L)) or fieldcrm.reads_inbound_file(name)))', of_org, inbound, 'clients.manage');
  -- What somebody sent stays what they sent; it is only removed, by who may remove it.
  execute format('alter policy "Who may change a customer uploads attachments" on storage.objects with check (%s)', may_write);
  execute format('alter policy "Who may change a customer replaces attachments" on storage.objects using (%s)', may_write);
end $storage$;
