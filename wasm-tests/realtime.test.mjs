// What the publication supabase_realtime streams, as a logical replication client decodes it: the events
// that Supabase Realtime filters and passes on. It sees of an old row only the replica identity.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import postgres from "postgres";

const url = process.env.DATABASE_URL;
if (!url) throw new Error("DATABASE_URL is not set: run `cargo xtask test`, or source .local/stack.env");
const patience = 20_000;

const sql = postgres(url, { max: 2, onnotice() {} });
// Its own client: it keeps a connection for replication open until it is ended.
const listener = postgres(url, { max: 1, onnotice() {}, publications: "supabase_realtime" });
const org = randomUUID();
const events = [];
const waiting = new Set();
let subscription;

/** The first event that fits, when it comes; what does not come in time fails. */
function event(command, table, fits) {
  const find = () => events.find((one) => one.command === command && one.table === table && fits(one));
  return new Promise((resolve, reject) => {
    const check = () => {
      const found = find();
      if (!found) return;
      clearTimeout(timer);
      waiting.delete(check);
      resolve(found);
    };
    const timer = setTimeout(() => {
      waiting.delete(check);
      const seen = events.map((one) => `${one.command} ${one.table}`).join(", ");
      reject(new Error(`no ${command} of ${table} within ${patience / 1000} s; seen: ${seen || "nothing"}`));
    }, patience);
    waiting.add(check);
    check();
  });
}

before(async () => {
  await new Promise((resolve, reject) => {
    listener.subscribe("*", (row, { command, relation, old }) => {
      events.push({ command, table: relation.table, row, old });
      for (const check of waiting) check();
    }, resolve, reject).then((made) => { subscription = made; }, reject);
  });
  await sql`insert into orgs (id, name) values (${org}, 'Realtime')`;
});

after(async () => {
  await sql`delete from customers where org_id = ${org}`;
  await sql`delete from products where org_id = ${org}`;
  await sql`delete from orgs where id = ${org}`;
  await subscription?.unsubscribe();
  await Promise.all([listener.end({ timeout: 5 }), sql.end({ timeout: 5 })]);
});

async function customer() {
  const [{ id }] = await sql`insert into customers (org_id, type, name) values (${org}, 'company', 'Streamed') returning id`;
  return id;
}

const of = (id) => ({ row, old }) => (row ?? old).id === id;
const keyOf = (old, ...columns) => Object.fromEntries(columns.map((column) => [column, old[column]]));

test("a customer is seen when it comes, when it is archived, with the old is_archived, and when it goes", async () => {
  const id = await customer();
  const made = await event("insert", "customers", of(id));
  assert.deepEqual(keyOf(made.row, "org_id", "name", "is_archived"), { org_id: org, name: "Streamed", is_archived: false });

  await sql`update customers set is_archived = true where id = ${id}`;
  const archived = await event("update", "customers", (one) => of(id)(one) && one.row.is_archived === true);
  assert.deepEqual(keyOf(archived.old, "id", "org_id", "is_archived"), { id, org_id: org, is_archived: false });

  await sql`update customers set notes = 'changed' where id = ${id}`;
  const changed = await event("update", "customers", (one) => of(id)(one) && one.row.notes === "changed");
  assert.equal(changed.row.is_archived, true, "a filter on is_archived finds it in the new row");

  await sql`delete from customers where id = ${id}`;
  const gone = await event("delete", "customers", ({ row, old }) => (old ?? row).id === id);
  assert.deepEqual(keyOf(gone.old ?? gone.row, "id", "org_id", "is_archived"), { id, org_id: org, is_archived: true });
});

test("the old row carries nothing but what is filtered by", async () => {
  const id = await customer();
  await sql`update customers set notes = 'a secret' where id = ${id}`;
  await sql`delete from customers where id = ${id}`;
  const gone = await event("delete", "customers", ({ row, old }) => (old ?? row).id === id);
  const filled = Object.entries(gone.old ?? gone.row).filter(([, value]) => value !== null && value !== undefined);
  assert.deepEqual(filled.map(([name]) => name).sort(), ["id", "is_archived", "org_id"]);
});

test("a product is seen with the old is_active", async () => {
  const [{ id }] = await sql`insert into products (org_id, name) values (${org}, 'Streamed') returning id`;
  await event("insert", "products", of(id));
  await sql`update products set is_active = false where id = ${id}`;
  const off = await event("update", "products", (one) => of(id)(one) && one.row.is_active === false);
  assert.deepEqual(keyOf(off.old, "id", "org_id", "is_active"), { id, org_id: org, is_active: true });
  await sql`delete from products where id = ${id}`;
  const gone = await event("delete", "products", ({ row, old }) => (old ?? row).id === id);
  assert.equal((gone.old ?? gone.row).org_id, org);
});

const children = {
  crm_interactions: {
    insert: (customer_id) => sql`insert into crm_interactions (customer_id, channel, body) values (${customer_id}, 'note', 'x') returning id`,
    update: (id) => sql`update crm_interactions set sentiment = 'positive' where id = ${id}`,
    changed: (row) => row.sentiment === "positive",
  },
  crm_followups: {
    insert: (customer_id) => sql`insert into crm_followups (customer_id, title, due_at) values (${customer_id}, 'x', now()) returning id`,
    update: (id) => sql`update crm_followups set status = 'completed' where id = ${id}`,
    changed: (row) => row.status === "completed" && row.completed_at !== null,
  },
  work_orders: {
    insert: (customer_id) => sql`insert into work_orders (customer_id, title) values (${customer_id}, 'x') returning id`,
    update: (id) => sql`update work_orders set status = 'en_route' where id = ${id}`,
    changed: (row) => row.status === "en_route",
  },
  portal_threads: {
    insert: (customer_id) => sql`insert into portal_threads (org_id, customer_id, subject) values (${org}, ${customer_id}, 'x') returning id`,
    update: (id) => sql`update portal_threads set status = 'closed' where id = ${id}`,
    changed: (row) => row.status === "closed",
  },
  portal_messages: {
    insert: (customer_id) => sql`
      with thread as (insert into portal_threads (org_id, customer_id, subject) values (${org}, ${customer_id}, 'x') returning *)
      insert into portal_messages (org_id, customer_id, thread_id, sender_type, body) select org_id, customer_id, id, 'system', 'x' from thread returning id`,
    update: (id) => sql`update portal_messages set read_at = now() where id = ${id}`,
    changed: (row) => row.read_at !== null,
  },
};

for (const [table, { insert, update, changed }] of Object.entries(children)) {
  test(`${table}: inserts, updates and deletes can be filtered by customer_id and org_id`, async () => {
    const customer_id = await customer();
    const [{ id }] = await insert(customer_id);
    const made = await event("insert", table, of(id));
    assert.deepEqual(keyOf(made.row, "org_id", "customer_id"), { org_id: org, customer_id });
    await update(id);
    const updated = await event("update", table, (one) => of(id)(one) && changed(one.row));
    assert.equal(updated.row.customer_id, customer_id);
    await sql`delete from ${sql(table)} where id = ${id}`;
    const gone = await event("delete", table, ({ row, old }) => (old ?? row).id === id);
    assert.deepEqual(keyOf(gone.old ?? gone.row, "id", "org_id", "customer_id"), { id, org_id: org, customer_id });
  });

  test(`${table}: what goes with its customer is told with the customer_id`, async () => {
    const customer_id = await customer();
    const [{ id }] = await insert(customer_id);
    await sql`delete from customers where id = ${customer_id}`;
    const gone = await event("delete", table, ({ row, old }) => (old ?? row).id === id);
    assert.deepEqual(keyOf(gone.old ?? gone.row, "id", "org_id", "customer_id"), { id, org_id: org, customer_id });
  });
}

test("a lead is seen by its project, and what is said with it by the lead, also how far it came and when it goes", async () => {
  const [client] = await sql`insert into clients (org_id, name) values (${org}, 'Streamed') returning id`;
  const [project] = await sql`insert into projects (org_id, client_id, name) values (${org}, ${client.id}, 'Streamed') returning id`;
  const [lead] = await sql`insert into leads (org_id, client_id, project_id, first_name) values (${org}, ${client.id}, ${project.id}, 'Ada') returning id`;
  const made = await event("insert", "leads", of(lead.id));
  assert.deepEqual(keyOf(made.row, "org_id", "project_id", "status"), { org_id: org, project_id: project.id, status: "new" });
  await sql`update leads set status = 'contacted' where id = ${lead.id}`;
  const changed = await event("update", "leads", (one) => of(lead.id)(one) && one.row.status === "contacted");
  assert.equal(changed.row.project_id, project.id);
  const [message] = await sql`
    insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction)
    values (${org}, ${client.id}, ${lead.id}, 'user', 'Hi', 'sms', 'outbound') returning id`;
  const said = await event("insert", "messages", of(message.id));
  assert.deepEqual(keyOf(said.row, "org_id", "lead_id", "content", "status"), { org_id: org, lead_id: lead.id, content: "Hi", status: "sent" });
  await sql`update messages set status = 'read' where id = ${message.id}`;
  await event("update", "messages", (one) => of(message.id)(one) && one.row.status === "read" && one.row.lead_id === lead.id);
  await sql`delete from clients where id = ${client.id}`;
  const filled = ({ row, old }) => Object.fromEntries(Object.entries(old ?? row).filter(([, value]) => value !== null && value !== undefined));
  const gone = (id) => ({ row, old }) => (old ?? row).id === id;
  assert.deepEqual(filled(await event("delete", "leads", gone(lead.id))), { id: lead.id, org_id: org, project_id: project.id });
  assert.deepEqual(filled(await event("delete", "messages", gone(message.id))), { id: message.id, org_id: org, lead_id: lead.id });
});

test("what customers may see of a visit is seen when it is made, on its way, and gone, and nothing when only our notes change", async () => {
  const customer_id = await customer();
  const [{ id }] = await sql`insert into work_orders (org_id, customer_id, title) values (${org}, ${customer_id}, 'x') returning id`;
  const ofVisit = ({ row, old }) => (row ?? old).work_order_id === id;
  const made = await event("insert", "portal_appointments", ofVisit);
  assert.deepEqual(keyOf(made.row, "org_id", "customer_id", "status"), { org_id: org, customer_id, status: "scheduled" });
  await sql`update work_orders set internal_notes = 'ours' where id = ${id}`;
  await sql`update work_orders set status = 'en_route', eta = now() + interval '20 minutes' where id = ${id}`;
  const moved = await event("update", "portal_appointments", ofVisit);
  assert.deepEqual([moved.row.status, moved.row.eta !== null, "internal_notes" in moved.row], ["en_route", true, false]);
  await sql`delete from work_orders where id = ${id}`;
  const gone = await event("delete", "portal_appointments", ({ row, old }) => (old ?? row).work_order_id === id);
  assert.deepEqual(keyOf(gone.old ?? gone.row, "org_id", "customer_id", "work_order_id"), { org_id: org, customer_id, work_order_id: id });
});

test("nothing else is streamed: what a client may not read does not leave the database", async () => {
  const published = await sql`select tablename from pg_publication_tables where pubname = 'supabase_realtime' order by 1`;
  assert.deepEqual(published.map(({ tablename }) => tablename), ["crm_followups", "crm_interactions", "customers", "leads", "messages",
    "portal_appointments", "portal_booking_requests", "portal_messages", "portal_threads", "products", "work_orders"]);
});
