//! What happens to commands while a session is not joined.

/// What happens to a command that is given while the session is not joined: before the first join, or between two.
///
/// On a session that is closed or closing every command fails, whatever this says.
///
/// ```
/// # use wamp_session::{Config, Offline, OfflinePolicy, PublishOptions};
/// let offline = Offline::new().calls(OfflinePolicy::FailFast).publishes(OfflinePolicy::Buffer(100));
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").offline(offline);
/// // One operation may differ.
/// let options = PublishOptions::new().offline(OfflinePolicy::Wait);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfflinePolicy {
    /// It fails at once, with [`CommandError::NotJoined`](crate::CommandError::NotJoined).
    FailFast,
    /// It waits for a join within its timeout, which is that of the operation, else the
    /// [request timeout](crate::Config::request_timeout). After that it ends with
    /// [`RequestError::Timeout { sent: false }`](crate::RequestError::Timeout), and is never sent. A call waits for the join at most for
    /// the request timeout, also if its own is longer.
    Wait,
    /// It is kept for the next session, however long that takes, unless as many commands of its kind wait already:
    /// [`CommandError::BufferFull`](crate::CommandError::BufferFull).
    ///
    /// A timeout of the operation itself counts from the command all the same; the request timeout counts from the join.
    Buffer(usize),
}

/// The [`OfflinePolicy`] of each kind of command.
///
/// Commands that wait are sent in the order in which they were given, whatever their kinds and policies. What their payloads may
/// hold together is bounded by [`Limits::max_waiting_bytes`](crate::Limits::max_waiting_bytes).
///
/// ```
/// # use wamp_session::{Offline, OfflinePolicy};
/// let offline = Offline::new()
///     .calls(OfflinePolicy::FailFast)
///     .publishes(OfflinePolicy::Buffer(1_000))
///     .acked_publishes(OfflinePolicy::Wait)
///     .subscribes(OfflinePolicy::Wait)
///     .registers(OfflinePolicy::Buffer(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offline {
    pub(crate) calls: OfflinePolicy,
    pub(crate) publishes: OfflinePolicy,
    pub(crate) acked_publishes: OfflinePolicy,
    pub(crate) subscribes: OfflinePolicy,
    pub(crate) registers: OfflinePolicy,
}

impl Offline {
    /// Makes the default: publications without acknowledgement fail at once, everything else waits.
    #[must_use]
    pub const fn new() -> Self {
        let wait = OfflinePolicy::Wait;
        Self {
            calls: wait,
            publishes: OfflinePolicy::FailFast,
            acked_publishes: wait,
            subscribes: wait,
            registers: wait,
        }
    }

    /// Sets the policy of calls.
    ///
    /// In a buffer they wait within their own timeout or the [call timeout](crate::Config::call_timeout), if they have one.
    #[must_use]
    pub const fn calls(mut self, policy: OfflinePolicy) -> Self {
        self.calls = policy;
        self
    }

    /// Sets the policy of publications without acknowledgement.
    ///
    /// One in a buffer is accepted; if it is lost after all, because its timeout passes, the client gives up or the router does not
    /// take it, that is counted in [`Stats::lost_publishes`](crate::Stats::lost_publishes).
    #[must_use]
    pub const fn publishes(mut self, policy: OfflinePolicy) -> Self {
        self.publishes = policy;
        self
    }

    /// Sets the policy of publications with acknowledgement.
    #[must_use]
    pub const fn acked_publishes(mut self, policy: OfflinePolicy) -> Self {
        self.acked_publishes = policy;
        self
    }

    /// Sets the policy of subscribing.
    #[must_use]
    pub const fn subscribes(mut self, policy: OfflinePolicy) -> Self {
        self.subscribes = policy;
        self
    }

    /// Sets the policy of registering.
    #[must_use]
    pub const fn registers(mut self, policy: OfflinePolicy) -> Self {
        self.registers = policy;
        self
    }
}

impl Default for Offline {
    fn default() -> Self {
        Self::new()
    }
}
