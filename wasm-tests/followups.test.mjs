import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { anonymous, as, call, capabilities, crm, northwind, refused, service, sql, unique, volt } from "./stack.mjs";

const customer = async (user) => (await call(user, "crm_create_customer", { type: "company", name: unique("Come back") })).id;
const due = (customer_id, more = {}) => ({ customer_id, title: "Call back", due_at: "2027-01-05T15:00:00Z", ...more });

function assertCreated(followup, given, user) {
  assert.deepEqual([followup.created, followup.org_id, followup.customer_id], [true, northwind.id, given.customer_id]);
  assert.deepEqual([followup.title, followup.description, followup.priority], [given.title, given.description, given.priority]);
  assert.deepEqual([followup.status, followup.origin, followup.completed_at], ["pending", "manual", null]);
  assert.deepEqual([followup.assigned_to_user_id, followup.created_by_user_id], [user.id, user.id]);
  assert.equal(Date.parse(followup.due_at), Date.parse(given.due_at));
}

test("supabase.rpc creates a follow-up for the caller", async () => {
  const user = await as("csr");
  const given = due(await customer(user), { description: "About the pump", priority: "high" });
  assertCreated(await call(user, "crm_create_followup", given), given, user);
});

test("POST /crm/followups creates the same, and its location shows it", async () => {
  const user = await as("csr");
  const given = due(await customer(user), { description: "About the pump", priority: "high" });
  const { status, headers, body } = await crm(user, "POST", "/followups", given);
  assert.equal(status, 201, JSON.stringify(body));
  assertCreated(body, given, user);
  assert.equal(headers.get("location"), `/crm/followups/${body.id}`);
  const shown = await crm(user, "GET", `/followups/${body.id}`);
  const { created, ...row } = body;
  assert.ok(created);
  assert.deepEqual([shown.status, shown.body], [200, row]);
});

test("a DBA creates a follow-up after choosing the org", async () => {
  const id = await customer(await as("csr"));
  const followup = await sql.begin(async (tx) => {
    await tx.unsafe(`set local app.current_org_id = '${northwind.id}'`);
    const [{ followup }] = await tx`
      select crm_create_followup(customer_id => ${id}, title => 'By hand', due_at => now() + interval '2 days') as followup`;
    return followup;
  });
  assert.deepEqual([followup.created, followup.assigned_to_user_id, followup.customer_id], [true, null, id]);
});

for (const [role, may] of Object.entries(capabilities)) {
  const writes = may.includes("followups.write");
  test(`${role} may ${writes ? "" : "not "}write every follow-up of the org, at either door`, async () => {
    const user = await as(role);
    const id = await customer(await as("csr"));
    const there = await call(await as("csr"), "crm_create_followup", due(id));
    const overRpc = await user.rpc("crm_create_followup", due(id));
    assert.equal(overRpc.error === null, writes, JSON.stringify(overRpc.error));
    assert.equal((await crm(user, "POST", "/followups", due(id))).status, writes ? 201 : 403);
    assert.equal((await crm(user, "PATCH", `/followups/${there.id}`, { status: "completed" })).status, writes ? 200 : 403);
    const list = await crm(user, "GET", `/followups?customer_id=${id}`);
    const sees = may.includes("customers.read");
    assert.deepEqual([list.status, list.body.data.length], [200, sees ? (writes ? 3 : 1) : 0]);
  });
}

test("a member writes for their own customers, and what they are assigned", async () => {
  const member = await as("member");
  await call(member, "crm_create_followup", due(await customer(member)));
  const csr = await as("csr");
  const assigned = await call(csr, "crm_create_followup", due(await customer(csr), { assigned_to_user_id: member.id }));
  assert.equal((await crm(member, "PATCH", `/followups/${assigned.id}`, { status: "completed" })).status, 200);
});

test("nobody without a sign-in gets anywhere", async () => {
  const id = await customer(await as("csr"));
  assert.equal((await anonymous().rpc("crm_create_followup", due(id))).status, 401);
  assert.equal((await crm(null, "POST", "/followups", due(id))).status, 401);
});

test("another org finds nothing, and assigns nobody of ours", async () => {
  const csr = await as("csr");
  const id = await customer(csr);
  const followup = await call(csr, "crm_create_followup", due(id));
  const stranger = await as("owner", volt);
  assert.equal((await crm(stranger, "GET", `/followups/${followup.id}`)).status, 404);
  assert.equal((await crm(stranger, "PATCH", `/followups/${followup.id}`, { title: "Taken" })).status, 404);
  assert.equal((await refused(stranger, "crm_create_followup", due(id))).status, 404);
  const theirs = await customer(stranger);
  const smuggled = await refused(stranger, "crm_create_followup", due(theirs, { assigned_to_user_id: csr.id }));
  assert.deepEqual(smuggled.details.errors.map((one) => [one.path, one.code]), [["assigned_to_user_id", "unknown_assignee"]]);
  for (const role of Object.keys(capabilities)) {
    const { data, error } = await (await as(role, volt)).from("crm_followups").select("org_id");
    assert.equal(error, null);
    assert.ok(data.every((row) => row.org_id === volt.id), role);
  }
});

test("a dedupe key makes one follow-up, also at the same time and at both doors", async () => {
  const user = await as("csr");
  const given = due(await customer(user), { dedupe_key: `renewal-${randomUUID()}` });
  const results = await Promise.all(Array.from({ length: 10 }, async (_, index) => {
    if (index % 2) return call(user, "crm_create_followup", given);
    const { status, body } = await crm(user, "POST", "/followups", given);
    assert.equal(status, body.created ? 201 : 200, JSON.stringify(body));
    return body;
  }));
  assert.equal(new Set(results.map((one) => one.id)).size, 1);
  assert.equal(results.filter((one) => one.created).length, 1);
});

test("it is completed, opened again and canceled in either spelling", async () => {
  const user = await as("csr");
  const { id } = await call(user, "crm_create_followup", due(await customer(user)));
  const patch = async (body) => crm(user, "PATCH", `/followups/${id}`, body);
  const done = await patch({ status: "completed", completion_notes: "Sold" });
  assert.deepEqual([done.status, done.body.status, done.body.completion_notes], [200, "completed", "Sold"]);
  assert.ok(done.body.completed_at);
  const again = await patch({ status: "completed" });
  assert.deepEqual(again.body, done.body);
  const canceled = await patch({ status: "cancelled" });
  assert.deepEqual([canceled.status, canceled.body.code], [409, "wrong_state"]);
  const opened = await patch({ status: "pending" });
  assert.deepEqual([opened.body.status, opened.body.completed_at, opened.body.completion_notes], ["pending", null, null]);
  assert.equal((await patch({ status: "cancelled" })).body.status, "canceled");
});

test("it is rescheduled and handed over", async () => {
  const user = await as("csr");
  const { id: sales } = await as("sales");
  const { id } = await call(user, "crm_create_followup", due(await customer(user)));
  const patch = { due_at: "2027-02-01T08:00:00+01:00", assigned_to_user_id: sales, priority: "low", title: "Visit" };
  const { status, body } = await crm(user, "PATCH", `/followups/${id}`, patch);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(Date.parse(body.due_at), Date.parse("2027-02-01T07:00:00Z"));
  assert.deepEqual([body.assigned_to_user_id, body.priority, body.title], [sales, "low", "Visit"]);
});

test("wrong fields are named at both doors", async () => {
  const user = await as("csr");
  const id = await customer(user);
  const refusal = await refused(user, "crm_create_followup", { customer_id: id, title: " ", priority: "low" });
  assert.deepEqual(refusal.details.errors.map((one) => one.path).sort(), ["due_at", "title"]);
  const unknown = await crm(user, "POST", "/followups", due(id, { origin: "system_rule" }));
  assert.deepEqual([unknown.status, unknown.body.errors[0].path], [400, "origin"]);
  const { id: followup } = await call(user, "crm_create_followup", due(id));
  const expired = await crm(user, "PATCH", `/followups/${followup}`, { status: "expired" });
  assert.deepEqual([expired.status, expired.body.errors[0].path], [400, "status"]);
});

test("the list is filtered, ordered by what is due first, and paged", async () => {
  const user = await as("csr");
  const { id: sales } = await as("sales");
  const id = await customer(user);
  for (const [title, day, more] of [
    ["c", "2027-03-03", { priority: "high" }], ["a", "2027-03-01", {}], ["b", "2027-03-02", { assigned_to_user_id: sales }], ["late", "2020-01-01", {}],
  ]) await call(user, "crm_create_followup", due(id, { title, due_at: `${day}T00:00:00Z`, ...more }));
  const titles = async (query) => {
    const { status, body } = await crm(user, "GET", `/followups?customer_id=${id}${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return [body.data.map((row) => row.title).join(" "), body.total];
  };
  assert.deepEqual(await titles(""), ["late a b c", null]);
  assert.deepEqual(await titles("&limit=2&offset=1&count=exact"), ["a b", 4]);
  assert.deepEqual(await titles("&assigned_to_user_id=me"), ["late a c", null]);
  assert.deepEqual(await titles(`&assigned_to_user_id=${sales}`), ["b", null]);
  assert.deepEqual(await titles("&priority=high"), ["c", null]);
  assert.deepEqual(await titles("&due_from=2027-03-01T00:00:00Z&due_to=2027-03-03T00:00:00Z"), ["a b", null]);
  assert.deepEqual(await titles("&overdue=true"), ["late", null]);
  const [{ id: late }] = (await crm(user, "GET", `/followups?customer_id=${id}&overdue=true`)).body.data;
  await call(user, "crm_update_followup", { id: late, patch: { status: "canceled" } });
  assert.deepEqual(await titles("&overdue=true"), ["", null]);
  assert.deepEqual(await titles("&status=cancelled"), ["late", null]);
  const wrong = await crm(user, "GET", "/followups?assigned_to_user_id=you&due_from=soon&q=x");
  assert.deepEqual([wrong.status, wrong.body.errors.map((one) => one.path)], [400, ["assigned_to_user_id", "due_from", "q"]]);
});

test("a job expires what is long overdue, and nobody else does", async () => {
  const user = await as("csr");
  const id = await customer(user);
  const old = await call(user, "crm_create_followup", due(id, { due_at: "2010-01-01T00:00:00Z" }));
  const recent = await call(user, "crm_create_followup", due(id, { due_at: new Date().toISOString() }));
  assert.equal((await refused(user, "crm_expire_followups")).status, 403);
  assert.equal((await refused(await as("owner"), "crm_expire_followups")).status, 403);
  // Ten years of grace: what other tests left is not touched.
  const { expired } = await call(service, "crm_expire_followups", { grace_hours: 87600 });
  assert.ok(expired >= 1);
  const rows = await sql`select id, status from crm_followups where customer_id = ${id}`;
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row.id, row.status])), { [old.id]: "expired", [recent.id]: "pending" });
  const opened = await crm(user, "PATCH", `/followups/${old.id}`, { status: "pending" });
  assert.equal(opened.body.status, "pending");
});
