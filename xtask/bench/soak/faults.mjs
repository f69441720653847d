// What goes wrong, and when: functions are killed at random, and the database once, half-way.
import { setTimeout as pause } from "node:timers/promises";

import { functionProcesses } from "./memory.mjs";

const SHORTEST_MS = 60_000;
/** Two faults at once could not be told apart. */
const APART_MS = 15_000;

/** When what falls, in ms from the beginning. The first minute, or a tenth, is for the warming up. */
function plan(lasting, random) {
  const between = Math.min(SHORTEST_MS, lasting / 8);
  const half = lasting / 2;
  const moments = [{ at: half, what: "postgres" }];
  for (let at = between * (1 + random()); at < lasting - APART_MS; at += between * (1 + random())) {
    if (Math.abs(at - half) > APART_MS) moments.push({ at, what: "function" });
  }
  return moments.sort((one, other) => one.at - other.at);
}

async function killFunction(meter, random) {
  const all = await functionProcesses();
  if (!all.length) throw new Error("there is no function left to kill: look into the log of the gateway");
  const { slug, pid } = all[Math.floor(random() * all.length)];
  meter.fault(slug).pid = pid;
  process.kill(pid, "SIGKILL");
}

/** Whoever runs this kills or restarts the database at this word. */
async function breakDatabase(meter, sql, how) {
  // As whoever restarts a server on purpose does: else the server does it after it has stopped to answer.
  if (how === "restart") await sql`checkpoint`;
  const [{ since }] = await sql`select pg_postmaster_start_time() as since`;
  const fault = meter.fault(`postgres: ${how}`);
  console.log(how);
  for (;;) {
    const [row] = await sql`select pg_postmaster_start_time() as since`.catch(() => []);
    if (row && row.since > since) break;
    await pause(20);
  }
  fault.answering = meter.now();
  // After a crash the server reads its log first, and how long that takes is between it and its disk.
  if (how === "kill") fault.excused = fault.answering;
}

export async function breakThings({ meter, sql, random, lasting, how }) {
  const begun = Date.now();
  for (const { at, what } of plan(lasting, random)) {
    await pause(Math.max(0, begun + at - Date.now()));
    if (what === "postgres") await breakDatabase(meter, sql, how);
    else await killFunction(meter, random);
  }
}
