// How much memory the gateway, the functions and the database hold, and whether it grows: a line through each process's samples,
// all of one kind with the same slope, each process from its own level.
import { readdir, readFile } from "node:fs/promises";

const read = (path) => readFile(path, "utf8").catch(() => "");

/** The processes of this stack's functions, by slug. */
export async function functionProcesses() {
  const found = [];
  for (const name of (await readdir("/proc")).filter((one) => /^\d+$/.test(one))) {
    const slug = /\/functions\/([a-z-]+)\/index\.ts/.exec(await read(`/proc/${name}/cmdline`))?.[1];
    if (!slug || !(await read(`/proc/${name}/environ`)).split("\0").includes(`SUPABASE_URL=${process.env.SUPABASE_URL}`)) continue;
    found.push({ slug, pid: Number(name) });
  }
  return found;
}

async function status(pid) {
  const text = await read(`/proc/${pid}/status`);
  const number = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return { parent: number("PPid"), resident: number("VmRSS") / 1024, own: number("RssAnon") / 1024 };
}

async function children(parent) {
  const found = [];
  for (const name of (await readdir("/proc")).filter((one) => /^\d+$/.test(one))) {
    const one = await status(name);
    if (one.parent === parent) found.push(one);
  }
  return found;
}

export class Memory {
  /** By kind: {pid, at, mb} */
  #samples = new Map();
  #seen = new Map();

  constructor(sql, warmUpSeconds) {
    Object.assign(this, { sql, warmUpSeconds, begun: Date.now() });
  }

  #keep(kind, pid, mb) {
    const at = (Date.now() - this.begun) / 1000;
    if (!this.#seen.has(pid)) this.#seen.set(pid, at);
    if (!this.#samples.has(kind)) this.#samples.set(kind, []);
    this.#samples.get(kind).push({ pid, at, age: at - this.#seen.get(pid), mb });
  }

  async sample() {
    const functions = await functionProcesses();
    let gateway;
    for (const { slug, pid } of functions) {
      const { parent, resident } = await status(pid);
      // Gone since.
      if (!resident) continue;
      gateway = parent;
      this.#keep(slug, pid, resident);
    }
    if (gateway) this.#keep("gateway", gateway, (await status(gateway)).resident);
    const [backend] = await this.sql`select pg_backend_pid() as pid`.catch(() => []);
    const postmaster = backend && (await status(backend.pid)).parent;
    if (postmaster) this.#keep("postgres, all", postmaster, (await children(postmaster)).reduce((sum, { own }) => sum + own, 0));
  }

  rows() {
    return [...this.#samples].map(([kind, samples]) => {
      const processes = new Map();
      for (const sample of samples.filter(({ age }) => age >= this.warmUpSeconds)) {
        processes.set(sample.pid, [...(processes.get(sample.pid) ?? []), sample]);
      }
      let both = 0;
      let square = 0;
      for (const one of processes.values()) {
        const mean = (name) => one.reduce((sum, sample) => sum + sample[name], 0) / one.length;
        const [age, mb] = [mean("age"), mean("mb")];
        for (const sample of one) {
          both += (sample.age - age) * (sample.mb - mb);
          square += (sample.age - age) ** 2;
        }
      }
      const warm = samples.find(({ at }) => at >= this.warmUpSeconds);
      const first = (value) => Math.round(value * 10) / 10;
      return {
        kind, processes: new Set(samples.map(({ pid }) => pid)).size, samples: samples.length, warm_mb: first(warm?.mb ?? 0), end_mb: first(samples.at(-1).mb),
        most_mb: first(Math.max(...samples.map(({ mb }) => mb))), slope_mb_per_hour: square ? first((both / square) * 3600) : null,
      };
    });
  }

  series() {
    return Object.fromEntries([...this.#samples].map(([kind, all]) => [kind, all.map(({ pid, at, mb }) => [pid, Math.round(at), Math.round(mb * 10) / 10])]));
  }
}
