//! The options of a callee.

use core::time::Duration;

use wamp_proto::{InvokePolicy, MatchPolicy, Value};

use super::{own_key, own_value};
use crate::{CommandError, OfflinePolicy};

/// How to register a procedure.
///
/// They are kept and sent again in the next session, as long as the registration is wanted.
///
/// ```
/// # use wamp_session::RegisterOptions;
/// # use wamp_session::proto::{InvokePolicy, MatchPolicy};
/// let shared = RegisterOptions::new().invoke(InvokePolicy::RoundRobin).concurrency(4);
/// let pattern = RegisterOptions::new().match_policy(MatchPolicy::Prefix).disclose_caller();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegisterOptions {
    pub(crate) wire: wamp_proto::RegisterOptions,
    pub(crate) timeout: Option<Duration>,
    pub(crate) offline: Option<OfflinePolicy>,
    #[cfg(feature = "client")]
    pub(crate) queue: crate::client::Queue,
    #[cfg(feature = "client")]
    pub(crate) parallel: Option<usize>,
}

impl RegisterOptions {
    /// Makes the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the procedure is compared with those that are called (`match`): exactly by default.
    ///
    /// With [`Prefix`](MatchPolicy::Prefix) it serves all procedures that start with it, character by character, and with
    /// [`Wildcard`](MatchPolicy::Wildcard) those with as many components, where an empty one stands for any. The procedure that
    /// was called comes with each invocation. A call has one registration: the exact one, else the longest prefix, else the wildcard
    /// with the most components before its first empty one. Registrations of one URI with different policies are different
    /// ones. (WAMP Advanced Profile, "Pattern-based Registrations".)
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// # use wamp_session::proto::MatchPolicy;
    /// let options = RegisterOptions::new().match_policy(MatchPolicy::Prefix);
    /// ```
    #[must_use]
    pub fn match_policy(mut self, policy: MatchPolicy) -> Self {
        self.wire.match_policy = Some(policy);
        self
    }

    /// Sets that other sessions may register the procedure, too, and which of them is called (`invoke`): by default nobody else may.
    ///
    /// All of them must ask for the same; another one is refused with `wamp.error.procedure_already_exists`, or, by Crossbar.io,
    /// `wamp.error.procedure_exists_with_different_invocation_policy`. (WAMP Advanced Profile, "Shared Registration".)
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// # use wamp_session::proto::InvokePolicy;
    /// let options = RegisterOptions::new().invoke(InvokePolicy::RoundRobin);
    /// ```
    #[must_use]
    pub fn invoke(mut self, policy: InvokePolicy) -> Self {
        self.wire.invoke = Some(policy);
        self
    }

    /// Asks the dealer to say with each invocation who calls (`disclose_caller`): session, authid and authrole.
    ///
    /// A dealer that does not allow it may refuse the registration with `wamp.error.option_disallowed.disclose_me`. (WAMP Advanced
    /// Profile, "Caller Identification".)
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// let options = RegisterOptions::new().disclose_caller();
    /// ```
    #[must_use]
    pub fn disclose_caller(mut self) -> Self {
        self.wire.disclose_caller = Some(true);
        self
    }

    /// Asks the dealer to leave the timeouts of calls to the callee (`forward_timeout`): they come with the invocations, in milliseconds.
    ///
    /// (WAMP Advanced Profile, "Call Timeouts".)
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// let options = RegisterOptions::new().forward_timeout();
    /// ```
    #[must_use]
    pub fn forward_timeout(mut self) -> Self {
        self.wire.forward_timeout = Some(true);
        self
    }

    /// Sets how many invocations of this registration the router lets run at once (`concurrency`), at least 1: Crossbar.io's own option.
    ///
    /// Calls beyond are given to another callee of a shared registration in turns. If there is none, they wait at the router in a realm that
    /// has a store, and fail with `crossbar.error.max_concurrency_reached` in one that has not.
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// # use wamp_session::proto::InvokePolicy;
    /// let options = RegisterOptions::new().invoke(InvokePolicy::RoundRobin).concurrency(4);
    /// ```
    #[must_use]
    pub fn concurrency(mut self, invocations: u64) -> Self {
        self.wire.concurrency = Some(invocations.max(1));
        self
    }

    /// Takes the procedure away from the callees that have it (`force_reregister`): Crossbar.io's own option.
    ///
    /// Their registrations are revoked, with the reason `wamp.error.unregistered`. After a lost connection, that frees a
    /// procedure that the router still takes for the session before.
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// let options = RegisterOptions::new().force_reregister();
    /// ```
    #[must_use]
    pub fn force_reregister(mut self) -> Self {
        self.wire.force_reregister = Some(true);
        self
    }

    /// Sets how many invocations may wait to be taken from the stream, or for a handler to be free.
    ///
    /// By default it is 1,024 of 16 MiB, and at least one. More are answered with `wamp.error.unavailable`, whatever
    /// [`Overflow`](crate::client::Overflow) says: there, another callee may be found.
    ///
    /// It concerns the handles of the [`client`](crate::client). How many invocations of a client may be unanswered in all is a
    /// limit of its session ([`Limits::max_invocations`](crate::Limits::max_invocations)).
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// # use wamp_session::client::Queue;
    /// let options = RegisterOptions::new().queue(Queue::new().max_events(16).max_bytes(1 << 20));
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn queue(mut self, queue: crate::client::Queue) -> Self {
        self.queue = queue;
        self
    }

    /// Sets how many calls of a handler run beside each other: 1,024 by default, and at least one.
    ///
    /// More wait ([`queue`](Self::queue)). It concerns [`Client::register_fn`](crate::client::Client::register_fn).
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// # use wamp_session::client::Queue;
    /// let options = RegisterOptions::new().parallel(4).queue(Queue::new().max_events(16));
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn parallel(mut self, handlers: usize) -> Self {
        self.parallel = Some(handlers.max(1));
        self
    }

    /// Sets how long to wait for the answer, instead of the session's request timeout.
    ///
    /// When it is over, the registration is withdrawn.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::RegisterOptions;
    /// let options = RegisterOptions::new().timeout(Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets what happens if the session is not joined.
    ///
    /// Otherwise that is what the configuration says of registering ([`Config::offline`](crate::Config::offline)).
    ///
    /// ```
    /// # use wamp_session::{OfflinePolicy, RegisterOptions};
    /// let options = RegisterOptions::new().offline(OfflinePolicy::Buffer(100));
    /// ```
    #[must_use]
    pub fn offline(mut self, policy: OfflinePolicy) -> Self {
        self.offline = Some(policy);
        self
    }

    /// Sets an attribute that this crate does not know.
    ///
    /// ```
    /// # use wamp_session::RegisterOptions;
    /// let options = RegisterOptions::new().option("x_weight", 3)?;
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

    #[cfg(feature = "client")]
    pub(crate) fn policy(&self) -> MatchPolicy {
        self.wire.match_policy.unwrap_or_default()
    }
}
