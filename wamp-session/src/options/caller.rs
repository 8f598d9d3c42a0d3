//! The options of a caller.

use core::time::Duration;

use wamp_proto::Value;

use super::own_key;
use crate::passthru::{Attributes as _, Passthru};
use crate::{CommandError, OfflinePolicy};

/// How to call a procedure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallOptions {
    pub(crate) wire: wamp_proto::CallOptions,
    pub(crate) timeout: Option<Duration>,
    pub(crate) offline: Option<OfflinePolicy>,
}

impl CallOptions {
    /// Makes the default options: the session's call timeout, if it has one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long to wait for the result, instead of the session's call timeout.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets what happens if the session is not joined, instead of what the configuration says of calls
    /// ([`Config::offline`](crate::Config::offline)).
    #[must_use]
    pub fn offline(mut self, policy: OfflinePolicy) -> Self {
        self.offline = Some(policy);
        self
    }

    /// Sends the payload in payload passthru mode (`ppt_…`): the router does not look at it.
    ///
    /// A client packs and seals it with the codec of the scheme ([`Config::passthru_codec`](crate::Config::passthru_codec)), and fails
    /// with [`CommandError::Passthru`] if it cannot. Who drives a [`Session`](crate::Session) hands over what
    /// [`Codecs::seal`](crate::passthru::Codecs::seal) has made. A router that does not announce the feature gets nothing
    /// ([`CommandError::NotSupported`]). (WAMP Advanced Profile, "Payload Passthru Mode".)
    #[must_use]
    pub fn passthru(mut self, passthru: Passthru) -> Self {
        self.wire.set_passthru(&passthru);
        self
    }

    /// Sets an attribute that this crate does not know.
    ///
    /// # Errors
    ///
    /// [`CommandError::InvalidOption`] unless the key is of one of the forms `_abc` and `x_abc`, lower case, digits and underscores.
    pub fn option(mut self, key: &str, value: impl Into<Value>) -> Result<Self, CommandError> {
        self.wire.extra.insert(own_key(key)?, value);
        Ok(self)
    }
}
