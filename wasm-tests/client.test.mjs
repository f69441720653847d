// The package @fieldcrm/client: the examples of its README run as they stand, and its types hold them to it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import ws from "ws";
import { createFieldcrm } from "../supabase/client/index.js";
import { as, call, newcomer, publishableKey, url } from "./stack.mjs";

const root = fileURLToPath(new URL("../supabase/client/", import.meta.url));
const readme = await readFile(`${root}README.md`, "utf8");
const examples = [...readme.matchAll(/```js\n(.*?)\n```/gs)].map((match) => match[1]).join("\n");

test("the examples of the README run, each on what those before it made", async () => {
  // Node 20 has no WebSocket of its own.
  const socket = 'import ws from "ws"; globalThis.WebSocket ??= ws;';
  const args = ["--input-type=module", "-e", `${socket}\n${examples}\nprocess.exit();`];
  const { stdout } = await promisify(execFile)("node", args, { cwd: root });
  assert.match(stdout, new RegExp(`^${[
    "csr of Northwind Heating & Plumbing", "Katherine Johnson 1 0", "true .+", "true", "true pending", "400 invalid_argument title",
    "Call back Katherine Johnson", "2", "Katherine Johnson", "true America/Chicago", "submitted",
  ].join("\n")}\n$`));
});

/** What the compiler says of a module that uses the package. */
function complaints(source) {
  const file = `${root}checked.ts`;
  const options = {
    strict: true, noEmit: true, skipLibCheck: false, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext, lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"], types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, source, ...rest) : getSourceFile(name, ...rest));
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).filter((one) => !one.file?.fileName.includes("node_modules"))
    .map((one) => `${one.file?.fileName.slice(root.length)} ${one.start}: ${ts.flattenDiagnosticMessageText(one.messageText, " ")}`);
}

/** Each RPC whose result has a type, with what it answered: made, found, and as empty as it can be. */
async function answers() {
  const [csr, customer] = [await as("csr"), await as("portal_customer")];
  const email = `${crypto.randomUUID()}@example.com`;
  const address = { address_line1: "1 Main St", city: "Chicago" };
  const made = await call(csr, "crm_create_customer", { type: "individual", name: "Typed", email, tags: ["VIP"], locations: [address] });
  const [customer_id, due_at] = [made.id, new Date(Date.now() + 86_400_000).toISOString()];
  const asked = [["crm_create_customer", made], ["crm_create_customer", await call(csr, "crm_create_customer", { type: "company", name: "Bare" })]];
  const ask = async (user, name, args) => asked.push([name, await call(user, name, args)]) && asked.at(-1)[1];
  await ask(csr, "crm_session");
  await ask(await newcomer(), "crm_session");
  await ask(csr, "crm_log_interaction", { customer_id, channel: "note", summary: "x", metadata: { a: [1] }, follow_up_date: due_at });
  const { id } = await ask(csr, "crm_create_followup", { customer_id, title: "x", due_at });
  await ask(csr, "crm_update_customer", { id: customer_id, patch: { notes: "x" } });
  await ask(csr, "crm_get_customer", { id: customer_id });
  await ask(csr, "crm_update_followup", { id, patch: { status: "completed" } });
  await ask(csr, "crm_search_customers", { q: email, count: true });
  for (const purpose of ["transactional", "marketing"]) {
    await ask(csr, "crm_send_message", { customer_id, channel: "email", purpose, subject: "x", body: "x", dedupe_key: crypto.randomUUID() });
  }
  const { account } = await ask(customer, "portal_session");
  const where = { service_type: "repair", location_id: account.primary_location_id };
  await ask(customer, "portal_available_slots", where);
  const booking = await ask(customer, "portal_create_booking", { ...where, problem_description: "x" });
  await call(customer, "portal_cancel_booking", { id: booking.id });
  return asked;
}

test("the types let the examples pass, say what RPCs answer, and let nothing pass that the database would refuse", async () => {
  const asked = await answers();
  const said = complaints(`
declare const process: { env: Record<string, string | undefined> };
${examples}
import type { Database, Results, RpcName } from "@fieldcrm/client";
const named: RpcName = null as unknown as keyof Results;
await supabase.from("crm_followups").insert({ customer_id: customer.id, title: "x", due_at, org_id: customer.org_id, priority: "high" });
const rate: number | undefined = (await rpc("get_source_performance", { project_id: "x" }))[0]?.rate;
${asked.map(([name, answer], index) => `const answer${index}: Results["${name}"] = ${JSON.stringify(answer)};`).join("\n")}
const asked: ${[...new Set(asked.map(([name]) => `"${name}"`))].join(" | ")} = null as unknown as keyof Results;
const anything: null | object | string | number | boolean = await http("GET /portal/dashboard");
// @ts-expect-error no such RPC
await rpc("crm_make_customer", {});
// @ts-expect-error no such argument
await rpc("crm_create_customer", { nmae: "Ada" });
// @ts-expect-error an argument of another type
await rpc("crm_search_customers", { page_size: "5" });
// @ts-expect-error an argument without default is left out
await rpc("portal_available_slots", { service_type: "repair" });
// @ts-expect-error this RPC takes no key
await rpc("crm_update_followup", { id: "x", patch: {} }, { idempotencyKey: "x" });
// @ts-expect-error no such field in the result
(await rpc("crm_session")).organisation;
// @ts-expect-error no such value of the enum
await supabase.from("crm_followups").update({ priority: "urgent" });
// @ts-expect-error no such column
(await supabase.from("customers").select("id")).data?.[0]?.name;
// @ts-expect-error no such parameter of the path
await http("GET /crm/customers/{id}", { params: { key: "x" } });
// @ts-expect-error no such body
await http("POST /crm/customers", { body: { type: 1 } });
// @ts-expect-error no such order
await http("GET /crm/customers", { query: { order: "email.asc" } });
`);
  assert.deepEqual(said, []);
});

/** A client whose first answers are these, and how often it asked. */
function faulty(answers, { token } = {}) {
  const asked = [];
  const client = createFieldcrm(url, publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: ws },
    ...(token && { accessToken: async () => token }),
    global: {
      fetch: async (address, request) => {
        asked.push({ address: String(address), headers: new Headers(request.headers), body: request.body });
        const answer = answers.shift();
        if (answer === "lost") {
          await fetch(address, request);
          throw new TypeError("fetch failed");
        }
        return answer ?? fetch(address, request);
      },
    },
  });
  return { ...client, asked };
}

const down = () => new Response("down", { status: 503 });

test("a keyed call whose answer is lost is repeated, and has one effect", async () => {
  const { token } = await as("csr");
  const name = `Once ${crypto.randomUUID()}`;
  for (const make of [
    ({ rpc }, idempotencyKey) => rpc("crm_create_customer", { type: "company", name }, { idempotencyKey }),
    ({ http }, idempotencyKey) => http("POST /crm/customers", { body: { type: "company", name }, idempotencyKey }),
  ]) {
    const { asked, ...client } = faulty(["lost", down()], { token });
    const made = await make(client, crypto.randomUUID());
    assert.equal(asked.length, 3);
    assert.equal(made.name, name);
  }
  const { customers } = await faulty([], { token }).rpc("crm_search_customers", { q: name });
  assert.equal(customers.length, 2);
});

test("a call without a key is not repeated, nor is one that was refused", async () => {
  const { token } = await as("csr");
  const lost = faulty([down(), down(), down()], { token });
  await assert.rejects(lost.rpc("crm_create_customer", { type: "company", name: "Never" }), { name: "FieldcrmError", code: "unavailable", status: 503 });
  await assert.rejects(lost.http("POST /crm/customers", { body: { type: "company", name: "Never" } }), { code: "unavailable", status: 503 });
  assert.equal(lost.asked.length, 2);
  assert.equal((await lost.http("GET /crm/customers", { query: { limit: 1 } })).data.length, 1, "a GET is repeated");
  assert.equal(lost.asked.length, 4);
  const refused = faulty([], { token });
  await assert.rejects(refused.rpc("crm_create_customer", {}, { idempotencyKey: crypto.randomUUID() }), { code: "invalid_argument", status: 400 });
  assert.equal(refused.asked.length, 1);
});

test("an RPC and a path say the same error alike", async () => {
  const { token } = await as("csr");
  const { rpc, http } = faulty([], { token });
  const body = { customer_id: crypto.randomUUID(), title: "", due_at: "2030-01-01T00:00:00Z" };
  const errors = [];
  for (const act of [() => rpc("crm_create_followup", body), () => http("POST /crm/followups", { body })]) {
    errors.push(await act().then(() => assert.fail("was not refused"), ({ code, status, message, errors }) => ({ code, status, message, errors })));
  }
  assert.deepEqual(errors[0], errors[1]);
  assert.equal(errors[0].errors[0].path, "title");
  for (const act of [() => rpc("crm_get_customer", { id: body.customer_id }), () => http("GET /crm/customers/{id}", { params: { id: body.customer_id } })]) {
    await assert.rejects(act(), { code: "not_found", status: 404 });
  }
});

test("who has not signed in gets the same code from both ways, and who cannot be reached is unavailable", async () => {
  const { rpc, http } = faulty([], { token: "no token" });
  for (const act of [() => rpc("crm_session"), () => http("GET /crm/customers")]) {
    await assert.rejects(act(), { code: "unauthenticated", status: 401 });
  }
  const nowhere = createFieldcrm("http://127.0.0.1:9", publishableKey, { realtime: { transport: ws } });
  await assert.rejects(nowhere.rpc("crm_session"), { code: "unavailable", status: 0 });
  await assert.rejects(nowhere.http("POST /crm/customers", { body: {} }), { code: "unavailable", status: 0 });
});
