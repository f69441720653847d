// The Worker itself is Rust: functions/jobs, built by `cargo xtask wasm`.
import * as jobs from "../../../supabase/functions/_wasm/jobs.js";
import module from "../../../supabase/functions/_wasm/jobs_bg.wasm";
import { worker } from "../worker.js";

export default worker(jobs, module, [
  "process-time-based-automations", "process-segment-automations", "dispatch-messages", "embed-kb-articles",
  "analyze-interaction-sentiment", "score-segments",
]);
