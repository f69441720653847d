//! Supabase Auth over real HTTP: the part of `GoTrue`'s protocol that the portal speaks, with its answers and codes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

#[derive(Clone)]
struct User {
    id: String,
    password: String,
    confirmed: bool,
}

#[derive(Default)]
struct Kept {
    users: HashMap<String, User>,
    asked: Vec<String>,
    sessions_ended: usize,
    addresses: Vec<String>,
}

#[derive(Clone)]
pub struct GoTrue {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Clone)]
struct Auth {
    /// `mailer_autoconfirm`.
    autoconfirm: bool,
    kept: Arc<Mutex<Kept>>,
}

impl GoTrue {
    pub async fn start(autoconfirm: bool) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let auth = Auth { autoconfirm, kept: kept.clone() };
        let router = Router::new().fallback(answer).with_state(auth);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, kept }
    }

    /// A login that exists; answers its id.
    pub fn user(&self, email: &str, password: &str, confirmed: bool) -> String {
        let mut kept = self.kept.lock().unwrap();
        let id = format!("0d0e0f10-0000-4000-8000-0000000001{:02}", kept.users.len());
        let user = User { id: id.clone(), password: password.to_owned(), confirmed };
        kept.users.insert(email.to_owned(), user);
        id
    }

    /// Methods and paths, in order.
    pub fn asked(&self) -> Vec<String> {
        self.kept.lock().unwrap().asked.clone()
    }

    /// From where it was asked, as it was told.
    pub fn addresses(&self) -> Vec<String> {
        self.kept.lock().unwrap().addresses.clone()
    }

    pub fn users(&self) -> usize {
        self.kept.lock().unwrap().users.len()
    }

    pub fn sessions_ended(&self) -> usize {
        self.kept.lock().unwrap().sessions_ended
    }
}

fn refuse(status: u16, code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, Json(json!({"code": status.as_u16(), "error_code": code, "msg": message})))
        .into_response()
}

fn described(email: &str, user: &User) -> Value {
    json!({"id": user.id, "email": email, "identities": [{"provider": "email"}],
        "email_confirmed_at": user.confirmed.then_some("2026-01-01T00:00:00Z")})
}

fn session(email: &str, user: &User) -> Response {
    let token = format!("token-of-{}", user.id);
    Json(json!({"access_token": token, "token_type": "bearer", "expires_in": 3600, "refresh_token": "r",
        "user": described(email, user)}))
    .into_response()
}

async fn answer(State(auth): State<Auth>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let asked = format!("{} {path}", parts.method);
    let mut kept = auth.kept.lock().unwrap();
    kept.asked.push(asked.clone());
    kept.addresses.push(header(&parts.headers, "x-forwarded-for").to_owned());
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (email, password) = (text("email").to_lowercase(), text("password"));
    let admin = path.starts_with("/auth/v1/admin/");
    let key = if admin { "service-key" } else { "publishable" };
    if header(&parts.headers, "apikey") != key
        || admin && header(&parts.headers, "authorization") != "Bearer service-key"
    {
        return refuse(401, "no_authorization", "This endpoint requires a valid Bearer token");
    }
    let weak = body.get("password").is_some() && password.len() < 6;
    match asked.as_str() {
        "POST /auth/v1/signup" | "POST /auth/v1/admin/users" if weak => {
            refuse(422, "weak_password", "Password should be at least 6 characters.")
        }
        "POST /auth/v1/signup" => match kept.users.get(&email).cloned() {
            Some(_) if auth.autoconfirm => refuse(422, "user_already_exists", "User already registered"),
            // GoTrue makes one up, so that nobody learns who is registered.
            Some(user) if user.confirmed => {
                Json(json!({"id": "0d0e0f10-0000-4000-8000-00000000ffff", "email": email, "identities": []})).into_response()
            }
            Some(user) => Json(described(&email, &user)).into_response(),
            None => {
                let user = User { id: next_id(&kept), password, confirmed: auth.autoconfirm };
                kept.users.insert(email.clone(), user.clone());
                if auth.autoconfirm { session(&email, &user) } else { Json(described(&email, &user)).into_response() }
            }
        },
        "POST /auth/v1/token?grant_type=password" => match kept.users.get(&email) {
            Some(user) if user.password == password && user.confirmed => session(&email, user),
            Some(user) if user.password == password => refuse(400, "email_not_confirmed", "Email not confirmed"),
            _ => refuse(400, "invalid_credentials", "Invalid login credentials"),
        },
        "POST /auth/v1/admin/users" => {
            if kept.users.contains_key(&email) {
                return refuse(422, "email_exists", "A user with this email address has already been registered");
            }
            let user = User { id: next_id(&kept), password, confirmed: body["email_confirm"] == true };
            assert_eq!(body["app_metadata"], json!({"fieldcrm_invited": true}));
            kept.users.insert(email.clone(), user.clone());
            Json(described(&email, &user)).into_response()
        }
        "PUT /auth/v1/user" => {
            let token = header(&parts.headers, "authorization");
            let Some((_, user)) = kept.users.iter_mut().find(|(_, user)| token == format!("Bearer token-of-{}", user.id)) else {
                return refuse(403, "bad_jwt", "invalid JWT");
            };
            if password == user.password {
                return refuse(422, "same_password", "New password should be different from the old password.");
            }
            user.password = password;
            Json(json!({"id": user.id})).into_response()
        }
        "POST /auth/v1/logout?scope=local" => {
            kept.sessions_ended += 1;
            StatusCode::NO_CONTENT.into_response()
        }
        "POST /auth/v1/factors" => {
            Json(json!({"id": super::ID, "type": "totp", "totp": {"qr_code": "<svg>", "secret": "S", "uri": "otpauth://x"}})).into_response()
        }
        _ if asked == format!("POST /auth/v1/factors/{}/challenge", super::ID) => {
            Json(json!({"id": super::OTHER, "expires_at": 1})).into_response()
        }
        _ if asked == format!("POST /auth/v1/factors/{}/verify", super::ID) => {
            if body == json!({"challenge_id": super::OTHER, "code": "123456"}) {
                Json(json!({"access_token": "aal2"})).into_response()
            } else {
                refuse(422, "mfa_verification_failed", "Invalid TOTP code entered")
            }
        }
        _ if asked == format!("DELETE /auth/v1/factors/{}", super::ID) => Json(json!({"id": super::ID})).into_response(),
        _ if asked.starts_with("DELETE /auth/v1/admin/users/") => {
            let id = asked.rsplit('/').next().unwrap();
            kept.users.retain(|_, user| user.id != id);
            Json(json!({})).into_response()
        }
        _ => refuse(404, "not_found", "There is no such path"),
    }
}

fn next_id(kept: &Kept) -> String {
    format!("0d0e0f10-0000-4000-8000-0000000001{:02}", kept.users.len())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
