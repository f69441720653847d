-- In: {user_id, slug, full_name, phone, booking_reference}. Out: {registered}. What somebody said last is what counts; who belongs to
-- an org already, or is no user, is not told so.
with made as (
  insert into fieldcrm.portal_signups as p (user_id, org_id, full_name, phone, booking_reference)
  select u.id, s.org_id, $1 ->> 'full_name', $1 ->> 'phone', ($1 ->> 'booking_reference')::uuid
  from auth.users u, public.portal_settings s
  where u.id = ($1 ->> 'user_id')::uuid and s.slug = $1 ->> 'slug' and s.is_signup_enabled
    and not exists (select from public.profiles r where r.id = u.id)
  on conflict (user_id) do update set org_id = excluded.org_id, full_name = excluded.full_name, phone = excluded.phone,
    booking_reference = excluded.booking_reference, created_at = now()
  returning p.user_id
)
select jsonb_build_object('registered', exists (select from made))
