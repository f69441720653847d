// Rules set going by facts, over the functions for back ends. Every rule has a customer of its own as its condition: the
// runner works for all tests at once. No message is dispatched here; that is dispatch.test.mjs'.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { anonymous, as, call, job, northwind, publishableKey, service, sql, unique, volt } from "./stack.mjs";

const SLUGS = ["handle-event-trigger", "process-time-based-automations", "process-segment-automations", "dispatch-messages"];

const only = (customer) => ({
  version: 1, entity: "customer",
  query: { combinator: "and", rules: [{ field: "name", operator: "=", value: customer.name }] },
});

async function customer(more = {}) {
  return call(await as("csr"), "crm_create_customer", { type: "company", name: unique("Automated"), ...more });
}

async function rule(customer, more) {
  return call(await as("manager"), "crm_create_automation_rule", {
    name: unique("Rule"), trigger_type: "event", conditions: only(customer), ...more,
  });
}

const followups = (customer) => sql`select title, origin::text from crm_followups where customer_id = ${customer.id} order by title`;

/** The runner works for everybody, so a run of another test may have been the one that did it. */
async function runs(rule, customer) {
  const { data, error } = await (await as("manager")).from("crm_automation_runs").select("*")
    .eq("rule_id", rule.id).eq("customer_id", customer.id).order("started_at");
  assert.ifError(error);
  return data;
}

for (const slug of SLUGS) {
  test(`${slug} is for back ends only`, async () => {
    const event = { event_type: "boiler_tested", customer_id: (await customer()).id };
    const body = slug === "handle-event-trigger" ? event : {};
    assert.equal((await job(slug, body, { token: null })).status, 401);
    assert.equal((await job(slug, body, { token: publishableKey })).status, 401);
    for (const role of ["owner", "csr", "viewer"]) {
      const { status, headers, body: problem } = await job(slug, body, { token: (await as(role)).token });
      assert.deepEqual([status, problem.code], [403, "forbidden"], role);
      assert.equal(headers.get("content-type"), "application/problem+json");
    }
    const { count } = await service.from("crm_events").select("*", { count: "exact", head: true })
      .eq("customer_id", event.customer_id).eq("event_type", "boiler_tested");
    assert.equal(count, 0);
  });
}

test("an event of another system makes a follow-up, once however often it comes", async () => {
  const its = await customer();
  const made = await rule(its, {
    event_type: "boiler_tested",
    actions: [{ type: "create_followup", title: "Ask about the boiler", due_in_minutes: 60 }, { type: "tag_customer", tag: "Tested" }],
  });
  const event = { event_type: "boiler_tested", customer_id: its.id, payload: { pressure: 1.5 }, event_key: randomUUID(), org_id: northwind.id };
  const first = await job("handle-event-trigger", event);
  assert.equal(first.status, 201, JSON.stringify(first.body));
  const again = await Promise.all(Array.from({ length: 5 }, () => job("handle-event-trigger", event)));
  for (const { status, body } of again) assert.deepEqual([status, body.event.id], [200, first.body.event.id]);
  assert.deepEqual((await followups(its)).map((row) => row.title), ["Ask about the boiler"]);
  const history = await runs(made, its);
  assert.deepEqual(history.map((run) => [run.status, run.results.length]), [["success", 2]]);
  const { tags } = await call(await as("csr"), "crm_get_customer", { id: its.id });
  assert.deepEqual(tags.map((tag) => tag.name ?? tag), ["Tested"]);
});

test("the Idempotency-Key of a request is the event's key", async () => {
  const its = await customer();
  const event = { event_type: "meter_read", customer_id: its.id, org_id: northwind.id };
  const headers = { "idempotency-key": randomUUID() };
  const first = await job("handle-event-trigger", event, { headers });
  const second = await job("handle-event-trigger", event, { headers });
  assert.deepEqual([first.status, second.status], [201, 200]);
  assert.equal(second.body.event.id, first.body.event.id);
  const other = await job("handle-event-trigger", { ...event, event_key: "another" }, { headers });
  assert.deepEqual([other.status, other.body.errors[0].path], [400, "event_key"]);
});

test("a customer of another org is not there", async () => {
  const its = await customer();
  const { status } = await job("handle-event-trigger", { event_type: "meter_read", customer_id: its.id, org_id: volt.id });
  assert.equal(status, 404);
});

test("a fact of the database sets the rule going without anybody telling of it", async () => {
  const its = await customer();
  const made = await rule(its, {
    event_type: "interaction_logged", actions: [{ type: "create_followup", title: "Answer", due_in_minutes: 30 }],
  });
  await call(await as("csr"), "crm_log_interaction", { customer_id: its.id, channel: "note", body: "Called" });
  // Any event lets the runner go through the queue.
  await job("handle-event-trigger", { event_type: "meter_read", customer_id: its.id, org_id: northwind.id });
  assert.deepEqual((await followups(its)).map((row) => row.title), ["Answer"]);
  assert.equal((await runs(made, its))[0].status, "success");
});

test("who enters a segment is acted upon", async () => {
  const manager = await as("manager");
  const name = unique("Expected");
  const segment = await call(manager, "crm_create_segment", { name: unique("Here"), type: "rule_based", definition: only({ name }) });
  const made = await rule({ name }, {
    trigger_type: "segment_membership", segment_id: segment.id,
    actions: [{ type: "create_followup", title: "Welcome", due_in_minutes: 30 }],
  });
  const its = await customer({ name });
  await call(manager, "crm_recompute_segment", { id: segment.id });
  const { status, body } = await job("process-segment-automations");
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body).sort(), ["automations", "segments"]);
  assert.deepEqual((await followups(its)).map((row) => row.title), ["Welcome"]);
  assert.equal((await runs(made, its)).length, 1);
});

test("wrong bodies are refused with the place of the mistake", async () => {
  const unknown = await job("process-segment-automations", { limit: 3 });
  assert.deepEqual([unknown.status, unknown.body.errors[0].path], [400, "limit"]);
  const wrong = await job("handle-event-trigger", { event_type: "Not A Name", customer_id: (await customer()).id });
  assert.deepEqual([wrong.status, wrong.body.errors[0].path], [400, "event_type"]);
  assert.equal((await anonymous().rpc("crm_run_automations")).status, 401);
});
