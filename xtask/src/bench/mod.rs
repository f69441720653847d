//! `cargo xtask bench`: each benchmark compares with an alternative in the same run.

mod automation;
mod create_customer;
mod doors;
mod growth;
mod hooks;
mod kb;
mod pgbench;
mod portal;
mod script;
mod search;
mod segment;
mod slots;
mod soak;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::postgres::Database;

struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<ExitCode>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "automation",
        about: "follow-ups by key, claims of messages, events: against bare statements",
        run: automation::run,
    },
    Bench {
        name: "create-customer",
        about: "one RPC call against six statements and against PL/pgSQL",
        run: create_customer::run,
    },
    Bench {
        name: "doors",
        about: "customers over REST, over the function and over plain TypeScript; the functions' cold starts",
        run: doors::run,
    },
    Bench {
        name: "growth",
        about: "create, get, search, list and segment with 1,000 to 1,000,000 customers; writes docs/performance/",
        run: growth::run,
    },
    Bench {
        name: "hooks",
        about: "signed webhooks over the function and over plain TypeScript; verify and parse alone",
        run: hooks::run,
    },
    Bench {
        name: "kb",
        about: "how many of 100 questions find their article: by words, by meaning, by both",
        run: kb::run,
    },
    Bench {
        name: "portal",
        about: "dashboard, lists and history for 200 customers at 100 requests a second",
        run: portal::run,
    },
    Bench {
        name: "slots",
        about: "free times of 200 technicians in 60 days, with 48,000 visits",
        run: slots::run,
    },
    Bench {
        name: "soak",
        about: "half an hour of load while functions and the database are killed: what is lost, what grows",
        run: soak::run,
    },
    Bench {
        name: "search",
        about: "searching 50,000 customers of 200,000 against a hand-written function",
        run: search::search,
    },
    Bench {
        name: "list",
        about: "fifty customers under RLS against the same query without",
        run: search::list,
    },
    Bench {
        name: "segment",
        about: "a segment over 50,000 customers: the RPCs, the statement by hand, a PL/pgSQL loop",
        run: segment::run,
    },
    Bench {
        name: "segment-million",
        about: "the same segment over 1,000,000 customers: time and the backend's memory",
        run: segment::run_million,
    },
];

const NORTHWIND: &str = "11111111-1111-4111-8111-111111111111";

pub fn run(name: Option<&str>) -> Result<ExitCode> {
    let Some(name) = name else {
        for bench in BENCHES {
            println!("  {:<20} {}", bench.name, bench.about);
        }
        return Ok(ExitCode::SUCCESS);
    };
    match BENCHES.iter().find(|bench| bench.name == name) {
        Some(bench) => (bench.run)(),
        None => bail!("no benchmark {name}: `cargo xtask bench` lists them"),
    }
}

/// The sessions `PostgREST` makes: role authenticated, with the claims of a signed-in csr.
pub fn as_member(database: &Database) -> Result<Database> {
    let id = database.query(&format!(
        "select id from public.profiles where org_id = '{NORTHWIND}' and role = 'csr' limit 1"
    ))?;
    if id.is_empty() {
        bail!("the demo data has no csr in Northwind: look into supabase/seed.sql");
    }
    let claims = format!(r#"{{"sub":"{id}","role":"authenticated"}}"#);
    Ok(database.with_options(format!("-c role=authenticated -c request.jwt.claims={claims}")))
}
