//! The options of a subscriber.

use core::time::Duration;

use wamp_proto::Value;

use super::own_key;
use crate::CommandError;

/// How to subscribe to a topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscribeOptions {
    pub(crate) wire: wamp_proto::SubscribeOptions,
    pub(crate) timeout: Option<Duration>,
    #[cfg(feature = "client")]
    pub(crate) queue: crate::client::Queue,
}

impl SubscribeOptions {
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

    /// Sets how many events may wait for their consumer, and what happens to more.
    ///
    /// It concerns the streams of the [`client`](crate::client); who drives a [`Session`](crate::Session) takes the events himself.
    #[cfg(feature = "client")]
    #[must_use]
    pub fn queue(mut self, queue: crate::client::Queue) -> Self {
        self.queue = queue;
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
