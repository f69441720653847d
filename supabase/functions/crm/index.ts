// The function itself is Rust: functions/crm, built by `cargo xtask wasm`.
import { handle, initSync } from "../_wasm/crm.js";

initSync({ module: await Deno.readFile(new URL("../_wasm/crm_bg.wasm", import.meta.url)) });
const env = Deno.env.toObject();

// After a Rust panic its requests have been answered and the next one gets a fresh instance
// (functions/edge/src/host/supabase.rs). What still surfaces here, the trap itself and promises of
// the old instance, must not end the process and the other requests with it.
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    const { name, message } = event.error ?? event.reason ?? {};
    console.error(JSON.stringify({ level: "error", slug: "crm", event: kind, name, message }));
  });
}

Deno.serve((request) => handle(request, env));
