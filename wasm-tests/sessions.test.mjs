import assert from "node:assert/strict";
import { test } from "node:test";

import { anonymous, as, call, capabilities, crm, newcomer, northwind, refused, unique, volt } from "./stack.mjs";

for (const [org, orgName] of [[northwind, "Northwind"], [volt, "Volt"]]) {
  for (const [role, expected] of Object.entries(capabilities)) {
    test(`${role} of ${orgName} signs in and learns who they are`, async () => {
      const user = await as(role, org);
      const session = await call(user, "crm_session");
      assert.equal(session.user_id, user.id);
      assert.equal(session.org.id, org.id);
      assert.match(session.org.name, new RegExp(orgName));
      assert.equal(session.role, role);
      assert.equal(session.profile.id, user.id);
      assert.equal(session.profile.email, user.email);
      assert.deepEqual([...session.capabilities].sort(), [...expected].sort());
    });
  }
}

test("a user without an org has a session and nothing in it", async () => {
  const user = await newcomer();
  const session = await call(user, "crm_session");
  assert.equal(session.user_id, user.id);
  assert.equal(session.org, null);
  assert.equal(session.profile, null);
  assert.equal(session.role, null);
  assert.deepEqual(session.capabilities, []);
});

test("without a sign-in there is no session", async () => {
  const { data, error, status } = await anonymous().rpc("crm_session");
  assert.equal(data, null);
  assert.equal(status, 401);
  assert.ok(error.code);
});

test("a forged token is refused at both doors", async () => {
  const user = await as("csr");
  const [head, body] = user.token.split(".");
  const forged = { token: `${head}.${body}.${"A".repeat(43)}` };
  assert.equal((await crm(forged, "GET", "/customers")).status, 401);
  const other = anonymous();
  const { status } = await other.rpc("crm_session").setHeader("authorization", `Bearer ${forged.token}`);
  assert.equal(status, 401);
});

test("a revoked member is out at the next request, with the same token", async () => {
  const owner = await newcomer("owner");
  await call(owner, "crm_create_org", { name: unique("Revocation Ltd") });
  const member = await newcomer("csr");
  const invite = await call(owner, "crm_invite_member", { email: member.email, role: "csr" });
  await call(member, "crm_accept_invite", { token: invite.token });
  const customer = await call(member, "crm_create_customer", { type: "individual", name: "Ada" });
  assert.equal((await crm(member, "GET", `/customers/${customer.id}`)).status, 200);

  await call(owner, "crm_deactivate_member", { user_id: member.id });

  const session = await call(member, "crm_session");
  assert.equal(session.org, null);
  assert.equal(session.role, null);
  assert.deepEqual(session.capabilities, []);
  const { data } = await member.from("customers").select("id");
  assert.deepEqual(data, []);
  const refusal = await refused(member, "crm_create_customer", { type: "individual", name: "Bob" });
  assert.equal(refusal.status, 403);
  assert.equal(refusal.details.code, "no_membership");
  const { status, body } = await crm(member, "GET", `/customers/${customer.id}`);
  assert.equal(status, 403);
  assert.equal(body.code, "no_membership");
});
