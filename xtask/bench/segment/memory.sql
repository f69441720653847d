-- What one backend needs to compute the segment: resident memory of its own and the peak, in the words of the kernel.
select pg_backend_pid() as pid \gset
\setenv BACKEND :pid
select set_config('app.current_org_id', '11111111-1111-4111-8111-111111111111', false) \g /dev/null
\! sed -n 's/^\(RssAnon\|VmHWM\):/before \1/p' /proc/$BACKEND/status
\timing on
select public.crm_recompute_segment('bbbbbbbb-0000-4000-8000-00000000000b');
select public.crm_recompute_segment('bbbbbbbb-0000-4000-8000-00000000000b');
\timing off
\! sed -n 's/^\(RssAnon\|VmHWM\):/after \1/p' /proc/$BACKEND/status
