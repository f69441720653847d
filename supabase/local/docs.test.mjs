import assert from "node:assert/strict";
import { test } from "node:test";
import { answerDocs } from "./docs.mjs";

test("the page loads nothing but what is served beside it", async () => {
  const page = await (await answerDocs("/docs")).text();
  const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
  const documents = [...page.matchAll(/"url":"([^"]+)"/g)].map(([, path]) => path);
  assert.equal(loaded.length, 3);
  assert.equal(documents.length, 4);
  for (const path of [...loaded, ...documents]) {
    assert.ok((await (await answerDocs(path)).arrayBuffer()).byteLength > 0, path);
  }
  for (const path of documents) assert.equal((await (await answerDocs(path)).json()).openapi, "3.1.0");
});

test("no other file is served", async () => {
  for (const path of ["/docs/package.json", "/docs/../package.json", "/docs/constructor", "/documents"]) {
    assert.equal(await answerDocs(path), null, path);
  }
});
