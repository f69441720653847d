// Two orgs of their own for the load: staff and customers who sign in, a thousand customers, days full of free slots, doors for webhooks.
// Every text of an org has its word in it, so that an answer which tells of the other org shows it.
import { randomBytes, randomUUID } from "node:crypto";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

import { openDoor } from "../../../wasm-tests/hooks.mjs";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY } = process.env;
const PASSWORD = randomUUID();
const STAFF = ["owner", "manager", "csr", "sales", "dispatcher"];
const TECHNICIANS = 40;
const CUSTOMERS = 500;

/** Begins every key of this run: hexadecimal, since Twilio's ids are. */
export const mark = randomBytes(4).toString("hex");

async function addUsers(sql, org, roles) {
  return sql`
    with made as (
      insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token, recovery_token, email_change,
        email_change_token_new, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
      select gen_random_uuid(), 'authenticated', 'authenticated', r.role || r.n || '@' || ${org.word}::text || '.example',
        extensions.crypt(${PASSWORD}, extensions.gen_salt('bf', 4)), now(), '', '', '', '',
        '{"provider": "email", "providers": ["email"]}', '{}', now(), now()
      from unnest(${roles}::text[]) with ordinality r (role, n) returning id, email
    ), known as (
      insert into auth.identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at)
      select id, id, 'email', id::text, jsonb_build_object('sub', id, 'email', email, 'email_verified', true), now(), now() from made
    )
    insert into public.profiles (id, org_id, role, email, full_name)
    select id, ${org.id}, regexp_replace(split_part(email, '@', 1), '[0-9]+$', ''), email, email from made returning id, email, role`;
}

async function signIn({ email }) {
  const client = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, {
    auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws },
  });
  const { data, error } = await client.auth.signInWithPassword({ email, password: PASSWORD });
  if (error) throw error;
  return { client, token: data.session.access_token };
}

async function openOrg(sql, word, tenants) {
  const org = { id: randomUUID(), word, customers: [] };
  await sql`insert into orgs (id, name, time_zone, default_country) values (${org.id}, ${`${word} Heating`}, 'UTC', 'US')`;
  await sql`insert into portal_settings (org_id, auto_schedule, min_notice_minutes, slot_minutes, horizon_days) values (${org.id}, true, 0, 60, 60)`;
  const [service] = await sql`
    insert into service_types (org_id, code, name, duration_minutes) values (${org.id}, 'repair', ${`${word} repair`}, 60) returning id`;
  const staff = await addUsers(sql, org, STAFF);
  const technicians = await addUsers(sql, org, Array(TECHNICIANS).fill("technician"));
  await sql`
    insert into technician_skills (org_id, technician_id, service_type_id)
    select ${org.id}, t, ${service.id} from unnest(${technicians.map(({ id }) => id)}::uuid[]) t`;
  await sql`
    insert into technician_hours (org_id, technician_id, weekday, start_time, end_time)
    select ${org.id}, t, d, '06:00', '18:00' from unnest(${technicians.map(({ id }) => id)}::uuid[]) t, generate_series(1, 7) d`;
  const customers = await sql`
    insert into customers (org_id, type, name, email, status)
    select ${org.id}, 'individual', ${`${word} filler `} || n, n || ${`@${word}.example`}, 'active' from generate_series(1, ${CUSTOMERS}::integer) n
    returning id, email`;
  await sql`
    insert into customer_contacts (org_id, customer_id, type, value, is_primary)
    select org_id, id, 'email', email, true from customers where org_id = ${org.id}`;
  const locations = await sql`
    insert into customer_locations (org_id, customer_id, address_line1, city, is_primary)
    select org_id, id, '1 Elm Street', ${word}, true from customers where org_id = ${org.id} returning id, customer_id`;
  org.customers.push(...customers.map(({ id }) => id));
  const people = await addUsers(sql, org, Array(tenants).fill("portal_customer"));
  org.tenants = await Promise.all(people.map(async (person, index) => {
    const { id: location, customer_id } = locations[index];
    await sql`insert into portal_accounts (org_id, user_id, customer_id) values (${org.id}, ${person.id}, ${customer_id})`;
    const [thread] = await sql`
      insert into portal_threads (org_id, customer_id, subject) values (${org.id}, ${customer_id}, ${`${word} question`}) returning id`;
    return { ...(await signIn(person)), location, thread: thread.id };
  }));
  org.staff = await Promise.all(staff.filter(({ role }) => role !== "dispatcher").map(signIn));
  org.owner = org.staff[staff.findIndex(({ role }) => role === "owner")];
  const digits = () => String(Math.floor(1e9 + Math.random() * 9e9));
  org.doors = { whatsapp: digits(), sms: `+1415${digits().slice(0, 7)}`, email: `office@${word}.example`, form: `form_${word}_page` };
  for (const [channel, address] of Object.entries(org.doors)) {
    await openDoor(sql, org, channel, address, channel === "form" ? { settings: { max_per_minute: 100_000 } } : {});
  }
  const must = async (query) => {
    const { data, error } = await query;
    if (error) throw new Error(JSON.stringify(error));
    return data;
  };
  const definition = { version: 1, entity: "customer", query: { combinator: "and", rules: [{ field: "tags", operator: "containsAny", value: "Soak" }] } };
  org.segment = (await must(org.owner.client.rpc("crm_create_segment", { name: `${word} tagged`, type: "rule_based", definition }))).id;
  org.rule = (await must(org.owner.client.rpc("crm_create_automation_rule", {
    name: `${word} welcome`, trigger_type: "event", event_type: "customer_created",
    actions: [{ type: "create_followup", title: `${word} welcome`, due_in_minutes: 1440 }],
  }))).id;
  return org;
}

/** Two orgs, each with so many customers who use the portal. */
export async function openWorld(sql, tenants) {
  const orgs = [await openOrg(sql, `alder${mark}`, tenants), await openOrg(sql, `birch${mark}`, tenants)];
  [orgs[0].other, orgs[1].other] = [orgs[1], orgs[0]];
  return orgs;
}
