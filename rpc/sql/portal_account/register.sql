-- In: {user_id, slug, full_name, phone, booking_reference}. Out: {registered}. What was said first stays: whoever else names the
-- user later has shown nothing. Who belongs to an org already, or is no user, is not told so.
with made as (
  insert into fieldcrm.portal_signups as p (user_id, org_id, full_name, phone, booking_reference)
  select u.id, s.org_id, $1 ->> 'full_name', $1 ->> 'phone', ($1 ->> 'booking_reference')::uuid
  from auth.users u, public.portal_settings s
  where u.id = ($1 ->> 'user_id')::uuid and s.slug = $1 ->> 'slug' and s.is_signup_enabled
    and not exists (select from public.profiles r where r.id = u.id)
  on conflict (user_id) do nothing
  returning p.user_id
)
select jsonb_build_object('registered', exists (select from made) or exists (
  select from fieldcrm.portal_signups p where p.user_id = ($1 ->> 'user_id')::uuid))
