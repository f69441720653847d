// The Worker itself is Rust: functions/portal, built by `cargo xtask wasm`.
import * as portal from "../../../supabase/functions/_wasm/portal.js";
import module from "../../../supabase/functions/_wasm/portal_bg.wasm";
import { worker } from "../worker.js";

export default worker(portal, module);
