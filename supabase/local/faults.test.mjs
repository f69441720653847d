// One test for each fault of @supabase/lite that connection.mjs answers. Each
// fails without its override; when one passes without, the override can go.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql as query } from "kysely";
import { DatabaseUnavailable, openConnection } from "./connection.mjs";
import { client, databaseUrl, openDatabase, publishableKey, secretKey, sign, url, known, eventually } from "./stack.testing.mjs";

const sql = openDatabase();
const service = client(secretKey);
const anon = client(publishableKey);

const SCRATCH = `
  create table public.gateway_test_things (
    id int primary key, name text, doc jsonb, amount numeric(12,2) check (amount >= 0),
    at timestamptz, local_at timestamp, bytes bytea
  );
  create table public.gateway_test_private (id int primary key);
  revoke all on public.gateway_test_private from anon, authenticated, service_role;
  create function public.gateway_test_kinds(doc jsonb, list json) returns text[] language sql
    as $$ select array[jsonb_typeof(doc), json_typeof(list)] $$;
  create function public.gateway_test_form(at timestamptz default null, words text[] default null) returns void language sql
    as $$ $$;
  create function public.gateway_test_raise(code text) returns void language plpgsql as $$
    begin raise exception 'the message' using errcode = code, detail = 'the detail', hint = 'the hint'; end $$;
  create function public.gateway_test_caller() returns jsonb language sql stable as $$
    select jsonb_build_object('user', current_user, 'uid', auth.uid(), 'role', auth.role(), 'email', auth.email(), 'jwt', auth.jwt()) $$;
  create function public.gateway_test_slow() returns void language plpgsql set statement_timeout = '100ms'
    as $$ begin perform pg_sleep(5); end $$;
  create function public.gateway_test_teapot(id int) returns void language plpgsql as $$
    begin
      insert into public.gateway_test_things (id) values (gateway_test_teapot.id);
      perform set_config('response.status', '418', true);
    end $$;
`;

const DROP = `
  drop table if exists public.gateway_test_things, public.gateway_test_private, public.gateway_test_late;
  drop function if exists public.gateway_test_kinds, public.gateway_test_form, public.gateway_test_raise, public.gateway_test_caller, public.gateway_test_slow,
    public.gateway_test_teapot;
`;

async function openScratchDatabase() {
  await sql`drop database if exists gateway_test_empty with (force)`;
  await sql`create database gateway_test_empty`;
  const address = new URL(databaseUrl);
  address.pathname = "/gateway_test_empty";
  return openConnection(address.href);
}

before(async () => {
  // What an interrupted run left is forgotten first, so that what is known below is new.
  await sql.unsafe(DROP);
  await eventually("the gateway has forgotten an older run", async () => !(await known("gateway_test_things")));
  await sql.unsafe(SCRATCH);
  await eventually("the gateway knows the test's tables and functions", () => known("rpc/gateway_test_caller"));
});

after(async () => {
  await sql.unsafe(DROP);
  await sql.end();
});

test("the first request of a connection grants nothing", async () => {
  await sql`alter table public.gateway_test_private enable row level security`;
  const connection = await openConnection(databaseUrl);
  try {
    await connection.withContext({ auth: { role: "anon" } }, (db) => query`select 1`.execute(db));
  } finally {
    await connection.close();
  }
  const granted = await sql`
    select role from unnest(array['anon', 'authenticated', 'service_role']) as role
    where has_table_privilege(role, 'public.gateway_test_private', 'select, insert, update, delete')`;
  assert.deepEqual(granted.map((row) => row.role), []);
});

test("requests run as the caller's role where no table has RLS", async () => {
  const connection = await openScratchDatabase();
  try {
    const { rows } = await connection.withContext({ auth: { role: "anon" } }, (db) => query`select current_user`.execute(db));
    assert.equal(rows[0].current_user, "anon");
  } finally {
    await connection.close();
    await sql`drop database gateway_test_empty`;
  }
});

test("json and jsonb arrive as JSON, not as strings of it", async () => {
  const { data } = await service.rpc("gateway_test_kinds", { doc: { a: 1 }, list: [1, 2] }).throwOnError();
  assert.deepEqual(data, ["object", "array"]);
  await service.from("gateway_test_things").insert({ id: 1, doc: { a: { b: "ü" } } }).throwOnError();
  const [row] = await sql`select doc #>> '{a,b}' as value from public.gateway_test_things where id = 1`;
  assert.equal(row.value, "ü");
  for (const doc of [[], ["a", { b: 1 }], "text", 7, true, { a: [] }]) {
    const { data } = await service.from("gateway_test_things").update({ doc }).eq("id", 1).select("doc").single().throwOnError();
    assert.deepEqual(data.doc, doc);
    const inserted = await service.from("gateway_test_things").insert([{ id: 900, doc }, { id: 901, doc: null }]).select("doc").order("id").throwOnError();
    assert.deepEqual(inserted.data, [{ doc }, { doc: null }]);
    await service.from("gateway_test_things").delete().gte("id", 900).throwOnError();
  }
});

test("a value of another JSON type is the caller's mistake", async () => {
  for (const wrong of [{ at: {} }, { at: [1] }, { at: 5 }, { words: { a: 1 } }, { words: "a" }]) {
    const { status, error } = await service.rpc("gateway_test_form", wrong);
    assert.equal(status, 400, JSON.stringify([wrong, error]));
    assert.match(error.code, /^(22P02|22007)$/);
  }
});

test("values are encoded as to_json() encodes them", async () => {
  await sql`
    insert into public.gateway_test_things (id, amount, at, local_at, bytes)
    values (2, 10, '2025-01-02 03:04:05.678+02', '2025-01-02 03:04:05', '\\x00ff')`;
  const [{ expected }] = await sql`
    select jsonb_build_object('amount', amount, 'at', to_jsonb(at at time zone 'utc') #>> '{}' || '+00:00', 'local_at', local_at, 'bytes', bytes) as expected
    from public.gateway_test_things where id = 2`;
  const { data } = await service.from("gateway_test_things").select("amount,at,local_at,bytes").eq("id", 2).single().throwOnError();
  // 10.00 and 10 are the same JSON number.
  assert.deepEqual(data, expected);
});

for (const [code, status] of [["P0001", 400], ["ZX123", 400], ["40001", 500], ["57014", 500], ["0L000", 403], ["PT409", 409], ["PT422", 422]]) {
  test(`SQLSTATE ${code} is HTTP ${status} with details and hint`, async () => {
    const answer = await service.rpc("gateway_test_raise", { code });
    assert.equal(answer.status, status);
    const { message, details, hint } = answer.error;
    assert.deepEqual({ code: answer.error.code, message, details, hint }, { code, message: "the message", details: "the detail", hint: "the hint" });
  });
}

test("a violated check is HTTP 400 with its code", async () => {
  const { status, error } = await service.from("gateway_test_things").insert({ id: 3, amount: -1 });
  assert.equal(status, 400);
  assert.equal(error.code, "23514");
  assert.match(error.details, /^Failing row contains/);
});

test("a refused answer leaves nothing behind", async () => {
  await sql`insert into public.gateway_test_things (id, name) values (4, 'before'), (5, 'before')`;
  const { status } = await service.from("gateway_test_things").update({ name: "after" }).in("id", [4, 5]).select().single();
  assert.equal(status, 406);
  const rows = await sql`select distinct name from public.gateway_test_things where id in (4, 5)`;
  assert.deepEqual(rows.map((row) => row.name), ["before"]);
});

test("a status that an RPC chose itself is committed", async () => {
  const { status } = await service.rpc("gateway_test_teapot", { id: 6 });
  assert.equal(status, 418);
  assert.equal((await sql`select from public.gateway_test_things where id = 6`).length, 1);
});

test("NOTIFY pgrst makes the gateway read the schema again", async () => {
  const ask = async () => (await service.from("gateway_test_late").select()).status;
  assert.equal(await ask(), 404);
  // Bypasses the DDL event triggers, so that only the notification tells.
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`create table public.gateway_test_late (id int)`;
  });
  await sql`notify pgrst, 'reload schema'`;
  await eventually("the new table is known", ask, (status) => status === 200);
});

test("a read of the schema that a notification overtakes is not kept", async () => {
  const connection = await openConnection(databaseUrl);
  let forgotten = 0;
  const clear = connection.clearSchemaCache.bind(connection);
  connection.clearSchemaCache = () => {
    forgotten += 1;
    return clear();
  };
  try {
    let reading;
    await sql.begin(async (tx) => {
      // Holds the read up half-way: comments are among the last things it asks for.
      await tx`lock table pg_catalog.pg_description in access exclusive mode`;
      reading = connection.introspect();
      await sql`notify pgrst`;
      await eventually("the notification has arrived", () => forgotten);
    });
    await reading;
    assert.equal(connection.introspection, undefined);
  } finally {
    await connection.close();
  }
});

test("requests that find no schema cached read it together", async () => {
  const connection = await openConnection(databaseUrl);
  try {
    await connection.clearSchemaCache();
    const [first, ...others] = await Promise.all(Array.from({ length: 8 }, () => connection.introspect({ useCache: true })));
    assert.ok(first.functions.length > 0);
    assert.ok(others.every((other) => other === first));
  } finally {
    await connection.close();
  }
});

test("a database that does not answer is not taken for an empty one", async () => {
  const connection = await openScratchDatabase();
  try {
    await sql`drop database gateway_test_empty with (force)`;
    await assert.rejects(connection.introspect(), DatabaseUnavailable);
  } finally {
    await connection.driver.end({ timeout: 0 });
  }
});

test("DDL alone makes the gateway read the schema again", async () => {
  await sql`drop table if exists public.gateway_test_late`;
  await eventually("the dropped table is forgotten", async () => (await service.from("gateway_test_late").select()).error?.code, (code) => code === "PGRST205");
});

test("a session knows its caller, by every function of schema auth", async () => {
  const claims = { sub: crypto.randomUUID(), role: "authenticated", email: "caller@gateway.example", app_metadata: { org: "x" } };
  const headers = { apikey: publishableKey, authorization: `Bearer ${await sign(claims)}`, "content-type": "application/json" };
  const caller = await (await fetch(`${url}/rest/v1/rpc/gateway_test_caller`, { method: "POST", headers, body: "{}" })).json();
  const { jwt, ...rest } = caller;
  assert.deepEqual(rest, { user: "authenticated", uid: claims.sub, role: "authenticated", email: claims.email });
  assert.deepEqual(jwt.app_metadata, { org: "x" });
  const { data } = await anon.rpc("gateway_test_caller").throwOnError();
  assert.deepEqual(data, { user: "anon", uid: null, role: "anon", email: null, jwt: { role: "anon" } });
});

test("a DBA's request.jwt.claims alone is enough for auth.uid(), auth.role() and auth.email()", async () => {
  const sub = crypto.randomUUID();
  const [row] = await sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub, role: "authenticated", email: "dba@gateway.example" })}, true)`;
    return tx`select auth.uid() as uid, auth.role() as role, auth.email() as email`;
  });
  assert.deepEqual({ ...row }, { uid: sub, role: "authenticated", email: "dba@gateway.example" });
});

test("no token makes its bearer anything but an API role", async () => {
  for (const role of ["postgres", "gateway"]) {
    const headers = { apikey: publishableKey, authorization: `Bearer ${await sign({ sub: crypto.randomUUID(), role })}` };
    const response = await fetch(`${url}/rest/v1/rpc/gateway_test_caller`, { headers });
    assert.equal(response.status, 403);
    assert.equal((await response.json()).code, "42501");
  }
});

test("a table without privileges is forbidden, not unknown", async () => {
  const { status, error } = await anon.from("gateway_test_private").select();
  assert.equal(error.code, "42501");
  assert.equal(status, 401);
});

test("lite's own /_system pages are not served", async () => {
  assert.equal((await fetch(`${url}/_system/info`)).status, 404);
});

test("a function's own statement_timeout counts", async () => {
  const begin = performance.now();
  const { error } = await anon.rpc("gateway_test_slow");
  assert.equal(error?.code, "57014", JSON.stringify(error));
  assert.ok(performance.now() - begin < 4000);
});
