-- Last in the script, which is also its own upgrade: what it did not make or replace is of an older version (a
-- function whose arguments changed, an RPC that is gone) and would go on running the new library's code
-- behind old arguments. On a fresh install there is nothing to find.
do $retire$
declare
  obsolete regprocedure;
begin
  for obsolete in
    select p.oid::regprocedure
    from pg_catalog.pg_proc p
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    join pg_catalog.pg_extension e on d.refclassid = 'pg_catalog.pg_extension'::regclass and e.oid = d.refobjid
    where e.extname = 'fieldcrm'
      and p.xmin <> (select made.xmin from pg_catalog.pg_proc made where made.oid = 'fieldcrm.unwrap(jsonb)'::regprocedure)
  loop
    execute format('drop function %s', obsolete);
  end loop;
end $retire$;
