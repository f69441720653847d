node --input-type=module -e '
import { createClient } from "@supabase/supabase-js"; import ws from "ws";
const supabase = createClient(process.env.SUPABASE_URL, process.env.SUPABASE_PUBLISHABLE_KEY, { realtime: { transport: ws } });
await supabase.auth.signInWithPassword({ email: "csr@northwind.example", password: process.env.DEMO_PASSWORD });
const { data, error } = await supabase.rpc("crm_create_customer", { type: "individual", name: "Alan Turing" });
if (error) throw error; else console.log(data); process.exit();'
