// The running stack, as the tests see it: its address and keys from the environment.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@supabase/supabase-js";
import { SignJWT } from "jose";
import postgres from "postgres";
import ws from "ws";
import { required } from "./settings.mjs";

export const url = required("SUPABASE_URL");
export const publishableKey = required("SUPABASE_PUBLISHABLE_KEY");
export const secretKey = required("SUPABASE_SECRET_KEY");
export const jwtSecret = required("SUPABASE_JWT_SECRET");
/** Of a superuser. */
export const databaseUrl = required("DATABASE_URL");

export const openDatabase = () => postgres(databaseUrl, { max: 2, onnotice() {} });

/** Node 20 has no WebSocket of its own. */
export const client = (key) =>
  createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws } });

export function sign(claims, secret = jwtSecret, expires = "1h") {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).setIssuedAt();
  if (expires) jwt.setExpirationTime(expires);
  return jwt.sign(new TextEncoder().encode(secret));
}

/** Asks again until `found` holds: for what the stack does in its own time, never a fixed wait. */
export async function eventually(what, ask, found = Boolean, limitMs = 30_000) {
  for (const begun = Date.now(); Date.now() - begun < limitMs; await pause(20)) {
    const answer = await ask();
    if (found(answer)) return answer;
  }
  return assert.fail(`not within ${limitMs} ms: ${what}`);
}

/** The status of a bare OPTIONS: 200 for a table, or a function without arguments, in the schema cache. */
export const known = async (path) => (await fetch(`${url}/rest/v1/${path}`, { method: "OPTIONS", headers: { apikey: secretKey } })).status === 200;
