-- In: {time_zone}. Out: {known}. Slow (the server lists its zone files), and rarely needed.
select jsonb_build_object('known', exists (select from pg_catalog.pg_timezone_names z where z.name = $1 ->> 'time_zone'))
