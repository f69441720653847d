import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { anonymous, as, call, capabilities, crm, northwind, refused, sql, unique, volt } from "./stack.mjs";

const customer = (user, more = {}) => call(user, "crm_create_customer", { type: "company", name: unique("Talk"), ...more });

const full = ({ id, locations }) => ({
  customer_id: id,
  channel: "phone_inbound",
  type: "Initial Call",
  subject: " Leak ",
  summary: "Kitchen, Ünïcödé, 日本語, 🔧",
  body: "Water under the sink.\nSince Monday.",
  metadata: { seconds: 240, provider: { id: "CA1" } },
  occurred_at: "2026-03-01T09:30:00.123456Z",
  follow_up_date: "2027-01-05T15:00:00Z",
  location_id: locations[0].id,
});

function assertLogged(logged, given, user) {
  assert.match(logged.id, /^[0-9a-f-]{36}$/);
  assert.equal(logged.org_id, northwind.id);
  for (const key of ["customer_id", "channel", "type", "summary", "body", "location_id"]) assert.equal(logged[key], given[key], key);
  assert.deepEqual(logged.metadata, given.metadata);
  assert.deepEqual([logged.subject, logged.direction, logged.sentiment], ["Leak", "inbound", null]);
  assert.equal(logged.created_by_user_id, user.id);
  assert.equal(Date.parse(logged.occurred_at), Date.parse(given.occurred_at));
  assert.equal(logged.followup.title, "Follow up: Leak");
  assert.equal(logged.followup.related_interaction_id, logged.id);
  assert.equal(Date.parse(logged.followup.due_at), Date.parse(given.follow_up_date));
}

const withLocation = { locations: [{ address_line1: "1 Dock St", city: "Oakland" }] };

test("supabase.rpc logs an interaction and makes its follow-up", async () => {
  const user = await as("csr");
  const given = full(await customer(user, withLocation));
  assertLogged(await call(user, "crm_log_interaction", given), given, user);
});

test("POST /crm/interactions logs the same, and its location shows it", async () => {
  const user = await as("csr");
  const given = full(await customer(user, withLocation));
  const { status, headers, body } = await crm(user, "POST", "/interactions", given);
  assert.equal(status, 201, JSON.stringify(body));
  assertLogged(body, given, user);
  assert.equal(headers.get("location"), `/crm/interactions/${body.id}`);
  const shown = await crm(user, "GET", `/interactions/${body.id}`);
  assert.equal(shown.status, 200);
  const { followup, ...row } = body;
  assert.ok(followup);
  assert.deepEqual(shown.body, row);
});

test("a DBA logs an interaction after choosing the org", async () => {
  const { id } = await customer(await as("csr"));
  const logged = await sql.begin(async (tx) => {
    await tx.unsafe(`set local app.current_org_id = '${northwind.id}'`);
    const [{ logged }] = await tx`select crm_log_interaction(customer_id => ${id}, channel => 'note', body => 'By hand') as logged`;
    return logged;
  });
  assert.deepEqual([logged.customer_id, logged.created_by_user_id, logged.followup], [id, null, null]);
});

test("the older clients' view takes and shows interactions", async () => {
  const user = await as("csr");
  const { id } = await customer(user);
  const given = { customer_id: id, type: "Initial Call", channel: "phone", note: "Wants a quote", follow_up_date: "2027-01-05T15:00:00Z" };
  const { data, error } = await user.from("customer_interactions").insert(given).select().single();
  assert.equal(error, null, JSON.stringify(error));
  assert.deepEqual([data.note, data.org_id, data.customer_id], [given.note, northwind.id, id]);
  const followups = await user.from("crm_followups").select("title").eq("related_interaction_id", data.id);
  assert.deepEqual(followups.data, [{ title: "Follow up: Initial Call" }]);
  const base = await user.from("crm_interactions").select("body, created_by_user_id").eq("id", data.id).single();
  assert.deepEqual(base.data, { body: given.note, created_by_user_id: user.id });
});

test("nobody changes or deletes an interaction", async () => {
  const { id } = await customer(await as("csr"));
  const { id: interaction } = await call(await as("csr"), "crm_log_interaction", { customer_id: id, channel: "note", body: "As it was" });
  for (const role of Object.keys(capabilities)) {
    const user = await as(role);
    for (const [table, column] of [["crm_interactions", "body"], ["customer_interactions", "note"]]) {
      const changed = await user.from(table).update({ [column]: "rewritten" }).eq("id", interaction).select();
      const deleted = await user.from(table).delete().eq("id", interaction).select();
      assert.ok(changed.error || changed.data.length === 0, `${role} changes ${table}`);
      assert.ok(deleted.error || deleted.data.length === 0, `${role} deletes from ${table}`);
    }
  }
  const [row] = await sql`select body from crm_interactions where id = ${interaction}`;
  assert.equal(row.body, "As it was");
});

for (const [role, may] of Object.entries(capabilities)) {
  const logs = may.includes("interactions.write");
  test(`${role} may ${logs ? "" : "not "}log interactions with every customer, at either door`, async () => {
    const user = await as(role);
    const { id } = await customer(await as("csr"));
    const overRpc = await user.rpc("crm_log_interaction", { customer_id: id, channel: "note" });
    const overHttp = await crm(user, "POST", "/interactions", { customer_id: id, channel: "note" });
    assert.equal(overRpc.error === null, logs, JSON.stringify(overRpc.error));
    assert.equal(overHttp.status, logs ? 201 : 403);
    const [{ count }] = await sql`select count(*)::int from crm_interactions where customer_id = ${id}`;
    assert.equal(count, logs ? 2 : 0);
  });
}

test("a member logs with the customers they own", async () => {
  const member = await as("member");
  const { id } = await customer(member);
  await call(member, "crm_log_interaction", { customer_id: id, channel: "note", follow_up_date: "2027-01-05T15:00:00Z" });
});

test("nobody without a sign-in gets anywhere", async () => {
  const { id } = await customer(await as("csr"));
  assert.equal((await anonymous().rpc("crm_log_interaction", { customer_id: id, channel: "note" })).status, 401);
  assert.equal((await crm(null, "POST", "/interactions", { customer_id: id, channel: "note" })).status, 401);
});

test("another org finds neither the customer nor its interactions", async () => {
  const ours = await customer(await as("csr"), withLocation);
  const logged = await call(await as("csr"), "crm_log_interaction", { customer_id: ours.id, channel: "note" });
  const stranger = await as("owner", volt);
  const refusal = await refused(stranger, "crm_log_interaction", { customer_id: ours.id, channel: "note" });
  assert.deepEqual([refusal.status, refusal.details.code], [404, "not_found"]);
  for (const path of [`/customers/${ours.id}/interactions`, `/interactions/${logged.id}`, `/customers/${randomUUID()}/interactions`]) {
    const { status, body } = await crm(stranger, "GET", path);
    assert.deepEqual([status, body.code], [404, "not_found"], path);
  }
  assert.equal((await refused(stranger, "crm_customer_timeline", { customer_id: ours.id })).status, 404);
  const theirs = await customer(stranger);
  const smuggled = await refused(stranger, "crm_log_interaction", {
    customer_id: theirs.id, channel: "note", location_id: ours.locations[0].id, related_work_order_id: randomUUID(),
  });
  assert.equal(smuggled.status, 400);
  assert.deepEqual(smuggled.details.errors.map((one) => [one.path, one.code]), [
    ["location_id", "unknown_location"], ["related_work_order_id", "unknown_work_order"],
  ]);
});

test("wrong fields are named at both doors", async () => {
  const user = await as("csr");
  const { id } = await customer(user);
  const wrong = { customer_id: id, channel: "note", subject: "x".repeat(501), metadata: { a: "x".repeat(20000) } };
  const refusal = await refused(user, "crm_log_interaction", wrong);
  assert.deepEqual(refusal.details.errors.map((one) => one.path).sort(), ["metadata", "subject"]);
  const answer = await crm(user, "POST", "/interactions", wrong);
  assert.deepEqual([answer.status, answer.body.errors.length], [400, 2]);
  const pigeon = await crm(user, "POST", "/interactions", { customer_id: id, channel: "pigeon" });
  assert.deepEqual([pigeon.status, pigeon.body.errors[0].path], [400, "channel"]);
  const future = await refused(user, "crm_log_interaction", { customer_id: id, channel: "note", occurred_at: "2999-01-01T00:00:00Z" });
  assert.deepEqual(future.details.errors.map((one) => [one.path, one.code]), [["occurred_at", "in_future"]]);
});

test("the same key logs once, also at the same time", async () => {
  const user = await as("csr");
  const { id } = await customer(user);
  const key = randomUUID();
  const given = { customer_id: id, channel: "email_inbound", body: "Hello", follow_up_date: "2027-01-05T15:00:00Z" };
  const results = await Promise.all(Array.from({ length: 8 }, (_, index) => index % 2
    ? call(user, "crm_log_interaction", { ...given, idempotency_key: key })
    : crm(user, "POST", "/interactions", given, { "idempotency-key": key })
      .then(({ status, body }) => (assert.equal(status, 201, JSON.stringify(body)), body))));
  assert.equal(new Set(results.map((one) => one.id)).size, 1);
  const [{ count }] = await sql`select count(*)::int from crm_followups where customer_id = ${id}`;
  assert.equal(count, 1);
});

test("GET /crm/customers/:id/interactions pages, filters and counts", async () => {
  const user = await as("csr");
  const { id } = await customer(user);
  for (let day = 10; day < 17; day++) {
    const channel = day % 2 ? "note" : "phone_inbound";
    await call(user, "crm_log_interaction", { customer_id: id, channel, body: String(day), occurred_at: `2026-01-${day}T00:00:00Z` });
  }
  const path = `/customers/${id}/interactions`;
  const bodies = async (query) => {
    const { status, body } = await crm(user, "GET", path + query);
    assert.equal(status, 200, JSON.stringify(body));
    return [body.data.map((row) => row.body).join(" "), body.total];
  };
  assert.deepEqual(await bodies(""), ["16 15 14 13 12 11 10", null]);
  assert.deepEqual(await bodies("?limit=2&offset=2&count=exact"), ["14 13", 7]);
  assert.deepEqual(await bodies("?channel=note&count=exact"), ["15 13 11", 3]);
  assert.deepEqual(await bodies("?from=2026-01-12T00:00:00Z&to=2026-01-14T00:00:00Z"), ["13 12", null]);
  assert.deepEqual(await bodies("?from=2026-01-12T01:00:00%2B01:00&to=2026-01-13T00:00:00Z"), ["12", null]);
  await sql`update crm_interactions set sentiment = 'negative' where customer_id = ${id} and body = '12'`;
  assert.deepEqual(await bodies("?sentiment=negative"), ["12", null]);
  const wrong = await crm(user, "GET", `${path}?from=yesterday&channel=pigeon`);
  assert.deepEqual([wrong.status, wrong.body.errors.map((one) => one.path)], [400, ["from", "channel"]]);
  const empty = await customer(user);
  assert.deepEqual((await crm(user, "GET", `/customers/${empty.id}/interactions`)).body.data, []);
});

test("the details and the timeline have what happened and what is planned", async () => {
  const user = await as("csr");
  const made = await customer(user);
  assert.deepEqual([made.recent_interactions, made.upcoming_followups, made.metrics.interactions_count], [[], [], 0]);
  for (let day = 10; day < 15; day++) {
    await call(user, "crm_log_interaction", {
      customer_id: made.id, channel: "note", occurred_at: `2026-01-${day}T00:00:00Z`, follow_up_date: `2027-01-${day}T00:00:00Z`,
    });
  }
  const { body } = await crm(user, "GET", `/customers/${made.id}`);
  assert.deepEqual(body.recent_interactions.map((row) => row.occurred_at.slice(8, 10)), ["14", "13", "12", "11", "10"]);
  assert.deepEqual(body.upcoming_followups.map((row) => row.due_at.slice(8, 10)), ["10", "11", "12", "13", "14"]);
  assert.deepEqual([body.metrics.interactions_count, body.product], [5, null]);

  const seen = [];
  let cursor = null;
  do {
    const page = await call(user, "crm_customer_timeline", { customer_id: made.id, page_size: 3, cursor });
    seen.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  assert.deepEqual(seen.map((item) => item.kind), [...Array(5).fill("followup"), ...Array(5).fill("interaction")]);
  assert.equal(new Set(seen.map((item) => item.id)).size, 10);
  const { items } = await call(user, "crm_customer_timeline", { customer_id: made.id, kinds: ["interaction"] });
  assert.equal(items.length, 5);
  const refusal = await refused(user, "crm_customer_timeline", { customer_id: made.id, cursor: "page 2" });
  assert.deepEqual([refusal.status, refusal.details.errors[0].path], [400, "cursor"]);
});

test("who opens the details over HTTP is written down with address and user agent", async () => {
  const user = await as("viewer");
  const { id } = await customer(await as("csr"));
  const request = `look-${randomUUID()}`;
  const headers = { "x-request-id": request, "user-agent": "field tablet/7", "x-forwarded-for": "203.0.113.9" };
  assert.equal((await crm(user, "GET", `/customers/${id}`, undefined, headers)).status, 200);
  const rows = await sql`select operation, user_id, host(ip) as ip, user_agent from crm_access_log where request_id = ${request}`;
  assert.deepEqual([...rows], [{ operation: "crm_get_customer", user_id: user.id, ip: "203.0.113.9", user_agent: "field tablet/7" }]);
});

test("details that cannot be noted are not shown", async () => {
  const { id } = await customer(await as("csr"));
  const attempt = sql.begin("read only", async (tx) => {
    await tx.unsafe(`set local app.current_org_id = '${northwind.id}'`);
    await tx`select crm_get_customer(id => ${id})`;
  });
  await assert.rejects(attempt, { code: "25006" });
});
