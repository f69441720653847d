-- In: {orgs: [id], customers: [{org_id, id}], members: [{org_id, id}]}, each once. Out: {now, orgs: [{id, name, from,
-- rules}], customers: [{id, facts}], members: [{id, active, email, phone}]}: what core decides by; who is not there is
-- left out. Times of the day in seconds.
with asked as materialized (
  select x.org_id, x.id from jsonb_to_recordset($1 -> 'customers') as x (org_id uuid, id uuid)
)
select json_build_object(
  'now', now(),
  'orgs', coalesce((
    select json_agg(json_build_object('id', o.id, 'name', o.name,
      'from', json_build_object('name', s.from_name, 'email', s.from_email, 'reply_to', s.reply_to_email, 'phone', s.from_phone,
        'whatsapp_phone_number_id', s.whatsapp_phone_number_id),
      'rules', json_build_object('time_zone', o.time_zone,
        'quiet_start', floor(extract(epoch from s.quiet_hours_start))::integer,
        'quiet_end', floor(extract(epoch from s.quiet_hours_end))::integer,
        'allow_unverified', coalesce(s.allow_unverified_marketing, false),
        'cap_count', s.marketing_cap_count, 'cap_hours', s.marketing_cap_hours)))
    from jsonb_array_elements_text($1 -> 'orgs') as x (id)
    join public.orgs o on o.id = x.id::uuid
    left join public.crm_messaging_settings s on s.org_id = o.id), '[]'),
  'customers', coalesce((
    select json_agg(json_build_object('id', c.id, 'facts', json_build_object(
      'closed', c.erased_at is not null or c.merged_into_id is not null,
      'archived', c.is_archived,
      'blacklisted', c.status = 'blacklisted',
      'suppressed', s.suppression_segment_id is not null and exists (
        select from public.crm_segment_members m
        where m.org_id = c.org_id and m.segment_id = s.suppression_segment_id and m.customer_id = c.id),
      'preferences', case when f.customer_id is not null then json_build_object(
        'do_not_contact', f.do_not_contact, 'do_not_email', f.do_not_email, 'do_not_sms', f.do_not_sms,
        'do_not_call', f.do_not_call,
        'window_start', floor(extract(epoch from f.preferred_contact_window_start))::integer,
        'window_end', floor(extract(epoch from f.preferred_contact_window_end))::integer) end,
      'endpoints', coalesce((
        select json_agg(json_build_object('id', e.id, 'type', e.type, 'value', e.value, 'preferred', e.preferred_channel,
            'primary', e.is_primary, 'verified', e.is_verified, 'opt_in_marketing', e.opt_in_marketing,
            'opt_in_transactional', e.opt_in_transactional,
            'stopped', array(select t.channel from public.crm_opt_outs t
              where t.org_id = e.org_id and t.channel in ('email', 'sms', 'whatsapp') and t.address = e.value))
          order by e.created_at, e.id)
        from public.customer_contacts e
        where e.org_id = c.org_id and e.customer_id = c.id and e.type in ('email', 'mobile', 'phone', 'whatsapp')), '[]'),
      'portal', coalesce((
        select json_agg(json_build_object('marketing_email', n.notify_marketing_email,
            'marketing_sms', n.notify_marketing_sms,
            'quiet_start', floor(extract(epoch from n.quiet_hours_start))::integer,
            'quiet_end', floor(extract(epoch from n.quiet_hours_end))::integer, 'time_zone', n.timezone)
          order by a.created_at, a.id)
        from public.portal_accounts a
        join public.portal_notification_preferences n on n.org_id = a.org_id and n.portal_account_id = a.id
        where a.org_id = c.org_id and a.customer_id = c.id and a.status = 'active'), '[]'))))
    from asked a
    join public.customers c on c.org_id = a.org_id and c.id = a.id
    left join public.crm_messaging_settings s on s.org_id = c.org_id
    left join public.crm_preferences f on f.org_id = c.org_id and f.customer_id = c.id), '[]'),
  'members', coalesce((
    select json_agg(json_build_object('id', p.id, 'active', p.status = 'active', 'email', p.email, 'phone', p.phone))
    from jsonb_to_recordset($1 -> 'members') as x (org_id uuid, id uuid)
    join public.profiles p on p.org_id = x.org_id and p.id = x.id), '[]'))
