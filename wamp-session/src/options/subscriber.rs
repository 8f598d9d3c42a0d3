//! The options of a subscriber.

use core::time::Duration;
use std::sync::Arc;

use wamp_proto::{MatchPolicy, Value};

use super::{own_key, own_value};
use crate::{CommandError, OfflinePolicy};

/// How to subscribe to a topic.
///
/// ```
/// # use wamp_session::SubscribeOptions;
/// # use wamp_session::proto::MatchPolicy;
/// let options = SubscribeOptions::new().match_policy(MatchPolicy::Prefix).get_retained();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SubscribeOptions {
    pub(crate) wire: wamp_proto::SubscribeOptions,
    pub(crate) timeout: Option<Duration>,
    pub(crate) offline: Option<OfflinePolicy>,
    #[cfg(feature = "client")]
    pub(crate) queue: crate::client::Queue,
    #[cfg(feature = "client")]
    pub(crate) concurrency: usize,
}

#[cfg_attr(
    not(feature = "client"),
    expect(clippy::derivable_impls, reason = "with the feature `client`, one event at a time is no type's default")
)]
impl Default for SubscribeOptions {
    fn default() -> Self {
        Self {
            wire: wamp_proto::SubscribeOptions::default(),
            timeout: None,
            offline: None,
            #[cfg(feature = "client")]
            queue: crate::client::Queue::new(),
            #[cfg(feature = "client")]
            concurrency: 1,
        }
    }
}

impl SubscribeOptions {
    /// Makes the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the topic is compared with those of events (`match`): exactly by default.
    ///
    /// With [`Prefix`](MatchPolicy::Prefix) it matches all topics that start with it, character by character, and with
    /// [`Wildcard`](MatchPolicy::Wildcard) those with as many components, where an empty one stands for any. The topic of each
    /// event comes with it. Subscriptions to one topic with different policies are different ones. (WAMP Advanced Profile,
    /// "Pattern-based Subscription".)
    ///
    /// ```
    /// # use wamp_session::SubscribeOptions;
    /// # use wamp_session::proto::MatchPolicy;
    /// let options = SubscribeOptions::new().match_policy(MatchPolicy::Wildcard);
    /// ```
    #[must_use]
    pub fn match_policy(mut self, policy: MatchPolicy) -> Self {
        self.wire.match_policy = Some(policy);
        self
    }

    /// Asks for the event that the broker keeps, if there is one (`get_retained`): it comes first.
    ///
    /// With a pattern, the broker may send one for each topic that matches. They come again after each lost connection. (WAMP
    /// Advanced Profile, "Event Retention".)
    ///
    /// ```
    /// # use wamp_session::SubscribeOptions;
    /// let options = SubscribeOptions::new().get_retained();
    /// ```
    #[must_use]
    pub fn get_retained(mut self) -> Self {
        self.wire.get_retained = Some(true);
        self
    }

    /// Sets the key of this node in a sharded subscription (`nkey`; WAMP Advanced Profile, "Sharded Subscription").
    ///
    /// Events with a key ([`PublishOptions::rkey`](crate::PublishOptions::rkey)) are then shared among the nodes. The specification says no
    /// more of it, and few routers have it: a router that does not announce it would deliver everything, so it is refused there. This
    /// client does not announce the feature.
    ///
    /// ```
    /// # use wamp_session::SubscribeOptions;
    /// let options = SubscribeOptions::new().nkey("node-1");
    /// ```
    #[must_use]
    pub fn nkey(mut self, nkey: impl Into<Arc<str>>) -> Self {
        self.wire.nkey = Some(nkey.into());
        self
    }

    /// Sets how long to wait for the answer, instead of the session's request timeout.
    ///
    /// When it is over, the subscription is withdrawn.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::SubscribeOptions;
    /// let options = SubscribeOptions::new().timeout(Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how many events may wait for their consumer, and what happens to more.
    ///
    /// By default 1,024 of 16 MiB wait, and the newest are dropped.
    ///
    /// It concerns the streams and handlers of the [`client`](crate::client); who drives a [`Session`](crate::Session) takes the events himself.
    ///
    /// ```
    /// # use wamp_session::SubscribeOptions;
    /// # use wamp_session::client::{Overflow, Queue};
    /// let options = SubscribeOptions::new().queue(Queue::new().max_events(1).overflow(Overflow::DropOldest));
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn queue(mut self, queue: crate::client::Queue) -> Self {
        self.queue = queue;
        self
    }

    /// Sets how many events a handler may be at work on at once, at least one and by default only one.
    ///
    /// With more, it starts on them in the order in which they came, and they end in any. It concerns
    /// [`Client::subscribe_fn`](crate::client::Client::subscribe_fn).
    ///
    /// ```
    /// # use wamp_session::SubscribeOptions;
    /// let options = SubscribeOptions::new().concurrency(8);
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    pub(crate) fn policy(&self) -> MatchPolicy {
        self.wire.match_policy.unwrap_or_default()
    }

    /// Sets what happens if the session is not joined.
    ///
    /// Otherwise that is what the configuration says of subscribing ([`Config::offline`](crate::Config::offline)).
    ///
    /// ```
    /// # use wamp_session::{OfflinePolicy, SubscribeOptions};
    /// let options = SubscribeOptions::new().offline(OfflinePolicy::FailFast);
    /// ```
    #[must_use]
    pub fn offline(mut self, policy: OfflinePolicy) -> Self {
        self.offline = Some(policy);
        self
    }

    /// Sets an attribute that this crate does not know.
    ///
    /// ```
    /// # use wamp_session::SubscribeOptions;
    /// let options = SubscribeOptions::new().option("_trace", "4711")?;
    /// # Ok::<(), wamp_session::CommandError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::InvalidOption`] unless the key is of one of the forms `_abc` and `x_abc`, lower case, digits and underscores.
    pub fn option(mut self, key: &str, value: impl Into<Value>) -> Result<Self, CommandError> {
        self.wire.extra.insert(own_key(key)?, own_value(value.into()));
        Ok(self)
    }
}
