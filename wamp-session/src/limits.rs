//! Bounds of what a session keeps.

/// The bounds of a session: of what its peer can make it keep, and of what its own user can.
///
/// The limits of one message ([`wamp_proto::Limits`]) are among them.
///
/// ```
/// # use wamp_session::{Config, Limits, proto};
/// let small = Limits::new()
///     .message(proto::Limits::new().max_message_bytes(64 << 10))
///     .max_events(1_000)
///     .max_event_bytes(1 << 20)
///     .max_requests(1_000)
///     .max_invocations(100)
///     .max_ended_invocations(100)
///     .max_changes(64)
///     .max_waiting_bytes(1 << 20)
///     .max_outbound_bytes(1 << 20);
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").limits(small);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) message: wamp_proto::Limits,
    pub(crate) events: usize,
    pub(crate) event_bytes: usize,
    pub(crate) requests: usize,
    pub(crate) invocations: usize,
    pub(crate) ended_invocations: usize,
    pub(crate) outbound_bytes: usize,
    pub(crate) waiting_bytes: usize,
    pub(crate) changes: usize,
}

impl Limits {
    /// Makes the default limits.
    ///
    /// 16 MiB a message, 128 levels; 65,536 undrained events of 64 MiB; a million requests under way; 65,536
    /// invocations under way, and 1,024 remembered after their end; 64 MiB of frames beside which INVOCATIONs are accepted; 64 MiB
    /// of payload that waits for a join; 1,024 undrained events of sessions that were joined and left.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            message: wamp_proto::Limits::new(),
            events: 65_536,
            event_bytes: 64 << 20,
            requests: 1_000_000,
            invocations: 65_536,
            ended_invocations: 1_024,
            outbound_bytes: 64 << 20,
            waiting_bytes: 64 << 20,
            changes: 1_024,
        }
    }

    /// Sets the limits of one message: 16 MiB and 128 levels by default, both ways.
    ///
    /// A longer message that is received ends the session ([`CloseCause`](crate::CloseCause)); one that would be sent fails with
    /// [`CommandError::TooLarge`](crate::CommandError::TooLarge).
    #[must_use]
    pub const fn message(mut self, limits: wamp_proto::Limits) -> Self {
        self.message = limits;
        self
    }

    /// Sets how many EVENTs may wait to be taken with `poll_event`: 65,536 by default.
    ///
    /// More are dropped and counted ([`Stats::dropped_events`](crate::Stats::dropped_events)); progressive results likewise
    /// ([`Stats::dropped_progress`](crate::Stats::dropped_progress)).
    #[must_use]
    pub const fn max_events(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// Sets how many bytes of payload may wait to be taken with `poll_event`: 64 MiB by default.
    ///
    /// More EVENTs are dropped and counted, more INVOCATIONs answered with `wamp.error.unavailable`.
    #[must_use]
    pub const fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.event_bytes = bytes;
        self
    }

    /// Sets how many requests may be under way: a million by default.
    ///
    /// Those that wait for a join count as well, and those that have ended in an event that nobody has taken. More are refused with
    /// [`CommandError::TooMany`](crate::CommandError::TooMany).
    #[must_use]
    pub const fn max_requests(mut self, requests: usize) -> Self {
        self.requests = requests;
        self
    }

    /// Sets how many invocations may be unanswered: 65,536 by default; more are answered with `wamp.error.unavailable`.
    ///
    /// As many of these answers may wait to be sent; over that there is no answer at all.
    #[must_use]
    pub const fn max_invocations(mut self, invocations: usize) -> Self {
        self.invocations = invocations;
        self
    }

    /// Sets how many invocations with input in parts are remembered after their end, the latest ones: 1,024 by default.
    ///
    /// Input that the caller had already sent then is ignored. (WAMP Advanced Profile, "Progressive Call Invocations".)
    ///
    /// Input of one that is forgotten is taken for another invocation.
    #[must_use]
    pub const fn max_ended_invocations(mut self, invocations: usize) -> Self {
        self.ended_invocations = invocations;
        self
    }

    /// Sets how many events that tell of sessions may wait to be taken: 1,024 by default.
    ///
    /// They tell of sessions joined, challenged, restored and left, and of what came back later than
    /// [`Restored`](crate::SessionEvent::Restored). Over the limit, a new [`SessionEvent::Left`](crate::SessionEvent::Left) takes the place of
    /// all of them.
    #[must_use]
    pub const fn max_changes(mut self, changes: usize) -> Self {
        self.changes = changes;
        self
    }

    /// Sets how many bytes of payload the commands may hold that wait for a join: 64 MiB by default.
    ///
    /// More are refused with [`CommandError::BufferFull`](crate::CommandError::BufferFull).
    #[must_use]
    pub const fn max_waiting_bytes(mut self, bytes: usize) -> Self {
        self.waiting_bytes = bytes;
        self
    }

    /// Sets up to how many bytes of frames may wait to be sent while INVOCATIONs are accepted: 64 MiB by default.
    ///
    /// From there on they are answered with `wamp.error.unavailable`.
    ///
    /// It keeps a dealer that invokes but does not read from filling the memory with answers. Invocations that were accepted before
    /// are answered all the same, so what waits can grow beyond it by these answers. Nothing else is refused for it, neither requests
    /// nor publications.
    #[must_use]
    pub const fn max_outbound_bytes(mut self, bytes: usize) -> Self {
        self.outbound_bytes = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
