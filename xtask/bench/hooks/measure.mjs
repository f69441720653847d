// Signed webhooks per second and p95: the function and the rival, each in a Deno process of its own without a
// gateway in between, against the same database. Run by `cargo xtask bench hooks` with the variables of stack.env
// and BENCH_MODULE, the directory of the module for verify.ts.
import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import net from "node:net";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import postgres from "postgres";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, DATABASE_URL, BENCH_MODULE } = process.env;
const SECONDS = 8;
const ROUNDS = 3;
const SENDERS = 500;
const NORTHWIND = "11111111-1111-4111-8111-111111111111";
const ADDRESS = "+15005550006";
const TOKEN = "0123456789abcdef0123456789abcdef";
const PUBLIC_FUNCTIONS_URL = "https://hooks.example/functions/v1";
const root = fileURLToPath(new URL("../../../", import.meta.url));
const { platform, arch } = process;
const deno = join(dirname(createRequire(import.meta.url).resolve(`@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}/package.json`)), "deno");

const sql = postgres(DATABASE_URL, { max: 1, onnotice() {} });
const [client] = await sql`insert into public.clients (org_id, name, created_by_user_id) values (${NORTHWIND}, 'Bench', null) returning id`;
const [project] = await sql`
  insert into public.projects (org_id, client_id, name, created_by_user_id) values (${NORTHWIND}, ${client.id}, 'Bench', null) returning id`;
await sql`
  insert into public.org_channels (org_id, channel, address, client_id, project_id, created_by_user_id)
  values (${NORTHWIND}, 'sms', ${ADDRESS}, ${client.id}, ${project.id}, null)`;
await sql`analyze public.leads, public.conversations, public.messages, public.webhook_events`;

async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

/** Serves a script in Deno; its log goes nowhere, but is written. */
async function serve(script) {
  const port = await freePort();
  const child = spawn(deno, ["run", "--no-prompt", "--allow-env", "--allow-net", "--allow-read", join(root, script)], {
    env: {
      ...process.env, NO_COLOR: "1", DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
      SUPABASE_URL, SUPABASE_ANON_KEY: SUPABASE_PUBLISHABLE_KEY, SUPABASE_SERVICE_ROLE_KEY: SUPABASE_SECRET_KEY,
      TWILIO_AUTH_TOKEN: TOKEN, PUBLIC_FUNCTIONS_URL,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}/sms-handler`;
  for (const until = Date.now() + 20_000; ;) {
    if (await fetch(url, { method: "POST" }).then(() => true, () => false)) return { url, child };
    if (Date.now() > until) throw new Error(`${script} does not answer`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

let made = 0;
function message() {
  const id = `SM${randomUUID().replaceAll("-", "")}`;
  const fields = {
    ToCountry: "US", SmsMessageSid: id, NumMedia: "0", SmsSid: id, FromState: "CA", SmsStatus: "received", FromCity: "SAN FRANCISCO",
    Body: `Can you come on Tuesday? ${made}`, FromCountry: "US", To: ADDRESS, NumSegments: "1", MessageSid: id,
    AccountSid: "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", From: `+1650555${String(1000 + (made++ % SENDERS))}`, ApiVersion: "2010-04-01",
  };
  const pairs = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
  const signature = createHmac("sha1", TOKEN).update(`${PUBLIC_FUNCTIONS_URL}/sms-handler${pairs.flat().join("")}`).digest("base64");
  return { body: new URLSearchParams(fields).toString(), headers: { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature } };
}

async function load(url, clients, seconds) {
  const times = [];
  const until = performance.now() + seconds * 1000;
  const started = performance.now();
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < until) {
      const sent = message();
      const before = performance.now();
      const response = await fetch(url, { method: "POST", ...sent });
      await response.text();
      if (response.status !== 200) throw new Error(`${url}: ${response.status}`);
      times.push(performance.now() - before);
    }
  }));
  const rate = times.length / ((performance.now() - started) / 1000);
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(times.length * part)];
  return { p50: at(0.5), p95: at(0.95), rate };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function verifyAlone() {
  const child = spawn(deno, ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-env", join(root, "xtask/bench/hooks/verify.ts"), BENCH_MODULE], {
    env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const chunk of child.stdout) out += chunk;
  return JSON.parse(out.trim().split("\n").at(-1));
}

const verify = await verifyAlone();
const doors = { function: await serve("supabase/functions/sms-handler/index.ts"), rival: await serve("xtask/bench/hooks/rival.ts") };
const webhooks = [];
try {
  for (const { url } of Object.values(doors)) await load(url, 4, 2);
  for (const clients of [1, 16]) {
    const rounds = { function: [], rival: [] };
    for (let round = 0; round < ROUNDS; round++)
      for (const [door, { url }] of Object.entries(doors)) rounds[door].push(await load(url, clients, SECONDS));
    for (const [door, runs] of Object.entries(rounds))
      webhooks.push({ door, clients, ...Object.fromEntries(["p50", "p95", "rate"].map((key) => [key, median(runs.map((run) => run[key]))])) });
  }
} finally {
  for (const { child } of Object.values(doors)) child.kill();
  await sql.end();
}
console.log(JSON.stringify({ webhooks, verify }));
