// A customer of the demo org in the portal: visits, papers and threads, over supabase-js and over HTTP.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";

import { as, call, northwind, portal, refused, service, sql, unique, url, volt } from "./stack.mjs";

const files = service.storage.from("attachments");
const uploaded = [];
after(async () => {
  if (uploaded.length > 0) await files.remove(uploaded);
});

/** The demo's customer of the portal, and what the office knows of them. */
async function owner() {
  const user = await as("portal_customer");
  const [account] = await sql`
    select a.id, a.customer_id, c.primary_location_id from portal_accounts a join customers c on c.id = a.customer_id where a.user_id = ${user.id}`;
  return { user, account };
}

async function visit(customer_id, status = "scheduled") {
  const [{ id }] = await sql`
    insert into work_orders (org_id, customer_id, title, service_type, status, window_start, window_end, customer_notes, internal_notes)
    values (${northwind.id}, ${customer_id}, ${unique("Look at it")}, 'repair', ${status}, now() + interval '3 days', now() + interval '3 days 2 hours',
      'Shut the valve.', 'canary-internal') returning id`;
  return id;
}

test("a visit is seen at both doors, with what may still be changed", async () => {
  const { user, account } = await owner();
  const id = await visit(account.customer_id);
  const shown = await call(user, "portal_get_appointment", { id });
  assert.deepEqual([shown.status, shown.may_cancel.allowed, shown.events[0].type], ["scheduled", true, "created"]);
  const { status, body } = await portal(user, "GET", `/appointments/${id}`);
  assert.deepEqual([status, body.title, body.events], [200, shown.title, shown.events]);
  const list = await portal(user, "GET", "/appointments?limit=100&status=scheduled");
  assert.ok(list.body.items.some((one) => one.id === id));
  assert.ok(!JSON.stringify([shown, body, list.body]).includes("canary"));

  await call(await as("csr"), "crm_set_work_order_status", { id, status: "en_route", eta: "2030-01-01T10:00:00Z" });
  const polled = await portal(user, "GET", `/appointments/${id}/status`);
  assert.deepEqual([polled.status, polled.body.status, Date.parse(polled.body.eta)], [200, "en_route", Date.parse("2030-01-01T10:00:00Z")]);
  const other = await as("portal_customer", volt);
  assert.equal((await portal(other, "GET", `/appointments/${id}`)).status, 404);
  assert.equal((await refused(other, "portal_get_job", { id })).status, 404);
});

test("supabase-js reads the mirror of its own visits and nothing behind it", async () => {
  const { user, account } = await owner();
  const id = await visit(account.customer_id);
  const { data, error } = await user.from("portal_appointments").select("*").eq("work_order_id", id);
  assert.equal(error, null);
  assert.deepEqual([data.length, data[0].status, "internal_notes" in data[0]], [1, "scheduled", false]);
  const all = await user.from("portal_appointments").select("customer_id");
  assert.deepEqual([...new Set(all.data.map((one) => one.customer_id))], [account.customer_id]);
  for (const table of ["work_orders", "work_order_events", "documents", "invoices", "customers", "crm_interactions", "warranties"]) {
    const { data, error } = await user.from(table).select("*").limit(1);
    assert.deepEqual(data ?? [], [], `${table}: ${error?.message}`);
  }
});

test("a document is handed out by a URL that works, for who may see it, and that is written down", async () => {
  const { user, account } = await owner();
  const content = `report ${randomUUID()}`;
  const path = `${northwind.id}/${account.customer_id}/${randomUUID()} a b.txt`;
  const put = await files.upload(path, content, { contentType: "text/plain" });
  assert.equal(put.error, null);
  uploaded.push(path);
  const [{ id }] = await sql`
    with file as (
      insert into attachments (org_id, customer_id, object_name, file_name, content_type)
      values (${northwind.id}, ${account.customer_id}, ${path}, 'Report.txt', 'text/plain') returning id
    )
    insert into documents (org_id, customer_id, type, title, attachment_id, is_customer_visible)
    select ${northwind.id}, ${account.customer_id}, 'report', 'Report', id, true from file returning id`;
  const { status, body } = await portal(user, "GET", `/documents/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.file_name, body.content_type, "object_name" in body], ["Report.txt", "text/plain", false]);
  assert.ok(Date.parse(body.expires_at) > Date.now() && Date.parse(body.expires_at) <= Date.now() + 301_000);
  assert.ok(body.url.startsWith(url), body.url);
  const read = await fetch(body.url);
  assert.deepEqual([read.status, await read.text()], [200, content]);
  const [{ count }] = await sql`
    select count(*)::int from portal_audit_events where portal_account_id = ${account.id} and event_type = 'document_viewed' and event_payload ->> 'document_id' = ${id}`;
  assert.equal(count, 1);
  assert.equal((await portal(await as("portal_customer", volt), "GET", `/documents/${id}`)).status, 404);
  // Not by the door of Storage.
  assert.ok((await user.storage.from("attachments").download(path)).error);
});

test("a thread goes to and fro, over HTTP and supabase-js, and is among the interactions", async () => {
  const { user, account } = await owner();
  const csr = await as("csr");
  const subject = unique("Boiler");
  const made = await portal(user, "POST", "/threads", { subject, initial_message: "It leaks." });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.headers.get("location"), `/portal/threads/${made.body.id}/messages`);
  const thread_id = made.body.id;
  const reply = await call(csr, "crm_reply_to_portal_thread", { thread_id, body: "We come." });
  assert.equal(reply.status, "pending_customer");
  const list = await portal(user, "GET", "/threads?status=pending_customer&limit=100");
  const listed = list.body.items.find((one) => one.id === thread_id);
  assert.deepEqual([listed.unread_count, listed.last_message.excerpt], [1, "We come."]);
  const page = await portal(user, "GET", `/threads/${thread_id}/messages?limit=1`);
  assert.deepEqual([page.body.items[0].body, page.body.items[0].sender.type], ["We come.", "internal_user"]);
  const rest = await portal(user, "GET", `/threads/${thread_id}/messages?cursor=${page.body.next_cursor}`);
  assert.deepEqual(rest.body.items.map((one) => one.body), ["It leaks."]);
  assert.deepEqual((await portal(user, "POST", `/threads/${thread_id}/read`)).body, { read: 1 });
  const sent = await portal(user, "POST", `/threads/${thread_id}/messages`, { body: "Thank you!" });
  assert.deepEqual([sent.status, sent.body.status], [201, "pending_internal"]);

  const { data } = await user.from("portal_messages").select("body,read_at").eq("thread_id", thread_id).order("sent_at");
  assert.deepEqual(data.map((one) => one.body), ["It leaks.", "We come.", "Thank you!"]);
  assert.ok((await user.from("portal_messages").select("sentiment")).error, "how it is meant is not theirs to read");
  assert.ok((await user.from("portal_messages").insert({ thread_id, body: "x" })).error, "written by the RPCs only");
  const copies = await sql`
    select direction, body from crm_interactions where customer_id = ${account.customer_id} and subject = ${subject} order by occurred_at`;
  assert.deepEqual(copies.map((one) => [one.direction, one.body]), [["inbound", "It leaks."], ["outbound", "We come."], ["inbound", "Thank you!"]]);
});

test("the same key again is the same message, at the same moment too", async () => {
  const { user } = await owner();
  const key = { "idempotency-key": randomUUID() };
  const body = { subject: unique("Twice"), initial_message: "Once." };
  const answers = await Promise.all(Array.from({ length: 6 }, () => portal(user, "POST", "/threads", body, key)));
  assert.deepEqual([...new Set(answers.map((one) => `${one.status} ${one.body.id}`))].length, 1, JSON.stringify(answers.map((one) => one.body)));
  const [{ count }] = await sql`select count(*)::int from crm_interactions where subject = ${body.subject}`;
  assert.equal(count, 1);
  const other = await portal(user, "POST", "/threads", { ...body, initial_message: "Twice." }, key);
  assert.deepEqual([other.status, other.body.code], [409, "idempotency_key_reused"]);
});

test("what a customer uploads to their folder goes with a message, and nothing else does", async () => {
  const { user, account } = await owner();
  const path = `${northwind.id}/portal/${account.id}/${randomUUID()}.txt`;
  const put = await user.storage.from("attachments").upload(path, "a picture", { contentType: "text/plain" });
  assert.equal(put.error, null);
  uploaded.push(path);
  const attachments = [{ object_name: path, file_name: "leak.txt" }];
  const sent = await portal(user, "POST", "/threads", { subject: unique("Picture"), attachments });
  assert.deepEqual([sent.status, sent.body.message?.attachments[0].file_name], [201, "leak.txt"]);
  const shown = await portal(user, "GET", `/messages/${sent.body.message.id}/files/0`);
  assert.equal(shown.status, 200, JSON.stringify(shown.body));
  assert.equal(await (await fetch(shown.body.url)).text(), "a picture");
  const foreign = [{ object_name: `${northwind.id}/${account.customer_id}/manual.pdf`, file_name: "x" }];
  const refusal = await portal(user, "POST", "/threads", { subject: "x", attachments: foreign });
  assert.deepEqual([refusal.status, refusal.body.errors[0].path], [400, "attachments[0].object_name"]);
});

test("what becomes of a visit is told by the outbox, once", async () => {
  const { account } = await owner();
  await call(service, "crm_send_portal_notices");
  const id = await visit(account.customer_id);
  await sql`update work_orders set window_end = window_end + interval '1 hour' where id = ${id}`;
  const told = () => sql`
    select channel, subject, status, dedupe_key from crm_outbox where customer_id = ${account.customer_id} and dedupe_key like 'portal_notice:%' and created_at > now() - interval '1 minute'`;
  const before = (await told()).length;
  await call(service, "crm_send_portal_notices");
  const after = await told();
  assert.ok(after.length > before && after.length <= before + 2, JSON.stringify(after));
  await call(service, "crm_send_portal_notices");
  assert.equal((await told()).length, after.length);
  const notices = await sql`select from fieldcrm.portal_notices where subject_id = ${id}`;
  assert.equal(notices.length, 0);
});
