-- Calls every listed RPC as everybody, with the ids of their own org, of the other one, and of nobody; undoes it.

-- One row of each kind in each org, by the names that the list uses.
create temporary table wall_ids as
select o.org_id, v.name, v.id
from wall_orgs o,
  lateral (select w.id as work_order, w.customer_id as customer, w.location_id as location from public.work_orders w
    where w.org_id = o.org_id and w.status = 'scheduled' and w.technician_id is not null
      and exists (select from public.quotes q where q.customer_id = w.customer_id) order by w.window_start limit 1) w,
  lateral (values ('customer', w.customer), ('location', w.location), ('work_order', w.work_order),
    ('other', o.bare), ('org', o.org_id),
    ('member', (select p.id from public.profiles p where p.org_id = o.org_id and p.role = 'viewer')),
    ('product', (select x.id from public.products x where x.org_id = o.org_id and x.is_active order by x.id limit 1)),
    ('segment', (select x.id from public.crm_segments x where x.org_id = o.org_id and x.type = 'static' order by x.id limit 1)),
    ('rule_segment', (select x.id from public.crm_segments x where x.org_id = o.org_id and x.type = 'rule_based' order by x.id limit 1)),
    ('ai_job', md5(o.domain || 'ai_job')::uuid),
    ('automation_rule', (select x.id from public.crm_automation_rules x where x.org_id = o.org_id order by x.id limit 1)),
    ('automation_run', (select x.id from public.crm_automation_runs x where x.org_id = o.org_id and x.status = 'failed' order by x.id limit 1)),
    ('contact', (select x.id from public.customer_contacts x where x.org_id = o.org_id and x.customer_id = w.customer order by x.id limit 1)),
    ('interaction', (select x.id from public.crm_interactions x where x.org_id = o.org_id and x.customer_id = w.customer order by x.id limit 1)),
    ('quote', (select x.id from public.quotes x where x.org_id = o.org_id and x.customer_id = w.customer order by x.id limit 1)),
    ('followup', (select x.id from public.crm_followups x where x.org_id = o.org_id and x.status = 'pending' order by x.due_at, x.id limit 1)),
    ('template', (select x.id from public.crm_message_templates x where x.org_id = o.org_id and x.variables is null and x.channel = 'email' order by x.id limit 1)),
    ('message', (select x.id from public.crm_outbox x where x.org_id = o.org_id and x.status = 'queued' order by x.created_at, x.id limit 1)),
    ('client', (select x.id from public.clients x where x.org_id = o.org_id order by x.id limit 1)),
    ('project', (select x.id from public.projects x where x.org_id = o.org_id and x.name = 'Spring check-ups')),
    ('lead', (select x.id from public.leads x join public.projects p on p.org_id = x.org_id and p.id = x.project_id
      where x.org_id = o.org_id and x.status = 'new' and p.name = 'Spring check-ups' order by x.id limit 1)),
    ('conversation', (select x.id from public.conversations x where x.org_id = o.org_id and x.channel = 'sms' and x.status = 'active' order by x.id limit 1)),
    ('teammate', (select p.id from public.profiles p where p.org_id = o.org_id and p.role = 'sales')),
    ('channel', (select x.id from public.org_channels x where x.org_id = o.org_id and x.channel = 'sms' order by x.id limit 1)),
    ('endpoint', (select x.id from public.webhook_endpoints x where x.org_id = o.org_id and x.is_enabled order by x.id limit 1)),
    ('delivery', (select x.id from public.crm_outbox x where x.org_id = o.org_id and x.webhook_endpoint_id is not null order by x.id limit 1)),
    ('portal_invite', (select x.id from public.portal_invites x where x.org_id = o.org_id order by x.id limit 1)),
    ('portal_account', (select x.id from public.portal_accounts x where x.org_id = o.org_id and x.role = 'property_manager' order by x.id limit 1)),
    -- Of the customer whom portal_customer signs in for.
    ('portal_visit', (select x.id from public.work_orders x join public.portal_accounts a on a.org_id = x.org_id and a.customer_id = x.customer_id
      join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain
      where x.org_id = o.org_id order by x.id limit 1)),
    ('portal_location', (select x.id from public.customer_locations x join public.portal_accounts a on a.org_id = x.org_id and a.customer_id = x.customer_id
      join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain
      where x.org_id = o.org_id order by x.id limit 1)),
    ('portal_document', (select x.id from public.documents x join public.portal_accounts a on a.org_id = x.org_id and a.customer_id = x.customer_id
      join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain
      where x.org_id = o.org_id and x.is_customer_visible and x.attachment_id is not null order by x.id limit 1)),
    ('portal_thread', (select x.id from public.portal_threads x join public.portal_accounts a on a.org_id = x.org_id and a.customer_id = x.customer_id
      join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain
      where x.org_id = o.org_id order by x.id limit 1)),
    ('kb_article', (select x.id from public.kb_articles x where x.org_id = o.org_id and x.slug = 'wall')),
    ('portal_message', (select x.id from public.portal_messages x where x.org_id = o.org_id order by x.id limit 1)),
    ('portal_booking', (select x.id from public.portal_booking_requests x join public.portal_accounts a on a.org_id = x.org_id and a.id = x.portal_account_id
      join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain
      where x.org_id = o.org_id and x.status = 'submitted' order by x.id limit 1)),
    ('ai_conversation', md5(o.domain || 'ai')::uuid),
    ('ai_question', md5(o.domain || 'ai')::uuid),
    ('portal_hold', md5(o.domain || 'hold')::uuid),
    ('portal_booked', overlay(md5(o.domain || 'booked') placing 'ffffffff' from 1)::uuid)
  ) as v (name, id);

-- Every id there is of either org: none of the other's may be in an answer.
create temporary table wall_known (id uuid, org_id uuid);
do $$
declare
  t record;
begin
  for t in select tab from wall_catalogue where org_column = 'org_id' and key = 'id' and tab not like '%_log' and tab <> 'fieldcrm.event_queue' loop
    execute format('insert into wall_known select id, org_id from %s', t.tab);
  end loop;
  insert into wall_known select org_id, org_id from wall_orgs;
end $$;
create index on wall_known (id);

create temporary table wall_calls (call text, caller text, org_id uuid, asked text, ids text, state text, error text, result text);

-- asked: 'own', or the reference that was replaced; ids: own, foreign, absent.
create function pg_temp.try_call(call text, c wall_callers, asked text, ids text) returns void language plpgsql as $$
declare
  nobody constant uuid := '99999999-9999-4999-8999-999999999999';
  replaced uuid;
  statement text := call;
  r record;
  state text := '00000';
  message text;
  detail text;
  hint text;
  result text;
begin
  for r in select i.name, i.id from wall_ids i where i.org_id = c.org_id loop
    if r.name = asked then
      replaced := case ids when 'absent' then nobody else (select i.id from wall_ids i where i.name = r.name and i.org_id <> c.org_id) end;
      r.id := replaced;
    end if;
    statement := regexp_replace(statement, '\{[?*]?' || r.name || '\}', format('%L::uuid', r.id), 'g');
  end loop;
  begin
    perform set_config('app.current_org_id', case when c.db_role = 'service_role' then c.org_id::text else '' end, true);
    perform pg_temp.become(c);
    execute 'select public.' || statement into result;
    raise sqlstate 'UNDO1';
  exception
    when sqlstate 'UNDO1' then null;
    when others then
      get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
      result := null;
  end;
  insert into wall_calls values (call, c.caller, c.org_id, asked, ids, state,
    replace(concat_ws(E'\n', message, detail, hint), coalesce(replaced::text, 'nothing'), '<id>'),
    replace(result, coalesce(replaced::text, 'nothing'), '<id>'));
end $$;

-- A function that does not exist is told of once, by its own test.
do $$
declare
  l record;
  c wall_callers;
  asked text;
  ids text;
begin
  for l in select r.call, array_agg(distinct x.role) as callers from wall_rpcs r join wall_groups g on g.name = r.who
      left join lateral (select unnest(g.roles || case when r.service then '{service_role}' else '{}'::text[] end) as role where r.state = '00000') x on true
      where exists (select from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname = split_part(r.call, '(', 1))
      group by r.call loop
    for c in select * from wall_callers loop
      perform pg_temp.try_call(l.call, c, 'own', 'own');
      if c.caller = any (l.callers) then
        for asked in select distinct m[1] from regexp_matches(l.call, '\{[?*]?([a-z_]+)\}', 'g') m loop
          foreach ids in array array['foreign', 'absent'] loop
            perform pg_temp.try_call(l.call, c, asked, ids);
          end loop;
        end loop;
      end if;
    end loop;
  end loop;
end $$;
