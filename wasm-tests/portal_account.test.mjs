import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { as, call, northwind, portal, refused, service, signIn, sql, unique, volt } from "./stack.mjs";

const address = () => `portal-${randomUUID()}@people.example`;
const password = "a-long-enough-password";

const newCustomer = async (org, email) =>
  call(await as("csr", org), "crm_create_customer", { type: "individual", name: unique("Portal"), ...(email && { email }) });

/** What an answer says, and a client with its session. */
const signUp = async (slug, email, more = {}) => {
  const body = { slug, email, password, name: "Ada Lovelace", ...more };
  const answer = await portal(null, "POST", "/signup", body);
  return { answer, user: answer.status === 201 ? await signIn(email, password) : null };
};

/** An account by invitation: its owner, signed in. */
const invited = async (customer, more = {}) => {
  const email = address();
  const invite = await call(await as("csr"), "crm_create_portal_invite", { customer_id: customer.id, email, ...more });
  const answer = await portal(null, "POST", "/accept-invite", { token: invite.token, password, name: "Grace Hopper" });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return { invite, answer, user: await signIn(email, password) };
};

test("who signs up has a session, a dashboard and settings", async () => {
  const email = address();
  const { answer, user } = await signUp("northwind", email, { phone: "(312) 555-0142" });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.body.status, "active");
  assert.equal(answer.body.account.org_id, northwind.id);
  assert.ok(answer.body.session.access_token);

  const session = await portal(user, "POST", "/session");
  assert.equal(session.status, 200);
  assert.equal(session.body.profile.email, email);
  assert.equal(session.body.customers.length, 1);
  const dashboard = await portal(user, "GET", "/dashboard");
  assert.equal(dashboard.status, 200);
  assert.equal(dashboard.body.next_appointment, null);
  assert.equal(dashboard.body.open_threads, 0);

  const changed = await portal(user, "PATCH", "/settings/profile", { full_name: "Countess of Lovelace" });
  assert.equal(changed.body.profile.full_name, "Countess of Lovelace");
  const quiet = { quiet_hours_start: "22:00", quiet_hours_end: "07:00", timezone: "Europe/London" };
  const notifications = await portal(user, "PATCH", "/settings/notifications", quiet);
  assert.equal(notifications.body.timezone, "Europe/London");
  const settings = await portal(user, "GET", "/settings");
  assert.equal(settings.body.contacts.find((one) => one.type === "email").is_verified, true);
  assert.equal(settings.body.contacts.find((one) => one.type === "mobile").is_verified, false);

  // No table of staff is theirs to read.
  for (const table of ["customers", "portal_accounts", "portal_invites", "portal_audit_events"]) {
    const { data } = await user.from(table).select("*");
    assert.ok(!data?.length, table);
  }
});

/** The token of the invitation that goes to the address. */
const mailed = async (email) => {
  const sent = await sql`select secret as token from fieldcrm.outbox_secrets where to_address = ${email}`;
  assert.equal(sent.length, 1);
  return sent[0].token;
};

test("an address that an org knows gets an invitation, to that customer, in that org only", async () => {
  const email = address();
  const [ours, theirs] = [await newCustomer(northwind, email), await newCustomer(volt, email)];
  const { answer } = await signUp("volt", email);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  assert.equal(answer.body.status, "verify");
  const user = await signIn(email, password);
  const session = await portal(user, "POST", "/session");
  assert.deepEqual([session.status, session.body.status], [202, "verify"]);
  assert.equal((await portal(user, "GET", "/dashboard")).status, 403);
  const accepted = await portal(null, "POST", "/accept-invite", { token: await mailed(email), password });
  assert.equal(accepted.body.account?.customer_id, theirs.id, JSON.stringify(accepted.body));
  // Whoever was signed in before is not any more.
  assert.equal((await portal(user, "GET", "/dashboard")).status, 401);
  assert.equal((await portal(await signIn(email, password), "GET", "/dashboard")).status, 200);
  const [{ count }] = await sql`select count(*)::int from portal_accounts where customer_id = ${ours.id}`;
  assert.equal(count, 0);
});

test("a key is for one payload, and a repeat is let in once", async () => {
  const email = address();
  const headers = { "idempotency-key": randomUUID() };
  const body = { slug: "northwind", email, password, name: "Ada" };
  const answers = await Promise.all(Array.from({ length: 4 }, () => portal(null, "POST", "/signup", body, headers)));
  const again = await portal(null, "POST", "/signup", body, headers);
  assert.equal(again.status, 201);
  for (const { status, body } of answers.filter(({ status }) => status === 201))
    assert.deepEqual([status, body.account], [201, again.body.account]);
  const other = await portal(null, "POST", "/signup", { ...body, name: "Bo" }, headers);
  assert.deepEqual([other.status, other.body.code], [409, "idempotency_key_reused"]);

  const customer = await newCustomer(northwind);
  const invite = await call(await as("csr"), "crm_create_portal_invite", { customer_id: customer.id, email: address() });
  const accept = { token: invite.token, password, name: "Grace" };
  const accepted = await Promise.all(Array.from({ length: 4 }, () => portal(null, "POST", "/accept-invite", accept, headers)));
  const ids = new Set(accepted.filter(({ status }) => status === 201).map(({ body }) => body.account.id));
  assert.equal(ids.size, 1, JSON.stringify(accepted.map(({ body }) => body)));
  const changed = await portal(null, "POST", "/accept-invite", { ...accept, name: "Another" }, headers);
  assert.deepEqual([changed.status, changed.body.code], [409, "idempotency_key_reused"]);

  const user = await signIn(email, password);
  const sessions = await Promise.all(Array.from({ length: 4 }, () => portal(user, "POST", "/session", undefined, headers)));
  for (const { status, body } of sessions) assert.deepEqual([status, body], [200, sessions[0].body]);
});

test("the same sign-up sent ten times at once is one account", async () => {
  const email = address();
  const all = await Promise.all(Array.from({ length: 10 }, () => signUp("northwind", email)));
  const again = await signUp("northwind", email);
  assert.equal(again.answer.status, 201);
  const accounts = new Set(all.map(({ answer }) => answer).filter(({ status }) => status === 201).map(({ body }) => body.account.id));
  assert.deepEqual([...accounts], [again.answer.body.account.id]);
  const [{ customers }] = await sql`select count(*)::int as customers from customers where email = ${email}`;
  assert.equal(customers, 1);
});

test("somebody else's address, phone and visit let nobody in", async () => {
  const email = address();
  const victim = await newCustomer(northwind, email);
  await signUp("northwind", email);
  const [{ id }] = await sql`
    insert into quotes (org_id, customer_id, number) values (${northwind.id}, ${victim.id}, ${unique("Q")}) returning id`;
  const guess = await portal(null, "POST", "/signup", { slug: "northwind", email, password: "not their password", name: "Mallory" });
  assert.equal(guess.status, 202);
  assert.deepEqual(guess.body, { status: "verification_required" });
  const other = await signUp("northwind", address(), { booking_reference: id });
  assert.notEqual(other.answer.body.account.customer_id, victim.id);
});

test("several customers with one address wait for staff", async () => {
  const email = address();
  const [first, second] = [await newCustomer(northwind, email), await newCustomer(northwind, email)];
  const { answer } = await signUp("northwind", email);
  assert.deepEqual([answer.status, answer.body.code], [409, "wrong_state"]);
  const user = await signIn(email, password);
  const csr = await as("csr");
  const { data: told } = await csr.from("crm_notifications").select("data").eq("type", "portal_signup");
  assert.ok(told.some(({ data }) => data.customer_ids.includes(first.id) && data.customer_ids.includes(second.id)));
  await call(csr, "crm_merge_customers", { id: first.id, duplicate_id: second.id });
  const session = await portal(user, "POST", "/session");
  assert.deepEqual([session.status, session.body.status], [202, "verify"]);
  const accepted = await portal(null, "POST", "/accept-invite", { token: await mailed(email), password });
  assert.equal(accepted.body.account?.customer_id, first.id, JSON.stringify(accepted.body));
});

test("a property manager who was invited sees two customers, and a suspended one nothing", async () => {
  const [own, other] = [await newCustomer(northwind), await newCustomer(northwind)];
  const access = [{ customer_id: other.id }];
  const { invite, user } = await invited(own, { role: "property_manager", access });
  const session = await portal(user, "POST", "/session");
  assert.deepEqual(session.body.customers.map(({ id }) => id).sort(), [own.id, other.id].sort());

  const again = await portal(null, "POST", "/accept-invite", { token: invite.token, password });
  assert.equal(again.body.account.id, session.body.account.id);
  const stranger = await portal(null, "POST", "/accept-invite", { token: invite.token, password: "of a stranger" });
  assert.equal(stranger.status, 401);

  const csr = await as("csr");
  const change = (status) => call(csr, "crm_update_portal_account", { id: session.body.account.id, patch: { status } });
  await change("suspended");
  for (const [method, path] of [["POST", "/session"], ["GET", "/dashboard"], ["GET", "/settings"]]) {
    const answer = await portal(user, method, path);
    assert.equal(answer.status, 403, path);
    assert.equal(answer.body.code, "portal_account_inactive");
  }
  await change("active");
  assert.equal((await portal(user, "GET", "/dashboard")).status, 200);
  const foreign = await refused(await as("csr", volt), "crm_update_portal_account", { id: session.body.account.id, patch: {} });
  assert.equal(foreign.status, 404);
});

test("a revoked invitation and an unknown one open nothing", async () => {
  const customer = await newCustomer(northwind);
  const csr = await as("csr");
  const invite = await call(csr, "crm_create_portal_invite", { customer_id: customer.id, email: address() });
  await call(csr, "crm_revoke_portal_invite", { id: invite.id });
  for (const token of [invite.token, "0".repeat(64)]) {
    const answer = await portal(null, "POST", "/accept-invite", { token, password });
    assert.equal(answer.status, 404);
    assert.equal(answer.body.code, "invite_not_found");
  }
  const { data } = await service.auth.admin.listUsers();
  assert.ok(!data.users.some(({ email }) => email === invite.email));
});

test("a password is changed by who knows it", async () => {
  const { user } = await invited(await newCustomer(northwind));
  const wrong = await portal(user, "PATCH", "/settings/security", { current_password: "guess", password: "another-password" });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.body.errors[0].path, "current_password");
  const right = await portal(user, "PATCH", "/settings/security", { current_password: password, password: "another-password" });
  assert.equal(right.status, 200, JSON.stringify(right.body));
  await signIn(user.email, "another-password");
});

test("without a token there is only signing up and the knowledge base", async () => {
  for (const [method, path] of [["GET", "/dashboard"], ["POST", "/session"], ["GET", "/settings"], ["GET", "/appointments"]]) {
    const answer = await portal(null, method, path);
    assert.equal(answer.status, 401, path);
    assert.equal(answer.body.code, "unauthenticated");
  }
});

test("what owners of accounts did is there for staff", async () => {
  const { user, answer } = await invited(await newCustomer(northwind));
  await portal(user, "POST", "/session");
  const staff = await as("csr");
  const { data } = await staff.from("portal_audit_events").select("event_type, user_agent").eq("portal_account_id", answer.body.account.id);
  const types = data.map(({ event_type }) => event_type);
  assert.ok(types.includes("account_created") && types.includes("login"));
});
