// Every request, the faults, and what they have to do with each other.
import { performance } from "node:perf_hooks";

/** A fault is an excuse for so long. */
const WINDOW_MS = 5_000;
const round = (value) => Math.round(value * 10) / 10;

export class Meter {
  operations = new Map();
  errors = [];
  faults = [];
  leaks = [];
  #underWay = new Set();

  now = () => performance.now();

  fault(what) {
    const fault = { what, at: this.now(), slowest: 0 };
    this.faults.push(fault);
    for (const request of this.#underWay) request.faults.push(fault);
    return fault;
  }

  /** Times one attempt; it is an error unless `good` says otherwise. An answer comes back however it is. */
  async attempt(name, kind, send, good) {
    const request = { begun: this.now(), faults: this.faults.filter(({ at }) => this.now() - at < WINDOW_MS) };
    this.#underWay.add(request);
    const answer = await send();
    this.#underWay.delete(request);
    const ended = this.now();
    const ms = ended - request.begun;
    for (const fault of request.faults) fault.slowest = Math.max(fault.slowest, ended - Math.max(fault.at, request.begun));
    if (!this.operations.has(name)) this.operations.set(name, { kind, times: [], errors: 0 });
    const operation = this.operations.get(name);
    if (good(answer)) operation.times.push(ms);
    else {
      operation.errors += 1;
      this.error(name, `${answer.status || "no answer"} ${String(answer.text).slice(0, 200)}`);
    }
    return answer;
  }

  error(name, detail) {
    this.errors.push({ at: this.now(), name, detail });
  }

  /** For each fault how long somebody had to suffer; and the errors that no fault explains. */
  verdict(begun) {
    const faults = this.faults.map((fault, index) => {
      const until = this.faults[index + 1]?.at ?? Infinity;
      const felt = this.errors.filter(({ at }) => at >= fault.at && at < until);
      const recovery = Math.max(0, ...felt.map(({ at }) => at - fault.at));
      const { what, pid, slowest, answering, excused = fault.at } = fault;
      return {
        what, pid, at_s: round((fault.at - begun) / 1000), errors: felt.length, recovery_ms: Math.round(recovery), late: recovery > excused - fault.at + WINDOW_MS,
        slowest_ms: Math.round(slowest), ...(answering && { database_back_ms: Math.round(answering - fault.at) }),
      };
    });
    const excused = ({ at }) => this.faults.some((fault) => at >= fault.at && at <= (fault.excused ?? fault.at) + WINDOW_MS);
    const outside = this.errors.filter((error) => !excused(error)).map(({ at, ...error }) => ({ at_s: round((at - begun) / 1000), ...error }));
    const kinds = new Map();
    for (const { name, detail } of this.errors) {
      const kind = `${name}: ${detail.slice(0, 100)}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    return { faults, errors: this.errors.length, outside, said: Object.fromEntries([...kinds].sort(([, one], [, other]) => other - one).slice(0, 20)) };
  }

  rows() {
    return [...this.operations].map(([name, { kind, times, errors }]) => {
      times.sort((one, other) => one - other);
      const at = (part) => round(times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0);
      return { name, kind, requests: times.length + errors, errors, p50: at(0.5), p95: at(0.95), p99: at(0.99), most: round(times.at(-1) ?? 0) };
    }).sort((one, other) => one.name.localeCompare(other.name));
  }
}
