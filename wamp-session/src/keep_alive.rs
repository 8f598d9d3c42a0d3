//! When a peer counts as dead.

use core::time::Duration;

/// How a session finds out that its peer is gone although the connection stands.
///
/// Whatever comes from the peer is life. When nothing has come for the interval, the session asks for a ping
/// ([`Action::Ping`](crate::Action::Ping)); when nothing has come for the timeout after it, the session is lost.
///
/// ```
/// # use std::time::Duration;
/// # use wamp_session::{Config, KeepAlive};
/// let often = KeepAlive::new().interval(Duration::from_secs(5)).timeout(Duration::from_secs(2));
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").keep_alive(often);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

impl KeepAlive {
    /// Makes the default: a ping after 20 s of silence, the end after 10 s more.
    #[must_use]
    pub const fn new() -> Self {
        Self { interval: Duration::from_secs(20), timeout: Duration::from_secs(10) }
    }

    /// Sets how long the peer may be silent before it is pinged.
    #[must_use]
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets how long it may be silent after a ping.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::new()
    }
}
