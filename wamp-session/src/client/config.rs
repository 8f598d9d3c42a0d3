//! The configuration of a client that lives.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use super::Client;
use crate::auth::Authenticator;
use crate::{Config, ConfigError, ReconnectPolicy};

/// The configuration of a client, parts of which can be replaced; see [`Client::config`].
pub struct LiveConfig<'a>(&'a Client);

impl<'a> LiveConfig<'a> {
    pub(super) const fn new(client: &'a Client) -> Self {
        Self(client)
    }

    fn get<T>(&self, part: impl FnOnce(&Config) -> T) -> T {
        self.0.0.shared.look(|state, _| part(state.session.config()))
    }

    /// A copy of the configuration as it is now: to make another client of it, say.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::client::{Adapter, start};
    ///
    /// # fn another<A: Adapter>(client: &wamp_session::client::Client, adapter: A) {
    /// let (another, driver) = start(client.config().snapshot().call_timeout(std::time::Duration::from_secs(3)), adapter);
    /// # drop((another, driver));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Config {
        self.get(Clone::clone)
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> Arc<str> {
        self.get(|config| Arc::clone(&config.realm))
    }

    /// The URLs to connect to, in the order in which they are tried.
    #[must_use]
    pub fn urls(&self) -> Vec<Arc<str>> {
        self.get(|config| config.urls().to_vec())
    }

    /// How long calls wait for their result, if there is a limit.
    #[must_use]
    pub fn call_timeout(&self) -> Option<Duration> {
        self.get(|config| config.call_timeout)
    }

    /// When a session that was lost is joined again.
    #[must_use]
    pub fn reconnect(&self) -> ReconnectPolicy {
        self.get(|config| config.reconnect.clone())
    }

    /// The ways to authenticate, the preferred one first.
    #[must_use]
    pub fn authenticators(&self) -> Vec<Arc<dyn Authenticator>> {
        self.get(|config| config.authenticators().to_vec())
    }

    /// Sets how long calls wait for their result, `None` for as long as the session lasts: calls made from now on.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// client.config().set_call_timeout(Duration::from_secs(3));
    /// client.config().set_call_timeout(None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_call_timeout(&self, timeout: impl Into<Option<Duration>>) {
        let timeout = timeout.into();
        self.0.0.shared.command(|state, _, _| state.session.set_call_timeout(timeout));
    }

    /// Sets when a session that is lost is joined again: from the next loss, or attempt that fails, on.
    ///
    /// An attempt that is waited for is made as it was announced.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::ReconnectPolicy;
    ///
    /// // The machine is about to shut down.
    /// client.config().set_reconnect(ReconnectPolicy::never());
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_reconnect(&self, policy: ReconnectPolicy) {
        self.0.0.shared.command(|state, _, _| state.session.set_reconnect(policy));
    }

    /// Replaces the ways to authenticate, from the next attempt to join on.
    ///
    /// An attempt under way goes on with those it began with, as long as the router asks for nothing else.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    /// use wamp_session::auth;
    ///
    /// # let ticket = "fresh";
    /// client.config().set_authenticators([Arc::new(auth::Ticket::new("joe", ticket)) as _])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`Config::check`] finds it; nothing is replaced then.
    pub fn set_authenticators(
        &self,
        authenticators: impl IntoIterator<Item = Arc<dyn Authenticator>>,
    ) -> Result<(), ConfigError> {
        let authenticators: Vec<_> = authenticators.into_iter().collect();
        Config::check_authenticators(&authenticators)?;
        // They are dropped outside the lock: they are somebody else's.
        let before = self.0.0.shared.command(|state, _, _| state.session.set_authenticators(authenticators));
        drop(before);
        Ok(())
    }
}

impl fmt::Debug for LiveConfig<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveConfig").field(&self.snapshot()).finish()
    }
}
