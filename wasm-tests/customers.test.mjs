import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { anonymous, as, call, capabilities, crm, northwind, refused, sql, unique, volt } from "./stack.mjs";

const nested = (name) => ({
  type: "company",
  name,
  company_name: name,
  email: "Office@Example.COM ",
  phone: "(415) 555-2671",
  status: "active",
  lifecycle_stage: "customer",
  pipeline_stage: "closed_won",
  source: "referral",
  preferred_language: "en",
  notes: "Gate code at the front desk. Ünïcödé, 日本語, 🔧",
  contacts: [
    { type: "mobile", value: "+44 7400 123456", is_primary: true, opt_in_marketing: false },
    { type: "email", value: "Billing@Example.com" },
  ],
  locations: [
    { label: "Yard", address_line1: "1 Dock St", city: "Oakland", state: "CA", postal_code: "94607", type: "service" },
    { label: "Head office", address_line1: "Hauptstraße 5", city: "Köln", country: "DE", is_primary: true },
  ],
  tags: ["VIP", unique("tag")],
  preferences: { do_not_sms: true, preferred_contact_window_start: "09:00" },
});

function assertNested(customer, given) {
  assert.match(customer.id, /^[0-9a-f-]{36}$/);
  assert.equal(customer.org_id, northwind.id);
  for (const key of ["type", "name", "company_name", "status", "lifecycle_stage", "pipeline_stage", "source", "notes"])
    assert.equal(customer[key], given[key], key);
  assert.equal(customer.email, "office@example.com");
  assert.equal(customer.phone, "+14155552671");
  assert.equal(customer.phone_raw, "(415) 555-2671");
  assert.equal(customer.is_archived, false);

  const values = customer.contacts.map((one) => `${one.type} ${one.value}`).sort();
  assert.deepEqual(values, [
    "email billing@example.com", "email office@example.com", "mobile +447400123456", "phone +14155552671",
  ]);
  const primaryContact = customer.contacts.filter((one) => one.is_primary);
  assert.deepEqual(primaryContact.map((one) => one.value), ["+447400123456"]);
  assert.equal(primaryContact[0].value_raw, "+44 7400 123456");
  assert.equal(primaryContact[0].opt_in_marketing, false);
  assert.equal(customer.primary_contact_id, primaryContact[0].id);

  assert.equal(customer.locations.length, 2);
  const primaryLocation = customer.locations.filter((one) => one.is_primary);
  assert.deepEqual(primaryLocation.map((one) => [one.city, one.country]), [["Köln", "DE"]]);
  assert.equal(customer.primary_location_id, primaryLocation[0].id);
  assert.equal(customer.locations.find((one) => one.city === "Oakland").country, "US", "the org's country");

  assert.deepEqual(customer.tags.map((tag) => tag.name).sort(), [...given.tags].sort());
  assert.ok(customer.tags.every((tag) => tag.id && "color" in tag));
  assert.equal(customer.preferences.do_not_sms, true);
  assert.equal(customer.preferences.do_not_email, false);
  assert.equal(customer.preferences.preferred_contact_window_start, "09:00:00");
}

const named = (name) => sql`select id, org_id from customers where name = ${name}`;

test("supabase.rpc creates a nested customer", async () => {
  const user = await as("csr");
  const given = nested(unique("Dockside"));
  assertNested(await call(user, "crm_create_customer", given), given);
});

test("POST /crm/customers creates the same nested customer", async () => {
  const user = await as("csr");
  const given = nested(unique("Harbour"));
  const { status, headers, body } = await crm(user, "POST", "/customers", given);
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(headers.get("location"), `/crm/customers/${body.id}`);
  assertNested(body, given);
  const again = await crm(user, "GET", `/customers/${body.id}`);
  assert.equal(again.status, 200);
  assertNested(again.body, given);
});

test("a DBA creates the same nested customer after choosing the org", async () => {
  const given = nested(unique("Psql"));
  const customer = await sql.begin(async (tx) => {
    await tx.unsafe(`set local app.current_org_id = '${northwind.id}'`);
    const [{ customer }] = await tx`select crm_create_customer(
      type => ${given.type}, name => ${given.name}, company_name => ${given.company_name}, email => ${given.email},
      phone => ${given.phone}, status => ${given.status}, lifecycle_stage => ${given.lifecycle_stage},
      pipeline_stage => ${given.pipeline_stage}, source => ${given.source},
      preferred_language => ${given.preferred_language}, notes => ${given.notes},
      contacts => ${tx.json(given.contacts)}, locations => ${tx.json(given.locations)},
      tags => ${given.tags}, preferences => ${tx.json(given.preferences)}) as customer`;
    return customer;
  });
  assertNested(customer, given);
});

test("a DBA who has chosen no org is told to", async () => {
  const attempt = sql`select crm_create_customer(type => 'individual', name => 'Nobody')`;
  await assert.rejects(attempt, (error) => {
    assert.equal(error.code, "PT400");
    assert.equal(JSON.parse(error.detail).code, "org_required");
    assert.match(error.hint, /app\.current_org_id/);
    return true;
  });
});

test("a call that fails half-way leaves nothing", async () => {
  const user = await as("csr");
  const name = unique("Half");
  const tag = unique("half");
  const contacts = [{ type: "email", value: "fine@example.com" }, { type: "email", value: "not an address" }];
  const refusal = await refused(user, "crm_create_customer", { type: "individual", name, tags: [tag], contacts });
  assert.deepEqual(refusal.details.errors.map((one) => one.path), ["contacts[1].value"]);
  assert.equal((await named(name)).length, 0);
  assert.equal((await sql`select 1 from crm_tags where name = ${tag}`).length, 0);
});

for (const [role, may] of Object.entries(capabilities)) {
  const creates = may.includes("customers.write") || may.includes("customers.write_own");
  test(`${role} may ${creates ? "" : "not "}create customers, at either door`, async () => {
    const user = await as(role);
    const name = unique(`By ${role}`);
    const { data, error, status } = await user.rpc("crm_create_customer", { type: "individual", name });
    const overHttp = await crm(user, "POST", "/customers", { type: "individual", name });
    if (creates) {
      assert.equal(error, null);
      assert.equal(overHttp.status, 201);
      if (role === "member") assert.deepEqual([data.owner_id, overHttp.body.owner_id], [user.id, user.id]);
    } else {
      assert.equal(status, 403);
      assert.equal(JSON.parse(error.details).code, "forbidden");
      assert.equal(overHttp.status, 403);
      assert.equal(overHttp.body.code, "forbidden");
    }
    assert.equal((await named(name)).length, creates ? 2 : 0);
  });

  test(`${role} ${may.includes("customers.read") ? "sees" : "does not see"} customers`, async () => {
    const user = await as(role);
    const { data, error } = await user.from("customers").select("id, org_id").limit(1000);
    assert.equal(error, null);
    const list = await crm(user, "GET", "/customers?limit=5");
    assert.equal(list.status, 200);
    if (may.includes("customers.read")) {
      assert.ok(data.length > 0 && data.every((row) => row.org_id === northwind.id));
      assert.equal(list.body.data.length, 5);
    } else {
      assert.deepEqual([data, list.body.data], [[], []]);
    }
  });
}

test("a member changes what they own and nothing else", async () => {
  const member = await as("member");
  const own = await call(member, "crm_create_customer", { type: "individual", name: unique("Mine") });
  const other = await call(await as("csr"), "crm_create_customer", { type: "individual", name: unique("Theirs") });
  const changed = await crm(member, "PATCH", `/customers/${own.id}`, { notes: "called back" });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  assert.equal(changed.body.notes, "called back");
  const refusal = await crm(member, "PATCH", `/customers/${other.id}`, { notes: "hers" });
  assert.deepEqual([refusal.status, refusal.body.code], [403, "forbidden"]);
});

test("nobody without a sign-in gets anywhere", async () => {
  const rpc = await anonymous().rpc("crm_create_customer", { type: "individual", name: "Anon" });
  assert.equal(rpc.status, 401);
  const { data } = await anonymous().from("customers").select("id");
  assert.ok(!data?.length);
  assert.equal((await crm(null, "POST", "/customers", { type: "individual", name: "Anon" })).status, 401);
});

test("no role of another org sees, changes or creates anything by our ids", async () => {
  const ours = await call(await as("csr"), "crm_create_customer", nested(unique("Ours")));
  const { id: ourColleague } = await as("sales");
  for (const role of Object.keys(capabilities)) {
    const stranger = await as(role, volt);
    const read = capabilities[role].includes("customers.read");
    for (const [method, body] of [["GET"], ["PATCH", { name: "Taken" }]]) {
      const { status } = await crm(stranger, method, `/customers/${ours.id}`, body);
      const may = method === "GET" ? read : capabilities[role].some((one) => one.startsWith("customers.write"));
      assert.equal(status, may ? 404 : 403, `${role} ${method}`);
    }
    for (const table of ["customers", "customer_contacts", "customer_locations", "crm_preferences", "crm_tags", "profiles"]) {
      const { data, error } = await stranger.from(table).select("org_id");
      assert.equal(error, null, `${role} ${table}`);
      assert.ok(data.every((row) => row.org_id === volt.id), `${role} sees ${table} of another org`);
    }
    const name = unique("Smuggled");
    const attempts = await Promise.all([
      stranger.rpc("crm_create_customer", { type: "individual", name, owner_id: ourColleague }),
      stranger.from("customers").insert({ org_id: northwind.id, type: "individual", name }),
      stranger.from("customer_contacts").insert({ org_id: volt.id, customer_id: ours.id, type: "email", value: "a@b.example" }),
      stranger.from("customer_contacts").insert({ org_id: northwind.id, customer_id: ours.id, type: "email", value: "a@b.example" }),
      stranger.from("crm_customer_tags").insert({ org_id: volt.id, customer_id: ours.id, tag_id: ours.tags[0].id }),
    ]);
    for (const [index, { error }] of attempts.entries()) assert.ok(error, `${role}, attempt ${index}`);
    assert.equal((await named(name)).length, 0);
  }
  const now = await call(await as("csr"), "crm_get_customer", { id: ours.id });
  assert.deepEqual(now, await call(await as("owner"), "crm_get_customer", { id: ours.id }));
  assert.equal(now.name, ours.name);
  assert.equal(now.contacts.length, ours.contacts.length);
});

test("the same key again returns the first result, at both doors", async () => {
  const user = await as("csr");
  const name = unique("Once");
  const idempotency_key = randomUUID();
  const first = await call(user, "crm_create_customer", { type: "individual", name, idempotency_key });
  const second = await call(user, "crm_create_customer", { type: "individual", name, idempotency_key });
  assert.deepEqual(second, first);
  const third = await crm(user, "POST", "/customers", { type: "individual", name }, { "idempotency-key": idempotency_key });
  assert.equal(third.status, 201);
  assert.equal(third.body.id, first.id);
  assert.equal((await named(name)).length, 1);
});

test("the same key with another payload is a conflict", async () => {
  const user = await as("csr");
  const key = { "idempotency-key": randomUUID() };
  assert.equal((await crm(user, "POST", "/customers", { type: "individual", name: "A" }, key)).status, 201);
  const { status, body } = await crm(user, "POST", "/customers", { type: "individual", name: "B" }, key);
  assert.deepEqual([status, body.code], [409, "idempotency_key_reused"]);
});

test("the same key of another user is another key", async () => {
  const idempotency_key = randomUUID();
  const name = unique("Twice");
  const args = { type: "individual", name, idempotency_key };
  const one = await call(await as("csr"), "crm_create_customer", args);
  const two = await call(await as("sales"), "crm_create_customer", args);
  assert.notEqual(one.id, two.id);
});

test("ten calls with one key at the same time make one customer", async () => {
  const user = await as("csr");
  const name = unique("Race");
  const idempotency_key = randomUUID();
  const args = { type: "individual", name, idempotency_key };
  const results = await Promise.all(Array.from({ length: 10 }, (_, index) => index % 2
    ? call(user, "crm_create_customer", args)
    : crm(user, "POST", "/customers", { type: "individual", name }, { "idempotency-key": idempotency_key })
      .then(({ status, body }) => (assert.equal(status, 201, JSON.stringify(body)), body))));
  assert.equal(new Set(results.map((one) => one.id)).size, 1);
  assert.equal((await named(name)).length, 1);
});

test("a failed call does not use up its key", async () => {
  const user = await as("csr");
  const idempotency_key = randomUUID();
  const bad = { type: "individual", name: "X", email: "nowhere", idempotency_key };
  assert.equal((await refused(user, "crm_create_customer", bad)).status, 400);
  await call(user, "crm_create_customer", { ...bad, email: "x@somewhere.example" });
});

test("a phone without a country code is read as of the org's country", async () => {
  const user = await as("csr");
  for (const [phone, expected] of [
    ["415 555 2671", "+14155552671"],
    ["+49 171 1234567", "+491711234567"],
    ["+971 55 123 4567", "+971551234567"],
  ]) {
    const customer = await call(user, "crm_create_customer", { type: "individual", name: unique("Phone"), phone });
    assert.deepEqual([customer.phone, customer.phone_raw], [expected, phone]);
  }
});

test("a patch changes what it names and leaves the rest", async () => {
  const user = await as("csr");
  const before = await call(user, "crm_create_customer", nested(unique("Patched")));
  const [contact] = before.contacts.filter((one) => one.value === "billing@example.com");
  const { status, body } = await crm(user, "PATCH", `/customers/${before.id}`, {
    status: "inactive",
    notes: null,
    contacts: [{ id: contact.id, delete: true }, { type: "whatsapp", value: "+44 7400 123457" }],
    tags: ["VIP"],
    preferences: { do_not_call: true },
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.status, body.notes, body.name], ["inactive", null, before.name]);
  assert.deepEqual(body.tags.map((tag) => tag.name), ["VIP"]);
  assert.deepEqual([body.preferences.do_not_call, body.preferences.do_not_sms], [true, true]);
  const values = body.contacts.map((one) => one.value);
  assert.ok(values.includes("+447400123457") && !values.includes("billing@example.com"));
  assert.equal(body.contacts.filter((one) => one.is_primary).length, 1);
});

test("pages of the list neither overlap nor miss", async () => {
  const user = await as("csr");
  const source = unique("list");
  const names = ["C", "A", "E", "B", "D"].map((letter) => `${letter} ${source}`);
  for (const name of names) await call(user, "crm_create_customer", { type: "individual", name, status: "blacklisted" });
  const first = await crm(user, "GET", "/customers?status=blacklisted&order=name.asc&limit=2&count=exact");
  assert.equal(first.status, 200, JSON.stringify(first.body));
  const { total } = first.body;
  assert.ok(total >= names.length);
  const seen = [];
  for (let offset = 0; offset < total; offset += 2) {
    const { body } = await crm(user, "GET", `/customers?status=blacklisted&order=name.asc&limit=2&offset=${offset}`);
    assert.deepEqual([body.limit, body.offset, body.total], [2, offset, null]);
    seen.push(...body.data);
  }
  assert.equal(new Set(seen.map((row) => row.id)).size, total);
  const ours = seen.map((row) => row.name).filter((name) => name.endsWith(source));
  assert.deepEqual(ours, [...names].sort());
  const beyond = await crm(user, "GET", `/customers?status=blacklisted&offset=${total + 10}&count=exact`);
  assert.deepEqual([beyond.status, beyond.body.data, beyond.body.total], [200, [], total]);
});
