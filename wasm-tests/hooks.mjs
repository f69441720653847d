// What providers send, from functions/hooks/testdata, signed as they sign it.
import { createHash, createHmac, createPrivateKey, sign as signWith } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

import { localSecrets, sendgridKeyPair } from "../supabase/local/secrets.mjs";

const testdata = new URL("../functions/hooks/testdata/", import.meta.url);
const now = () => Math.floor(Date.now() / 1000);

export const hmac = (algorithm, key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac(algorithm, key));

/** Headers of Standard Webhooks, under Svix's names or its own. */
export function standard(secret, body, id, prefix = "webhook") {
  const time = String(now());
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: time,
    [`${prefix}-signature`]: `v1,${hmac("sha256", key, `${id}.${time}.`, body).digest("base64")}`,
  };
}

function sendgridSignature(secretKey, body) {
  const { privateKey, point } = sendgridKeyPair(secretKey);
  const text = (bytes) => Buffer.from(bytes).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", d: text(privateKey), x: text(point.subarray(1, 33)), y: text(point.subarray(33)) };
  const time = String(now());
  return {
    "x-twilio-email-event-webhook-timestamp": time,
    "x-twilio-email-event-webhook-signature": signWith("sha256", Buffer.concat([Buffer.from(time), body]), createPrivateKey({ format: "jwk", key: jwk })).toString("base64"),
  };
}

function formType(body) {
  if (body.subarray(0, 2).toString() !== "--") return "application/x-www-form-urlencoded";
  return `multipart/form-data; boundary=${body.subarray(2, body.indexOf("\r\n")).toString()}`;
}

const basic = (account) => ({ authorization: `Basic ${Buffer.from(account).toString("base64")}` });

/** How each provider calls the functions of a stack: path, body and headers. */
export function providers({ secretKey, functionsUrl }) {
  const secrets = localSecrets({ secretKey });
  const calls = {
    whatsapp: (body) => ["/whatsapp-webhook", body, { "x-hub-signature-256": `sha256=${hmac("sha256", secrets.WHATSAPP_APP_SECRET, body).digest("hex")}` }],
    twilio(body, isJson) {
      const sha256 = createHash("sha256").update(body).digest("hex");
      const path = isJson ? `/sms-handler?bodySHA256=${sha256}` : "/sms-handler";
      const parameters = isJson ? [] : [...new URLSearchParams(body.toString())].sort(([one], [other]) => (one < other ? -1 : 1));
      const signature = hmac("sha1", secrets.TWILIO_AUTH_TOKEN, functionsUrl + path, parameters.flat().join("")).digest("base64");
      return [path, body, { "x-twilio-signature": signature, "content-type": isJson ? "application/json" : formType(body) }];
    },
    postmark: (body) => ["/email-processor/postmark", body, { ...basic(secrets.POSTMARK_WEBHOOK_AUTH), "content-type": "application/json" }],
    sendgrid: (body, isJson) => isJson
      ? ["/email-processor/sendgrid?address=office@northwind-mail.example", body, { ...sendgridSignature(secretKey, body), "content-type": "application/json" }]
      : ["/email-processor/sendgrid", body, { ...basic(secrets.SENDGRID_WEBHOOK_AUTH), "content-type": formType(body) }],
    mailgun(body, isJson) {
      // The signature stands in the body, of the same length whenever it was made.
      const [token, time] = ["7VwW7k6Ak7zcTwoSoNm7aTtbk1g67MKAnsYLfUB7PdszbgR5Xi", String(now())];
      const signature = hmac("sha256", secrets.MAILGUN_SIGNING_KEY, time, token).digest("hex");
      const signed = body.toString("latin1").replace("1539112500", time).replace("ef24c5225322217bb065b80bb54eb4f9206d764e3e16abab07f0a64d1cf477cc", signature);
      return ["/email-processor/mailgun", Buffer.from(signed, "latin1"), { "content-type": isJson ? "application/json" : formType(body) }];
    },
    resend: (body, _, name) => ["/email-processor/resend", body, { ...standard(secrets.RESEND_WEBHOOK_SECRET, body, `msg_${name}`, "svix"), "content-type": "application/json" }],
    raw: (body) => ["/email-processor/raw", body, { authorization: `Bearer ${secrets.EMAIL_INBOUND_SECRET}`, "content-type": "message/rfc822" }],
  };
  return { calls, secrets };
}

/** The payloads of a provider, with what they mean. */
export function payloads(provider) {
  const folder = new URL(`${provider}/`, testdata);
  return readdirSync(folder).filter((file) => !file.endsWith(".expected.json")).map((file) => {
    const name = file.slice(0, file.lastIndexOf("."));
    const body = readFileSync(new URL(file, folder));
    const expected = JSON.parse(readFileSync(new URL(`${name}.expected.json`, folder)));
    return { name, body, isJson: file.endsWith(".json"), expected };
  });
}

/** The addresses of the payloads, and whose they are. */
const doors = [
  ["northwind", "whatsapp", "106540352242922"],
  ["volt", "whatsapp", "206540352242922"],
  ["northwind", "sms", "+14155550100"],
  ["northwind", "email", "office@northwind-mail.example"],
  ["volt", "email", "desk@volt-mail.example"],
];

/** The name of the org that a delivery is for, if it is for any. */
export const ownerOf = ({ channel, addresses }) =>
  addresses.map((address) => doors.find(([, kind, ours]) => kind === channel && ours === address)).find(Boolean)?.[0];

/** Opens a door of an org, unless it is open. */
export async function openDoor(sql, org, channel, address, { secret = null, settings = { honeypot: "website" } } = {}) {
  const [client] = await sql`insert into public.clients (org_id, name, created_by_user_id) values (${org.id}, 'Doors', null) returning id`;
  const [project] = await sql`
    insert into public.projects (org_id, client_id, name, created_by_user_id) values (${org.id}, ${client.id}, 'Doors', null) returning id`;
  await sql`
    insert into public.org_channels (org_id, channel, address, client_id, project_id, secret_name, settings, created_by_user_id)
    values (${org.id}, ${channel}, ${address}, ${client.id}, ${project.id}, ${secret}, ${sql.json(settings)}, null)
    on conflict (channel, address) do nothing`;
}

export async function openDoors(sql, orgs) {
  for (const [org, channel, address] of doors) await openDoor(sql, orgs[org], channel, address);
}
