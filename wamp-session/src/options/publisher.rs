//! The options of a publisher.

use core::time::Duration;

use wamp_proto::Value;

use super::own_key;
use crate::CommandError;

/// How to publish an event.
///
/// ```
/// # use wamp_session::PublishOptions;
/// let options = PublishOptions::new().exclude_me(false).option("_trace", "4711")?;
/// # Ok::<(), wamp_session::CommandError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublishOptions {
    pub(crate) wire: wamp_proto::PublishOptions,
    pub(crate) timeout: Option<Duration>,
}

impl PublishOptions {
    /// Makes the default options: the publisher itself does not receive the event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the publisher is left out, if it subscribes to the topic itself (`exclude_me`).
    #[must_use]
    pub fn exclude_me(mut self, exclude_me: bool) -> Self {
        self.wire.exclude_me = Some(exclude_me);
        self
    }

    /// Sets how long to wait for the acknowledgement, instead of the session's request timeout.
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
