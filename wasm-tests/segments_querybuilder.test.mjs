// Queries made with react-querybuilder's default operators: its own SQL and the segments find the same customers.
// Where its SQL leaves out what is missing and ours does not, the query says includeEmpty: false.
import { defaultOperators, formatQuery } from "@react-querybuilder/core";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { call, newcomer, sql, unique } from "./stack.mjs";

const read = (name) => readFileSync(new URL(`./testdata/segments_querybuilder${name}`, import.meta.url), "utf8");
const cases = JSON.parse(read(".json"));

const parameterized = (query) =>
  formatQuery(query, { format: "parameterized", preset: "postgresql", parseNumbers: true });

const operators = (group) => group.rules.flatMap((rule) => (rule.rules ? operators(rule) : [rule.operator]));

test("the forty queries use every default operator, and their stored SQL is what the package writes", () => {
  assert.equal(cases.length, 40);
  const used = new Set(cases.flatMap(({ query }) => operators(query)));
  assert.deepEqual([...used].sort(), defaultOperators.map(({ name }) => name).sort());
  // rpc/tests/segment_querybuilder.rs runs the stored SQL on both drivers.
  for (const { query, sql, params } of cases) assert.deepEqual(parameterized(query), { sql, params });
});

test("its own SQL finds the customers that the preview finds", async () => {
  const owner = await newcomer("querybuilder");
  const { org } = await call(owner, "crm_create_org", { name: unique("Query Builders") });
  await sql.unsafe(read(".sql"), [org.id]);
  await sql`update customers c set primary_location_id = l.id from customer_locations l
    where c.org_id = ${org.id} and l.customer_id = c.id`;
  const rows = read("_rows.sql").replace("$1", `'${org.id}'`);
  for (const { query } of cases) {
    const { sql: condition, params } = parameterized(query);
    const theirs = await sql.unsafe(`select t.id from (${rows}) t where ${condition}`, params);
    const preview = await call(owner, "crm_segment_preview", {
      definition: { version: 1, entity: "customer", query },
      sample_size: 100,
    });
    const ours = preview.sample.map(({ id }) => id).sort();
    assert.deepEqual(ours, theirs.map(({ id }) => id).sort(), JSON.stringify(query));
    assert.equal(preview.count, ours.length);
  }
});

test("one customer is explained as its own SQL has it", async () => {
  const owner = await newcomer("querybuilder");
  const { org } = await call(owner, "crm_create_org", { name: unique("Query Builders") });
  await sql.unsafe(read(".sql"), [org.id]);
  const [{ id }] = await sql`select id from customers where org_id = ${org.id} order by created_at limit 1`;
  const rows = read("_rows.sql").replace("$1", `'${org.id}'`);
  for (const { query } of cases) {
    const { sql: condition, params } = parameterized(query);
    const [{ found }] = await sql.unsafe(
      `select count(*)::int as found from (${rows}) t where t.id = '${id}' and ${condition}`, params);
    const explained = await call(owner, "crm_segment_explain", {
      customer_id: id,
      definition: { version: 1, entity: "customer", query },
    });
    assert.equal(explained.matches, found === 1, JSON.stringify(query));
  }
});
