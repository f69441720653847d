// What the gateway is told: by its environment, where alone secrets come from,
// and by supabase/config.toml.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";

export const SUPABASE_DIR = fileURLToPath(new URL("..", import.meta.url));

/** A message for a person: printed as one line, without a stack. */
export class SetupError extends Error {}

export function required(name) {
  const value = process.env[name];
  if (!value) throw new SetupError(`${name} is not set: start the stack with "npm start", or set ${name}`);
  return value;
}

/** Ends the process with one line for an expected failure, and with a stack for a bug. */
export function fail(error) {
  console.error(error instanceof SetupError ? `error: ${error.message}` : error);
  process.exit(1);
}

const digest = (text) => createHash("sha256").update(String(text)).digest();

/** Compares keys in constant time; hashing first makes the lengths equal. */
export function sameKey(a, b) {
  return timingSafeEqual(digest(a), digest(b));
}

/** The parsed config.toml of the Supabase CLI. */
export async function readConfig(dir = SUPABASE_DIR) {
  return parse(await readFile(join(dir, "config.toml"), "utf8"));
}

export function gatewaySettings() {
  const port = Number(required("PORT"));
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new SetupError("PORT must be a number from 1 to 65535");
  const jwtSecret = required("SUPABASE_JWT_SECRET");
  if (jwtSecret.length < 32) throw new SetupError("SUPABASE_JWT_SECRET must have at least 32 characters");
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    databaseUrl: required("DATABASE_URL"),
    jwtSecret,
    publishableKey: required("SUPABASE_PUBLISHABLE_KEY"),
    secretKey: required("SUPABASE_SECRET_KEY"),
    storageDir: required("STORAGE_DIR"),
  };
}
