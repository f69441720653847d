// The function itself is Rust: functions/jobs, built by `cargo xtask wasm`; seven slugs share it.
import * as jobs from "../_wasm/jobs.js";
import { serve } from "../_shared/serve.ts";

await serve("analyze-interaction-sentiment", "jobs", jobs);
