-- In: {user_id}. Out: {email, is_plain: as fieldcrm.is_plain_login() says}, or null where there is no such user. Whoever was in before is out: of a
-- login that somebody else made, or shares, no session is left. The sign-up that waits is locked first, as whoever completes it does.
with waiting as materialized (
  select p.user_id from fieldcrm.portal_signups p where p.user_id = ($1 ->> 'user_id')::uuid for update
), login as materialized (
  select u.id, lower(u.email) as email from auth.users u
  where u.id = ($1 ->> 'user_id')::uuid and (select count(*) from waiting) >= 0
  for update of u
), ended as (
  delete from auth.sessions s using login u where s.user_id = u.id
)
select jsonb_build_object('email', u.email, 'is_plain', fieldcrm.is_plain_login(u.id)) from login u
