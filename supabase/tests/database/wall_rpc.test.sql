-- The wall around the RPCs: every one the database has, called by everybody, with ids of their own org, of the other,
-- and of nobody. What is expected is listed in wall/rpcs.sql; an RPC that is not listed fails.
begin;
\ir wall/expected.sql
\ir wall/callers.sql
\ir wall/catalogue.sql
\ir wall/rpcs.sql
\ir wall/calls.sql
select * from no_plan();

select is_empty($$select p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype
  and (p.proname ~ '^(crm|portal|kb)_' or p.proname in ('can_access_client', 'can_access_project', 'can_manage_lead', 'calculate_conversion_rate', 'get_source_performance', 'get_project_summary', 'create_conversation', 'update_conversation_stats', 'process_incoming_message'))
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e' and d.refobjid in
    (select oid from pg_extension where extname <> 'fieldcrm'))
  except select split_part(call, '(', 1) from wall_rpcs$$, 'every RPC is in the list');
select is_empty($$select split_part(call, '(', 1) from wall_rpcs
  except select proname::text from pg_proc where pronamespace = 'public'::regnamespace$$, 'the list has no RPC that is not there');
select is_empty($$select p.proname, a.name from pg_proc p, unnest(p.proargnames, p.proargtypes::oid[]) a (name, type)
  where p.pronamespace = 'public'::regnamespace and p.proname ~ '^(crm|portal|kb)_' and a.type in ('uuid'::regtype, 'uuid[]'::regtype)
    -- Not the id of anything, but a word between the queue and who took from it, and a place in an order.
    and a.name not in ('lease_id', 'after')
    -- For the back end only, of whom no org knows yet.
    and (p.proname, a.name) not in (('portal_log_event', 'user_id'), ('portal_accept_invite', 'user_id'),
      ('portal_register_signup', 'user_id'), ('portal_register_signup', 'booking_reference'),
      -- The back end's, which says whose budget it is.
      ('crm_reserve_ai', 'org_id'), ('crm_settle_ai', 'org_id'), ('crm_settle_ai', 'id'))
    and not exists (select from wall_rpcs r where split_part(r.call, '(', 1) = p.proname
      and r.call ~ format('\W%s => (array\[)?\{', a.name))$$, 'every argument that is an id is tried with those of others');
select is_empty($$select m[1] from wall_rpcs, regexp_matches(call, '\{[?*]?([a-z_]+)\}', 'g') m, wall_orgs o
  where not exists (select from wall_ids i where i.name = m[1] and i.org_id = o.org_id and i.id is not null)$$, 'every id that the list names is there');

-- The answer to each caller with the ids of their own org.
create temporary table wall_answers as
select c.call, c.caller, c.org_id, c.state, c.error,
  coalesce((select r.state from wall_rpcs r join wall_groups g on g.name = r.who
    where r.call = c.call and (c.caller = any (g.roles) or c.caller = 'service_role' and r.service)), 'refused') as expected,
  case when c.state in ('PT401', 'PT403', '42501') then 'refused' else c.state end as answered
from wall_calls c where c.asked = 'own';
select is(
  (select string_agg(format('%s: %s %s', caller, state, error), E'\n' order by caller, org_id) from wall_answers a where a.call = l.call and answered <> expected),
  null, l.call)
from (select distinct call from wall_calls) l order by 1;

select is_empty($$select call, caller, asked, state, error from wall_calls where ids = 'foreign'
  and not (state = 'PT404' or state = 'PT400' and strpos(call, '{?' || asked || '}') > 0
    or state = '00000' and strpos(call, '{*' || asked || '}') > 0)$$, 'an id of the other org is not found');
select is_empty($$select f.call, f.caller, f.asked, f.state, f.error, a.state, a.error from wall_calls f
  join wall_calls a using (call, caller, org_id, asked) where f.ids = 'foreign' and a.ids = 'absent'
    and (f.state, f.error, f.result) is distinct from (a.state, a.error, a.result)$$, 'and cannot be told from an id that nobody has');
select is((select count(*) from wall_calls where ids = 'foreign'), (select count(*) from wall_calls where ids = 'absent'), 'both were asked for');
select is_empty($$select c.call, c.caller, k.id from wall_calls c, regexp_matches(c.result, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g') m
  join wall_known k on k.id = m[1]::uuid where k.org_id <> c.org_id$$, 'no answer names anything of the other org');

select * from finish();
rollback;
