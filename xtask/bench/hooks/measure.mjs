// Signed webhooks per second and p95: the function and the rival, each in a Deno process of its own without a
// gateway in between, against the same database. Run by `cargo xtask bench hooks` with the variables of stack.env
// and BENCH_MODULE, the directory of the module for verify.ts.
import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { join } from "node:path";
import postgres from "postgres";
import { deno, root, serve } from "../deno.mjs";
import { compare } from "../load.mjs";

const { DATABASE_URL, BENCH_MODULE } = process.env;
const SENDERS = 500;
const NORTHWIND = "11111111-1111-4111-8111-111111111111";
const ADDRESS = "+15005550006";
const TOKEN = "0123456789abcdef0123456789abcdef";
const PUBLIC_FUNCTIONS_URL = "https://hooks.example/functions/v1";

const sql = postgres(DATABASE_URL, { max: 1, onnotice() {} });
const [client] = await sql`insert into public.clients (org_id, name, created_by_user_id) values (${NORTHWIND}, 'Bench', null) returning id`;
const [project] = await sql`
  insert into public.projects (org_id, client_id, name, created_by_user_id) values (${NORTHWIND}, ${client.id}, 'Bench', null) returning id`;
await sql`
  insert into public.org_channels (org_id, channel, address, client_id, project_id, created_by_user_id)
  values (${NORTHWIND}, 'sms', ${ADDRESS}, ${client.id}, ${project.id}, null)`;
await sql`analyze public.leads, public.conversations, public.messages, public.webhook_events`;

let made = 0;
function message() {
  const id = `SM${randomUUID().replaceAll("-", "")}`;
  const fields = {
    ToCountry: "US", SmsMessageSid: id, NumMedia: "0", SmsSid: id, FromState: "CA", SmsStatus: "received", FromCity: "SAN FRANCISCO",
    Body: `Can you come on Tuesday? ${made}`, FromCountry: "US", To: ADDRESS, NumSegments: "1", MessageSid: id,
    AccountSid: "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", From: `+1650555${String(1000 + (made++ % SENDERS))}`, ApiVersion: "2010-04-01",
  };
  const pairs = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
  const signature = createHmac("sha1", TOKEN).update(`${PUBLIC_FUNCTIONS_URL}/sms-handler${pairs.flat().join("")}`).digest("base64");
  return { body: new URLSearchParams(fields).toString(), headers: { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature } };
}

async function verifyAlone() {
  const child = spawn(deno, ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-env", join(root, "xtask/bench/hooks/verify.ts"), BENCH_MODULE], {
    env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const chunk of child.stdout) out += chunk;
  return JSON.parse(out.trim().split("\n").at(-1));
}

const verify = await verifyAlone();
const env = { TWILIO_AUTH_TOKEN: TOKEN, PUBLIC_FUNCTIONS_URL };
const doors = {};
try {
  doors.function = await serve("supabase/functions/sms-handler/index.ts", env);
  doors.rival = await serve("xtask/bench/hooks/rival.ts", env);
  const sends = ({ url }) => () => [`${url}/sms-handler`, { method: "POST", ...message() }];
  const webhooks = await compare(Object.fromEntries(Object.entries(doors).map(([door, one]) => [door, sends(one)])), { seconds: 8, rounds: 3 });
  console.log(JSON.stringify({ webhooks, verify }));
} finally {
  for (const { child } of Object.values(doors)) child.kill();
  await sql.end();
}
