// The two platforms that the functions run on, started without the stack's gateway: Deno, and workerd, the runtime of Cloudflare Workers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import net from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** The modules, each with a slug that has its entry point on Supabase. */
export const MODULES = { crm: "crm", hooks: "sms-handler", jobs: "dispatch-messages", portal: "portal" };

/** The platform's own package: the one before it would fetch it, or stand between us and the process. */
export const binaryOf = (name, path) => join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), path);

export async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

async function accepts(port, child) {
  for (let tries = 0; tries < 1500; tries += 1) {
    if (child.exitCode !== null || child.signalCode) throw new Error("the host ended before it listened");
    const socket = net.connect(port, "127.0.0.1");
    const open = await once(socket, "connect").then(() => true, () => false);
    socket.destroy();
    if (open) return;
    await pause(20);
  }
  throw new Error("the host does not listen");
}

/** A process and what it printed. */
function run(program, args, options) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], ...options });
  const log = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => log.push(text));
  return { child, log: () => log.join("") };
}

async function end({ child }) {
  if (child.exitCode !== null || child.signalCode) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** A module on Deno, as `supabase/functions/<slug>/index.ts` serves it. `before`: a script that runs first. */
export async function deno(module, env, before) {
  const port = await freePort();
  const entry = at(`supabase/functions/${MODULES[module]}/index.ts`);
  const process_ = run(binaryOf(`@deno/${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`, "deno"), [
    "run", "--no-prompt", "--no-remote", "--no-lock", "--allow-env", "--allow-net=127.0.0.1,localhost", `--allow-read=${at("supabase/functions")}`,
    ...(before ? [`--preload=data:text/javascript,${encodeURIComponent(before)}`] : []), entry,
  ], { env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` } });
  await accepts(port, process_.child);
  return { name: "Deno", url: `http://127.0.0.1:${port}`, log: process_.log, stop: () => end(process_) };
}

/** What Cloudflare does itself: lets the clock strike, and counts requests. */
const CLOUDFLARE = `import worker from "main.js";
const refuseAll = { limit: async () => ({ success: false }) };
export default {
  async fetch(request, env) {
    if (request.headers.get("test-rate-limit")) env = { ...env, RATE_LIMIT: refuseAll };
    if (!request.headers.get("test-scheduled")) return worker.fetch(request, env);
    const message = await worker.scheduled({}, env).then(() => "done", (error) => error.message);
    return new Response(message);
  },
};
`;

/** A Worker of scripts in `folder`, the first its entry, with a module of WASM. */
export async function worker(folder, scripts, module, env) {
  const port = await freePort();
  await symlink(at(`supabase/functions/_wasm/${module}_bg.wasm`), join(folder, "module.wasm"));
  const text = (value) => JSON.stringify(value);
  const modules = scripts.map((name) => `(name = ${text(name)}, esModule = embed ${text(name)})`);
  const bindings = Object.entries(env).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  await writeFile(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${modules.join(", ")}, (name = "module.wasm", wasm = embed "module.wasm")],
  compatibilityDate = "2026-11-01",
  bindings = [${bindings.join(", ")}],
);
`);
  const process_ = run(binaryOf(`@cloudflare/workerd-${process.platform}-${process.arch === "x64" ? "64" : process.arch}`, "bin/workerd"), [
    "serve", join(folder, "config.capnp"),
  ]);
  await accepts(port, process_.child).catch((error) => {
    throw new Error(`${error.message}: ${process_.log()}`);
  });
  return {
    name: "workerd", url: `http://127.0.0.1:${port}`, log: process_.log,
    async stop() {
      await end(process_);
      await rm(folder, { recursive: true });
    },
  };
}

/** A module on workerd, bundled from `functions/cloudflare/<module>/index.js` as wrangler does. */
export async function workerd(module, env, before = "") {
  const folder = await mkdtemp(join(tmpdir(), "fieldcrm-workerd-"));
  await build({
    entryPoints: [at(`functions/cloudflare/${module}/index.js`)], outfile: join(folder, "main.js"), bundle: true, format: "esm",
    target: "es2024", conditions: ["workerd"], external: ["cloudflare:*"], banner: { js: before }, logLevel: "silent",
    plugins: [{
      name: "wasm",
      setup: (it) => it.onResolve({ filter: /\.wasm$/ }, () => ({ path: "module.wasm", external: true })),
    }],
  });
  await writeFile(join(folder, "index.js"), CLOUDFLARE);
  return worker(folder, ["index.js", "main.js"], module, env);
}

/** Has the clock say something impossible while a request for /panic is taken: what asks it then panics. */
export const BREAK = `{
  const url = Object.getOwnPropertyDescriptor(Request.prototype, "url").get;
  const { getTime } = Date.prototype;
  let broken = false;
  Object.defineProperty(Request.prototype, "url", { get() {
    const value = url.call(this);
    broken = value.endsWith("/panic");
    return value;
  } });
  Date.prototype.getTime = function () {
    const now = broken ? 1e300 : getTime.call(this);
    broken = false;
    return now;
  };
}`;
