-- In: the parameter of a compiled segment with customer_id. Out: whether that customer matches.
select to_jsonb(exists (select from ({matching}) m where m.id = ($1 ->> 'customer_id')::uuid))
