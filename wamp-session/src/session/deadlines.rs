//! What happens if nothing happens: deadlines in the order of their instants.

use std::collections::BTreeMap;

use wamp_proto::RequestId;

use super::subscriber::WantedKey;
use crate::{CallKey, InvocationKey, PublishKey, RegistrationKey, SubscriptionKey, Time, TimeoutReason};

/// What ends when a deadline is reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deadline {
    Join,
    Close,
    /// The peer's sign of life.
    Life,
    /// The next attempt to join.
    Reconnect,
    /// The application's word on whether another attempt follows.
    Decide,
    /// The answers to what was sent again after a WELCOME.
    Restore,
    /// The next attempt to register what the router says is registered already.
    Reregister(RegistrationKey),
    Call(CallKey),
    /// The answer of an invocation, or a part of it.
    Invocation(InvocationKey),
    Publish(PublishKey),
    Subscribe(SubscriptionKey),
    /// The answer to a SUBSCRIBE that nobody wants any more.
    GiveUp(WantedKey),
    Register(RegistrationKey),
    /// An UNSUBSCRIBE or UNREGISTER.
    Withdraw(RequestId),
}

impl Deadline {
    const fn reason(self) -> TimeoutReason {
        match self {
            Self::Join => TimeoutReason::Join,
            Self::Close => TimeoutReason::Close,
            Self::Life => TimeoutReason::KeepAlive,
            Self::Reconnect | Self::Decide | Self::Reregister(_) => TimeoutReason::Reconnect,
            Self::Restore
            | Self::Call(_)
            | Self::Invocation(_)
            | Self::Publish(_)
            | Self::Subscribe(_)
            | Self::GiveUp(_)
            | Self::Register(_)
            | Self::Withdraw(_) => TimeoutReason::Request,
        }
    }
}

/// The name of a deadline: its instant, and a number that tells it from others at the same instant.
pub(super) type DeadlineId = (Time, u64);

/// All deadlines of a session.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    set: u64,
    entries: BTreeMap<DeadlineId, Deadline>,
}

impl Deadlines {
    /// Sets a deadline; `None` is never.
    pub(super) fn set(&mut self, at: Option<Time>, deadline: Deadline) -> Option<DeadlineId> {
        let id = (at?, self.set);
        self.set += 1;
        self.entries.insert(id, deadline);
        Some(id)
    }

    pub(super) fn cancel(&mut self, id: Option<DeadlineId>) {
        if let Some(id) = id {
            self.entries.remove(&id);
        }
    }

    #[cfg(all(test, feature = "client", feature = "json"))]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn next(&self) -> Option<(Time, TimeoutReason)> {
        self.entries.first_key_value().map(|((at, _), deadline)| (*at, deadline.reason()))
    }

    /// Takes the earliest deadline that has been reached.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Deadline> {
        let entry = self.entries.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        Some(entry.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_the_order_of_time_then_of_setting() {
        let mut deadlines = Deadlines::default();
        deadlines.set(Some(Time::from_secs(2)), Deadline::Close);
        deadlines.set(Some(Time::from_secs(1)), Deadline::Join);
        deadlines.set(Some(Time::from_secs(1)), Deadline::Call(CallKey(7)));
        assert_eq!(deadlines.next(), Some((Time::from_secs(1), TimeoutReason::Join)));
        assert!(deadlines.take_due(Time::ZERO).is_none());
        assert!(matches!(deadlines.take_due(Time::from_secs(1)), Some(Deadline::Join)));
        assert!(matches!(deadlines.take_due(Time::from_secs(1)), Some(Deadline::Call(CallKey(7)))));
        assert!(deadlines.take_due(Time::from_secs(1)).is_none());
    }

    #[test]
    fn a_cancelled_deadline_never_comes_and_never_is_no_deadline() {
        let mut deadlines = Deadlines::default();
        let id = deadlines.set(Some(Time::ZERO), Deadline::Join);
        assert_eq!(deadlines.set(None, Deadline::Close), None);
        deadlines.cancel(id);
        assert_eq!(deadlines.next(), None);
        assert!(deadlines.take_due(Time::from_nanos(u64::MAX)).is_none());
    }
}
