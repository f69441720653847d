\set n random(1, 24)
select public.crm_search_customers(page_size => 20, q => (array['smith', 'garcia', 'quackenbush', 'xiong', 'patricia', 'olga', 'gmail',
  'yahoo.com', 'mail1234.example', 'james.smith', 'mary.j', '212555', '+1415', '31255', '99887', 'maple', 'blackthorn', 'oak street',
  'chicago', 'winnemucca', 'plumbing', 'canterbury lane', 'zzzznothing', 'nguyen'])[:n]);
