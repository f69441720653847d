//! What `up` ends with: where everything is, who can sign in, and three first calls.

use std::process::ExitCode;

use clap::ValueEnum;

use crate::secrets::DEMO_PASSWORD;
use crate::stack::Stack;

const ROLES: [&str; 12] = [
    "owner",
    "admin",
    "manager",
    "dispatcher",
    "csr",
    "sales",
    "technician",
    "member",
    "viewer",
    "client_admin",
    "portal_customer",
    "portal_manager",
];

/// The examples; the tests run exactly these texts with the variables of `stack.env` set.
#[derive(Clone, Copy, ValueEnum)]
pub enum Snippet {
    Curl,
    Js,
    Psql,
}

impl Snippet {
    fn title(self) -> &'static str {
        match self {
            Self::Curl => "curl: sign in, then the edge function",
            Self::Js => "supabase-js: sign in, then the RPC (in this directory, for its packages)",
            Self::Psql => "psql: as a DBA, for the organisation Northwind",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Curl => include_str!("banner/curl.sh"),
            Self::Js => include_str!("banner/supabase-js.sh"),
            Self::Psql => include_str!("banner/psql.sh"),
        }
    }
}

pub fn print_snippet(snippet: Snippet) -> ExitCode {
    print!("{}", snippet.text());
    ExitCode::SUCCESS
}

pub fn print(stack: &Stack) {
    println!("\nfieldcrm is up.\n");
    println!("  URL              {}", stack.url());
    println!("  functions        {}/functions/v1", stack.url());
    println!("  publishable key  {}", stack.secrets.publishable_key);
    println!("  secret key       {}", stack.secrets.secret_key);
    println!("  database         {}", stack.database().url());
    println!("  logins           <role>@northwind.example and <role>@volt.example,");
    println!("                   password {DEMO_PASSWORD}, <role> being one of");
    for roles in ROLES.chunks(6) {
        println!("                   {}", roles.join(", "));
    }
    println!("\nThe same for a shell, and three first calls to paste:\n");
    println!(". .local/stack.env");
    for snippet in Snippet::value_variants() {
        println!("\n# {}\n{}", snippet.title(), snippet.text().trim_end());
    }
}
