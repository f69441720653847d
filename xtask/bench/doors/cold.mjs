// What a function costs at its start, each time in a process of its own: on Deno and on workerd, and beside it what the platform itself needs for its first
// request, answered by two lines of JavaScript.
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { binaryOf, worker } from "../../../wasm-tests/hosts.mjs";

const STARTS = 30;
const wasm = fileURLToPath(new URL("../../../supabase/functions/_wasm/", import.meta.url));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const env = { SUPABASE_URL: "http://127.0.0.1:9", SUPABASE_ANON_KEY: "x" };

async function medians(measure) {
  const runs = [];
  for (let run = 0; run < STARTS; run += 1) runs.push(await measure());
  return Object.fromEntries(Object.keys(runs[0]).map((key) => [key, median(runs.map((one) => one[key]))]));
}

/** In Deno: until the module is instantiated, until it has answered, and until JavaScript has answered the same. */
async function onDeno(module) {
  const code = `
    const request = () => new Request("http://local/nowhere", { method: "POST", body: "{" });
    const timed = async (answer) => { const before = performance.now(); await (await answer(request())).text(); return performance.now() - before; };
    ${module ? `
    const start = performance.now();
    const { handle, initSync } = await import("file://${wasm}${module}.js");
    initSync({ module: await Deno.readFile("${wasm}${module}_bg.wasm") });
    const instantiated = performance.now() - start;
    const first = await timed((it) => handle(it, ${JSON.stringify(env)}));
    console.log(JSON.stringify({ instantiated, first: instantiated + first }));` : `
    console.log(JSON.stringify({ first: await timed(async (it) => { await it.text(); return new Response("{}", { status: 404, headers: { a: "b" } }); }) }));`}`;
  const child = spawn(binaryOf(`@deno/${process.platform}-${process.arch}-glibc`, "deno"), ["eval", "--quiet", code], { env: { ...process.env, NO_COLOR: "1" } });
  let out = "";
  for await (const chunk of child.stdout) out += chunk;
  return JSON.parse(out.trim().split("\n").at(-1));
}

/** On workerd the clock stands still within a request: the client's, of the first request, in which the module is instantiated. */
async function onWorkerd(module) {
  const folder = await mkdtemp(join(tmpdir(), "fieldcrm-cold-"));
  await copyFile(`${wasm}${module ?? "crm"}.js`, join(folder, "glue.js"));
  await writeFile(join(folder, "index.js"), `
    import module from "module.wasm";
    import { handle, initSync } from "glue.js";
    export default { async fetch(request, env) {
      ${module ? "initSync({ module }); return handle(request, env);" : "await request.text(); return new Response('{}', { status: 404 });"}
    } };`);
  const host = await worker(folder, ["index.js", "glue.js"], module ?? "crm", env);
  const before = performance.now();
  await (await fetch(`${host.url}/nowhere`, { method: "POST", body: "{" })).text();
  const first = performance.now() - before;
  await host.stop();
  return { first };
}

export async function coldStarts() {
  // The client's own first request counts for nobody.
  await onWorkerd();
  const starts = [];
  for (const module of ["crm", "hooks", "jobs", "portal"]) {
    starts.push({ module, deno: await medians(() => onDeno(module)), workerd: await medians(() => onWorkerd(module)) });
  }
  return { starts, bare: { deno: await medians(() => onDeno()), workerd: await medians(() => onWorkerd()) } };
}
