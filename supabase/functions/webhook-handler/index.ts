// The function itself is Rust: functions/hooks, built by `cargo xtask wasm`; four slugs share it.
import * as hooks from "../_wasm/hooks.js";
import { serve } from "../_shared/serve.ts";

await serve("webhook-handler", "hooks", hooks);
