//! Builds the edge functions: cargo, wasm-bindgen, wasm-opt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::fingerprint::{Fingerprint, Stamp};
use crate::report::{Step, kilobytes};
use crate::toolchain::{self, WASM_TARGET, WasmCompiler};
use crate::{checkout, command, node};

/// What rustc's target lets the module use; wasm-opt refuses what it is not told of.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

pub struct Function {
    /// The directory below `functions/`, and the name of the module.
    pub name: String,
    pub package: String,
}

pub fn output() -> PathBuf {
    checkout::path("supabase/functions/_wasm")
}

/// The crates below `functions/` that are deployed: those built as a dynamic library.
pub fn functions() -> Result<Vec<Function>> {
    let mut functions = Vec::new();
    let directory = checkout::path("functions");
    for entry in fs::read_dir(&directory).context("cannot read functions/")?.flatten() {
        let Ok(manifest) = fs::read_to_string(entry.path().join("Cargo.toml")) else { continue };
        if let Some(package) = deployable(&manifest) {
            functions
                .push(Function { name: entry.file_name().to_string_lossy().into_owned(), package });
        }
    }
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(functions)
}

fn deployable(manifest: &str) -> Option<String> {
    let value = |key: &str| {
        manifest.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        })
    };
    value("crate-type")
        .filter(|types| types.contains("\"cdylib\""))
        .and_then(|_| value("name"))
        .map(|name| name.trim_matches('"').to_owned())
}

pub fn run() -> Result<ExitCode> {
    toolchain::ensure()?;
    node::install_packages()?;
    build()?;
    Ok(ExitCode::SUCCESS)
}

pub fn build() -> Result<()> {
    let compiler = toolchain::wasm_compiler()
        .context("nothing here can compile to WASM: run `cargo xtask doctor`")?;
    for function in functions()? {
        build_one(&function, compiler)?;
    }
    Ok(())
}

fn build_one(function: &Function, compiler: WasmCompiler) -> Result<()> {
    let step = Step::start(format!("building function {}", function.name));
    let inputs = ["core", "functions/edge", "Cargo.toml", "Cargo.lock", "package-lock.json"];
    let fingerprint = Fingerprint::default()
        .text(&format!("{compiler:?}"))
        .paths(&inputs.map(checkout::path))?
        .path(&checkout::path("functions").join(&function.name))?
        .path(&checkout::path("rpc"))?
        .hex();
    let stamp = Stamp::new(checkout::target().join(format!("wasm-{}.stamp", function.name)));
    let module = output().join(format!("{}_bg.wasm", function.name));
    if stamp.matches(&fingerprint) && module.exists() {
        step.done(format!("function {} unchanged, {}", function.name, sizes(&module)?));
        return Ok(());
    }
    stamp.clear();
    command::run(&mut cargo(function, compiler)?, Some(&step))?;
    // Made beside, moved over: a function that is loading never sees half a module.
    let draft = checkout::target().join("wasm-bindgen").join(&function.name);
    let optimised = bind(function, compiler, &draft, &step)?;
    fs::create_dir_all(output())?;
    publish(&optimised, &module)?;
    let script = format!("{}.js", function.name);
    publish(&draft.join(&script), &output().join(&script))?;
    stamp.write(&fingerprint)?;
    step.done(format!("function {} built, {}", function.name, sizes(&module)?));
    Ok(())
}

/// The module with its feature `bench`, which no deployed one has; gives the directory it is in.
pub fn build_for_bench(name: &str) -> Result<PathBuf> {
    let step = Step::start(format!("building function {name} for the bench"));
    let compiler = toolchain::wasm_compiler().context("nothing here can compile to WASM")?;
    let mut functions = functions()?.into_iter();
    let function = functions.find(|one| one.name == name).context("there is no such function")?;
    let mut cargo = cargo(&function, compiler)?;
    command::run(cargo.args(["--features", "bench"]), Some(&step))?;
    let directory = checkout::target().join("bench").join(name);
    let optimised = bind(&function, compiler, &directory, &step)?;
    publish(&optimised, &directory.join(format!("{name}_bg.wasm")))?;
    step.done(format!("function {name} built for the bench"));
    Ok(directory)
}

/// Runs wasm-bindgen into `draft` and wasm-opt on what it made; gives the optimised module.
fn bind(function: &Function, compiler: WasmCompiler, draft: &Path, step: &Step) -> Result<PathBuf> {
    let built = target(compiler)
        .join(WASM_TARGET)
        .join("wasm")
        .join(format!("{}.wasm", function.package.replace('-', "_")));
    fs::create_dir_all(draft)?;
    let bindgen = command::find("wasm-bindgen")
        .context("wasm-bindgen is missing: run `cargo xtask doctor`")?;
    let mut bindgen = Command::new(bindgen);
    bindgen
        .args(["--target", "web", "--no-typescript", "--out-name", &function.name, "--out-dir"])
        .arg(draft)
        .arg(&built);
    command::run(&mut bindgen, Some(step))?;
    let unoptimised = draft.join(format!("{}_bg.wasm", function.name));
    let optimised = draft.join("optimised.wasm");
    let mut wasm_opt = Command::new(node::program("wasm-opt")?);
    wasm_opt.arg("-Os").args(FEATURES).arg(&unoptimised).arg("-o").arg(&optimised);
    command::run(&mut wasm_opt, Some(step))?;
    Ok(optimised)
}

fn publish(from: &Path, to: &Path) -> Result<()> {
    let temporary = to.with_extension("new");
    fs::copy(from, &temporary)
        .and_then(|_| fs::rename(&temporary, to))
        .with_context(|| format!("cannot write {}", to.display()))
}

/// Two compilers of different versions must not share their results.
fn target(compiler: WasmCompiler) -> PathBuf {
    match compiler {
        WasmCompiler::Rustup => checkout::target(),
        WasmCompiler::Debian => checkout::target().join("debian"),
    }
}

fn cargo(function: &Function, compiler: WasmCompiler) -> Result<Command> {
    let mut cargo = match compiler {
        WasmCompiler::Rustup => command::cargo(),
        WasmCompiler::Debian => debian_cargo()?,
    };
    cargo
        .args(["build", "--profile", "wasm", "--target", WASM_TARGET, "-p", &function.package])
        .arg("--target-dir")
        .arg(target(compiler))
        // They would take the place of those below.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .arg("--config")
        .arg(format!("target.{WASM_TARGET}.rustflags={:?}", remapped()))
        .current_dir(checkout::root());
    Ok(cargo)
}

/// Places in the code as the module names them after a panic: without whose machine it was built on, so that each builds the same.
fn remapped() -> Vec<String> {
    let home = std::env::home_dir().unwrap_or_default();
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    [cargo.join("registry/src"), checkout::root().to_owned()]
        .map(|prefix| format!("--remap-path-prefix={}/=", prefix.display()))
        .into()
}

/// Debian ships no standard library for this target, so it is built along, from Debian's source.
fn debian_cargo() -> Result<Command> {
    let linker = toolchain::wasm_linker().context("rustup's toolchain has no rust-lld")?;
    let mut cargo = Command::new("/usr/bin/cargo");
    for variable in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "CARGO"] {
        cargo.env_remove(variable);
    }
    cargo
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTDOC", "/usr/bin/rustdoc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        .env("CARGO_TERM_COLOR", "never")
        .arg("-Zbuild-std=std,panic_abort");
    Ok(cargo)
}

fn sizes(module: &Path) -> Result<String> {
    let raw = module.metadata().context("the module is missing")?.len();
    Ok(match gzip_size(module) {
        Some(gzip) => format!("{}, gzip {}", kilobytes(raw), kilobytes(gzip)),
        None => kilobytes(raw),
    })
}

fn gzip_size(path: &Path) -> Option<u64> {
    let output = Command::new("gzip").args(["-9", "-c"]).arg(path).stderr(Stdio::null()).output();
    let size = output.ok().filter(|output| output.status.success())?.stdout.len();
    u64::try_from(size).ok()
}

/// `cargo clippy` for the code that only exists on the WASM target.
pub fn clippy() -> Result<Option<Command>> {
    // Debian's compiler comes without clippy.
    if toolchain::wasm_compiler() != Some(WasmCompiler::Rustup) {
        return Ok(None);
    }
    let functions = functions()?;
    if functions.is_empty() {
        bail!("no deployable crate under functions/");
    }
    let mut clippy = command::cargo();
    clippy.args(["clippy", "--quiet", "--target", WASM_TARGET]).current_dir(checkout::root());
    for function in &functions {
        clippy.args(["-p", &function.package]);
    }
    clippy.args(["--", "-D", "warnings"]);
    Ok(Some(clippy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dynamic_libraries_are_deployed() {
        let function =
            "[package]\nname = \"fieldcrm-fn-crm\"\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";
        assert_eq!(deployable(function).as_deref(), Some("fieldcrm-fn-crm"));
        assert_eq!(deployable("[package]\nname = \"fieldcrm-edge\"\n"), None);
    }
}
