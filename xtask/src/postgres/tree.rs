//! A private copy of the installed server's directory tree, so that our extension can be added
//! without writing to the system, and without touching another stack that runs.
//!
//! Postgres finds its files relative to its own program. So the programs are copied (a symbolic
//! link would be resolved back to the system), and everything else is a link to the system's file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Layout, layout};
use crate::fingerprint::{Fingerprint, Stamp};
use crate::{command, pgvector};

pub struct Tree {
    root: PathBuf,
    system: Layout,
    common: PathBuf,
}

impl Tree {
    pub fn new(root: PathBuf) -> Result<Self> {
        let system = layout()?;
        let common = common_ancestor(&[&system.bin, &system.lib, &system.share]);
        Ok(Self { root, system, common })
    }

    fn inside(&self, system: &Path) -> PathBuf {
        self.root.join(system.strip_prefix(&self.common).unwrap_or(system))
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.inside(&self.system.bin).join(name)
    }

    pub fn libraries(&self) -> PathBuf {
        self.inside(&self.system.lib)
    }

    pub fn extensions(&self) -> PathBuf {
        self.inside(&self.system.share).join("extension")
    }

    pub fn stamp(&self) -> Stamp {
        Stamp::new(self.root.join("stamp"))
    }

    pub fn fingerprint(&self) -> Result<String> {
        let mut fingerprint = Fingerprint::default()
            .text(&self.system.version)
            .modified(&self.system.bin.join("postgres"))
            .modified(&pgvector::stage());
        // A package installed later brings new files to link to.
        for directory in [self.system.lib.clone(), self.system.share.join("extension")] {
            for name in names(&directory)? {
                fingerprint = fingerprint.text(&name);
            }
        }
        Ok(fingerprint.hex())
    }

    /// Makes the tree anew. The server must not run from it meanwhile.
    pub fn build(&self) -> Result<()> {
        let _ = fs::remove_dir_all(&self.root);
        let bin = self.inside(&self.system.bin);
        fs::create_dir_all(&bin).with_context(|| format!("cannot create {}", bin.display()))?;
        for name in names(&self.system.bin)? {
            let program = self.system.bin.join(&name);
            if program.is_file() {
                fs::copy(&program, bin.join(&name))
                    .with_context(|| format!("cannot copy {}", program.display()))?;
            }
        }
        link_all(&self.system.lib, &self.libraries(), &[])?;
        link_all(&self.system.share, &self.inside(&self.system.share), &["extension"])?;
        link_all(&self.system.share.join("extension"), &self.extensions(), &[])?;
        for file in pgvector::staged_files(&self.system.lib) {
            place(&file, &self.libraries())?;
        }
        for file in pgvector::staged_files(&self.system.share.join("extension")) {
            place(&file, &self.extensions())?;
        }
        self.verify()
    }

    /// A server that looks for its files elsewhere would run without our extension.
    fn verify(&self) -> Result<()> {
        let answer = command::answer(
            Command::new(self.program("pg_config")).args(["--sharedir", "--pkglibdir"]),
        )
        .context("the private Postgres does not run: run `cargo xtask doctor`")?;
        let same = |found: Option<&str>, wanted: &Path| {
            let wanted = fs::canonicalize(wanted).ok();
            found.and_then(|found| fs::canonicalize(found).ok()) == wanted
        };
        let mut lines = answer.lines();
        let relocated = same(lines.next(), &self.inside(&self.system.share))
            && same(lines.next(), &self.libraries());
        if !relocated {
            bail!("this build of Postgres cannot be relocated: set PG_CONFIG to Debian's");
        }
        Ok(())
    }
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn link_all(from: &Path, to: &Path, except: &[&str]) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for name in names(from)? {
        if !except.contains(&name.as_str()) {
            symlink(from.join(&name), to.join(&name))
                .with_context(|| format!("cannot link {name} into {}", to.display()))?;
        }
    }
    Ok(())
}

/// Copies beside the old file and renames: a running server keeps the library it has mapped.
pub fn place(file: &Path, directory: &Path) -> Result<()> {
    let name = file.file_name().context("not a file")?;
    let temporary = directory.join(".new");
    fs::copy(file, &temporary)
        .and_then(|_| fs::rename(&temporary, directory.join(name)))
        .with_context(|| format!("cannot copy {} to {}", file.display(), directory.display()))
}

fn common_ancestor(paths: &[&Path]) -> PathBuf {
    let Some((first, others)) = paths.split_first() else { return PathBuf::new() };
    first
        .ancestors()
        .find(|ancestor| others.iter().all(|path| path.starts_with(ancestor)))
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_ancestor_keeps_relative_places() {
        let ancestor = common_ancestor(&[
            Path::new("/usr/lib/postgresql/15/bin"),
            Path::new("/usr/lib/postgresql/15/lib"),
            Path::new("/usr/share/postgresql/15"),
        ]);
        assert_eq!(ancestor, Path::new("/usr"));
    }
}
