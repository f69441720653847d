-- In: {slug}. Out: {org_id, org: {name, slug}, default_country}, or null where nobody can sign up.
select jsonb_build_object('org_id', o.id, 'org', jsonb_build_object('name', o.name, 'slug', s.slug), 'default_country', o.default_country)
from public.portal_settings s
join public.orgs o on o.id = s.org_id
where s.slug = $1 ->> 'slug' and s.is_signup_enabled
