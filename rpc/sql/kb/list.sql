-- In: {…, at, id: the last of the page before, page_size}. Out: [{slug, title, category, tags, is_global, is_public, created_at,
-- updated_at, place: {at, id}}], the newest first.
select coalesce(jsonb_agg(jsonb_build_object('slug', p.slug, 'title', p.title, 'category', p.category, 'tags', p.tags,
  'is_global', p.org_id is null, 'is_public', p.is_public, 'created_at', p.created_at, 'updated_at', p.updated_at,
  'place', jsonb_build_object('at', p.created_at, 'id', p.id)) order by p.created_at desc, p.id desc), '[]')
from (
  select a.* from visible a
  where $1 ->> 'at' is null or (a.created_at, a.id) < (($1 ->> 'at')::timestamptz, ($1 ->> 'id')::uuid)
  order by a.created_at desc, a.id desc
  limit ($1 ->> 'page_size')::bigint) p
