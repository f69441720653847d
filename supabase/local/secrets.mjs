// Secrets with which providers sign on the local stack: derived from its own secret key, so that every stack
// has others and whoever holds the key can sign. supabase/functions/.env replaces them.
import { createECDH, createHmac } from "node:crypto";

const derived = (secretKey, name) => createHmac("sha256", secretKey).update(name).digest();

/** The start of a SubjectPublicKeyInfo of P-256; the point follows. */
const SPKI_P256 = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");

/** The private half of SENDGRID_PUBLIC_KEY. */
export function sendgridKeyPair(secretKey) {
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(derived(secretKey, "SENDGRID_PUBLIC_KEY"));
  return { privateKey: pair.getPrivateKey(), point: pair.getPublicKey(), spki: Buffer.concat([SPKI_P256, pair.getPublicKey()]) };
}

export function localSecrets({ secretKey }) {
  const text = (name) => derived(secretKey, name).toString("hex");
  const whsec = (name) => `whsec_${derived(secretKey, name).toString("base64")}`;
  return {
    WHATSAPP_APP_SECRET: text("WHATSAPP_APP_SECRET"),
    WHATSAPP_VERIFY_TOKEN: text("WHATSAPP_VERIFY_TOKEN"),
    TWILIO_AUTH_TOKEN: text("TWILIO_AUTH_TOKEN"),
    POSTMARK_WEBHOOK_AUTH: `postmark:${text("POSTMARK_WEBHOOK_AUTH")}`,
    SENDGRID_WEBHOOK_AUTH: `sendgrid:${text("SENDGRID_WEBHOOK_AUTH")}`,
    SENDGRID_PUBLIC_KEY: sendgridKeyPair(secretKey).spki.toString("base64"),
    MAILGUN_SIGNING_KEY: text("MAILGUN_SIGNING_KEY"),
    RESEND_WEBHOOK_SECRET: whsec("RESEND_WEBHOOK_SECRET"),
    EMAIL_INBOUND_SECRET: text("EMAIL_INBOUND_SECRET"),
    FORM_DEMO_SECRET: whsec("FORM_DEMO_SECRET"),
  };
}
