//! How customers come in: by an invitation, or by signing up with an address that is theirs.
//!
//! An account is linked to a customer by a verified e-mail address and by nothing else: whoever knows somebody's phone number or
//! the number of a booking is not them. Nor is whoever has a login with their address, which somebody else may have made: to a
//! customer who is there already only an invitation leads, which goes to the address by mail.

use fieldcrm_core::customer::{self as rules, NewCustomer};
use fieldcrm_core::portal::{Account, AccountRole, SessionState};
use fieldcrm_core::portal_account::{NewInvite, NewSignup};
use fieldcrm_core::{Code, Error, Result, member, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::staff::MailInvite;
use crate::channel::check_service;
use crate::idempotency::{self, Claim};
use crate::{Db, call_as, customer, portal, session};

const FIND_SIGNUP: &str = include_str!("../../sql/portal_account/find_signup.sql");
const REGISTER: &str = include_str!("../../sql/portal_account/register.sql");
const LOCK_SIGNUP: &str = include_str!("../../sql/portal_account/lock_signup.sql");
const FIND_CUSTOMERS: &str = include_str!("../../sql/portal_account/find_customers.sql");
const ASK_STAFF: &str = include_str!("../../sql/portal_account/ask_staff.sql");
const FIND_INVITE: &str = include_str!("../../sql/portal_account/find_invite.sql");
const CLAIM_LOGIN: &str = include_str!("../../sql/portal_account/claim_login.sql");
const INVITED_LATELY: &str = include_str!("../../sql/portal_account/invited_lately.sql");
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
}

/// `portal_find_signup(slug, full_name, phone)`: the back end's. Which org that is, if customers can sign up with it, and whether it
/// would take that name and number: what is wrong is said before anybody's address is looked at.
pub async fn find_signup<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Sought { slug, full_name, phone } = patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    let portal = portal_of(db, &slug).await?;
    if let Some(full_name) = full_name {
        let user_id = Uuid::nil();
        NewSignup { user_id, slug, full_name, phone, booking_reference: None }
            .prepare(portal_country(&portal))?;
    }
    Ok(json!({"org": portal["org"]}))
}

fn portal_country(portal: &Value) -> &str {
    portal["default_country"].as_str().unwrap_or(customer::FALLBACK_COUNTRY)
}

async fn portal_of(db: &mut impl Db, slug: &str) -> Result<Value> {
    let found = db.call(FIND_SIGNUP, &json!({"slug": slug.trim()})).await?;
    if found.is_null() { Err(Error::not_found("portal to sign up for")) } else { Ok(found) }
}

/// `portal_register_signup(user_id, slug, full_name, phone, booking_reference, idempotency_key, fingerprint)`: the back end's. Keeps what a new user said until
/// their address is verified; whether anything was kept is for the back end, not for the user.
pub async fn register_signup<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let mut taken = |name| arguments.as_object_mut().and_then(|given| given.remove(name));
    let (key, fingerprint) = (text(taken("idempotency_key")), text(taken("fingerprint")));
    let mut given: NewSignup = patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    given.slug = given.slug.trim().to_owned();
    let portal = portal_of(db, &given.slug).await?;
    let org_id = serde_json::from_value(portal["org_id"].clone());
    let org_id = org_id.map_err(|error| Error::internal(error.to_string()))?;
    claim(db, org_id, "portal_register_signup", key, fingerprint).await?;
    db.call(REGISTER, &json!(given.prepare(portal_country(&portal))?)).await
}

fn text(given: Option<Value>) -> Option<String> {
    given.and_then(|given| given.as_str().map(str::to_owned))
}

#[derive(Deserialize)]
struct Waiting {
    org_id: Uuid,
    full_name: String,
    phone: Option<String>,
    email: Option<String>,
    is_confirmed: bool,
    session: SessionState,
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

/// Where the org knows the address, an invitation goes to it; where several customers have it, staff are told. Both are answers and
/// no errors, since an error would take them back.
pub(super) async fn complete(db: &mut impl Db) -> Result<Value> {
    let user_id = session::current(db).await?.user_id.ok_or_else(|| {
        Error::new(Code::Unauthenticated, "Sign in with the address that you signed up with.")
    })?;
    let waiting: Option<Waiting> = call_as(db, LOCK_SIGNUP, &json!({"user_id": user_id})).await?;
    // Who waited for another session of theirs has the account now.
    let waiting = match (portal::account(db).await, waiting) {
        (Ok(account), _) => return Ok(active(&account)),
        (Err(error), Some(waiting)) if error.code == Code::NoMembership => waiting,
        (Err(error), _) => return Err(error),
    };
    waiting.session.check()?;
    let Some(email) = waiting.email.clone().filter(|_| waiting.is_confirmed) else {
        return Ok(json!({"status": "verification_required", "account": null}));
    };
    let key = json!({"org_id": waiting.org_id, "user_id": user_id, "email": email});
    let found: Vec<Match> = call_as(db, FIND_CUSTOMERS, &key).await?;
    let referenced: Vec<Uuid> =
        found.iter().filter(|one| one.referenced).map(|one| one.id).collect();
    let one = match (&found[..], &referenced[..]) {
        ([Match { id, .. }], _) | (_, [id]) => Some(*id),
        _ => None,
    };
    if let Some(customer_id) = one
        && invite(db, waiting.org_id, customer_id, &email).await?
    {
        return Ok(json!({"status": "verify", "account": null}));
    }
    if !found.is_empty() {
        let customers: Vec<_> = found.iter().map(|one| one.id).collect();
        let document =
            json!({"org_id": waiting.org_id, "user_id": user_id, "customers": customers});
        db.call(ASK_STAFF, &document).await?;
        return Ok(json!({"status": "review", "account": null}));
    }
    let customer_id = new_customer(db, &waiting, &email).await?;
    let opened = db.call(OPEN, &json!({
        "org_id": waiting.org_id, "user_id": user_id, "customer_id": customer_id, "role": AccountRole::Customer,
        "profile_role": AccountRole::Customer.profile_role(), "full_name": waiting.full_name, "phone": waiting.phone,
        "invited_via": "self_signup", "invite_id": null,
    }))
    .await?;
    if opened.is_null() {
        return Err(already_member());
    }
    Ok(active(&portal::account(db).await?))
}

fn active(account: &Account) -> Value {
    json!({"status": "active", "account": account})
}

/// Whether an invitation is on its way to the customer's address, or lately went.
async fn invite<D: Db>(db: &mut D, org_id: Uuid, customer_id: Uuid, email: &str) -> Result<bool> {
    let to = json!({"org_id": org_id, "customer_id": customer_id, "email": email});
    if call_as(db, INVITED_LATELY, &to).await? {
        return Ok(true);
    }
    let invite = NewInvite {
        customer_id,
        email: email.to_owned(),
        role: None,
        access: None,
        expires_in_hours: None,
        send: None,
    };
    match db.attempt(MailInvite { org_id, invite: invite.prepare()? }).await {
        // The org says nowhere where its portal is, or nothing may be sent to the address.
        Err(error) if error.code.status() < 500 => Ok(false),
        outcome => outcome.map(|()| true),
    }
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
struct Shown {
    token: String,
    idempotency_key: Option<String>,
    fingerprint: Option<String>,
}

/// `portal_find_invite(token, idempotency_key, fingerprint)`: the back end's. For whom an invitation is, and whether they have a
/// login already. One that was used is still known: who used it may ask twice.
pub async fn find_invite<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Shown { token, idempotency_key, fingerprint } = patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    let invite = invitation(db, &token).await?;
    // An open one is claimed when it is accepted: what fails takes no key.
    if invite.status == "used" {
        claim(db, invite.org_id, "portal_accept_invite", idempotency_key, fingerprint).await?;
    }
    Ok(json!({"email": invite.email, "org": {"name": invite.org_name}, "role": invite.role,
        "expires_at": invite.expires_at, "status": invite.status, "user": invite.user}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    token: String,
    user_id: Uuid,
    full_name: Option<String>,
    idempotency_key: Option<String>,
    fingerprint: Option<String>,
}

/// `portal_accept_invite(token, user_id, full_name, idempotency_key, fingerprint)`: the back end's. The user, whose address the token came to,
/// gets the account, and every session of theirs is over.
pub async fn accept_invite<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Acceptance { token, user_id, full_name, idempotency_key, fingerprint } =
        patch::read(arguments)?;
    check_service(&session::current(db).await?)?;
    let full_name = member::full_name(full_name.as_deref())?;
    let invite = invitation(db, &token).await?;
    if invite.status == "used" {
        return Err(invite_not_found());
    }
    let login = db.call(CLAIM_LOGIN, &json!({"user_id": user_id})).await?;
    if login["email"].as_str() != Some(invite.email.as_str()) {
        let hint = "Sign in with the e-mail address that was invited.";
        return Err(Error::new(Code::InviteEmailMismatch, hint));
    }
    if login["is_plain"] != true {
        let hint = "More than its address and password opens this login: remove its phone, providers and second factors first.";
        return Err(Error::new(Code::WrongState, hint).with("reason", "login_not_plain"));
    }
    claim(db, invite.org_id, "portal_accept_invite", idempotency_key, fingerprint).await?;
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
