-- Who knocks: every role of both orgs, a member who was deactivated, a login without an org, the anonymous caller,
-- the service role. And rows for them to knock at where the demo data has none.

create temporary table wall_orgs (org_id uuid primary key, domain text, bare uuid, newcomer uuid);
insert into wall_orgs values
  ('11111111-1111-4111-8111-111111111111', 'northwind.example', gen_random_uuid(), gen_random_uuid()),
  ('22222222-2222-4222-8222-222222222222', 'volt.example', gen_random_uuid(), gen_random_uuid());

insert into auth.users (id, email)
select x.id, x.email from wall_orgs o, lateral (values
  (o.newcomer, 'newcomer@' || o.domain), (md5(o.domain || 'inactive')::uuid, 'inactive@' || o.domain)) as x (id, email);
insert into public.profiles (id, org_id, role, status, email)
select id, org_id, 'owner', 'inactive', email from wall_orgs join auth.users on email = 'inactive@' || domain;

insert into public.customers (id, org_id, type, name) select bare, org_id, 'company', 'Bare' from wall_orgs;
insert into public.org_invites (org_id, email, role, token_hash, expires_at)
select org_id, 'wall@' || domain, 'viewer', sha256(org_id::text::bytea), now() + interval '1 day' from wall_orgs;
insert into fieldcrm.idempotency_keys (org_id, user_id, key, operation, fingerprint)
select org_id, '00000000-0000-0000-0000-000000000000', 'wall', 'wall', 'wall' from wall_orgs;
insert into public.crm_automation_rules (org_id, name, trigger_type, event_type, actions)
select org_id, 'Wall', 'event', 'quote_sent', '[{"type": "tag_customer", "tag": "Wall"}]' from wall_orgs;
insert into public.crm_access_log (org_id, customer_id, operation) select org_id, bare, 'wall' from wall_orgs;
-- Work that a running stack would long have done; and of the notices, which are each their owner's, those of the csr.
insert into fieldcrm.event_queue (org_id, event_id, event_type) select org_id, bare, 'wall' from wall_orgs;
insert into fieldcrm.automation_enrollments (org_id, rule_id, customer_id, enrolled_at)
select o.org_id, (select r.id from public.crm_automation_rules r where r.org_id = o.org_id order by r.id limit 1), o.bare, now() from wall_orgs o;
insert into fieldcrm.sentiment_queue (org_id, interaction_id)
select distinct on (i.org_id) i.org_id, i.id from public.crm_interactions i join wall_orgs o using (org_id) order by i.org_id, i.id
on conflict (org_id, interaction_id) do nothing;
insert into fieldcrm.outbox_secrets (org_id, id, secret, to_address)
select distinct on (q.org_id) q.org_id, q.id, 'wall', 'wall@wall.example' from fieldcrm.outbox_queue q join wall_orgs o using (org_id);
-- A job of a segment that nobody scores.
insert into public.ai_jobs (id, org_id, kind, segment_id, segment_version, threshold, total)
select md5(o.domain || 'ai_job')::uuid, o.org_id, 'segment_score', s.id, s.version, 50, 1
from wall_orgs o join lateral (
  select x.id, x.version from public.crm_segments x where x.org_id = o.org_id and x.type = 'static' order by x.id limit 1) s on true;
insert into fieldcrm.ai_job_customers (org_id, job_id, customer_id) select org_id, md5(domain || 'ai_job')::uuid, bare from wall_orgs;
delete from public.crm_notifications;
insert into public.crm_notifications (org_id, user_id, customer_id, type, title)
select o.org_id, p.id, o.bare, 'wall', 'Wall' from wall_orgs o join public.profiles p on p.org_id = o.org_id and p.role = 'csr';
-- A portal account without preferences, with the id of the customer.
insert into public.portal_accounts (id, org_id, user_id, customer_id) select bare, org_id, md5(domain || 'inactive')::uuid, bare from wall_orgs;
insert into public.ai_settings (org_id) select org_id from wall_orgs;
insert into public.ai_usage (org_id, feature, provider, model, estimated_micros, cost_micros) select org_id, 'draft', 'wall', 'wall', 1, 1 from wall_orgs;
insert into fieldcrm.ai_spending (org_id, month, spent_micros) select org_id, '2020-01-01', 1 from wall_orgs;
insert into fieldcrm.portal_signups (user_id, org_id, full_name)
select md5('suspended@portal.' || domain)::uuid, org_id, 'Wall' from wall_orgs;

-- What owners of portal accounts would see of their own customer, of one that none of the callers has; first by its id.
insert into public.work_orders (id, org_id, customer_id, title)
select overlay(md5(domain || 'wall') placing '00000000' from 1)::uuid, org_id, bare, 'Wall' from wall_orgs;
insert into public.portal_threads (id, org_id, customer_id, subject)
select overlay(md5(domain || 'wall') placing '00000000' from 1)::uuid, org_id, bare, 'Wall' from wall_orgs;
insert into public.portal_messages (id, org_id, customer_id, thread_id, sender_type, body)
select overlay(md5(domain || 'wall') placing '00000000' from 1)::uuid, org_id, bare, overlay(md5(domain || 'wall') placing '00000000' from 1)::uuid,
  'system', 'Wall' from wall_orgs;

-- Of booking: a type of service that nobody can do; a request and a hold of that customer, first by their ids; a hold and a visit of
-- the customer whom portal_customer signs in for.
insert into public.service_types (id, org_id, code, name) select bare, org_id, 'wall_' || split_part(domain, '.', 1), 'Bare' from wall_orgs;
insert into public.customer_locations (id, org_id, customer_id, address_line1, city)
select md5(domain || 'booking')::uuid, org_id, bare, 'Wall', 'Wall' from wall_orgs;
insert into public.portal_booking_requests (id, org_id, portal_account_id, customer_id, location_id, service_type, problem_description)
select overlay(md5(domain || 'wall') placing '00000000' from 1)::uuid, org_id, bare, bare, md5(domain || 'booking')::uuid,
  'wall_' || split_part(domain, '.', 1), 'Wall' from wall_orgs;
delete from public.crm_notifications where type = 'portal_booking';
insert into public.portal_booking_holds (id, org_id, portal_account_id, customer_id, location_id, service_type_id, technician_id, starts_at, ends_at, expires_at)
select md5(o.domain || 'hold')::uuid, o.org_id, a.id, a.customer_id, a.primary_location_id,
  (select s.id from public.service_types s where s.org_id = o.org_id and s.code = 'repair'),
  (select p.id from public.profiles p where p.org_id = o.org_id and p.role = 'technician' order by p.id limit 1),
  date_trunc('day', now()) + interval '50 days', date_trunc('day', now()) + interval '50 days 1 hour', now() + interval '1 hour'
from wall_orgs o join public.portal_accounts a on a.org_id = o.org_id
join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain;
insert into public.work_orders (id, org_id, customer_id, location_id, service_type, title, window_start, window_end)
select overlay(md5(o.domain || 'booked') placing 'ffffffff' from 1)::uuid, o.org_id, a.customer_id, a.primary_location_id, 'repair', 'Wall',
  date_trunc('day', now()) + interval '51 days', date_trunc('day', now()) + interval '51 days 1 hour'
from wall_orgs o join public.portal_accounts a on a.org_id = o.org_id
join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain;

-- A question to the assistant of the customer whom portal_customer signs in for.
insert into public.portal_ai_conversations (id, org_id, portal_account_id, customer_id)
select md5(o.domain || 'ai')::uuid, o.org_id, a.id, a.customer_id
from wall_orgs o join public.portal_accounts a on a.org_id = o.org_id
join public.profiles p on p.org_id = a.org_id and p.id = a.user_id and p.email = 'portal_customer@' || o.domain;
insert into public.portal_ai_messages (id, org_id, conversation_id, role, content)
select md5(o.domain || 'ai')::uuid, o.org_id, md5(o.domain || 'ai')::uuid, 'user', 'Wall' from wall_orgs o;

-- A project that nobody is on yet.
insert into public.projects (id, org_id, client_id, name, created_by_user_id)
select md5(o.domain || 'project')::uuid, o.org_id, (select c.id from public.clients c where c.org_id = o.org_id order by c.id limit 1), 'Bare', null
from wall_orgs o;
delete from public.project_members m using wall_orgs o where m.project_id = md5(o.domain || 'project')::uuid;
insert into fieldcrm.form_submissions (org_id, channel_id, source, minute)
select c.org_id, c.id, 'wall', date_trunc('minute', now()) from public.org_channels c join wall_orgs o using (org_id) where c.channel = 'form';

insert into public.kb_articles (org_id, slug, title, body_markdown, is_published, is_public)
select org_id, 'wall', 'Wall', 'The valve behind the wall.', true, true from wall_orgs
union all select null, 'wall-for-all', 'Wall', 'The valve behind the wall.', true, true;
insert into public.kb_article_chunks (org_id, article_id, chunk_index, title, content, embedding)
select a.org_id, a.id, 0, a.title, a.body_markdown, ('[1' || repeat(',0', 383) || ']')::extensions.vector
from public.kb_articles a where a.slug in ('wall', 'wall-for-all');
insert into public.portal_settings (org_id, slug) select org_id, split_part(domain, '.', 1) from wall_orgs
on conflict (org_id) do update set slug = excluded.slug;

create temporary table wall_callers (caller text, org_id uuid, user_id uuid, db_role text, claims text, primary key (caller, org_id));
insert into wall_callers
select split_part(u.email, '@', 1), o.org_id, u.id, 'authenticated', jsonb_build_object('sub', u.id, 'role', 'authenticated')::text
from auth.users u join wall_orgs o on split_part(u.email, '@', 2) = o.domain
where split_part(u.email, '@', 1) in ('inactive', 'newcomer')
  or split_part(u.email, '@', 1) in (select unnest(roles) from wall_groups where name = 'everyone')
union all
-- They belong to no org; each row is foreign to the one, and the other is nobody's to give.
select v.caller, '11111111-1111-4111-8111-111111111111', null, v.caller, jsonb_build_object('role', v.caller)::text
from (values ('anon'), ('service_role')) as v (caller);

-- 'anon' and 'authenticated' keep their books here while they are who they are.
create function pg_temp.become(caller wall_callers) returns void language plpgsql as $$
begin
  perform set_config('request.jwt.claims', caller.claims, true);
  perform set_config('role', caller.db_role, true);
end $$;
