-- The pieces of an article that is locked go. In: {article_id}. Out: how many.
with gone as (
  delete from public.kb_article_chunks c where c.article_id = ($1 ->> 'article_id')::uuid returning 1
)
select to_jsonb(count(*)) from gone
