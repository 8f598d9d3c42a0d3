//! How a command is to be carried out.

use core::time::Duration;

use wamp_proto::Value;

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

/// How to call a procedure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallOptions {
    pub(crate) wire: wamp_proto::CallOptions,
    pub(crate) timeout: Option<Duration>,
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

/// Checks an own key: `_[a-z0-9_]{3,}` as the specification has it, or `x_…` as routers do.
fn own_key(key: &str) -> Result<&str, CommandError> {
    let rest = key.strip_prefix("x_").filter(|rest| !rest.is_empty());
    let rest = rest.or_else(|| key.strip_prefix('_').filter(|rest| rest.len() >= 3));
    match rest {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')) => Ok(key),
        _ => Err(CommandError::InvalidOption(key.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn msg_012_own_keys_start_with_an_underscore_or_x() {
        for key in ["_my_opt", "_abc", "x_cb_node", "x_1"] {
            assert!(own_key(key).is_ok(), "{key}");
        }
        for key in ["MyOpt", "a", "_ab", "my-opt", "_My_opt", "timeout", "x_", "_", ""] {
            assert!(own_key(key).is_err(), "{key}");
        }
    }
}
