// From an account to a conversation with a lead: what one step makes, the next one finds. Through supabase-js as the people who do it,
// and through the functions where a provider or a form writes; each step is also tried by somebody who must not.
import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { test } from "node:test";

import { payloads, providers } from "./hooks.mjs";
import { anonymous, as, call, newcomer, northwind, refused, sql, unique, volt } from "./stack.mjs";

const { FUNCTIONS_URL, SUPABASE_SECRET_KEY } = process.env;
const { calls } = providers({ secretKey: SUPABASE_SECRET_KEY, functionsUrl: FUNCTIONS_URL });

async function rows(query) {
  const { data, error } = await query;
  assert.ifError(error);
  return data;
}

/** What a table refuses, and how. */
async function denied(query, code = "42501") {
  const { data, error } = await query;
  assert.equal(error?.code, code, `${JSON.stringify(data)} ${JSON.stringify(error)}`);
}

/** Whoever is nobody in the client: of the same org, of another one. */
const outsiders = async () => [await as("dispatcher"), await as("technician"), await as("owner", volt)];

/** A client of csr's with sales as a member and a viewer; its members. */
async function workspace() {
  const [csr, sales, viewer] = await Promise.all(["csr", "sales", "viewer"].map((role) => as(role)));
  const client = await call(csr, "crm_create_client", { name: unique("Acme") });
  await rows(csr.from("client_members").insert([
    { client_id: client.id, user_id: sales.id, role: "member" }, { client_id: client.id, user_id: viewer.id, role: "viewer" },
  ]));
  return { client, csr, sales, viewer };
}

async function campaign(settings = {}) {
  const its = await workspace();
  const project = await rows(its.sales.from("projects")
    .insert({ client_id: its.client.id, name: unique("Spring"), settings }).select().single());
  return { ...its, project };
}

const send = async ([path, body, headers]) => {
  const response = await fetch(`${FUNCTIONS_URL}${path}`, { method: "POST", body, headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
};

test("who signs up has a profile as soon as there is an org for it, and nobody else's", async () => {
  const email = `${randomUUID()}@people.example`;
  const { data, error } = await anonymous().auth.signUp({ email, password: randomUUID() });
  assert.ifError(error);
  assert.equal(data.user.email, email);

  const owner = await newcomer("founder");
  assert.deepEqual(await rows(owner.from("profiles").select()), [], "nobody belongs to no org");
  const { org } = await call(owner, "crm_create_org", { name: unique("Agency"), full_name: "Ada Founder" });
  const profile = ({ id, org_id, role, status, full_name }) => ({ id, org_id, role, status, full_name });
  const founder = { id: owner.id, org_id: org.id, role: "owner", status: "active", full_name: "Ada Founder" };
  assert.deepEqual((await rows(owner.from("profiles").select())).map(profile), [founder]);

  const member = await newcomer("colleague");
  const { token } = await call(owner, "crm_invite_member", { email: member.email, role: "sales" });
  // Neither the token in another's hands nor an own idea of one's role makes a profile.
  const thief = await newcomer("thief");
  assert.equal((await refused(thief, "crm_accept_invite", { token })).details.code, "invite_email_mismatch");
  await denied(thief.from("profiles").insert({ id: thief.id, org_id: org.id, role: "owner" }));
  await call(member, "crm_accept_invite", { token, full_name: "Bea Colleague" });
  const joined = { id: member.id, org_id: org.id, role: "sales", status: "active", full_name: "Bea Colleague" };
  const all = (await rows(owner.from("profiles").select())).map(profile);
  assert.deepEqual(all.sort((one, other) => (one.full_name < other.full_name ? -1 : 1)), [founder, joined]);
  for (const stranger of [thief, await as("owner", volt)]) {
    assert.deepEqual(await rows(stranger.from("profiles").select().eq("org_id", org.id)), []);
  }
  assert.equal((await refused(member, "crm_invite_member", { email: thief.email, role: "viewer" })).status, 403);
});

test("who makes a client is its admin, and says who else may enter", async () => {
  const { client, csr, sales, viewer } = await workspace();
  const members = await rows(csr.from("client_members").select("user_id, role").eq("client_id", client.id).order("role"));
  assert.deepEqual(members, [
    { user_id: csr.id, role: "admin" }, { user_id: sales.id, role: "member" }, { user_id: viewer.id, role: "viewer" },
  ]);
  for (const user of [csr, sales, viewer, await as("manager")]) {
    assert.equal((await rows(user.from("clients").select().eq("id", client.id))).length, 1, user.email);
    assert.equal(await call(user, "can_access_client", { user_id: user.id, client_id: client.id }), true, user.email);
  }
  for (const user of await outsiders()) {
    assert.deepEqual(await rows(user.from("clients").select().eq("id", client.id)), [], user.email);
    assert.deepEqual(await rows(user.from("client_members").select().eq("client_id", client.id)), [], user.email);
    assert.equal(await call(user, "can_access_client", { user_id: user.id, client_id: client.id }), false, user.email);
    const { error } = await user.from("client_members").insert({ client_id: client.id, user_id: user.id, role: "admin" });
    assert.ok(error, user.email);
  }
  // A member lets nobody in and does not rise; a viewer makes no client.
  const dispatcher = await as("dispatcher");
  await denied(sales.from("client_members").insert({ client_id: client.id, user_id: dispatcher.id, role: "viewer" }));
  assert.deepEqual(await rows(sales.from("client_members").update({ role: "admin" }).eq("user_id", sales.id).eq("client_id", client.id).select()), []);
  assert.equal((await refused(viewer, "crm_create_client", { name: "Mine" })).details.code, "forbidden");
  // Somebody of another org is nobody whom one could let in.
  await denied(csr.from("client_members").insert({ client_id: client.id, user_id: (await as("csr", volt)).id, role: "viewer" }), "23503");
});

test("a project begins with the team of its client, and who leaves the client leaves it", async () => {
  const { client, csr, sales, viewer, project } = await campaign();
  const team = await rows(csr.from("project_members").select("user_id, role").eq("project_id", project.id));
  assert.deepEqual(Object.fromEntries(team.map(({ user_id, role }) => [user_id, role])), {
    [csr.id]: "manager", [sales.id]: "manager", [viewer.id]: "viewer",
  });
  const may = async (user) => [
    (await rows(user.from("projects").select().eq("id", project.id))).length === 1,
    await call(user, "can_access_project", { user_id: user.id, project_id: project.id }),
  ];
  for (const user of [csr, sales, viewer]) assert.deepEqual(await may(user), [true, true], user.email);
  for (const user of await outsiders()) {
    assert.deepEqual(await may(user), [false, false], user.email);
    const { error } = await user.from("projects").insert({ client_id: client.id, name: "Theirs" });
    assert.ok(error, user.email);
    assert.equal((await refused(user, "get_project_summary", { project_id: project.id })).details.code, "not_found", user.email);
  }
  await denied(viewer.from("projects").insert({ client_id: client.id, name: "Seen" }));
  assert.deepEqual(await rows(viewer.from("projects").update({ name: "Seen" }).eq("id", project.id).select()), []);

  await rows(csr.from("client_members").delete().eq("client_id", client.id).eq("user_id", sales.id));
  assert.deepEqual(await may(sales), [false, false], "from the next statement on");
  assert.equal((await rows(csr.from("project_members").select().eq("project_id", project.id))).length, 2);
});

test("a lead of a landing page goes to whose turn it is, and becomes a customer; the figures follow", async () => {
  const { csr, sales, viewer, project } = await campaign({ lead_assignment: "round_robin" });
  const key = `landing_${randomUUID().replaceAll("-", "")}`;
  const door = { channel: "form", address: key, project_id: project.id, settings: { source: "google_ads", max_per_minute: 1000 } };
  for (const user of [csr, viewer]) assert.equal((await refused(user, "crm_create_channel", door)).status, 403, user.email);
  await call(await as("manager"), "crm_create_channel", door);

  const people = Array.from({ length: 4 }, (_, n) => ({ first_name: `Visitor ${n}`, email: `${randomUUID()}@mail.example` }));
  for (const person of people) {
    const headers = { "content-type": "application/json", "idempotency-key": person.email };
    const body = JSON.stringify(person);
    await send([`/webhook-handler/${key}`, body, headers]);
    await send([`/webhook-handler/${key}`, body, headers]);
  }
  const mine = (user) => rows(user.from("leads").select().eq("project_id", project.id).order("created_at").order("id"));
  const leads = await mine(sales);
  assert.deepEqual(leads.map(({ email }) => email).sort(), people.map(({ email }) => email).sort(), "each once");
  const shares = (id) => leads.filter(({ assigned_to }) => assigned_to === id).length;
  assert.deepEqual([shares(csr.id), shares(sales.id), shares(viewer.id)], [2, 2, 0], "a viewer gets none");
  assert.ok(leads.every(({ source, status, assigned_at }) => source === "google_ads" && status === "new" && assigned_at));
  assert.equal((await mine(viewer)).length, 4);

  const [lead] = leads;
  for (const user of await outsiders()) {
    assert.deepEqual(await mine(user), [], user.email);
    for (const [name, args] of [
      ["crm_create_lead", { project_id: project.id, first_name: "x" }], ["crm_update_lead", { id: lead.id, patch: { notes: "x" } }],
      ["crm_assign_lead", { lead_id: lead.id }],
    ]) assert.equal((await refused(user, name, args)).details.code, "not_found", `${user.email} ${name}`);
    assert.equal(await call(user, "can_manage_lead", { user_id: user.id, lead_id: lead.id }), false);
  }
  for (const [name, args] of [
    ["crm_create_lead", { project_id: project.id, first_name: "x" }], ["crm_update_lead", { id: lead.id, patch: { notes: "x" } }],
    ["crm_assign_lead", { lead_id: lead.id }], ["crm_convert_lead", { lead_id: lead.id }],
  ]) assert.equal((await refused(viewer, name, args)).details.code, "forbidden", name);

  const given = await call(csr, "crm_assign_lead", { lead_id: lead.id, user_id: sales.id });
  assert.equal(given.assigned_to, sales.id);
  const stranger = await refused(csr, "crm_assign_lead", { lead_id: lead.id, user_id: (await as("dispatcher")).id });
  assert.equal(stranger.details.errors[0].code, "unknown_assignee");
  await call(sales, "crm_update_lead", { id: lead.id, patch: { status: "contacted" } });
  const made = await call(sales, "crm_convert_lead", { lead_id: lead.id });
  assert.equal(made.created, true);
  assert.equal((await call(sales, "crm_convert_lead", { lead_id: lead.id })).customer_id, made.customer_id);
  const customer = await call(sales, "crm_get_customer", { id: made.customer_id });
  assert.equal(customer.contacts[0].value, lead.email);
  assert.equal((await refused(await as("owner", volt), "crm_get_customer", { id: made.customer_id })).status, 404);

  const told = await rows(sales.from("activities").select("action, metadata").eq("entity_id", lead.id).order("created_at"));
  assert.deepEqual(told.map(({ action, metadata }) => [action, metadata.to]), [
    ["created", undefined], ["status_changed", "contacted"], ["status_changed", "converted"],
  ]);
  const figures = (user) => rows(user.from("metrics").select("metric_name, metric_value").eq("entity_id", project.id).eq("period", "monthly").order("metric_name"));
  const numbers = (list) => list.map(({ metric_name, metric_value }) => [metric_name, Number(metric_value)]);
  for (const user of [sales, viewer]) assert.deepEqual(numbers(await figures(user)), [["conversion_rate", 0.25], ["lead_count", 4]], user.email);
  assert.equal(Number(await call(viewer, "calculate_conversion_rate", { project_id: project.id })), 0.25);
  const sources = await call(viewer, "get_source_performance", { project_id: project.id });
  assert.deepEqual(sources.map(({ source, count, rate }) => [source, Number(count), Number(rate)]), [["google_ads", 4, 0.25]]);
  const summary = await call(sales, "get_project_summary", { project_id: project.id });
  assert.deepEqual([summary.leads.total, summary.leads.by_status.converted, summary.leads.assigned, summary.team], [4, 1, 4, 3]);

  const report = { client_id: project.client_id, project_id: project.id, name: "Spring", type: "project_summary", data: summary };
  const kept = await rows(sales.from("reports").insert(report).select().single());
  assert.deepEqual([kept.generated_by, kept.data], [sales.id, summary]);
  await denied(viewer.from("reports").insert(report));
  assert.equal((await rows(viewer.from("reports").select().eq("id", kept.id))).length, 1);
  for (const user of await outsiders()) {
    for (const table of ["metrics", "reports", "activities"]) {
      const column = table === "reports" ? "project_id" : "entity_id";
      const id = table === "activities" ? lead.id : project.id;
      assert.deepEqual(await rows(user.from(table).select().eq(column, id)), [], `${user.email} ${table}`);
    }
    assert.ok((await user.from("reports").insert(report)).error, user.email);
  }
});

const text = payloads("whatsapp").find(({ name }) => name === "text").body.toString();
const read = payloads("whatsapp").find(({ name }) => name === "status_read").body.toString();

test("what somebody writes on WhatsApp is one conversation, that is answered and read", async () => {
  const { csr, sales, viewer, project } = await campaign({ lead_assignment: "least_loaded" });
  const address = String(randomInt(10 ** 13, 10 ** 14));
  await call(await as("manager"), "crm_create_channel", { channel: "whatsapp", address, project_id: project.id });
  const phone = `1708555${String(randomInt(10_000)).padStart(4, "0")}`;
  const deliver = (body) => send(calls.whatsapp(Buffer.from(body.replaceAll("106540352242922", address).replaceAll("16505551234", phone))));
  const say = (id, said) => deliver(text.replace("wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTRBNjU5OUFF0001", id).replace("Does it come in another color?", said));
  const [first, second, third, out] = Array.from({ length: 4 }, () => `wamid.${randomUUID()}`);
  await say(first, "Hello 👋");
  await Promise.all(Array.from({ length: 3 }, () => say(second, "Anybody there?")));

  const [lead, ...more] = await rows(sales.from("leads").select().eq("project_id", project.id));
  assert.deepEqual(more, []);
  assert.deepEqual([lead.first_name, lead.last_name, lead.phone, lead.source], ["Sheena", "Nelson", `+${phone}`, "whatsapp"]);
  assert.ok([csr.id, sales.id].includes(lead.assigned_to));
  const conversations = (user) => rows(user.from("conversations").select().eq("lead_id", lead.id).order("created_at"));
  const [conversation, ...others] = await conversations(viewer);
  assert.deepEqual(others, []);
  assert.deepEqual([conversation.channel, conversation.status, conversation.message_count], ["whatsapp", "active", 2]);
  const messages = (user) => rows(user.from("messages").select().eq("conversation_id", conversation.id).order("created_at").order("content"));
  assert.deepEqual((await messages(viewer)).map(({ content, direction }) => [content, direction]).sort(), [
    ["Anybody there?", "inbound"], ["Hello 👋", "inbound"],
  ]);

  const answer = { conversation_id: conversation.id, content: "Thursday at ten?", idempotency_key: randomUUID() };
  assert.equal((await refused(viewer, "crm_reply_to_conversation", answer)).details.code, "forbidden");
  for (const user of await outsiders()) {
    assert.deepEqual([await conversations(user), await messages(user)], [[], []], user.email);
    assert.equal((await refused(user, "crm_reply_to_conversation", answer)).details.code, "not_found", user.email);
    assert.equal((await refused(user, "create_conversation", { lead_id: lead.id, channel: "sms" })).details.code, "not_found", user.email);
    assert.equal((await refused(user, "process_incoming_message", { lead_id: lead.id, content: "x", platform: "sms" })).details.code, "not_found", user.email);
  }
  const replied = await call(sales, "crm_reply_to_conversation", answer);
  assert.deepEqual(await call(sales, "crm_reply_to_conversation", answer), replied, "the same key again");
  assert.equal(replied.status, "queued");
  const reply = async () => (await rows(viewer.from("messages").select().eq("id", replied.message_id)))[0];
  const { direction, sender_type, sender_id, content, conversation_id } = await reply();
  assert.deepEqual([direction, sender_type, sender_id, content, conversation_id], ["outbound", "user", sales.id, "Thursday at ten?", conversation.id]);
  const [queued] = await rows(sales.from("crm_outbox").select().eq("id", replied.outbox_id));
  assert.deepEqual([queued.to_address, queued.channel, queued.lead_id], [`+${phone}`, "whatsapp", lead.id]);
  assert.deepEqual(await rows((await as("dispatcher")).from("crm_outbox").select().eq("id", replied.outbox_id)), []);
  assert.deepEqual(await rows((await as("owner", volt)).from("crm_outbox").select().eq("id", replied.outbox_id)), []);

  // It went out under this id; the dispatcher of another test may have taken it first.
  await sql`
    update crm_outbox set status = 'sending', lease_id = gen_random_uuid(), leased_until = now() + interval '1 hour'
    where id = ${replied.outbox_id} and status = 'queued'`;
  await sql`
    update crm_outbox set status = 'sent', provider = 'whatsapp_cloud', provider_message_id = ${out}, sent_at = now(), leased_until = null
    where id = ${replied.outbox_id}`;
  assert.equal((await reply()).status, "sent");
  await deliver(read.replaceAll("wamid.OUTBOUND0001", out));
  assert.equal((await reply()).status, "read");
  await say(third, "Ten is fine");
  const [{ message_count, last_message_at }] = await conversations(sales);
  assert.equal(message_count, 4);
  const newest = (await messages(sales)).map(({ created_at }) => Date.parse(created_at)).sort((one, other) => one - other).at(-1);
  assert.equal(Date.parse(last_message_at), newest);
  await call(csr, "update_conversation_stats", { conversation_id: conversation.id });
  assert.equal((await conversations(sales))[0].message_count, 4, "counted anew it is the same");

  // What is closed stays; who writes again begins another one.
  await rows(sales.from("conversations").update({ status: "closed" }).eq("id", conversation.id).select());
  assert.equal((await refused(sales, "crm_reply_to_conversation", { ...answer, idempotency_key: randomUUID() })).details.code, "wrong_state");
  assert.deepEqual(await rows(viewer.from("conversations").update({ status: "active" }).eq("id", conversation.id).select()), []);
  await say(`wamid.${randomUUID()}`, "One more thing");
  assert.deepEqual((await conversations(sales)).map(({ status, message_count: count }) => [status, count]), [["closed", 4], ["active", 1]]);
  assert.equal((await anonymous().rpc("create_conversation", { lead_id: lead.id, channel: "sms" })).status, 401);
  const [{ strays }] = await sql`select count(*)::int as strays from messages where org_id = ${volt.id} and provider_message_id = any(${[first, second, third, out]})`;
  assert.equal(strays, 0);
  assert.equal(lead.org_id, northwind.id);
});
