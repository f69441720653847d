// The clock, with a time that only moves when it is told to.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { SCHEDULE, startTicks } from "./ticks.mjs";

const ALL = SCHEDULE.map(([slug]) => slug);
let calls, answer, lines, ticks;

const log = { log: (line) => lines.push(line), error: (line) => lines.push(line) };
const start = (slugs = ALL) => (ticks = startTicks({}, slugs, { log, call: (slug) => (calls.push(slug), answer(slug)) }));
const count = (slug) => calls.filter((one) => one === slug).length;

/** Lets the time go by, second by second, with all that is ready to go on in between. */
async function pass(seconds) {
  for (let second = 0; second < seconds; second++) {
    mock.timers.tick(1_000);
    await new Promise((done) => setImmediate(done));
  }
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  [calls, lines, answer] = [[], [], async () => ({ sent: 0 })];
});

afterEach(() => {
  ticks.stop();
  mock.timers.reset();
});

test("each function is called in its own rhythm", async () => {
  start();
  await pass(60);
  assert.deepEqual(ALL.map(count), [30, 30, 2, 2, 12, 12]);
});

test("a call that takes long is not made a second time meanwhile, and holds up no other", async () => {
  let end;
  answer = (slug) => (slug === "dispatch-messages" ? new Promise((done) => (end = done)) : Promise.resolve({}));
  start();
  await pass(20);
  assert.deepEqual([count("dispatch-messages"), count("process-time-based-automations")], [1, 10]);
  end({ sent: 1 });
  await pass(3);
  assert.equal(count("dispatch-messages"), 2);
});

test("only what happened is logged", async () => {
  start();
  await pass(10);
  assert.deepEqual(lines, []);
  answer = async (slug) => (slug === "dispatch-messages" ? { sent: 2, failed: 0 } : { automations: { events: 0 } });
  await pass(2);
  assert.deepEqual(lines, ['[tick] dispatch-messages {"sent":2,"failed":0}']);
});

test("what stays wrong is said once, and again after it had gone", async () => {
  const failing = async () => {
    throw new Error("503 unavailable");
  };
  answer = failing;
  start(["dispatch-messages"]);
  await pass(10);
  answer = async () => ({});
  await pass(2);
  answer = failing;
  await pass(10);
  assert.deepEqual(lines, Array(2).fill("[tick] dispatch-messages failed: 503 unavailable"));
});

test("functions that are not there are not called", async () => {
  start(["crm", "dispatch-messages"]);
  await pass(60);
  assert.deepEqual([...new Set(calls)], ["dispatch-messages"]);
});

test("nothing is called after the end", async () => {
  start();
  await pass(2);
  ticks.stop();
  const before = calls.length;
  await pass(60);
  assert.equal(calls.length, before);
});
