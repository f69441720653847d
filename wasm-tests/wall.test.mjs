// The wall as it looks from the wire: one schema is exposed, and in it nothing of another org.
import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous, as, northwind, sql, volt } from "./stack.mjs";

const tables = (schema) => sql`
  select c.relname as name, exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id') as has_org
  from pg_class c where c.relnamespace = ${schema}::regnamespace and c.relkind in ('r', 'v') and c.relname !~ '^gateway_test_' order by 1`;

const callers = { "the anonymous caller": anonymous, "a csr": () => as("csr"), "an owner": () => as("owner") };

for (const [who, caller] of Object.entries(callers)) {
  test(`${who} reaches no schema but public`, async () => {
    const user = await caller();
    for (const schema of ["fieldcrm", "auth", "storage", "extensions", "supabase_migrations"]) {
      for (const { name } of await tables(schema)) {
        const table = user.schema(schema).from(name);
        for (const request of [table.select(), table.insert({}), table.update({}).neq("x", 0), table.delete().neq("x", 0)]) {
          const { status, error } = await request;
          assert.deepEqual([status, error?.code], [406, "PGRST106"], `${schema}.${name}`);
        }
      }
    }
    const functions = await sql`select distinct p.proname as name, exists (
        select from pg_proc o where o.proname = p.proname and o.pronamespace = 'public'::regnamespace) as has_face
      from pg_proc p where p.pronamespace = 'fieldcrm'::regnamespace`;
    for (const { name, has_face } of functions) {
      const inside = await user.schema("fieldcrm").rpc(name);
      assert.equal(inside.error?.code, "PGRST106", name);
      // Where public has one of the name, that is the one outside.
      if (has_face) continue;
      const outside = await user.rpc(name);
      assert.ok(outside.status === 404 || outside.status === 401, `${name}: ${outside.status}`);
    }
  });
}

test("the owner of an org finds nothing of another one in any table", async () => {
  const user = await as("owner", northwind);
  for (const { name, has_org } of await tables("public")) {
    const { data, status } = await user.from(name).select(has_org ? "org_id" : "id").eq(has_org ? "org_id" : "id", volt.id);
    assert.ok(status === 403 || (status === 200 && data.length === 0), `${name}: ${status} ${JSON.stringify(data)}`);
  }
});
