// Five hundred customers reach for fifty slots over HTTP, twice: the second time somebody kills the database in between ("kill" on a
// line of its own is the moment). Who gets no answer asks again with the same key. The last line says how it went.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { SignJWT } from "jose";
import postgres from "postgres";

const { DATABASE_URL, FUNCTIONS_URL, SUPABASE_JWT_SECRET, SUPABASE_PUBLISHABLE_KEY } = process.env;
const USERS = 500;
const TECHNICIANS = 5;
const HOURS = 10;
const SLOTS = TECHNICIANS * HOURS;
const AT_ONCE = 100;
const PATIENCE = 180_000;
const sql = postgres(DATABASE_URL, { max: 1, onnotice() {} });
const org = randomUUID();
const key = new TextEncoder().encode(SUPABASE_JWT_SECRET);

const logins = (who, count) => sql`
  insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token, recovery_token, email_change,
    email_change_token_new, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
  select md5(${org} || ${who} || n)::uuid, 'authenticated', 'authenticated', ${who} || n || '@' || ${org} || '.example', '', now(), '', '', '', '',
    '{}', '{}', now(), now()
  from generate_series(1, ${count}::integer) n returning id`;

/** An org with technicians who work ten hours on one day of the week, and customers with accounts. */
async function open(weekday) {
  await sql`insert into orgs (id, name, time_zone) values (${org}, 'Race', 'UTC')`;
  await sql`insert into portal_settings (org_id, auto_schedule, min_notice_minutes, slot_minutes, horizon_days) values (${org}, true, 0, 60, 60)`;
  const [service] = await sql`insert into service_types (org_id, code, name, duration_minutes) values (${org}, 'repair', 'Repair', 60) returning id`;
  for (const { id } of await logins("technician", TECHNICIANS)) {
    await sql`insert into profiles (id, org_id, role) values (${id}, ${org}, 'technician')`;
    await sql`insert into technician_skills (org_id, technician_id, service_type_id) values (${org}, ${id}, ${service.id})`;
    await sql`insert into technician_hours (org_id, technician_id, weekday, start_time, end_time)
      values (${org}, ${id}, ${weekday}, '08:00', ${`${8 + HOURS}:00`})`;
  }
  const users = await logins("customer", USERS);
  return Promise.all(users.map(async ({ id }) => {
    await sql`insert into profiles (id, org_id, role) values (${id}, ${org}, 'portal_customer')`;
    const [customer] = await sql`insert into customers (org_id, type, name) values (${org}, 'individual', 'Racer') returning id`;
    const [location] = await sql`insert into customer_locations (org_id, customer_id, address_line1, city)
      values (${org}, ${customer.id}, '1 Elm Street', 'Springfield') returning id`;
    await sql`insert into portal_accounts (org_id, user_id, customer_id) values (${org}, ${id}, ${customer.id})`;
    const token = await new SignJWT({ role: "authenticated", aud: "authenticated" }).setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setSubject(id).setIssuedAt().setExpirationTime("1h").sign(key);
    return { token, location: location.id };
  }));
}

let again = 0;
const deadline = Date.now() + PATIENCE;

/** Asks until there is an answer that is not a fault of ours, each time under the same key. */
async function post(user, path, body) {
  const headers = {
    apikey: SUPABASE_PUBLISHABLE_KEY, authorization: `Bearer ${user.token}`, "content-type": "application/json", "idempotency-key": randomUUID(),
  };
  for (;;) {
    let answer;
    try {
      const signal = AbortSignal.timeout(60_000);
      const response = await fetch(`${FUNCTIONS_URL}/portal${path}`, { method: "POST", headers, body: JSON.stringify(body), signal });
      answer = { status: response.status, body: await response.json() };
    } catch (error) {
      answer = { status: 0, body: String(error.cause ?? error) };
    }
    if (answer.status > 0 && answer.status < 500) return answer;
    assert.ok(Date.now() < deadline, `no answer in time, of late: ${answer.status} ${JSON.stringify(answer.body)}`);
    again += 1;
    await pause(200);
  }
}

/** All users at the slots of one day; the number that got one. */
async function race(users, day, kill) {
  const starts = Array.from({ length: HOURS }, (_, hour) => new Date(day + (8 + hour) * 3_600_000).toISOString());
  const queue = users.map((user, index) => ({ user, starts_at: starts[index % HOURS] })).sort(() => Math.random() - 0.5);
  const visits = [];
  let lost = 0;
  let answered = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let one = queue.pop(); one; one = queue.pop()) {
      const { user, starts_at } = one;
      const held = await post(user, "/holds", { service_type: "repair", location_id: user.location, starts_at });
      if (++answered === USERS / 4 && kill) console.log("kill");
      if (held.status === 409) {
        lost += 1;
        assert.equal(held.body.code, "slot_taken");
        const free = held.body.alternatives.map((slot) => Date.parse(slot.starts_at));
        assert.equal(free.length, 3, JSON.stringify(held.body));
        assert.ok(free.every((start) => start !== Date.parse(starts_at)), "the slot that was lost is no alternative");
        continue;
      }
      assert.equal(held.status, 201, JSON.stringify(held.body));
      const booked = await post(user, "/booking-requests", { hold_id: held.body.id, problem_description: "It drips" });
      assert.equal(booked.status, 201, JSON.stringify(booked.body));
      assert.equal(booked.body.status, "scheduled");
      visits.push(booked.body.related_work_order_id);
    }
  }));
  assert.equal(visits.length, SLOTS, `${visits.length} of ${SLOTS} slots were told of`);
  assert.equal(lost, USERS - SLOTS);
  const there = await sql`select id, technician_id, window_start from work_orders
    where org_id = ${org} and window_start >= ${new Date(day)} and window_start < ${new Date(day + 86_400_000)}`;
  assert.deepEqual(there.map(({ id }) => id).sort(), visits.sort(), "each visit that was told of is there, and no other");
  assert.equal(new Set(there.map((visit) => `${visit.technician_id} ${visit.window_start.toISOString()}`)).size, SLOTS, "each slot once");
}

/** One slot of a day: held by as many as there are technicians, by nobody more, and free again when the holds are over. */
async function expiry(users, day) {
  const body = (user) => ({ service_type: "repair", location_id: user.location, starts_at: new Date(day + 8 * 3_600_000).toISOString() });
  const holds = await Promise.all(users.slice(0, TECHNICIANS).map((user) => post(user, "/holds", body(user))));
  assert.deepEqual(holds.map(({ status }) => status), Array(TECHNICIANS).fill(201));
  const late = users[TECHNICIANS];
  assert.equal((await post(late, "/holds", body(late))).status, 409);
  await sql`update portal_booking_holds set expires_at = now() - interval '1 second' where id = ${holds[0].body.id}`;
  assert.equal((await post(late, "/holds", body(late))).status, 201);
  const over = await post(users[0], "/booking-requests", { hold_id: holds[0].body.id, problem_description: "Too late" });
  assert.ok([404, 409].includes(over.status), `a hold that is over books nothing: ${over.status}`);
}

const today = new Date().setUTCHours(0, 0, 0, 0);
const first = today + 3 * 86_400_000;
const users = await open(new Date(first).getUTCDay() || 7);
await race(users, first, false);
await race(users, first + 7 * 86_400_000, true);
await expiry(users, first + 14 * 86_400_000);
const [{ count }] = await sql`select count(*)::integer from fieldcrm.reservations where org_id = ${org}`;
assert.equal(count, 2 * SLOTS + TECHNICIANS, "nothing is taken that nobody has");
await sql.end();
console.log(`${USERS} customers, ${SLOTS} slots, twice: each once, ${2 * (USERS - SLOTS)} losers with three alternatives; asked again ${again} times`);
