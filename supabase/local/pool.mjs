// The connections that requests run on. Fault: the driver of lite (postgres.js
// 3.4) loses connections when the server goes away. A write that it put off is
// never made, so whoever gets the connection next waits for ever; a statement of
// a transaction that died runs in the next one's; and it waits up to 20 s before
// it tries again. node-postgres throws a broken connection away.
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";

const asIs = (text) => text;
const isoDateTime = (text) => text.replace(" ", "T");

// Faults: numeric as "10.00" at top level but 10 in embeds; timestamps with a
// space and a two-digit zone; bytea as a Node buffer. PostgREST answers all of
// them as to_json() does.
const parsers = new Map([
  [16, (text) => text === "t"],
  ...[20, 21, 23, 26, 700, 701, 1700].map((oid) => [oid, Number]),
  ...[114, 3802].map((oid) => [oid, JSON.parse]),
  [1114, isoDateTime],
  [1184, (text) => isoDateTime(text).replace(/([+-]\d\d)$/, "$1:00")],
]);

export function openPool(url) {
  /** The type of the elements by that of the array. */
  let elements = new Map();
  function getTypeParser(oid) {
    const element = elements.get(oid);
    if (element) return (text) => pg.types.arrayParser.create(text, getTypeParser(element)).parse();
    return parsers.get(oid) ?? asIs;
  }
  const pool = new pg.Pool({
    connectionString: url,
    max: 20,
    // What is open stays open, as PostgREST keeps its own.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: 10_000,
    application_name: "fieldcrm-gateway",
    statement_timeout: 15_000,
    options: "-c search_path=public,extensions -c TimeZone=UTC",
    types: { getTypeParser },
  });
  // A connection that breaks is thrown away. Its query learns it by itself, if it has one: nobody else is to be told.
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("error", () => {});
  return {
    kysely: new Kysely({ dialect: new PostgresDialect({ pool }) }),
    async readTypes(driver) {
      const rows = await driver`select oid::int as array, typelem::int as element from pg_type where typinput = 'array_in'::regproc`;
      elements = new Map(rows.map(({ array, element }) => [array, element]));
    },
  };
}
