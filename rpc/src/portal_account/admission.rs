//! How customers come in: by an invitation, or by signing up with an address that is theirs.
//!
//! An account is linked to a customer by a verified e-mail address and by nothing else: whoever knows somebody's phone number or
//! the number of a booking is not them. Nor is whoever knows the password of a login that was made with their address: to a
//! customer who is there already only a session leads that began with a mail to the address, and it takes the password away.

use fieldcrm_core::customer::{self as rules, NewCustomer};
use fieldcrm_core::portal::{Account, AccountRole, SessionState};
use fieldcrm_core::portal_account::NewSignup;
use fieldcrm_core::{Code, Error, Result, member, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::channel::check_service;
use crate::idempotency::{self, Claim};
use crate::{Db, call_as, customer, portal, session};

const FIND_SIGNUP: &str = include_str!("../../sql/portal_account/find_signup.sql");
const REGISTER: &str = include_str!("../../sql/portal_account/register.sql");
const LOCK_SIGNUP: &str = include_str!("../../sql/portal_account/lock_signup.sql");
const FIND_CUSTOMERS: &str = include_str!("../../sql/portal_account/find_customers.sql");
const ASK_STAFF: &str = include_str!("../../sql/portal_account/ask_staff.sql");
const FIND_INVITE: &str = include_str!("../../sql/portal_account/find_invite.sql");
const FIND_EMAIL: &str = include_str!("../../sql/portal_account/find_email.sql");
const CLAIM_LOGIN: &str = include_str!("../../sql/portal_account/claim_login.sql");
const OPEN: &str = include_str!("../../sql/portal_account/open.sql");

/// Refuses the key of a request of somebody who comes in if it came with something else. A repeat is let through: whoever comes in twice
/// is let in once, and gets a session of their own each time, since tokens are kept nowhere.
async fn claim(
    db: &mut impl Db,
    org_id: Uuid,
    operation: &str,
    key: Option<String>,
    fingerprint: Option<String>,
) -> Result<()> {
    let mut sent = json!({"idempotency_key": key, "fingerprint": fingerprint});
    match idempotency::claim_of(db, org_id, Uuid::nil(), operation, &mut sent).await? {
        Claim::Repeat(_) => Ok(()),
        Claim::First(claim) => idempotency::store(db, claim, &json!({})).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sought {
    slug: String,
    full_name: Option<String>,
    phone: Option<String>,
    idempotency_key: Option<String>,
    /// A keyed hash of what was sent, which holds a password.
    fingerprint: Option<String>,
}

/// `portal_find_signup(slug, full_name, phone, idempotency_key, fingerprint)`: the back end's. Which org that is, if customers can sign up
/// with it, and whether it would take that name and number: what is wrong is said before anybody's address is looked at.
pub async fn find_signup<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Sought { slug, full_name, phone, idempotency_key, fingerprint } = patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    let portal = portal_of(db, &slug).await?;
    if let Some(full_name) = full_name {
        let user_id = Uuid::nil();
        NewSignup { user_id, slug, full_name, phone, booking_reference: None }
            .prepare(portal_country(&portal))?;
    }
    let org_id = serde_json::from_value(portal["org_id"].clone());
    let org_id = org_id.map_err(|error| Error::internal(error.to_string()))?;
    claim(db, org_id, "portal_signup", idempotency_key, fingerprint).await?;
    Ok(json!({"org": portal["org"]}))
}

fn portal_country(portal: &Value) -> &str {
    portal["default_country"].as_str().unwrap_or(customer::FALLBACK_COUNTRY)
}

async fn portal_of(db: &mut impl Db, slug: &str) -> Result<Value> {
    let found = db.call(FIND_SIGNUP, &json!({"slug": slug.trim()})).await?;
    if found.is_null() { Err(Error::not_found("portal to sign up for")) } else { Ok(found) }
}

/// `portal_register_signup(user_id, slug, full_name, phone, booking_reference)`: the back end's. Keeps what a new user said until
/// their address is verified; whether anything was kept is for the back end, not for the user.
pub async fn register_signup<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let mut given: NewSignup = patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    given.slug = given.slug.trim().to_owned();
    let portal = portal_of(db, &given.slug).await?;
    db.call(REGISTER, &json!(given.prepare(portal_country(&portal))?)).await
}

#[derive(Deserialize)]
struct Waiting {
    org_id: Uuid,
    full_name: String,
    phone: Option<String>,
    email: Option<String>,
    is_confirmed: bool,
    session: SessionState,
    by_mail: bool,
    is_plain: bool,
    default_country: Option<String>,
}

#[derive(Deserialize)]
struct Match {
    id: Uuid,
    referenced: bool,
}

/// `portal_complete_signup()`: the signed-in caller gets the account that they signed up for, once.
pub async fn complete_signup<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    patch::require_object("$", &arguments)?;
    let caller = session::current(db).await?;
    complete(db).await.map_err(|error| match error.code {
        Code::NoMembership if caller.profile_id.is_some() => already_member(),
        _ => error,
    })
}

/// Whoever came with a password is sent to their mail where the org knows the address. Where several customers have it, or more than
/// the mail opens the login, nobody is linked. That is an answer and no error, since an error would take back that staff were told.
pub(super) async fn complete(db: &mut impl Db) -> Result<Value> {
    let user_id = session::current(db).await?.user_id.ok_or_else(|| {
        Error::new(Code::Unauthenticated, "Sign in with the address that you signed up with.")
    })?;
    let waiting: Option<Waiting> = call_as(db, LOCK_SIGNUP, &json!({"user_id": user_id})).await?;
    // Who waited for another session of theirs has the account now.
    let waiting = match (portal::account(db).await, waiting) {
        (Ok(account), _) => return Ok(active(&account, false)),
        (Err(error), Some(waiting)) if error.code == Code::NoMembership => waiting,
        (Err(error), _) => return Err(error),
    };
    waiting.session.check()?;
    let Some(email) = waiting.email.clone().filter(|_| waiting.is_confirmed) else {
        return Ok(json!({"status": "verification_required", "account": null}));
    };
    let key = json!({"org_id": waiting.org_id, "user_id": user_id, "email": email});
    let found: Vec<Match> = call_as(db, FIND_CUSTOMERS, &key).await?;
    if !found.is_empty() && !waiting.by_mail {
        return Ok(json!({"status": "verify", "account": null}));
    }
    let referenced: Vec<Uuid> =
        found.iter().filter(|one| one.referenced).map(|one| one.id).collect();
    let customer_id = match (&found[..], &referenced[..]) {
        ([], _) => new_customer(db, &waiting, &email).await?,
        ([Match { id, .. }], _) | (_, [id]) if waiting.is_plain => *id,
        _ => {
            let customers: Vec<_> = found.iter().map(|one| one.id).collect();
            let document =
                json!({"org_id": waiting.org_id, "user_id": user_id, "customers": customers});
            db.call(ASK_STAFF, &document).await?;
            return Ok(json!({"status": "review", "account": null}));
        }
    };
    let opened = db.call(OPEN, &json!({
        "org_id": waiting.org_id, "user_id": user_id, "customer_id": customer_id, "role": AccountRole::Customer,
        "profile_role": AccountRole::Customer.profile_role(), "full_name": waiting.full_name, "phone": waiting.phone,
        "invited_via": "self_signup", "invite_id": null,
    }))
    .await?;
    if opened.is_null() {
        return Err(already_member());
    }
    if !found.is_empty() {
        db.call(CLAIM_LOGIN, &json!({"user_id": user_id})).await?;
    }
    Ok(active(&portal::account(db).await?, !found.is_empty()))
}

fn active(account: &Account, set_password: bool) -> Value {
    json!({"status": "active", "account": account, "set_password": set_password})
}

/// Whom nobody knew: somebody to get to know.
async fn new_customer(db: &mut impl Db, waiting: &Waiting, email: &str) -> Result<Uuid> {
    let mut contacts = vec![
        json!({"type": "email", "value": email, "is_primary": true, "is_verified": true, "opt_in_marketing": false}),
    ];
    contacts.extend(
        waiting
            .phone
            .iter()
            .map(|phone| json!({"type": "mobile", "value": phone, "opt_in_marketing": false})),
    );
    let input = json!({"type": "individual", "name": waiting.full_name, "status": "prospect", "source": "portal",
        "contacts": contacts});
    let country = waiting.default_country.as_deref().unwrap_or(customer::FALLBACK_COUNTRY);
    let prepared = rules::read::<NewCustomer>(input)?.prepare(country)?;
    let made = customer::insert(db, waiting.org_id, None, &prepared, false).await?;
    let id = made["id"].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Error::internal("a customer without id"))
}

/// An invitation that was neither withdrawn nor has expired.
#[derive(Deserialize)]
struct Invitation {
    id: Uuid,
    org_id: Uuid,
    org_name: String,
    customer_id: Uuid,
    email: String,
    role: AccountRole,
    expires_at: Value,
    status: String,
    user: Value,
}

async fn invitation(db: &mut impl Db, token: &str) -> Result<Invitation> {
    let found: Option<Invitation> =
        call_as(db, FIND_INVITE, &json!({"token": token.trim()})).await?;
    found.ok_or_else(invite_not_found)
}

fn invite_not_found() -> Error {
    Error::new(Code::InviteNotFound, "Ask for a new invitation.")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
    idempotency_key: Option<String>,
    fingerprint: Option<String>,
}

/// `portal_find_invite(token, idempotency_key, fingerprint)`: the back end's. For whom an invitation is, and whether they have a
/// login already. One that was used is still known: who used it may ask twice.
pub async fn find_invite<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Token { token, idempotency_key, fingerprint } = patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    let invite = invitation(db, &token).await?;
    claim(db, invite.org_id, "portal_accept_invite", idempotency_key, fingerprint).await?;
    Ok(json!({"email": invite.email, "org": {"name": invite.org_name}, "role": invite.role,
        "expires_at": invite.expires_at, "status": invite.status, "user": invite.user}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    token: String,
    user_id: Uuid,
    full_name: Option<String>,
}

/// `portal_accept_invite(token, user_id, full_name)`: the back end's. The user, whose address the token came to, gets the account.
pub async fn accept_invite<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Acceptance { token, user_id, full_name } = patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    let full_name = member::full_name(full_name.as_deref())?;
    let invite = invitation(db, &token).await?;
    if invite.status == "used" {
        return Err(invite_not_found());
    }
    let user = db.call(FIND_EMAIL, &json!({"user_id": user_id})).await?;
    if user["email"].as_str() != Some(invite.email.as_str()) {
        let hint = "Sign in with the e-mail address that was invited.";
        return Err(Error::new(Code::InviteEmailMismatch, hint));
    }
    let opened = db.call(OPEN, &json!({
        "org_id": invite.org_id, "user_id": user_id, "customer_id": invite.customer_id, "role": invite.role,
        "profile_role": invite.role.profile_role(), "full_name": full_name, "phone": null,
        "invited_via": "email_invite", "invite_id": invite.id,
    }))
    .await?;
    if opened.is_null() {
        return Err(already_member());
    }
    Ok(json!({"account_id": opened["id"], "org": {"id": invite.org_id, "name": invite.org_name}}))
}

fn already_member() -> Error {
    Error::new(Code::AlreadyMember, "A user belongs to one organisation.")
}
