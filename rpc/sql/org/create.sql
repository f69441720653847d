-- In: {user_id, name, time_zone, default_country, full_name}. Out: {created}.
-- Runs as owner: the caller has no org yet. The profile decides, by its primary key: of two calls
-- at once one gets no profile and so no org.
with profile as (
  insert into public.profiles (id, org_id, role, email, full_name)
  select u.id, gen_random_uuid(), 'owner', lower(u.email), $1 ->> 'full_name'
  from auth.users u
  where u.id = ($1 ->> 'user_id')::uuid
  on conflict (id) do nothing
  returning org_id
), org as (
  insert into public.orgs (id, name, time_zone, default_country)
  select p.org_id, $1 ->> 'name', $1 ->> 'time_zone', $1 ->> 'default_country'
  from profile p
  returning id
)
select jsonb_build_object('created', exists (select from org))
