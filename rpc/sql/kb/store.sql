-- The pieces of an article that is locked and has none. In: {article_id, version, model, chunks: [{index, heading, content,
-- embedding}]}. Out: how many.
with article as (
  update public.kb_articles a
  set embedded_version = ($1 ->> 'version')::integer, embedding_model = $1 ->> 'model'
  where a.id = ($1 ->> 'article_id')::uuid
  returning a.id, a.org_id, a.title
), made as (
  insert into public.kb_article_chunks (org_id, article_id, chunk_index, title, heading, content, embedding)
  select a.org_id, a.id, (c ->> 'index')::integer, a.title, c ->> 'heading', c ->> 'content', (c ->> 'embedding')::extensions.vector
  from article a, jsonb_array_elements($1 -> 'chunks') c
  returning 1
)
select to_jsonb(count(*)) from made
