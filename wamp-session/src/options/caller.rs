//! The options of a caller.

use core::time::Duration;

use wamp_proto::Value;

use super::own_key;
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
