//! Where a name leads, for who must not be led inside.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

#[cfg(target_arch = "wasm32")]
mod platform;
#[cfg(target_arch = "wasm32")]
pub use platform::PlatformResolver;

/// How long a look-up may take.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// All its addresses, IPv4 and IPv6; none where there is no such name.
    Addresses(Vec<IpAddr>),
    /// It could not be found out, not even a part of it.
    Failed,
    /// The platform has no resolver, and reaches no private network by `fetch`: Cloudflare Workers.
    Unavailable,
}

/// Looks names up.
#[async_trait]
pub trait Resolver: Send + Sync {
    async fn lookup(&self, host: &str) -> Lookup;
}
