// A thousand customers with names, addresses and phones from a dozen countries, through both doors.
// The column e164 was computed by Google's libphonenumber in another language: an independent word.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parse } from "csv-parse/sync";

import { as, call, crm, northwind, sql, unique, volt } from "./stack.mjs";

const rows = parse(await readFile(new URL("testdata/customers.csv", import.meta.url)), { columns: true });

const given = (row, run, door) => ({
  type: "individual",
  first_name: row.first_name,
  last_name: row.last_name,
  email: row.email,
  phone: row.phone,
  external_ref: `${run} ${door} ${row.external_ref}`,
  locations: [{ address_line1: row.address_line1, city: row.city, country: row.country }],
  tags: ["CSV", row.country],
});

async function inParallel(items, workers, work) {
  const queue = items.values();
  await Promise.all(Array.from({ length: workers }, async () => {
    for (const item of queue) await work(item);
  }));
}

function assertMade(made, row) {
  assert.equal(made.name, `${row.first_name} ${row.last_name}`);
  assert.equal(made.email, row.email.toLowerCase());
  assert.equal(made.phone, row.e164, `${row.phone} in ${row.external_ref}`);
  assert.deepEqual(made.contacts.map((one) => one.value).sort(), [row.e164, row.email.toLowerCase()].sort());
  assert.equal(made.locations[0].city, row.city);
  assert.equal(made.locations[0].id, made.primary_location_id);
  assert.deepEqual(made.tags.map((tag) => tag.name).sort(), ["CSV", row.country].sort());
}

test("1,000 customers by RPC and 100 by the function: all there, nested, normalised, and not Volt's", async () => {
  const run = unique("run");
  const csr = await as("csr");
  assert.equal(rows.length, 1000);
  await inParallel(rows, 8, async (row) =>
    assertMade(await call(csr, "crm_create_customer", given(row, run, "rpc")), row));
  await inParallel(rows.slice(0, 100), 8, async (row) => {
    const { status, body } = await crm(csr, "POST", "/customers", given(row, run, "http"));
    assert.equal(status, 201, JSON.stringify(body));
    assertMade(body, row);
  });

  const [whole] = await sql`
    select count(*)::int as customers, count(distinct c.org_id)::int as orgs,
      count(*) filter (where c.org_id = ${northwind.id}
        and (select count(*) from customer_contacts x where x.customer_id = c.id) = 2
        and (select count(*) from customer_locations x where x.customer_id = c.id) = 1
        and (select count(*) from crm_preferences x where x.customer_id = c.id) = 1
        and (select count(*) from crm_customer_tags x where x.customer_id = c.id) = 2)::int as whole
    from customers c where c.external_ref like ${run + "%"}`;
  assert.deepEqual(whole, { customers: 1100, orgs: 1, whole: 1100 });

  const other = await as("owner", volt);
  const seen = await other.from("customers").select("id", { count: "exact", head: true }).like("external_ref", `${run}%`);
  assert.equal(seen.count, 0);
});
