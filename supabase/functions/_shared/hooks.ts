// The functions themselves are Rust: functions/hooks, built by `cargo xtask wasm`.
import { handle, initSync } from "../_wasm/hooks.js";

initSync({ module: await Deno.readFile(new URL("../_wasm/hooks_bg.wasm", import.meta.url)) });
const env = Deno.env.toObject();

/** Serves one of the slugs; all are the same router, and a request's path begins with its slug. */
export function serve(slug: string) {
  // See supabase/functions/crm/index.ts: what surfaces here after a panic must not end the process.
  for (const kind of ["error", "unhandledrejection"]) {
    addEventListener(kind, (event) => {
      event.preventDefault();
      const { name, message } = event.error ?? event.reason ?? {};
      console.error(JSON.stringify({ level: "error", slug, event: kind, name, message }));
    });
  }
  Deno.serve((request) => handle(request, env));
}
