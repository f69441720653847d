// What clients asked to happen, under which key, and what they were told of it.
import { mark } from "./world.mjs";

let count = 0;

export class Journal {
  /** By kind and key: the org, and the id once it was told. */
  #kinds = new Map();

  /** A key that nobody used: written down before anybody hears of it. */
  begin(kind, org, key = `${mark}-${org.word}-${(count += 1)}`) {
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, new Map());
    this.#kinds.get(kind).set(key, { org: org.id, acknowledged: false });
    return key;
  }

  acknowledge(kind, key, id = null) {
    Object.assign(this.#kinds.get(kind).get(key), { acknowledged: true, id });
  }

  /** What is there ({key, id, org_id} each) against what was asked for and told. */
  compare(kind, rows) {
    const asked = this.#kinds.get(kind) ?? new Map();
    const found = new Map();
    for (const row of rows) found.set(row.key, [...(found.get(row.key) ?? []), row]);
    const outcome = { kind, asked: asked.size, acknowledged: 0, found: rows.length, lost: 0, doubled: 0, strange: 0 };
    for (const [key, { org, acknowledged, id }] of asked) {
      const [row, ...more] = found.get(key) ?? [];
      if (acknowledged) outcome.acknowledged += 1;
      if (acknowledged && !row) outcome.lost += 1;
      outcome.doubled += more.length;
      // In another org, or not what the client was told of.
      if (row && (row.org_id !== org || (id && row.id !== id))) outcome.strange += 1;
    }
    for (const key of found.keys()) if (!asked.has(key)) outcome.strange += 1;
    return outcome;
  }
}

/** A key as Twilio's ids look. */
export const twilioKey = () => `SM${mark}${String((count += 1)).padStart(24, "0")}`;
