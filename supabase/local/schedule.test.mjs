// The calls that the clock makes, on the running stack. Here and not in wasm-tests/: they work off what is due of all tests.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { jwtSecret, openDatabase, sign, url } from "./stack.testing.mjs";
import { SCHEDULE, serviceCaller } from "./ticks.mjs";

const sql = openDatabase();
after(() => sql.end());
const call = serviceCaller({ url, jwtSecret });

test("each function of the schedule works off what is due, until nothing is", async () => {
  for (const [slug] of SCHEDULE) {
    await call(slug);
    const left = await call(slug);
    const { provider, ...totals } = left;
    for (const total of Object.values(totals)) assert.ok(typeof total === "object" || typeof total === "number", JSON.stringify(left));
  }
  const [{ overdue }] = await sql`select count(*)::int as overdue from crm_followups
    where status = 'pending' and overdue_notified_at is null and due_at < now() - interval '1 minute'`;
  assert.equal(overdue, 0);
});

test("a reminder whose time has come is made", async () => {
  const [{ id }] = await sql`
    insert into crm_followups (org_id, customer_id, title, due_at, remind_at)
    select org_id, id, 'Call back', now() + interval '1 day', now() - interval '1 minute' from customers
    where erased_at is null and merged_into_id is null limit 1 returning id`;
  const { reminders } = await call("process-time-based-automations");
  assert.ok(reminders.reminded >= 1, JSON.stringify(reminders));
  const [row] = await sql`select reminded_at from crm_followups where id = ${id}`;
  assert.ok(row.reminded_at);
});

test("a token that is not the service role's is refused", async () => {
  const token = await sign({ sub: crypto.randomUUID(), role: "authenticated" });
  for (const [slug] of SCHEDULE) {
    const response = await fetch(`${url}/functions/v1/${slug}`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 403, slug);
  }
});
