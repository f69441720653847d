//! How the cost of a call grows with the customers of an org, beside the same by hand: 1,000 to 1,000,000 customers.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use plotters::prelude::*;
use serde_json::{Value, json};

use super::pgbench::{self, Latencies};
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, command, interrupt};

const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
const SECONDS: u32 = 2;
const INTERACTIONS: u32 = 4;

/// Whose rights a script has: a signed-in csr under RLS, or the owner's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Member,
    Owner,
}

struct Operation {
    name: &'static str,
    colour: RGBColor,
    /// One computes a segment at a time; the others are called by four at once.
    clients: &'static str,
    ours: &'static str,
    by_hand: (&'static str, &'static str, Who),
}

/// Creating comes last: what it commits would be there for the others.
const OPERATIONS: [Operation; 5] = [
    Operation {
        name: "crm_get_customer",
        colour: RGBColor(44, 160, 44),
        clients: pgbench::CLIENTS,
        ours: "growth/get.sql",
        by_hand: (
            "one statement as the owner, which logs no access",
            "growth/get_by_hand.sql",
            Who::Owner,
        ),
    },
    Operation {
        name: "crm_search_customers",
        colour: RGBColor(214, 39, 40),
        clients: pgbench::CLIENTS,
        ours: "growth/search.sql",
        by_hand: ("PL/pgSQL over one table", "growth/search_by_hand.sql", Who::Member),
    },
    Operation {
        name: "50 newest under RLS",
        colour: RGBColor(148, 103, 189),
        clients: pgbench::CLIENTS,
        ours: "list/rls.sql",
        by_hand: ("the owner, with the org as a literal", "list/plain.sql", Who::Owner),
    },
    Operation {
        name: "crm_recompute_segment",
        colour: RGBColor(255, 127, 14),
        clients: "1",
        ours: "segment/recompute.sql",
        by_hand: ("one statement as the owner", "segment/statement.sql", Who::Owner),
    },
    Operation {
        name: "crm_create_customer",
        colour: RGBColor(31, 119, 180),
        clients: pgbench::CLIENTS,
        ours: "create_customer/rpc.sql",
        by_hand: ("PL/pgSQL", "create_customer/plpgsql.sql", Who::Member),
    },
];

/// What was seen of one operation at one size.
struct Cost {
    ours: Latencies,
    by_hand: Latencies,
}

pub fn run() -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Test)?;
    let _lock = stack.lock()?;
    let outcome = measure(&stack);
    interrupt::acknowledge();
    stack.stop()?;
    let (machine, costs) = outcome?;
    let directory = checkout::path("docs/performance");
    fs::create_dir_all(&directory)?;
    for (name, text) in [
        ("growth.json", format!("{:#}\n", document(&machine, &costs))),
        ("growth.md", page(&machine, &costs)),
        ("growth.svg", plot(&costs)?),
    ] {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("written to {}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// `GROWTH_MOST` ends it earlier: filling a million takes several minutes.
fn sizes() -> Vec<u32> {
    let most = std::env::var("GROWTH_MOST").ok().and_then(|most| most.parse().ok());
    SIZES.into_iter().filter(|size| most.is_none_or(|most| *size <= most)).collect()
}

/// For each operation its cost at each size.
fn measure(stack: &Stack) -> Result<(String, Vec<Vec<Cost>>)> {
    stack.gateway().stop()?;
    stack.start_cluster()?;
    let mut costs: Vec<Vec<Cost>> = OPERATIONS.iter().map(|_| Vec::new()).collect();
    let mut machine = String::new();
    for size in sizes() {
        let database = fill(stack, size)?;
        let member = super::as_member(&database)?;
        machine = facts(&database)?;
        for (operation, costs) in OPERATIONS.iter().zip(&mut costs) {
            let title = format!("{} customers: {}", grouped(size), operation.name);
            let step = Step::start(&title);
            let (_, theirs, who) = operation.by_hand;
            let owner = if who == Who::Member { &member } else { &database };
            let contestants =
                [(&member, sized(operation.ours, size)?), (owner, sized(theirs, size)?)];
            let mut rounds = [Vec::new(), Vec::new()];
            for _ in 0..pgbench::ROUNDS {
                for ((database, script), seen) in contestants.iter().zip(&mut rounds) {
                    let program = stack.cluster.tree.program("pgbench");
                    seen.push(pgbench::latencies(
                        database,
                        &program,
                        script,
                        operation.clients,
                        SECONDS,
                        &step,
                    )?);
                }
            }
            let [ours, by_hand] = rounds.map(pgbench::median);
            step.done(format!("{title}: p50 {:.2} ms, by hand {:.2} ms", ours.p50, by_hand.p50));
            costs.push(Cost { ours, by_hand });
        }
    }
    Ok((machine, costs))
}

fn fill(stack: &Stack, size: u32) -> Result<Database> {
    let database = stack.make_bench_database()?;
    let step = Step::start(format!("filling the tables with {} customers", grouped(size)));
    for file in [
        "create_customer/setup.sql",
        "segment/fill.sql",
        "segment/setup.sql",
        "growth/search_rows.sql",
        "search/setup.sql",
    ] {
        let mut psql = database.script();
        psql.args([
            "-v",
            &format!("customers={size}"),
            "-v",
            &format!("interactions={INTERACTIONS}"),
        ]);
        command::run(psql.arg("-f").arg(checkout::path("xtask/bench").join(file)), Some(&step))?;
    }
    // The segment is filled before it is timed: what is measured is computing it again.
    let caller = database.with_options(format!("-c app.current_org_id={}", super::NORTHWIND));
    command::run(
        caller.script().arg("-f").arg(checkout::path("xtask/bench/segment/recompute.sql")),
        Some(&step),
    )?;
    command::run(
        database.script().arg("-f").arg(checkout::path("xtask/bench/segment/statement.sql")),
        Some(&step),
    )?;
    database.query("vacuum analyze")?;
    database.query("checkpoint")?;
    super::search::require_same_result(
        &super::as_member(&database)?,
        &["customer7", "customer999@", "zzzznothing"],
    )?;
    step.done(format!("tables filled with {} customers", grouped(size)));
    Ok(database)
}

/// The script with the number of customers in place of its variable, which pgbench takes only from its command line.
fn sized(script: &str, size: u32) -> Result<PathBuf> {
    let text = fs::read_to_string(checkout::path("xtask/bench").join(script))?;
    let path = checkout::target().join("bench").join(script.replace('/', "-"));
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&path, text.replace(":customers", &size.to_string()))?;
    Ok(path)
}

fn facts(database: &Database) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| text.lines().next()?.split_whitespace().nth(1)?.parse::<u64>().ok())
        .map_or_else(
            || "unknown memory".to_owned(),
            |kilobytes| format!("{} GiB", kilobytes.div_ceil(1 << 20)),
        );
    let server = database.query("select current_setting('server_version'), current_date")?;
    let (version, date) = server.split_once('|').unwrap_or((&server, ""));
    Ok(format!(
        "{cores} cores, {memory}, PostgreSQL {version} with stock settings, clients on the same machine, {date}"
    ))
}

fn document(machine: &str, costs: &[Vec<Cost>]) -> Value {
    let side =
        |seen: &Latencies| json!({"rate": seen.rate, "p50_ms": seen.p50, "p95_ms": seen.p95});
    let operations: Vec<Value> = OPERATIONS
        .iter()
        .zip(costs)
        .map(|(operation, costs)| {
            let sizes: Vec<Value> = SIZES
                .iter()
                .zip(costs)
                .map(|(size, cost)| json!({"customers": size, "ours": side(&cost.ours), "by_hand": side(&cost.by_hand)}))
                .collect();
            json!({"name": operation.name, "clients": operation.clients, "by_hand": operation.by_hand.0, "sizes": sizes})
        })
        .collect();
    json!({"machine": machine, "seconds": SECONDS, "rounds": pgbench::ROUNDS, "interactions": INTERACTIONS, "operations": operations})
}

fn page(machine: &str, costs: &[Vec<Cost>]) -> String {
    let measured = costs.first().map_or(0, Vec::len);
    let row = |first: &str, second: &str, cells: Vec<String>| {
        format!("| {first} | {second} | {} |\n", cells.join(" | "))
    };
    let mut rows = vec![
        row("p50 / p95 in ms", "", SIZES.into_iter().take(measured).map(grouped).collect()),
        row("---", "---", vec!["---".to_owned(); measured]),
    ];
    for (operation, costs) in OPERATIONS.iter().zip(costs) {
        let clients = if operation.clients == "1" { "1 client" } else { "4 clients" };
        let cells = |cell: fn(&Cost) -> String| costs.iter().map(cell).collect();
        rows.push(row(
            &format!("**{}**, {clients}", operation.name),
            "fieldcrm",
            cells(|cost| milliseconds(&cost.ours)),
        ));
        rows.push(row("", operation.by_hand.0, cells(|cost| milliseconds(&cost.by_hand))));
        rows.push(row(
            "",
            "fieldcrm's rate, of the other's",
            cells(|cost| format!("{:.2}", cost.ours.rate / cost.by_hand.rate)),
        ));
    }
    format!(
        "# How the cost grows with the customers\n\n\
         Written by `cargo xtask bench growth`: {machine}. One org has the customers, each with a location, tags and {INTERACTIONS}\n\
         interactions; three others share a fifth as many. pgbench, prepared statements, {SECONDS} s a round, alternating, median of {}.\n\
         A signed-in csr under RLS, beside the same written by hand. The figures as JSON: [growth.json](growth.json).\n\n\
         ![p50 of each call, in ms, over the number of customers](growth.svg)\n\n{}",
        pgbench::ROUNDS,
        rows.concat()
    )
}

fn milliseconds(seen: &Latencies) -> String {
    format!("{:.2} / {:.2}", seen.p50, seen.p95)
}

/// Solid: ours; thin: by hand.
fn plot(costs: &[Vec<Cost>]) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (900, 560)).into_drawing_area();
        area.fill(&WHITE)?;
        let seen = || costs.iter().flatten().flat_map(|cost| [cost.ours.p50, cost.by_hand.p50]);
        let (least, most) = (seen().fold(f64::MAX, f64::min), seen().fold(0.0, f64::max));
        let sizes = f64::from(SIZES[0])..f64::from(SIZES[SIZES.len() - 1]);
        let mut chart = ChartBuilder::on(&area)
            .caption("p50 of a call; thin lines: by hand", ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(sizes.log_scale(), (least / 2.0..most * 2.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("customers of the org")
            .y_desc("ms")
            .x_label_formatter(&|customers| format!("{customers:.0}"))
            .draw()?;
        for (operation, costs) in OPERATIONS.iter().zip(costs) {
            let points = |pick: fn(&Cost) -> f64| {
                SIZES
                    .iter()
                    .map(|size| f64::from(*size))
                    .zip(costs.iter().map(pick))
                    .collect::<Vec<_>>()
            };
            let colour = operation.colour;
            chart
                .draw_series(
                    LineSeries::new(points(|cost| cost.ours.p50), colour.stroke_width(3))
                        .point_size(3),
                )?
                .label(operation.name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(3))
                });
            chart.draw_series(LineSeries::new(
                points(|cost| cost.by_hand.p50),
                colour.stroke_width(1),
            ))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}

fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(p50: f64) -> Latencies {
        Latencies { rate: 1000.0 / p50, p50, p95: p50 * 2.0 }
    }

    fn costs() -> Vec<Vec<Cost>> {
        let cost = |ours| Cost { ours: seen(ours), by_hand: seen(1.0) };
        OPERATIONS.iter().map(|_| SIZES.iter().map(|_| cost(2.0)).collect()).collect()
    }

    #[test]
    fn a_page_has_a_column_for_each_size() {
        assert_eq!(SIZES.map(grouped), ["1,000", "10,000", "100,000", "1,000,000"]);
        let page = page("a machine", &costs());
        let columns = SIZES.len() + 3;
        for row in page.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.matches('|').count(), columns, "{row}");
        }
        assert!(
            page.contains("|  | fieldcrm's rate, of the other's | 0.50 | 0.50 | 0.50 | 0.50 |"),
            "{page}"
        );
    }

    #[test]
    fn the_plot_is_an_svg_with_a_line_for_each_operation_and_side() {
        let svg = plot(&costs()).unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
        assert!(svg.matches("<polyline").count() >= 2 * OPERATIONS.len());
    }
}
