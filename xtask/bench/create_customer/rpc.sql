\set n random(1, 1000000000)
select public.crm_create_customer(type => 'individual', name => 'Bench ' || :n::text,
  email => 'Bench' || :n::text || '@Example.com',
  locations => '[{"label":"Home","address_line1":"12 Elm Street","city":"Springfield","state":"IL","postal_code":"62704"}]',
  tags => array['VIP', 'Commercial'], preferences => '{"do_not_call": true}');
