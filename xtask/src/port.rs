//! Who listens on a port of this machine.

use std::collections::HashSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

use crate::proc;

/// Fails with one line that names the port and, where `/proc` tells, the program on it.
pub fn require_free(port: u16, purpose: &str) -> Result<()> {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
        return Ok(());
    }
    let owner = match owner(port) {
        Some((pid, program)) => format!("by process {pid} ({program})"),
        None => "by another program (its owner is not visible to you)".to_owned(),
    };
    bail!(
        "port {port}, which {purpose} needs, is in use {owner}: stop that, or set {} to a free port, and try again",
        crate::stack::PORT_VARIABLE
    )
}

fn owner(port: u16) -> Option<(u32, String)> {
    let mut sockets = HashSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        sockets.extend(listening(&fs::read_to_string(table).unwrap_or_default(), port));
    }
    let pid = proc::all().into_iter().find(|pid| holds(*pid, &sockets))?;
    let mut program = proc::command_line(pid).or_else(|| proc::name(pid))?;
    if program.chars().count() > 80 {
        program = program.chars().take(80).chain(['…']).collect();
    }
    Some((pid, program))
}

/// The inodes of the sockets that listen on `port`, from a table like `/proc/net/tcp`.
fn listening(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listens = *fields.get(3)? == "0A" && fields.get(1)?.ends_with(&suffix);
            listens.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
        })
        .collect()
}

fn holds(pid: u32, sockets: &HashSet<String>) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors
        .flatten()
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| target.to_str().is_some_and(|target| sockets.contains(target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:D431 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n   1: 0100007F:D431 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n";

    #[test]
    fn only_the_listening_socket_counts() {
        assert_eq!(listening(TABLE, 54321), ["socket:[4711]"]);
        assert!(listening(TABLE, 54322).is_empty());
    }

    #[test]
    fn the_owner_is_named() {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let message = require_free(port, "the API").unwrap_err().to_string();
        assert!(message.contains(&port.to_string()), "{message}");
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        drop(socket);
        require_free(port, "the API").unwrap();
    }
}
