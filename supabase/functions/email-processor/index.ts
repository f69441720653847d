import { serve } from "../_shared/hooks.ts";

serve("email-processor");
