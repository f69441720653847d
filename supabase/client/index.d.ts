import type { SupabaseClient, SupabaseClientOptions } from "@supabase/supabase-js";
import type { Database, Json } from "./database.js";
import type { Booking, Customer, CustomerPage, Followup, Interaction, PortalSession, Slots } from "./results.js";

export type { Database, Json } from "./database.js";
export type * from "./results.js";

type Functions = Database["public"]["Functions"];

export type RpcName = keyof Functions & string;
export type RpcArgs<Name extends RpcName> = Functions[Name]["Args"];
export type RpcReturns<Name extends RpcName> = Functions[Name]["Returns"];

type RpcOptions<Name extends RpcName> = "idempotency_key" extends keyof RpcArgs<Name>
  ? {
      /** The same key and arguments again get the first result; with it, a call that nobody answers is repeated. */
      idempotencyKey?: string;
    }
  : { idempotencyKey?: never };

type RpcRest<Name extends RpcName> = {} extends RpcArgs<Name>
  ? [args?: RpcArgs<Name>, options?: RpcOptions<Name>]
  : [args: RpcArgs<Name>, options?: RpcOptions<Name>];

type Body<Name extends RpcName> = Omit<RpcArgs<Name>, "idempotency_key">;
type Enum<Name extends keyof Database["public"]["Enums"]> = Database["public"]["Enums"][Name];

/** The paths whose types are known. Any other path takes and answers `Json`. */
export interface Routes {
  "GET /crm/customers": {
    query: {
      q?: string;
      tag?: string;
      segment_id?: string;
      status?: Enum<"customer_status">;
      lifecycle_stage?: Enum<"lifecycle_stage">;
      pipeline_stage?: string;
      owner_id?: string;
      product_id?: string;
      archived?: boolean | "any";
      order?: "created_at.desc" | "created_at.asc" | "updated_at.desc" | "name.asc" | "name.desc";
      limit?: number;
      offset?: number;
      cursor?: string;
      count?: string;
    };
    returns: CustomerPage;
  };
  "POST /crm/customers": { body: Body<"crm_create_customer">; returns: Customer };
  "GET /crm/customers/{id}": { returns: Customer };
  "PATCH /crm/customers/{id}": { body: Json; returns: Customer };
  "DELETE /crm/customers/{id}": { returns: null };
  "POST /crm/interactions": { body: Body<"crm_log_interaction">; returns: Interaction & { followup: Followup | null } };
  "GET /crm/interactions/{id}": { returns: Interaction };
  "POST /crm/followups": { body: Body<"crm_create_followup">; returns: Followup & { created: boolean } };
  "GET /crm/followups/{id}": { returns: Followup };
  "PATCH /crm/followups/{id}": { body: Json; returns: Followup };
  "POST /portal/session": { returns: PortalSession };
  "GET /portal/slots": { query: RpcArgs<"portal_available_slots">; returns: Slots };
  "POST /portal/booking-requests": { body: Body<"portal_create_booking">; returns: Booking };
}

export type Route = `${"GET" | "POST" | "PATCH" | "DELETE"} /${string}`;

type Params<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Params<Rest> : never;

type Known<R extends Route, Part extends "query" | "body", Otherwise> = R extends keyof Routes
  ? Routes[R] extends Record<Part, infer Of>
    ? Of
    : never
  : Otherwise;

export type HttpRequest<R extends Route> = ([Params<R>] extends [never] ? { params?: never } : { params: Record<Params<R>, string> }) & {
  query?: Known<R, "query", Record<string, string | number | boolean | null | undefined>>;
  body?: Known<R, "body", Json>;
  /** The same key and body again get the first answer; with it, a request that nobody answers is repeated, as each GET is. */
  idempotencyKey?: string;
};

type HttpRest<R extends Route> = {} extends HttpRequest<R> ? [request?: HttpRequest<R>] : [request: HttpRequest<R>];

export interface FieldError {
  /** The JSON path from the arguments, such as `contacts[0].value`. */
  path: string;
  code: string;
  message: string;
}

/** What RPCs and paths throw, and nothing else. */
export class FieldcrmError extends Error {
  /** Stable: `invalid_argument`, `forbidden`, `not_found`, … `unavailable` where nobody answered. */
  readonly code: string;
  /** The HTTP status; 0 where nobody answered. */
  readonly status: number;
  /** Every wrong field. */
  readonly errors: FieldError[];
  /** Further facts, such as the `id` of the row that is in the way. */
  readonly details: Record<string, unknown>;
}

export interface Fieldcrm {
  supabase: SupabaseClient<Database>;
  rpc<Name extends RpcName>(name: Name, ...rest: RpcRest<Name>): Promise<RpcReturns<Name>>;
  /** Asks a path of the functions: `http("GET /crm/customers/{id}", { params: { id } })`. */
  http<R extends Route>(route: R, ...rest: HttpRest<R>): Promise<R extends keyof Routes ? Routes[R]["returns"] : Json>;
}

export interface FieldcrmOptions extends SupabaseClientOptions<"public"> {
  /** Where the functions are, if not at `<url>/functions/v1`: on Workers, say. */
  functionsUrl?: string;
}

export function createFieldcrm(url: string, key: string, options?: FieldcrmOptions): Fieldcrm;
