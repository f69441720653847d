-- In: {user_id}. Out: {email, is_plain}, or null where there is no such user. Whoever was in before is out: of a login that somebody else made, or
-- shares, no session is left. is_plain: whether nothing but the address and the password opens the login; whoever had it before could have added
-- a phone, a provider, a second factor, or another address that waits to be confirmed.
with login as materialized (
  select u.* from auth.users u where u.id = ($1 ->> 'user_id')::uuid for update
), ended as (
  delete from auth.sessions s using login u where s.user_id = u.id
)
select jsonb_build_object('email', lower(u.email), 'is_plain',
  coalesce(u.phone, '') = '' and coalesce(u.phone_change_token, '') = ''
    and coalesce(u.email_change_token_new, '') = '' and coalesce(u.email_change_token_current, '') = ''
    and not exists (select from auth.identities i where i.user_id = u.id and i.provider <> 'email')
    and not exists (select from auth.mfa_factors f where f.user_id = u.id))
from login u
