\set n random(1, :customers)
select public.crm_search_customers(page_size => 20, q => 'customer' || :n);
