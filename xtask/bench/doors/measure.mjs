// p50, p95 and rate of creating a customer through the RPC door and the function door, and what the
// function costs at its start. Run by `cargo xtask bench doors` with the variables of stack.env.
import { performance } from "node:perf_hooks";
import { coldStarts } from "./cold.mjs";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, FUNCTIONS_URL, DEMO_PASSWORD } = process.env;
const SECONDS = 8;
const ROUNDS = 3;

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
