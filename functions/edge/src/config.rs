//! Settings, read once from the environment of the platform.

use fieldcrm_core::{Error, Result};

/// Which web origins may call the function from a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    Any,
    List(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The base of the Supabase project, without a slash at the end.
    pub supabase_url: String,
    /// The publishable key: it names the project and grants nothing.
    pub publishable_key: String,
    pub origins: Origins,
}

impl Config {
    /// `SUPABASE_URL` and `SUPABASE_ANON_KEY`, which Supabase sets for every function, and
    /// `ALLOWED_ORIGINS`, a comma-separated list (default: any origin; access is by token, never by
    /// cookie).
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let required = |name: &str| {
            variable(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| {
                    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic())
                })
                .ok_or_else(|| Error::internal(format!("{name} is not set, or not in plain ASCII")))
        };
        let origins: Vec<String> = variable("ALLOWED_ORIGINS")
            .unwrap_or_default()
            .split(',')
            .map(|origin| origin.trim().trim_end_matches('/').to_owned())
            .filter(|origin| !origin.is_empty())
            .collect();
        Ok(Self {
            supabase_url: required("SUPABASE_URL")?.trim_end_matches('/').to_owned(),
            publishable_key: required("SUPABASE_ANON_KEY")?,
            origins: if origins.is_empty() || origins.iter().any(|origin| origin == "*") {
                Origins::Any
            } else {
                Origins::List(origins)
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(origins: Option<&str>, key: &str) -> Result<Config> {
        Config::read(|name| match name {
            "SUPABASE_URL" => Some("http://127.0.0.1:54321/ ".to_owned()),
            "SUPABASE_ANON_KEY" => Some(key.to_owned()),
            _ => origins.map(str::to_owned),
        })
    }

    #[test]
    fn trailing_slashes_and_spaces_do_not_matter() {
        let config = read(Some(" https://a.example/, https://b.example "), "key").unwrap();
        assert_eq!(config.supabase_url, "http://127.0.0.1:54321");
        let expected = ["https://a.example", "https://b.example"].map(str::to_owned).to_vec();
        assert_eq!(config.origins, Origins::List(expected));
    }

    #[test]
    fn any_origin_is_the_default() {
        assert_eq!(read(None, "key").unwrap().origins, Origins::Any);
        assert_eq!(read(Some("*"), "key").unwrap().origins, Origins::Any);
    }

    #[test]
    fn a_key_that_cannot_be_a_header_is_refused_at_the_start() {
        assert!(read(None, "two\nlines").is_err());
        assert!(read(None, "").is_err());
    }
}
