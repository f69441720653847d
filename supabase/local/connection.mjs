// lite's Postgres connection with the faults taken out that matter to us. Each
// override names the fault it answers and has a test in faults.test.mjs that
// fails without it, so that the next version of the package can drop it.
import { createPostgresConnection } from "@supabase/lite/postgres";
import { sql } from "kysely";
import { openPool } from "./pool.mjs";

const API_ROLES = new Set(["anon", "authenticated", "service_role"]);

/** The status PostgREST gives to an SQLSTATE that lite does not know. */
function statusFor(code) {
  if (code === "P0001") return 400;
  if (code === "42P01") return 404;
  if (code === "57P01" || /^(08|53)/.test(code) && code !== "53400") return 503;
  if (/^(0L|0P|28)/.test(code)) return 403;
  if (/^(09|25|2D|38|39|3B|40|53|54|55|57|58|F0|HV|P0|XX)/.test(code)) return 500;
  return 400;
}

const wellAnswered = /^(PT\d{3}|PGRST|42(?!P01)...|22...|21...|2350[235]|25006)$/;
const lost = /^(CONNECT|ECONN|EPIPE|ENOTFOUND|57P0[123]$|53300$)/;
// What node-postgres says without a code.
const ended = /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/;

/** Whether the database was not there, or went away. */
export const isConnectionLost = (error) => error instanceof DatabaseUnavailable || lost.test(error?.code) || ended.test(error?.message);

/** Becomes the 503 of PostgREST. */
export class DatabaseUnavailable extends Error {}
export const UNAVAILABLE = { code: "PGRST001", message: "Database client error. Retrying the connection.", details: null, hint: null };

const raised = (status, body) => ({
  code: "PGRST",
  message: JSON.stringify(body),
  detail: JSON.stringify({ status, headers: {} }),
});

function normalizeDbError(error) {
  const code = error?.code ?? "";
  if (isConnectionLost(error)) return raised(503, UNAVAILABLE);
  if (!/^[0-9A-Z]{5}$/.test(code)) return error;
  const { message, detail = null, hint = null } = error;
  // lite logs what it gets here: plain values, without the stack of a fault that
  // is the caller's own.
  if (wellAnswered.test(code)) return { code, message, detail, hint };
  // Fault: other codes (P0001, custom ones, 23514, 40001, 57014) become HTTP 500
  // "SUP" and lose details and hint. PostgREST's own way to raise any status
  // does carry them.
  return raised(statusFor(code), { code, message, details: detail, hint });
}

/** All settings of a transaction in one round trip; lite takes one for each, which halves the rate. */
async function setLocally(db, settings) {
  const calls = Object.entries(settings).map(([name, value]) => sql`set_config(${name}, ${String(value)}, true)`);
  await sql`select ${sql.join(calls)}`.execute(db);
}

// Fault: lite switches to any role that a token names, its own (gateway) included.
async function applyJwtSessionContext(db, { auth = {}, storage = {} }) {
  const role = auth.role || "anon";
  if (!API_ROLES.has(role)) throw Object.assign(new Error(`permission denied to set role "${role}"`), { code: "42501" });
  const jwt = auth.jwt ?? { role };
  await setLocally(db, {
    role,
    "request.jwt.claims": JSON.stringify(jwt),
    "request.jwt.claim.sub": auth.uid ?? "",
    "request.jwt.claim.role": role,
    "request.jwt.claim.email": jwt.email ?? "",
    "storage.operation": storage.operation ?? "",
  });
}

async function applyRpcRequestGucs(db, { method, path, requestHeaders = {} }) {
  await setLocally(db, {
    "response.status": "",
    "response.headers": "",
    "request.method": method,
    "request.path": path,
    "request.headers": JSON.stringify(requestHeaders),
  });
  // Fault: a function's own statement_timeout does not count, as it does for PostgREST.
  const name = /\/rpc\/(\w+)$/.exec(path)?.[1];
  const timeout = name && statementTimeouts.get(name);
  if (timeout) await setLocally(db, { statement_timeout: timeout });
}

/** By the name of the function; read with the schema. */
let statementTimeouts = new Map();

async function readStatementTimeouts(driver) {
  const rows = await driver`
    select p.proname as name, split_part(c.setting, '=', 2) as timeout
    from pg_proc p, unnest(p.proconfig) as c (setting)
    where p.pronamespace = 'public'::regnamespace and c.setting like 'statement_timeout=%'`;
  statementTimeouts = new Map(rows.map(({ name, timeout }) => [name, timeout]));
}

/** True when an RPC chose its own status: PostgREST commits such an answer. */
async function choseStatus(db, status) {
  const { rows } = await sql`select current_setting('response.status', true) as status`.execute(db);
  return rows[0]?.status === String(status);
}

export async function openConnection(url) {
  const connection = createPostgresConnection({
    url,
    // Short pauses: the driver waits up to 20 s before it connects again.
    postgresOptions: { max: 4, backoff: 0.2, onnotice() {}, connection: { application_name: "fieldcrm-gateway" } },
  });
  const pool = openPool(url);
  connection.kysely = pool.kysely;
  const close = connection.close.bind(connection);
  connection.close = () => Promise.all([pool.kysely.destroy(), close()]);

  // Faults: the first request GRANTs ALL on every table of a schema with RLS to
  // anon, undoing every REVOKE; and if there is no such table yet, requests run
  // as the connection's own user for the life of the process. Always switching
  // role, never granting, answers both.
  connection.ensureRlsContext = async () => true;
  connection.applyJwtSessionContext = applyJwtSessionContext;
  connection.applyRpcRequestGucs = applyRpcRequestGucs;
  connection.normalizeDbError = normalizeDbError;

  // Fault: a refusal found after the statement ran (update … single() that hits
  // many rows: 406) is answered, but committed.
  const withContext = connection.withContext.bind(connection);
  connection.withContext = async (context, run, options) => {
    try {
      return await withContext(context, async (db) => {
        const result = await run(db);
        const refused = result instanceof Response && result.status >= 400;
        if (refused && !(options?.rpc && (await choseStatus(db, result.status)))) throw { refusal: result };
        return result;
      }, options);
    } catch (error) {
      if (error?.refusal) return error.refusal;
      throw error;
    }
  };

  // Faults: lite ignores NOTIFY pgrst (and a read of the catalogue that began
  // before the notification must not be kept either); and while Postgres is
  // away it takes the schema for empty, so that every table is 404.
  let generation = 0;
  let known = null;
  const introspect = connection.introspect.bind(connection);
  async function read(options) {
    const begun = generation;
    const found = await introspect(options);
    if (!found.functions) throw new DatabaseUnavailable("the schema could not be read");
    if (found !== known) {
      await Promise.all([readStatementTimeouts(connection.driver), pool.readTypes(connection.driver)]);
      known = found;
    }
    if (begun !== generation) await connection.clearSchemaCache();
    return found;
  }
  // Fault: where nothing is cached, every request reads the catalogue for itself: after the database was away they
  // keep each other waiting for seconds. They read together.
  let reading = null;
  connection.introspect = (options) => {
    if (!options?.useCache) return read(options);
    if (!reading) {
      const own = read(options).finally(() => {
        if (reading === own) reading = null;
      });
      reading = own;
    }
    return reading;
  };
  const forget = () => {
    generation += 1;
    reading = null;
    return connection.clearSchemaCache();
  };
  await pool.readTypes(connection.driver);
  // The second call runs at every (re)connection: what was said meanwhile is lost.
  await connection.driver.listen("pgrst", forget, forget);
  return connection;
}
