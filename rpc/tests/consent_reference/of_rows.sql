-- In: org, [customer]. Out: (customer_id, channel, purpose, code, contact_id) for each, from the rows themselves, now. The
-- only thing about time in these rows is a window in which it is not now.
select c.id, ch.channel, p.purpose, case
    when c.merged_into_id is not null or c.erased_at is not null then 'closed'
    when f.do_not_contact then 'do_not_contact'
    when c.status = 'blacklisted' then 'blacklisted'
    when c.is_archived and p.marketing then 'archived'
    when f.do_not_email and ch.channel = 'email' then 'do_not_email'
    when f.do_not_sms and ch.channel in ('sms', 'whatsapp') then 'do_not_sms'
    when f.do_not_call and ch.channel = 'call' then 'do_not_call'
    when s.n > 0 then 'suppressed'
    when e.id is null then 'no_address'
    when e.why is not null then e.why
    when p.marketing and ((ch.channel = 'email' and 'e' = any (o.says)) or (ch.channel in ('sms', 'whatsapp') and 's' = any (o.says)))
      then 'portal_opted_out'
    when f.preferred_contact_window_start is not null then 'outside_window'
    else 'allowed' end,
  case when f.do_not_contact or c.status = 'blacklisted' or (c.is_archived and p.marketing) or s.n > 0
    or (f.do_not_email and ch.channel = 'email') or (f.do_not_sms and ch.channel in ('sms', 'whatsapp'))
    or (f.do_not_call and ch.channel = 'call') then null else e.id end
from public.customers c
cross join (values ('email', '{email}'::text[]), ('sms', '{mobile}'), ('whatsapp', '{whatsapp,mobile}'), ('call', '{mobile,phone}'))
  as ch (channel, kinds)
cross join (values ('transactional', false), ('marketing', true)) as p (purpose, marketing)
left join public.crm_preferences f on f.customer_id = c.id
cross join lateral (
  select count(*) as n from public.crm_segment_members m
  join public.crm_messaging_settings x on x.org_id = c.org_id and x.suppression_segment_id = m.segment_id
  where m.customer_id = c.id
) s
cross join lateral (
  select array_agg(case when not n.notify_marketing_email then 'e' end) || array_agg(case when not n.notify_marketing_sms then 's' end)
    as says
  from public.portal_accounts a join public.portal_notification_preferences n on n.portal_account_id = a.id
  where a.customer_id = c.id and a.status = 'active'
) o
left join lateral (
  select y.id, y.why from (select x.*, case
      when exists (select from public.crm_opt_outs t where t.org_id = c.org_id and t.channel = ch.channel and t.address = x.value)
        then 'stopped'
      when not case when p.marketing then x.opt_in_marketing else x.opt_in_transactional end then 'opted_out'
      when p.marketing and not x.is_verified then 'not_verified' end as why
  from public.customer_contacts x
  where x.customer_id = c.id and x.type::text = any (ch.kinds)
    and (ch.channel <> 'whatsapp' or x.type = 'whatsapp'
      or not exists (select from public.customer_contacts w where w.customer_id = c.id and w.type = 'whatsapp'))
  ) y
  order by y.why is not null, not y.preferred_channel, not y.is_primary, y.created_at, y.id
  limit 1
) e on true
where c.org_id = $1 and c.id = any ($2)
