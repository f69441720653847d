// One mechanism, seen from both doors: PTxyz over PostgREST, problem+json over the function.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";

import { as, call, crm, newcomer, refused, unique } from "./stack.mjs";

let csr;
before(async () => {
  csr = await as("csr");
});

function assertRefusal(refusal, status, code) {
  assert.equal(refusal.status, status);
  assert.equal(refusal.code, `PT${status}`);
  assert.equal(refusal.details.code, code);
  assert.ok(refusal.message, "a title");
  assert.ok(refusal.hint, "what to do about it");
}

function assertProblem({ status, headers, body }, expected, code) {
  assert.equal(status, expected, JSON.stringify(body));
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(body.type, `/errors/${code}`);
  assert.equal(body.code, code);
  assert.equal(body.status, expected);
  assert.ok(body.title);
  assert.ok(body.detail);
  assert.equal(body.instance, headers.get("x-request-id"));
}

test("400 over supabase-js names every wrong field", async () => {
  const args = { type: "person", name: "Ann", email: "nowhere", contacts: [{ type: "email" }] };
  assertRefusal(await refused(csr, "crm_create_customer", args), 400, "invalid_argument");
  const wrong = { type: "individual", name: "Ann", email: "nowhere", phone: "12", locations: [{ address_line1: "1 A St", city: " " }] };
  const refusal = await refused(csr, "crm_create_customer", wrong);
  assertRefusal(refusal, 400, "invalid_argument");
  assert.deepEqual(refusal.details.errors.map((one) => one.path).sort(), ["email", "locations[0].city", "phone"]);
  assert.ok(refusal.details.errors.every((one) => one.code && one.message));
});

test("400 over the function is a problem with the same fields", async () => {
  const answer = await crm(csr, "POST", "/customers", { type: "individual", name: "Ann", email: "nowhere", phone: "12" });
  assertProblem(answer, 400, "invalid_argument");
  assert.deepEqual(answer.body.errors.map((one) => one.path).sort(), ["email", "phone"]);
});

test("403 over supabase-js names the capability", async () => {
  const refusal = await refused(await as("viewer"), "crm_create_customer", { type: "individual", name: "Ann" });
  assertRefusal(refusal, 403, "forbidden");
  assert.equal(refusal.details.capability, "customers.write");
});

test("403 over the function is a problem that names the capability", async () => {
  const answer = await crm(await as("viewer"), "POST", "/customers", { type: "individual", name: "Ann" });
  assertProblem(answer, 403, "forbidden");
  assert.equal(answer.body.capability, "customers.write");
});

test("404 over supabase-js", async () => {
  assertRefusal(await refused(csr, "crm_get_customer", { id: randomUUID() }), 404, "not_found");
});

test("404 over the function", async () => {
  assertProblem(await crm(csr, "GET", `/customers/${randomUUID()}`), 404, "not_found");
});

test("409 at both doors gives the id that is in the way", async () => {
  const external_ref = unique("ref");
  const customer = { type: "individual", name: "Ann", external_ref };
  const { id } = await call(csr, "crm_create_customer", customer);

  const refusal = await refused(csr, "crm_create_customer", customer);
  assertRefusal(refusal, 409, "duplicate_external_ref");
  assert.equal(refusal.details.id, id);

  const answer = await crm(csr, "POST", "/customers", customer);
  assertProblem(answer, 409, "duplicate_external_ref");
  assert.equal(answer.body.id, id);
});

test("422 over supabase-js", async () => {
  const owner = await newcomer("owner");
  await call(owner, "crm_create_org", { name: unique("Rules Ltd") });
  const admin = await newcomer("admin");
  const { token } = await call(owner, "crm_invite_member", { email: admin.email, role: "admin" });
  await call(admin, "crm_accept_invite", { token });
  const refusal = await refused(admin, "crm_deactivate_member", { user_id: admin.id });
  assertRefusal(refusal, 422, "rule_broken");
});

test("an unknown field is named, not an unknown function", async () => {
  const answer = await crm(csr, "POST", "/customers", { type: "individual", name: "Ann", nickname: "A" });
  assertProblem(answer, 400, "invalid_argument");
  assert.deepEqual(answer.body.errors.map((one) => [one.path, one.code]), [["nickname", "unknown_field"]]);
  const patch = await crm(csr, "PATCH", `/customers/${randomUUID()}`, { nickname: "A" });
  assertProblem(patch, 400, "invalid_argument");
});

test("a customer without a type is told so at the function", async () => {
  const answer = await crm(csr, "POST", "/customers", { name: "Ann" });
  assertProblem(answer, 400, "invalid_argument");
  assert.equal(answer.body.errors[0].path, "type");
});

test("a body that is no JSON, and an id that is no UUID, are bad arguments", async () => {
  assertProblem(await crm(csr, "POST", "/customers", "{"), 400, "invalid_argument");
  assertProblem(await crm(csr, "GET", "/customers/42"), 400, "invalid_argument");
  assertProblem(await crm(csr, "GET", "/customers?limit=1000&colour=red"), 400, "invalid_argument");
});

test("a body of over a mebibyte is too large", async () => {
  const answer = await crm(csr, "POST", "/customers", { type: "individual", name: "A", notes: "x".repeat(1024 * 1024) });
  assertProblem(answer, 413, "payload_too_large");
});

test("unknown paths and methods are problems, and browsers may read them", async () => {
  assertProblem(await crm(csr, "GET", "/nothing"), 404, "not_found");
  const answer = await crm(csr, "DELETE", "/customers");
  assertProblem(answer, 405, "method_not_allowed");
  assert.match(answer.headers.get("allow"), /GET/);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
});

test("a preflight needs no token", async () => {
  const { status, headers } = await crm(null, "OPTIONS", "/customers", undefined, {
    origin: "https://app.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,idempotency-key",
  });
  assert.ok(status === 200 || status === 204, String(status));
  assert.equal(headers.get("access-control-allow-origin"), "*");
  assert.match(headers.get("access-control-allow-headers"), /idempotency-key/);
});

test("the caller's request id comes back", async () => {
  const id = `test-${randomUUID()}`;
  const { headers } = await crm(csr, "GET", "/customers?limit=1", undefined, { "x-request-id": id });
  assert.equal(headers.get("x-request-id"), id);
});

test("supabase.functions.invoke reaches the function with the session's token", async () => {
  const { data, error } = await csr.functions.invoke("crm/customers?limit=1", { method: "GET" });
  assert.equal(error, null);
  assert.equal(data.data.length, 1);
});
