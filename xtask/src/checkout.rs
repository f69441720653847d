//! Where this clone is and what it pins.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

/// The workspace's directory: asked at run time, so that a moved clone still works.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let here = std::env::current_dir().unwrap_or_default();
        let from_here = here.ancestors().find(|directory| directory.join("migrations").is_dir());
        manifest
            .and_then(|xtask| xtask.parent().map(Path::to_path_buf))
            .or_else(|| from_here.map(Path::to_path_buf))
            .unwrap_or(here)
    })
}

pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| path("target"), |directory| root().join(directory))
}

/// The exact version of a dependency that the workspace pins with `=`.
pub fn pinned(dependency: &str) -> Result<String> {
    let manifest = path("Cargo.toml");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    pinned_in(&text, dependency)
        .with_context(|| format!("Cargo.toml does not pin {dependency} with \"=<version>\""))
}

fn pinned_in(manifest: &str, dependency: &str) -> Option<String> {
    manifest.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        if name.trim() != dependency {
            return None;
        }
        let start = value.find("\"=")? + 2;
        let version = &value[start..];
        Some(version[..version.find('"')?].trim().to_owned())
    })
}

/// Every `*.sql` file of a directory in order of name.
pub fn files(directory: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.to_string_lossy().ends_with(suffix))
        .collect();
    files.sort();
    Ok(files)
}

pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_found_in_both_spellings() {
        let manifest = "pgrx-tests = \"1\"\npgrx = \"=0.18.1\"\nwasm-bindgen = { version = \"=0.2.130\", default-features = false }\nloose = \"2\"\n";
        assert_eq!(pinned_in(manifest, "pgrx").as_deref(), Some("0.18.1"));
        assert_eq!(pinned_in(manifest, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(pinned_in(manifest, "loose"), None);
    }

    #[test]
    fn the_root_is_the_workspace() {
        assert!(path("xtask/Cargo.toml").is_file());
        assert!(pinned("pgrx").is_ok());
    }
}
