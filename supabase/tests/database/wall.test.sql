-- The wall between orgs, and between roles: every table and view the database has, every command, every role of two
-- orgs, on a row of either. What is expected is listed in wall/expected.sql; a table that is not listed fails.
begin;
\ir wall/expected.sql
\ir wall/callers.sql
\ir wall/catalogue.sql
\ir wall/matrix.sql
\ir wall/sweep.sql
\ir wall/border.sql
\ir wall/storage.sql
select * from no_plan();

select is_empty($$select tab from wall_catalogue except select tab from wall_tables$$, 'every table and view is in the list');
select is_empty($$select tab from wall_tables except select tab from wall_catalogue$$, 'the list has no table that is gone');
select is_empty($$select tab, org_id from wall_tables, wall_orgs except select tab, org_id from wall_samples$$,
  'every table has a row of each org to try');
select is((select count(*) from wall_outcomes), (select count(*) * 2 * 30 * 4 from wall_tables),
  'everybody tried every command on a row of each org');
-- 55000: a view that takes no rows.
select is_empty($$select distinct tab, command, caller, state from wall_outcomes where state not in ('42501', '55000')
  and not (state in ('23001', '23503') and command = 'delete')$$, 'every refusal is for want of rights');

select is_empty($$select tab, command, caller, caller_org from wall_outcomes
  where allowed and caller <> 'service_role' and caller_org <> row_org$$, 'nobody reads or writes a row of the other org');
select is_empty($$select tab, command, caller from wall_outcomes where allowed and caller in ('anon', 'inactive', 'newcomer')$$,
  'who is nobody in the org does nothing');
select is_empty($$select tab, command, caller from wall_outcomes where caller_org = row_org or caller = 'service_role'
  group by 1, 2, 3 having bool_or(allowed) <> bool_and(allowed)$$, 'a role has the same rights in both orgs');

select is_empty('select tab, caller, org_id, leaked from wall_leaks where leaked > 0', 'without a condition nobody sees more than their org');
select is_empty('select * from wall_damage', 'without a condition the owner of an org changes nothing of the other');

-- A reservation is either a visit's or a hold's, which is asked first.
select is_empty($$select link, state from wall_links where state <> '23503' and (link, state) <> ('fieldcrm.reservations.reservations_hold_id_fkey', '23514')$$, 'no foreign key accepts a row of the other org, from a superuser either');
-- Articles for all have no org, and a key with a null in it asks nothing: their chunks have a second key, with the org in it.
select is_empty($$select link from wall_links where not has_org and link <> 'kb_article_chunks.kb_article_chunks_article_id_fkey'$$,
  'every foreign key between rows of orgs has the org in it');
select is_empty($$select r.attrelid::regclass from pg_attribute r join wall_catalogue k on k.oid = r.attrelid join wall_tables w using (tab)
  where r.attname = 'customer_id' and w.may_insert <> '-' and has_column_privilege('authenticated', r.attrelid, r.attnum, 'insert') except select tab::regclass from wall_probes$$,
  'every table about customers that clients add to was tried with a customer of the other org');
select is_empty($$select tab, foreign_state, absent_state from wall_probes where foreign_state <> absent_state or foreign_state <> '23503'
  -- Who looked at a customer is asked by the policy.
  and tab <> 'public.crm_access_log'$$, 'and it failed as with a customer that nobody has');
select is_empty($$select tab, caller, moved, state from wall_moves where moved > 0 or state not in ('42501', '55000')$$, 'nobody moves a row to the other org');

select is(actual.rights, expected.rights, w.tab)
from wall_tables w, lateral (
  select string_agg(e.command || ': ' || e.who, E'\n' order by e.command) as rights
  from (select v.command, array_to_string(array(select r from unnest(g.roles) r order by 1), ' ')
      || case when strpos(w.service, left(v.command, 1)) > 0 then ' service_role' else '' end as who
    from (values ('select', w.may_select), ('insert', w.may_insert), ('update', w.may_update), ('delete', w.may_delete))
      as v (command, name) join wall_groups g on g.name = v.name) e) expected,
  lateral (select string_agg(a.command || ': ' || a.who, E'\n' order by a.command) as rights
  from (select o.command, coalesce(string_agg(distinct o.caller, ' ' order by o.caller) filter (where o.allowed and o.caller <> 'service_role'), '')
      || case when bool_or(o.allowed and o.caller = 'service_role') then ' service_role' else '' end as who
    from wall_outcomes o where o.tab = w.tab and (o.caller_org = o.row_org or o.caller = 'service_role') group by o.command) a) actual
order by w.tab;

select is_empty('select * from wall_files where allowed and caller_org <> row_org', 'nobody reaches a file of the other org, or puts one there');
select is_empty($$select f.caller, f.command, f.allowed from wall_files f
  join wall_groups g on g.name = case f.command when 'select' then 'staff' else 'writers' end
  where f.caller_org = f.row_org and f.allowed <> (f.caller = any (g.roles))$$, 'files: staff read them, writers write them');

\ir wall/promotion.sql

select * from finish();
rollback;
