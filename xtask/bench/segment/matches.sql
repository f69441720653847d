\set n random(1, 50000)
select public.crm_segment_matches('bbbbbbbb-0000-4000-8000-00000000000b', md5('segment bench ' || :n::text)::uuid);
