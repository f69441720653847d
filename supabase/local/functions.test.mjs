// The function proxy, on a scratch project of two functions of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startFunctions } from "./functions.mjs";
import { eventually, jwtSecret, publishableKey, secretKey, sign, url } from "./stack.testing.mjs";

const CONFIG = `
[functions.guarded]
entrypoint = "./functions/open/index.ts"

[functions.open]
verify_jwt = false
static_files = ["./functions/_data/note.txt"]
`;

const FUNCTION = `
Deno.serve(async (request) => {
  const { pathname, search } = new URL(request.url);
  if (pathname.endsWith("/echo")) return new Response(request.body, { headers: { "x-method": request.method } });
  if (pathname.endsWith("/note")) return new Response(await Deno.readTextFile(new URL("../_data/note.txt", import.meta.url)));
  if (pathname.endsWith("/outside")) return new Response(await Deno.readTextFile("/etc/passwd").catch((error) => error.name));
  if (pathname.endsWith("/crash")) return new Response(new ReadableStream({ pull() { Deno.exit(3); } }));
  return Response.json({ pathname, search, pid: Deno.pid, env: Deno.env.toObject(), headers: Object.fromEntries(request.headers) });
});
`;

const settings = { url, jwtSecret, publishableKey, secretKey };
let dir, functions, server, base;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "gateway_test_"));
  settings.storageDir = join(dir, "storage");
  for (const folder of ["open", "_data"]) await mkdir(join(dir, "functions", folder), { recursive: true });
  await writeFile(join(dir, "config.toml"), CONFIG);
  await writeFile(join(dir, "functions/open/index.ts"), FUNCTION);
  await writeFile(join(dir, "functions/_data/note.txt"), "a static file");
  await writeFile(join(dir, "functions/.env"), "OWN_SECRET=42\n");
  functions = await startFunctions(settings, dir);
  server = http.createServer((request, response) => functions.handle(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${server.address().port}/functions/v1`;
  await eventually("both functions accept connections", () => functions.ready());
});

after(async () => {
  functions.stop();
  server.closeAllConnections();
  server.close();
  await rm(dir, { recursive: true, force: true });
});

const pidOf = async () => (await (await fetch(`${base}/open`)).json()).pid;

test("a function sees the path from its slug on, and Supabase's environment without the JWT secret", async () => {
  const seen = await (await fetch(`${base}/open/a%20b/c?d=e%2Ff`, { headers: { "x-own": "1" } })).json();
  assert.equal(seen.pathname, "/open/a%20b/c");
  assert.equal(seen.search, "?d=e%2Ff");
  assert.equal(seen.headers["x-own"], "1");
  assert.equal(seen.headers["x-forwarded-host"], new URL(base).host);
  const { env } = seen;
  assert.equal(env.SUPABASE_URL, url);
  assert.equal(env.SUPABASE_ANON_KEY, publishableKey);
  assert.equal(env.SUPABASE_SERVICE_ROLE_KEY, secretKey);
  assert.equal(env.OWN_SECRET, "42");
  assert.ok(env.SB_EXECUTION_ID);
  assert.ok(!Object.values(env).includes(jwtSecret));
  assert.equal(env.DATABASE_URL, undefined);
});

test("a function reads its static files and nothing outside", async () => {
  assert.equal(await (await fetch(`${base}/open/note`)).text(), "a static file");
  assert.match(await (await fetch(`${base}/open/outside`)).text(), /NotCapable|PermissionDenied/);
});

test("verify_jwt lets only valid tokens in", async () => {
  const status = async (authorization) => {
    const response = await fetch(`${base}/guarded/x`, { headers: authorization ? { authorization } : {} });
    if (response.status !== 200) assert.equal((await response.json()).code, 401);
    return response.status;
  };
  const claims = { sub: crypto.randomUUID(), role: "authenticated" };
  assert.equal(await status(`Bearer ${await sign(claims)}`), 200);
  assert.equal(await status(), 401);
  assert.equal(await status(await sign(claims)), 401);
  assert.equal(await status(`Bearer ${publishableKey}`), 401);
  assert.equal(await status(`Bearer ${secretKey}`), 401);
  assert.equal(await status(`Bearer ${await sign(claims, "another secret of a sufficient length")}`), 401);
  assert.equal(await status(`Bearer ${await sign(claims, jwtSecret, "-1m")}`), 401);
  assert.equal(await status(`Bearer ${await sign(claims, jwtSecret, null)}`), 401);
  const unsigned = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify(claims))}.`.replaceAll("=", "");
  assert.equal(await status(`Bearer ${unsigned}`), 401);
  // Preflights carry no token and are the function's to answer.
  assert.equal((await fetch(`${base}/guarded/echo`, { method: "OPTIONS" })).headers.get("x-method"), "OPTIONS");
});

test("an unknown slug is 404", async () => {
  const response = await fetch(`${base}/none`);
  assert.equal(response.status, 404);
  assert.equal((await response.json()).code, "NOT_FOUND");
});

test("bodies stream both ways", async () => {
  // The second chunk is sent only after the first has come back.
  let send;
  const body = new ReadableStream({ start: (controller) => (send = controller) });
  const encoder = new TextEncoder();
  send.enqueue(encoder.encode("first"));
  const response = await fetch(`${base}/open/echo`, { method: "POST", body, duplex: "half" });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "first");
  send.enqueue(encoder.encode("second"));
  assert.equal((await reader.read()).value, "second");
  send.close();
  assert.equal((await reader.read()).done, true);
});

test("a killed function process is replaced, and meanwhile answered for with 503", async () => {
  const pid = await pidOf();
  process.kill(pid, "SIGKILL");
  const down = await eventually("a request meets the gap", async () => fetch(`${base}/open`), ({ status }) => status === 503);
  assert.equal((await down.json()).code, "BOOT_ERROR");
  assert.equal(await functions.ready(), false);
  await eventually("the function is back", () => functions.ready());
  assert.notEqual(await pidOf(), pid);
});

test("a function that dies while answering breaks that answer, not the proxy", async () => {
  const pid = await pidOf();
  await assert.rejects(async () => {
    const response = await fetch(`${base}/open/crash`);
    if (response.status === 503) throw new Error("answered for");
    await response.text();
  });
  // The old process may be asked once more before its end is noticed.
  await eventually("a new process answers", pidOf, (now) => now && now !== pid);
});

test("function processes end with their gateway, even one killed with -9", async () => {
  const script = `
    const { startFunctions } = await import(${JSON.stringify(new URL("functions.mjs", import.meta.url).href)});
    const http = await import("node:http");
    const functions = await startFunctions(${JSON.stringify(settings)}, ${JSON.stringify(dir)});
    const server = http.createServer((q, a) => functions.handle(q, a)).listen(0, "127.0.0.1", () => console.log(server.address().port));`;
  const gateway = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  const [port] = await once(gateway.stdout, "data");
  const answer = await eventually("its function answers",
    () => fetch(`http://127.0.0.1:${String(port).trim()}/functions/v1/open`), ({ ok }) => ok);
  const own = (await answer.json()).env.DENO_SERVE_ADDRESS.replace("tcp:", "http://");
  const reachable = () => fetch(own).then(({ ok }) => ok, () => false);
  assert.ok(await reachable());
  gateway.kill("SIGKILL");
  await eventually("the function process is gone", reachable, (is) => !is);
});
