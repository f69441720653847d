-- In: {org_id or null for all, model, batch_limit, after}. Out: {articles: [{id, version, title, body_markdown}] by their ids,
-- cleared: how many lost their pieces, because nobody reads them any more}.
with unread as materialized (
  select a.id
  from public.kb_articles a
  where not a.is_published and a.embedded_version is not null
    and ($1 ->> 'org_id' is null or a.org_id = ($1 ->> 'org_id')::uuid)
  order by a.id
  limit ($1 ->> 'batch_limit')::bigint
  for update skip locked
), pieces as (
  delete from public.kb_article_chunks c using unread u where c.article_id = u.id
), cleared as (
  update public.kb_articles a set embedded_version = null, embedding_model = null from unread u where a.id = u.id
  returning 1
), stale as (
  select a.id, a.version, a.title, a.body_markdown
  from public.kb_articles a
  where a.is_published and (a.embedded_version is distinct from a.version or a.embedding_model is distinct from $1 ->> 'model')
    and ($1 ->> 'org_id' is null or a.org_id = ($1 ->> 'org_id')::uuid)
    and ($1 ->> 'after' is null or a.id > ($1 ->> 'after')::uuid)
  order by a.id
  limit ($1 ->> 'batch_limit')::bigint
)
select jsonb_build_object(
  'articles', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'version', s.version, 'title', s.title,
    'body_markdown', s.body_markdown) order by s.id), '[]') from stale s),
  'cleared', (select count(*) from cleared))
