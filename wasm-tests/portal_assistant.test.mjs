// The assistant of the portal, with the builtin answers, over HTTP and over supabase-js.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { as, call, northwind, portal, refused, service, sql, unique, volt } from "./stack.mjs";

/** An article that only its org's readers find. */
async function article(org, mark) {
  const slug = `zeppelin-${randomUUID().slice(0, 8)}`;
  const [{ id }] = await sql`
    insert into kb_articles (org_id, slug, title, body_markdown, is_published)
    values (${org.id}, ${slug}, ${`Mooring the ${mark} zeppelin`}, ${`Lower the ${mark} anchor slowly. Tie the zeppelin to the mast.`}, true) returning id`;
  await sql`
    insert into kb_article_chunks (org_id, article_id, chunk_index, title, content, embedding)
    select org_id, id, 0, title, body_markdown, ('[1' || repeat(',0', 383) || ']')::extensions.vector from kb_articles where id = ${id}`;
  return slug;
}

test("a question is answered from the org's own articles, and handed over", async () => {
  const mark = unique("gondola").replaceAll(/[^a-z0-9]/gi, "");
  const slug = await article(northwind, mark);
  await article(volt, `${mark} canary`);
  const user = await as("portal_customer");
  const begun = await portal(user, "POST", "/ai/conversations", { context_type: "general_support" });
  assert.deepEqual([begun.status, begun.body.messages[0].role], [201, "system"]);
  const path = `/ai/conversations/${begun.body.id}`;

  const asked = await portal(user, "POST", `${path}/messages`, { content: `How do I moor the ${mark} zeppelin to the mast?` });
  assert.equal(asked.status, 201, JSON.stringify(asked.body));
  const { answer } = asked.body;
  assert.deepEqual([answer.provider, answer.refused, answer.citations[0].slug], ["builtin", false, slug]);
  assert.ok(answer.content.includes("Tie the zeppelin to the mast."));
  assert.ok(!JSON.stringify(asked.body).includes("canary"));

  const nothing = await portal(user, "POST", `${path}/messages`, { content: "Who won the quidditch cup in Mongolia?" });
  assert.deepEqual([nothing.status, nothing.body.answer.refused, nothing.body.answer.citations], [201, true, []]);

  const shown = await call(user, "portal_get_ai_conversation", { conversation_id: begun.body.id });
  assert.deepEqual(shown.messages.map((one) => one.role), ["system", "user", "assistant", "user", "assistant"]);
  const handed = await portal(user, "POST", `${path}/escalate`);
  assert.deepEqual([handed.status, handed.body.status], [200, "escalated"]);
  const again = await portal(user, "POST", `${path}/escalate`);
  assert.equal(again.body.thread_id, handed.body.thread_id);
  const thread = await call(await as("csr"), "crm_get_portal_thread", { thread_id: handed.body.thread_id });
  assert.ok(thread.messages.items[0].body.includes("zeppelin"));
  assert.equal((await portal(user, "POST", `${path}/messages`, { content: "And now?" })).status, 409);
});

test("a conversation is its account's own", async () => {
  const user = await as("portal_customer");
  const { id } = await call(user, "portal_start_ai_conversation", {});
  for (const other of [await as("portal_customer", volt), await as("portal_manager")]) {
    assert.equal((await portal(other, "GET", `/ai/conversations/${id}`)).status, 404);
    assert.equal((await refused(other, "portal_add_ai_message", { conversation_id: id, content: "x" })).status, 404);
  }
  assert.equal((await refused(user, "portal_store_ai_answer", { org_id: northwind.id, conversation_id: id, message_id: id, content: "x",
    refused: false, citations: [], provider: "builtin" })).status, 403);
  const { data } = await user.from("portal_ai_messages").select("id").limit(1);
  assert.deepEqual(data ?? [], []);
  const staff = await service.from("portal_ai_conversations").select("id").eq("id", id);
  assert.equal(staff.data.length, 1);
});
