//! Processes of this machine, as `/proc` tells of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

pub fn all() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

pub fn working_directory(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The program's name as the kernel keeps it (at most 15 characters).
pub fn name(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim().to_owned())
}

pub fn command_line(pid: u32) -> Option<String> {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> = raw
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(String::from_utf8_lossy)
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Whether the process was started with this variable in its environment.
pub fn has_variable(pid: u32, name: &str, value: &Path) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    let wanted = format!("{name}={}", value.display());
    environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
}

/// A zombie has ended; only its parent has not noticed yet.
pub fn is_alive(pid: u32) -> bool {
    status_fields(pid).is_some_and(|(state, _)| !matches!(state.as_str(), "Z" | "X"))
}

pub fn group(pid: u32) -> Option<u32> {
    status_fields(pid).map(|(_, group)| group)
}

/// State and process group; the name before them may itself contain spaces and parentheses.
fn status_fields(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&stat)
}

fn parse_stat(stat: &str) -> Option<(String, u32)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.to_owned();
    Some((state, fields.nth(1)?.parse().ok()?))
}

fn members(group_id: u32) -> Vec<u32> {
    all().into_iter().filter(|pid| group(*pid) == Some(group_id) && is_alive(*pid)).collect()
}

/// Asks every process of the group to end, and makes those end that have not after `patience`.
pub fn stop_group(group_id: u32, patience: Duration) {
    signal_group(group_id, Signal::TERM);
    if !gone(|| members(group_id).is_empty(), patience) {
        signal_group(group_id, Signal::KILL);
        gone(|| members(group_id).is_empty(), Duration::from_secs(2));
    }
}

/// The same for single processes; tells whether all of them are gone.
pub fn stop_all(pids: &[u32], patience: Duration) -> bool {
    let ended = || pids.iter().all(|pid| !is_alive(*pid));
    for pid in pids {
        signal(*pid, Signal::TERM);
    }
    if gone(ended, patience) {
        return true;
    }
    for pid in pids {
        signal(*pid, Signal::KILL);
    }
    gone(ended, Duration::from_secs(2))
}

/// Ends a process without asking it.
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

/// Waits until `condition` holds; false when it still does not after `patience`.
pub fn gone(condition: impl Fn() -> bool, patience: Duration) -> bool {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        let _ = kill_process(pid, signal);
    }
}

fn signal_group(group_id: u32, signal: Signal) {
    if let Some(group_id) = to_pid(group_id) {
        let _ = kill_process_group(group_id, signal);
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_a_nasty_name() {
        assert_eq!(parse_stat("42 (a) S (b) R 7 99 99 0"), Some(("R".to_owned(), 99)));
    }

    #[test]
    fn this_process_is_alive_and_has_a_name() {
        let pid = std::process::id();
        assert!(is_alive(pid));
        assert!(name(pid).is_some());
        assert!(command_line(pid).is_some());
        assert!(all().contains(&pid));
    }

    #[test]
    fn a_process_is_known_by_its_environment() {
        let mut child = std::process::Command::new("sleep")
            .arg("30")
            .env("FIELDCRM_PROC_TEST", "/tmp/some where")
            .spawn()
            .unwrap();
        let found = gone(
            || has_variable(child.id(), "FIELDCRM_PROC_TEST", Path::new("/tmp/some where")),
            Duration::from_secs(5),
        );
        assert!(found);
        assert!(!has_variable(child.id(), "FIELDCRM_PROC_TEST", Path::new("/tmp/some")));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(child.id()));
    }

    #[test]
    fn the_first_processes_are_never_signalled() {
        assert!(to_pid(0).is_none());
        assert!(to_pid(1).is_none());
    }
}
