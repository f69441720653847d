// Edge functions: one Deno process per slug of config.toml, kept alive, and the
// proxy to them.
import { spawn } from "node:child_process";
import { getServers } from "node:dns";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseEnv } from "node:util";
import { bearerOf, tokenVerifier } from "./keys.mjs";
import { localSecrets } from "./secrets.mjs";
import { readConfig, SetupError, SUPABASE_DIR } from "./settings.mjs";
import { TICK } from "./ticks.mjs";

const LAUNCH = fileURLToPath(new URL("launch.mjs", import.meta.url));
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
// Alive for this long, a process that dies has not failed to start.
const SETTLED_MS = 10_000;
const POLL_MS = 20;
// The clock itself says what happened.
const isTick = (line) => line.includes(`"request_id":"${TICK}`) && line.includes('"level":"info"');

/** The platform package holds the binary; the `deno` package would fetch it in a postinstall. */
function denoBinary() {
  const { platform, arch } = process;
  const name = `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`;
  try {
    const dir = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    return join(dir, platform === "win32" ? "deno.exe" : "deno");
  } catch {
    throw new SetupError(`${name} is not installed: run npm ci (optional dependencies included)`);
  }
}

async function configured(dir) {
  const { functions = {} } = await readConfig(dir);
  return Object.entries(functions)
    .filter(([, entry]) => typeof entry === "object" && entry.enabled !== false)
    .map(([slug, { verify_jwt = true, entrypoint, static_files = [] }]) => ({
      slug,
      verifyJwt: verify_jwt,
      entrypoint: entrypoint ? resolve(dir, entrypoint) : join(dir, "functions", slug, "index.ts"),
      readable: [join(dir, "functions"), ...static_files.map((path) => resolve(dir, path))],
    }));
}

/** supabase/functions/.env, as `supabase functions serve` reads it. */
async function ownSecrets(dir) {
  const path = join(dir, "functions", ".env");
  return existsSync(path) ? parseEnv(await readFile(path, "utf8")) : {};
}

/** Functions reach this machine only, or also FUNCTIONS_ALLOW_NET: then they may ask where its names lead. */
function allowedNet() {
  const outside = process.env.FUNCTIONS_ALLOW_NET;
  const withPort = (server) => (net.isIPv6(server) ? `[${server}]:53` : net.isIPv4(server) ? `${server}:53` : server);
  return ["127.0.0.1", "localhost", ...(outside ? [outside, ...getServers().map(withPort)] : [])].join(",");
}

function freePort() {
  return new Promise((done, reject) => {
    const probe = net.createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

function accepts(port) {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1");
    const end = (result) => {
      socket.destroy();
      done(result);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}

class FunctionProcess {
  #stopping = false;
  #child = null;
  #port = null;
  #agent = null;

  constructor(config, environment, binary) {
    Object.assign(this, config);
    this.environment = environment;
    this.binary = binary;
  }

  /** Runs the process, again whenever it dies, until stop(). */
  async supervise() {
    let wait = FIRST_PAUSE_MS;
    while (!this.#stopping) {
      const begun = Date.now();
      const ending = await this.#run();
      if (this.#stopping) return;
      if (Date.now() - begun > SETTLED_MS) wait = FIRST_PAUSE_MS;
      console.error(`[${this.slug}] ended (${ending}): starting again in ${wait} ms`);
      await pause(wait);
      wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
    }
  }

  async #run() {
    if (!existsSync(this.entrypoint)) return `${this.entrypoint} does not exist`;
    const port = await freePort();
    const child = spawn(this.binary, [
      "run", "--no-prompt", "--no-remote", "--no-lock", "--allow-env", `--allow-net=${allowedNet()}`,
      `--allow-read=${[dirname(this.entrypoint), ...this.readable].join(",")}`,
      LAUNCH, pathToFileURL(this.entrypoint).href,
    ], {
      env: { ...this.environment, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`, SB_EXECUTION_ID: crypto.randomUUID() },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    // Writing to a process that just died is not an error of ours.
    child.stdin.on("error", () => {});
    createInterface(child.stdout).on("line", (line) => isTick(line) || console.log(`[${this.slug}] ${line}`));
    createInterface(child.stderr).on("line", (line) => console.error(`[${this.slug}] ${line}`));
    let ended = false;
    const ending = new Promise((done) => {
      child.once("error", (error) => done(error.message)).once("exit", (code, signal) => done(signal ?? `exit code ${code}`));
    }).finally(() => {
      ended = true;
    });
    while (!ended && !(await accepts(port))) await pause(POLL_MS);
    if (!ended) {
      this.#agent = new http.Agent({ keepAlive: true });
      this.#port = port;
    }
    const reason = await ending;
    this.#port = null;
    this.#agent?.destroy();
    return reason;
  }

  ready() {
    return this.#port ? accepts(this.#port) : false;
  }

  stop() {
    this.#stopping = true;
    this.#child?.kill("SIGKILL");
  }

  /** Streams the request there and the answer back. */
  forward(request, response, path) {
    const unavailable = () => {
      if (response.headersSent) response.destroy();
      else json(response, 503, { code: "BOOT_ERROR", message: "Function is not running: look into the log of the stack" });
    };
    if (!this.#port) return unavailable();
    const before = request.headers["x-forwarded-for"];
    const upstream = http.request({
      host: "127.0.0.1", port: this.#port, agent: this.#agent, method: request.method, path,
      headers: {
        ...request.headers,
        "x-forwarded-host": request.headers.host ?? "",
        "x-forwarded-proto": "http",
        "x-forwarded-prefix": "/functions/v1",
        "x-forwarded-for": [before, request.socket.remoteAddress].filter(Boolean).join(", "),
      },
    });
    let answered = false;
    upstream.once("response", (answer) => {
      answered = true;
      response.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
      // So that an event stream's headers reach the client before its first event.
      response.flushHeaders();
      answer.once("error", unavailable).pipe(response);
      // A function may answer without reading the whole body (413). The rest is read here and dropped:
      // left unread, it would be in the way of the next request on the client's connection.
      answer.once("end", () => request.unpipe(upstream).resume());
    });
    // After the answer has begun, an error can only be about that rest.
    upstream.on("error", () => answered || unavailable());
    // A client that hangs up ends the work in the function.
    response.once("close", () => upstream.destroy());
    return request.pipe(upstream);
  }
}

function json(response, status, body) {
  response.writeHead(status, { "content-type": "application/json", "access-control-allow-origin": "*" });
  response.end(JSON.stringify(body));
}

export async function startFunctions(settings, dir = SUPABASE_DIR) {
  const binary = denoBinary();
  const { PATH, HOME, TMPDIR, DENO_DIR = join(settings.storageDir, "..", "deno") } = process.env;
  const environment = {
    // Channels that name no provider are served by the log.
    FIELDCRM_ENV: "local",
    ...localSecrets(settings),
    ...(await ownSecrets(dir)),
    PATH, HOME, DENO_DIR, ...(TMPDIR && { TMPDIR }),
    NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1",
    // What Supabase sets. The JWT secret is not among them.
    SUPABASE_URL: settings.url,
    SUPABASE_ANON_KEY: settings.publishableKey,
    SUPABASE_SERVICE_ROLE_KEY: settings.secretKey,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: settings.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: settings.secretKey }),
    SB_REGION: "local",
  };
  const configs = await configured(dir);
  const running = new Map(configs.map((config) => [config.slug, new FunctionProcess(config, environment, binary)]));
  for (const one of running.values()) one.supervise();
  const verify = tokenVerifier(settings);

  return {
    slugs: [...running.keys()],
    async ready() {
      return (await Promise.all([...running.values()].map((one) => one.ready()))).every(Boolean);
    },
    stop() {
      for (const one of running.values()) one.stop();
    },
    /** For requests under /functions/v1/; the function sees the path from its slug on, as on Supabase. */
    async handle(request, response) {
      const path = request.url.slice("/functions/v1".length);
      const one = running.get(/^\/([^/?]+)/.exec(path)?.[1]);
      if (!one) return json(response, 404, { code: "NOT_FOUND", message: "Requested function was not found" });
      if (one.verifyJwt && request.method !== "OPTIONS") {
        const { authorization } = request.headers;
        if (!authorization) return json(response, 401, { code: 401, message: "Missing authorization header" });
        if (!(await verify(bearerOf(authorization)))) return json(response, 401, { code: 401, message: "Invalid JWT" });
      }
      return one.forward(request, response, path);
    },
  };
}
