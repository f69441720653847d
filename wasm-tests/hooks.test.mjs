// The payloads of functions/hooks/testdata through the built functions, signed as their providers sign them:
// what is stored afterwards is what each of them means.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";

import { hmac, openDoor, openDoors, ownerOf, payloads, providers, standard } from "./hooks.mjs";
import { anonymous, as, call, northwind, service, sql, unique, volt } from "./stack.mjs";

const { FUNCTIONS_URL, SUPABASE_SECRET_KEY } = process.env;
const { calls, secrets } = providers({ secretKey: SUPABASE_SECRET_KEY, functionsUrl: FUNCTIONS_URL });

const form = { open: `open_${randomUUID().replaceAll("-", "")}`, signed: `signed_${randomUUID().replaceAll("-", "")}` };
const orgs = { northwind, volt };

before(async () => {
  await openDoors(sql, orgs);
  await openDoor(sql, northwind, "form", form.open);
  await openDoor(sql, northwind, "form", form.signed, { secret: "FORM_DEMO_SECRET" });
});

async function given(promise) {
  const { data, error } = await promise;
  assert.ifError(error);
  return data;
}

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
            for (const [key, value] of Object.entries(event.metadata ?? {})) {
              const found = key === "attachments" ? row.metadata[key].map(({ object_name, ...file }) => file) : row.metadata[key];
              assert.deepEqual(found, value, `${name}: ${key}`);
            }
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
  const [{ object_name, ...file }] = row.metadata.attachments;
  assert.deepEqual(file, { file_name: "big.bin", content_type: "application/octet-stream", size_bytes: 1_050_000 });
  assert.equal((await given(service.storage.from("attachments").download(object_name))).size, 1_050_000);
});

test("what a customer sends with a mail is read by the staff, is theirs alone, and goes with them", async () => {
  const id = randomUUID();
  const from = `${id}@example.com`;
  const customer = await call(await as("csr"), "crm_create_customer", { type: "individual", name: unique("Sender"), email: from });
  const [html, plan] = [Buffer.from("<script>alert(1)</script>"), Buffer.from("%PDF-1.4 \xff\x00 plan", "latin1")];
  const mail = Buffer.from(JSON.stringify({
    FromFull: { Email: from }, OriginalRecipient: "office@northwind-mail.example", MessageID: id, TextBody: "See the plan",
    Attachments: [
      { Name: "../Plän.pdf", ContentType: "application/pdf", Content: plan.toString("base64") },
      { Name: "page.html", ContentType: "text/html", Content: html.toString("base64"), ContentID: "page@1" },
    ],
  }));
  // At the same time and again: the same objects.
  const answers = await Promise.all(Array.from({ length: 3 }, () => post(...calls.postmark(mail))));
  answers.push(await post(...calls.postmark(mail)));
  for (const { status, text } of answers) assert.equal(status, 200, text);
  const csr = await as("csr");
  const rows = await given(csr.from("attachments").select().eq("customer_id", customer.id).order("file_name"));
  assert.deepEqual(rows.map((row) => [row.file_name, row.content_type, row.size_bytes]), [
    ["Plän.pdf", "application/pdf", plan.length], ["page.html", "text/html", html.length],
  ]);
  assert.ok(rows.every((row) => row.interaction_id && row.created_by_user_id === null));
  const [row] = await stored(northwind, "postmark", id);
  assert.deepEqual(row.metadata.attachments.map((file) => file.object_name).sort(), rows.map((one) => one.object_name).sort());
  const names = await sql`select name from storage.objects where bucket_id = 'attachments' and name = any(${rows.map((one) => one.object_name)})`;
  assert.equal(names.length, 2);

  const path = rows[0].object_name;
  const files = (user) => user.storage.from("attachments");
  for (const role of ["owner", "csr", "viewer"]) {
    const read = Buffer.from(await (await given(files(await as(role)).download(path))).arrayBuffer());
    assert.deepEqual(read, plan, role);
  }
  // A page is handed out as bytes.
  const { signedUrl } = await given(files(csr).createSignedUrl(rows[1].object_name, 60));
  assert.equal((await fetch(signedUrl)).headers.get("content-type"), "application/octet-stream");
  const outsiders = [await as("csr", volt), await as("owner", volt), await as("technician"), await as("portal_customer"), anonymous()];
  for (const outsider of outsiders) {
    assert.ok((await files(outsider).download(path)).error);
    assert.ok((await files(outsider).createSignedUrl(path, 60)).error);
    await files(outsider).remove([path]);
  }
  assert.ok((await files(csr).update(path, "changed")).error, "not even the staff changes what was sent");
  assert.ok((await files(csr).upload(`${northwind.id}/inbound/${randomUUID()}/x.txt`, "x")).error);
  await given(files(csr).download(path));

  const owner = await as("owner");
  const erased = await call(owner, "crm_erase_customer", { id: customer.id, reason: "asked" });
  assert.deepEqual(erased.attachments.map((file) => file.object_name).sort(), rows.map((one) => one.object_name).sort());
  await given(files(owner).remove(erased.attachments.map((file) => file.object_name)));
  // Once more from the provider: nothing comes back.
  assert.equal((await post(...calls.postmark(mail))).status, 200);
  assert.ok((await files(service).download(path)).error);
  assert.deepEqual(await given(service.from("attachments").select("id").eq("customer_id", customer.id)), []);
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
