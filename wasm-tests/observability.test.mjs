// What an operator sees of the functions: one id in every place a request passes, log lines of one schema, health and metrics.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { BREAK, deno, MODULES, workerd } from "./hosts.mjs";
import { as, northwind, publishableKey, serviceToken, sql, unique, url } from "./stack.mjs";

const SLUGS = {
  crm: ["crm"], portal: ["portal"], hooks: ["whatsapp-webhook", "sms-handler", "email-processor", "webhook-handler"],
  jobs: [
    "handle-event-trigger", "process-time-based-automations", "process-segment-automations", "dispatch-messages", "embed-kb-articles",
    "analyze-interaction-sentiment", "score-segments",
  ],
};
// Each call of the database is slow enough for the log: 1 ms.
const env = {
  SUPABASE_URL: url, SUPABASE_ANON_KEY: publishableKey, SUPABASE_SERVICE_ROLE_KEY: process.env.SUPABASE_SECRET_KEY, SLOW_CALL_MS: "1",
};

/** Of each module: Deno and workerd. */
const hosts = {};
let csr;
before(async () => {
  csr = (await as("csr")).token;
  for (const module of Object.keys(MODULES)) hosts[module] = await Promise.all([deno(module, env), workerd(module, env)]);
});
after(() => Promise.all(Object.values(hosts).flat().map((host) => host.stop())));

const ask = (host, method, path, token, { body, headers } = {}) => fetch(host.url + path, {
  method, body: body && JSON.stringify(body), headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
});

/** The lines of a host's log that are ours. */
const lines = (host) => host.log().split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));

async function eventually(read, found) {
  for (let tries = 0; tries < 100; tries += 1) {
    const seen = read();
    if (found(seen)) return seen;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  return read();
}

/** The table of events in docs/operations.md: each with the members that it always has. */
async function schema() {
  const text = await readFile(new URL("../docs/operations.md", import.meta.url), "utf8");
  const rows = text.split("\n").filter((line) => line.startsWith("| `") && line.split("|").length === 6);
  const names = (cell) => [...cell.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name);
  return new Map(rows.map((row) => {
    const [, event, always, sometimes] = row.split("|");
    return [names(event)[0], { always: ["ts", "level", "event", ...names(always)], sometimes: names(sometimes) }];
  }));
}

test("one id is in the answer, in the log and in the audit trail", async () => {
  for (const host of hosts.crm) {
    const id = `observed-${randomUUID()}`;
    const body = { type: "individual", name: unique("Observed") };
    const response = await ask(host, "POST", "/crm/customers", csr, { body, headers: { "x-request-id": id } });
    const customer = await response.json();
    assert.equal(response.status, 201, JSON.stringify(customer));
    assert.equal(response.headers.get("x-request-id"), id);
    const [audited] = await sql`select request_id from audit_log where org_id = ${northwind.id} and record_id = ${customer.id} and action = 'insert'`;
    assert.equal(audited.request_id, id);
    const ours = await eventually(() => lines(host).filter((line) => line.request_id === id), (all) => all.some((line) => line.event === "request"));
    const line = ours.find((one) => one.event === "request");
    assert.deepEqual([line.slug, line.method, line.path, line.status], ["crm", "POST", "/crm/customers", 201], host.name);
    const slow = ours.find((one) => one.event === "slow_call");
    assert.equal(slow.rpc, "crm_create_customer");
    assert.ok(slow.ms >= 1, JSON.stringify(slow));
    // A refusal says it in its body as well.
    const refused = await ask(host, "GET", "/crm/customers/none", csr, { headers: { "x-request-id": id } });
    assert.equal((await refused.json()).instance, id);
  }
});

test("each line of the log has the members that docs/operations.md says", async () => {
  const events = await schema();
  assert.ok(events.has("request") && events.has("slow_call") && events.has("config"));
  for (const [module, [slug]] of Object.entries(SLUGS)) {
    for (const host of hosts[module]) {
      await ask(host, "POST", `/${slug}`, csr, { body: {} });
      await ask(host, "GET", `/${slug}/nowhere/at/all`);
      await ask(host, "GET", `/${slug}/metrics`, serviceToken);
      const all = await eventually(() => lines(host), (seen) => seen.filter((line) => line.event === "request").length >= 3);
      assert.ok(all.length >= 3, `${host.name}, ${module}: ${host.log()}`);
      for (const line of all) {
        const known = events.get(line.event);
        assert.ok(known, `an event that is not documented: ${JSON.stringify(line)}`);
        for (const name of known.always) assert.ok(name in line, `no ${name} in ${JSON.stringify(line)}`);
        for (const name of Object.keys(line)) assert.ok([...known.always, ...known.sometimes].includes(name), `${name} is not documented: ${JSON.stringify(line)}`);
        assert.ok(["info", "warn", "error"].includes(line.level) && !Number.isNaN(Date.parse(line.ts)), JSON.stringify(line));
      }
      assert.doesNotMatch(host.log(), new RegExp(csr.slice(-40)), "a token");
    }
  }
});

test("a setting that is none is an event of the log, and no function starts with it", async () => {
  for (const start of [deno, workerd]) {
    const host = await start("crm", { ...env, MAX_IN_FLIGHT: "many" });
    assert.equal((await ask(host, "GET", "/crm/healthz")).status, 500);
    const [line] = await eventually(() => lines(host).filter(({ event }) => event === "config"), (all) => all.length > 0);
    assert.match(line.cause, /MAX_IN_FLIGHT/);
    assert.ok(line.ts && line.level === "error");
    await host.stop();
  }
});

test("each slug says that it is well, to anybody", async () => {
  for (const [module, slugs] of Object.entries(SLUGS)) {
    for (const host of hosts[module]) {
      for (const slug of slugs) {
        const response = await ask(host, "GET", `/${slug}/healthz`);
        assert.equal(response.status, 200, `${host.name} /${slug}`);
        const { status, version } = await response.json();
        assert.equal(status, "ok");
        assert.match(version, /^\d+\.\d+\.\d+/);
      }
    }
  }
});

test("metrics are for the service role, in Prometheus' text format", async () => {
  for (const [module, slugs] of Object.entries(SLUGS)) {
    for (const host of hosts[module]) {
      const path = `/${slugs.at(-1)}/metrics`;
      assert.equal((await ask(host, "GET", path)).status, 401, path);
      assert.equal((await ask(host, "GET", path, "no.token.atall")).status, 401, path);
      // What a gateway could take for a key of its own.
      assert.ok([401, 403].includes((await ask(host, "GET", path, "sb_secret_none")).status), path);
      assert.equal((await ask(host, "GET", path, csr)).status, 403, path);
      const response = await ask(host, "GET", path, serviceToken);
      assert.equal(response.status, 200, path);
      assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
      const text = await response.text();
      assert.match(text, new RegExp(`fieldcrm_http_requests_total\\{function="${module}",method="GET",path="${path}",status="403"\\} 1\n`));
      assert.match(text, /fieldcrm_database_calls_total\{call="crm_health",outcome="forbidden"\} 1\n/);
      assert.match(text, /fieldcrm_queue_waiting\{queue="emails"\} \d+\n/);
      const series = text.trimEnd().split("\n").filter((line) => !line.startsWith("#"));
      for (const line of series) assert.match(line, /^fieldcrm_[a-z0-9_]+(\{([a-z]+="[^"\\\n]*",?)+\})? [0-9.e+-]+$/);
      assert.equal(new Set(series.map((line) => line.replace(/ \S+$/, ""))).size, series.length, "a series twice");
    }
  }
});

test("a panic is counted, though the instance is gone, and told with the requests that it ended", async () => {
  for (const start of [deno, workerd]) {
    const host = await start("crm", env, BREAK);
    for (let round = 1; round <= 2; round += 1) {
      const id = `panic-${randomUUID()}`;
      assert.equal((await ask(host, "GET", "/crm/panic", undefined, { headers: { "x-request-id": id } })).status, 500);
      const [line] = await eventually(() => lines(host).filter(({ request_ids: ids }) => ids?.includes(id)), (all) => all.length > 0);
      assert.deepEqual([line.event, line.level, line.status, typeof line.place], ["panic", "error", 500, "string"], host.name);
      const text = await (await ask(host, "GET", "/crm/metrics", serviceToken)).text();
      assert.match(text, new RegExp(`fieldcrm_panics_total ${round}\n`), host.name);
    }
    await host.stop();
  }
});

test("an instance with more requests than it takes refuses the rest at once", async () => {
  for (const start of [deno, workerd]) {
    const host = await start("crm", { ...env, MAX_IN_FLIGHT: "2" });
    const all = await Promise.all(Array.from({ length: 40 }, () => ask(host, "GET", "/crm/customers?limit=1", csr)));
    const statuses = all.map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)].sort(), [200, 503], host.name);
    const refused = all.find(({ status }) => status === 503);
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.equal((await refused.json()).code, "unavailable");
    assert.equal((await ask(host, "GET", "/crm/customers?limit=1", csr)).status, 200, "there is room again");
    await host.stop();
  }
});

test("what is too long to be read is refused by its length", async () => {
  for (const host of hosts.crm) {
    const long = await ask(host, "GET", `/crm/customers?search=${"x".repeat(9000)}`, csr);
    assert.deepEqual([long.status, (await long.json()).code], [414, "uri_too_long"], host.name);
    const headers = Object.fromEntries(["a", "b", "c", "d"].map((name) => [`x-${name}`, name.repeat(8100)]));
    const heavy = await ask(host, "GET", "/crm/customers", csr, { headers });
    assert.equal(heavy.status, 431, host.name);
    const deep = await ask(host, "POST", "/crm/customers", csr, { headers: { "x-request-id": "deep" }, body: JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) });
    assert.deepEqual([deep.status, (await deep.json()).code], [400, "invalid_argument"], host.name);
  }
});
