//! Settings, read once from the environment of the platform.

use std::time::Duration;

use fieldcrm_core::{Error, Result};

/// Which web origins may call the function from a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    #[default]
    Any,
    List(Vec<String>),
}

/// What an instance takes, and finds long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at a time; what is more gets 503.
    pub in_flight: usize,
    /// Calls of the database that take longer are told to the log.
    pub slow_call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight: 200, slow_call: Duration::from_millis(500) }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The base of the Supabase project, without a slash at the end.
    pub supabase_url: String,
    /// The publishable key: it names the project and grants nothing.
    pub publishable_key: String,
    pub origins: Origins,
    pub limits: Limits,
}

impl Config {
    /// `SUPABASE_URL` and `SUPABASE_ANON_KEY`, which Supabase sets for every function, and
    /// `ALLOWED_ORIGINS`, a comma-separated list (default: any origin; access is by token, never by
    /// cookie). `MAX_IN_FLIGHT` and `SLOW_CALL_MS` are numbers from 1; see [`Limits`] for their defaults.
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
        let number = |name: &str| match variable(name).as_deref().map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => match text.parse::<u32>() {
                Ok(number @ 1..) => Ok(Some(number)),
                _ => Err(Error::internal(format!("{name} is not a number from 1"))),
            },
        };
        let mut limits = Limits::default();
        if let Some(most) = number("MAX_IN_FLIGHT")? {
            limits.in_flight = usize::try_from(most).unwrap_or(usize::MAX);
        }
        if let Some(ms) = number("SLOW_CALL_MS")? {
            limits.slow_call = Duration::from_millis(ms.into());
        }
        Ok(Self {
            limits,
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
            "ALLOWED_ORIGINS" => origins.map(str::to_owned),
            _ => None,
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
    fn limits_are_numbers_from_one() {
        let read = |value: &str| {
            Config::read(|name| {
                Some(if name.starts_with("SUPABASE") { "x" } else { value }.to_owned())
            })
        };
        let limits = read(" 7 ").unwrap().limits;
        assert_eq!(limits, Limits { in_flight: 7, slow_call: Duration::from_millis(7) });
        assert_eq!(read("").unwrap().limits, Limits::default());
        for wrong in ["0", "-1", "many", "1.5"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_a_header_is_refused_at_the_start() {
        assert!(read(None, "two\nlines").is_err());
        assert!(read(None, "").is_err());
    }
}
