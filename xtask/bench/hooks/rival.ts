// What somebody would write by hand for the same webhook: Twilio's signature, the form as one event, one call of
// the same RPC. Plain TypeScript for Deno; node:crypto, because its HMAC is synchronous and faster than WebCrypto's.
import { createHmac, timingSafeEqual } from "node:crypto";

interface Event {
  id: string;
  type: "message" | "status";
  [key: string]: unknown;
}

const KEYWORDS: Record<string, "opt_out" | "opt_in"> = Object.fromEntries([
  ...["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"].map((word) => [word, "opt_out"]),
  ...["START", "UNSTOP", "YES"].map((word) => [word, "opt_in"]),
]);

/** The events of a signed form with the number that they are for; null where the signature is another. */
export function verifyAndParse(token: string, url: string, signature: string, body: Uint8Array) {
  const form = new URLSearchParams(new TextDecoder().decode(body));
  const pairs = [...form].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const expected = createHmac("sha1", token).update(url + pairs.flat().join("")).digest();
  const sent = Buffer.from(signature, "base64");
  if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) return null;
  return parse(form);
}

function parse(form: URLSearchParams) {
  const get = (name: string) => form.get(name) ?? undefined;
  const status = get("MessageStatus") ?? get("SmsStatus");
  const id = get("MessageSid")!;
  if (status && status !== "received") {
    const reached: Record<string, string> = { sent: "sent", delivered: "delivered", read: "read", undelivered: "failed", failed: "failed" };
    const events: Event[] = reached[status]
      ? [{ id: `${id}:${reached[status]}`, type: "status", provider_message_id: id, status: reached[status], error_code: get("ErrorCode"), address: get("To") }]
      : [];
    return { address: get("From"), events };
  }
  const content = get("Body") ?? "";
  const media = Array.from({ length: Number(get("NumMedia") ?? 0) }, (_, place) => ({ url: get(`MediaUrl${place}`), mime_type: get(`MediaContentType${place}`) }));
  const metadata = { ...(media.length && { media }), num_segments: get("NumSegments"), city: get("FromCity"), state: get("FromState"), zip: get("FromZip"), country: get("FromCountry") };
  const events: object[] = [{ id, type: "message", from: get("From"), content, provider_message_id: id, metadata }];
  const asked = KEYWORDS[content.replace(/[^\p{L}\p{N}]/gu, "").toUpperCase()];
  if (asked) events.push({ id: `${id}:${asked}`, type: asked, from: get("From"), address: get("From"), metadata: { keyword: content.trim() } });
  return { address: get("To"), events };
}

if (import.meta.main) {
  const env = Deno.env.toObject();
  const key = env.SUPABASE_SERVICE_ROLE_KEY;
  Deno.serve(async (request) => {
    const started = performance.now();
    const { pathname, search } = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    const signature = request.headers.get("x-twilio-signature") ?? "";
    const found = verifyAndParse(env.TWILIO_AUTH_TOKEN, env.PUBLIC_FUNCTIONS_URL + pathname + search, signature, body);
    let status = found ? 200 : 401;
    if (found?.events.length) {
      const answer = await fetch(`${env.SUPABASE_URL}/rest/v1/rpc/crm_receive_webhook`, {
        method: "POST",
        headers: { apikey: key, authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ provider: "twilio", channel: "sms", address: found.address, events: found.events }),
      });
      await answer.text();
      if (!answer.ok) status = 503;
    }
    console.log(JSON.stringify({ ts: new Date().toISOString(), method: request.method, path: pathname, status, ms: Math.round(performance.now() - started) }));
    return new Response('<?xml version="1.0" encoding="UTF-8"?><Response/>', { status, headers: { "content-type": "text/xml; charset=utf-8" } });
  });
}
