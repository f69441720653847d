-- In: {org_id, name, type, description, definition, ai_prompt, depends_on, user_id}. Out: the segment; null if the name is taken.
insert into public.crm_segments (org_id, name, type, description, definition, ai_prompt, depends_on, created_by_user_id)
values (($1 ->> 'org_id')::uuid, $1 ->> 'name', ($1 ->> 'type')::public.segment_type, $1 ->> 'description',
  nullif($1 -> 'definition', 'null'), $1 ->> 'ai_prompt',
  array(select x::uuid from jsonb_array_elements_text($1 -> 'depends_on') x), ($1 ->> 'user_id')::uuid)
on conflict (org_id, name) do nothing
returning to_jsonb(crm_segments)
