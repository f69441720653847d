-- In: {org_id, segments, members, templates: ids}. Out: those that there are: {segments: [{id, type}], members: [id of
-- active staff], templates: [{id, template: {channel, subject, body, variables}}]}.
select jsonb_build_object(
  'segments', (
    select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'type', s.type)), '[]')
    from public.crm_segments s
    where s.org_id = ($1 ->> 'org_id')::uuid
      and s.id = any (array(select x::uuid from jsonb_array_elements_text($1 -> 'segments') x))),
  'members', (
    select coalesce(jsonb_agg(p.id), '[]')
    from public.profiles p
    where p.org_id = ($1 ->> 'org_id')::uuid
      and p.id = any (array(select x::uuid from jsonb_array_elements_text($1 -> 'members') x))
      and p.status = 'active' and p.role not in ('portal_customer', 'portal_manager')),
  'templates', (
    select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'template', jsonb_build_object(
      'channel', t.channel, 'subject', t.subject, 'body', t.body, 'variables', t.variables))), '[]')
    from public.crm_message_templates t
    where t.org_id = ($1 ->> 'org_id')::uuid
      and t.id = any (array(select x::uuid from jsonb_array_elements_text($1 -> 'templates') x))))
