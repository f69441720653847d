-- In: {org_id, public_only, …}. What a reader sees: what is published of the org and for all, to strangers only what is public. An
-- org's own article stands in the place of the one for all that has the same slug.
with visible as materialized (
  select a.*
  from public.kb_articles a
  where (a.org_id = ($1 ->> 'org_id')::uuid or a.org_id is null)
    and a.is_published and (a.is_public or not ($1 ->> 'public_only')::boolean)
    and ($1 ->> 'category' is null or a.category = $1 ->> 'category')
    and (a.org_id is not null or not exists (
      select from public.kb_articles o
      where o.org_id = ($1 ->> 'org_id')::uuid and o.slug = a.slug and o.is_published
        and (o.is_public or not ($1 ->> 'public_only')::boolean)))
)
