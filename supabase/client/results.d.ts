import type { Database, Json } from "./database.js";

type Row<Table extends keyof Database["public"]["Tables"]> = Database["public"]["Tables"][Table]["Row"];
type Enum<Name extends keyof Database["public"]["Enums"]> = Database["public"]["Enums"][Name];

/** A customer with what belongs to it. */
export interface Customer extends Row<"customers"> {
  contacts: Row<"customer_contacts">[];
  locations: Row<"customer_locations">[];
  preferences: Row<"crm_preferences"> | null;
  tags: { id: string; name: string; color: string | null }[];
  product: { id: string; name: string } | null;
  /** The newest ten. */
  recent_interactions: Row<"crm_interactions">[];
  /** The next ten that are pending. */
  upcoming_followups: Row<"crm_followups">[];
  metrics: {
    interactions_count: number;
    positive_count: number;
    neutral_count: number;
    negative_count: number;
    last_interaction_at: string | null;
    jobs_count: number;
    open_jobs_count: number;
    last_service_at: string | null;
    total_spend: number;
    balance_due: number;
  };
}

/** A customer as lists have it. */
export type CustomerSummary = Pick<
  Row<"customers">,
  | "id"
  | "type"
  | "name"
  | "first_name"
  | "last_name"
  | "company_name"
  | "email"
  | "phone"
  | "status"
  | "lifecycle_stage"
  | "pipeline_stage"
  | "source"
  | "owner_id"
  | "product_id"
  | "is_archived"
  | "created_at"
  | "updated_at"
>;

/** What `GET /crm/customers` answers. */
export interface CustomerPage {
  data: CustomerSummary[];
  limit: number;
  /** Where the page begins; only without `q`, `tag`, `segment_id` and `cursor`. */
  offset?: number;
  /** Null unless `count` asks for it. */
  total: number | null;
  next_cursor: string | null;
}

export interface Session {
  user_id: string | null;
  /** Org, profile and role are null for a login without an active membership. */
  org: { id: string; name: string; settings: Json; time_zone: string; default_country: string; created_at: string } | null;
  profile: Pick<Row<"profiles">, "id" | "email" | "phone" | "status" | "full_name" | "avatar_url"> | null;
  role: string | null;
  service: boolean;
  capabilities: string[];
}

export interface PortalAccount {
  id: string;
  org_id: string;
  user_id: string | null;
  customer_id: string;
  role: Enum<"portal_account_role">;
  status: Enum<"portal_account_status">;
  primary_location_id: string | null;
  access: { customer_id: string; location_id: string | null }[];
}

/** Whoever waits for something else than an active account has its `status` alone. */
export type PortalSession =
  | {
      status: "active";
      account: PortalAccount;
      org: { id: string; name: string; slug: string; currency: string; time_zone: string };
      profile: Pick<Row<"profiles">, "email" | "phone" | "full_name" | "avatar_url">;
      customers: { id: string; name: string }[];
      permissions: { book: boolean; see_other_customers: boolean };
    }
  | { status: "verification_required" | "verify" | "review"; account: PortalAccount | null };

export interface Slots {
  service_type: string;
  duration_minutes: number;
  time_zone: string;
  from_date: string;
  to_date: string;
  slots: { starts_at: string; ends_at: string }[];
  /** Whether there are more than 5,000. */
  truncated: boolean;
}

export interface Booking {
  id: string;
  status: Enum<"portal_booking_status">;
  customer_id: string;
  location_id: string;
  service_type: string;
  service_name: string;
  problem_description: string;
  preferred_service_date: string | null;
  preferred_time_window_start: string | null;
  preferred_time_window_end: string | null;
  flexible_date: boolean;
  attachments: Json;
  source_channel: Enum<"portal_booking_source">;
  starts_at: string | null;
  ends_at: string | null;
  review_note: string | null;
  reviewed_at: string | null;
  canceled_at: string | null;
  cancel_reason: string | null;
  related_work_order_id: string | null;
  created_at: string;
  updated_at: string;
}

export interface SentMessage {
  id: string;
  created: boolean;
  status: string;
  /** `allowed`, or why it waits or was refused. */
  code: string;
  reason: string | null;
  available_at: string | null;
}

export type Interaction = Row<"crm_interactions">;
export type Followup = Row<"crm_followups">;

/** What RPCs that return an object return. The others return `Json`. */
export interface Results {
  crm_session: Session;
  crm_create_customer: Customer;
  crm_get_customer: Customer;
  crm_update_customer: Customer;
  crm_search_customers: { customers: CustomerSummary[]; next_cursor: string | null; total: number | null };
  crm_log_interaction: Interaction & { followup: Followup | null };
  crm_create_followup: Followup & { created: boolean };
  crm_update_followup: Followup;
  crm_send_message: SentMessage;
  portal_session: PortalSession;
  portal_available_slots: Slots;
  portal_create_booking: Booking;
}

export type Result<Name extends string> = Name extends keyof Results ? Results[Name] : Json;
