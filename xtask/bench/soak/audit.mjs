// What is in the database in the end, against the clients' journal.
import { setTimeout as pause } from "node:timers/promises";

import { mark } from "./world.mjs";

const PATIENCE_MS = 180_000;

/** What waits in the queues of the orgs, and was given up. */
async function queues(sql, orgs) {
  const all = [];
  for (const { id } of orgs) {
    const [{ health }] = await sql.begin(async (tx) => {
      await tx`select set_config('app.current_org_id', ${id}, true)`;
      return tx`select crm_health() as health`;
    });
    all.push(...health.queues);
  }
  const sum = (name) => all.reduce((total, queue) => total + queue[name], 0);
  return { waiting: sum("waiting"), due: sum("due"), failed: sum("failed_24h"), named: all.filter(({ waiting, failed_24h }) => waiting || failed_24h) };
}

/** Until nothing waits any more. */
async function drained(sql, orgs) {
  for (const begun = Date.now(); ; await pause(500)) {
    const left = await queues(sql, orgs);
    if (left.waiting === 0 || Date.now() - begun > PATIENCE_MS) return { ...left, ms: Date.now() - begun };
  }
}

/** {key, id, org_id} of what came of each kind. */
const effects = (sql, ours) => {
  const like = `${mark}-%`;
  return {
    customer: sql`select name as key, id, org_id from customers where name like ${like}`,
    interaction: sql`select subject as key, id, org_id from crm_interactions where subject like ${like}`,
    followup: sql`select dedupe_key as key, id, org_id from crm_followups where dedupe_key like ${like}`,
    message: sql`select dedupe_key as key, id, org_id from crm_outbox where dedupe_key like ${like}`,
    portal_message: sql`select body as key, id, org_id from portal_messages where body like ${like}`,
    booking: sql`select problem_description as key, id, org_id from portal_booking_requests where org_id = any(${ours})`,
    cancel: sql`select cancel_reason as key, id, org_id from work_orders where org_id = any(${ours}) and status = 'canceled'`,
    whatsapp: sql`select provider_message_id as key, id, org_id from messages where message_type = 'whatsapp' and org_id = any(${ours})`,
    sms: sql`select provider_message_id as key, id, org_id from messages where message_type = 'sms' and org_id = any(${ours})`,
    email: sql`select provider_message_id as key, id, org_id from messages where message_type = 'email' and org_id = any(${ours})`,
    form: sql`select replace(email, '@mail.example', '') as key, id, org_id from leads where email like ${`${mark}-%@mail.example`}`,
    event: sql`select replace(event_key, 'soak_noted:', '') as key, id, org_id from crm_events where event_type = 'soak_noted'`,
  };
};

/** How many of something there are that there may be none of. */
const faults = (sql, ours, { rules, segments }) => {
  const made = sql`(select * from customers where org_id = any(${ours}) and name like ${`${mark}-%`}) c`;
  return {
    "customers without just one location, contact and tag": sql`
      select count(*) from ${made} where (select count(*) from customer_locations l where l.customer_id = c.id) <> 1
        or (select count(*) from customer_contacts t where t.customer_id = c.id) <> 1 or (select count(*) from crm_customer_tags t where t.customer_id = c.id) <> 1`,
    "customers not written once in the audit trail": sql`
      select count(*) from ${made} where (select count(*) from audit_log a where a.record_id = c.id and a.table_name = 'customers' and a.action = 'insert') <> 1`,
    "customers whom the rule did not greet once": sql`
      select count(*) from ${made} where (select count(*) from crm_automation_runs r where r.customer_id = c.id and r.rule_id = any(${rules}) and r.status = 'success') <> 1
        or (select count(*) from crm_followups f where f.customer_id = c.id and f.title like '%welcome') <> 1`,
    "customers whose figures are wrong": sql`
      select count(*) from customers c left join customer_metrics m on m.org_id = c.org_id and m.customer_id = c.id where c.org_id = any(${ours})
        and coalesce(m.interactions_count, 0) <> (select count(*) from crm_interactions i where i.org_id = c.org_id and i.customer_id = c.id)`,
    "bookings without a visit of their own": sql`
      select count(*) from portal_booking_requests b where b.org_id = any(${ours}) and (b.status not in ('scheduled', 'canceled_by_customer')
        or not exists (select from work_orders w where w.id = b.related_work_order_id and w.customer_id = b.customer_id and w.window_start = b.starts_at))`,
    "visits that nobody booked": sql`
      select count(*) from work_orders w where w.org_id = any(${ours}) and not exists (select from portal_booking_requests b where b.related_work_order_id = w.id)`,
    "technicians in two places at once": sql`
      select count(*) from work_orders a join work_orders b on a.org_id = b.org_id and a.technician_id = b.technician_id and a.id < b.id
        and a.window_start < b.window_end and b.window_start < a.window_end
        and 'canceled' not in (a.status, b.status) where a.org_id = any(${ours})`,
    "holds that were neither booked nor given up": sql`
      select count(*) from portal_booking_holds h where h.org_id = any(${ours}) and h.booking_request_id is null`,
    "messages not sent once": sql`
      select count(*) from crm_outbox o where o.org_id = any(${ours}) and o.dedupe_key like ${`${mark}-%`} and (o.status <> 'sent'
        or (select count(*) from crm_interactions i where i.org_id = o.org_id and i.metadata ->> 'outbox_id' = o.id::text) <> 1)`,
    "conversations counted wrong": sql`
      select count(*) from conversations c where c.org_id = any(${ours})
        and c.message_count <> (select count(*) from messages m where m.org_id = c.org_id and m.conversation_id = c.id)`,
    "customers who are no members of the segment, or wrongly": sql`
      select count(*) from (select t.customer_id from crm_customer_tags t where t.org_id = any(${ours})) t
      full join (select m.customer_id from crm_segment_members m where m.segment_id = any(${segments})) m using (customer_id)
      where t.customer_id is null or m.customer_id is null`,
    "idempotency keys without an answer": sql`select count(*) from fieldcrm.idempotency_keys where org_id = any(${ours}) and response is null`,
  };
};

export async function audit({ sql, orgs, journal }) {
  const ours = orgs.map(({ id }) => id);
  const left = await drained(sql, orgs);
  for (const { owner, segment } of orgs) {
    const { error } = await owner.client.rpc("crm_recompute_segment", { id: segment });
    if (error) throw new Error(JSON.stringify(error));
  }
  const kinds = [];
  for (const [kind, query] of Object.entries(effects(sql, ours))) kinds.push(journal.compare(kind, await query));
  const wrong = {};
  const known = { rules: orgs.map(({ rule }) => rule), segments: orgs.map(({ segment }) => segment) };
  for (const [name, query] of Object.entries(faults(sql, ours, known))) wrong[name] = Number((await query)[0].count);
  return { kinds, wrong, queues: left };
}
