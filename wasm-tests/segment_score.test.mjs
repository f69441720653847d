// The customers of a segment are scored in batches by the built function, which is killed meanwhile.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { newOrg } from "./orgs.mjs";
import { call, crm, job, sql, url } from "./stack.mjs";

const SLUG = "score-segments";
/** For the long form: SCORED_CUSTOMERS=50000. */
const MANY = Number(process.env.SCORED_CUSTOMERS ?? 5_000);
const KILLS = 3;

const definition = {
  version: 1, entity: "customer",
  query: { combinator: "and", rules: [
    { field: "source", operator: "=", value: "scored" }, { field: "notes", operator: "=", value: "vip" }] },
};

/** Customers of the org, of whom every third matches all and the others half of what is asked for, and the segment. */
async function make(owner, count) {
  await sql`
    insert into customers (org_id, type, name, source, notes)
    select ${owner.org}, 'company', 'Scored ' || n, 'scored', case when n % 3 = 0 then 'vip' end from generate_series(1, ${count}::integer) n`;
  // As the autovacuum does sooner or later; until then the planner takes the org for empty.
  await sql`analyze customers`;
  return call(owner, "crm_create_segment", { name: "Scored", type: "rule_based", definition });
}

async function until(what, condition) {
  for (let tries = 0; tries < 4_000; tries += 1) {
    if (await condition()) return;
    await pause(10);
  }
  assert.fail(`${what} did not happen`);
}

/** As if two minutes had gone by: whom a dead call had claimed waits again. No other call is under way. */
const later = (id) => sql`update fieldcrm.ai_job_customers set due_at = now() where job_id = ${id} and score is null and lease_id is not null`;

/** Calls the function until the job is done. */
async function finish(owner, id) {
  await until("the end of the job", async () => {
    await later(id);
    await job(SLUG);
    const { status, body } = await crm(owner, "GET", `/ai-jobs/${id}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.status === "done";
  });
}

test("a segment is scored, and its members have scores, reasons and events", async () => {
  const owner = await newOrg("scores");
  const segment = await make(owner, 300);
  const begun = await crm(owner, "POST", `/segments/${segment.id}/score`, { threshold: 40 });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  assert.equal(begun.headers.get("location"), `/crm/ai-jobs/${begun.body.id}`);
  assert.equal(begun.body.total, 300);
  assert.equal((await crm(owner, "POST", `/segments/${segment.id}/score`)).status, 409, "it is being scored");
  await finish(owner, begun.body.id);
  const done = (await crm(owner, "GET", `/ai-jobs?segment_id=${segment.id}`)).body.data[0];
  assert.deepEqual([done.scored, done.failed, done.provider, done.model], [300, 0, "builtin", null]);
  const members = async (offset) => (await crm(owner, "GET", `/segments/${segment.id}/members?limit=100&offset=${offset}&count=exact`)).body;
  const page = await members(0);
  assert.equal(page.total, 300);
  assert.ok(page.data.every((one) => one.score === 100));
  assert.ok((await members(100)).data.every((one) => one.score === 50));
  assert.deepEqual([page.data[0].score, page.data[0].metadata], [100, {
    job_id: done.id, provider: "builtin", reason: 'Met: source is "scored"; notes is "vip".' }]);
  const [{ entered }] = await sql`select count(*)::int as entered from crm_events where org_id = ${owner.org} and event_type = 'segment_entered'`;
  assert.equal(entered, 300);

  const again = await crm(owner, "POST", `/segments/${segment.id}/score`, { threshold: 60 });
  const canceled = await crm(owner, "POST", `/ai-jobs/${again.body.id}/cancel`);
  assert.deepEqual([canceled.status, canceled.body.status], [200, "canceled"]);
  assert.equal((await job(SLUG, undefined, { token: owner.token })).status, 403);
});

/** The processes of this stack that serve the function. */
async function processes() {
  const found = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const read = (name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
    if (!(await read("cmdline")).includes(`functions/${SLUG}/index.ts`)) continue;
    if ((await read("environ")).split("\0").includes(`SUPABASE_URL=${url}`)) found.push(Number(pid));
  }
  return found;
}

/** How far the job is by its own word, and by its rows. */
async function progress(id) {
  const [found] = await sql`
    select j.status, j.total, j.scored, j.failed, (select count(*)::int from fieldcrm.ai_job_customers q where q.job_id = j.id) as rows,
      (select count(*)::int from fieldcrm.ai_job_customers q where q.job_id = j.id and q.score is not null) as found
    from ai_jobs j where j.id = ${id}`;
  return found;
}

test(`${MANY} customers are each scored once, though the function is killed ${KILLS} times`, async () => {
  const owner = await newOrg("killed");
  const segment = await make(owner, MANY);
  const begun = await crm(owner, "POST", `/segments/${segment.id}/score`, { threshold: 0 });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  const { id } = begun.body;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const before = await progress(id);
    assert.notEqual(before.status, "done", `more customers are needed for ${KILLS} kills: SCORED_CUSTOMERS`);
    let pids = [];
    await until("a process of the function", async () => (pids = await processes()).length > 0);
    const broken = [];
    // Until it has scored some: right after it was started again, it may not listen yet.
    await until("progress", async () => {
      let settled = false;
      const running = job(SLUG).then((answer) => answer.status, () => 0).finally(() => (settled = true));
      while (!settled && (await progress(id)).scored === before.scored) await pause(2);
      if ((await progress(id)).scored === before.scored) return false;
      pids = await processes();
      for (const pid of pids) process.kill(pid, "SIGKILL");
      broken.push(await running);
      return true;
    });
    assert.notEqual(broken[0], 200, "the call was under way");
    const after = await progress(id);
    assert.deepEqual([after.total, after.rows, after.failed], [MANY, MANY, 0]);
    assert.equal(after.scored, after.found, "what it says is what there is");
    await later(id);
  }
  await finish(owner, id);
  const done = await progress(id);
  assert.deepEqual([done.status, done.total, done.scored, done.failed, done.rows], ["done", MANY, MANY, 0, 0]);
  const [members] = await sql`
    select count(*)::int as members, count(*) filter (where score = 100)::int as best, count(*) filter (where score = 50)::int as half,
      count(*) filter (where metadata ->> 'job_id' = ${id})::int as of_job
    from crm_segment_members where segment_id = ${segment.id}`;
  const best = Math.floor(MANY / 3);
  assert.deepEqual({ ...members }, { members: MANY, best, half: MANY - best, of_job: MANY });
  const [{ entered, left }] = await sql`
    select count(*) filter (where event_type = 'segment_entered')::int as entered, count(*) filter (where event_type = 'segment_left')::int as left
    from crm_events where org_id = ${owner.org}`;
  assert.deepEqual([entered, left], [MANY, 0]);
});
