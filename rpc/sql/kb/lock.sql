-- Takes the article. In: {org_id or null for all, article_id, version}. Out: whether that is what is to be found; null if
-- there is no such article.
select to_jsonb(a.is_published and a.version = ($1 ->> 'version')::bigint)
from public.kb_articles a
where a.id = ($1 ->> 'article_id')::uuid and ($1 ->> 'org_id' is null or a.org_id = ($1 ->> 'org_id')::uuid)
for update
