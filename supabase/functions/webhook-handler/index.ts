import { serve } from "../_shared/hooks.ts";

serve("webhook-handler");
