// The knowledge base from a staff member's pen to a stranger's question, through the built functions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous, as, job, northwind, portal, sql, unique } from "./stack.mjs";

const kb = (path, user) => portal(user, "GET", `/kb${path}`);

/** Articles with a word that no other has. */
async function write(user, changes) {
  const word = unique("valve").replaceAll(/\W/g, "");
  const article = {
    slug: word, title: `The ${word}`, category: "plumbing", is_published: true,
    body_markdown: `# Closing it\n\nTurn the **${word}** to the right.\n\n# Opening it\n\nTo the left.`, ...changes,
  };
  const { data, error } = await user.from("kb_articles").insert(article).select("id").single();
  assert.equal(error, null);
  return { word, id: data.id };
}

async function embed() {
  const { status, body } = await job("embed-kb-articles");
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

test("what staff write is found by customers once it is embedded, and by strangers if it is public", async () => {
  const csr = await as("csr");
  const customer = await as("portal_customer");
  const { word, id } = await write(csr, { is_public: false });
  await embed();
  const found = await kb(`/search?q=${word}`, customer);
  assert.equal(found.status, 200, JSON.stringify(found.body));
  assert.equal(found.body.mode, "hybrid");
  assert.equal(found.body.results[0].slug, word);
  assert.equal(found.body.results[0].heading, "Closing it");
  assert.equal((await kb(`/articles/${word}`, customer)).body.title, `The ${word}`);

  const slug = (await sql`select slug from portal_settings where org_id = ${northwind.id}`)[0].slug;
  const stranger = () => kb(`/search?q=${word}&org=${slug}`);
  assert.ok(!(await stranger()).body.results.some((one) => one.slug === word));
  assert.equal((await kb(`/articles/${word}?org=${slug}`)).status, 404);
  await csr.from("kb_articles").update({ is_public: true }).eq("id", id);
  assert.equal((await stranger()).body.results[0].slug, word);
  assert.equal((await kb(`/articles/${word}?org=${slug}`)).status, 200);
  // And without the function, as supabase-js does it.
  const { data, error } = await anonymous().rpc("kb_search", { query: word, slug });
  assert.equal(error, null);
  assert.equal(data.results[0].slug, word);
});

test("strangers have to name a portal", async () => {
  const { status, body } = await kb("/articles");
  assert.equal(status, 400);
  assert.equal(body.errors[0].path, "slug");
  assert.equal((await kb("/articles?org=there-is-none")).status, 404);
});

test("an article that changes is embedded anew, one that is withdrawn is gone at once", async () => {
  const csr = await as("csr");
  const { word, id } = await write(csr, {});
  await embed();
  const other = unique("spanner").replaceAll(/\W/g, "");
  await csr.from("kb_articles").update({ body_markdown: `Take the ${other}.` }).eq("id", id);
  await embed();
  assert.equal((await csr.rpc("kb_search", { query: other })).data.results[0].slug, word);
  await csr.from("kb_articles").update({ is_published: false }).eq("id", id);
  assert.deepEqual((await csr.rpc("kb_search", { query: other })).data.results, []);
  await embed();
  assert.equal((await sql`select count(*)::int as n from kb_article_chunks where article_id = ${id}`)[0].n, 0);
});

test("two workers at once store each article once", async () => {
  const csr = await as("csr");
  const ids = [];
  for (let number = 0; number < 5; number++) ids.push((await write(csr, {})).id);
  await Promise.all([embed(), embed(), embed()]);
  const rows = await sql`select article_id, count(*)::int as n from kb_article_chunks where article_id in ${sql(ids)} group by 1`;
  assert.deepEqual(rows.map((row) => row.n), [2, 2, 2, 2, 2]);
});

test("only a back end embeds", async () => {
  const owner = await as("owner");
  assert.equal((await job("embed-kb-articles", undefined, { token: owner.token })).status, 403);
});
