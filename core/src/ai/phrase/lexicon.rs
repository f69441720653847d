//! Words beside those of the catalogue: what people call fields, rows and places.

/// Other names of a customer's fields; their labels in the catalogue need not be here.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("customer type", "type"), ("lifecycle", "lifecycle_stage"), ("pipeline", "pipeline_stage"),
    ("surname", "last_name"), ("family name", "last_name"), ("given name", "first_name"),
    ("email", "email"), ("email address", "email"), ("e mail address", "email"), ("phone number", "phone"),
    ("telephone", "phone"), ("telephone number", "phone"), ("lead source", "source"), ("language", "preferred_language"),
    ("note", "notes"), ("external ref", "external_ref"), ("account manager", "owner_id"), ("town", "city"),
    ("county", "state"), ("province", "state"), ("region", "state"), ("zip", "postal_code"), ("zip code", "postal_code"),
    ("postcode", "postal_code"), ("post code", "postal_code"), ("spend", "total_spend"), ("total spending", "total_spend"),
    ("lifetime spend", "total_spend"), ("balance", "balance_due"), ("outstanding balance", "balance_due"),
    ("open balance", "balance_due"), ("outstanding amount", "balance_due"), ("number of jobs", "jobs_count"),
    ("last contact", "last_interaction_at"), ("last job", "last_service_at"), ("last visit", "last_service_at"),
    ("tag", "tags"), ("segments", "segment"),
];

/// Words that stand for a value of a customer's field, alone or before "customers".
pub(super) const ADJECTIVES: &[(&str, (&str, &str))] = &[
    ("active", ("status", "active")), ("inactive", ("status", "inactive")), ("prospect", ("status", "prospect")),
    ("prospects", ("status", "prospect")), ("prospective", ("status", "prospect")),
    ("blacklisted", ("status", "blacklisted")), ("company", ("type", "company")), ("companies", ("type", "company")),
    ("business", ("type", "company")), ("businesses", ("type", "company")), ("individual", ("type", "individual")),
    ("individuals", ("type", "individual")), ("private", ("type", "individual")), ("lead", ("lifecycle_stage", "lead")),
    ("leads", ("lifecycle_stage", "lead")), ("opportunity", ("lifecycle_stage", "opportunity")),
    ("opportunities", ("lifecycle_stage", "opportunity")), ("former", ("lifecycle_stage", "former_customer")),
    ("former customer", ("lifecycle_stage", "former_customer")), ("former customers", ("lifecycle_stage", "former_customer")),
    ("former clients", ("lifecycle_stage", "former_customer")),
];

/// Words of an adjective that name those who are meant, like "customers" does.
pub(super) const PLURALS: &[&str] =
    &["prospects", "companies", "businesses", "individuals", "leads", "opportunities"];

/// Said to be polite, or to say what is clear: nothing else may be left over.
pub(super) const FILLERS: &[&str] = &[
    "please", "show me", "show", "list", "find me", "find", "get me", "get", "give me", "all of", "all", "every", "everyone",
    "everybody", "the", "our", "of our", "customers", "customer", "clients", "client", "people", "those", "which",
];

pub(super) const NOUNS: &[&str] = &["customers", "customer", "clients", "client", "people", "everyone", "everybody"];

/// What rows are called, which rows, and whether only those that were done are meant.
pub(super) const ROWS: &[(&str, &str)] = &[
    ("quotes", "quotes"), ("quote", "quotes"), ("estimates", "quotes"), ("estimate", "quotes"), ("invoices", "invoices"),
    ("invoice", "invoices"), ("bills", "invoices"), ("bill", "invoices"), ("follow ups", "followups"),
    ("follow up", "followups"), ("followups", "followups"), ("followup", "followups"), ("interactions", "interactions"),
    ("interaction", "interactions"), ("jobs", "jobs"), ("job", "jobs"), ("visits", "jobs"), ("visit", "jobs"),
    ("work orders", "work_orders"), ("work order", "work_orders"), ("locations", "locations"), ("location", "locations"),
    ("sites", "locations"), ("site", "locations"), ("contacts", "contacts"), ("contact", "contacts"),
];

pub(super) const PHONE: &[&str] = &["phone", "phone_inbound", "phone_outbound"];
pub(super) const EMAIL: &[&str] = &["email", "email_inbound", "email_outbound"];
pub(super) const SMS: &[&str] = &["sms_inbound", "sms_outbound"];
pub(super) const WHATSAPP: &[&str] = &["whatsapp_inbound", "whatsapp_outbound"];

/// Interactions by what they went through.
pub(super) const CHANNELS: &[(&str, &[&str])] = &[
    ("phone calls", PHONE), ("phone call", PHONE), ("calls", PHONE), ("call", PHONE), ("emails", EMAIL), ("email", EMAIL),
    ("e mails", EMAIL), ("e mail", EMAIL), ("text messages", SMS), ("text message", SMS), ("texts", SMS), ("text", SMS),
    ("sms", SMS), ("whatsapp messages", WHATSAPP), ("whatsapp message", WHATSAPP), ("portal messages", &["portal_message"]),
    ("portal message", &["portal_message"]), ("chats", &["chat"]), ("chat", &["chat"]), ("meetings", &["meeting"]),
    ("meeting", &["meeting"]),
];

/// What somebody did through a channel, to us or we to them.
pub(super) const REACHED: &[(&str, &[&str])] = &[
    ("called", PHONE), ("phoned", PHONE), ("emailed", EMAIL), ("e mailed", EMAIL), ("texted", SMS),
];

/// Adjectives of rows that are no value of the catalogue, and the rules they stand for.
pub(super) const ROW_ADJECTIVES: &[(&str, &str, &[(&str, &str, &str)])] = &[
    ("quotes", "open", &[("status", "=", "sent")]),
    ("quotes", "pending", &[("status", "=", "sent")]),
    ("invoices", "unpaid", &[("status", "=", "sent")]),
    ("invoices", "open", &[("status", "=", "sent")]),
    ("invoices", "outstanding", &[("status", "=", "sent")]),
    ("invoices", "overdue", &[("status", "=", "sent"), ("due_at", "<", "@now")]),
    ("work_orders", "open", &[("status", "in", "scheduled,en_route,on_site")]),
    ("work_orders", "cancelled", &[("status", "=", "canceled")]),
    ("work_orders", "finished", &[("status", "=", "completed")]),
    ("followups", "open", &[("status", "=", "pending")]),
    ("followups", "overdue", &[("status", "=", "pending"), ("due_at", "<", "@now")]),
    ("followups", "high priority", &[("priority", "=", "high")]),
    ("followups", "medium priority", &[("priority", "=", "medium")]),
    ("followups", "low priority", &[("priority", "=", "low")]),
    ("followups", "ai recommended", &[("origin", "=", "ai_recommendation")]),
    ("interactions", "incoming", &[("direction", "=", "inbound")]),
    ("interactions", "outgoing", &[("direction", "=", "outbound")]),
    ("contacts", "verified", &[("is_verified", "=", "@true")]),
    ("contacts", "primary", &[("is_primary", "=", "@true")]),
    ("locations", "primary", &[("is_primary", "=", "@true")]),
];

/// What happened to rows at a time: the rows, the word, the status it means, the field, whether it is planned.
pub(super) const HAPPENED: &[(&str, &str, Option<&str>, &str, bool)] = &[
    ("quotes", "sent", None, "sent_at", false),
    ("quotes", "accepted", Some("accepted"), "decided_at", false),
    ("quotes", "declined", Some("declined"), "decided_at", false),
    ("quotes", "created", None, "created_at", false),
    ("quotes", "expiring", None, "valid_until", true),
    ("quotes", "that expire", None, "valid_until", true),
    ("quotes", "valid until", None, "valid_until", true),
    ("invoices", "issued", None, "issued_at", false),
    ("invoices", "sent", None, "issued_at", false),
    ("invoices", "due", None, "due_at", true),
    ("invoices", "paid", Some("paid"), "paid_at", false),
    ("invoices", "created", None, "created_at", false),
    ("work_orders", "completed", Some("completed"), "completed_at", false),
    ("work_orders", "finished", Some("completed"), "completed_at", false),
    ("work_orders", "scheduled", Some("scheduled"), "window_start", true),
    ("work_orders", "canceled", Some("canceled"), "canceled_at", false),
    ("work_orders", "cancelled", Some("canceled"), "canceled_at", false),
    ("work_orders", "started", None, "started_at", false),
    ("work_orders", "created", None, "created_at", false),
    ("work_orders", "booked", None, "created_at", false),
    ("followups", "due", None, "due_at", true),
    ("followups", "completed", Some("completed"), "completed_at", false),
    ("followups", "created", None, "created_at", false),
    ("contacts", "added", None, "created_at", false),
    ("locations", "added", None, "created_at", false),
];

/// The field of the time that is meant where none is named, by the status of the rows.
pub(super) const WHEN: &[(&str, &str, &str, bool)] = &[
    ("quotes", "accepted", "decided_at", false),
    ("quotes", "declined", "decided_at", false),
    ("quotes", "sent", "sent_at", false),
    ("quotes", "expired", "valid_until", true),
    ("quotes", "", "created_at", false),
    ("invoices", "paid", "paid_at", false),
    ("invoices", "", "issued_at", false),
    ("work_orders", "completed", "completed_at", false),
    ("work_orders", "scheduled", "window_start", true),
    ("work_orders", "canceled", "canceled_at", false),
    ("work_orders", "", "created_at", false),
    ("followups", "pending", "due_at", true),
    ("followups", "completed", "completed_at", false),
    ("interactions", "", "occurred_at", false),
];

pub(super) const LANGUAGES: &[(&str, &str)] = &[
    ("english", "en"), ("spanish", "es"), ("french", "fr"), ("german", "de"), ("italian", "it"), ("portuguese", "pt"),
    ("dutch", "nl"), ("polish", "pl"), ("russian", "ru"), ("ukrainian", "uk"), ("chinese", "zh"), ("japanese", "ja"),
    ("korean", "ko"), ("vietnamese", "vi"), ("tagalog", "tl"), ("arabic", "ar"), ("hindi", "hi"), ("turkish", "tr"),
    ("swedish", "sv"), ("danish", "da"), ("norwegian", "no"), ("finnish", "fi"), ("welsh", "cy"), ("punjabi", "pa"),
    ("urdu", "ur"), ("bengali", "bn"), ("romanian", "ro"), ("czech", "cs"), ("hungarian", "hu"), ("greek", "el"),
];

/// Countries by what they are called and the code a location has. The lists of crates give "Scotland" the code of the
/// whole kingdom.
pub(super) const COUNTRIES: &[(&str, &str)] = &[
    ("us", "US"), ("usa", "US"), ("united states", "US"), ("united states of america", "US"), ("america", "US"),
    ("uk", "GB"), ("united kingdom", "GB"), ("great britain", "GB"), ("canada", "CA"), ("ireland", "IE"),
    ("australia", "AU"), ("new zealand", "NZ"), ("germany", "DE"), ("france", "FR"), ("spain", "ES"), ("italy", "IT"),
    ("portugal", "PT"), ("netherlands", "NL"), ("belgium", "BE"), ("austria", "AT"), ("switzerland", "CH"),
    ("poland", "PL"), ("denmark", "DK"), ("sweden", "SE"), ("norway", "NO"), ("finland", "FI"), ("mexico", "MX"),
    ("brazil", "BR"), ("south africa", "ZA"), ("india", "IN"),
];

/// The states of the US by name, and the code; without those that are called like a city.
pub(super) const STATES: &[(&str, &str)] = &[
    ("alabama", "AL"), ("alaska", "AK"), ("arizona", "AZ"), ("arkansas", "AR"), ("california", "CA"), ("colorado", "CO"),
    ("connecticut", "CT"), ("delaware", "DE"), ("florida", "FL"), ("georgia", "GA"), ("hawaii", "HI"), ("idaho", "ID"),
    ("illinois", "IL"), ("indiana", "IN"), ("iowa", "IA"), ("kansas", "KS"), ("kentucky", "KY"), ("louisiana", "LA"),
    ("maine", "ME"), ("maryland", "MD"), ("massachusetts", "MA"), ("michigan", "MI"), ("minnesota", "MN"),
    ("mississippi", "MS"), ("missouri", "MO"), ("montana", "MT"), ("nebraska", "NE"), ("nevada", "NV"),
    ("new hampshire", "NH"), ("new jersey", "NJ"), ("new mexico", "NM"), ("north carolina", "NC"),
    ("north dakota", "ND"), ("ohio", "OH"), ("oklahoma", "OK"), ("oregon", "OR"), ("pennsylvania", "PA"),
    ("rhode island", "RI"), ("south carolina", "SC"), ("south dakota", "SD"), ("tennessee", "TN"), ("texas", "TX"),
    ("utah", "UT"), ("vermont", "VT"), ("virginia", "VA"), ("west virginia", "WV"),
    ("wisconsin", "WI"), ("wyoming", "WY"),
];

/// Words that are no value of a text unless they are in quotes.
pub(super) const RESERVED: &[&str] = &[
    "and", "or", "not", "no", "with", "without", "who", "whose", "that", "which", "in", "the", "a", "an", "but", "is", "are",
    "was", "has", "have", "for", "from", "to", "of", "on", "by", "than", "more", "less", "over", "under", "any",
];
