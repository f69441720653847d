-- In: {org_id, segment_id, customer_id}. Out: whether the customer is a member.
select to_jsonb(exists (
  select from public.crm_segment_members m
  where m.org_id = ($1 ->> 'org_id')::uuid and m.segment_id = ($1 ->> 'segment_id')::uuid
    and m.customer_id = ($1 ->> 'customer_id')::uuid))
