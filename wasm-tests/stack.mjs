// The running stack as its users reach it: supabase-js, HTTP and SQL. Nothing here knows how it is built.
import { createClient } from "@supabase/supabase-js";
import { SignJWT } from "jose";
import { randomUUID } from "node:crypto";
import { after } from "node:test";
import postgres from "postgres";
import ws from "ws";
import { check } from "./openapi.mjs";

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test\`, or source .local/stack.env`);
  return value;
}

export const url = required("SUPABASE_URL");
export const publishableKey = required("SUPABASE_PUBLISHABLE_KEY");
const secretKey = required("SUPABASE_SECRET_KEY");
const functionsUrl = required("FUNCTIONS_URL");
const demoPassword = required("DEMO_PASSWORD");

export const northwind = { id: "11111111-1111-4111-8111-111111111111", domain: "northwind.example" };
export const volt = { id: "22222222-2222-4222-8222-222222222222", domain: "volt.example" };

/** The roles of core/src/capability.rs with what each may do. */
export const capabilities = (() => {
  const all = [
    "org.manage", "members.read", "members.manage", "customers.read", "customers.write", "customers.write_own",
    "customers.assign", "customers.delete", "tags.write", "customers.export", "interactions.write", "followups.write",
    "followups.write_own", "templates.write", "products.read", "products.write", "work_orders.write",
    "work_orders.perform", "billing.write", "segments.write", "automation.write", "messages.send",
    "clients.manage", "clients.create", "portal.manage", "kb.write", "audit.read",
  ];
  const without = (...names) => all.filter((one) => !names.includes(one));
  const readers = ["members.read", "customers.read", "products.read"];
  const activity = ["interactions.write", "followups.write", "followups.write_own", "messages.send"];
  const sales = [...readers, ...activity, "customers.write", "customers.write_own", "tags.write", "billing.write", "segments.write", "clients.create"];
  return {
    owner: all,
    admin: all,
    manager: without("members.manage", "customers.delete", "audit.read"),
    dispatcher: [...readers, ...activity, "work_orders.write"],
    csr: [...sales, "work_orders.write", "portal.manage", "kb.write"],
    sales,
    technician: ["products.read", "work_orders.perform"],
    member: [...readers, "customers.write_own", "followups.write_own"],
    viewer: readers,
    client_admin: [],
    portal_customer: [],
    portal_manager: [],
  };
})();

function client(key) {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    // Node 20 has no WebSocket of its own.
    realtime: { transport: ws },
  });
}

/** The service role: makes users; no test of a right uses it. */
export const service = client(secretKey);

export const anonymous = () => client(publishableKey);

export async function signIn(email, password = demoPassword) {
  const user = client(publishableKey);
  const { data, error } = await user.auth.signInWithPassword({ email, password });
  if (error) throw new Error(`${email} cannot sign in: ${error.message}`);
  return Object.assign(user, { id: data.user.id, email, token: data.session.access_token });
}

const signedIn = new Map();

/** The demo login of a role, signed in once a file. */
export function as(role, org = northwind) {
  const email = `${role}@${org.domain}`;
  if (!signedIn.has(email)) signedIn.set(email, signIn(email));
  return signedIn.get(email);
}

/** A new user without an org, signed in. */
export async function newcomer(name = "newcomer") {
  const email = `${name}-${randomUUID()}@people.example`;
  const password = randomUUID();
  const { error } = await service.auth.admin.createUser({ email, password, email_confirm: true });
  if (error) throw error;
  return signIn(email, password);
}

/** The result of an RPC that must succeed. */
export async function call(user, name, args = {}) {
  const { data, error } = await user.rpc(name, args);
  if (error) throw new Error(`${name}: ${JSON.stringify(error)}`);
  return data;
}

/** The refusal of an RPC that must fail: its status and error, with the details read as JSON. */
export async function refused(user, name, args = {}) {
  const { data, error, status } = await user.rpc(name, args);
  if (!error) throw new Error(`${name} was not refused: ${JSON.stringify(data)}`);
  return { status, ...error, details: error.details ? JSON.parse(error.details) : null };
}

/** A function over HTTP, as it answers. */
export const fetchFunction = (path, token, options = {}) =>
  fetch(`${functionsUrl}${path}`, {
    ...options,
    headers: { apikey: publishableKey, ...(token && { authorization: `Bearer ${token}` }), ...options.headers },
  });

/** A function over HTTP: `{status, headers, body}`, held to its OpenAPI document. */
async function send(path, method, token, body, headers) {
  const response = await fetchFunction(path, token, {
    method,
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    body: typeof body === "string" || body === undefined ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json");
  const answer = { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  check(method, path, answer);
  return answer;
}

/** The function `crm` as a user, or as nobody. */
export const crm = (user, method, path, body, headers = {}) => send(`/crm${path}`, method, user?.token, body, headers);

/** The function `portal` as a user, or as nobody. */
export async function portal(user, method, path, body, headers = {}) {
  const answer = await send(`/portal${path}`, method, user?.token, body, headers);
  // Planted by the suite where only staff may read: in no test does the portal answer it.
  if (JSON.stringify(answer.body)?.includes("canary-")) throw new Error(`${method} /portal${path} tells what only staff may read`);
  return answer;
}

/** A back end's token; self-hosted Supabase calls it SERVICE_ROLE_KEY. */
export const serviceToken = await new SignJWT({ role: "service_role" })
  .setProtectedHeader({ alg: "HS256", typ: "JWT" }).setIssuedAt().setExpirationTime("1h")
  .sign(new TextEncoder().encode(required("SUPABASE_JWT_SECRET")));

/** A function for back ends, as the service role unless another token is given. */
export const job = (slug, body, { token = serviceToken, headers = {} } = {}) => send(`/${slug}`, "POST", token, body, headers);

/** The database as its DBA sees it; closed when the file's tests are done. */
export const sql = postgres(required("DATABASE_URL"), { max: 4, onnotice() {} });
after(() => sql.end());

/** A name no other test uses. */
export const unique = (name) => `${name} ${randomUUID().slice(0, 8)}`;
