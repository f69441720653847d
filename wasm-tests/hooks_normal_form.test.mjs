// The same normal form in the module as natively: every payload through the built function in a Deno of its own,
// before a PostgREST that writes down what it is asked.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { payloads, providers, standard } from "./hooks.mjs";
import { localSecrets } from "../supabase/local/secrets.mjs";

const secretKey = "sb_secret_of_this_test";
const functionsUrl = "https://hooks.example/functions/v1";
const { calls, secrets } = providers({ secretKey, functionsUrl });
const asked = [];
const stored = [];
const org = "11111111-1111-4111-8111-111111111111";
const channel = { org_id: org, known: [], secret_name: null, settings: {}, is_enabled: true };
const received = () => asked.filter((call) => call.function === "crm_receive_webhook").map((call) => call.arguments);
/** Without where files are: the normal form is what was sent. */
const unplaced = ({ metadata, ...event }) => {
  if (!metadata?.attachments) return { ...event, ...(metadata && { metadata }) };
  return { ...event, metadata: { ...metadata, attachments: metadata.attachments.map(({ object_name, ...file }) => file) } };
};
let database, base;
const taken = ({ function: name }) => (name === "crm_find_channel" ? channel : { routed: true, events: [] });
let answer = taken;
const children = [];

before(async () => {
  database = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.url.startsWith("/storage/v1/object/")) {
      stored.push({ path: request.url, body, type: request.headers["content-type"], apikey: request.headers.apikey });
      return response.writeHead(200, { "content-type": "application/json" }).end("{}");
    }
    const call = { function: request.url.split("/").at(-1), arguments: JSON.parse(body), apikey: request.headers.apikey, authorization: request.headers.authorization };
    asked.push(call);
    const said = answer(call);
    response.writeHead(said.status ?? 200, { "content-type": "application/json" }).end(JSON.stringify(said));
  }).listen(0, "127.0.0.1");
  await once(database, "listening");
  base = Object.fromEntries(await Promise.all(["whatsapp-webhook", "sms-handler", "email-processor", "webhook-handler"].map(async (slug) => [slug, await serve(slug)])));
});

after(() => {
  for (const child of children) child.kill();
  database.closeAllConnections();
  database.close();
});

async function serve(slug) {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  const { platform, arch } = process;
  const packaged = `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}/package.json`;
  const deno = join(dirname(createRequire(import.meta.url).resolve(packaged)), "deno");
  const script = fileURLToPath(new URL(`../supabase/functions/${slug}/index.ts`, import.meta.url));
  children.push(spawn(deno, ["run", "--no-prompt", "--no-remote", "--allow-env", "--allow-net", "--allow-read", script], {
    env: {
      ...localSecrets({ secretKey }), PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1",
      DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`, PUBLIC_FUNCTIONS_URL: functionsUrl,
      SUPABASE_URL: `http://127.0.0.1:${database.address().port}`, SUPABASE_ANON_KEY: "sb_publishable_x", SUPABASE_SERVICE_ROLE_KEY: secretKey,
    },
    stdio: ["ignore", "ignore", "inherit"],
  }));
  const url = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + 20_000; !(await fetch(url).then(() => true, () => false)); await pause(50)) {
    assert.ok(Date.now() < until, `${slug} does not answer`);
  }
  return url;
}

const post = (path, body, headers) => fetch(base[path.split(/[/?]/)[1]] + path, { method: "POST", body, headers });

for (const provider of Object.keys(calls)) {
  test(`${provider}: the module makes of every payload what native code makes of it`, async () => {
    for (const { name, body, isJson, expected } of payloads(provider)) {
      asked.length = stored.length = 0;
      const response = await post(...calls[provider](body, isJson, name));
      assert.equal(response.status, 200, `${name}: ${await response.text()}`);
      const routed = expected.deliveries.filter(({ addresses, events }) => addresses.length && events.length);
      assert.deepEqual(
        received().map((call) => ({ ...call, events: call.events.map(unplaced) })),
        routed.map(({ provider, channel, addresses: [address], events }) => ({ provider, channel, address, events })),
        name,
      );
      const files = received().flatMap(({ events }) => events.flatMap(({ metadata }) => metadata?.attachments ?? []));
      assert.deepEqual(
        stored.map(({ path, body, type, apikey }) => [decodeURI(path), body.length, type, apikey]).sort(),
        files.map((file) => [`/storage/v1/object/attachments/${file.object_name}`, file.size_bytes, file.content_type, secretKey]).sort(),
        name,
      );
      assert.ok(asked.every((call) => call.apikey === secretKey && call.authorization === `Bearer ${secretKey}`));
    }
  });
}

test("form: the module makes of every form the fields that native code makes of it", async () => {
  answer = ({ function: name }) => (name === "crm_find_channel" ? channel : { outcome: "lead" });
  for (const { name, body, isJson, expected } of payloads("form")) {
    asked.length = 0;
    const type = isJson ? "application/json" : name === "multipart" ? "multipart/form-data; boundary=xYzZY" : "application/x-www-form-urlencoded";
    assert.equal((await post("/webhook-handler/form_key_0123456789", body, { "content-type": type })).status, 200);
    assert.deepEqual(asked[1].arguments.fields, expected.fields, name);
  }
});

test("a signed form is taken, a changed one is not", async () => {
  answer = ({ function: name }) => (name === "crm_find_channel" ? { ...channel, secret_name: "FORM_DEMO_SECRET" } : { outcome: "lead", lead_id: "1" });
  const body = JSON.stringify({ email: "ann@example.com" });
  const headers = { ...standard(secrets.FORM_DEMO_SECRET, body, "evt_1"), "content-type": "application/json" };
  assert.equal((await post("/webhook-handler/form_key_0123456789", body, headers)).status, 200);
  asked.length = 0;
  assert.equal((await post("/webhook-handler/form_key_0123456789", body.replace("ann", "bob"), headers)).status, 401);
  assert.deepEqual(asked.map((call) => call.function), ["crm_find_channel"]);
});

test("what the database does not take is answered with 503", async () => {
  answer = () => ({ status: 500, code: "XX000", message: "no" });
  const { body } = payloads("whatsapp").find(({ name }) => name === "text");
  const response = await post(...calls.whatsapp(body));
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "30");
});

test("forty mebibytes of mail are read, and what is longer is refused", async () => {
  answer = taken;
  asked.length = stored.length = 0;
  const mail = (length) => Buffer.from(JSON.stringify({
    FromFull: { Email: "ann@example.com" }, OriginalRecipient: "office@northwind-mail.example", MessageID: "1", TextBody: "Plan",
    Attachments: [{ Name: "plan.pdf", ContentType: "application/pdf", Content: "A".repeat(length) }],
  }));
  assert.equal((await post(...calls.postmark(mail(38 * 1024 * 1024)))).status, 200);
  const size = (38 * 1024 * 1024 * 3) / 4;
  assert.equal(received()[0].events[0].metadata.attachments[0].size_bytes, size);
  assert.equal(stored[0].body.length, size);
  assert.equal((await post(...calls.postmark(mail(41 * 1024 * 1024)))).status, 413);
});
