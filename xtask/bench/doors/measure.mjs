// p50, p95 and rate of creating a customer through the RPC door and the function door, and what the
// function costs at its start. Run by `cargo xtask bench doors` with the variables of stack.env.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, FUNCTIONS_URL, DEMO_PASSWORD } = process.env;
const SECONDS = 8;
const ROUNDS = 3;
const STARTS = 30;
const functions = fileURLToPath(new URL("../../../supabase/functions/", import.meta.url));

const signIn = await fetch(`${SUPABASE_URL}/auth/v1/token?grant_type=password`, {
  method: "POST",
  headers: { apikey: SUPABASE_PUBLISHABLE_KEY, "content-type": "application/json" },
  body: JSON.stringify({ email: "csr@northwind.example", password: DEMO_PASSWORD }),
});
const { access_token } = await signIn.json();
const headers = {
  apikey: SUPABASE_PUBLISHABLE_KEY,
  authorization: `Bearer ${access_token}`,
  "content-type": "application/json",
};
const doors = {
  "RPC": `${SUPABASE_URL}/rest/v1/rpc/crm_create_customer`,
  "function": `${FUNCTIONS_URL}/crm/customers`,
};
let made = 0;
const customer = () => JSON.stringify({
  type: "individual", name: `Door ${made++}`, email: `door${made}@example.com`, phone: "(312) 555-0100",
  locations: [{ address_line1: "12 Elm Street", city: "Springfield" }], tags: ["VIP"],
});

async function load(url, clients, seconds) {
  const times = [];
  const until = performance.now() + seconds * 1000;
  const started = performance.now();
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < until) {
      const before = performance.now();
      const response = await fetch(url, { method: "POST", headers, body: customer() });
      await response.text();
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      times.push(performance.now() - before);
    }
  }));
  const rate = times.length / ((performance.now() - started) / 1000);
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(times.length * part)];
  return { p50: at(0.5), p95: at(0.95), rate };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Compile, instantiate and first response, each time in a Deno process of its own. */
async function coldStarts() {
  const { platform, arch } = process;
  const binary = join(dirname(createRequire(import.meta.url).resolve(`@deno/${platform}-${arch}-glibc/package.json`)), "deno");
  const code = `
    const start = performance.now();
    const { handle, initSync } = await import("file://${functions}_wasm/crm.js");
    initSync({ module: await Deno.readFile("${functions}_wasm/crm_bg.wasm") });
    const ready = performance.now();
    const env = { SUPABASE_URL: "http://127.0.0.1:9", SUPABASE_ANON_KEY: "x" };
    await (await handle(new Request("http://local/crm/customers", { method: "POST", body: "{", headers: { authorization: "Bearer x", "content-type": "application/json" } }), env)).text();
    console.log(JSON.stringify([ready - start, performance.now() - start]));`;
  const runs = [];
  for (let run = 0; run < STARTS; run++) {
    const before = performance.now();
    const child = spawn(binary, ["eval", "--quiet", code], { env: { ...process.env, NO_COLOR: "1" } });
    let out = "";
    for await (const chunk of child.stdout) out += chunk;
    const [instantiated, first] = JSON.parse(out.trim().split("\n").at(-1));
    runs.push({ instantiated, first, process: performance.now() - before });
  }
  return Object.fromEntries(Object.keys(runs[0]).map((key) => [key, median(runs.map((run) => run[key]))]));
}

const results = [];
for (const url of Object.values(doors)) await load(url, 4, 2);
for (const clients of [1, 16]) {
  const rounds = { "RPC": [], "function": [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const [door, url] of Object.entries(doors)) rounds[door].push(await load(url, clients, SECONDS));
  for (const [door, runs] of Object.entries(rounds))
    results.push({ door, clients, p50: median(runs.map((run) => run.p50)), p95: median(runs.map((run) => run.p95)), rate: median(runs.map((run) => run.rate)) });
}
console.log(JSON.stringify({ doors: results, cold_start: await coldStarts() }));
