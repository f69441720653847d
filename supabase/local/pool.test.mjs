// That requests go on after the database threw everybody out. Without pool.mjs connections are lost for good: it hangs.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { sql as query } from "kysely";
import { openConnection } from "./connection.mjs";
import { databaseUrl, eventually, openDatabase } from "./stack.testing.mjs";

const CONNECTIONS = 20;
const sql = openDatabase();
after(() => sql.end());

test("requests go on when every connection broke in the middle of a transaction", async () => {
  await sql`drop database if exists gateway_test_broken with (force)`;
  await sql`create database gateway_test_broken`;
  const address = new URL(databaseUrl);
  address.pathname = "/gateway_test_broken";
  const connection = await openConnection(address.href);
  const ask = (statement) => connection.withContext({ auth: { role: "anon" } }, (db) => statement.execute(db));
  try {
    const broken = Promise.allSettled(Array.from({ length: CONNECTIONS }, () => ask(query`select pg_sleep(60)`)));
    await eventually("all connections are in the middle of something", async () => {
      const [{ count }] = await sql`select count(*)::int from pg_stat_activity where datname = 'gateway_test_broken' and wait_event = 'PgSleep'`;
      return count === CONNECTIONS;
    });
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'gateway_test_broken'`;
    for (const { reason } of await broken) assert.equal(JSON.parse(connection.normalizeDbError(reason).detail).status, 503, String(reason));
    const begun = performance.now();
    const answers = await Promise.all(Array.from({ length: 3 * CONNECTIONS }, (_, n) => ask(query`select ${n}::int as n, current_user as who`)));
    assert.deepEqual(answers.map(({ rows }) => rows[0]), answers.map((_, n) => ({ n, who: "anon" })));
    assert.ok(performance.now() - begun < 5_000, `after ${performance.now() - begun} ms`);
  } finally {
    await connection.close();
    await sql`drop database gateway_test_broken with (force)`;
  }
});
