select public.crm_recompute_segment('bbbbbbbb-0000-4000-8000-00000000000b');
