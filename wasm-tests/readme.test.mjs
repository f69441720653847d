// The examples of the README are pasted into a shell, as they stand.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(`${root}README.md`, "utf8");
const first = readme.slice(readme.indexOf("## First calls"), readme.indexOf("## Use it"));
const blocks = [...first.matchAll(/```sh\n(.*?)\n```/gs)].map((match) => match[1]).filter((text) => !text.startsWith(". "));

for (const [index, name] of [[0, "supabase-js"], [1, "curl"], [2, "psql"]]) {
  test(`the README's ${name} example makes a customer, and is the one that up prints`, async () => {
    const { stdout } = await promisify(execFile)("bash", ["-c", blocks[index]], { cwd: root });
    assert.match(stdout, /Alan Turing|Ada Lovelace|Grace Hopper/);
    assert.match(stdout, /primary_contact_id/);
    const printed = await readFile(`${root}xtask/src/banner/${name}.sh`, "utf8");
    assert.equal(blocks[index], printed.trim());
  });
}
