// Verify and parse alone, without HTTP and database: nanoseconds a call of the module and of the rival, median of
// rounds that alternate. Arguments: the directory of the module with its feature `bench`.
import { createHmac } from "node:crypto";
import { verifyAndParse } from "./rival.ts";

const ROUNDS = 7;
const ROUND_MS = 500;
const [directory] = Deno.args;
const { initSync, verify_and_parse } = await import(`file://${directory}/hooks.js`);
initSync({ module: await Deno.readFile(`${directory}/hooks_bg.wasm`) });

const token = "0123456789abcdef0123456789abcdef";
const url = "https://hooks.example/functions/v1/sms-handler";
const form = (Body: string) => ({
  ToCountry: "US", ToState: "CA", SmsMessageSid: "SM1", NumMedia: "0", ToCity: "SAN FRANCISCO", FromZip: "94105", SmsSid: "SM1",
  FromState: "CA", SmsStatus: "received", FromCity: "SAN FRANCISCO", Body, FromCountry: "US", To: "+15005550006", ToZip: "94105",
  NumSegments: "1", MessageSid: "SM0123456789abcdef0123456789abcdef", AccountSid: "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", From: "+16505551234", ApiVersion: "2010-04-01",
});
const payloads = {
  "a text": "Can you come on Tuesday? 🙏",
  "1,600 letters": "A long story ".repeat(123),
  "a megabyte": "A long story ".repeat(80_000),
};

function time(call: () => unknown) {
  let calls = 0;
  const started = performance.now();
  while (performance.now() - started < ROUND_MS) {
    call();
    calls++;
  }
  return ((performance.now() - started) * 1e6) / calls;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const results = [];
for (const [payload, text] of Object.entries(payloads)) {
  const body = new TextEncoder().encode(new URLSearchParams(form(text)).toString());
  const pairs = [...new URLSearchParams(form(text))].sort(([a], [b]) => (a < b ? -1 : 1));
  const signature = createHmac("sha1", token).update(url + pairs.flat().join("")).digest("base64");
  const sides = {
    wasm: () => verify_and_parse(token, url, signature, body),
    rival: () => verifyAndParse(token, url, signature, body)!.events.length,
  };
  for (const [side, call] of Object.entries(sides)) if (call() !== 1) throw new Error(`${side} did not take ${payload}`);
  const rounds: Record<string, number[]> = { wasm: [], rival: [] };
  for (let round = 0; round < ROUNDS; round++) for (const [side, call] of Object.entries(sides)) rounds[side].push(time(call));
  results.push({ payload, wasm: median(rounds.wasm), rival: median(rounds.rival) });
}
console.log(JSON.stringify(results));
