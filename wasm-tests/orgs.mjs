// Orgs of their own for tests that make a lot, gone with everything when the file's tests are done.
import { after } from "node:test";
import postgres from "postgres";

import { call, newcomer, sql, unique } from "./stack.mjs";

const orgs = [];

/** The owner of a new org, signed in, with its id as `org`. */
export async function newOrg(name) {
  const owner = await newcomer(name);
  await call(owner, "crm_create_org", { name: unique(name) });
  const [{ org_id: id }] = await sql`select org_id from profiles where id = ${owner.id}`;
  orgs.push({ id, user: owner.id });
  return Object.assign(owner, { org: id });
}

// On a connection of its own: that of stack.mjs is closed by then. Cascades would fire every trigger once a customer.
const dba = postgres(process.env.DATABASE_URL, { max: 1, onnotice() {} });
after(() => dba.begin(async (tx) => {
  const ids = orgs.map((org) => org.id);
  await tx`set local session_replication_role = replica`;
  const tables = await tx`
    select format('%I.%I', table_schema, table_name) as name
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where column_name = 'org_id' and table_type = 'BASE TABLE' and table_schema in ('public', 'fieldcrm')`;
  for (const { name } of tables) await tx`delete from ${tx.unsafe(name)} where org_id = any (${ids})`;
  await tx`delete from orgs where id = any (${ids})`;
  await tx`set local session_replication_role = origin`;
  await tx`delete from auth.users where id = any (${orgs.map((org) => org.user)})`;
}).finally(() => dba.end()));
