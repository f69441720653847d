import { serve } from "../_shared/hooks.ts";

serve("sms-handler");
