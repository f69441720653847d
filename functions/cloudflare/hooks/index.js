// The Worker itself is Rust: functions/hooks, built by `cargo xtask wasm`.
import * as hooks from "../../../supabase/functions/_wasm/hooks.js";
import module from "../../../supabase/functions/_wasm/hooks_bg.wasm";
import { worker } from "../worker.js";

export default worker(hooks, module);
