// When could somebody come within 60 days? The RPC as a signed-in customer calls it, one call after another.
// Run by `cargo xtask bench slots` with the variables of stack.env.
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import postgres from "postgres";

const CALLS = 300;
/** The uuid that fill.sql makes of a name. */
const id = (name) => createHash("md5").update(name).digest("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
const sql = postgres(process.env.DATABASE_URL, { max: 1, onnotice() {} });
const claims = JSON.stringify({ sub: id("slots 0"), role: "authenticated" });
await sql`select set_config('request.jwt.claims', ${claims}, false)`;
await sql`set role authenticated`;
const times = [];
let slots = 0;
for (let call = 0; call < CALLS + 10; call++) {
  const location = id(`slots location ${1 + (call % 500)}`);
  const began = performance.now();
  const [{ found }] = await sql`select public.portal_available_slots(service_type => 'repair', location_id => ${location}::uuid,
    from_date => current_date, to_date => current_date + 59) as found`;
  if (call >= 10) times.push(performance.now() - began);
  slots = found.slots.length;
}
await sql.end();
times.sort((one, other) => one - other);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
console.log(JSON.stringify({ calls: CALLS, slots, least: times[0], p50: at(0.5), p95: at(0.95), most: times.at(-1) }));
