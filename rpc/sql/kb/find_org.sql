-- Whose portal it is. In: {slug}. Out: the org's id, or null.
select to_jsonb(s.org_id) from public.portal_settings s where s.slug = $1 ->> 'slug'
