// A CSV file of 20,000 customers through supabase-js: in one call, again, and killed half way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "csv-parse/sync";
import postgres from "postgres";

import { newOrg } from "./orgs.mjs";
import { call, refused, sql } from "./stack.mjs";

const ROWS = 20_000;
const NAMES = ["राहुल", "José", "Zoë", "Łukasz", "Мария", "花子", "عمر", "Ada", "Søren", "Ngọc"];
const CITIES = ["Kraków", "São Paulo", "München", "Zürich", "Reno", "Orléans"];
// The country, a local and an international spelling; x is a digit.
const PHONES = [
  ["US", "(212) 55x-xxxx", "+1 212-55x-xxxx"],
  ["GB", "020 7946 xxxx", "+44 20 7946 xxxx"],
  ["DE", "0171 123xxxx", "+49 171 123xxxx"],
  ["FR", "06 12 34 xx xx", "+33 6 12 34 xx xx"],
  ["IN", "098326 1xxxx", "+91 98326 1xxxx"],
  ["JP", "090-1234-xxxx", "+81 90 1234 xxxx"],
  ["AE", "055 123 xxxx", "+971 55 123 xxxx"],
  ["BR", "(11) 96123-xxxx", "+55 11 96123 xxxx"],
  ["AU", "0412 34x xxx", "+61 412 34x xxx"],
  ["PL", "512 34x xxx", "+48 512 34x xxx"],
];
const BROKEN = [
  ["invalid_email", (row) => ({ ...row, email: "nobody at nowhere" })],
  ["invalid_phone", (row) => ({ ...row, phone: "12" })],
  ["required", (row) => ({ external_ref: row.external_ref, notes: "no name" })],
  ["invalid_value", (row) => ({ ...row, status: "unheard of" })],
];

/** mulberry32: the same numbers on every machine. */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let n = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    n = (n + Math.imul(n ^ (n >>> 7), 61 | n)) ^ n;
    return ((n ^ (n >>> 14)) >>> 0) / 2 ** 32;
  };
}

function digits(pattern, number) {
  const places = [...pattern].filter((one) => one === "x").length;
  const rest = [...String(number).padStart(places, "0").slice(-places)];
  return pattern.replaceAll("x", () => rest.shift());
}

/** The file as text, and what an import of it has to count. */
function makeFile(seed) {
  const random = numbers(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const good = [];
  const lines = [];
  const expected = { rows: ROWS, duplicates: 0, failed: 0, skipped: 0, codes: {} };
  for (let n = 0; n < ROWS; n += 1) {
    // A thousand customers a country, so that the last digits tell their phones apart.
    const [country, local, international] = PHONES[n % PHONES.length];
    const name = pick(NAMES);
    const row = {
      external_ref: `CSV-${n}`, first_name: name, last_name: `Nr. ${n}`, email: `Person.${n}@File.example`,
      phone: digits(random() < 0.5 ? local : international, Math.floor(n / PHONES.length)), country,
      address_line1: `${n} ${pick(["Główna", "rue de l'Église", "улица Шевченка", "Main St"])}`, city: pick(CITIES),
      postal_code: String(10000 + n), tags: pick(["CSV", "CSV;VIP", "CSV; Net 30"]), do_not_email: pick(["", "yes", "no"]),
      status: pick(["", "active", "Prospect"]), notes: pick(["", 'says "hello", often', "two\nlines"]),
    };
    const kind = random();
    if (kind < 0.01) {
      const [code, spoil] = pick(BROKEN);
      lines.push(spoil(row));
      expected.failed += 1;
      expected.codes[code] = (expected.codes[code] ?? 0) + 1;
    } else if (kind < 0.03 && good.length > 0) {
      const earlier = pick(good);
      lines.push({ ...earlier, email: earlier.email.toUpperCase(), external_ref: random() < 0.5 ? "" : earlier.external_ref });
      expected.duplicates += 1;
    } else {
      lines.push(row);
      good.push(row);
    }
  }
  expected.customers = good.length;
  const columns = Object.keys(good[0]);
  const cell = (value = "") => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const text = [columns, ...lines.map((line) => columns.map((column) => line[column]))]
    .map((cells) => cells.map(cell).join(",")).join("\n");
  return { text, expected };
}

const { text, expected } = makeFile(2026);
const rows = parse(text, { columns: true });
/** The org of one clean run. */
let imported;

/** What the import made, without ids and times. */
async function fingerprint(org) {
  const [found] = await sql`
    select count(*)::int as customers, md5(string_agg(line, E'\n' order by line collate "C")) as hash
    from (select concat_ws('|', c.name, c.email, c.phone, c.status, c.notes, c.external_ref, t.tags, l.address, x.contacts) as line
      from customers c
      left join lateral (select string_agg(t.name, ';' order by t.name collate "C") as tags from crm_customer_tags ct
        join crm_tags t on t.org_id = ct.org_id and t.id = ct.tag_id
        where ct.org_id = c.org_id and ct.customer_id = c.id) t on true
      left join lateral (select string_agg(concat_ws(',', l.address_line1, l.city, l.country), ';' order by l.address_line1 collate "C") as address
        from customer_locations l where l.org_id = c.org_id and l.customer_id = c.id) l on true
      left join lateral (select string_agg(x.value, ';' order by x.value collate "C") as contacts
        from customer_contacts x where x.org_id = c.org_id and x.customer_id = c.id) x on true
      where c.org_id = ${org}) lines`;
  return found;
}

const counts = ({ rows, created, updated, unchanged, duplicates, skipped, failed }) =>
  ({ rows, created, updated, unchanged, duplicates, skipped, failed });

test("a file of 20,000 rows goes in in one call, errors by row, and again changes nothing", async (t) => {
  const [clean, other] = await Promise.all([newOrg("clean"), newOrg("other")]);
  const { customers, duplicates, failed, skipped } = expected;
  assert.ok(duplicates > 300 && failed > 150, JSON.stringify(expected));

  const dry = await call(clean, "crm_import_customers", { rows, dry_run: true });
  assert.deepEqual(counts(dry), { rows: ROWS, created: customers, updated: 0, unchanged: 0, duplicates, skipped, failed });
  assert.deepEqual(await fingerprint(clean.org), { customers: 0, hash: null });

  const begin = performance.now();
  const first = await call(clean, "crm_import_customers", { rows });
  imported = clean.org;
  const seconds = (performance.now() - begin) / 1000;
  t.diagnostic(`20,000 rows in ${seconds.toFixed(1)} s`);
  assert.deepEqual(counts(first), counts(dry));
  const codes = {};
  for (const { row, code } of first.errors) {
    codes[code] = (codes[code] ?? 0) + 1;
    assert.ok(row >= 1 && row <= ROWS);
  }
  assert.deepEqual(codes, expected.codes);
  assert.equal(first.errors_truncated, false);
  const [bad] = first.errors.filter(({ code }) => code === "invalid_email");
  assert.equal(rows[bad.row - 1].email, "nobody at nowhere");

  const [before] = await sql`select count(*)::int as audited, max(created_at) as latest from audit_log where org_id = ${clean.org}`;
  const again = await call(clean, "crm_import_customers", { rows });
  assert.deepEqual(counts(again), { rows: ROWS, created: 0, updated: 0, unchanged: customers, duplicates, skipped, failed });
  const [since] = await sql`select count(*)::int as audited, max(created_at) as latest from audit_log where org_id = ${clean.org}`;
  assert.deepEqual(since, before);
  assert.equal((await fingerprint(clean.org)).customers, customers);

  const seen = await other.from("customers").select("id", { count: "exact", head: true });
  assert.equal(seen.count, 0);
});

test("an import that is killed half way leaves nothing, and run again it is as if nothing had happened", async () => {
  const killed = await newOrg("killed");
  // A connection of its own: it will die.
  const session = postgres(process.env.DATABASE_URL, { max: 1, onnotice() {} });
  const [{ pid }] = await session`select pg_backend_pid() as pid`;
  const [{ lsn }] = await sql`select pg_current_wal_insert_lsn()::text as lsn`;
  await session`begin`;
  await session`select set_config('request.jwt.claims', ${JSON.stringify({ sub: killed.id, role: "authenticated" })}, true)`;
  await session`set local role authenticated`;
  const running = session`select public.crm_import_customers(rows => ${session.json(rows)})`.then(
    () => "done", (error) => error.code ?? error.message);

  // Half way: it has written some of what it will write, and has not ended.
  const MEGABYTES = 10;
  for (let tries = 0; ; tries += 1) {
    const [now] = await sql`
      select state = 'active' and query like '%crm_import_customers%' and backend_xid is not null
        and pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ${lsn}) > ${MEGABYTES * 2 ** 20} as half_way
      from pg_stat_activity where pid = ${pid}`;
    if (now.half_way) break;
    assert.ok(tries < 600, "the import never wrote anything");
    await pause(50);
  }
  await sql`select pg_terminate_backend(${pid})`;
  assert.match(await running, /57P01|CONNECTION/);
  await session.end({ timeout: 1 });
  assert.deepEqual(await fingerprint(killed.org), { customers: 0, hash: null });
  const [left] = await sql`
    select (select count(*) from crm_tags where org_id = ${killed.org})::int as tags,
      (select count(*) from audit_log where org_id = ${killed.org} and table_name = 'customers')::int as audited`;
  assert.deepEqual(left, { tags: 0, audited: 0 });

  const done = await call(killed, "crm_import_customers", { rows });
  assert.equal(done.created, expected.customers);
  assert.deepEqual(await fingerprint(killed.org), await fingerprint(imported));
});

test("a column that does not exist is one error, not one a row", async () => {
  const owner = await newOrg("columns");
  const { status, details } = await refused(owner, "crm_import_customers", { rows: rows.slice(0, 50).map((row) => ({ ...row, vip: "1" })) });
  assert.equal(status, 400);
  assert.deepEqual(details.errors.map(({ path, code }) => ({ path, code })), [{ path: "rows[0].vip", code: "unknown_column" }]);
});
