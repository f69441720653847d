//! The table of tools this project needs, how each is found and what installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::report::Step;
use crate::{checkout, command, node, postgres};

/// Why each package: the server and its tools, what the tests load, and what bindgen and pgvector
/// compile with.
const SERVER_PACKAGES: [&str; 6] = [
    "postgresql-15",
    "postgresql-server-dev-15",
    "postgresql-15-pgtap",
    "postgresql-15-plpgsql-check",
    "postgresql-15-wal2json",
    "postgresql-15-cron",
];
const BUILD_PACKAGES: [&str; 7] =
    ["clang", "libclang-dev", "gcc", "libc6-dev", "make", "pkg-config", "xz-utils"];
/// Builds the WASM target where rustup has none: rustc, cargo and the standard library's source.
const DEBIAN_WASM_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

pub enum Install {
    /// Needs root; by us when we are root.
    Package(&'static str),
    /// Needs no root: always by us.
    Command(Vec<String>),
    /// Only the user can decide how.
    ByHand(&'static str),
}

pub struct Tool {
    pub name: String,
    pub needed: String,
    pub found: Option<String>,
    pub install: Install,
}

impl Tool {
    pub fn remedy(&self) -> String {
        match &self.install {
            Install::Package(package) => apt_command(&[package]),
            Install::Command(words) => words.join(" "),
            Install::ByHand(advice) => (*advice).to_owned(),
        }
    }
}

/// How the WASM modules are compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WasmCompiler {
    Rustup,
    Debian,
}

pub fn survey() -> Result<Vec<Tool>> {
    let mut tools = packages();
    tools.push(node_tool());
    tools.push(Tool {
        name: "npm".to_owned(),
        needed: "any".to_owned(),
        found: command::answer(Command::new("npm").arg("--version")),
        install: Install::ByHand("install npm, it comes with Node"),
    });
    for component in ["rustfmt", "clippy"] {
        tools.push(component_tool(component));
    }
    let pgrx = checkout::pinned("pgrx")?;
    tools.push(cargo_tool("cargo-pgrx", "cargo-pgrx", &["pgrx", "--version"], &pgrx));
    let bindgen = checkout::pinned("wasm-bindgen")?;
    tools.push(cargo_tool("wasm-bindgen-cli", "wasm-bindgen", &["--version"], &bindgen));
    tools.push(Tool {
        name: WASM_TARGET.to_owned(),
        needed: "Rust target".to_owned(),
        found: wasm_compiler().map(|compiler| match compiler {
            WasmCompiler::Rustup => "in rustup's toolchain".to_owned(),
            WasmCompiler::Debian => "built by Debian's rustc-web".to_owned(),
        }),
        install: Install::Command(words(&["rustup", "target", "add", WASM_TARGET])),
    });
    Ok(tools)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn packages() -> Vec<Tool> {
    let mut wanted: Vec<&'static str> = Vec::new();
    if postgres::is_debian() {
        wanted.extend(SERVER_PACKAGES);
    }
    wanted.extend(BUILD_PACKAGES);
    if command::find("dpkg-query").is_none() {
        return without_packages();
    }
    let installed = installed_packages(&wanted);
    wanted
        .into_iter()
        .map(|package| Tool {
            name: package.to_owned(),
            needed: "Debian package".to_owned(),
            found: installed
                .iter()
                .find(|(name, _)| name == package)
                .map(|(_, version)| version.clone()),
            install: Install::Package(package),
        })
        .collect()
}

/// On another kind of system we can only look for the programs themselves.
fn without_packages() -> Vec<Tool> {
    let mut tools: Vec<Tool> = ["clang", "cc", "make", "pkg-config"]
        .map(|program| Tool {
            name: program.to_owned(),
            needed: "any".to_owned(),
            found: command::find(program).map(|path| path.display().to_string()),
            install: Install::ByHand("install it with this system's package manager"),
        })
        .into();
    tools.push(Tool {
        name: "PostgreSQL".to_owned(),
        needed: "15, with server headers and pgTAP".to_owned(),
        found: command::answer(Command::new(postgres::pg_config()).arg("--version")),
        install: Install::ByHand("install PostgreSQL 15 and set PG_CONFIG to its pg_config"),
    });
    tools
}

fn installed_packages(names: &[&str]) -> Vec<(String, String)> {
    // Exit status 1 only says that one of them is unknown: the output still lists the others.
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status} ${Package} ${Version}\\n"])
        .args(names)
        .output();
    let Ok(output) = output else { return Vec::new() };
    parse_packages(&String::from_utf8_lossy(&output.stdout))
}

fn parse_packages(list: &str) -> Vec<(String, String)> {
    list.lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("installed ")?;
            let (name, version) = rest.split_once(' ')?;
            Some((name.to_owned(), version.to_owned()))
        })
        .collect()
}

fn node_tool() -> Tool {
    let version = node::version();
    let recent = version.as_deref().and_then(node::major).is_some_and(|it| it >= node::OLDEST);
    Tool {
        name: "Node".to_owned(),
        needed: format!("{} or later", node::OLDEST),
        found: version.filter(|_| recent),
        install: Install::ByHand("install Node 20 or later"),
    }
}

fn component_tool(component: &str) -> Tool {
    let program = if component == "clippy" { "clippy" } else { "fmt" };
    Tool {
        name: component.to_owned(),
        needed: "Rust component".to_owned(),
        found: command::answer(command::cargo().args([program, "--version"])),
        install: Install::Command(words(&["rustup", "component", "add", component])),
    }
}

fn cargo_tool(package: &str, program: &str, question: &[&str], version: &str) -> Tool {
    let asked = command::find(program)
        .and_then(|path| command::answer(Command::new(path).args(question)))
        .and_then(|answer| answer.split_whitespace().nth(1).map(str::to_owned));
    Tool {
        name: package.to_owned(),
        needed: version.to_owned(),
        found: asked.filter(|found| found == version),
        // Not --locked: a registry mirror may lag behind the lock file in the package.
        install: Install::Command(words(&["cargo", "install", package, "--version", version])),
    }
}

/// What compiles to WASM here; Debian's compiler where rustup's toolchain lacks the target.
pub fn wasm_compiler() -> Option<WasmCompiler> {
    let forced = std::env::var("FIELDCRM_WASM_TOOLCHAIN").unwrap_or_default();
    let sysroot = sysroot()?;
    let rustup = sysroot.join("lib/rustlib").join(WASM_TARGET).join("lib").is_dir();
    if rustup && forced != "debian" {
        return Some(WasmCompiler::Rustup);
    }
    let debian = Path::new("/usr/lib/rustlib/src/rust/library").exists()
        && Path::new("/usr/bin/cargo").exists()
        && wasm_linker().is_some();
    (debian && forced != "rustup").then_some(WasmCompiler::Debian)
}

fn sysroot() -> Option<PathBuf> {
    command::answer(Command::new("rustc").args(["--print", "sysroot"])).map(PathBuf::from)
}

/// The linker that comes with rustup's toolchain: Debian's compiler brings none for WASM.
pub fn wasm_linker() -> Option<PathBuf> {
    let libraries = sysroot()?.join("lib/rustlib");
    let hosts = std::fs::read_dir(libraries).ok()?;
    hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|path| path.is_file())
}

/// Installs what is missing and may be installed; explains the rest.
pub fn ensure() -> Result<()> {
    let step = Step::start("tools");
    let missing: Vec<Tool> = survey()?.into_iter().filter(|tool| tool.found.is_none()).collect();
    if let Some(tool) = missing.iter().find(|tool| matches!(tool.install, Install::ByHand(_))) {
        bail!("{} ({}) is missing: {}", tool.name, tool.needed, tool.remedy());
    }
    if missing.is_empty() {
        step.done("tools present");
        return Ok(());
    }
    step.done(format!("tools checked, {} to install", missing.len()));
    let packages: Vec<&str> = missing
        .iter()
        .filter_map(|tool| match tool.install {
            Install::Package(package) => Some(package),
            _ => None,
        })
        .collect();
    install_packages(&packages)?;
    for tool in &missing {
        if let Install::Command(words) = &tool.install {
            install_tool(tool, words)?;
        }
    }
    Ok(())
}

fn install_tool(tool: &Tool, words: &[String]) -> Result<()> {
    let step = Step::start(format!("installing {} {}", tool.name, tool.needed));
    let mut install = if words.first().is_some_and(|word| word == "cargo") {
        command::cargo()
    } else {
        Command::new(&words[0])
    };
    // Outside the clone: its target directory and its settings are none of this tool's business.
    install.args(&words[1..]).current_dir(std::env::temp_dir()).env_remove("CARGO_TARGET_DIR");
    if tool.name != WASM_TARGET {
        command::run(&mut install, Some(&step))?;
        step.done(format!("{} {} installed", tool.name, tool.needed));
        return Ok(());
    }
    let added = command::find("rustup").is_some()
        && command::finish(&mut install, Some(&step))?.status.success();
    if added {
        step.done(format!("{WASM_TARGET} added"));
        return Ok(());
    }
    step.warn(format!("{WASM_TARGET} cannot be added by rustup, using Debian's compiler"));
    install_packages(&DEBIAN_WASM_PACKAGES)?;
    if wasm_compiler().is_none() {
        bail!("nothing here can compile to WASM: run `{}`", tool.remedy());
    }
    Ok(())
}

fn apt_command(packages: &[&str]) -> String {
    format!("sudo apt-get install -y --no-install-recommends {}", packages.join(" "))
}

fn install_packages(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        bail!("Debian packages are missing and you are not root: run `{}`", apt_command(packages));
    }
    let step = Step::start(format!("installing {} Debian packages", packages.len()));
    command::run(apt().arg("update"), Some(&step))?;
    let server = packages.contains(&"postgresql-15");
    let restore = if server { keep_server_off(&step)? } else { None };
    let outcome = command::run(
        apt().args(["install", "-y", "--no-install-recommends"]).args(packages),
        Some(&step),
    );
    if let Some(original) = restore {
        let _ = std::fs::write(CREATE_CLUSTER, original);
    }
    outcome?;
    step.done(format!("{} Debian packages installed", packages.len()));
    Ok(())
}

const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

/// Debian makes and starts a server on port 5432 when it first installs one. Nobody asked for it
/// here, so that is switched off during the installation; returns the file's text to put back.
fn keep_server_off(step: &Step) -> Result<Option<String>> {
    if !installed_packages(&["postgresql-common"]).is_empty() {
        return Ok(None);
    }
    command::run(
        apt().args(["install", "-y", "--no-install-recommends", "postgresql-common"]),
        Some(step),
    )?;
    let Ok(original) = std::fs::read_to_string(CREATE_CLUSTER) else { return Ok(None) };
    let off = format!("{original}\ncreate_main_cluster = false\n");
    Ok(std::fs::write(CREATE_CLUSTER, off).is_ok().then_some(original))
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
    apt.args(["-q", "-o", "DPkg::Lock::Timeout=120"]);
    apt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installed_packages_count() {
        let list = "installed gcc 4:12.2.0-3\nconfig-files clang 1:14.0\nnot-installed make \n";
        assert_eq!(parse_packages(list), [("gcc".to_owned(), "4:12.2.0-3".to_owned())]);
    }

    #[test]
    fn every_tool_says_what_installs_it() {
        for tool in survey().unwrap() {
            assert!(!tool.remedy().is_empty(), "{}", tool.name);
        }
    }

    #[test]
    fn another_version_is_a_missing_tool() {
        let tool = cargo_tool("cargo-pgrx", "cargo", &["--version"], "0.0.0");
        assert!(tool.found.is_none());
        assert_eq!(tool.remedy(), "cargo install cargo-pgrx --version 0.0.0");
    }
}
