// The functions on Deno and on workerd, asked the same: they answer the same, byte by byte, but for ids, times and what each was named.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { BREAK, deno, MODULES, workerd } from "./hosts.mjs";
import { openDoors, payloads, providers } from "./hooks.mjs";
import { as, northwind, publishableKey, serviceToken, sql, url, volt } from "./stack.mjs";
import { localSecrets } from "../supabase/local/secrets.mjs";

const secretKey = process.env.SUPABASE_SECRET_KEY;
const env = {
  ...localSecrets({ secretKey }), FIELDCRM_ENV: "local", SUPABASE_URL: url, SUPABASE_ANON_KEY: publishableKey, SUPABASE_SERVICE_ROLE_KEY: secretKey,
};
const PUBLIC = process.env.FUNCTIONS_URL;
const forwarded = { "x-forwarded-host": "functions.example", "x-forwarded-proto": "http", "x-forwarded-prefix": "/functions/v1", "x-forwarded-for": "203.0.113.9" };
/** What each connection has of its own. */
const OF_THE_CONNECTION = ["date", "connection", "keep-alive", "transfer-encoding", "server"];

/** Of each module: Deno and workerd. */
const hosts = {};
const users = {};
let compared = 0;

before(async () => {
  for (const [name, role] of Object.entries({ csr: "csr", viewer: "viewer", owner: "portal_customer" })) users[name] = (await as(role)).token;
  users.service = serviceToken;
  await openDoors(sql, { northwind, volt });
  for (const module of Object.keys(MODULES)) hosts[module] = await Promise.all([deno(module, env), workerd(module, env)]);
});
after(async () => {
  await Promise.all(Object.values(hosts).flat().map((host) => host.stop()));
  console.log(`${compared} answers compared`);
});

/** The same text wherever the same happened: ids by their first appearance. */
function neutral(text, tag) {
  const seen = new Map();
  return text
    .replaceAll(tag, "<tag>")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, (id) => seen.get(id) ?? seen.set(id, `<id ${seen.size}>`).get(id))
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, "<time>")
    .replace(/"next_cursor":"[^"]+"/g, '"next_cursor":"<cursor>"')
    .replace(/"(ms|took_ms)":\d+/g, '"ms":0');
}

/** Who has answered before the whole body came closes the connection, and what was said may be lost on the way: then once more. */
async function patiently(url, options) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await fetch(url, options);
    } catch (error) {
      if (tries === 20 || !["EPIPE", "ECONNRESET", "UND_ERR_SOCKET"].includes(error.cause?.code)) throw error;
    }
  }
}

async function ask(host, tag, method, path, { token, body, headers } = {}) {
  const text = body === undefined || body instanceof Uint8Array || typeof body === "string" ? body : JSON.stringify(body);
  const response = await patiently(host.url + path, {
    method, body: text, redirect: "manual",
    headers: { ...forwarded, "accept-encoding": "identity", ...(token && { authorization: `Bearer ${token}` }), ...headers },
  });
  const answer = await response.text();
  const kept = [...response.headers].filter(([name]) => !OF_THE_CONNECTION.includes(name))
    // Of the body as it came: a time has as many digits as it needs.
    .map(([name, value]) => `${name}: ${name === "content-length" && Number(value) === Buffer.byteLength(answer) ? "<all>" : neutral(value, tag)}`);
  const type = response.headers.get("content-type") ?? "";
  return {
    told: { request: `${method} ${neutral(path, tag)}`, status: response.status, headers: kept.sort(), body: neutral(answer, tag) },
    status: response.status, body: type.includes("json") ? JSON.parse(answer) : answer,
  };
}

/** Runs the same on both hosts of a module. */
function same(module, name, run) {
  test(`${module}: ${name}`, async () => {
    const [one, other] = [[], []];
    for (const [host, told] of [[hosts[module][0], one], [hosts[module][1], other]]) {
      const tag = randomBytes(6).toString("hex");
      await run(async (...request) => {
        const answer = await ask(host, tag, ...request);
        told.push(answer.told);
        return answer;
      }, tag);
    }
    assert.ok(one.length > 0);
    for (const [at, answer] of one.entries()) assert.deepEqual(other[at], answer);
    assert.equal(other.length, one.length);
    compared += one.length;
  });
}

const id = "/00000000-0000-4000-8000-000000000000";
const ROUTES = {
  crm: [
    "/crm/customers", `/crm/customers${id}`, `/crm/customers${id}/interactions`, `/crm/customers${id}/suggest-followups`, "/crm/customers/bulk-tag",
    `/crm/customers${id}/archive`, `/crm/customers${id}/merge`, "/crm/interactions", `/crm/interactions${id}`, "/crm/followups", `/crm/followups${id}`,
    "/crm/segments", `/crm/segments${id}`, `/crm/segments${id}/members`, `/crm/segments${id}/recompute`, `/crm/segments${id}/score`, "/crm/ai-jobs", `/crm/ai-jobs${id}`, `/crm/ai-jobs${id}/cancel`, "/crm/leads/score",
    `/crm/customers${id}/draft-message`, `/crm/customers${id}/insights`, `/crm/customers${id}/next-action`, "/crm/automation/rules",
    `/crm/automation/rules${id}`, `/crm/automation/rules${id}/preview`, "/crm/automation/runs", `/crm/automation/runs${id}/retry`, "/crm/nowhere",
    "/crm/customers/no-uuid", "/crm/customers?page_size=0", "/crm/customers?page_size=x&sort=nothing", "/crm/customers?cursor=%00", "/crm/healthz", "/",
  ],
  hooks: ["/whatsapp-webhook", "/sms-handler", "/email-processor/postmark", "/email-processor/nobody", "/webhook-handler/unknown", "/webhook-handler"],
  jobs: [
    "/handle-event-trigger", "/process-time-based-automations", "/process-segment-automations", "/dispatch-messages", "/embed-kb-articles",
    "/analyze-interaction-sentiment", "/score-segments", "/jobs",
  ],
  portal: [
    "/portal/ai/conversations", `/portal/ai/conversations${id}`, `/portal/ai/conversations${id}/messages`, "/portal/threads",
    `/portal/threads${id}/messages`, `/portal/messages${id}/files/0`, "/portal/signup", "/portal/accept-invite", "/portal/session", "/portal/dashboard",
    "/portal/kb/articles", "/portal/kb/articles/none", "/portal/kb/search?q=filter", "/portal/appointments", `/portal/appointments${id}`,
    `/portal/appointments${id}/reschedule`, "/portal/service-history", `/portal/jobs${id}`, "/portal/documents", "/portal/invoices", "/portal/memberships",
    "/portal/service-types", "/portal/slots", "/portal/holds", `/portal/holds${id}`, "/portal/booking-requests", `/portal/booking-requests${id}/cancel`,
    "/portal/settings", "/portal/settings/profile", "/portal/settings/notifications", "/portal/settings/security",
  ],
};
/** Calls that work off what other tests wait for. */
const WORKS = new Set(ROUTES.jobs);

for (const [module, paths] of Object.entries(ROUTES)) {
  same(module, "who is nobody, of another role, or sends nonsense", async (ask) => {
    for (const path of paths) {
      await ask("GET", path);
      await ask("OPTIONS", path, { headers: { origin: "https://app.example", "access-control-request-method": "POST" } });
      await ask("POST", path, { body: "{" });
      await ask("POST", path, { token: "no.token.atall", body: {} });
      await ask("POST", path, { token: users.viewer, body: { unknown: "<script>" } });
      await ask("GET", path, { token: users.csr });
      await ask("GET", path, { token: users.owner });
      await ask("POST", path, { token: users.owner, body: "[1, 2" });
      await ask("PATCH", path, { token: users.csr, body: { unknown: 1 } });
      await ask("PUT", path, { token: users.csr, body: "null" });
      if (!WORKS.has(path)) await ask("POST", path, { token: users.csr, body: { unknown: null } });
    }
  });
}

same("crm", "a customer from the first to the last day", async (ask, tag) => {
  const csr = { token: users.csr };
  const input = { type: "individual", first_name: "Zoë", last_name: `O’Hara ${tag}`, contacts: [{ type: "email", value: `${tag}@example.com` }] };
  const key = { "idempotency-key": tag };
  const made = await ask("POST", "/crm/customers", { ...csr, body: input, headers: key });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await ask("POST", "/crm/customers", { ...csr, body: input, headers: key });
  await ask("POST", "/crm/customers", { ...csr, body: { ...input, type: "company" }, headers: key });
  const path = `/crm/customers/${made.body.id}`;
  await ask("GET", path, csr);
  await ask("PATCH", path, { ...csr, body: { notes: "قالت إن المكيّف 🥶 لا يعمل", tags: [`Tag ${tag}`] } });
  await ask("PATCH", path, { ...csr, body: { status: "emperor" } });
  await ask("POST", "/crm/interactions", { ...csr, body: { customer_id: made.body.id, channel: "note", direction: "internal", body: "Was there." } });
  await ask("POST", "/crm/interactions", { ...csr, body: { customer_id: made.body.id, channel: "phone", direction: "inbound", body: "It is cold!" } });
  await ask("GET", `${path}/interactions?page_size=1`, csr);
  await ask("POST", "/crm/followups", { ...csr, body: { customer_id: made.body.id, title: "Call", due_at: "2031-01-01T09:00:00Z" } });
  await ask("POST", `${path}/suggest-followups`, csr);
  await ask("GET", `/crm/customers?search=${tag}`, csr);
  await ask("POST", "/crm/customers/bulk-tag", { ...csr, body: { customer_ids: [made.body.id], tag_names: [`More ${tag}`] } });
  await ask("POST", `${path}/archive`, csr);
  await ask("POST", `${path}/restore`, csr);
  await ask("DELETE", path, csr);
  await ask("GET", path, csr);
});

same("crm", "a segment of rules and one of a sentence", async (ask, tag) => {
  const csr = { token: users.csr };
  const definition = { combinator: "and", rules: [{ field: "status", operator: "=", value: "active" }] };
  const made = await ask("POST", "/crm/segments", { ...csr, body: { name: `Active ${tag}`, type: "rule_based", definition } });
  await ask("GET", `/crm/segments/${made.body.id}`, csr);
  await ask("POST", `/crm/segments/${made.body.id}/recompute`, csr);
  const prompted = await ask("POST", "/crm/segments", { ...csr, body: { name: `AI ${tag}`, type: "ai_generated", ai_prompt: "active customers in Austin" } });
  await ask("POST", `/crm/segments/${prompted.body.id}/recompute`, csr);
  await ask("POST", "/crm/segments", { ...csr, body: { name: `Bad ${tag}`, type: "rule_based", definition: { field: "password" } } });
});

same("crm", "bodies that are too large, too deep, or no text", async (ask) => {
  const csr = { token: users.csr };
  await ask("POST", "/crm/customers", { ...csr, body: `{"notes": "${"x".repeat(1024 * 1024)}"}` });
  await ask("POST", "/crm/customers", { ...csr, body: `{"notes": "${"x".repeat(5 * 1024 * 1024)}"}` });
  await ask("POST", "/crm/customers", { ...csr, body: "[".repeat(10_000) });
  await ask("POST", "/crm/customers", { ...csr, body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) });
  await ask("POST", "/crm/customers", { ...csr, body: "" });
  await ask("POST", "/crm/customers", { ...csr, body: '{"name": "\\ud800"}' });
  await ask("GET", "/crm/customers", { ...csr, headers: { "x-request-id": "bad id\u00e9" } });
  await ask("GET", "/crm/customers", { ...csr, headers: { "x-request-id": "from.the-client_1" } });
});

for (const provider of ["whatsapp", "twilio", "postmark", "sendgrid", "mailgun", "resend", "raw"]) {
  same("hooks", `what ${provider} sends, and what only looks so`, async (ask) => {
    const { calls } = providers({ secretKey, functionsUrl: PUBLIC });
    for (const { name, body, isJson } of payloads(provider)) {
      const [path, sent, headers] = calls[provider](body, isJson, name);
      const taken = await ask("POST", path, { body: sent, headers });
      assert.equal(taken.status, 200, `${name}: ${JSON.stringify(taken.body)}`);
      await ask("POST", path, { body: Buffer.concat([sent, Buffer.from(" ")]), headers });
    }
    const [path, , headers] = calls[provider](Buffer.from("{}"), true, "large");
    await ask("POST", path, { body: Buffer.alloc(5 * 1024 * 1024, "x"), headers });
  });
}

same("jobs", "work for the service role", async (ask) => {
  const service = { token: users.service };
  await ask("POST", "/handle-event-trigger", { ...service, body: { event_id: randomUUID() } });
  await ask("POST", "/analyze-interaction-sentiment", { ...service, body: { batch_limit: 0 } });
  await ask("POST", "/dispatch-messages", { ...service, body: { batch_limit: "many" } });
  await ask("POST", "/embed-kb-articles", { ...service, body: { batch_limit: 0 } });
});

same("portal", "what a customer does", async (ask, tag) => {
  const owner = { token: users.owner };
  await ask("POST", "/portal/session", owner);
  const thread = await ask("POST", "/portal/threads", { ...owner, body: { subject: `Filter ${tag}`, body: "Which filter fits?" }, headers: { "idempotency-key": tag } });
  await ask("POST", `/portal/threads/${thread.body.id}/messages`, { ...owner, body: { body: "And when?" } });
  await ask("GET", `/portal/threads/${thread.body.id}/messages?page_size=1`, owner);
  await ask("POST", `/portal/threads/${thread.body.id}/read`, owner);
  const conversation = await ask("POST", "/portal/ai/conversations", owner);
  await ask("POST", `/portal/ai/conversations/${conversation.body.id}/messages`, { ...owner, body: { content: "How often do I change the furnace filter?" } });
  await ask("POST", `/portal/ai/conversations/${conversation.body.id}/escalate`, owner);
  await ask("POST", "/portal/signup", { body: { slug: "northwind", email: "no address", password: "x", name: "" } });
  await ask("POST", "/portal/accept-invite", { body: { token: "0".repeat(64), password: `Long enough ${tag}`, name: "Nobody" } });
});

for (const module of Object.keys(MODULES)) {
  test(`${module}: many at once`, async () => {
    const path = { crm: "/crm/customers?page_size=3", hooks: "/whatsapp-webhook", jobs: "/jobs", portal: "/portal/dashboard" }[module];
    const told = await Promise.all(hosts[module].map(async (host) => {
      const requests = Array.from({ length: 24 }, (_, at) => ask(host, "no tag", "GET", path, { token: at % 3 ? users[module === "portal" ? "owner" : "csr"] : undefined }));
      return (await Promise.all(requests)).map((one) => one.told);
    }));
    assert.deepEqual(told[1], told[0]);
    compared += told[0].length;
  });
}

for (const [at, start] of [deno, workerd].entries()) {
  test(`${["Deno", "workerd"][at]}: who meets a panic gets a problem, and the next request is served`, async () => {
    const host = await start("crm", env, BREAK);
    try {
      for (let round = 0; round < 3; round += 1) {
        const panicked = await ask(host, "no tag", "GET", "/crm/panic");
        assert.equal(panicked.status, 500);
        assert.equal(panicked.body.code, "internal");
        assert.equal((await ask(host, "no tag", "GET", "/crm/customers", { token: users.csr })).status, 200);
      }
      // Those that are under way with it share its fate, and have an answer too.
      const all = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(host, "no tag", "GET", n % 5 === 2 ? "/crm/panic" : "/crm/customers", { token: users.csr })));
      for (const { status, body } of all) assert.ok(status === 200 || (status === 500 && body.code === "internal"), JSON.stringify(body));
      assert.equal((await ask(host, "no tag", "GET", "/crm/customers", { token: users.csr })).status, 200);
    } finally {
      await host.stop();
    }
  });
}

test("workerd: the cron trigger calls each job as what the Worker's key is", async () => {
  const host = await workerd("jobs", { ...env, SUPABASE_SERVICE_ROLE_KEY: users.csr });
  const { body } = await ask(host, "no tag", "GET", "/", { headers: { "test-scheduled": "1" } });
  assert.equal(body, [
    "process-time-based-automations", "process-segment-automations", "dispatch-messages", "embed-kb-articles", "analyze-interaction-sentiment", "score-segments",
  ].map((slug) => `${slug}: 403`).join(", "));
  await host.stop();
});

test("workerd: over the limit of the binding RATE_LIMIT nobody is served", async () => {
  const { status, body } = await ask(hosts.hooks[1], "no tag", "POST", "/whatsapp-webhook", { body: "{}", headers: { "test-rate-limit": "1" } });
  assert.equal(status, 429);
  assert.equal(body.code, "rate_limited");
});

test("without its secrets a function says what is missing in its log, and to nobody else", async () => {
  const told = [];
  for (const start of [deno, workerd]) {
    const host = await start("crm", { SUPABASE_URL: url });
    const answer = await ask(host, "no tag", "GET", "/crm/customers", { token: users.csr });
    assert.equal(answer.status, 500);
    assert.match(host.log(), /SUPABASE_ANON_KEY is not set/);
    assert.doesNotMatch(JSON.stringify(answer.body), /SUPABASE/);
    told.push(answer.told);
    await host.stop();
  }
  assert.deepEqual(told[1], told[0]);
});
