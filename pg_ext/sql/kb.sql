revoke all on function fieldcrm.kb_search(text), fieldcrm.kb_list_articles(text), fieldcrm.kb_get_article(text),
    fieldcrm.claim_kb_articles(text), fieldcrm.store_kb_chunks(text) from public;
-- Who is not signed in reads what is public; these check who asks, and anon has nothing else.
grant execute on function fieldcrm.kb_search(text), fieldcrm.kb_list_articles(text), fieldcrm.kb_get_article(text)
  to anon, authenticated, service_role;
grant execute on function fieldcrm.claim_kb_articles(text), fieldcrm.store_kb_chunks(text) to authenticated, service_role;
-- It only raises what it is given.
grant execute on function fieldcrm.unwrap(jsonb) to anon;
-- A generic plan's costs are guesses: compiling what runs a millisecond takes a hundred.
alter function fieldcrm.kb_search(text) set jit = off;

create or replace function public.kb_search(
  query text, embedding jsonb default null, model text default null, slug text default null, category text default null,
  page_size integer default 5
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.kb_search(json_build_object('query', query, 'embedding', embedding, 'model', model, 'slug', slug,
    'category', category, 'page_size', page_size)::text));
end $$;
comment on function public.kb_search(text, jsonb, text, text, text, integer) is $$Finds articles of the knowledge base, the best first, each by its best piece: by the words of the question (500 characters; "a phrase",
-not this; English word forms) and, where embedding is given, by meaning; the two ranked lists are fused (reciprocal rank, k = 60;
meaning counts twice, the builtin embedding a tenth).
embedding: 384 numbers of the question by that model; articles that another model embedded are found by words alone; null: words
alone. slug: whose, as portal_settings has it; without it the caller's org. category: only of it. page_size: 1 to 20.
Members of the org (staff, customers with an active portal account) find what is published of it and for all; everybody else, also
who is not signed in, what is public of it and for all, and has to name it.
Returns {mode: text or hybrid, results: [{slug, title, category, is_global, is_public, chunk_index, heading, excerpt, content (the whole piece, text
without markup), score, similarity (cosine; null if found by words alone)}]}. New articles are found once embed-kb-articles has run.
Errors: 400 invalid_argument, 403 no_membership, portal_account_inactive, 404 not_found (no portal has this slug).
Example: select kb_search(query => 'boiler loses pressure', slug => 'northwind');$$;

create or replace function public.kb_list_articles(
  slug text default null, category text default null, page_size integer default 50, "cursor" text default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.kb_list_articles(json_build_object('slug', slug, 'category', category, 'page_size', page_size,
    'cursor', "cursor")::text));
end $$;
comment on function public.kb_list_articles(text, text, integer, text) is $$The published articles of the knowledge base, the newest first; who sees which, and slug, as in kb_search. An org's own article stands
in the place of the one for all that has the same slug. page_size: 1 to 100. cursor: the next_cursor of the page before.
Returns {articles: [{slug, title, category, tags, is_global, is_public, created_at, updated_at}], next_cursor (null on the last page)}.
Errors: 400 invalid_argument, 403 no_membership, portal_account_inactive, 404 not_found.
Example: select kb_list_articles(slug => 'northwind', category => 'hvac');$$;

create or replace function public.kb_get_article(article_slug text, slug text default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.kb_get_article(json_build_object('article_slug', article_slug, 'slug', slug)::text));
end $$;
comment on function public.kb_get_article(text, text) is $$One published article; who sees which, and slug (whose portal), as in kb_search.
Returns {slug, title, body_markdown, category, tags, is_global, is_public, created_at, updated_at}. Markdown may hold HTML: clean what you show.
Errors: 400 invalid_argument, 403 no_membership, portal_account_inactive, 404 not_found (no such portal or article, or not for the caller).
Example: select kb_get_article(article_slug => 'boiler-pressure', slug => 'northwind');$$;

create or replace function public.crm_claim_kb_articles(model text, batch_limit integer default 20, after uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.claim_kb_articles(json_build_object('model', model, 'batch_limit', batch_limit, 'after', after)::text));
end $$;
comment on function public.crm_claim_kb_articles(text, integer, uuid) is $$For jobs: published articles that are new, changed, or embedded by another model than this, by their ids; and deletes the pieces of
articles that are not published any more. Over all orgs and those for all, or the org in app.current_org_id. Nothing is leased: two
workers may get the same article, and store the same. batch_limit: 1 to 100. after: the last id of the call before.
Returns {articles: [{id, version, title, body_markdown}], cleared: how many lost their pieces}.
Errors: 400 invalid_argument, 403 forbidden. Example: select crm_claim_kb_articles(model => 'gte-small');$$;

create or replace function public.crm_store_kb_chunks(article_id uuid, version integer, model text, chunks jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.store_kb_chunks(json_build_object('article_id', article_id, 'version', version, 'model', model,
    'chunks', chunks)::text));
end $$;
comment on function public.crm_store_kb_chunks(uuid, integer, text, jsonb) is $$For jobs: replaces the pieces of an article, if it is published and still of that version.
chunks: [{index: from 0, heading, content: text of at most 20,000 characters, embedding: 384 numbers}], at most 400.
Returns {stored: whether that is what searches find now}.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_store_kb_chunks(article_id => '…', version => 3, model => 'gte-small', chunks => '[{"index": 0, "content": "…", "embedding": […]}]');$$;

revoke all on function public.kb_search(text, jsonb, text, text, text, integer), public.kb_list_articles(text, text, integer, text),
    public.kb_get_article(text, text), public.crm_claim_kb_articles(text, integer, uuid), public.crm_store_kb_chunks(uuid, integer, text, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.kb_search(text, jsonb, text, text, text, integer), public.kb_list_articles(text, text, integer, text),
    public.kb_get_article(text, text)
  to anon, authenticated, service_role;
grant execute on function public.crm_claim_kb_articles(text, integer, uuid), public.crm_store_kb_chunks(uuid, integer, text, jsonb)
  to authenticated, service_role;
