// What providers send when somebody writes to an org: a payload of the tests, to its address, from one of a few people.
import { payloads } from "../../../wasm-tests/hooks.mjs";

const bodyOf = (provider, name) => payloads(provider).find((payload) => payload.name === name).body.toString();
const [whatsapp, sms, email] = [bodyOf("whatsapp", "text"), bodyOf("twilio", "text"), bodyOf("postmark", "inbound")];
const PEOPLE = 50;
/** The same one for a key. */
const person = (key) => Number.parseInt(key.slice(-6).replace(/\D/g, ""), 10) % PEOPLE;
const number = (key) => `1650555${String(1000 + person(key))}`;

export const whatsappBody = (org, key) => Buffer.from(whatsapp
  .replaceAll(/wamid\.\w+/g, key).replaceAll("106540352242922", org.doors.whatsapp).replaceAll("16505551234", number(key)));

export const smsBody = (org, key) => Buffer.from(sms
  .replaceAll(/SM0+1/g, key).replaceAll("%2B14155550100", encodeURIComponent(org.doors.sms)).replaceAll("%2B16505551234", `%2B${number(key)}`));

export const emailBody = (org, key) => Buffer.from(email
  .replaceAll("test-message-id-1@mail.example", key).replaceAll("73e6d360-66eb-11e1-8e72-a89048240191", key)
  .replaceAll("office@northwind-mail.example", org.doors.email).replaceAll("support@postmarkapp.com", `person${person(key)}@${org.word}.example`));
