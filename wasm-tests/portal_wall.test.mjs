// What customers never see, looked for in everything that they can get: each row that is not for them, and each column,
// holds a word that no answer of the portal may contain.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";
import { newcomer, northwind, portal, sql, volt } from "./stack.mjs";

const CANARY = `canary-${randomUUID().slice(0, 8)}`;
const users = {};
const ids = {};

async function customer(org, name, secret) {
  const [{ id }] = await sql`insert into customers (org_id, type, name, status, notes, external_ref, owner, source)
    values (${org}, 'individual', ${name}, 'blacklisted', ${secret}, ${`${secret}-${randomUUID()}`}, ${secret}, ${secret}) returning id`;
  const [{ id: location }] = await sql`insert into customer_locations (org_id, customer_id, address_line1, city)
    values (${org}, ${id}, ${`1 ${name} Street`}, 'Springfield') returning id`;
  return { id, location };
}

/** A visit, papers, a thread, messages and a booking of a customer; what is not theirs to see says so. */
async function belongings(org, { id, location }, technician, visible, secret) {
  const [{ id: visit }] = await sql`insert into work_orders (org_id, customer_id, location_id, technician_id, title, status, window_start, window_end,
      customer_notes, internal_notes, service_type)
    values (${org}, ${id}, ${location}, ${technician}, ${visible}, 'completed', now() - interval '3 days', now() - interval '3 days' + interval '1 hour',
      ${visible}, ${secret}, 'repair') returning id`;
  const [{ id: interaction }] = await sql`insert into crm_interactions (org_id, customer_id, channel, subject, body)
    values (${org}, ${id}, 'note', ${secret}, ${secret}) returning id`;
  await sql`insert into crm_followups (org_id, customer_id, title, description, due_at) values (${org}, ${id}, ${secret}, ${secret}, now())`;
  await sql`insert into documents (org_id, customer_id, type, title, work_order_id, is_customer_visible)
    values (${org}, ${id}, 'report', ${secret}, ${visit}, false), (${org}, ${id}, 'manual', ${visible}, ${visit}, true)`;
  await sql`insert into invoices (org_id, customer_id, number, status, total, notes, work_order_id)
    values (${org}, ${id}, ${`${secret}-${randomUUID()}`}, 'draft', 1, ${secret}, ${visit}), (${org}, ${id}, ${randomUUID()}, 'sent', 2, null, ${visit})`;
  await sql`insert into quotes (org_id, customer_id, number, status, total, notes, work_order_id)
    values (${org}, ${id}, ${`${secret}-${randomUUID()}`}, 'draft', 1, ${secret}, ${visit})`;
  const [{ id: thread }] = await sql`insert into portal_threads (org_id, customer_id, subject) values (${org}, ${id}, ${visible}) returning id`;
  await sql`insert into portal_messages (org_id, customer_id, thread_id, sender_type, body, crm_interaction_id)
    values (${org}, ${id}, ${thread}, 'internal_user', ${visible}, ${interaction})`;
  return { visit, thread, interaction };
}

async function account(org, customer, role, status) {
  const user = await newcomer(`portal-${role}`);
  const profile = ["property_manager", "admin"].includes(role) ? "portal_manager" : "portal_customer";
  await sql`insert into profiles (id, org_id, role, full_name) values (${user.id}, ${org}, ${profile}, 'Somebody')`;
  const [{ id }] = await sql`insert into portal_accounts (org_id, user_id, customer_id, role, status)
    values (${org}, ${user.id}, ${customer.id}, ${role}, ${status}) returning id`;
  return Object.assign(user, { account: id });
}

before(async () => {
  const technician = await newcomer("technician");
  await sql`insert into profiles (id, org_id, role, full_name, email, phone)
    values (${technician.id}, ${northwind.id}, 'technician', 'Tess Turner', ${`${CANARY}@example.com`}, ${CANARY})`;
  const own = await customer(northwind.id, "Own", CANARY);
  const managed = await customer(northwind.id, "Managed", CANARY);
  const stranger = await customer(northwind.id, `Stranger ${CANARY}`, CANARY);
  const foreign = await customer(volt.id, `Foreign ${CANARY}`, CANARY);
  ids.own = { ...own, ...await belongings(northwind.id, own, technician.id, "Yours", CANARY) };
  ids.managed = { ...managed, ...await belongings(northwind.id, managed, technician.id, "Yours too", CANARY) };
  ids.stranger = { ...stranger, ...await belongings(northwind.id, stranger, null, CANARY, CANARY) };
  ids.foreign = { ...foreign, ...await belongings(volt.id, foreign, null, CANARY, CANARY) };
  // A second location of the managed customer, which the manager was not given.
  const [{ id: hidden }] = await sql`insert into customer_locations (org_id, customer_id, address_line1, city)
    values (${northwind.id}, ${managed.id}, ${CANARY}, 'Springfield') returning id`;
  await belongings(northwind.id, { id: managed.id, location: hidden }, null, CANARY, CANARY)
    .then(({ thread }) => sql`update portal_threads set location_id = ${hidden} where id = ${thread}`);
  const [{ id: tag }] = await sql`insert into crm_tags (org_id, name) values (${northwind.id}, ${CANARY}) returning id`;
  await sql`insert into crm_customer_tags (org_id, customer_id, tag_id) values (${northwind.id}, ${own.id}, ${tag})`;

  users.customer = await account(northwind.id, own, "customer", "active");
  users.manager = await account(northwind.id, own, "property_manager", "active");
  await sql`insert into portal_account_access (org_id, portal_account_id, customer_id, location_id)
    values (${northwind.id}, ${users.manager.account}, ${managed.id}, ${managed.location})`;
  users.billing = await account(northwind.id, own, "billing_contact", "active");
  users.suspended = await account(northwind.id, own, "customer", "suspended");
  users.invited = await account(northwind.id, own, "customer", "invited");
  users.closed = await account(northwind.id, own, "customer", "closed");
});

const LISTS = ["/dashboard", "/appointments", "/appointments?status=completed", "/service-history", "/threads", "/settings",
  "/documents", "/invoices", "/memberships", "/booking-requests", "/service-types", "/kb/articles", "/kb/search?q=heating"];
const details = ({ visit, thread }) => [`/appointments/${visit}`, `/appointments/${visit}/status`, `/jobs/${visit}`, `/threads/${thread}/messages`];

const nothing = (answer, what) => assert.ok(!JSON.stringify(answer.body).includes(CANARY), `${what}: ${JSON.stringify(answer.body)}`);

for (const who of ["customer", "manager", "billing"]) {
  test(`no answer to a ${who} holds what is not theirs to see`, async () => {
    const user = users[who];
    for (const path of [...LISTS, ...details(ids.own)]) {
      const answer = await portal(user, "GET", path);
      assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
      nothing(answer, path);
    }
    for (const path of [...details(ids.stranger), ...details(ids.foreign), ...(who === "manager" ? [] : details(ids.managed))]) {
      const answer = await portal(user, "GET", path);
      assert.equal(answer.status, 404, `${path}: ${JSON.stringify(answer.body)}`);
      nothing(answer, path);
    }
  });
}

test("a property manager sees the customers and locations that were given, and no other", async () => {
  for (const path of details(ids.managed).filter((one) => !one.includes("threads"))) {
    const answer = await portal(users.manager, "GET", path);
    assert.equal(answer.status, 200, path);
    nothing(answer, path);
  }
  const { body } = await portal(users.manager, "GET", "/service-history");
  assert.ok(JSON.stringify(body).includes("Yours too"));
});

for (const who of ["suspended", "invited", "closed"]) {
  test(`a ${who} account gets nothing at all`, async () => {
    for (const path of [...LISTS.filter((one) => !one.startsWith("/kb")), ...details(ids.own)]) {
      const answer = await portal(users[who], "GET", path);
      assert.equal(answer.status, 403, path);
      assert.equal(answer.body.code, "portal_account_inactive", path);
    }
    for (const [path, body] of [
      ["/threads", { subject: "x", initial_message: "x" }],
      [`/threads/${ids.own.thread}/messages`, { body: "x" }],
      ["/booking-requests", { location_id: ids.own.location, service_type: "repair", problem_description: "x" }],
    ]) {
      const answer = await portal(users[who], "POST", path, body);
      assert.equal(answer.status, 403, path);
    }
  });
}

test("nobody signed in is asked to sign in, before anything else", async () => {
  for (const path of [...LISTS.filter((one) => !one.startsWith("/kb")), ...details(ids.own)]) {
    assert.equal((await portal(null, "GET", path)).status, 401, path);
  }
});

test("writing to what is not theirs finds nothing", async () => {
  for (const { visit, thread, location } of [ids.stranger, ids.foreign]) {
    for (const [path, body] of [
      [`/threads/${thread}/messages`, { body: "x" }],
      [`/threads/${thread}/read`, {}],
      ["/threads", { subject: "x", initial_message: "x", related_work_order_id: visit }],
      [`/appointments/${visit}/cancel`, {}],
      [`/appointments/${visit}/reschedule`, { starts_at: new Date(Date.now() + 9e8).toISOString() }],
      ["/booking-requests", { location_id: location, service_type: "repair", problem_description: "x" }],
    ]) {
      const answer = await portal(users.customer, "POST", path, body);
      // What a body only refers to is an argument that is wrong.
      assert.ok(answer.status === 404 || (answer.status === 400 && answer.body.code === "invalid_argument"), `${path}: ${JSON.stringify(answer.body)}`);
      nothing(answer, path);
    }
  }
});

test("no table shows a customer what is not theirs", async () => {
  const tables = await sql`select c.relname as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v') and c.relname !~ '^gateway_test_'`;
  for (const who of Object.keys(users)) {
    for (const { name } of tables) {
      const { data } = await users[who].from(name).select();
      assert.ok(!JSON.stringify(data ?? []).includes(CANARY), `${who} reads ${name}`);
      if (["suspended", "invited", "closed"].includes(who) && name.startsWith("portal_")) assert.deepEqual(data ?? [], [], `${who} reads ${name}`);
    }
  }
});
