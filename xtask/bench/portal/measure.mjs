// Two hundred signed-in customers read their portal through the function: 100 requests a second, open loop, for a minute. A
// request's time counts from when it was due, so a stall is seen by all that it kept waiting.
// Run by `cargo xtask bench portal` with the variables of stack.env.
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { SignJWT } from "jose";

const { SUPABASE_PUBLISHABLE_KEY, SUPABASE_JWT_SECRET, FUNCTIONS_URL } = process.env;
const USERS = 200;
const RATE = Number(process.env.BENCH_RATE ?? 100);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const WARM = 5;
// How often each is asked for, of twenty.
const PATHS = { "/portal/dashboard": 6, "/portal/appointments": 6, "/portal/service-history": 5, "/portal/threads": 2, "/portal/settings": 1 };
const mix = Object.entries(PATHS).flatMap(([path, times]) => Array(times).fill(path));

/** The uuid that fill.sql makes of a name. */
function id(name) {
  const hex = createHash("md5").update(name).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const key = new TextEncoder().encode(SUPABASE_JWT_SECRET);
const tokens = await Promise.all(Array.from({ length: USERS }, (_, index) =>
  new SignJWT({ role: "authenticated", aud: "authenticated" }).setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(id(`portal user ${index + 1}`)).setIssuedAt().setExpirationTime("1h").sign(key)));

const times = Object.fromEntries(Object.keys(PATHS).map((path) => [path, []]));
const refused = Object.fromEntries(Object.keys(PATHS).map((path) => [path, 0]));
let firstRefusal;

async function ask(number, due, counted) {
  // 7 and 20 share no factor, and each round of users begins one further: every user comes to every path.
  const path = mix[(number * 7 + Math.floor(number / USERS)) % mix.length];
  const response = await fetch(`${FUNCTIONS_URL}${path}`, {
    headers: { apikey: SUPABASE_PUBLISHABLE_KEY, authorization: `Bearer ${tokens[number % USERS]}` },
  });
  const text = await response.text();
  if (!counted) return;
  times[path].push(performance.now() - due);
  if (!response.ok) {
    refused[path] += 1;
    firstRefusal ??= `${path}: ${response.status} ${text.slice(0, 300)}`;
  }
}

const began = performance.now();
const pending = [];
for (let number = 0; number < RATE * (WARM + SECONDS); number++) {
  const due = began + number * 1000 / RATE;
  const early = due - performance.now();
  if (early > 1) await pause(early);
  pending.push(ask(number, due, number >= RATE * WARM).catch((error) => { firstRefusal ??= String(error); }));
}
await Promise.all(pending);

function row(path, values, count) {
  values.sort((a, b) => a - b);
  const at = (part) => values[Math.min(values.length - 1, Math.floor(values.length * part))];
  return { path, requests: values.length, refused: count, p50: at(0.5), p95: at(0.95), p99: at(0.99), most: values.at(-1) };
}
const paths = Object.keys(PATHS).map((path) => row(path, times[path], refused[path]));
paths.push(row("all", Object.values(times).flat(), Object.values(refused).reduce((sum, one) => sum + one, 0)));
if (firstRefusal) console.error(firstRefusal);
console.log(JSON.stringify({ rate: RATE, seconds: SECONDS, users: USERS, paths }));
