// What clients do: read, and in one of five cases write, think a little, and go on. What is answered by an error of ours, or not at
// all, they ask again, the same with the same key, until it is answered.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { providers } from "../../../wasm-tests/hooks.mjs";
import { twilioKey } from "./journal.mjs";
import { emailBody, smsBody, whatsappBody } from "./letters.mjs";

const { SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, FUNCTIONS_URL } = process.env;
const ATTEMPT_MS = 30_000;
const THINK_MS = 400;
const WRITES = 0.19;
const MOST_VISITS = 12;
const { calls } = providers({ secretKey: SUPABASE_SECRET_KEY, functionsUrl: FUNCTIONS_URL });
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

async function over(path, { method = "GET", token, body, headers }) {
  try {
    const response = await fetch(`${FUNCTIONS_URL}${path}`, {
      method, body, redirect: "manual", signal: AbortSignal.timeout(ATTEMPT_MS),
      headers: { apikey: SUPABASE_PUBLISHABLE_KEY, ...(token && { authorization: `Bearer ${token}` }), ...headers },
    });
    const text = await response.text();
    return { status: response.status, text, body: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text };
  } catch (error) {
    return { status: 0, text: `${error.cause ?? error}`, body: null };
  }
}

async function ask(query) {
  const { data, error, status } = await query.abortSignal(AbortSignal.timeout(ATTEMPT_MS)).retry(false);
  return { status, text: JSON.stringify(error ?? data), body: data };
}

class Client {
  /** `shared`: {meter, journal, random, running(), deadline()} */
  constructor(shared, org, user) {
    Object.assign(this, shared, { org, user });
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  /** Asks until there is an answer: of success, or one of those that are an answer too. */
  async persist(name, kind, send, answers = []) {
    for (;;) {
      const good = ({ status }) => (status >= 200 && status < 300) || answers.includes(status);
      const answer = await this.meter.attempt(name, kind, send, good);
      // Refusals and errors, too.
      const { other } = this.org;
      if (answer.text.includes(other.word) || answer.text.includes(other.id)) this.meter.leaks.push(`${name}: ${answer.text.slice(0, 500)}`);
      if (good(answer)) return answer;
      if (answer.status >= 400 && answer.status < 500 || Date.now() > this.deadline()) return null;
      await pause(100 + this.random() * 200);
    }
  }

  get(path, answers) {
    const name = `GET ${path.replace(/\?.*/, "").replace(/[0-9a-f-]{36}/, "{id}")}`;
    return this.persist(name, "read", () => over(path, { token: this.user.token }), answers);
  }

  post(path, body, { key, answers, token = this.user?.token, headers } = {}) {
    const name = `POST ${path.replace(/[?].*/, "").replace(/[0-9a-f-]{36}/, "{id}").replace(/form_\w+/, "{form}")}`;
    const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const all = { "content-type": "application/json", ...(key && { "idempotency-key": key }), ...headers };
    return this.persist(name, "write", () => over(path, { method: "POST", token, body: text, headers: all }), answers);
  }

  rpc(kind, name, args, answers) {
    return this.persist(`rpc ${name}`, kind, () => ask(this.user.client.rpc(name, args)), answers);
  }

  /** One effect under one key: what was told of it is written down. */
  async effect(kind, org, send, idOf = ({ body }) => body.id, key = this.journal.begin(kind, org)) {
    const answer = await send(key);
    if (answer) this.journal.acknowledge(kind, key, idOf(answer));
    return answer;
  }

  async live() {
    // So that they do not come all at once.
    await pause(this.random() * THINK_MS);
    while (this.running()) {
      await this.pick(this.random() < WRITES ? this.writes : this.reads).call(this);
      await pause(this.random() * 2 * THINK_MS);
    }
  }
}

const newCustomer = (org, key) => ({
  type: "individual", name: key, email: `${key}@mail.example`, tags: ["Soak"], locations: [{ address_line1: "2 Oak Street", city: org.word }],
});

class Staff extends Client {
  customer() {
    return this.pick(this.org.customers);
  }

  remember(answer) {
    if (answer) this.org.customers.push(answer.body.id);
  }
}

/** Staff whose front end calls RPCs with supabase-js. */
export class RpcStaff extends Staff {
  reads = [
    () => this.rpc("read", "crm_search_customers", { q: this.pick(["filler", "alder", "elm street", "12"]), page_size: 20 }),
    () => this.rpc("read", "crm_search_customers", { page_size: 50 }),
    () => this.rpc("read", "crm_get_customer", { id: this.customer() }),
    () => this.rpc("read", "crm_customer_timeline", { customer_id: this.customer() }),
    () => this.rpc("read", "crm_get_customer", { id: this.pick(this.org.other.customers) }, [404]).then((answer) => this.expectWall(answer)),
    () => this.persist("select segments", "read", () => ask(this.user.client.from("crm_segments").select())),
    () => this.persist("select customers", "read", () => ask(this.user.client.from("customers").select().order("created_at", { ascending: false }).limit(20))),
    () => this.rpc("read", "crm_list_portal_threads", {}),
  ];

  writes = [
    () => this.effect("customer", this.org, (key) => this.rpc("write", "crm_create_customer", { ...newCustomer(this.org, key), idempotency_key: key }))
      .then((answer) => this.remember(answer)),
    () => this.effect("interaction", this.org, (key) => this.rpc("write", "crm_log_interaction", {
      customer_id: this.customer(), channel: "phone_inbound", subject: key, summary: "Called", idempotency_key: key,
    })),
    () => this.effect("followup", this.org, (key) => this.rpc("write", "crm_ensure_followup", {
      customer_id: this.customer(), title: this.org.word, due_at: tomorrow(), dedupe_key: key,
    })),
    () => this.effect("message", this.org, (key) => this.rpc("write", "crm_send_message", {
      customer_id: this.customer(), channel: "email", purpose: "transactional", subject: this.org.word, body: "<p>Hello</p>", dedupe_key: key,
    })),
    () => this.rpc("write", "crm_recompute_segment", { id: this.org.segment }),
  ];

  expectWall(answer) {
    if (answer && answer.status !== 404) this.meter.leaks.push(`another org's customer: ${answer.text.slice(0, 500)}`);
  }
}

/** Staff whose back end calls the functions, for an org that providers of messages write to as well. */
export class HttpStaff extends Staff {
  reads = [
    () => this.get("/crm/customers?limit=20"),
    () => this.get(`/crm/customers?q=${this.pick(["filler", "birch", "elm", "12"])}`),
    () => this.get(`/crm/customers/${this.customer()}`),
    () => this.get(`/crm/customers/${this.customer()}/interactions`),
    () => this.get("/crm/followups?limit=20"),
    () => this.get("/crm/segments"),
    () => this.get(`/crm/segments/${this.org.segment}/members?limit=20`),
  ];

  writes = [
    () => this.effect("customer", this.org, (key) => this.post("/crm/customers", newCustomer(this.org, key), { key })).then((answer) => this.remember(answer)),
    () => this.effect("interaction", this.org, (key) =>
      this.post("/crm/interactions", { customer_id: this.customer(), channel: "email_inbound", subject: key, body: "Thank you!" }, { key })),
    () => this.effect("followup", this.org, (key) =>
      this.post("/crm/followups", { customer_id: this.customer(), title: this.org.word, due_at: tomorrow(), dedupe_key: key })),
    () => this.effect("whatsapp", this.org, (key) => this.hook(calls.whatsapp(whatsappBody(this.org, key))), () => null),
    () => this.effect("sms", this.org, (key) => this.hook(calls.twilio(smsBody(this.org, key), false)), () => null,
      this.journal.begin("sms", this.org, twilioKey())),
    () => this.effect("email", this.org, (key) => this.hook(calls.postmark(emailBody(this.org, key))), () => null),
    () => this.effect("form", this.org, (key) => this.post(`/webhook-handler/${this.org.doors.form}`, { email: `${key}@mail.example`, first_name: "Ada" },
      { key, token: null }), () => null),
    () => this.effect("event", this.org, (key) => this.post("/handle-event-trigger", {
      event_type: "soak_noted", customer_id: this.customer(), event_key: key, org_id: this.org.id, payload: {},
    }, { token: this.serviceToken }), ({ body }) => body.event.id),
    () => this.post(`/crm/segments/${this.org.segment}/recompute`, {}),
  ];

  hook([path, body, headers]) {
    return this.post(path, body, { headers, token: null });
  }
}

/** A customer in the portal. */
export class Tenant extends Client {
  visits = [];

  reads = [
    () => this.get("/portal/dashboard"),
    () => this.get("/portal/appointments"),
    () => this.get("/portal/service-history"),
    () => this.get("/portal/threads"),
    () => this.get(`/portal/threads/${this.user.thread}/messages`),
    () => this.slots(),
  ];

  writes = [
    () => this.effect("portal_message", this.org, (key) => this.post(`/portal/threads/${this.user.thread}/messages`, { body: key }, { key })),
    () => this.book(),
  ];

  slots() {
    const day = new Date(Date.now() + (3 + Math.floor(this.random() * 50)) * 86_400_000).toISOString().slice(0, 10);
    return this.get(`/portal/slots?service_type=repair&location_id=${this.user.location}&from_date=${day}&to_date=${day}`);
  }

  /** A few at a time, as the org allows: who has enough gives the oldest up. */
  async book() {
    if (this.visits.length >= MOST_VISITS) return this.cancel();
    const free = (await this.slots())?.body.slots;
    if (!free?.length) return;
    const { starts_at } = this.pick(free);
    const hold = { service_type: "repair", location_id: this.user.location, starts_at };
    const held = await this.post("/portal/holds", hold, { key: randomUUID(), answers: [409] });
    // Somebody was faster.
    if (!held || held.status === 409) return;
    const booked = await this.effect("booking", this.org, (key) =>
      this.post("/portal/booking-requests", { hold_id: held.body.id, problem_description: key }, { key }));
    if (booked) this.visits.push(booked.body.related_work_order_id);
  }

  async cancel() {
    const visit = this.visits.shift();
    await this.effect("cancel", this.org, (key) => this.post(`/portal/appointments/${visit}/cancel`, { reason: key }, { key }));
  }
}
