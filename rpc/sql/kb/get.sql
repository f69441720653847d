-- In: {…, slug}. Out: {slug, title, body_markdown, category, tags, is_global, is_public, created_at, updated_at}, or null.
select jsonb_build_object('slug', a.slug, 'title', a.title, 'body_markdown', a.body_markdown, 'category', a.category,
  'tags', a.tags, 'is_global', a.org_id is null, 'is_public', a.is_public, 'created_at', a.created_at, 'updated_at', a.updated_at)
from visible a
where a.slug = $1 ->> 'slug'
