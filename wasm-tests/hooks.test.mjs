// The payloads of functions/hooks/testdata through the built functions, signed as their providers sign them:
// what is stored afterwards is what each of them means.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";

import { hmac, openDoor, openDoors, ownerOf, payloads, providers, standard } from "./hooks.mjs";
import { northwind, sql, volt } from "./stack.mjs";

const { FUNCTIONS_URL, SUPABASE_SECRET_KEY } = process.env;
const { calls, secrets } = providers({ secretKey: SUPABASE_SECRET_KEY, functionsUrl: FUNCTIONS_URL });

const form = { open: `open_${randomUUID().replaceAll("-", "")}`, signed: `signed_${randomUUID().replaceAll("-", "")}` };
const orgs = { northwind, volt };

before(async () => {
  await openDoors(sql, orgs);
  await openDoor(sql, northwind, "form", form.open);
  await openDoor(sql, northwind, "form", form.signed, { secret: "FORM_DEMO_SECRET" });
});

const post = async (path, body, headers) => {
  const response = await fetch(`${FUNCTIONS_URL}${path}`, { method: "POST", body, headers, redirect: "manual" });
  return { status: response.status, text: await response.text(), headers: response.headers };
};

async function stored(org, provider, id) {
  return sql`
    select e.event_type, e.outcome, e.payload, e.lead_id, m.content, m.provider_message_id, m.direction, m.metadata, l.phone, l.email
    from public.webhook_events e
    left join public.messages m on m.org_id = e.org_id and m.id = e.message_id
    left join public.leads l on l.org_id = e.org_id and l.id = m.lead_id
    where e.org_id = ${org.id} and e.provider = ${provider} and e.provider_event_id = ${id}`;
}

for (const provider of Object.keys(calls)) {
  test(`${provider}: every payload is stored as what it means, once`, async () => {
    for (const { name, body, isJson, expected } of payloads(provider)) {
      // At the same time and again.
      const answers = await Promise.all(Array.from({ length: 3 }, () => post(...calls[provider](body, isJson, name))));
      for (const answer of answers) assert.equal(answer.status, 200, `${name}: ${answer.text}`);
      for (const delivery of expected.deliveries) {
        const org = orgs[ownerOf(delivery)];
        if (!org) continue;
        for (const event of delivery.events) {
          const rows = await stored(org, delivery.provider, event.id);
          assert.equal(rows.length, 1, `${name}: ${event.id} is there ${rows.length} times`);
          const [row] = rows;
          if (event.type === "unknown") {
            assert.equal(row.outcome, "unknown", name);
            assert.deepEqual(row.payload.raw ?? row.payload, event.raw, name);
          }
          if (event.type === "message" && event.from) {
            assert.equal(row.outcome, "message", name);
            assert.equal(row.content, event.content, name);
            assert.equal(row.provider_message_id, event.provider_message_id, name);
            assert.equal(row.direction, "inbound");
            for (const [key, value] of Object.entries(event.metadata ?? {})) assert.deepEqual(row.metadata[key], value, `${name}: ${key}`);
          }
        }
      }
    }
  });
}

test("a sender of one org's number is nobody in the other", async () => {
  const [{ count }] = await sql`
    select count(*)::int from public.webhook_events e join public.messages m on m.id = e.message_id where m.org_id <> e.org_id`;
  assert.equal(count, 0);
});

test("a changed byte, a missing and a foreign signature are refused, and nothing is written", async () => {
  const body = Buffer.from(payloads("whatsapp").find(({ name }) => name === "text").body.toString().replace("wamid.", `wamid.${randomUUID()}`));
  const [path, , headers] = calls.whatsapp(body);
  const changed = Buffer.from(body);
  changed[30] ^= 1;
  const count = async () => (await sql`select count(*)::int as n from public.webhook_events`)[0].n;
  const before = await count();
  assert.equal((await post(path, changed, headers)).status, 401);
  assert.equal((await post(path, body, {})).status, 401);
  assert.equal((await post(path, body, { "x-hub-signature-256": `sha256=${hmac("sha256", "x", body).digest("hex")}` })).status, 401);
  const twice = new Headers(headers);
  twice.append("x-hub-signature-256", headers["x-hub-signature-256"]);
  assert.equal((await post(path, body, twice)).status, 401);
  const [sms, text, signed] = calls.twilio(Buffer.from("MessageSid=SM1&From=%2B16505551234&To=%2B14155550100&Body=x"), false);
  assert.equal((await post(`${sms}?a=b`, text, signed)).status, 401);
  assert.equal(await count(), before);
});

test("Meta gets its challenge back", async () => {
  const ask = (token) => fetch(`${FUNCTIONS_URL}/whatsapp-webhook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`);
  const answer = await ask(secrets.WHATSAPP_VERIFY_TOKEN);
  assert.equal(await answer.text(), "1158201444");
  assert.equal((await ask("other")).status, 403);
});

test("HELP is answered in TwiML", async () => {
  const body = new URLSearchParams({ MessageSid: `SM${randomUUID()}`, From: "+16505551234", To: "+14155550100", Body: "HELP", SmsStatus: "received" });
  const answer = await post(...calls.twilio(Buffer.from(body.toString()), false));
  assert.equal(answer.headers.get("content-type"), "text/xml; charset=utf-8");
  assert.match(answer.text, /<Response><Message>.*STOP.*<\/Message><\/Response>/);
});

test("a mail of a megabyte is stored whole, with its list of files", async () => {
  const id = randomUUID();
  const text = "Zoë 🔥 ".repeat(100_000);
  const mail = {
    FromFull: { Email: `${id}@example.com` }, OriginalRecipient: "office@northwind-mail.example", MessageID: id,
    TextBody: text, Attachments: [{ Name: "big.bin", ContentType: "application/octet-stream", Content: "A".repeat(1_400_000) }],
  };
  const answer = await post(...calls.postmark(Buffer.from(JSON.stringify(mail))));
  assert.equal(answer.status, 200, answer.text);
  const [row] = await stored(northwind, "postmark", id);
  assert.equal([...row.content].length, 200_000);
  assert.equal(row.metadata.text, text);
  assert.deepEqual(row.metadata.attachments, [{ name: "big.bin", mime_type: "application/octet-stream", size: 1_050_000 }]);
});

test("a form becomes a lead, once; a robot's does not, and neither learns it", async () => {
  const email = `${randomUUID()}@example.com`;
  const send = (fields, key) => post(`/webhook-handler/${form.open}?utm_source=google`, new URLSearchParams(fields), { "idempotency-key": key });
  const key = randomUUID();
  for (const answer of await Promise.all(Array.from({ length: 3 }, () => send({ email, first_name: "Zoë" }, key)))) {
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(JSON.parse(answer.text), { received: true });
  }
  const leads = () => sql`select first_name, source, custom_fields from public.leads where org_id = ${northwind.id} and email = ${email}`;
  const [lead, ...more] = await leads();
  assert.equal(lead.first_name, "Zoë");
  assert.deepEqual(more, []);
  assert.match(JSON.stringify(lead), /google/);
  const robot = `${randomUUID()}@example.com`;
  assert.deepEqual(JSON.parse((await send({ email: robot, website: "https://spam.example" }, randomUUID())).text), { received: true });
  assert.equal((await sql`select 1 from public.leads where email = ${robot}`).length, 0);
});

test("a channel with a secret takes a form only from who has it", async () => {
  const email = `${randomUUID()}@example.com`;
  const body = JSON.stringify({ email });
  const path = `/webhook-handler/${form.signed}`;
  const type = { "content-type": "application/json" };
  assert.equal((await post(path, body, type)).status, 401);
  const answer = await post(path, body, { ...type, ...standard(secrets.FORM_DEMO_SECRET, body, `evt_${randomUUID()}`) });
  assert.equal(answer.status, 200, answer.text);
  const [{ id }] = await sql`select id from public.leads where org_id = ${northwind.id} and email = ${email}`;
  assert.equal(JSON.parse(answer.text).lead_id, id);
  assert.equal((await post("/webhook-handler/no_such_form_key_at_all", body, type)).status, 404);
});
