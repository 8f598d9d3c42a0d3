//! The options of a callee.

use core::time::Duration;

use wamp_proto::Value;

use super::own_key;
use crate::CommandError;

/// How to register a procedure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegisterOptions {
    pub(crate) wire: wamp_proto::RegisterOptions,
    pub(crate) timeout: Option<Duration>,
}

impl RegisterOptions {
    /// Makes the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long to wait for the answer, instead of the session's request timeout.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
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
