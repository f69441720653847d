-- In: {org_id, segment_id, set: {name, type, description, definition, ai_prompt, ai_explanation, is_active}, depends_on,
-- recompute}. Out: the segment; null if the name is taken.
update public.crm_segments s set
  name = coalesce($1 #>> '{set,name}', s.name),
  type = coalesce(($1 #>> '{set,type}')::public.segment_type, s.type),
  description = case when $1 -> 'set' ? 'description' then $1 #>> '{set,description}' else s.description end,
  definition = case when $1 -> 'set' ? 'definition' then nullif($1 #> '{set,definition}', 'null') else s.definition end,
  ai_prompt = case when $1 -> 'set' ? 'ai_prompt' then $1 #>> '{set,ai_prompt}' else s.ai_prompt end,
  ai_explanation = case when $1 -> 'set' ? 'ai_explanation' then $1 #>> '{set,ai_explanation}' else s.ai_explanation end,
  is_active = coalesce(($1 #>> '{set,is_active}')::boolean, s.is_active),
  depends_on = array(select x::uuid from jsonb_array_elements_text($1 -> 'depends_on') x),
  recompute_at = case when ($1 ->> 'recompute')::boolean then now() else s.recompute_at end
where s.org_id = ($1 ->> 'org_id')::uuid and s.id = ($1 ->> 'segment_id')::uuid
  and not exists (
    select from public.crm_segments o
    where o.org_id = s.org_id and o.name = $1 #>> '{set,name}' and o.id <> s.id)
returning to_jsonb(s)
