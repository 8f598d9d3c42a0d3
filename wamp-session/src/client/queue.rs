//! Bounds of what waits for its consumer.

/// What happens to an event that comes while the queue of its subscription is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The event is dropped.
    #[default]
    DropNewest,
    /// The events that have waited longest are dropped, and the new one is queued.
    DropOldest,
    /// The subscription ends: its stream yields what is queued, and then nothing more.
    End,
}

/// How many events of one subscription may wait for their consumer: 1,024 of 16 MiB by default.
///
/// An event that is larger than the limit of bytes is queued when it is alone. What is dropped is counted
/// ([`Event::missed`](super::Event::missed), [`Subscription::missed`](super::Subscription::missed)).
///
/// ```
/// # use wamp_session::SubscribeOptions;
/// # use wamp_session::client::{Overflow, Queue};
/// let small = Queue::new().max_events(16).max_bytes(1 << 20).overflow(Overflow::DropOldest);
/// let options = SubscribeOptions::new().queue(small);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) overflow: Overflow,
}

impl Queue {
    /// Makes the default queue.
    #[must_use]
    pub const fn new() -> Self {
        Self { events: 1_024, bytes: 16 << 20, overflow: Overflow::DropNewest }
    }

    /// Sets how many events may wait; at least one.
    #[must_use]
    pub const fn max_events(mut self, events: usize) -> Self {
        self.events = if events == 0 { 1 } else { events };
        self
    }

    /// Sets how many bytes of payload may wait.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets what happens to an event that comes while the queue is full.
    #[must_use]
    pub const fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Whether another payload may wait beside so many of so many bytes.
    pub(crate) const fn takes(&self, waiting: usize, bytes: usize, more: usize) -> bool {
        waiting == 0 || (waiting < self.events && bytes.saturating_add(more) <= self.bytes)
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

/// The largest payload, in bytes, that is copied out of its frame when it has to wait.
const DETACHED: usize = 1 << 10;

/// A payload that has to wait: a small one must not keep a whole read buffer alive.
pub(crate) fn waiting(payload: &mut wamp_proto::Payload) {
    if payload.byte_len() <= DETACHED {
        *payload = payload.detach();
    }
}
