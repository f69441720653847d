-- In: {user_id}. Out: {org_id, full_name, phone, email, is_confirmed, session, by_mail, is_plain, default_country}; null where the user waits for
-- no org. Of two sessions of one user the second waits here, and finds nothing left. Who made their login by an invitation has shown no address:
-- staff see the token too. by_mail: whether this very session began with a mail to the address, for a password may be of whoever signed up first
-- with somebody else's address. is_plain: whether nothing but the address and a password opens the login; whoever had the password before could
-- have added a phone, another address, a provider or a second factor.
select jsonb_build_object('org_id', p.org_id, 'full_name', p.full_name, 'phone', p.phone, 'email', lower(u.email),
  'is_confirmed', u.email_confirmed_at is not null and not coalesce(u.raw_app_meta_data ? 'fieldcrm_invited', false),
  'session', fieldcrm.portal_session_state(),
  'by_mail', coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb @?
    '$.amr[*].method ? (@ == "otp" || @ == "magiclink" || @ == "email/signup" || @ == "recovery" || @ == "invite")', false),
  'is_plain', coalesce(u.phone, '') = '' and coalesce(u.phone_change, '') = '' and coalesce(u.email_change, '') = ''
    and not exists (select from auth.identities i where i.user_id = u.id and i.provider <> 'email')
    and not exists (select from auth.mfa_factors f where f.user_id = u.id),
  'default_country', o.default_country)
from fieldcrm.portal_signups p
join auth.users u on u.id = p.user_id
join public.orgs o on o.id = p.org_id
join public.portal_settings s on s.org_id = p.org_id and s.is_signup_enabled
where p.user_id = ($1 ->> 'user_id')::uuid
for update of p, u
