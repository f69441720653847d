select public.crm_segment_preview((select definition from public.crm_segments where id = 'bbbbbbbb-0000-4000-8000-00000000000b'));
