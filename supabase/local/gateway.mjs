// The local stand-in for Supabase's API gateway, on 127.0.0.1 only: /rest/v1,
// /auth/v1 and /storage/v1 by @supabase/lite on our Postgres with real roles and
// RLS, /functions/v1 by Deno. Nothing of the product depends on it.
import http from "node:http";
import { getRequestListener } from "@hono/node-server";
import { App, InMemoryEmailDriver, setExperimental } from "@supabase/lite";
import { adminApi } from "./admin.mjs";
import { tokenCompleter } from "./auth.mjs";
import { isConnectionLost, openConnection, UNAVAILABLE } from "./connection.mjs";
import { answerDocs } from "./docs.mjs";
import { startFunctions } from "./functions.mjs";
import { bearerOf, keyResolver } from "./keys.mjs";
import { fail, gatewaySettings, readConfig, SetupError } from "./settings.mjs";
import { answerStorage, fileAdapter } from "./storage.mjs";
import { startTicks } from "./ticks.mjs";

const HEALTH_TIMEOUT_MS = 2_000;
const METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS";
const EXPOSED = "content-range,content-location,preference-applied,link,x-total-count,x-sb-error-code,sb-error-code";

async function createApp(settings, connection) {
  const { api = {}, auth = {} } = await readConfig();
  setExperimental("storage", true);
  const app = new App({
    connection,
    api: { schemas: api.schemas ?? ["public"], max_rows: api.max_rows ?? 1000 },
    storage: { enabled: true },
    auth: {
      enabled: true,
      jwt_secret: settings.jwtSecret,
      publishable_key: settings.publishableKey,
      secret_key: settings.secretKey,
      site_url: auth.site_url ?? settings.url,
      additional_redirect_urls: auth.additional_redirect_urls ?? [],
      jwt_expiry: auth.jwt_expiry ?? 3600,
    },
    options: {
      server: { disableStudio: true, apiKeys: { resolver: keyResolver(settings) }, middlewares: [skipLookups] },
      drivers: { email: new InMemoryEmailDriver() },
    },
  });
  app._storageAdapter = await fileAdapter(settings.storageDir);
  app.server.onError((error, c) => {
    if (isConnectionLost(error)) return c.json(UNAVAILABLE, 503);
    console.error(error);
    return c.json({ message: "An unexpected error occurred" }, 500);
  });
  return app.init();
}

// Saves two look-ups of user and session a request: lite makes them for
// /rest/v1 too, then ignores what they say. Only beside a JWT of the caller's
// own, which lite verifies later and takes both values from.
async function skipLookups(c, next) {
  const token = c.req.path.startsWith("/rest/v1/") && bearerOf(c.req.header("authorization"));
  if (token && !token.startsWith("sb_")) {
    c.set("userId", "unread");
    c.set("sessionId", "unread");
  }
  await next();
}

function preflight(request) {
  return new Response(null, {
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "*",
      "access-control-max-age": "3600",
    },
  });
}

async function healthy(connection, functions) {
  const late = new Promise((done) => setTimeout(done, HEALTH_TIMEOUT_MS, false).unref());
  const checks = Promise.all([connection.driver`select 1`, functions.ready()]).then(([, ready]) => ready, () => false);
  return Promise.race([checks, late]);
}

function createApi(settings, connection, app, functions) {
  const admin = adminApi(settings, connection.driver);
  const completeTokens = tokenCompleter(settings);

  async function route(request, forward) {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") {
      return (await healthy(connection, functions))
        ? Response.json({ status: "ok" })
        : Response.json({ status: "starting" }, { status: 503 });
    }
    const docs = await answerDocs(pathname);
    if (docs) return docs;
    const service = /^\/(rest|auth|storage)\/v1(\/|$)/.exec(pathname)?.[1];
    // lite also serves /_system, which would show the connection string.
    if (!service) return Response.json({ message: "no Route matched with those values" }, { status: 404 });
    // A bare OPTIONS asks PostgREST what a table allows.
    if (request.method === "OPTIONS" && request.headers.has("access-control-request-method")) return preflight(request);
    if (service === "storage") return answerStorage(request, forward);
    if (service === "auth") return (await admin(request)) ?? completeTokens(request, await forward(request));
    return forward(request);
  }

  return async (request, { incoming }) => {
    const forward = (forwarded) => app.fetch(forwarded, { peerAddress: incoming.socket.remoteAddress });
    const response = await route(request, forward);
    // lite sets CORS headers on some routes only.
    response.headers.set("access-control-allow-origin", "*");
    response.headers.set("access-control-expose-headers", EXPOSED);
    return response;
  };
}

function listen(server, port) {
  return new Promise((done, reject) => {
    server.once("error", (error) => reject(
      error.code === "EADDRINUSE" ? new SetupError(`port ${port} is in use: stop what listens there, or set PORT`) : error,
    ));
    server.listen(port, "127.0.0.1", done);
  });
}

// Fault: the driver puts a write off to the next turn and does not look whether the server was killed meanwhile; the query
// itself it has refused already. The phases of the suite that kill the server fail without this.
function isWriteToClosedConnection(error) {
  return error instanceof TypeError && /nextWrite .*\bpostgres\/src\/connection\.js/.test(error.stack);
}

async function main() {
  const settings = gatewaySettings();
  const connection = await openConnection(settings.databaseUrl).catch((error) => {
    throw new SetupError(`cannot connect with DATABASE_URL (${error.message}): start Postgres, then run bootstrap.mjs`);
  });
  const app = await createApp(settings, connection);
  const functions = await startFunctions(settings);
  const api = getRequestListener(createApi(settings, connection, app, functions));
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith("/functions/v1/")) return api(request, response);
    return functions.handle(request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });

  let ticks;
  const stop = () => {
    ticks?.stop();
    functions.stop();
    server.close();
    server.closeAllConnections();
    connection.driver.end({ timeout: 2 }).finally(() => process.exit(0));
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, stop);
  process.on("uncaughtException", (error) => {
    console.error(error);
    if (!isWriteToClosedConnection(error)) process.exit(1);
  });
  await listen(server, settings.port).catch((error) => {
    functions.stop();
    throw error;
  });
  console.log(`listening on ${settings.url}`);
  if (process.env.FIELDCRM_TICKS === "on") ticks = startTicks(settings, functions.slugs);
}

main().catch(fail);
