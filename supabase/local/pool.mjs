// The connections that requests run on. Fault: the driver of lite (postgres.js
// 3.4) loses connections when the server goes away. A write that it put off is
// never made, so whoever gets the connection next waits for ever; a statement of
// a transaction that died runs in the next one's; and it waits up to 20 s before
// it tries again. node-postgres throws a broken connection away.
import { Kysely, OperationNodeTransformer, PostgresDialect, ValueNode } from "kysely";
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

function isJsonContainer(text) {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

// Objects may come as their text already.
const asJson = (value) =>
  value === null || value === undefined || (typeof value === "string" && isJsonContainer(value)) ? value : JSON.stringify(value);

// Fault: lite hands the values of a write over as they came, and node-postgres makes an array of Postgres of every array, and text
// of a string, in columns of JSON too. `isJson` says whether a column is one.
export class JsonColumns extends OperationNodeTransformer {
  constructor(isJson) {
    super();
    this.isJson = isJson;
  }

  transformQuery({ node }) {
    return this.transformNode(node);
  }

  async transformResult({ result }) {
    return result;
  }

  transformInsertQuery(node) {
    const { schema, identifier } = node.into?.table ?? {};
    const isJson = (node.columns ?? []).map(({ column }) => this.isJson(schema?.name, identifier?.name, column.name));
    if (!isJson.includes(true) || node.values?.kind !== "ValuesNode") return super.transformInsertQuery(node);
    const values = node.values.values.map((row) => row.kind === "PrimitiveValueListNode"
      ? { ...row, values: row.values.map((value, at) => (isJson[at] ? asJson(value) : value)) }
      : { ...row, values: row.values.map((one, at) => (isJson[at] && one.kind === "ValueNode" ? ValueNode.create(asJson(one.value)) : one)) });
    return super.transformInsertQuery({ ...node, values: { ...node.values, values } });
  }

  transformUpdateQuery(node) {
    const { schema, identifier } = node.table?.table ?? {};
    const updates = node.updates?.map((update) => {
      const { column } = update.column.kind === "ReferenceNode" ? update.column.column : update.column;
      return update.value.kind === "ValueNode" && this.isJson(schema?.name, identifier?.name, column.name)
        ? { ...update, value: ValueNode.create(asJson(update.value.value)) }
        : update;
    });
    return super.transformUpdateQuery({ ...node, updates });
  }
}

export function openPool(url) {
  /** The type of the elements by that of the array. */
  let elements = new Map();
  /** `schema.table.column` of those that are json or jsonb. */
  let jsonColumns = new Set();
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
    kysely: new Kysely({
      dialect: new PostgresDialect({ pool }),
      plugins: [new JsonColumns((schema, table, column) => jsonColumns.has(`${schema ?? "public"}.${table}.${column}`))],
    }),
    async readTypes(driver) {
      const rows = await driver`select oid::int as array, typelem::int as element from pg_type where typinput = 'array_in'::regproc`;
      elements = new Map(rows.map(({ array, element }) => [array, element]));
      const columns = await driver`
        select c.relnamespace::regnamespace || '.' || c.relname || '.' || a.attname as name
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where a.atttypid in ('json'::regtype, 'jsonb'::regtype) and c.relkind in ('r', 'p', 'v') and a.attnum > 0
          and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`;
      jsonColumns = new Set(columns.map(({ name }) => name));
    },
  };
}
