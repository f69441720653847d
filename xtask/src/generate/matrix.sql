-- The matrix of docs/security.md from the wall's list (supabase/tests/database/wall/expected.sql, which runs before
-- this). Roles that have the same rights everywhere share a column.
with rights as (
  select w.tab, r.role, array_position(e.roles, r.role) as place,
    (select coalesce(string_agg(v.letter, '' order by v.place), '') from (values (1, 's', w.may_select), (2, 'i', w.may_insert),
      (3, 'u', w.may_update), (4, 'd', w.may_delete)) as v (place, letter, who)
      join wall_groups g on g.name = v.who where r.role = any (g.roles)) as letters
  from wall_tables w, wall_groups e, unnest(e.roles) as r (role) where e.name = 'everyone'),
columns as (
  select min(place) as place, array_agg(role order by place) as roles
  from (select role, min(place) as place, string_agg(letters, '|' order by tab) as everything from rights group by role) s
  group by everything)
select string_agg(line, E'\n' order by place, line collate "C") from (
  select 1 as place, '| Table | ' || (select string_agg(array_to_string(roles, ', '), ' | ' order by place) from columns) || ' | service role | |' as line
  union all
  select 2, '|---|' || (select repeat('---|', count(*)::integer) from columns) || '---|---|'
  union all
  select 3, format('| `%s` | %s | %s | %s |', w.tab,
    (select string_agg((select r.letters from rights r where r.tab = w.tab and r.role = c.roles[1]), ' | ' order by c.place) from columns c),
    w.service, w.note)
  from wall_tables w) lines;
