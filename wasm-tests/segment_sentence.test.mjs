// A segment that somebody wrote a sentence for, through the built function: rules are found, stored, and computed. No model is set up.
import assert from "node:assert/strict";
import { test } from "node:test";

import { as, call, crm, newcomer, unique } from "./stack.mjs";

const customer = (user, more, city) =>
  call(user, "crm_create_customer", {
    type: "company", name: unique("Sentenced"), status: "active", locations: [{ address_line1: "1 Road", city }], ...more,
  });

async function workspace() {
  const owner = await newcomer("sentence");
  await call(owner, "crm_create_org", { name: unique("Sentences") });
  const ours = await customer(owner, {}, "Naperville");
  const others = [await customer(owner, { status: "inactive" }, "Naperville"), await customer(owner, {}, "Aurora")];
  return { owner, ours, others };
}

async function segment(user, ai_prompt) {
  const made = await crm(user, "POST", "/segments", { name: unique("By a sentence"), type: "ai_generated", ai_prompt });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

const members = async (user, { id }) => (await crm(user, "GET", `/segments/${id}/members`)).body.data.map((one) => one.customer_id);

test("the sentence becomes rules, an explanation and members, and once more changes nothing", async () => {
  const { owner, ours } = await workspace();
  const made = await segment(owner, "active customers in Naperville");
  const found = await crm(owner, "POST", `/segments/${made.id}/recompute`);
  assert.equal(found.status, 200, JSON.stringify(found.body));
  const { added, removed, total, provider, explanation, definition, model } = found.body;
  assert.deepEqual([added, removed, total, provider, model], [1, 0, 1, "builtin", undefined]);
  assert.equal(explanation, 'status is active, and city is "Naperville"');
  assert.deepEqual(await members(owner, made), [ours.id]);
  const shown = (await crm(owner, "GET", `/segments/${made.id}`)).body;
  const rules = ({ query }) => query.rules.map(({ field, operator, value }) => [field, operator, value]);
  assert.deepEqual(rules(definition), [["status", "=", "active"], ["city", "=", "Naperville"]]);
  assert.deepEqual([rules(shown.definition), shown.ai_explanation], [rules(definition), explanation]);
  const again = await crm(owner, "POST", `/segments/${made.id}/recompute`);
  assert.deepEqual([again.status, again.body.added, again.body.removed, again.body.total], [200, 0, 0, 1]);
});

test("what is not understood is named, and the segment stays as it was", async () => {
  const { owner } = await workspace();
  const made = await segment(owner, "customers who froble in Naperville");
  const refused = await crm(owner, "POST", `/segments/${made.id}/recompute`);
  assert.deepEqual([refused.status, refused.body.code], [422, "ai_refused"], JSON.stringify(refused.body));
  assert.match(JSON.stringify(refused.body.not_understood), /froble/);
  const { definition, ai_explanation, version } = (await crm(owner, "GET", `/segments/${made.id}`)).body;
  assert.deepEqual([definition, ai_explanation, version], [null, null, made.version]);
  assert.deepEqual(await members(owner, made), []);
});

test("a sentence is computed for those who may write segments of its org", async () => {
  const { owner } = await workspace();
  const theirs = await segment(owner, "active customers in Naperville");
  assert.equal((await crm(await as("csr"), "POST", `/segments/${theirs.id}/recompute`)).status, 404);
  const ours = await segment(await as("csr"), "active customers");
  assert.equal((await crm(await as("viewer"), "POST", `/segments/${ours.id}/recompute`)).status, 403);
  assert.deepEqual(await members(owner, theirs), []);
});
