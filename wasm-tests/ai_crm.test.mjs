// What the function crm proposes to staff, through the built function and the database; no model is set up.
import assert from "node:assert/strict";
import { test } from "node:test";

import { as, call, capabilities, crm, northwind, sql, unique, volt } from "./stack.mjs";

async function customer(user) {
  const { id } = await call(user, "crm_create_customer", { type: "individual", first_name: "Ann", last_name: "Abel", name: unique("Ann Abel") });
  return id;
}

const quote = (customer_id, number) => sql`insert into quotes (org_id, customer_id, number, status, total, sent_at)
  values (${northwind.id}, ${customer_id}, ${number}, 'sent', 950, now() - interval '10 days')`;

const log = (user, customer_id, body) => call(user, "crm_log_interaction", { customer_id, channel: "email_inbound", body });

test("leads are scored, and only for who may enter their client", async () => {
  const sales = await as("sales");
  const client = await call(sales, "crm_create_client", { name: unique("Scored") });
  const { data: project, error } = await sales.from("projects").insert({ client_id: client.id, name: unique("Spring") }).select().single();
  assert.ifError(error);
  const lead = await call(sales, "crm_create_lead", { project_id: project.id, first_name: "Lea", email: "lea@people.example" });
  const scored = await crm(sales, "POST", "/leads/score", { lead_ids: [lead.id] });
  assert.equal(scored.status, 200, JSON.stringify(scored.body));
  assert.equal(scored.body.model.provider, "builtin");
  const [{ id, score, reasons }] = scored.body.leads;
  assert.deepEqual([id, score >= 0 && score <= 100, reasons.length > 0], [lead.id, true, true]);
  const [row] = await sql`select lead_score::float from leads where id = ${lead.id}`;
  assert.equal(row.lead_score, Number(score));
  const outsider = await as("owner", volt);
  assert.equal((await crm(outsider, "POST", "/leads/score", { lead_ids: [lead.id] })).status, 404);
  assert.equal((await crm(sales, "POST", "/leads/score", { page: 1 })).status, 400);
});

test("a draft can be stored as a template, and renders with its variables", async () => {
  const csr = await as("csr");
  const id = await customer(csr);
  const number = unique("Q");
  const missing = await crm(csr, "POST", `/customers/${id}/draft-message`, { purpose: "quote_follow_up" });
  assert.deepEqual([missing.status, missing.body.code, missing.body.missing], [409, "wrong_state", "open quote"]);
  await quote(id, number);
  const made = await crm(csr, "POST", `/customers/${id}/draft-message`, { purpose: "quote_follow_up", instructions: "Be brief" });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const { channel, subject, body, variables, provider, ignored } = made.body;
  assert.deepEqual([channel, provider, ignored, variables.quote_number], ["email", "builtin", ["instructions"], number]);
  const names = Object.keys(variables);
  assert.equal((await call(csr, "crm_validate_template", { channel, subject, body, variables: names })).ok, true);
  const manager = await as("manager");
  const { data: template, error } = await manager.from("crm_message_templates")
    .insert({ name: unique("Draft"), channel, subject, body, variables: names }).select().single();
  assert.ifError(error);
  const text = await call(csr, "crm_render_template", { template_id: template.id, customer_id: id, variables });
  assert.equal(text.subject, `Our quote ${number}`);
  assert.match(text.body, /Hello Ann,/);
  const [{ count }] = await sql`select count(*)::int from crm_outbox where customer_id = ${id}`;
  assert.equal(count, 0, "nothing is sent");
});

test("insights are the customer's own sentences, and reading them is written down", async () => {
  const csr = await as("csr");
  const id = await customer(csr);
  const [angry, wish] = [
    await log(csr, id, "Hello,\nnobody came on Tuesday! I waited all day."), await log(csr, id, "We would like a quote for a new boiler."),
  ];
  const { status, body } = await crm(csr, "POST", `/customers/${id}/insights`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.provider, "builtin");
  assert.match(body.summary, /^2 contacts, the last on /);
  const of = (kind) => body.insights.filter((one) => one.kind === kind).map(({ text, evidence }) => [text, evidence]);
  assert.deepEqual(of("complaint"), [["nobody came on Tuesday!", [angry.id]], ["I waited all day.", [angry.id]]]);
  assert.deepEqual(of("intent"), [["We would like a quote for a new boiler.", [wish.id]]]);
  const seen = await sql`select operation from crm_access_log where customer_id = ${id} and user_id = ${csr.id}`;
  assert.ok(seen.some((one) => one.operation === "crm_interaction_texts"));
});

test("the next action is the first of what would be suggested, and none is made", async () => {
  const csr = await as("csr");
  const id = await customer(csr);
  const none = await crm(csr, "POST", `/customers/${id}/next-action`);
  assert.deepEqual([none.status, none.body], [200, { action: null, alternatives: [], provider: "builtin" }]);
  await quote(id, unique("Q"));
  const number = unique("R");
  await sql`insert into invoices (org_id, customer_id, number, status, total, issued_at, due_at)
    values (${northwind.id}, ${id}, ${number}, 'sent', 200, now() - interval '50 days', now() - interval '40 days')`;
  const { status, body } = await crm(csr, "POST", `/customers/${id}/next-action`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.action.rule, body.alternatives.map(({ rule }) => rule)], ["invoice_overdue", ["quote_open"]]);
  assert.equal(body.action.subject, `Ask for the payment of invoice ${number}`);
  assert.ok(Date.parse(body.action.due_at) > Date.now());
  const [{ count }] = await sql`select count(*)::int from crm_followups where customer_id = ${id}`;
  assert.equal(count, 0);
});

for (const [role, may] of Object.entries(capabilities)) {
  test(`${role} is proposed what their role may do`, async () => {
    const user = await as(role);
    const id = await customer(await as("csr"));
    const status = async (path, body) => (await crm(user, "POST", `/customers/${id}/${path}`, body)).status;
    assert.equal(await status("draft-message", { purpose: "introduction" }), may.includes("messages.send") ? 200 : 403);
    assert.equal(await status("insights"), may.includes("customers.read") ? 200 : 403);
    assert.equal(await status("next-action"), may.includes("followups.write") ? 200 : 403);
  });
}

test("a customer of another org is nobody's", async () => {
  const theirs = await as("owner", volt);
  const id = await customer(await as("csr"));
  for (const [path, body] of [["draft-message", { purpose: "introduction" }], ["insights"], ["next-action"]]) {
    const { status, body: problem } = await crm(theirs, "POST", `/customers/${id}/${path}`, body);
    assert.deepEqual([status, problem.code], [404, "not_found"]);
  }
});
