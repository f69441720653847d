// What a customer writes, from the message to the mood that staff see, through the built functions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { as, call, job, northwind, portal, sql, unique } from "./stack.mjs";

const SLUG = "analyze-interaction-sentiment";

async function analyze() {
  const { status, body } = await job(SLUG);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.provider, "builtin");
}

/** The sentiment of an interaction: another call may hold its claim, and is about to store it. */
async function sentiment(id) {
  for (let round = 0; round < 50; round += 1) {
    await analyze();
    const [row] = await sql`select sentiment from crm_interactions where id = ${id}`;
    if (row.sentiment) return row.sentiment;
  }
  return null;
}

test("what a customer wrote is analysed, and an angry one is an event", async () => {
  const csr = await as("csr");
  const customer = await call(csr, "crm_create_customer", { type: "company", name: unique("Moody") });
  const log = (body) => call(csr, "crm_log_interaction", { customer_id: customer.id, channel: "sms_inbound", body });
  const [bad, good] = [await log("This is terrible, I am so angry."), await log("Great work, thank you!")];
  assert.deepEqual([await sentiment(bad.id), await sentiment(good.id)], ["negative", "positive"]);
  const events = await sql`select payload ->> 'interaction_id' as id from crm_events
    where customer_id = ${customer.id} and event_type = 'sentiment_negative'`;
  assert.deepEqual(events.map((event) => event.id), [bad.id]);
  const [counts] = await sql`select positive_count::int, negative_count::int from customer_metrics where customer_id = ${customer.id}`;
  assert.deepEqual([counts.positive_count, counts.negative_count], [1, 1]);
});

test("a message of the portal has the sentiment of its interaction", async () => {
  const user = await as("portal_customer");
  const made = await portal(user, "POST", "/threads", { subject: unique("Leak"), initial_message: "I love the new heater, thank you!" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const [{ id }] = await sql`select crm_interaction_id as id from portal_messages where thread_id = ${made.body.id}`;
  assert.equal(await sentiment(id), "positive");
  const [message] = await sql`select sentiment from portal_messages where thread_id = ${made.body.id}`;
  assert.equal(message.sentiment, "positive");
});

test("only a back end analyses, and the switch is the org manager's", async () => {
  const [owner, csr] = [await as("owner"), await as("csr")];
  assert.equal((await job(SLUG, undefined, { token: owner.token })).status, 403);
  const set = async (user) => (await user.from("orgs").update({ analyze_sentiment: true }).eq("id", northwind.id).select("id")).data;
  assert.equal((await set(owner)).length, 1);
  assert.equal((await set(csr)).length, 0);
});
