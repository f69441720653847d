-- In: {org_id, id}. Out: the row, locked; null if there is none, or the caller may not change it (FOR UPDATE applies the policies
-- for update). Two changes of one lead take turns.
select to_jsonb(l) from public.leads l
where l.org_id = ($1 ->> 'org_id')::uuid and l.id = ($1 ->> 'id')::uuid
for no key update
