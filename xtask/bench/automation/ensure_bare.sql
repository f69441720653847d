-- 200 new keys a second, for all clients the same ones.
insert into bench.followup (org_id, dedupe_key, title, due_at)
values ('11111111-1111-4111-8111-111111111111', 'bench:' || (extract(epoch from clock_timestamp()) * 200)::bigint, 'Call back', now() + interval '1 day')
on conflict (org_id, dedupe_key) do nothing;
