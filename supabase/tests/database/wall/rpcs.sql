-- Who may call which RPC, and what they get: the one list. Who is not listed is refused (401, 403).
-- {name} stands for the id of a row of the caller's org. With the id of another org's row the answer must be 404, the
-- same as for an id that nobody has; {?name} is a reference inside a payload, which may also be a 400; {*name} is one of a
-- list or a filter, which finds nothing.

insert into wall_groups values
  ('newcomers', '{newcomer}'),
  ('members', '{owner,admin,manager,csr,sales,dispatcher,member,viewer,technician,client_admin,portal_customer,portal_manager,inactive}'),
  ('signed_in', '{owner,admin,manager,csr,sales,dispatcher,member,viewer,technician,client_admin,portal_customer,portal_manager,inactive,newcomer}'),
  ('creators', '{owner,admin,manager,csr,sales,member}'),
  ('performers', '{owner,admin,manager,technician}'),
  ('technicians', '{technician}'),
  ('visitors', '{owner,admin,manager,csr,dispatcher,technician}');

create temporary table wall_rpcs (call text, who text references wall_groups, service boolean, state text);
insert into wall_rpcs values
  ('crm_session()', 'signed_in', true, '00000'),
  ('crm_create_org(name => ''Fresh'')', 'newcomers', false, '00000'),
  ('crm_create_org(name => ''Fresh'')', 'members', false, 'PT409'),
  ('crm_accept_invite(token => ''unknown'')', 'signed_in', false, 'PT404'),
  ('crm_invite_member(email => ''fresh@example.com'', role => ''viewer'')', 'admins', true, '00000'),
  ('crm_set_member_role(user_id => {member}, role => ''csr'')', 'admins', true, '00000'),
  ('crm_deactivate_member(user_id => {member})', 'admins', true, '00000'),
  ('crm_create_customer(type => ''company'', name => ''Fresh'')', 'creators', true, '00000'),
  ('crm_create_customer(type => ''company'', name => ''Fresh'', owner_id => {?member})', 'writers', true, '00000'),
  ('crm_create_customer(type => ''company'', name => ''Fresh'', product_id => {?product})', 'creators', true, '00000'),
  ('crm_get_customer(id => {customer})', 'staff', true, '00000'),
  ('crm_update_customer(id => {customer}, patch => ''{"notes": "x"}'')', 'writers', true, '00000'),
  ('crm_update_customer(id => {customer}, patch => jsonb_build_object(''owner_id'', {?member}))', 'managers', true, '00000'),
  ('crm_update_customer(id => {customer}, patch => jsonb_build_object(''product_id'', {?product}))', 'writers', true, '00000'),
  ('crm_update_customer(id => {customer}, patch => jsonb_build_object(''contacts'', jsonb_build_array(jsonb_build_object(''id'', {?contact}, ''notes'', ''x''))))', 'writers', true, '00000'),
  ('crm_update_customer(id => {customer}, patch => jsonb_build_object(''locations'', jsonb_build_array(jsonb_build_object(''id'', {?location}, ''label'', ''x''))))', 'writers', true, '00000'),

  -- From here on: on their way, written down before they were there. A name or a right that came out differently is
  -- changed here, in this one place.
  ('crm_log_interaction(customer_id => {customer}, channel => ''note'')', 'loggers', true, '00000'),
  ('crm_log_interaction(customer_id => {customer}, channel => ''note'', location_id => {?location})', 'loggers', true, '00000'),
  ('crm_log_interaction(customer_id => {customer}, channel => ''note'', related_work_order_id => {?work_order})', 'loggers', true, '00000'),
  ('crm_log_interaction(customer_id => {customer}, channel => ''note'', related_quote_id => {?quote})', 'loggers', true, '00000'),
  ('crm_customer_timeline(customer_id => {customer})', 'staff', true, '00000'),
  ('crm_create_followup(customer_id => {customer}, title => ''x'', due_at => now() + interval ''1 day'')', 'loggers', true, '00000'),
  ('crm_create_followup(customer_id => {customer}, title => ''x'', due_at => now() + interval ''1 day'', assigned_to_user_id => {?member})', 'loggers', true, '00000'),
  ('crm_create_followup(customer_id => {customer}, title => ''x'', due_at => now() + interval ''1 day'', related_interaction_id => {?interaction})', 'loggers', true, '00000'),
  ('crm_create_followup(customer_id => {customer}, title => ''x'', due_at => now() + interval ''1 day'', related_work_order_id => {?work_order})', 'loggers', true, '00000'),
  ('crm_update_followup(id => {followup}, patch => ''{"title": "x"}'')', 'loggers', true, '00000'),
  ('crm_update_followup(id => {followup}, patch => jsonb_build_object(''assigned_to_user_id'', {?member}))', 'loggers', true, '00000'),
  ('crm_expire_followups()', '-', true, '00000'),
  ('crm_search_customers(q => ''a'')', 'staff', true, '00000'),
  ('crm_search_customers(owner_id => {*member})', 'staff', true, '00000'),
  ('crm_search_customers(product_id => {*product})', 'staff', true, '00000'),
  ('crm_search_customers(segment_id => {*segment})', 'staff', true, '00000'),
  ('crm_archive_customer(id => {customer})', 'writers', true, '00000'),
  ('crm_restore_customer(id => {customer})', 'writers', true, '00000'),
  ('crm_delete_customer(id => {customer})', 'admins', true, '00000'),
  ('crm_bulk_tag(customer_ids => array[{*customer}]::uuid[], add => array[''VIP''])', 'creators', true, '00000'),
  ('crm_merge_customers(id => {customer}, duplicate_id => {other})', 'writers', true, '00000'),
  ('crm_import_customers(rows => ''[{"type": "company", "name": "Fresh"}]'')', 'writers', true, '00000'),
  ('crm_export_customer(id => {customer})', 'managers', true, '00000'),
  ('crm_erase_customer(id => {customer})', 'admins', true, '00000'),
  ('crm_set_work_order_status(id => {work_order}, status => ''en_route'')', 'visitors', true, '00000'),
  ('crm_my_visits()', 'performers', true, '00000'),
  ('crm_get_visit(id => {work_order})', 'technicians', false, '00000'),
  -- Their own visits only, and this one is the technician's.
  ('crm_get_visit(id => {work_order})', 'managers', true, 'PT404'),
  ('crm_render_template(template_id => {template}, customer_id => {customer})', 'staff', true, '00000'),
  ('crm_validate_template(channel => ''email'', body => ''Dear {{customer.first_name}}'')', 'staff', true, '00000');
