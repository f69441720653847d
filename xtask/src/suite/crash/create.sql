\set n random(1, 1000000000)
select public.crm_create_customer(type => 'individual', name => 'Crash ' || :n::text,
  email => 'crash' || :n::text || '@example.com', phone => '(312) 555-0100',
  locations => '[{"address_line1": "12 Elm Street", "city": "Springfield"}]', tags => array['VIP', 'Crash']);
