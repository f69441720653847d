import { createClient } from "@supabase/supabase-js";

// What an answer without a code of ours means: the gateway's, or PostgREST's own.
const CODES = { 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 409: "conflict", 413: "payload_too_large", 429: "rate_limited" };
const UNREACHABLE = [0, 502, 503, 504];
// Milliseconds before the second and the third try.
const PAUSES = [200, 800];

export class FieldcrmError extends Error {
  name = "FieldcrmError";

  constructor(message, { code, status, errors = [], details = {}, cause }) {
    super(message, { cause });
    Object.assign(this, { code, status, errors, details });
  }
}

function codeOf(status) {
  if (UNREACHABLE.includes(status)) return "unavailable";
  return CODES[status] ?? (status >= 500 ? "internal" : "invalid_argument");
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The error of PostgREST; one of ours has `{code, errors, …}` as JSON in its details. */
function ofDatabase(status, error) {
  const told = parsed(error.details);
  const ours = typeof told?.code === "string";
  const { code = codeOf(status), errors, ...details } = ours ? told : { database: error };
  return new FieldcrmError(error.hint && ours ? error.hint : error.message, { code, status, errors, details, cause: error });
}

/** The error of a function: problem+json, or what a gateway before it says. */
function ofFunction(status, text) {
  const told = parsed(text) ?? {};
  const { type, title, status: _, code, detail, errors, message, ...details } = told;
  const known = typeof code === "string" ? code : codeOf(status);
  return new FieldcrmError(detail ?? title ?? message ?? `HTTP ${status}`, { code: known, status, errors, details });
}

/** Tries again while nobody answers, if a repeat has no second effect. */
async function attempt(isRepeatable, act) {
  for (const pause of PAUSES) {
    try {
      return await act();
    } catch (error) {
      if (!isRepeatable || error.code !== "unavailable") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return act();
}

function addressOf(path, params, query) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name]));
  const given = Object.entries(query).filter(([, value]) => value != null);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${filled}?${search}` : filled;
}

export function createFieldcrm(url, key, { functionsUrl = `${url}/functions/v1`, ...options } = {}) {
  const supabase = createClient(url, key, options);
  const send = options.global?.fetch ?? fetch;

  async function token() {
    if (options.accessToken) return (await options.accessToken()) ?? key;
    const { data } = await supabase.auth.getSession();
    return data.session?.access_token ?? key;
  }

  function rpc(name, args = {}, { idempotencyKey } = {}) {
    const all = idempotencyKey == null ? args : { ...args, idempotency_key: idempotencyKey };
    return attempt(all.idempotency_key != null, async () => {
      const { data, error, status } = await supabase.rpc(name, all);
      if (error) throw ofDatabase(status, error);
      return data;
    });
  }

  function http(route, { params = {}, query = {}, body, idempotencyKey } = {}) {
    const [method, path] = route.split(" ");
    return attempt(method === "GET" || idempotencyKey != null, async () => {
      const headers = { apikey: key, authorization: `Bearer ${await token()}` };
      if (body !== undefined) headers["content-type"] = "application/json";
      if (idempotencyKey != null) headers["idempotency-key"] = idempotencyKey;
      const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
      let response, text;
      try {
        response = await send(`${functionsUrl}${addressOf(path, params, query)}`, request);
        text = await response.text();
      } catch (cause) {
        throw new FieldcrmError("no answer", { code: "unavailable", status: 0, cause });
      }
      if (!response.ok) throw ofFunction(response.status, text);
      if (!text) return null;
      return response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
    });
  }

  return { supabase, rpc, http };
}
