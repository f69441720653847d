-- In: {…, query, embedding: numbers or null, model, weight: of meaning against words, least: of a question's
-- words, page_size}. Out: {results: [{slug, title, category, is_global, is_public,
-- chunk_index, heading, excerpt, content, score, similarity}], mode}.
--
-- Two lists of articles, each by its best piece: by words (those that have all words of the question before those that have some,
-- then by ts_rank_cd of each word, the rarer the more; where meaning is compared as well, only those that have the least part of
-- the question's words, the rarer counting more) and by meaning (cosine; only articles that the question's model has
-- embedded). They are fused by reciprocal rank, k = 60.
--
-- All pieces that the reader sees are measured: an HNSW index finds its neighbours among everybody's pieces and filters then,
-- so that a small org gets too few, or none. A knowledge base has hundreds of pieces, and thousands take milliseconds.
, asked as materialized (
  select w.all_words,
    -- Who asks in whole sentences uses words that the article does not; an exclusion stays what it is.
    case when w.all_words::text like '%!%' then w.all_words
      else replace(w.all_words::text, ' & ', ' | ')::tsquery end as some_words,
    ($1 ->> 'embedding')::extensions.vector as embedding
  from (select websearch_to_tsquery('pg_catalog.english', $1 ->> 'query') as all_words) w
), pieces as materialized (
  select c.id, c.article_id, c.chunk_index, c.search, c.search @@ q.all_words as has_all,
    q.embedding is not null and a.embedding_model = $1 ->> 'model' as is_compared
  from asked q
  join public.kb_article_chunks c on c.search @@ q.some_words
  join visible a on a.id = c.article_id
), words as (
  select l.lexeme, ('''' || replace(replace(l.lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as word
  from unnest(tsvector_to_array(to_tsvector('pg_catalog.english', $1 ->> 'query'))) as l (lexeme)
), terms as materialized (
  -- How much each word of the question counts in a piece: ts_rank_cd by the piece's length, growing ever less.
  select p.id, w.lexeme, ts_rank_cd(p.search, w.word, 1 | 32) as rank from words w join pieces p on p.search @@ w.word
), rarity as materialized (
  -- A word that few have says more, and one that nobody has the most.
  select w.lexeme, ln(1 + (select count(*) from visible) / greatest(count(t.id), 0.5)::float8) as weight
  from words w left join terms t on t.lexeme = w.lexeme
  group by w.lexeme
), by_words as materialized (
  select f.article_id, f.chunk_id, row_number() over (order by f.has_all desc, f.rank desc, f.article_id) as place
  from (
    select distinct on (p.article_id) p.article_id, p.id as chunk_id, p.has_all, r.rank
    from pieces p
    join (
      select t.id, sum(t.rank * y.weight) as rank, sum(y.weight) / (select sum(weight) from rarity) as share
      from terms t join rarity y on y.lexeme = t.lexeme
      group by t.id) r on r.id = p.id
    where p.has_all or p.is_compared is not true or r.share >= ($1 ->> 'least')::float8
    order by p.article_id, p.has_all desc, r.rank desc, p.chunk_index) f
  order by place limit 50
), by_meaning as materialized (
  select f.article_id, f.chunk_id, f.distance, row_number() over (order by f.distance, f.article_id) as place
  from (
    select distinct on (c.article_id) c.article_id, c.id as chunk_id, c.embedding operator(extensions.<=>) q.embedding as distance
    from asked q
    join visible a on a.embedding_model = $1 ->> 'model'
    join public.kb_article_chunks c on c.article_id = a.id
    where q.embedding is not null
    order by c.article_id, distance, c.chunk_index) f
  -- Of zeros there is no angle.
  where f.distance <> 'NaN'
  order by place limit 50
), fused as materialized (
  select coalesce(w.article_id, m.article_id) as article_id,
    case when m.place <= w.place or w.place is null then m.chunk_id else w.chunk_id end as chunk_id,
    coalesce(1.0 / (60 + w.place), 0) + coalesce(($1 ->> 'weight')::numeric / (60 + m.place), 0) as score,
    1 - m.distance as similarity
  from by_words w full join by_meaning m on m.article_id = w.article_id
  order by score desc, similarity desc nulls last, article_id
  limit ($1 ->> 'page_size')::bigint
)
select jsonb_build_object(
  'mode', case when $1 ->> 'embedding' is null then 'text' else 'hybrid' end,
  'results', coalesce(jsonb_agg(jsonb_build_object('slug', a.slug, 'title', a.title, 'category', a.category,
    'is_global', a.org_id is null, 'is_public', a.is_public, 'chunk_index', c.chunk_index, 'heading', c.heading,
    'excerpt', ts_headline('pg_catalog.english', c.content, q.some_words,
      'StartSel="", StopSel="", MaxFragments=2, MaxWords=30, MinWords=12, FragmentDelimiter=" … "'),
    'content', c.content, 'score', round(f.score, 6), 'similarity', round(f.similarity::numeric, 4))
    order by f.score desc, f.similarity desc nulls last, f.article_id), '[]'))
from fused f
join visible a on a.id = f.article_id
join public.kb_article_chunks c on c.id = f.chunk_id
cross join asked q
