// Messages out of the outbox, through the built function in Deno: by the log as the stack has it, and by providers over
// HTTP that fail as they are told. The only file that dispatches: a dispatcher takes the messages of all.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { startFunctions } from "../supabase/local/functions.mjs";
import { as, call, job, northwind, publishableKey, serviceToken, sql, unique, url } from "./stack.mjs";

const FUNCTIONS = fileURLToPath(new URL("../supabase/functions", import.meta.url));
const BODY = "<p>We come at 9.</p>";
const SIGNING_SECRET = "a-secret-of-sufficient-length";

/** Resend, Twilio and who is told of events in one; each recipient has a script of their own, its last word for ever. */
class FakeProviders {
  arrived = [];
  #scripts = new Map();
  #held = [];

  async start(port = 0) {
    this.server = http.createServer((request, response) => this.#serve(request, response)).listen(port, "127.0.0.1");
    await once(this.server, "listening");
    this.port = this.server.address().port;
  }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, "close");
  }

  script(recipient, ...script) {
    this.#scripts.set(recipient, script);
  }

  of(recipient) {
    return this.arrived.filter((one) => one.recipient === recipient);
  }

  /** Until so many requests for the recipient are being kept waiting. */
  async held(recipient) {
    const deadline = Date.now() + 30_000;
    while (!this.#held.includes(recipient)) {
      assert.ok(Date.now() < deadline, `nothing arrived for ${recipient}`);
      await pause(10);
    }
  }

  async #serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const mail = request.url === "/emails";
    const hook = request.url.startsWith("/hook/") && request.url;
    const recipient = hook || (mail ? JSON.parse(text).to[0] : new URLSearchParams(text).get("To"));
    this.arrived.push({ recipient, key: request.headers["idempotency-key"], text, headers: request.headers });
    const script = this.#scripts.get(recipient) ?? ["accept"];
    const does = script.length > 1 ? script.shift() : script[0];
    const answer = (status, body, headers = {}) =>
      response.writeHead(status, { "content-type": "application/json", connection: "close", ...headers }).end(JSON.stringify(body));
    if (does === "drop") return request.socket.destroy();
    if (does === "hold") return this.#held.push(recipient);
    if (does === "redirect") return answer(307, {}, { location: "/hook/elsewhere" });
    if (does === "limit") return answer(429, { code: 20429, name: "rate_limit_exceeded", message: "Slow down" }, { "retry-after": "300" });
    if (does === "accept") return answer(mail ? 200 : 201, mail ? { id: `e-${this.arrived.length}` } : { sid: `SM${this.arrived.length}` });
    return answer(does, { code: 21610, name: "validation_error", message: "No" });
  }
}

/** A function process of our own, in front of the fake providers. */
async function startDispatcher(provider, variables = {}) {
  const dir = await mkdtemp(join(tmpdir(), "dispatch_test_"));
  await mkdir(join(dir, "functions"), { recursive: true });
  await writeFile(join(dir, "config.toml"), `
    [functions.dispatch-messages]
    entrypoint = ${JSON.stringify(join(FUNCTIONS, "dispatch-messages/index.ts"))}
    static_files = [${JSON.stringify(FUNCTIONS)}]
  `);
  const base = `http://127.0.0.1:${provider.port}`;
  await writeFile(join(dir, "functions/.env"), Object.entries({
    EMAIL_PROVIDER: "resend", RESEND_API_KEY: "re_test", RESEND_BASE_URL: base, EMAIL_FROM: "hello@northwind.example",
    SMS_PROVIDER: "twilio", TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "test", TWILIO_BASE_URL: base, TWILIO_FROM: "+15005550006",
    WEBHOOK_PROVIDER: "webhook", WEBHOOK_SIGNING_SECRET: SIGNING_SECRET, WEBHOOK_ALLOW_PRIVATE: "true",
    // Not of this test.
    FIELDCRM_ENV: "test",
    ...variables,
  }).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join("\n"));
  const settings = {
    url, publishableKey, jwtSecret: process.env.SUPABASE_JWT_SECRET, secretKey: process.env.SUPABASE_SECRET_KEY, storageDir: join(dir, "storage"),
  };
  const functions = await startFunctions(settings, dir);
  const server = http.createServer((request, response) => functions.handle(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  while (!(await functions.ready())) await pause(20);
  return {
    async dispatch() {
      const response = await fetch(`http://127.0.0.1:${server.address().port}/functions/v1/dispatch-messages`, {
        method: "POST", headers: { authorization: `Bearer ${serviceToken}` },
      });
      const body = await response.json();
      assert.equal(response.status, 200, JSON.stringify(body));
      return body;
    },
    async stop() {
      functions.stop();
      server.close();
      server.closeAllConnections();
      // The process may still write its cache.
      await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

const provider = new FakeProviders();
let dispatcher, csr;

before(async () => {
  csr = await as("csr");
  await provider.start();
  dispatcher = await startDispatcher(provider);
});

after(async () => {
  await dispatcher.stop();
  await provider.stop();
});

let number = Math.floor(Math.random() * 9_000);

/** A message to somebody new; `recipient` is their address. */
async function message(channel, ...script) {
  const email = `${randomUUID()}@people.example`;
  const phone = `+1312555${String(number++ % 10_000).padStart(4, "0")}`;
  const { id: customer_id } = await call(csr, "crm_create_customer", {
    type: "individual", name: unique("Addressee"),
    contacts: [{ type: "email", value: email }, { type: "mobile", value: phone }],
  });
  const recipient = channel === "email" ? email : phone;
  if (script.length) provider.script(recipient, ...script);
  const text = channel === "email" ? { subject: "Your visit", body: BODY } : { body: "We come at 9." };
  const { id, status } = await call(csr, "crm_send_message", { customer_id, channel, purpose: "transactional", ...text });
  assert.equal(status, "queued");
  return { id, recipient, customer_id };
}

const row = async ({ id }) => (await sql`select *, available_at - now() as wait, extract(epoch from available_at - now()) as seconds
  from crm_outbox where id = ${id}`)[0];
const state = async (one) => {
  const { status, attempts, error_code } = await row(one);
  return [status, attempts, error_code];
};
const makeDue = (...all) => sql`update crm_outbox set available_at = now() where id = any(${all.map((one) => one.id)}) and status = 'queued'`;

test("the log carries a message, and the row says so", async () => {
  const one = await message("email");
  const { status, body } = await job("dispatch-messages", {});
  assert.equal(status, 200, JSON.stringify(body));
  const sent = await row(one);
  assert.deepEqual([sent.status, sent.provider, sent.provider_message_id, sent.attempts], ["sent", "log", `log-${one.id}`, 1]);
  assert.ok(sent.sent_at);
});

test("a completed visit ends in a follow-up, a tag and a message, with its history", async () => {
  const name = unique("Visited");
  const email = `${randomUUID()}@people.example`;
  const customer = await call(csr, "crm_create_customer", { type: "company", name, contacts: [{ type: "email", value: email }] });
  const rule = await call(await as("manager"), "crm_create_automation_rule", {
    name: unique("After the visit"), trigger_type: "event", event_type: "work_order_completed",
    conditions: { version: 1, entity: "customer", query: { combinator: "and", rules: [{ field: "name", operator: "=", value: name }] } },
    actions: [
      { type: "create_followup", title: "Ask how it was", due_in_minutes: 1440 },
      { type: "tag_customer", tag: "Visited" },
      { type: "send_message", channel: "email", purpose: "transactional", subject: "Thank you", body: "<p>Thank you.</p>" },
    ],
  });
  const { data: order, error } = await csr.from("work_orders").insert({ customer_id: customer.id, title: "Boiler" }).select().single();
  assert.ifError(error);
  await call(csr, "crm_set_work_order_status", { id: order.id, status: "completed" });
  // The event is there; another one lets the runner go.
  await job("handle-event-trigger", { event_type: "meter_read", customer_id: customer.id, org_id: northwind.id });
  const followups = await sql`select title from crm_followups where customer_id = ${customer.id}`;
  assert.deepEqual(followups.map((one) => one.title), ["Ask how it was"]);
  const [outgoing] = await sql`select * from crm_outbox where customer_id = ${customer.id}`;
  assert.deepEqual([outgoing.status, outgoing.to_address, outgoing.subject], ["queued", email, "Thank you"]);
  await job("dispatch-messages");
  assert.deepEqual((await state(outgoing))[0], "sent");
  const history = await call(await as("manager"), "crm_automation_history", { rule_id: rule.id });
  const [run] = history.items;
  assert.deepEqual([run.customer_id, run.status, run.results.length], [customer.id, "success", 3]);
});

test("what providers accept is sent once, with their id", async () => {
  const all = [await message("email"), await message("sms")];
  await dispatcher.dispatch();
  await dispatcher.dispatch();
  for (const one of all) {
    assert.equal(provider.of(one.recipient).length, 1);
    assert.match((await row(one)).provider_message_id, /^(e-|SM)\d+$/);
  }
  assert.equal(provider.of(all[0].recipient)[0].key, all[0].id);
  assert.equal(JSON.parse(provider.of(all[0].recipient)[0].text).html, BODY);
});

test("a limit is waited for as long as the provider says", async () => {
  const all = [await message("email", "limit", "accept"), await message("sms", "limit", "accept")];
  await dispatcher.dispatch();
  for (const one of all) {
    const { status, attempts, seconds } = await row(one);
    assert.deepEqual([status, attempts], ["queued", 1]);
    assert.ok(seconds > 250 && seconds <= 301, `in ${seconds} s`);
  }
  await dispatcher.dispatch();
  for (const one of all) assert.equal(provider.of(one.recipient).length, 1);
  await makeDue(...all);
  await dispatcher.dispatch();
  for (const one of all) assert.deepEqual([(await row(one)).status, provider.of(one.recipient).length], ["sent", 2]);
});

test("after a dropped connection and a fault, e-mail goes again under its key, and nobody knows of the SMS", async () => {
  for (const [fault, code] of [["drop", "connection_lost"], [500, null]]) {
    const mail = await message("email", fault, "accept");
    const sms = await message("sms", fault, "accept");
    await dispatcher.dispatch();
    assert.deepEqual((await state(mail)).slice(0, 2), ["queued", 1]);
    assert.equal((await row(sms)).status, "unknown");
    if (code) assert.deepEqual([(await row(mail)).error_code, (await row(sms)).error_code], [code, code]);
    await makeDue(mail);
    await dispatcher.dispatch();
    assert.equal((await row(mail)).status, "sent");
    assert.deepEqual(provider.of(mail.recipient).map((one) => one.key), [mail.id, mail.id]);
    // Only a person sends the other again.
    assert.equal(provider.of(sms.recipient).length, 1);
    await call(csr, "crm_retry_message", { id: sms.id });
    await dispatcher.dispatch();
    assert.deepEqual([(await row(sms)).status, provider.of(sms.recipient).length], ["sent", 2]);
  }
});

test("what is refused stays refused, and says why", async () => {
  const sms = await message("sms", 400);
  await dispatcher.dispatch();
  assert.deepEqual(await state(sms), ["failed", 1, "21610"]);
  await dispatcher.dispatch();
  assert.equal(provider.of(sms.recipient).length, 1);
});

test("the last attempt is the last", async () => {
  const mail = await message("email", 503);
  await sql`update crm_outbox set max_attempts = 2 where id = ${mail.id}`;
  await dispatcher.dispatch();
  assert.equal((await row(mail)).status, "queued");
  await makeDue(mail);
  await dispatcher.dispatch();
  assert.deepEqual((await state(mail)).slice(0, 2), ["failed", 2]);
  await makeDue(mail);
  await dispatcher.dispatch();
  assert.equal(provider.of(mail.recipient).length, 2);
});

test("providers that are down get the messages when they are back", async () => {
  const all = [await message("email"), await message("sms")];
  await provider.stop();
  await dispatcher.dispatch();
  for (const one of all) assert.deepEqual(await state(one), ["queued", 1, "unreachable"]);
  await provider.start(provider.port);
  await makeDue(...all);
  await dispatcher.dispatch();
  for (const one of all) assert.deepEqual([(await row(one)).status, provider.of(one.recipient).length], ["sent", 1]);
});

test("who never answers is not waited for", async () => {
  const mail = await message("email", "hold", "accept");
  const sms = await message("sms", "hold", "accept");
  const begun = Date.now();
  await dispatcher.dispatch();
  const took = Date.now() - begun;
  assert.ok(took > 9_000 && took < 25_000, `${took} ms`);
  assert.deepEqual(await state(mail), ["queued", 1, "timeout"]);
  assert.deepEqual(await state(sms), ["unknown", 1, "timeout"]);
  await makeDue(mail);
  await dispatcher.dispatch();
  assert.equal((await row(mail)).status, "sent");
});

test("a function that is killed while it sends loses nothing and sends nothing twice by itself", async () => {
  const mail = await message("email", "hold", "accept");
  const sms = await message("sms", "hold", "accept");
  const ended = dispatcher.dispatch().catch(() => {});
  await Promise.all([provider.held(mail.recipient), provider.held(sms.recipient)]);
  await dispatcher.stop();
  await ended;
  dispatcher = await startDispatcher(provider);
  // Nobody else takes them while the lease lasts.
  await dispatcher.dispatch();
  assert.deepEqual([(await row(mail)).status, (await row(sms)).status], ["sending", "sending"]);
  await sql`update crm_outbox set leased_until = now() - interval '1 second' where id = any(${[mail.id, sms.id]})`;
  await dispatcher.dispatch();
  assert.deepEqual([(await row(mail)).status, (await row(sms)).status], ["sent", "unknown"]);
  assert.deepEqual(provider.of(mail.recipient).map((one) => one.key), [mail.id, mail.id]);
  assert.equal(provider.of(sms.recipient).length, 1);
});

/** An event of a type of its own that an endpoint of ours listens to; its message goes to the fake. */
async function told(...script) {
  const manager = await as("manager");
  const type = `told_${randomUUID().slice(0, 8)}`;
  const endpoint = await call(manager, "crm_create_webhook_endpoint", { url: `https://${type.replace("_", "-")}.example.com/hook`, event_types: [type] });
  const { id: customer_id } = await call(csr, "crm_create_customer", { type: "company", name: unique("Told") });
  const event = await call(csr, "crm_emit_event", { event_type: type, customer_id, payload: { kwh: 3 } });
  const recipient = `/hook/${endpoint.id}`;
  provider.script(recipient, ...script);
  const [{ id }] = await sql`update crm_outbox set to_address = ${`http://127.0.0.1:${provider.port}${recipient}`}
    where webhook_endpoint_id = ${endpoint.id} returning id`;
  const log = async () => (await call(manager, "crm_list_webhook_deliveries", { endpoint_id: endpoint.id })).items[0];
  /** It failed: what is put off because of that is due now. */
  const again = async () => {
    await sql`update webhook_endpoints set resume_at = null where id = ${endpoint.id}`;
    await makeDue({ id });
    return dispatcher.dispatch();
  };
  return { id, manager, endpoint, event, customer_id, recipient, log, again };
}

/** As any library of Standard Webhooks does it. */
function verify({ headers, text }) {
  const key = createHmac("sha256", SIGNING_SECRET).update(northwind.id).digest();
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
  assert.equal(headers["webhook-signature"], `v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  assert.ok(Math.abs(Date.now() / 1000 - headers["webhook-timestamp"]) < 60);
  return JSON.parse(text);
}

test("an event reaches the endpoint that listens, signed, and once more when somebody asks", async () => {
  const one = await told(503, "redirect", "accept");
  await dispatcher.dispatch();
  await one.again();
  await one.again();
  assert.equal((await row(one)).status, "sent");
  await call(one.manager, "crm_replay_webhook_delivery", { id: one.id });
  await dispatcher.dispatch();
  const arrived = provider.of(one.recipient);
  assert.equal(arrived.length, 4);
  for (const request of arrived) {
    const body = verify(request);
    assert.deepEqual([body.type, body.data], [one.event.event_type,
      { event_id: one.event.id, org_id: northwind.id, customer_id: one.customer_id, payload: { kwh: 3 } }]);
    assert.equal(request.headers["webhook-id"], one.event.id);
  }
  assert.equal(provider.of("/hook/elsewhere").length, 0, "a redirect is followed nowhere");
  const { log, status } = await one.log();
  assert.deepEqual([status, log.map((attempt) => attempt.http_status)], ["sent", [503, 307, 201, 201]]);
  assert.ok(log.every((attempt) => attempt.duration_ms >= 0));
});

test("an endpoint that is gone is told nothing more", async () => {
  const one = await told(410);
  await dispatcher.dispatch();
  assert.deepEqual(await state(one), ["failed", 1, "http_410"]);
  const [endpoint] = await sql`select is_enabled, disabled_reason from webhook_endpoints where id = ${one.endpoint.id}`;
  assert.deepEqual([endpoint.is_enabled, endpoint.disabled_reason], [false, "gone"]);
});

test("a webhook that was being sent when its function was killed goes again under its id", async () => {
  const one = await told("hold", "accept");
  const ended = dispatcher.dispatch().catch(() => {});
  await provider.held(one.recipient);
  await dispatcher.stop();
  await ended;
  dispatcher = await startDispatcher(provider);
  await sql`update crm_outbox set leased_until = now() - interval '1 second' where id = ${one.id}`;
  await dispatcher.dispatch();
  assert.equal((await row(one)).status, "sent");
  assert.deepEqual(provider.of(one.recipient).map((request) => request.headers["webhook-id"]), [one.event.id, one.event.id]);
});

test("where private addresses are not allowed nothing is sent to one, nor where the name cannot be looked up", async () => {
  const inside = await told("accept");
  const outside = await told("accept");
  await sql`update crm_outbox set to_address = ${outside.endpoint.url} where id = ${outside.id}`;
  const strict = await startDispatcher(provider, { WEBHOOK_ALLOW_PRIVATE: "false" });
  try {
    await strict.dispatch();
  } finally {
    await strict.stop();
  }
  assert.deepEqual(await state(inside), ["failed", 1, "url_not_allowed"]);
  assert.equal(provider.of(inside.recipient).length, 0);
  // The functions of this stack may not ask a resolver.
  assert.deepEqual(await state(outside), ["queued", 1, "unresolved"]);
});

test("dispatchers at the same time share the messages", async () => {
  const all = [];
  for (let count = 0; count < 30; count++) all.push(await message(count % 2 ? "email" : "sms"));
  await Promise.all(Array.from({ length: 4 }, () => dispatcher.dispatch()));
  for (const one of all) assert.deepEqual([(await row(one)).status, provider.of(one.recipient).length], ["sent", 1]);
});
