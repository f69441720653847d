//! One set of scenarios, two ways to run them: the RPC code over the tokio driver on a database
//! with the SQL twin, and the public functions of the extension.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod agency;
pub mod chaos;
pub mod household;
pub mod shop;

use fieldcrm_core::{Code, Error};
use fieldcrm_rpc::tokio::{Prepared, TokioDb, dispatch};
use fieldcrm_rpc::{RPCS, RunsAs};
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

pub const NORTHWIND: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
pub const VOLT: Uuid = Uuid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Native,
    Extension,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub enum As {
    /// The demo user with that role at northwind.example.
    Northwind(&'static str),
    /// The demo user with that role at volt.example.
    Volt(&'static str),
    User(Uuid),
    /// The same with a token that says more.
    Token(Uuid, &'static str),
    /// Who is not signed in.
    Nobody,
    /// A DBA who works for that org.
    Dba(Uuid),
}

/// A connection in a transaction that is rolled back at the end.
pub struct Context {
    pub client: Client,
    target: Target,
    prepared: Prepared,
}

pub async fn connect(target: Target) -> Client {
    let name = match target {
        Target::Native => "NATIVE_DATABASE_URL",
        Target::Extension => "EXTENSION_DATABASE_URL",
    };
    let url = std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with `cargo xtask test rpc`")
    });
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// How often a race is repeated: `RACE_ROUNDS`, for whoever hunts one that seldom goes wrong.
pub fn rounds(default: usize) -> usize {
    std::env::var("RACE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

impl Context {
    pub async fn start(target: Target) -> Self {
        let client = connect(target).await;
        client.batch_execute("begin").await.unwrap();
        Self { client, target, prepared: Prepared::default() }
    }

    pub async fn user(&self, email: &str) -> Uuid {
        let sql = "select id from auth.users where email = $1";
        self.client.query_one(sql, &[&email]).await.unwrap().get(0)
    }

    /// [`Self::user`] while another identity is entered.
    pub async fn user_as_owner(&self, email: &str) -> Uuid {
        let role: String =
            self.client.query_one("select current_setting('role')", &[]).await.unwrap().get(0);
        self.leave().await;
        let id = self.user(email).await;
        self.client.batch_execute(&format!("set local role {role}")).await.unwrap();
        id
    }

    /// A user who belongs to no org yet.
    pub async fn newcomer(&self, email: &str) -> Uuid {
        let id: Uuid = self.client.query_one("select gen_random_uuid()", &[]).await.unwrap().get(0);
        self.client
            .execute("insert into auth.users (id, email) values ($1, $2)", &[&id, &email])
            .await
            .unwrap();
        id
    }

    /// Takes the caller's identity as a request does, until [`Self::leave`].
    pub async fn enter(&self, caller: As, role: &str) {
        let (claims, org) = match caller {
            As::Dba(org) => (String::new(), org.to_string()),
            As::User(id) => (claims(id), String::new()),
            As::Token(id, more) => (token(id, more), String::new()),
            // As the owner of the database, which natively runs the RPC, `anon` would be one who bypasses RLS.
            As::Nobody => (
                json!({"role": if role == "anon" { role } else { "authenticated" }}).to_string(),
                String::new(),
            ),
            As::Northwind(role) => {
                (claims(self.user(&format!("{role}@northwind.example")).await), String::new())
            }
            As::Volt(role) => {
                (claims(self.user(&format!("{role}@volt.example")).await), String::new())
            }
        };
        self.client
            .execute(
                "select set_config('request.jwt.claims', $1, true), set_config('app.current_org_id', $2, true)",
                &[&claims, &org],
            )
            .await
            .unwrap();
        if !matches!(caller, As::Dba(_)) {
            self.client.batch_execute(&format!("set local role {role}")).await.unwrap();
        }
    }

    pub async fn leave(&self) {
        self.client.batch_execute("reset role").await.unwrap();
    }

    pub async fn call(&mut self, caller: As, name: &str, arguments: Value) -> Result<Value, Error> {
        self.client.batch_execute("savepoint call").await.unwrap();
        let runs_as = RPCS.iter().find(|(known, _)| *known == name).unwrap().1;
        let role = match (self.target, runs_as) {
            (Target::Native, RunsAs::Owner) => "postgres",
            (Target::Extension, _) if matches!(caller, As::Nobody) => "anon",
            _ => "authenticated",
        };
        self.enter(caller, role).await;
        let outcome = match self.target {
            Target::Native => {
                let mut db = TokioDb { client: &self.client, prepared: &mut self.prepared };
                dispatch(&mut db, name, arguments).await
            }
            Target::Extension => self.call_function(name, arguments).await,
        };
        if outcome.is_err() {
            self.client.batch_execute("rollback to call").await.unwrap();
        }
        self.leave().await;
        self.client.batch_execute("release call").await.unwrap();
        outcome
    }

    /// As PostgREST does: named arguments, each cast to its type.
    async fn call_function(&self, name: &str, arguments: Value) -> Result<Value, Error> {
        let row = self
            .client
            .query_one(
                "select string_agg(format(case t.typname
                     when 'jsonb' then '%1$I => ($1::jsonb -> %1$L)'
                     when '_text' then '%1$I => array(select jsonb_array_elements_text($1::jsonb -> %1$L))'
                     when '_uuid' then '%1$I => array(select jsonb_array_elements_text($1::jsonb -> %1$L)::uuid)'
                     else '%1$I => ($1::jsonb ->> %1$L)::%2$s' end, a.name, t.typname), ', '), coalesce(bool_or(p.proretset), false)
                 from pg_proc p, unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
                 join pg_type t on t.oid = a.type
                 where p.proname = $1 and p.pronamespace = 'public'::regnamespace and $2::jsonb ? a.name",
                &[&name, &Json(&arguments)],
            )
            .await
            .unwrap();
        let list: Option<String> = row.get(0);
        // Rows become an array, as in an answer of PostgREST.
        let answer =
            if row.get(1) { "coalesce(jsonb_agg(to_jsonb(f)), '[]')" } else { "to_jsonb(f)" };
        let sql = format!(
            "select {answer} from (select $1::jsonb) x, public.{name}({}) f",
            list.unwrap_or_default()
        );
        match self.client.query_one(&sql, &[&Json(arguments)]).await {
            Ok(row) => Ok(row.get::<_, Option<Value>>(0).unwrap_or_default()),
            Err(error) => {
                let error = error.as_db_error().unwrap_or_else(|| panic!("{error}"));
                let detail = error.detail().and_then(|text| serde_json::from_str(text).ok());
                let domain = detail.and_then(|detail: Value| {
                    Error::from_detail(&detail, error.hint().unwrap_or_default())
                });
                // A trigger below an RPC raises a standard code, which survives the Rust frame, with our detail.
                if let Some(domain) = domain.as_ref().filter(|_| error.code().code() != "23503") {
                    assert_eq!(error.code().code(), format!("PT{}", domain.code.status()));
                    assert_eq!(error.message(), domain.code.title());
                }
                Err(domain.unwrap_or_else(|| match error.code().code() {
                    "42501" => Error::new(Code::Forbidden, error.message()),
                    "23001" | "23503" | "23505" => Error::new(Code::Conflict, error.message()),
                    other => panic!("{other}: {error:?}"),
                }))
            }
        }
    }

    /// Asserts the refusal and returns the error.
    pub async fn refused(&mut self, caller: As, name: &str, arguments: Value, code: Code) -> Error {
        let outcome = self.call(caller, name, arguments.clone()).await;
        match outcome {
            Err(error) if error.code == code => error,
            other => panic!("{caller:?} {name} {arguments}: wanted {code:?}, got {other:?}"),
        }
    }
}

fn claims(id: Uuid) -> String {
    token(id, "{}")
}

fn token(id: Uuid, more: &str) -> String {
    let mut claims = serde_json::from_str::<serde_json::Map<_, _>>(more).unwrap();
    claims.extend([("sub".to_owned(), json!(id)), ("role".to_owned(), json!("authenticated"))]);
    Value::Object(claims).to_string()
}

/// Makes a test of the scenario for each target.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident)*) => {
        mod native {
            $(#[tokio::test] async fn $name() {
                super::$name(&mut $crate::common::Context::start($crate::common::Target::Native).await).await;
            })*
        }
        mod extension {
            $(#[tokio::test] async fn $name() {
                super::$name(&mut $crate::common::Context::start($crate::common::Target::Extension).await).await;
            })*
        }
    };
}
