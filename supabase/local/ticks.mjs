// The clock of the local stack: calls what pg_cron or cron triggers call elsewhere (docs/schedules.md).
import { SignJWT } from "jose";

/** What is called, and how long after the end of one call the next begins. */
export const SCHEDULE = [
  ["process-time-based-automations", 2_000],
  ["dispatch-messages", 2_000],
  ["process-segment-automations", 30_000],
  ["embed-kb-articles", 30_000],
  ["analyze-interaction-sentiment", 5_000],
  ["score-segments", 5_000],
];
/** Begins the request id of a tick, by which functions.mjs knows log lines that nobody wants to see every two seconds. */
export const TICK = "tick-";
// Longer than any call takes by itself.
const TIMEOUT_MS = 150_000;

/** Calls a function as a back end, and throws what is not a success. */
export function serviceCaller({ url, jwtSecret }) {
  const secret = new TextEncoder().encode(jwtSecret);
  return async (slug) => {
    const token = await new SignJWT({ role: "service_role" })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" }).setIssuedAt().setExpirationTime("10m").sign(secret);
    const response = await fetch(`${url}/functions/v1/${slug}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "x-request-id": `${TICK}${crypto.randomUUID()}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(`${response.status} ${body.code ?? ""}`.trim());
    return body;
  };
}

/** Whether anything is counted in it. */
const happened = (value) => (typeof value === "object" && value !== null ? Object.values(value).some(happened) : value > 0);

/** Calls the functions that are there until stop(); each waits for itself, none for another. */
export function startTicks(settings, slugs, { call = serviceCaller(settings), log = console } = {}) {
  let stopped = false;
  const timers = new Map();
  const said = new Map();

  async function tick(slug, pauseMs) {
    let answer, wrong;
    try {
      answer = await call(slug);
      wrong = answer.misconfigured && `misconfigured: ${JSON.stringify(answer.misconfigured)}`;
    } catch (error) {
      wrong = `failed: ${error.message}`;
    }
    if (stopped) return;
    if (happened(answer)) log.log(`[tick] ${slug} ${JSON.stringify(answer)}`);
    // What stays wrong is said once.
    if (wrong && wrong !== said.get(slug)) log.error(`[tick] ${slug} ${wrong}`);
    said.set(slug, wrong);
    timers.set(slug, setTimeout(tick, pauseMs, slug, pauseMs));
  }

  for (const [slug, pauseMs] of SCHEDULE.filter(([slug]) => slugs.includes(slug))) {
    timers.set(slug, setTimeout(tick, pauseMs, slug, pauseMs));
  }
  return {
    stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
