// Every payload five times, in parallel and in no order, signed as its provider signs it, while somebody kills the database: what
// is not answered with 2xx is sent again until it is. "kill" on a line of its own is the moment to; the last line says how it went.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";

import { openDoor, openDoors, ownerOf, payloads, providers } from "../../../../wasm-tests/hooks.mjs";

const { DATABASE_URL, FUNCTIONS_URL, SUPABASE_SECRET_KEY, KILLS } = process.env;
const TIMES = 5;
const SENDERS = 16;
const PATIENCE = 120_000;
const orgs = { northwind: { id: "11111111-1111-4111-8111-111111111111" }, volt: { id: "22222222-2222-4222-8222-222222222222" } };
const { calls } = providers({ secretKey: SUPABASE_SECRET_KEY, functionsUrl: FUNCTIONS_URL });
const sql = postgres(DATABASE_URL, { max: 1, onnotice() {} });
const run = randomBytes(4).toString("hex");
let count = 0;

/** An id like the given one that nobody had before. */
function fresh(id) {
  const mark = `${run}${(count++).toString(16).padStart(4, "0")}`;
  return id.startsWith("SM") ? id.slice(0, -mark.length) + mark : `${mark}-${id}`;
}

/** The payload with other ids of its events and messages; the messages that come of it. */
function another(provider, { name, body, isJson, expected }) {
  const events = expected.deliveries.flatMap((delivery) => delivery.events.map((event) => ({ delivery, event })));
  const ids = [...new Set(events.flatMap(({ event }) => [event.id, event.provider_message_id]))].filter(Boolean);
  let text = body.toString("latin1");
  const renamed = new Map(ids.filter((id) => text.includes(id)).map((id) => [id, fresh(id)]));
  for (const [id, other] of renamed) text = text.replaceAll(id, other);
  const messages = events.flatMap(({ delivery, event }) => {
    const org = orgs[ownerOf(delivery)];
    const id = renamed.get(event.provider_message_id);
    return org && id && event.type === "message" && event.from ? [{ org: org.id, provider: delivery.provider, id }] : [];
  });
  const other = Buffer.from(text, "latin1");
  return { make: () => calls[provider](other, isJson, `${name}_${run}_${count}`), messages };
}

/** What there is to deliver: messages of all providers, statuses of messages of ours, forms. */
async function deliveries() {
  const messages = [];
  const statuses = [];
  const forms = [];
  const made = [];
  for (let round = 0; round <= Number(KILLS); round++) {
    for (const provider of Object.keys(calls)) {
      for (const payload of payloads(provider)) {
        const one = another(provider, payload);
        if (!one.messages.length) continue;
        messages.push(...one.messages);
        made.push(one);
      }
    }
  }
  const [lead] = await sql`
    insert into public.leads (org_id, client_id, project_id, first_name)
    select org_id, client_id, project_id, ${run} from public.org_channels where org_id = ${orgs.northwind.id} and address = '106540352242922' returning *`;
  const whatsapp = Object.fromEntries(payloads("whatsapp").map((payload) => [payload.name, payload.body.toString("latin1")]));
  for (let n = 0; n < 20; n++) {
    const id = fresh("wamid.OUT");
    statuses.push(id);
    await sql`
      insert into public.messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, provider, provider_message_id)
      values (${lead.org_id}, ${lead.client_id}, ${lead.id}, 'user', 'Hi', 'whatsapp', 'outbound', 'whatsapp_cloud', ${id})`;
    for (const status of ["sent", "delivered", "read"]) {
      const body = Buffer.from(whatsapp[`status_${status}`].replaceAll("wamid.OUTBOUND0001", id), "latin1");
      made.push({ make: () => calls.whatsapp(body) });
    }
    const email = `${fresh("form")}@mail.example`;
    forms.push(email);
    const headers = { "content-type": "application/json", "idempotency-key": email };
    made.push({ make: () => [`/webhook-handler/landing_${run}_page`, JSON.stringify({ email, first_name: "Ada" }), headers] });
  }
  // Where one in three comes only once, its 2xx cannot hide behind another's.
  const all = made.flatMap((one, n) => Array.from({ length: n % 3 ? TIMES : 1 }, () => one));
  for (let n = all.length - 1; n > 0; n--) {
    const other = Math.floor(Math.random() * (n + 1));
    [all[n], all[other]] = [all[other], all[n]];
  }
  return { all, messages, statuses, forms };
}

async function post([path, body, headers]) {
  try {
    const signal = AbortSignal.timeout(30_000);
    const response = await fetch(`${FUNCTIONS_URL}${path}`, { method: "POST", body, headers, redirect: "manual", signal });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    // A provider that gets no answer tries again too.
    return { status: 0, text: String(error.cause ?? error) };
  }
}

await openDoors(sql, orgs);
await openDoor(sql, orgs.northwind, "form", `landing_${run}_page`, { settings: { max_per_minute: 100_000 } });
const { all, messages, statuses, forms } = await deliveries();
const queue = [...all];
const again = new Map();
let stored = 0;
const deadline = Date.now() + PATIENCE;
const moments = Array.from({ length: Number(KILLS) }, (_, n) => Math.floor((all.length * (n + 1)) / (Number(KILLS) + 1)));

await Promise.all(Array.from({ length: SENDERS }, async () => {
  for (let one = queue.shift(); one; one = queue.shift()) {
    const { status, text } = await post(one.make());
    if (status >= 200 && status < 300) {
      if (moments.includes(++stored)) console.log("kill");
      continue;
    }
    assert.ok(status === 0 || status >= 500, `${status} while it was ours to say: ${text}`);
    assert.ok(Date.now() < deadline, `not all are stored in time, of late: ${status} ${text}`);
    again.set(status, (again.get(status) ?? 0) + 1);
    queue.push(one);
    await pause(100);
  }
}));

const ids = messages.map(({ id }) => id);
const found = await sql`select org_id, provider, provider_message_id as id from public.messages where provider_message_id = any(${ids})`;
const name = ({ org, org_id, provider, id }) => `${org ?? org_id} ${provider} ${id}`;
assert.deepEqual(found.map(name).sort(), [...new Set(messages.map(name))].sort(), "each message once, in its own org");
const [{ wrong }] = await sql`
  select count(*)::int as wrong from public.conversations c
  where c.message_count <> (select count(*) from public.messages m where m.org_id = c.org_id and m.conversation_id = c.id)
    and exists (select from public.messages m where m.org_id = c.org_id and m.conversation_id = c.id and m.provider_message_id = any(${ids}))`;
assert.equal(wrong, 0, "conversations are counted wrong");
const reached = await sql`select status from public.messages where provider_message_id = any(${statuses})`;
assert.deepEqual(reached.map(({ status }) => status), statuses.map(() => "read"), "what was read stays read");
const leads = await sql`select email from public.leads where email = any(${forms})`;
assert.deepEqual(leads.map(({ email }) => email).sort(), [...forms].sort(), "each form is one lead");
const refused = [...again].map(([status, times]) => `${times} × ${status || "no answer"}`).join(", ");
assert.ok(Number(KILLS) === 0 || again.size > 0, "nobody noticed that the database was gone");
await sql.end();
console.log(`${all.length} deliveries of ${found.length} messages, ${statuses.length} statuses, ${forms.length} forms; again after ${refused}: each once`);
