// p50, p95 and rate of creating, getting and listing customers: over REST, over the function and over the same function in plain
// TypeScript, the latter two each in a Deno process of its own; and what the function costs at its start. Run by
// `cargo xtask bench doors` with the variables of stack.env.
import assert from "node:assert/strict";
import { serve } from "../deno.mjs";
import { compare } from "../load.mjs";
import { coldStarts } from "./cold.mjs";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, DEMO_PASSWORD } = process.env;
const ROUNDS = { seconds: 5, rounds: 3 };

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
let made = 0;
const customer = () => JSON.stringify({
  type: "individual", name: `Door ${made++}`, email: `door${made}@example.com`, phone: "(312) 555-0100",
  locations: [{ address_line1: "12 Elm Street", city: "Springfield" }], tags: ["VIP"],
});
const get = (url) => () => [url, { headers }];
const post = (url) => () => [url, { method: "POST", headers, body: customer() }];

const servers = {};
const results = { cold_start: await coldStarts() };
try {
  servers.function = await serve("supabase/functions/crm/index.ts");
  servers.rival = await serve("xtask/bench/doors/rival.ts");
  const doors = (path, options) => Object.fromEntries(Object.entries(servers).map(([door, { url }]) => [door, options(url + path)]));
  const rest = (path, options) => ({ REST: options(`${SUPABASE_URL}/rest/v1/${path}`) });
  results.create = await compare({ ...rest("rpc/crm_create_customer", post), ...doors("/crm/customers", post) }, ROUNDS);
  const [{ id }] = await (await fetch(`${SUPABASE_URL}/rest/v1/customers?select=id&limit=1`, { headers })).json();
  for (const [operation, path] of Object.entries({ get: `/crm/customers/${id}`, list: "/crm/customers" })) {
    const contestants = doors(path, get);
    // One that answers less would win unfairly.
    const [ours, theirs] = await Promise.all(Object.values(contestants).map(async (next) => (await fetch(...next())).json()));
    assert.deepEqual(theirs, ours);
    results[operation] = await compare(contestants, ROUNDS);
  }
} finally {
  for (const { child } of Object.values(servers)) child.kill();
}
console.log(JSON.stringify(results));
