import assert from "node:assert/strict";
import { test } from "node:test";

import { as, call, crm, northwind, refused, sql, unique, volt } from "./stack.mjs";

const ids = (rows) => rows.map((row) => row.id);
const search = async (user, args) => ids((await call(user, "crm_search_customers", args)).customers);

async function make(user, fields) {
  return call(user, "crm_create_customer", { type: "individual", ...fields });
}

test("supabase.rpc finds a customer by name, e-mail, phone, address and tag, accents aside", async () => {
  const user = await as("csr");
  const word = unique("Zoë").replace(" ", "");
  const digits = String(Math.floor(Math.random() * 9000) + 1000);
  const made = await make(user, {
    name: `${word} Müller`,
    email: `${digits}.${word.slice(-8)}@search.example`,
    phone: `(415) 555-${digits}`,
    locations: [{ address_line1: `77 ${word} Lane`, city: "Winnemucca" }],
    tags: [word],
  });
  for (const args of [
    { q: word }, { q: word.toUpperCase() }, { q: `zoe${word.slice(3)} muller` }, { q: `${digits}.${word.slice(-8)}@search` },
    { q: `77 ${word} winnemucca` }, { tag: word.toLowerCase() }, { q: "muller", tag: word },
  ])
    assert.deepEqual(await search(user, args), [made.id], JSON.stringify(args));
  for (const q of [`(415) 555-${digits}`, `415.555.${digits}`, `+1 415 555 ${digits}`, `1-415-555-${digits}`])
    assert.ok((await search(user, { q })).includes(made.id), q);
  assert.deepEqual(await search(user, { q: word, status: "inactive" }), []);
});

test("no term finds a customer of another org", async () => {
  const word = unique("Secret").replace(" ", "");
  const { id } = await make(await as("csr"), { name: word, email: `${word}@search.example`, tags: [word] });
  const other = await as("csr", volt);
  for (const args of [{ q: word }, { q: word.slice(0, 9) }, { q: "search.example" }, { tag: word }, { q: "%" }])
    assert.ok(!(await search(other, args)).includes(id), JSON.stringify(args));
  const { customers } = await call(other, "crm_search_customers", { page_size: 100, archived: "any" });
  const foreign = await sql`select id from customers where id in ${sql(ids(customers))} and org_id = ${northwind.id}`;
  assert.deepEqual([customers.length > 0, foreign.length], [true, 0]);
});

test("pages over HTTP are complete and disjoint while customers come in", async () => {
  const user = await as("csr");
  const word = unique("Paged").replace(" ", "");
  const made = [];
  for (let n = 0; n < 5; n += 1) made.push((await make(user, { name: `${word} ${n}` })).id);
  const seen = [];
  let path = `/customers?q=${word}&limit=2&count=exact`;
  for (let page = 0; path; page += 1) {
    const { status, body } = await crm(user, "GET", path);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.limit, 2);
    if (page === 0) assert.equal(body.total, 5);
    seen.push(...ids(body.data));
    await make(user, { name: `${word} late ${page}` });
    path = body.next_cursor && `/customers?q=${word}&limit=2&cursor=${body.next_cursor}`;
  }
  assert.deepEqual(seen, made.reverse());
});

test("wrong searches are named, over RPC and HTTP", async () => {
  const user = await as("csr");
  const error = await refused(user, "crm_search_customers", { page_size: 101, cursor: "x" });
  assert.equal(error.status, 400);
  assert.deepEqual(error.details.errors.map((one) => one.path), ["page_size", "cursor"]);
  const { status, body } = await crm(user, "GET", "/customers?q=ann&offset=10&order=name.asc");
  assert.equal(status, 400);
  assert.deepEqual(body.errors.map((one) => one.path), ["offset", "order"]);
  const technician = await refused(await as("technician"), "crm_search_customers", { q: "ann" });
  assert.deepEqual([technician.status, technician.details.code], [403, "forbidden"]);
});

test("archived customers leave the list and come back, deleted ones do not", async () => {
  const user = await as("csr");
  const word = unique("Lifecycle").replace(" ", "");
  const { id } = await make(user, { name: word });
  const archived = await crm(user, "POST", `/customers/${id}/archive`);
  assert.deepEqual([archived.status, archived.body.is_archived], [200, true]);
  assert.deepEqual(await search(user, { q: word }), []);
  assert.deepEqual(await search(user, { q: word, archived: "true" }), [id]);
  const restored = await crm(user, "POST", `/customers/${id}/restore`);
  assert.deepEqual([restored.status, restored.body.is_archived], [200, false]);
  assert.deepEqual(await search(user, { q: word }), [id]);
  assert.equal((await crm(user, "DELETE", `/customers/${id}`)).status, 403);
  assert.equal((await crm(await as("admin"), "DELETE", `/customers/${id}`)).status, 204);
  assert.deepEqual(await search(user, { q: word }), []);
  assert.equal((await crm(await as("admin"), "DELETE", `/customers/${id}`)).status, 404);
});

test("tags in bulk and a merge, over HTTP", async () => {
  const user = await as("csr");
  const word = unique("Twin").replace(" ", "");
  const one = await make(user, { name: `${word} One`, tags: [word] });
  const two = await make(user, { name: `${word} Two`, email: `${word}@search.example` });
  const stranger = await make(await as("csr", volt), { name: `${word} Volt` });
  const tagged = await crm(user, "POST", "/customers/bulk-tag", {
    customer_ids: [one.id, two.id, stranger.id], add: [`${word} new`], remove: [word],
  });
  assert.deepEqual([tagged.status, tagged.body], [200, { tagged: 2, untagged: 1, not_found: [stranger.id] }]);
  const merged = await crm(user, "POST", `/customers/${one.id}/merge`, { duplicate_id: two.id });
  assert.equal(merged.status, 200, JSON.stringify(merged.body));
  assert.deepEqual([merged.body.id, merged.body.email], [one.id, `${word}@search.example`.toLowerCase()]);
  assert.deepEqual(await search(user, { q: word }), [one.id]);
  const again = await crm(user, "POST", `/customers/${two.id}/merge`, { duplicate_id: one.id });
  assert.deepEqual([again.status, again.body.code, again.body.merged_into_id], [409, "wrong_state", one.id]);
  assert.equal((await crm(user, "POST", `/customers/${one.id}/merge`, { duplicate_id: stranger.id })).status, 404);
});
