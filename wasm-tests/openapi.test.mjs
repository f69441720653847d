// The documents as the functions serve them; what they answer is held to them by stack.mjs, in every test.
import assert from "node:assert/strict";
import { test } from "node:test";
import { check, names, read } from "./openapi.mjs";
import { as, crm, fetchFunction, job, portal } from "./stack.mjs";

test("each slug serves the document of its module", async () => {
  const user = await as("csr");
  for (const name of names) {
    const document = read(name);
    const slugs = new Set(Object.keys(JSON.parse(document).paths).map((path) => path.split("/")[1]));
    assert.ok(slugs.size > 0);
    for (const slug of slugs) {
      const response = await fetchFunction(`/${slug}/openapi.json`, user.token);
      assert.equal(response.status, 200, slug);
      assert.equal(response.headers.get("content-type"), "application/json");
      assert.equal(await response.text(), document, slug);
    }
  }
});

test("an answer that is not described fails a test", () => {
  const headers = new Headers({ "content-type": "application/json" });
  const page = { data: [], limit: 50, offset: 0, total: null, next_cursor: null };
  const of = (status, body, path = "/crm/customers") => () => check("GET", path, { status, headers, body });
  of(200, page)();
  assert.throws(of(200, { ...page, more: 1 }), /additional properties/);
  assert.throws(of(200, { ...page, limit: "50" }), /integer/);
  assert.throws(of(418, {}), /no such status/);
  assert.throws(of(403, {}), /no application\/json/);
  assert.throws(of(200, {}, "/crm/nothing"), /no such operation/);
});

test("what is asked wrongly is answered as described", async () => {
  const user = await as("csr");
  for (const [method, path] of [["GET", "/customers?limit=0"], ["GET", "/customers/x"], ["PUT", "/customers"], ["GET", "/nothing"], ["POST", "/customers"]]) {
    assert.ok((await crm(user, method, path, method === "POST" ? "{" : undefined)).status >= 400);
  }
  assert.equal((await portal(null, "GET", "/dashboard")).status, 401);
  assert.equal((await job("dispatch-messages", { batch_limit: 0 })).status, 400);
});
