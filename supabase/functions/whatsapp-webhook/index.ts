import { serve } from "../_shared/hooks.ts";

serve("whatsapp-webhook");
