// Thirty-two clients read and write for half an hour while functions are killed and the database falls. What goes wrong outside of
// five seconds after a fault, what is lost, doubled or seen by the wrong org, and what grows, is what it finds.
// Run by `cargo xtask bench soak` with the variables of stack.env; SOAK_MINUTES, SOAK_SEED and SOAK_FALL are its own.
import { SignJWT } from "jose";
import postgres from "postgres";

import { SCHEDULE, serviceCaller, startTicks } from "../../../supabase/local/ticks.mjs";
import { audit } from "./audit.mjs";
import { HttpStaff, RpcStaff, Tenant } from "./clients.mjs";
import { breakThings } from "./faults.mjs";
import { Journal } from "./journal.mjs";
import { Memory } from "./memory.mjs";
import { Meter } from "./meter.mjs";
import { openWorld } from "./world.mjs";

const { DATABASE_URL, SUPABASE_URL, SUPABASE_JWT_SECRET } = process.env;
const MINUTES = Number(process.env.SOAK_MINUTES || 30);
const SEED = Number(process.env.SOAK_SEED || 1);
/** What becomes of the database half-way: restart, or kill (SIGKILL). */
const FALL = process.env.SOAK_FALL || "restart";
const lasting = MINUTES * 60_000;
const TENANTS = 6;
const STAFF = 5;
/** How long clients may go on asking for an answer after the end. */
const GRACE_MS = 60_000;
const SAMPLE_MS = 10_000;

/** Mulberry32: the same faults at the same times for the same seed. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sql = postgres(DATABASE_URL, { max: 2, onnotice() {}, backoff: 0.1 });
const settings = { url: SUPABASE_URL, jwtSecret: SUPABASE_JWT_SECRET };
const meter = new Meter();
const journal = new Journal();
const orgs = await openWorld(sql, TENANTS);
await sql`vacuum analyze`;
const serviceToken = await new SignJWT({ role: "service_role" }).setProtectedHeader({ alg: "HS256", typ: "JWT" }).setIssuedAt()
  .setExpirationTime("3h").sign(new TextEncoder().encode(SUPABASE_JWT_SECRET));

const callAsService = serviceCaller(settings);
const call = (slug) => callAsService(slug).catch((error) => {
  meter.error(`tick ${slug}`, error.message);
  throw error;
});
const ticks = startTicks(settings, SCHEDULE.map(([slug]) => slug), { call, log: { log() {}, error() {} } });

const begun = meter.now();
const end = Date.now() + lasting;
const shared = (seed) => ({
  meter, journal, serviceToken, random: generator(SEED * 1000 + seed), running: () => Date.now() < end, deadline: () => end + GRACE_MS,
});
const clients = orgs.flatMap((org, side) => [
  ...Array.from({ length: STAFF }, (_, n) => new RpcStaff(shared(side * 100 + n), org, org.staff[n % org.staff.length])),
  ...Array.from({ length: STAFF }, (_, n) => new HttpStaff(shared(side * 100 + 20 + n), org, org.staff[n % org.staff.length])),
  ...org.tenants.map((tenant, n) => new Tenant(shared(side * 100 + 40 + n), org, tenant)),
]);
const memory = new Memory(sql, lasting / 6000);
const sampling = setInterval(() => memory.sample().catch(() => {}), Math.min(SAMPLE_MS, lasting / 60));
const minutes = setInterval(() => {
  console.log(`minute ${Math.round((meter.now() - begun) / 60_000)}: ${meter.errors.length} errors, ${meter.faults.length} faults`);
}, 60_000);
await Promise.all([...clients.map((client) => client.live()), breakThings({ meter, sql, random: generator(SEED), lasting, how: FALL })]);
const seconds = (meter.now() - begun) / 1000;
clearInterval(minutes);
// The audit's own memory is none of theirs.
clearInterval(sampling);

const found = await audit({ sql, orgs, journal });
ticks.stop();
const operations = meter.rows();
const sum = (kind) => operations.filter((one) => one.kind === kind).reduce((total, { requests }) => total + requests, 0);
const verdict = meter.verdict(begun);
const missed = [
  ...verdict.outside.map(({ at_s, name, detail }) => `an error that no fault explains: ${name} at ${at_s} s: ${detail}`).slice(0, 20),
  ...verdict.faults.filter(({ late }) => late).map(({ what, at_s, recovery_ms }) => `${what} at ${at_s} s: recovered after ${recovery_ms} ms`),
  ...found.kinds.filter(({ lost, doubled, strange, asked, acknowledged }) => lost || doubled || strange || asked > acknowledged).map((one) => JSON.stringify(one)),
  ...Object.entries(found.wrong).filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`),
  ...(found.queues.waiting || found.queues.failed ? [`queues: ${JSON.stringify(found.queues.named)}`] : []),
  ...meter.leaks.slice(0, 5),
];
console.log(JSON.stringify({
  minutes: MINUTES, seed: SEED, clients: clients.length, seconds: Math.round(seconds), reads: sum("read"), writes: sum("write"),
  rate: (sum("read") + sum("write")) / seconds, operations, ...verdict, leaks: meter.leaks.length, ...found, memory: memory.rows(),
  series: memory.series(), missed,
}));
await sql.end();
