-- In: {org_id, portal_account_id}. Out: {}. Calls of one account that count something take turns. Runs as owner.
select '{}'::jsonb from public.portal_accounts a
where a.org_id = ($1 ->> 'org_id')::uuid and a.id = ($1 ->> 'portal_account_id')::uuid
for no key update
