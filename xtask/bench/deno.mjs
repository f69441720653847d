// A script served in a Deno process of its own, without a gateway in front.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { binaryOf, freePort } from "../../wasm-tests/hosts.mjs";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY } = process.env;
export const root = fileURLToPath(new URL("../../", import.meta.url));
export const deno = binaryOf(`@deno/${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`, "deno");

/** Serves a script of the repository; its log goes nowhere, but is written. */
export async function serve(script, env = {}) {
  const port = await freePort();
  const child = spawn(deno, ["run", "--no-prompt", "--allow-env", "--allow-net", "--allow-read", join(root, script)], {
    env: {
      ...process.env, NO_COLOR: "1", DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
      SUPABASE_URL, SUPABASE_ANON_KEY: SUPABASE_PUBLISHABLE_KEY, SUPABASE_SERVICE_ROLE_KEY: SUPABASE_SECRET_KEY, ...env,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + 20_000; ;) {
    if (await fetch(`${url}/`, { method: "POST" }).then((answer) => answer.text()).then(() => true, () => false)) return { url, child };
    if (Date.now() > until) {
      child.kill();
      throw new Error(`${script} does not answer`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}
