// The assistant with a model that speaks over HTTP as OpenAI does: what it says arrives while it says it, and who leaves ends it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFunctions } from "../supabase/local/functions.mjs";
import { eventually, jwtSecret, secretKey } from "../supabase/local/stack.testing.mjs";
import { as, call, northwind, publishableKey, sql, url } from "./stack.mjs";

const MODEL = `model-${randomUUID()}`;
const KEY = "sk-of-this-test";
const functionsOf = (path) => fileURLToPath(new URL(`../supabase/functions/${path}`, import.meta.url));

let dir, functions, gateway, provider, base, article;
/** Questions to the model: what was asked, `say(text)`, `end()`, and whether we left. */
const questions = [];

/** Answers with what the test has it say. */
async function complete(request, response) {
  let body = "";
  for await (const chunk of request) body += chunk;
  const asked = JSON.parse(body);
  const fine = request.url === "/v1/chat/completions" && request.headers.authorization === `Bearer ${KEY}` && asked.stream && asked.model === MODEL;
  if (!fine) return response.writeHead(400).end("{}");
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (data) => response.write(`data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", model: MODEL, ...data })}\n\n`);
  const question = {
    asked,
    closed: once(response, "close"),
    say: (content) => send({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }),
    end() {
      send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
      send({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 } });
      response.end("data: [DONE]\n\n");
    },
  };
  questions.push(question);
}

before(async () => {
  // Letters alone: a long number is taken out of what a model is told.
  article = `airship-${randomUUID().slice(0, 8).replaceAll(/\d/g, (digit) => "ghijklmnop"[digit])}`;
  const [{ id }] = await sql`
    insert into kb_articles (org_id, slug, title, body_markdown, is_published)
    values (${northwind.id}, ${article}, ${`Mooring the ${article}`}, ${`Lower the ${article} slowly. Tie it to the mast.`}, true) returning id`;
  await sql`
    insert into kb_article_chunks (org_id, article_id, chunk_index, title, content, embedding)
    select org_id, id, 0, title, body_markdown, ('[1' || repeat(',0', 383) || ']')::extensions.vector from kb_articles where id = ${id}`;
  provider = http.createServer(complete).listen(0, "127.0.0.1");
  await once(provider, "listening");
  // The built function, with secrets of its own.
  dir = await mkdtemp(join(tmpdir(), "assistant_test_"));
  await mkdir(join(dir, "functions"));
  await writeFile(join(dir, "config.toml"), `[functions.portal]
verify_jwt = false
entrypoint = ${JSON.stringify(functionsOf("portal/index.ts"))}
static_files = [${JSON.stringify(functionsOf("_wasm"))}, ${JSON.stringify(functionsOf("_shared"))}]
`);
  await writeFile(join(dir, "functions", ".env"), `AI_PROVIDER=openai
AI_BASE_URL=http://127.0.0.1:${provider.address().port}/v1
AI_API_KEY=${KEY}
AI_MODEL=${MODEL}
AI_PRICE_INPUT=1000000
AI_PRICE_OUTPUT=1000000
`);
  functions = await startFunctions({ url, jwtSecret, publishableKey, secretKey, storageDir: join(dir, "storage") }, dir);
  gateway = http.createServer((request, response) => functions.handle(request, response)).listen(0, "127.0.0.1");
  await once(gateway, "listening");
  base = `http://127.0.0.1:${gateway.address().port}/functions/v1/portal`;
  await eventually("the function accepts connections", () => functions.ready());
});

after(async () => {
  functions?.stop();
  for (const server of [gateway, provider]) {
    server?.closeAllConnections();
    server?.close();
  }
  if (dir) await rm(dir, { recursive: true, force: true });
});

async function begin() {
  const user = await as("portal_customer");
  const { id } = await call(user, "portal_start_ai_conversation", {});
  const headers = { apikey: publishableKey, authorization: `Bearer ${user.token}`, "content-type": "application/json", "idempotency-key": randomUUID() };
  const ask = (accept, signal) =>
    fetch(`${base}/ai/conversations/${id}/messages`, {
      method: "POST", headers: { ...headers, accept }, signal, body: JSON.stringify({ content: `How do I moor the ${article}?` }),
    });
  return { ask, messages: async () => (await call(user, "portal_get_ai_conversation", { conversation_id: id })).messages };
}

/** The events of an answer, one by one. */
async function* events(response) {
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? assert.fail(part);
      yield { event, data: JSON.parse(data) };
    }
  }
}

async function next(all, event) {
  const { value } = await all.next();
  assert.equal(value?.event, event, JSON.stringify(value));
  return value.data;
}

/** The model's latest question, once it is there. */
const asked = (count) => eventually("the model is asked", () => questions[count], Boolean);
const usage = () => sql`select settled_at, input_tokens, output_tokens, cost_micros::int, estimated_micros::int from ai_usage
  where org_id = ${northwind.id} and model = ${MODEL} and feature = 'assistant' order by created_at`;

test("a sentence arrives before the model has said its last word", async () => {
  const { ask, messages } = await begin();
  const count = questions.length;
  const answering = ask("text/event-stream");
  const question = await asked(count);
  assert.ok(question.asked.messages[1].content.includes(`slug: ${article}`));
  question.say(`Lower it slowly. [${article}] Then drink`);
  const response = await answering;
  assert.deepEqual([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
  const all = events(response);
  assert.equal((await next(all, "question")).role, "user");
  const first = await next(all, "sentence");
  assert.deepEqual([first.text, first.citations[0].slug], ["Lower it slowly.", article]);
  // Only now the model goes on, with what nobody may see.
  question.say(` it for 40 days. [${article}] Tie it`);
  question.say(` to the mast. [${article}]`);
  question.end();
  assert.equal((await next(all, "sentence")).text, "Tie it to the mast.");
  const answer = await next(all, "answer");
  assert.equal((await all.next()).done, true);
  assert.deepEqual([answer.content, answer.provider, answer.model], ["Lower it slowly. Tie it to the mast.", "openai", MODEL]);
  assert.deepEqual(answer.citations.map((one) => one.sentence), ["Lower it slowly.", "Tie it to the mast."]);
  assert.equal((await messages()).at(-1).content, answer.content);
  const [row] = (await usage()).slice(-1);
  assert.deepEqual([row.input_tokens, row.output_tokens, row.cost_micros], [12, 7, 19]);
});

test("who leaves ends the model's answer, pays for what was said, and gets one by the same key", async () => {
  const { ask, messages } = await begin();
  const count = questions.length;
  const leaving = new AbortController();
  const answering = ask("text/event-stream", leaving.signal);
  const question = await asked(count);
  question.say(`Lower it slowly. [${article}] Then`);
  const all = events(await answering);
  await next(all, "question");
  await next(all, "sentence");
  const charged = (await usage()).length;
  leaving.abort();
  // The model has said no more: this waits for ever if nobody tells it.
  await question.closed;
  const [row] = await eventually("it is settled", async () => (await usage()).slice(-1), ([row]) => row.settled_at);
  assert.ok(row.input_tokens > 100 && row.output_tokens >= 10, JSON.stringify(row));
  assert.ok(row.cost_micros >= row.input_tokens + row.output_tokens && row.cost_micros < row.estimated_micros, JSON.stringify(row));
  assert.deepEqual((await messages()).map((one) => one.role), ["system", "user"]);

  const again = ask("application/json");
  const second = await asked(count + 1);
  second.say(`Tie it to the mast. [${article}]`);
  second.end();
  const made = await (await again).json();
  assert.equal(made.answer.content, "Tie it to the mast.");
  assert.deepEqual((await messages()).map((one) => one.role), ["system", "user", "assistant"]);
  assert.equal((await usage()).length, charged + 1);
});

test("where the model breaks off, what was told is taken back and the articles answer", async () => {
  const { ask } = await begin();
  const count = questions.length;
  const answering = ask("text/event-stream");
  const question = await asked(count);
  question.say(`Lower it slowly. [${article}]\nThen`);
  const all = events(await answering);
  await next(all, "question");
  await next(all, "sentence");
  provider.closeAllConnections();
  await next(all, "reset");
  let last;
  for await (const one of all) last = one;
  assert.deepEqual([last.event, last.data.provider, last.data.citations[0].slug], ["answer", "builtin", article]);
});
