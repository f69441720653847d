//! Tells whether the inputs of a step changed since it last succeeded.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Directories that hold results or other people's code, never inputs.
const IGNORED: [&str; 4] = ["target", "node_modules", ".git", ".local"];

#[derive(Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    pub fn text(mut self, text: &str) -> Self {
        self.add(text.as_bytes());
        self
    }

    /// A file's or a whole directory's names and contents; what does not exist counts as such.
    pub fn path(mut self, path: &Path) -> Result<Self> {
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort();
        for file in files {
            let content =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            self.add(file.strip_prefix(path).unwrap_or(&file).as_os_str().as_encoded_bytes());
            self.add(&content);
        }
        self.add(b"end");
        Ok(self)
    }

    pub fn paths<P: AsRef<Path>>(mut self, paths: &[P]) -> Result<Self> {
        for path in paths {
            self = self.path(path.as_ref())?;
        }
        Ok(self)
    }

    /// When a file was last written, for inputs too large to read each time.
    pub fn modified(self, path: &Path) -> Self {
        let time = path.metadata().and_then(|data| data.modified()).ok();
        self.text(&format!("{time:?}"))
    }

    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }

    // Lengths keep "ab","c" apart from "a","bc".
    fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes.len().to_le_bytes());
        self.0.update(bytes);
    }
}

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in
            fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?
        {
            let entry = entry?;
            if !IGNORED.iter().any(|name| entry.file_name() == *name) {
                collect(&entry.path(), files)?;
            }
        }
    } else if path.is_file() {
        files.push(path.to_path_buf());
    }
    Ok(())
}

/// A file that remembers the fingerprint with which a step last succeeded.
pub struct Stamp(PathBuf);

impl Stamp {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn matches(&self, fingerprint: &str) -> bool {
        fs::read_to_string(&self.0).is_ok_and(|found| found == fingerprint)
    }

    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    pub fn write(&self, fingerprint: &str) -> Result<()> {
        if let Some(directory) = self.0.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&self.0, fingerprint)
            .with_context(|| format!("cannot write {}", self.0.display()))
    }

    pub fn clear(&self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(directory: &Path) -> String {
        Fingerprint::default().path(directory).unwrap().hex()
    }

    #[test]
    fn content_and_names_count_and_results_do_not() {
        let directory =
            std::env::temp_dir().join(format!("fieldcrm-fingerprint-{}", std::process::id()));
        fs::create_dir_all(directory.join("target")).unwrap();
        fs::write(directory.join("a.sql"), "select 1").unwrap();
        let first = of(&directory);
        fs::write(directory.join("target/out"), "x").unwrap();
        assert_eq!(first, of(&directory));
        fs::write(directory.join("a.sql"), "select 2").unwrap();
        let second = of(&directory);
        assert_ne!(first, second);
        fs::rename(directory.join("a.sql"), directory.join("b.sql")).unwrap();
        assert_ne!(second, of(&directory));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn pieces_do_not_run_together() {
        let one = Fingerprint::default().text("ab").text("c").hex();
        let other = Fingerprint::default().text("a").text("bc").hex();
        assert_ne!(one, other);
    }
}
