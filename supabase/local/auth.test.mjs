// Tokens and the admin API, through supabase-js.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodeJwt } from "jose";
import { client, openDatabase, publishableKey, secretKey, sign, url } from "./stack.testing.mjs";

const sql = openDatabase();
const { admin } = client(secretKey).auth;
const password = "a long enough one";
const address = (name) => `gateway_test_${name}@gateway.example`;
const removeAll = () => sql`delete from auth.users where email like 'gateway\_test\_%@gateway.example'`;

async function create(name, attributes = {}) {
  const { data, error } = await admin.createUser({ email: address(name), password, email_confirm: true, ...attributes });
  assert.ifError(error);
  return data.user;
}

before(removeAll);
after(async () => {
  await removeAll();
  await sql.end();
});

test("access tokens carry app_metadata and user_metadata, also after a refresh", async () => {
  await create("token", { app_metadata: { org: "x" }, user_metadata: { name: "Zoë" } });
  const { auth } = client(publishableKey);
  const first = await auth.signInWithPassword({ email: address("token"), password });
  assert.ifError(first.error);
  const refreshed = await auth.refreshSession();
  assert.ifError(refreshed.error);
  for (const { session } of [first.data, refreshed.data]) {
    const claims = decodeJwt(session.access_token);
    assert.equal(claims.app_metadata.org, "x");
    assert.deepEqual(claims.app_metadata.providers, ["email"]);
    assert.equal(claims.user_metadata.name, "Zoë");
    assert.equal(claims.role, "authenticated");
  }
  // The server takes its own token back.
  assert.equal((await auth.getUser()).data.user.email, address("token"));
});

test("sign-up answers with a completed token and stores metadata as JSON", async () => {
  const { data, error } = await client(publishableKey).auth.signUp({ email: address("signup"), password, options: { data: { name: "Ada" } } });
  assert.ifError(error);
  assert.equal(decodeJwt(data.session.access_token).user_metadata.name, "Ada");
  const [row] = await sql`select raw_user_meta_data ->> 'name' as name from auth.users where email = ${address("signup")}`;
  assert.equal(row.name, "Ada");
});

test("the admin API creates, reads, updates, lists and deletes users", async () => {
  const user = await create("crud", { app_metadata: { a: 1, b: 2 } });
  assert.equal((await admin.getUserById(user.id)).data.user.identities[0].identity_data.email, address("crud"));

  const updated = await admin.updateUserById(user.id, { email: address("renamed"), password: "quite another one", app_metadata: { a: null, c: 3 } });
  assert.ifError(updated.error);
  assert.equal(updated.data.user.email, address("renamed"));
  assert.deepEqual(updated.data.user.app_metadata, { provider: "email", providers: ["email"], b: 2, c: 3 });
  const { auth } = client(publishableKey);
  assert.equal((await auth.signInWithPassword({ email: address("renamed"), password })).error.code, "invalid_credentials");
  assert.ifError((await auth.signInWithPassword({ email: address("renamed"), password: "quite another one" })).error);

  const listed = await admin.listUsers({ page: 1, perPage: 1 });
  assert.equal(listed.data.users.length, 1);
  const [{ total }] = await sql`select count(*)::int as total from auth.users`;
  assert.equal(listed.data.total, total);

  assert.ifError((await admin.deleteUser(user.id)).error);
  assert.equal((await admin.getUserById(user.id)).error.status, 404);
});

test("a taken address is refused", async () => {
  await create("taken");
  const { error } = await admin.createUser({ email: address("taken").toUpperCase(), password });
  assert.equal(error.status, 422);
  assert.equal(error.code, "email_exists");
});

test("bad input is refused with its reason", async () => {
  for (const [attributes, code] of [
    [{ email: "nobody", password }, "validation_failed"],
    [{ email: address("weak"), password: "short" }, "weak_password"],
    [{ email: address("odd"), password, app_metadata: [1] }, "validation_failed"],
  ]) assert.equal((await admin.createUser(attributes)).error.code, code);
});

test("only the secret key or a service_role token opens the admin API", async () => {
  const user = await create("plain");
  const tokens = client(publishableKey).auth;
  const { data } = await tokens.signInWithPassword({ email: address("plain"), password });
  const status = async (headers) => (await fetch(`${url}/auth/v1/admin/users/${user.id}`, { headers })).status;
  const bearer = (token) => ({ authorization: `Bearer ${token}` });
  const forged = await sign({ role: "service_role" }, "another secret of a sufficient length");
  assert.equal(await status({}), 401);
  assert.equal(await status({ apikey: "sb_secret_wrong" }), 401);
  assert.equal(await status({ apikey: "sb_secret_wrong", ...bearer(secretKey) }), 401);
  assert.equal(await status({ apikey: publishableKey }), 403);
  assert.equal(await status({ apikey: publishableKey, ...bearer(data.session.access_token) }), 403);
  assert.equal(await status({ apikey: secretKey, ...bearer(data.session.access_token) }), 403);
  assert.notEqual(await status({ apikey: publishableKey, ...bearer(forged) }), 200);
  assert.equal(await status({ apikey: publishableKey, ...bearer(await sign({ role: "service_role" })) }), 200);
  assert.equal(await status({ apikey: secretKey, ...bearer(secretKey) }), 200);
});

test("a wrong API key opens nothing", async () => {
  for (const key of ["", "sb_secret_wrong", publishableKey.slice(0, -1)])
    assert.equal((await fetch(`${url}/rest/v1/anything`, { headers: { apikey: key } })).status, 401);
});

test("a browser's preflight is answered for every service", async () => {
  for (const path of ["rest/v1/anything", "auth/v1/token", "auth/v1/admin/users", "storage/v1/bucket"]) {
    const headers = { origin: "http://localhost:3000", "access-control-request-method": "POST", "access-control-request-headers": "apikey,x-own" };
    const response = await fetch(`${url}/${path}`, { method: "OPTIONS", headers });
    assert.ok(response.ok, path);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.match(response.headers.get("access-control-allow-headers"), /x-own/);
  }
  const answer = await fetch(`${url}/auth/v1/user`, { headers: { apikey: publishableKey } });
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
});
