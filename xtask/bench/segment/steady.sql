-- Rows that computing an unchanged segment writes, apart from the segment's own.
begin;
select set_config('app.current_org_id', '11111111-1111-4111-8111-111111111111', true) \g /dev/null
select public.crm_recompute_segment('bbbbbbbb-0000-4000-8000-00000000000b') \g /dev/null
select sum(pg_stat_get_xact_tuples_inserted(t) + pg_stat_get_xact_tuples_updated(t) + pg_stat_get_xact_tuples_deleted(t))
from unnest(array['public.crm_segment_members', 'public.crm_events', 'public.audit_log']::regclass[]) t;
commit;
