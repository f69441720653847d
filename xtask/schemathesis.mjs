// Schemathesis over each openapi.json with each kind of token, on the running stack; docs/api.md says how to call it.
// It asks with ids that are in the demo data too, so that answers are more than 404, and writes whatever comes to its mind.
import { SignJWT } from "jose";
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import postgres from "postgres";
import { providers, standard } from "../wasm-tests/hooks.mjs";

const VERSION = "4.32.5";
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";
const OUT = ".local/schemathesis";
const CUSTOMER = "portal_customer@northwind.example";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, SUPABASE_JWT_SECRET, DATABASE_URL, FUNCTIONS_URL, DEMO_PASSWORD } = process.env;
if (!FUNCTIONS_URL) throw new Error("source .local/stack.env first");
const [examples = "50", ...wanted] = process.argv.slice(2);
const runs = [
  ...["crm", "portal", "jobs", "hooks"].flatMap((name) => [[name, "csr"], [name, "portal_customer"]]),
  ["crm", "owner"],
  ["jobs", "service"],
  ["hooks", "signed"],
].filter(([name]) => wanted.length === 0 || wanted.includes(name));

async function tokenOf(who) {
  if (who === "signed") return SUPABASE_PUBLISHABLE_KEY;
  if (who === "service") {
    const key = new TextEncoder().encode(SUPABASE_JWT_SECRET);
    return new SignJWT({ role: "service_role" }).setProtectedHeader({ alg: "HS256", typ: "JWT" }).setExpirationTime("1h").sign(key);
  }
  const answer = await fetch(`${SUPABASE_URL}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { apikey: SUPABASE_PUBLISHABLE_KEY, "content-type": "application/json" },
    body: JSON.stringify({ email: `${who}@northwind.example`, password: DEMO_PASSWORD }),
  });
  if (!answer.ok) throw new Error(`${who} cannot sign in: ${answer.status}`);
  return (await answer.json()).access_token;
}

const MINE = `with mine as (
  select a.org_id, a.customer_id from portal_accounts a join auth.users u on u.id = a.user_id where u.email = '${CUSTOMER}')`;
const ofCustomer = (table, column = "id") =>
  `select ${column} as value from ${table} where (org_id, customer_id) in (select org_id, customer_id from mine)`;
const ofOrg = (table, column = "id") => `select ${column} as value from ${table} where org_id in (select org_id from mine)`;

/** What there is for the parameter of a path. */
const IN_PATHS = {
  "/crm/ai-jobs/{id}": ofOrg("ai_jobs"),
  "/crm/automation/rules/{id}": ofOrg("crm_automation_rules"),
  "/crm/automation/runs/{id}": ofOrg("crm_automation_runs"),
  "/crm/customers/{id}": ofOrg("customers"),
  "/crm/followups/{id}": ofOrg("crm_followups"),
  "/crm/interactions/{id}": ofOrg("crm_interactions"),
  "/crm/segments/{id}": ofOrg("crm_segments"),
  "/portal/ai/conversations/{id}": ofCustomer("portal_ai_conversations"),
  "/portal/appointments/{id}": ofCustomer("work_orders"),
  "/portal/booking-requests/{id}": ofCustomer("portal_booking_requests"),
  "/portal/documents/{id}": ofCustomer("documents"),
  "/portal/jobs/{id}": ofCustomer("work_orders"),
  "/portal/kb/articles/{slug}": ofOrg("kb_articles", "slug"),
  "/portal/messages/{id}": ofOrg("portal_messages"),
  "/portal/threads/{id}": ofCustomer("portal_threads"),
  "/webhook-handler/{form_key}": `${ofOrg("org_channels", "address")} and channel = 'form'`,
};
/** And for other parameters, and members of bodies, whatever the path. */
const ELSEWHERE = {
  "body.customer_id": ofOrg("customers"),
  "body.customer_ids[*]": ofOrg("customers"),
  "body.duplicate_id": ofOrg("customers"),
  "body.location_id": ofCustomer("customer_locations"),
  "body.org_id": "select org_id as value from mine",
  "body.related_work_order_id": ofCustomer("work_orders"),
  "body.service_type": ofOrg("service_types", "code"),
  "body.slug": ofOrg("portal_settings", "slug"),
  "query.customer_id": ofOrg("customers"),
  "query.location_id": ofCustomer("customer_locations"),
  "query.org": ofOrg("portal_settings", "slug"),
  "query.segment_id": ofOrg("crm_segments"),
  "query.service_type": ofOrg("service_types", "code"),
};

/** Each operation of a document; paths as they stand come before those with parameters. */
function operations(name) {
  const { paths } = JSON.parse(readFileSync(`functions/${name}/openapi.json`, "utf8"));
  return Object.entries(paths)
    .sort(([one], [other]) => one.includes("{") - other.includes("{"))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({
      path, method: method.toUpperCase(), name: `${method.toUpperCase()} ${path}`,
      pattern: new RegExp(`^/functions/v1${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/?]+")}(\\?|$)`),
    })));
}

/** Three times of four a parameter has a value that is there. */
async function writeSettings(path, name) {
  const described = new Set(operations(name).map(({ path }) => path));
  const sql = postgres(DATABASE_URL, { max: 1 });
  const lines = ["[cache]", "enabled = false"];
  const known = async (query) => {
    const rows = await sql.unsafe(`${MINE} ${query} order by 1 limit 20`);
    if (rows.length === 0) return undefined;
    const dictionary = `d${lines.length}`;
    lines.unshift(`[dictionaries.${dictionary}]`, `values = ${JSON.stringify(rows.map(({ value }) => value))}`);
    return `{ dictionary = "${dictionary}", probability = 0.75 }`;
  };
  for (const [path, query] of Object.entries(IN_PATHS)) {
    const paths = [...described].filter((one) => one.startsWith(path));
    const values = paths.length > 0 && (await known(query));
    const parameter = /\{(\w+)\}/.exec(path)[1];
    if (values) lines.push("[[operations]]", `include-path = ${JSON.stringify(paths)}`, `parameters = { "path.${parameter}" = ${values} }`);
  }
  lines.push("[parameters]");
  for (const [parameter, query] of Object.entries(ELSEWHERE)) {
    const values = await known(query);
    if (values) lines.push(`${JSON.stringify(parameter)} = ${values}`);
  }
  await sql.end();
  writeFileSync(path, `${lines.join("\n")}\n`);
}

const { calls, secrets } = providers({ secretKey: SUPABASE_SECRET_KEY, functionsUrl: FUNCTIONS_URL });

/** The path and headers with which the provider of this path would have sent the body; Mailgun's stand in the body itself. */
function signed(path, body, type) {
  if (path.startsWith("/webhook-handler/")) return [path, standard(secrets.FORM_DEMO_SECRET, body, randomUUID())];
  const isJson = type.startsWith("application/json");
  const provider = { "/whatsapp-webhook": "whatsapp", "/sms-handler": "twilio" }[path] ?? /^\/email-processor\/(\w+)$/.exec(path)?.[1];
  if (!provider || provider === "mailgun" || !calls[provider]) return [path, {}];
  const [to, , headers] = calls[provider](body, isJson, randomUUID());
  return [to, { ...headers, "content-type": type }];
}

/** Stands before the functions: counts answers, signs, and gives each second repeat of an Idempotency-Key a key of its own, since
 * Schemathesis sends few and their reuse would be refused before anything else is looked at. */
async function openDoor(name, who) {
  const [counts, keys, met] = [{}, new Map(), new Set()];
  const templates = operations(name);
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const headers = { ...request.headers };
    delete headers.host;
    const key = headers["idempotency-key"];
    const used = keys.get(key) ?? 0;
    keys.set(key, used + 1);
    if (key && used % 2 === 1) headers["idempotency-key"] = randomUUID();
    let path = request.url;
    if (who === "signed") {
      const [to, added] = signed(path.slice("/functions/v1".length), body, headers["content-type"] ?? "");
      path = `/functions/v1${to}`;
      Object.assign(headers, added);
    }
    const { hostname, port } = new URL(FUNCTIONS_URL);
    const upstream = http.request({ hostname, port, method: request.method, path, headers });
    upstream.on("response", (answer) => {
      counts[answer.statusCode] = (counts[answer.statusCode] ?? 0) + 1;
      if (answer.statusCode < 400) met.add(templates.find(({ method, pattern }) => method === request.method && pattern.test(path))?.name);
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    upstream.on("error", () => response.destroy());
    upstream.end(body);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { counts, unmet: () => templates.map(({ name }) => name).filter((name) => !met.has(name)), server, url: `http://127.0.0.1:${server.address().port}/functions/v1` };
}

async function run([name, who]) {
  const dir = `${OUT}/${name}-${who}`;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  await writeSettings(`${dir}/schemathesis.toml`, name);
  const { counts, unmet, server, url } = await openDoor(name, who);
  const child = spawn("schemathesis", [
    "--config-file", `${dir}/schemathesis.toml`, "run", `functions/${name}/openapi.json`, "--url", url,
    "--header", `Authorization: Bearer ${await tokenOf(who)}`, "--header", `apikey: ${SUPABASE_PUBLISHABLE_KEY}`,
    "--checks", CHECKS, "--seed", "1", "--max-examples", examples, "--continue-on-failure", "--no-shrink",
    "--generation-database", "none", "--suppress-health-check", "all", "--no-color",
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  let output = "";
  for await (const text of child.stdout.setEncoding("utf8")) output += text;
  const [status] = await ended;
  server.close();
  writeFileSync(`${dir}/output.txt`, `${output}\nNo answer below 400: ${unmet().join(", ")}\n`);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const shares = Object.entries(counts).map(([status, count]) => `${status}: ${((100 * count) / total).toFixed(1)} %`);
  const tested = /Tested: +(\d+)/.exec(output)?.[1];
  const cases = /(\d+) generated/.exec(output)?.[1];
  const failures = [...output.matchAll(/❌ (ST\d+ .+: \d+)$/gm)].map(([, failure]) => failure);
  console.log(`| ${name} | ${who} | ${tested}, ${tested - unmet().length} with an answer below 400 | ${cases} | ${failures.join(", ") || "0"} | ${shares.join(", ")} |`);
  return status === 0;
}

const installed = spawnSync("schemathesis", ["--version"], { encoding: "utf8" }).stdout?.trim();
if (!installed?.endsWith(VERSION)) throw new Error(`schemathesis ${VERSION} is needed: pip install schemathesis==${VERSION}`);
console.log("| Document | Token | Operations | Cases | Failures | Answers |\n|---|---|---|---|---|---|");
let passed = true;
for (const one of runs) passed = (await run(one)) && passed;
process.exitCode = passed ? 0 : 1;
