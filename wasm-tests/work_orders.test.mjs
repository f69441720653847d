import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";

import { as, call, capabilities, refused, sql, unique, volt } from "./stack.mjs";

const NAME = "crm_set_work_order_status";
let customer;

before(async () => {
  customer = await call(await as("csr"), "crm_create_customer", {
    type: "company", name: unique("Visited"), email: "secret@visited.example", notes: "Never pays",
    contacts: [{ type: "mobile", value: "+13125550142" }],
    locations: [{ address_line1: "1 Dock St", city: "Reno", label: "Plant", latitude: 39.5, longitude: -119.8 }],
  });
});

/** A visit of the technician, at a time of its own: one technician is at one place at a time. */
async function visit(more = {}) {
  const csr = await as("csr");
  const technician = await as("technician");
  const start = new Date(Date.UTC(2050, 0, 1) + Math.floor(Math.random() * 1e6) * 3_600_000);
  const { data, error } = await csr.from("work_orders").insert({
    customer_id: customer.id, location_id: customer.locations[0].id, technician_id: technician.id, title: unique("Boiler"),
    window_start: start.toISOString(), window_end: new Date(start.getTime() + 3_000_000).toISOString(),
    internal_notes: "Key under the mat", ...more,
  }).select().single();
  assert.ifError(error);
  return data;
}

test("a visit goes its way, moved by the csr and by its technician", async () => {
  const [csr, technician] = await Promise.all([as("csr"), as("technician")]);
  const { id } = await visit();
  const eta = "2050-01-01T09:20:00+00:00";
  const onTheWay = await call(csr, NAME, { id, status: "en_route", eta });
  assert.deepEqual([onTheWay.status, onTheWay.eta, onTheWay.customer_id], ["en_route", eta, customer.id]);
  assert.ok(onTheWay.en_route_at);

  const onSite = await call(technician, NAME, { id, status: "on_site", internal_notes: "Leak found" });
  assert.deepEqual([onSite.status, onSite.eta, onSite.internal_notes], ["on_site", null, "Leak found"]);
  assert.ok(onSite.started_at);
  assert.deepEqual(onSite.customer, { id: customer.id, name: customer.name, phone: "+13125550142" });

  const done = await call(technician, NAME, { id, status: "completed" });
  assert.ok(done.completed_at && done.started_at && done.en_route_at);
  const { data: events } = await csr.from("work_order_events").select("type, new_values, created_by_user_id")
    .eq("work_order_id", id).eq("type", "status").order("created_at");
  assert.deepEqual(events.map((one) => [one.new_values.status, one.created_by_user_id]),
    [["en_route", csr.id], ["on_site", technician.id], ["completed", technician.id]]);
});

test("a call that is repeated changes nothing", async () => {
  const technician = await as("technician");
  const { id } = await visit();
  const first = await call(technician, NAME, { id, status: "cancelled" });
  assert.equal(first.status, "canceled");
  assert.deepEqual(await call(technician, NAME, { id, status: "canceled" }), first);
});

test("a step that is not possible is a conflict and says what is", async () => {
  const csr = await as("csr");
  const { id } = await visit();
  await call(csr, NAME, { id, status: "on_site" });
  const refusal = await refused(csr, NAME, { id, status: "en_route" });
  assert.equal(refusal.status, 409);
  assert.equal(refusal.details.code, "wrong_state");
  assert.equal(refusal.details.status, "on_site");
  assert.deepEqual(refusal.details.allowed, ["scheduled", "completed", "canceled"]);
  await call(csr, NAME, { id, status: "completed" });
  assert.deepEqual((await refused(csr, NAME, { id, status: "scheduled" })).details.allowed, []);
});

test("what is not one's own is not there", async () => {
  const [technician, colleague, stranger] = await Promise.all([as("technician"), as("manager"), as("csr", volt)]);
  const own = await visit();
  const theirs = await visit({ technician_id: colleague.id });
  const cases = [
    [technician, theirs.id], [technician, randomUUID()], [stranger, own.id], [await as("technician", volt), own.id],
  ];
  for (const [user, id] of cases) {
    const refusal = await refused(user, NAME, { id, status: "completed" });
    assert.deepEqual([refusal.status, refusal.details.code], [404, "not_found"]);
  }
  assert.equal((await refused(technician, "crm_get_visit", { id: theirs.id })).status, 404);
  const [{ status }] = await sql`select status from work_orders where id = ${theirs.id}`;
  assert.equal(status, "scheduled");
});

test("what is said wrongly is a bad request with the path", async () => {
  const csr = await as("csr");
  const { id } = await visit();
  for (const [args, path] of [
    [{ status: "done" }, "status"], [{ status: "completed", eta: "2050-01-01T00:00:00Z" }, "eta"],
    [{ status: "on_site", cancel_reason: "x" }, "cancel_reason"],
  ]) {
    const refusal = await refused(csr, NAME, { id, ...args });
    assert.deepEqual([refusal.status, refusal.details.errors.map((one) => one.path)], [400, [path]]);
  }
});

for (const [role, may] of Object.entries(capabilities)) {
  const office = may.includes("work_orders.write");
  if (office || may.includes("work_orders.perform")) continue;
  test(`${role} sets no status and has no visits`, async () => {
    const user = await as(role);
    const { id } = await visit();
    for (const [name, args] of [[NAME, { id, status: "on_site" }], ["crm_my_visits", {}], ["crm_get_visit", { id }]]) {
      const refusal = await refused(user, name, args);
      assert.deepEqual([refusal.status, refusal.details.code], [403, "forbidden"]);
    }
  });
}

test("a technician sees of the customer what the visit needs, and who looked is kept", async () => {
  const technician = await as("technician");
  const made = await visit();
  const list = await call(technician, "crm_my_visits", { from_at: made.window_start, to_at: made.window_end });
  const found = list.visits.find((one) => one.id === made.id);
  assert.ok(found);
  const one = await call(technician, "crm_get_visit", { id: made.id });
  assert.deepEqual(one, found);
  assert.deepEqual([one.location.address_line1, one.location.latitude], ["1 Dock St", 39.5]);
  for (const secret of ["Never pays", "secret@visited.example"]) assert.ok(!JSON.stringify(list).includes(secret), secret);
  for (const table of ["customers", "work_orders", "work_order_events"]) {
    const { data } = await technician.from(table).select("*").limit(1);
    assert.deepEqual(data, [], table);
  }
  const log = await sql`select operation from crm_access_log where customer_id = ${customer.id} and user_id = ${technician.id}`;
  assert.ok(log.some(({ operation }) => operation === "crm_get_visit"));
});

test("of changes made at once one is first, and the others meet what it left", async () => {
  const [csr, technician, dispatcher] = await Promise.all([as("csr"), as("technician"), as("dispatcher")]);
  for (let round = 0; round < 5; round++) {
    const { id } = await visit();
    const answers = await Promise.all([
      csr.rpc(NAME, { id, status: "canceled" }),
      technician.rpc(NAME, { id, status: "completed" }),
      dispatcher.rpc(NAME, { id, status: "canceled" }),
      technician.rpc(NAME, { id, status: "completed" }),
    ]);
    const [{ status, completed_at, canceled_at }] = await sql`select status, completed_at, canceled_at from work_orders where id = ${id}`;
    assert.ok(["canceled", "completed"].includes(status));
    assert.deepEqual([completed_at !== null, canceled_at !== null], [status === "completed", status === "canceled"]);
    const [{ count }] = await sql`select count(*)::int from work_order_events where work_order_id = ${id} and type = 'status'`;
    assert.equal(count, 1);
    // Two said the same as the first: that is a repeat. The other two were too late.
    assert.deepEqual(answers.map((one) => one.status).sort(), [200, 200, 409, 409]);
    for (const { data } of answers) if (data) assert.equal(data.status, status);
  }
});

test("two visits of one technician at one time are refused over the API", async () => {
  const csr = await as("csr");
  const made = await visit();
  const { error, status } = await csr.from("work_orders").insert({
    customer_id: customer.id, technician_id: made.technician_id, title: "Too much",
    window_start: made.window_start, window_end: made.window_end,
  });
  assert.equal(error.code, "23P01");
  assert.ok(status >= 400 && status < 500, `${status}`);
});
