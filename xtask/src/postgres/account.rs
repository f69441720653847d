//! The system account the server runs under: Postgres refuses to run as root.

use std::fs;
use std::os::unix::fs::{chown, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

#[derive(Clone, Copy)]
pub struct Account {
    /// Set when we are root: the ids of user `postgres`.
    ids: Option<(u32, u32)>,
}

impl Account {
    pub fn current() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { ids: None });
        }
        let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let ids = ids_of("postgres", &users).context(
            "there is no user postgres for the server to run as: run `useradd --system postgres`",
        )?;
        Ok(Self { ids: Some(ids) })
    }

    pub fn run_as(&self, command: &mut Command) {
        if let Some((user, group)) = self.ids {
            // Dropping root this way also drops root's supplementary groups.
            command.uid(user).gid(group);
        }
    }

    /// Whether the server could reach `directory`; every directory above it counts.
    pub fn can_enter(&self, directory: &Path) -> bool {
        let mut test = Command::new("/usr/bin/test");
        test.arg("-x").arg(directory).current_dir("/");
        self.run_as(&mut test);
        test.status().is_ok_and(|status| status.success())
    }

    pub fn give(&self, path: &Path) -> Result<()> {
        if let Some((user, group)) = self.ids {
            chown(path, Some(user), Some(group))
                .with_context(|| format!("cannot give {} to user postgres", path.display()))?;
        }
        Ok(())
    }

    /// A file of the server's that we wrote.
    pub fn write(&self, path: &Path, text: &str) -> Result<()> {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        if let Some((user, group)) = self.ids {
            lchown(path, Some(user), Some(group))?;
        }
        Ok(())
    }
}

fn ids_of(user: &str, passwd: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.first() == Some(&user))
            .then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_passwd() {
        let passwd = "root:x:0:0::/root:/bin/bash\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        assert_eq!(ids_of("postgres", passwd), Some((101, 104)));
        assert_eq!(ids_of("nobody", passwd), None);
    }
}
