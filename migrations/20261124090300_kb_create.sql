-- The knowledge base: articles of an org and articles for all, and the pieces of them that a search finds.
-- squawk-ignore-file prefer-bigint-over-int

create extension if not exists vector with schema extensions;

create table public.kb_articles (
  id uuid primary key default gen_random_uuid(),
  org_id uuid default fieldcrm.current_org_id() references public.orgs (id),
  slug text not null,
  title text not null,
  body_markdown text not null,
  category text,
  tags text[] not null default '{}',
  is_published boolean not null default false,
  is_public boolean not null default false,
  version integer not null default 1,
  embedded_version integer,
  embedding_model text,
  created_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  updated_by_user_id uuid default fieldcrm.current_profile_id() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint kb_articles_org_id_id_key unique (org_id, id),
  constraint kb_articles_org_id_slug_key unique nulls not distinct (org_id, slug),
  constraint kb_articles_slug_check check (slug ~ '^[a-z0-9](-?[a-z0-9])*$' and char_length(slug) <= 120),
  constraint kb_articles_text_check check (btrim(title) <> '' and char_length(title) <= 200 and char_length(body_markdown) <= 200000),
  constraint kb_articles_category_check check (category ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint kb_articles_tags_check check (cardinality(tags) <= 50)
);
create index idx_kb_articles_category on public.kb_articles (org_id, category);
create index idx_kb_articles_created_by_user_id on public.kb_articles (created_by_user_id);
create index idx_kb_articles_updated_by_user_id on public.kb_articles (updated_by_user_id);
comment on table public.kb_articles is 'Help for customers, in Markdown. Without an org it is for the customers of all.';
comment on column public.kb_articles.is_public is 'Whether who is not signed in may read it, too.';
comment on column public.kb_articles.version is 'Counts what changed about its text; embedded_version is the one that searches find.';

create table public.kb_article_chunks (
  id uuid primary key default gen_random_uuid(),
  org_id uuid references public.orgs (id),
  article_id uuid not null,
  chunk_index integer not null,
  title text not null,
  heading text,
  content text not null,
  embedding extensions.vector(384) not null,
  search tsvector generated always as (
    setweight(to_tsvector('pg_catalog.english', title), 'A') || setweight(to_tsvector('pg_catalog.english', coalesce(heading, '')), 'B')
    || setweight(to_tsvector('pg_catalog.english', content), 'C')) stored,
  created_at timestamptz not null default now(),
  -- The second holds the org to that of the article; it is not asked of what is for all.
  constraint kb_article_chunks_article_id_fkey foreign key (article_id) references public.kb_articles (id) on delete cascade,
  constraint kb_article_chunks_org_id_article_id_fkey foreign key (org_id, article_id)
    references public.kb_articles (org_id, id) on delete cascade,
  constraint kb_article_chunks_article_id_chunk_index_key unique (article_id, chunk_index),
  constraint kb_article_chunks_chunk_index_check check (chunk_index >= 0),
  constraint kb_article_chunks_content_check check (char_length(content) <= 20000)
);
create index idx_kb_article_chunks_article_id on public.kb_article_chunks (org_id, article_id);
create index idx_kb_article_chunks_search on public.kb_article_chunks using gin (search);
create index idx_kb_article_chunks_embedding on public.kb_article_chunks using hnsw (embedding extensions.vector_cosine_ops);
comment on table public.kb_article_chunks is 'Pieces of articles with their embeddings (384 dimensions, such as gte-small and all-MiniLM-L6-v2 have), written by a job.';
comment on column public.kb_article_chunks.title is 'Of the article, so that its words count in every piece.';
comment on column public.kb_article_chunks.search is 'By the rules of English, whatever the language: other languages are found by their words as they stand, and by meaning.';

do $rls$
declare
  tab text;
begin
  foreach tab in array array['kb_articles', 'kb_article_chunks'] loop
    execute format('alter table public.%I enable row level security', tab);
    execute format('alter table public.%I force row level security', tab);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', tab);
    execute format('grant select on public.%I to authenticated, service_role', tab);
  end loop;
end $rls$;
create policy "Staff see those of their org and those for all" on public.kb_articles for select to authenticated
  using ((org_id = (select fieldcrm.current_org_id()) or (org_id is null and is_published))
    and (select fieldcrm.has_capability('customers.read')));
create policy "Staff see those of their org and those for all" on public.kb_article_chunks for select to authenticated
  using ((org_id = (select fieldcrm.current_org_id()) or org_id is null) and (select fieldcrm.has_capability('customers.read')));
grant insert (org_id, slug, title, body_markdown, category, tags, is_published, is_public),
  update (slug, title, body_markdown, category, tags, is_published, is_public), delete on public.kb_articles to authenticated;
grant insert, update, delete on public.kb_articles to service_role;
create policy "Editors add articles" on public.kb_articles for insert to authenticated
  with check (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('kb.write')));
create policy "Editors change articles" on public.kb_articles for update to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('kb.write')));
create policy "Editors delete articles" on public.kb_articles for delete to authenticated
  using (org_id = (select fieldcrm.current_org_id()) and (select fieldcrm.has_capability('kb.write')));

create function fieldcrm.touch_kb_article() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  new.updated_by_user_id := coalesce(fieldcrm.current_profile_id(), new.updated_by_user_id);
  if (new.title, new.body_markdown, new.is_published) is distinct from (old.title, old.body_markdown, old.is_published) then
    new.version := old.version + 1;
  end if;
  return new;
end $$;
revoke all on function fieldcrm.touch_kb_article() from public, anon, authenticated, service_role;
create trigger kb_articles_touch before update of slug, title, body_markdown, category, tags, is_published, is_public on public.kb_articles
  for each row execute function fieldcrm.touch_kb_article();
