-- In: {ids}, which process_take.sql locked. Out: how many requests are now before the staff. For sessions that bypass RLS.
with given as (
  update public.portal_booking_requests b set status = 'under_review'
  from jsonb_array_elements_text($1 -> 'ids') as g
  where b.id = g::uuid and b.status = 'submitted'
  returning 1
)
select to_jsonb(count(*)) from given
