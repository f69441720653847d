-- In: {org_id or null for all, channel, address}. Out: {id, org_id, client_id, project_id, settings, secret_name, is_enabled,
-- default_country, lead_assignment}; null where it is nobody's. A client's channel without a project is its newest active one's.
select jsonb_build_object('id', c.id, 'org_id', c.org_id, 'client_id', p.client_id, 'project_id', p.id, 'settings', c.settings,
  'secret_name', c.secret_name, 'is_enabled', c.is_enabled, 'default_country', o.default_country,
  'lead_assignment', p.settings ->> 'lead_assignment')
from public.org_channels c
join public.orgs o on o.id = c.org_id
left join lateral (
  select x.id, x.client_id, x.settings
  from public.projects x
  where x.org_id = c.org_id and x.client_id = c.client_id and (x.id = c.project_id or (c.project_id is null and x.status = 'active'))
  order by x.created_at desc, x.id
  limit 1) p on true
where c.channel = $1 ->> 'channel' and c.address = $1 ->> 'address'
  and ($1 ->> 'org_id' is null or c.org_id = ($1 ->> 'org_id')::uuid)
