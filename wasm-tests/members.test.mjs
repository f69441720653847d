import assert from "node:assert/strict";
import { test } from "node:test";

import { as, call, newcomer, refused, sql, unique } from "./stack.mjs";

async function newOrg(settings = {}) {
  const owner = await newcomer("owner");
  const session = await call(owner, "crm_create_org", { name: unique("Pipes & Co"), ...settings });
  return { owner, session };
}

async function join(owner, role) {
  const user = await newcomer(role);
  const { token } = await call(owner, "crm_invite_member", { email: user.email, role });
  await call(user, "crm_accept_invite", { token, full_name: `A ${role}` });
  return user;
}

test("a signed-in user without an org becomes the owner of a new one", async () => {
  const owner = await newcomer("owner");
  const name = unique("Rohr & Söhne");
  const settings = { name, time_zone: "Europe/Berlin", default_country: "DE", full_name: "Käthe Rohr" };
  const session = await call(owner, "crm_create_org", settings);
  assert.equal(session.role, "owner");
  assert.equal(session.org.name, name);
  assert.equal(session.org.time_zone, "Europe/Berlin");
  assert.equal(session.org.default_country, "DE");
  assert.equal(session.profile.full_name, "Käthe Rohr");
  assert.equal((await call(owner, "crm_session")).org.id, session.org.id);
});

test("a user belongs to one org", async () => {
  const { owner } = await newOrg();
  const refusal = await refused(owner, "crm_create_org", { name: "Another" });
  assert.equal(refusal.status, 409);
  assert.equal(refusal.details.code, "already_member");
});

test("an org with an unknown time zone or country is not made", async () => {
  const user = await newcomer();
  for (const [key, value] of [["time_zone", "Europe/Atlantis"], ["default_country", "ZZ"], ["name", "  "]]) {
    const refusal = await refused(user, "crm_create_org", { name: "Odd", [key]: value });
    assert.equal(refusal.status, 400, key);
    assert.equal(refusal.details.errors[0].path, key);
  }
  assert.equal((await call(user, "crm_session")).org, null);
});

test("an invitation makes a member once, and its token is stored nowhere", async () => {
  const { owner, session } = await newOrg();
  const user = await newcomer("csr");
  const invite = await call(owner, "crm_invite_member", { email: user.email.toUpperCase(), role: "csr" });
  assert.equal(invite.email, user.email);
  assert.equal(invite.role, "csr");
  const hours = (new Date(invite.expires_at) - Date.now()) / 3_600_000;
  assert.ok(hours > 167 && hours <= 168, `${hours} hours`);
  const [{ stored }] = await sql`select i::text as stored from org_invites i where id = ${invite.id}`;
  assert.ok(!stored.includes(invite.token));

  const joined = await call(user, "crm_accept_invite", { token: invite.token, full_name: "Cy Esar" });
  assert.equal(joined.org.id, session.org.id);
  assert.equal(joined.role, "csr");
  assert.equal(joined.profile.full_name, "Cy Esar");

  const late = await newcomer("late");
  const again = await refused(late, "crm_accept_invite", { token: invite.token });
  assert.equal(again.status, 404);
  assert.equal(again.details.code, "invite_not_found");
});

test("an invitation is for one address", async () => {
  const { owner } = await newOrg();
  const invite = await call(owner, "crm_invite_member", { email: "somebody@people.example", role: "viewer" });
  const refusal = await refused(await newcomer("thief"), "crm_accept_invite", { token: invite.token });
  assert.equal(refusal.status, 403);
  assert.equal(refusal.details.code, "invite_email_mismatch");
});

test("an expired invitation is refused", async () => {
  const { owner } = await newOrg();
  const user = await newcomer();
  const invite = await call(owner, "crm_invite_member", { email: user.email, role: "viewer", expires_in_hours: 1 });
  await sql`update org_invites set expires_at = now() - interval '1 second' where id = ${invite.id}`;
  const refusal = await refused(user, "crm_accept_invite", { token: invite.token });
  assert.equal(refusal.status, 404);
  assert.equal(refusal.details.code, "invite_not_found");
});

test("one invitation accepted twice at the same time makes one member", async () => {
  const { owner, session } = await newOrg();
  const user = await newcomer();
  const { token } = await call(owner, "crm_invite_member", { email: user.email, role: "viewer" });
  const answers = await Promise.all([1, 2, 3, 4].map(() => user.rpc("crm_accept_invite", { token })));
  assert.equal(answers.filter(({ error }) => !error).length, 1);
  const [{ count }] = await sql`
    select count(*)::int from profiles where org_id = ${session.org.id} and id = ${user.id}`;
  assert.equal(count, 1);
});

test("only those who manage members invite, change and deactivate", async () => {
  const { owner } = await newOrg();
  const target = await join(owner, "viewer");
  for (const role of ["manager", "dispatcher", "csr", "sales", "technician", "member", "viewer", "client_admin"]) {
    const user = await join(owner, role);
    for (const [name, args] of [
      ["crm_invite_member", { email: "x@people.example", role: "viewer" }],
      ["crm_set_member_role", { user_id: target.id, role: "csr" }],
      ["crm_deactivate_member", { user_id: target.id }],
      ["crm_set_member_role", { user_id: user.id, role: "owner" }],
    ]) {
      const refusal = await refused(user, name, args);
      assert.equal(refusal.status, 403, `${role} ${name}`);
      assert.equal(refusal.details.code, "forbidden", `${role} ${name}`);
    }
  }
});

test("nobody raises their own role, and an admin reaches no owner", async () => {
  const { owner } = await newOrg();
  const admin = await join(owner, "admin");
  for (const [name, args] of [
    ["crm_set_member_role", { user_id: admin.id, role: "owner" }],
    ["crm_set_member_role", { user_id: owner.id, role: "viewer" }],
    ["crm_deactivate_member", { user_id: owner.id }],
    ["crm_invite_member", { email: "x@people.example", role: "owner" }],
    ["crm_invite_member", { email: "x@people.example", role: "portal_customer" }],
  ]) {
    const refusal = await refused(admin, name, args);
    assert.equal(refusal.status, 403, name);
    assert.equal(refusal.details.code, "role_not_grantable", name);
  }
  assert.equal((await call(admin, "crm_session")).role, "admin");
  assert.equal((await call(owner, "crm_session")).role, "owner");
});

test("no table lets a member write a role", async () => {
  const { owner } = await newOrg();
  const member = await join(owner, "viewer");
  const { data } = await member.from("profiles").update({ role: "owner" }).eq("id", member.id).select();
  assert.ok(!data?.length);
  const { error } = await member.from("profiles").insert({ id: member.id, org_id: owner.id, role: "owner" });
  assert.ok(error);
  assert.equal((await call(member, "crm_session")).role, "viewer");
});

test("the last owner stays, until there is another", async () => {
  const { owner } = await newOrg();
  for (const [name, args] of [
    ["crm_set_member_role", { user_id: owner.id, role: "admin" }],
    ["crm_deactivate_member", { user_id: owner.id }],
  ]) {
    const refusal = await refused(owner, name, args);
    assert.equal(refusal.status, 409, name);
    assert.equal(refusal.details.code, "last_owner", name);
  }
  const heir = await join(owner, "csr");
  assert.equal((await call(owner, "crm_set_member_role", { user_id: heir.id, role: "owner" })).role, "owner");
  await call(owner, "crm_set_member_role", { user_id: owner.id, role: "admin" });
  assert.equal((await call(owner, "crm_session")).role, "admin");
});

test("two owners who step down at the same time leave one", async () => {
  const { owner, session } = await newOrg();
  const other = await join(owner, "owner");
  await Promise.all([owner, other].map((one) => one.rpc("crm_set_member_role", { user_id: one.id, role: "admin" })));
  const [{ count }] = await sql`
    select count(*)::int from profiles where org_id = ${session.org.id} and role = 'owner' and status = 'active'`;
  assert.equal(count, 1);
});

test("a deactivated member comes back with a role", async () => {
  const { owner } = await newOrg();
  const member = await join(owner, "csr");
  assert.equal((await call(owner, "crm_deactivate_member", { user_id: member.id })).status, "inactive");
  assert.equal((await call(member, "crm_session")).role, null);
  const back = await call(owner, "crm_set_member_role", { user_id: member.id, role: "sales" });
  assert.deepEqual([back.role, back.status], ["sales", "active"]);
  assert.equal((await call(member, "crm_session")).role, "sales");
});

test("members of another org do not exist", async () => {
  const { owner } = await newOrg();
  const stranger = await as("csr");
  for (const [name, args] of [
    ["crm_set_member_role", { user_id: stranger.id, role: "viewer" }],
    ["crm_deactivate_member", { user_id: stranger.id }],
  ]) {
    const refusal = await refused(owner, name, args);
    assert.equal(refusal.status, 404, name);
    assert.equal(refusal.details.code, "not_found");
  }
  const { data } = await owner.from("profiles").select("id");
  assert.deepEqual(data, [{ id: owner.id }]);
});
