// The Worker itself is Rust: functions/crm, built by `cargo xtask wasm`.
import * as crm from "../../../supabase/functions/_wasm/crm.js";
import module from "../../../supabase/functions/_wasm/crm_bg.wasm";
import { worker } from "../worker.js";

export default worker(crm, module);
