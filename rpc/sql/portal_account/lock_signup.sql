-- In: {user_id}. Out: {org_id, full_name, phone, email, is_confirmed, session, default_country}; null where the user waits for no org. Of two
-- sessions of one user the second waits here, and finds nothing left. Who made their login by an invitation has shown no address: staff see the
-- token too.
select jsonb_build_object('org_id', p.org_id, 'full_name', p.full_name, 'phone', p.phone, 'email', lower(u.email),
  'is_confirmed', u.email_confirmed_at is not null and not coalesce(u.raw_app_meta_data ? 'fieldcrm_invited', false),
  'session', fieldcrm.portal_session_state(), 'default_country', o.default_country)
from fieldcrm.portal_signups p
join auth.users u on u.id = p.user_id
join public.orgs o on o.id = p.org_id
join public.portal_settings s on s.org_id = p.org_id and s.is_signup_enabled
where p.user_id = ($1 ->> 'user_id')::uuid
for update of p
