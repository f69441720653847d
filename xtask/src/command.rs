//! Runs other programs: quietly, interruptibly, and with a readable error when they fail.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::report::{Step, plain};
use crate::{interrupt, proc};

pub struct Finished {
    pub status: ExitStatus,
    /// Standard output and standard error as they came, without terminal escapes.
    pub output: String,
}

impl Finished {
    pub fn tail(&self, lines: usize) -> String {
        let all: Vec<&str> = self.output.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// Runs to the end whatever the exit status; fails only if it cannot be started or on Ctrl-C.
pub fn finish(command: &mut Command, step: Option<&Step>) -> Result<Finished> {
    finish_with(command, |line| {
        if let Some(step) = step {
            step.detail(line);
        }
    })
}

pub fn finish_with(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<Finished> {
    let program = name(command);
    interrupt::check()?;
    // Its own process group: Ctrl-C reaches xtask alone, which then stops what it started.
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let (sender, receiver) = channel();
    forward(child.stdout.take(), sender.clone());
    forward(child.stderr.take(), sender);
    let mut output = String::new();
    let mut exited: Option<(ExitStatus, Instant)> = None;
    loop {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => {
                on_line(&line);
                output.push_str(&line);
                output.push('\n');
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = match exited {
                    Some((status, _)) => status,
                    None => wait(&mut child, &program)?,
                };
                return Ok(Finished { status, output });
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if interrupt::requested() {
            stop(&mut child);
            bail!("interrupted during {program}");
        }
        match exited {
            // A daemon it left behind may hold the pipes open for ever.
            Some((status, at)) if at.elapsed() > Duration::from_secs(1) => {
                return Ok(Finished { status, output });
            }
            Some(_) => {}
            None => {
                exited = child
                    .try_wait()
                    .with_context(|| format!("cannot wait for {program}"))?
                    .map(|status| (status, Instant::now()));
            }
        }
    }
}

/// Waits for a child whose output has ended, still listening for Ctrl-C.
fn wait(child: &mut Child, program: &str) -> Result<ExitStatus> {
    loop {
        if let Some(status) =
            child.try_wait().with_context(|| format!("cannot wait for {program}"))?
        {
            return Ok(status);
        }
        if interrupt::requested() {
            stop(child);
            bail!("interrupted during {program}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn stop(child: &mut Child) {
    proc::stop_group(child.id(), Duration::from_secs(5));
    let _ = child.wait();
}

fn forward(source: Option<impl Read + Send + 'static>, lines: Sender<String>) {
    let Some(source) = source else { return };
    std::thread::spawn(move || {
        let mut reader = BufReader::new(source);
        let mut raw = Vec::new();
        while matches!(reader.read_until(b'\n', &mut raw), Ok(read) if read > 0) {
            let line = plain(String::from_utf8_lossy(&raw).trim_end());
            raw.clear();
            if lines.send(line).is_err() {
                break;
            }
        }
    });
}

/// Runs and insists on success; a failure shows the end of the output and then one line.
pub fn run(command: &mut Command, step: Option<&Step>) -> Result<String> {
    let finished = finish(command, step)?;
    if finished.status.success() {
        return Ok(finished.output);
    }
    eprintln!("{}", finished.tail(40));
    bail!("{} failed ({}), its output is above", name(command), finished.status)
}

/// The trimmed output of a short question such as `node --version`, if it can be asked at all.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Becomes the program: for interactive ones, which want the terminal for themselves.
pub fn exec(command: &mut Command) -> Result<std::process::ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", name(command)))
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(program.as_os_str()).display().to_string();
    for argument in command.get_args().take(2) {
        let argument = argument.to_string_lossy();
        if argument.starts_with('-') || argument.contains('/') || argument.len() > 20 {
            break;
        }
        text.push(' ');
        text.push_str(&argument);
    }
    text
}

/// A program on the PATH or among those cargo installed, which need not be on the PATH yet.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(cargo_bin())
        .chain(system)
        .map(|directory| directory.join(program))
        .find(|candidate| is_executable(candidate))
}

fn cargo_bin() -> Option<PathBuf> {
    std::env::var_os("CARGO_INSTALL_ROOT")
        .or_else(|| std::env::var_os("CARGO_HOME"))
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
        .map(|home| home.join("bin"))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// `cargo` as a fresh start: without what the outer `cargo run` set for xtask itself.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&key);
        }
    }
    if let Some(path) = path_with_cargo_bin() {
        command.env("PATH", path);
    }
    command.env("CARGO_TERM_COLOR", "never");
    command
}

fn path_with_cargo_bin() -> Option<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.extend(cargo_bin());
    std::env::join_paths(directories).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_of_both_streams_is_collected() {
        let finished =
            finish(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), None)
                .unwrap();
        assert_eq!(finished.status.code(), Some(3));
        let mut lines: Vec<&str> = finished.output.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["err", "out"]);
    }

    #[test]
    fn a_daemon_left_behind_does_not_hold_us() {
        let started = Instant::now();
        finish(Command::new("sh").args(["-c", "sleep 30 & echo started"]), None).unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn names_are_short() {
        assert_eq!(
            name(Command::new("/usr/bin/cargo").args(["pgrx", "package", "-p"])),
            "cargo pgrx package"
        );
        assert_eq!(name(Command::new("psql").args(["-X", "-f"])), "psql");
    }

    #[test]
    fn a_missing_program_is_one_line() {
        let error = run(&mut Command::new("no-such-program-here"), None).unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot start no-such-program-here"));
    }
}
