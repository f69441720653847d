//! The database port over SPI, with plans kept for the life of the backend.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use fieldcrm_core::Code;
use fieldcrm_core::segment::Statement;
use fieldcrm_rpc::{Db, Error, Result, Work};
use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;
use pgrx::{IntoDatum, JsonB, direct_function_call};
use serde::Serialize;
use serde_json::Value;

thread_local! {
    /// By the address of the static statement text. Plans are never freed: there are as many as
    /// there are statements in `fieldcrm-rpc`.
    static PLANS: RefCell<HashMap<*const u8, pg_sys::SPIPlanPtr>> = RefCell::default();
    /// By the text of a compiled statement.
    static COMPILED: RefCell<HashMap<String, pg_sys::SPIPlanPtr>> = RefCell::default();
}

/// How many plans of compiled statements a backend keeps; there are as many texts as shapes of rules.
const MAX_COMPILED: usize = 200;

/// What the function was declared as; a stable one must not see changes of its own query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Stable,
    Volatile,
}

/// Stopped at the first row, an `UPDATE … RETURNING` would not fire its statement-level triggers.
const ALL_ROWS: std::ffi::c_long = 0;

/// The session an RPC gets for one call.
pub struct SpiDb(Access);

impl Db for SpiDb {
    async fn call<I: Serialize + Sync>(
        &mut self,
        statement: &'static str,
        input: &I,
    ) -> Result<Value> {
        let input =
            serde_json::to_value(input).map_err(|error| Error::internal(error.to_string()))?;
        execute(statement, input, self.0)
    }

    async fn run<I: Serialize + Sync>(
        &mut self,
        statement: &Statement,
        input: &I,
    ) -> Result<Value> {
        let input =
            serde_json::to_value(input).map_err(|error| Error::internal(error.to_string()))?;
        connected(input, |argument| {
            let Ok(text) = CString::new(statement.text()) else {
                error!("a statement contains NUL")
            };
            let mut types = [pg_sys::JSONBOID];
            // SAFETY: called between SPI_connect and SPI_finish, with one type for the one value.
            unsafe {
                pg_sys::SPI_execute_with_args(
                    text.as_ptr(),
                    1,
                    types.as_mut_ptr(),
                    argument,
                    std::ptr::null(),
                    self.0 == Access::Stable,
                    ALL_ROWS,
                )
            }
        })
    }

    async fn run_kept<I: Serialize + Sync>(
        &mut self,
        statement: &Statement,
        input: &I,
    ) -> Result<Value> {
        let input =
            serde_json::to_value(input).map_err(|error| Error::internal(error.to_string()))?;
        connected(input, |argument| {
            let plan = compiled_plan(statement);
            // SAFETY: called between SPI_connect and SPI_finish; the plan takes one jsonb.
            unsafe {
                let stable = self.0 == Access::Stable;
                pg_sys::SPI_execute_plan(plan, argument, std::ptr::null(), stable, ALL_ROWS)
            }
        })
    }

    async fn attempt<W: Work<Self>>(&mut self, work: W) -> Result<W::Output> {
        subtransaction(|| poll_once(work.run(self)))
    }
}

/// Runs the work in a subtransaction, and takes it back if it fails. Only errors that say that another try
/// may do are [`Code::Unavailable`].
fn subtransaction<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: as PL/pgSQL's blocks with EXCEPTION do: the subtransaction begun here ends here, on every way
    // out, and the memory context and resource owner are those of before. An error that longjmps is caught
    // at the border to C, unwinds the Rust frames, and arrives as a value; SPI connections opened since are
    // closed by the rollback.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
        let outcome = PgTryBuilder::new(AssertUnwindSafe(work)).catch_others(caught).execute();
        match outcome {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
        outcome
    }
}

/// What Postgres raised, as a value.
fn caught<T>(cause: CaughtError) -> Result<T> {
    use PgSqlErrorCode as Sql;
    let (CaughtError::PostgresError(report) | CaughtError::ErrorReport(report)) = &cause else {
        cause.rethrow()
    };
    let code = match report.sql_error_code() {
        Sql::ERRCODE_QUERY_CANCELED
        | Sql::ERRCODE_ADMIN_SHUTDOWN
        | Sql::ERRCODE_T_R_DEADLOCK_DETECTED
        | Sql::ERRCODE_T_R_SERIALIZATION_FAILURE => Code::Unavailable,
        // Two at the same moment. Postgres 18 has a code of its own for keys that are on delete restrict.
        Sql::ERRCODE_FOREIGN_KEY_VIOLATION
        | Sql::ERRCODE_RESTRICT_VIOLATION
        | Sql::ERRCODE_UNIQUE_VIOLATION
        | Sql::ERRCODE_EXCLUSION_VIOLATION => Code::Conflict,
        _ => Code::Internal,
    };
    let detail = report.detail().and_then(|detail| serde_json::from_str(detail).ok());
    let ours = detail
        .and_then(|detail: Value| Error::from_detail(&detail, report.hint().unwrap_or_default()));
    Err(ours.unwrap_or_else(|| Error::new(code, report.message())))
}

/// Runs an RPC and turns its domain error into the value that `fieldcrm.unwrap` raises above the
/// Rust frame: raised inside, pgrx would turn a custom SQLSTATE into XX000.
///
/// The arguments come as text: `jsonb` holds numbers and depths that Rust's reader refuses, which must
/// be an answer to the client and not a panic in a conversion.
pub fn run(
    access: Access,
    arguments: &str,
    rpc: impl AsyncFnOnce(SpiDb, Value) -> Result<Value>,
) -> JsonB {
    let outcome = serde_json::from_str(arguments)
        .map_err(|error| Error::invalid_field("$", "invalid_json", error.to_string()))
        .and_then(|arguments| poll_once(rpc(SpiDb(access), arguments)));
    JsonB(outcome.unwrap_or_else(|error| error.to_value()))
}

/// SPI never waits, so the future of an RPC is ready at the first poll.
fn poll_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::internal("an RPC waited for something other than SPI")),
    }
}

/// Runs a statement of one jsonb parameter and one jsonb column, and takes its first row.
pub fn execute(statement: &'static str, input: Value, access: Access) -> Result<Value> {
    connected(input, |argument| {
        let plan = plan(statement);
        // SAFETY: called between SPI_connect and SPI_finish; the plan takes one jsonb.
        unsafe {
            let stable = access == Access::Stable;
            pg_sys::SPI_execute_plan(plan, argument, std::ptr::null(), stable, ALL_ROWS)
        }
    })
}

/// Connects SPI, lets `run` run something with the input as its one argument, and takes the first
/// column of the first row, a `jsonb` or a `json`.
fn connected(input: Value, run: impl FnOnce(*mut pg_sys::Datum) -> i32) -> Result<Value> {
    // SAFETY: SPI is connected around the call and finished after it; an error in between unwinds
    // to the caller's error handling, which resets SPI at (sub)transaction end. The result is
    // copied into Rust memory before SPI_finish frees the tuple table.
    unsafe {
        pg_sys::SPI_connect();
        let mut argument = JsonB(input).into_datum().unwrap_or_else(|| pg_sys::Datum::from(0));
        let status = run(&raw mut argument);
        if status < 0 {
            error!("SPI could not run a statement: {status}");
        }
        let mut output = Ok(Value::Null);
        if pg_sys::SPI_processed > 0 && !pg_sys::SPI_tuptable.is_null() {
            let table = &*pg_sys::SPI_tuptable;
            let mut is_null = false;
            let datum = pg_sys::SPI_getbinval(*table.vals, table.tupdesc, 1, &raw mut is_null);
            if !is_null {
                let is_json = pg_sys::SPI_gettypeid(table.tupdesc, 1) == pg_sys::JSONOID;
                output = read(datum, if is_json { pg_sys::json_out } else { pg_sys::jsonb_out });
            }
        }
        pg_sys::SPI_finish();
        output
    }
}

/// The document as Rust reads it. Postgres keeps what serde refuses (numbers beyond 64-bit floating
/// point, great depths): then [`JsonB`]'s own conversion would panic.
///
/// # Safety
///
/// The datum is of the type whose output function `out` is, and alive during the call.
unsafe fn read(
    datum: pg_sys::Datum,
    out: unsafe fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum,
) -> Result<Value> {
    // SAFETY: the output function takes the one datum, toasted or not, and returns a C string in the
    // current memory context: SPI's, which SPI_finish frees.
    let text = unsafe { direct_function_call::<&CStr>(out, &[Some(datum)]) };
    let text = text.ok_or_else(|| Error::internal("an output function returned null"))?;
    serde_json::from_slice(text.to_bytes())
        .map_err(|error| Error::internal(format!("unreadable answer of a statement: {error}")))
}

fn plan(statement: &'static str) -> pg_sys::SPIPlanPtr {
    let key = statement.as_ptr();
    if let Some(known) = PLANS.with_borrow(|plans| plans.get(&key).copied()) {
        return known;
    }
    let made = keep(statement);
    PLANS.with_borrow_mut(|plans| plans.insert(key, made));
    made
}

fn compiled_plan(statement: &Statement) -> pg_sys::SPIPlanPtr {
    if let Some(known) = COMPILED.with_borrow(|plans| plans.get(statement.text()).copied()) {
        return known;
    }
    if COMPILED.with_borrow(HashMap::len) >= MAX_COMPILED {
        for plan in COMPILED.take().into_values() {
            // SAFETY: the plan is a kept one, no longer reachable, and not running: this runs none.
            unsafe { pg_sys::SPI_freeplan(plan) };
        }
    }
    let made = keep(statement.text());
    COMPILED.with_borrow_mut(|plans| plans.insert(statement.text().to_owned(), made));
    made
}

fn keep(statement: &str) -> pg_sys::SPIPlanPtr {
    let Ok(text) = CString::new(statement) else { error!("a statement contains NUL") };
    let mut types = [pg_sys::JSONBOID];
    // SAFETY: called between SPI_connect and SPI_finish; a kept plan outlives both.
    unsafe {
        let made = pg_sys::SPI_prepare_cursor(
            text.as_ptr(),
            1,
            types.as_mut_ptr(),
            // The parameter is a document: a plan made for one document is no better for it.
            pg_sys::CURSOR_OPT_GENERIC_PLAN.cast_signed(),
        );
        if made.is_null() || pg_sys::SPI_keepplan(made) != 0 {
            let status = pg_sys::SPI_result;
            error!("SPI could not prepare a statement: {status}");
        }
        made
    }
}
