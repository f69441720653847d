-- The facts that core decides by. Not a statement by itself: its head says what is asked, as asked (key, org_id, id,
-- contact_id: the only endpoint that matters, or null), asked_orgs (id), asked_members (org_id, id) and rest (document).
-- Out: {now, rest, orgs: [{id, name, from, rules}], customers: [[key, facts]], members: [{id, active, email, phone}]}; who is
-- not there is left out. facts is an array of the fields of core's Customer in their order, and so are the parts of it: a
-- claim reads thousands of them a second. Times of the day in seconds.
select json_build_object(
  'now', now(),
  'rest', (select r.document from rest r),
  'orgs', coalesce((
    select json_agg(json_build_object('id', o.id, 'name', o.name,
      'from', json_build_object('name', s.from_name, 'email', s.from_email, 'reply_to', s.reply_to_email, 'phone', s.from_phone,
        'whatsapp_phone_number_id', s.whatsapp_phone_number_id),
      'rules', json_build_object('time_zone', o.time_zone,
        'quiet_start', floor(extract(epoch from s.quiet_hours_start))::integer,
        'quiet_end', floor(extract(epoch from s.quiet_hours_end))::integer,
        'allow_unverified', coalesce(s.allow_unverified_marketing, false),
        'cap_count', s.marketing_cap_count, 'cap_hours', s.marketing_cap_hours)))
    from asked_orgs a
    join public.orgs o on o.id = a.id
    left join public.crm_messaging_settings s on s.org_id = o.id), '[]'),
  'customers', coalesce((
    select json_agg(json_build_array(a.key, json_build_array(
      c.erased_at is not null or c.merged_into_id is not null,
      c.is_archived,
      c.status = 'blacklisted',
      s.suppression_segment_id is not null and exists (
        select from public.crm_segment_members m
        where m.org_id = c.org_id and m.segment_id = s.suppression_segment_id and m.customer_id = c.id),
      case when f.do_not_contact or f.do_not_email or f.do_not_sms or f.do_not_call
          or f.preferred_contact_window_start is not null or f.preferred_contact_window_end is not null then
        json_build_array(f.do_not_contact, f.do_not_email, f.do_not_sms, f.do_not_call,
          floor(extract(epoch from f.preferred_contact_window_start))::integer,
          floor(extract(epoch from f.preferred_contact_window_end))::integer) end,
      coalesce((
        select json_agg(json_build_array(e.id, e.type, e.value, e.created_at, e.preferred_channel, e.is_primary, e.is_verified,
            e.opt_in_marketing, e.opt_in_transactional,
            array(select t.channel from public.crm_opt_outs t
              where t.org_id = e.org_id and t.channel in ('email', 'sms', 'whatsapp') and t.address = e.value)))
        from public.customer_contacts e
        where e.org_id = c.org_id and e.customer_id = c.id and e.type in ('email', 'mobile', 'phone', 'whatsapp')
          and (a.contact_id is null or e.id = a.contact_id)), '[]'),
      coalesce((
        select json_agg(json_build_array(x.created_at, n.notify_marketing_email, n.notify_marketing_sms,
            floor(extract(epoch from n.quiet_hours_start))::integer, floor(extract(epoch from n.quiet_hours_end))::integer,
            n.timezone))
        from public.portal_accounts x
        join public.portal_notification_preferences n on n.org_id = x.org_id and n.portal_account_id = x.id
        where x.org_id = c.org_id and x.customer_id = c.id and x.status = 'active'), '[]'))))
    from asked a
    join public.customers c on c.org_id = a.org_id and c.id = a.id
    left join public.crm_messaging_settings s on s.org_id = c.org_id
    left join public.crm_preferences f on f.org_id = c.org_id and f.customer_id = c.id), '[]'),
  'members', coalesce((
    select json_agg(json_build_object('id', p.id, 'active', p.status = 'active', 'email', p.email, 'phone', p.phone))
    from asked_members a
    join public.profiles p on p.org_id = a.org_id and p.id = a.id), '[]'))
