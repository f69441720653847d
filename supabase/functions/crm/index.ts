// The function itself is Rust: functions/crm, built by `cargo xtask wasm`.
import * as crm from "../_wasm/crm.js";
import { serve } from "../_shared/serve.ts";

await serve("crm", "crm", crm);
