//! The random secrets of one stack, made once, and the file that tells tools of them.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::fingerprint::hex;

pub const DEMO_PASSWORD: &str = "fieldcrm-demo";

#[derive(Clone)]
pub struct Secrets {
    pub postgres_password: String,
    pub gateway_password: String,
    pub jwt_secret: String,
    pub publishable_key: String,
    pub secret_key: String,
}

impl Secrets {
    pub fn load(path: &Path) -> Option<Self> {
        let found = parse(&fs::read_to_string(path).ok()?);
        let get = |key: &str| found.get(key).filter(|value| !value.is_empty()).cloned();
        Some(Self {
            postgres_password: get("POSTGRES_PASSWORD")?,
            gateway_password: get("GATEWAY_PASSWORD")?,
            jwt_secret: get("SUPABASE_JWT_SECRET")?,
            publishable_key: get("SUPABASE_PUBLISHABLE_KEY")?,
            secret_key: get("SUPABASE_SECRET_KEY")?,
        })
    }

    pub fn create(path: &Path) -> Result<Self> {
        let secrets = Self {
            postgres_password: random(24)?,
            gateway_password: random(24)?,
            jwt_secret: random(32)?,
            publishable_key: format!("sb_publishable_{}", random(16)?),
            secret_key: format!("sb_secret_{}", random(16)?),
        };
        write_private(
            path,
            &exports(&[
                ("POSTGRES_PASSWORD", &secrets.postgres_password),
                ("GATEWAY_PASSWORD", &secrets.gateway_password),
                ("SUPABASE_JWT_SECRET", &secrets.jwt_secret),
                ("SUPABASE_PUBLISHABLE_KEY", &secrets.publishable_key),
                ("SUPABASE_SECRET_KEY", &secrets.secret_key),
            ]),
        )?;
        Ok(secrets)
    }
}

fn random(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).context("cannot get random numbers from the system")?;
    Ok(hex(&buffer))
}

/// Lines a shell can source: `export KEY='value'`.
pub fn exports(variables: &[(&str, &str)]) -> String {
    let mut lines = String::new();
    for (key, value) in variables {
        let quoted = value.replace('\'', r"'\''");
        lines.extend(["export ", key, "='", &quoted, "'\n"]);
    }
    lines
}

fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let (key, value) = line.strip_prefix("export ")?.split_once('=')?;
            let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
            Some((key.to_owned(), value.replace(r"'\''", "'")))
        })
        .collect()
}

/// Writes a file only its owner can read, never half and never readable in between.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let write = || -> std::io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let temporary = path.with_extension("new");
        let _ = fs::remove_file(&temporary);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    #[test]
    fn a_shell_reads_the_same_values() {
        let path = std::env::temp_dir().join(format!("fieldcrm-env-{}", std::process::id()));
        let value = "it's $HOME; `id` \"x\"";
        write_private(&path, &exports(&[("ONE", value), ("TWO", "2")])).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let script = format!(". {} && printenv ONE TWO", path.display());
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{value}\n2\n"));
        assert_eq!(parse(&fs::read_to_string(&path).unwrap())["ONE"], value);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn secrets_survive_a_reload_and_differ() {
        let path = std::env::temp_dir().join(format!("fieldcrm-secrets-{}", std::process::id()));
        let made = Secrets::create(&path).unwrap();
        let loaded = Secrets::load(&path).unwrap();
        assert_eq!(made.jwt_secret, loaded.jwt_secret);
        assert!(made.jwt_secret.len() >= 32);
        assert_ne!(made.postgres_password, made.gateway_password);
        fs::write(&path, "export POSTGRES_PASSWORD='x'\n").unwrap();
        assert!(Secrets::load(&path).is_none());
        fs::remove_file(path).unwrap();
    }
}
