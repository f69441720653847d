// The function itself is Rust: functions/portal, built by `cargo xtask wasm`.
import * as portal from "../_wasm/portal.js";
import { serve } from "../_shared/serve.ts";

await serve("portal", "portal", portal);
