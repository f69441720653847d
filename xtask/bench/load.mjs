// Clients that send one request after another for some seconds.
import { performance } from "node:perf_hooks";

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** `next()` gives the URL and the options of a request; an answer that is an error ends the measurement. */
export async function load(next, clients, seconds) {
  const times = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < until) {
      const [url, options] = next();
      const before = performance.now();
      const response = await fetch(url, options);
      await response.text();
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      times.push(performance.now() - before);
    }
  }));
  const rate = times.length / ((performance.now() - started) / 1000);
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(times.length * part)];
  return { p50: at(0.5), p95: at(0.95), rate };
}

/** Each contestant with 1 and with 16 clients, in alternating rounds: rows of medians. */
export async function compare(contestants, { seconds, rounds }) {
  for (const next of Object.values(contestants)) await load(next, 4, 2);
  const rows = [];
  for (const clients of [1, 16]) {
    const seen = Object.fromEntries(Object.keys(contestants).map((door) => [door, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [door, next] of Object.entries(contestants)) seen[door].push(await load(next, clients, seconds));
    }
    for (const [door, runs] of Object.entries(seen)) {
      rows.push({ door, clients, ...Object.fromEntries(["p50", "p95", "rate"].map((key) => [key, median(runs.map((run) => run[key]))])) });
    }
  }
  return rows;
}
