// Makes an empty database look like a new Supabase project: roles, extensions,
// default privileges, and the auth, storage and supabase_migrations schemas.
// Runs as superuser, before the migrations; safe to repeat.
//
//   ADMIN_DATABASE_URL=… GATEWAY_PASSWORD=… node supabase/local/bootstrap.mjs
import { readFile } from "node:fs/promises";
import { App, InMemoryEmailDriver, setExperimental } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import postgres from "postgres";
import { fail, required, SetupError } from "./settings.mjs";

const SYSTEM_TABLES = [
  "auth.users", "auth.identities", "auth.sessions", "auth.refresh_tokens",
  "storage.buckets", "storage.objects", "supabase_migrations.schema_migrations",
];

const file = (name) => readFile(new URL(name, import.meta.url), "utf8");

async function createRoles(sql, password) {
  const text = await file("roles.sql");
  await sql.begin(async (tx) => {
    await tx.unsafe(text);
    // ALTER ROLE takes no parameters, so Postgres itself quotes the password.
    const [{ statement }] = await tx`select format('alter role gateway password %L', ${password}::text) as statement`;
    await tx.unsafe(statement);
  });
}

async function createVector(sql) {
  const [available] = await sql`select from pg_available_extensions where name = 'vector'`;
  if (available) await sql`create extension if not exists vector with schema extensions`;
  else console.log("pgvector is not installed on this server: continuing without the vector extension");
}

/** lite creates its schema only when asked, and swallows SQL errors while doing so. */
async function createSystemSchema(sql, url) {
  setExperimental("storage", true);
  const connection = createPostgresConnection({ url, postgresOptions: { max: 1, onnotice() {} } });
  const app = new App({
    connection,
    // Never used to sign anything; lite refuses to start its auth part without one.
    auth: { enabled: true, jwt_secret: "unused-while-creating-the-schema" },
    storage: { enabled: true },
    options: { server: { disableStudio: true }, drivers: { email: new InMemoryEmailDriver() } },
  });
  app._storageAdapter = {};
  try {
    await app.ensureSystemSchema();
  } finally {
    await connection.close();
  }
  const missing = await sql`select name from unnest(${SYSTEM_TABLES}::text[]) as name where to_regclass(name) is null`;
  if (missing.length > 0) {
    const names = missing.map((row) => row.name).join(", ");
    throw new SetupError(`@supabase/lite did not create ${names}: look into the server log, then drop the database and run this again`);
  }
}

async function bootstrap() {
  const url = required("ADMIN_DATABASE_URL");
  const password = required("GATEWAY_PASSWORD");
  const sql = postgres(url, { max: 1, onnotice() {}, connect_timeout: 10 });
  try {
    await createRoles(sql, password);
    await sql.begin(async (tx) => tx.unsafe(await file("database.sql")));
    await createVector(sql);
    await createSystemSchema(sql, url);
    await sql.begin(async (tx) => tx.unsafe(await file("system.sql")));
  } catch (error) {
    if (/^(ECONN|CONNECT|28|3D000)/.test(error.code ?? ""))
      throw new SetupError(`cannot connect with ADMIN_DATABASE_URL (${error.message}): start Postgres and check user and database`);
    if (error.code === "42501") throw new SetupError("ADMIN_DATABASE_URL must be of a superuser");
    throw error;
  } finally {
    await sql.end();
  }
}

bootstrap().catch(fail);
