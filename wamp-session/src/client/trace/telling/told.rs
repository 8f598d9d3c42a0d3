//! What is told of a session's events, counts and deadlines.

use std::sync::Arc;

use tracing::{debug, info, warn};

use super::{CLIENT, millis, within};
use crate::client::shared::Shared;
use crate::{
    CloseCause, InvocationEnd, Joined, Left, NotRestored, ProtocolViolation, RequestError, Session, SessionEvent,
    Stats, SubscriptionKey, Time, TimeoutReason, TransportErrorKind, TransportId,
};

/// What is to be told once the lock has been released, in its order.
#[derive(Default)]
pub(in crate::client) struct Told(Vec<News>);

/// Something to tell of.
enum News {
    Joined(Arc<Joined>),
    Left(Arc<Left>),
    Restored(Vec<NotRestored>),
    Challenged(TransportId, Arc<str>),
    Closed(Arc<CloseCause>),
    /// Requests or invocations of a kind that have ended without an answer, or need none, for the same reason.
    Settled {
        what: &'static str,
        why: &'static str,
        count: u64,
    },
    Revoked(&'static str),
    /// What was counted since the counts were told the last time.
    Counted(Stats),
    /// How many commands wait for a join now.
    Waiting(usize),
    /// A deadline that was reached.
    Due(TimeoutReason),
    /// So many events were dropped in all because they came faster than they were taken.
    Missed {
        subscription: Option<SubscriptionKey>,
        missed: u64,
    },
    /// An INVOCATION, or more input, found no room.
    Unavailable,
}

/// What has been told of a session's counts.
#[derive(Debug, Default)]
pub(in crate::client) struct Seen {
    stats: Stats,
    waiting: usize,
}

impl Seen {
    /// Tells what has changed of the session, in which so many commands wait for a join.
    pub(in crate::client) fn changes(&mut self, session: &Session, waiting: usize, told: &mut Told) {
        let stats = session.stats();
        if stats != self.stats {
            told.0.push(News::Counted(since(stats, core::mem::replace(&mut self.stats, stats))));
        }
        if waiting != self.waiting {
            self.waiting = waiting;
            told.0.push(News::Waiting(waiting));
        }
    }
}

fn since(now: Stats, then: Stats) -> Stats {
    Stats {
        unknown_answers: now.unknown_answers.saturating_sub(then.unknown_answers),
        unknown_events: now.unknown_events.saturating_sub(then.unknown_events),
        dropped_events: now.dropped_events.saturating_sub(then.dropped_events),
        undecodable_events: now.undecodable_events.saturating_sub(then.undecodable_events),
        dropped_progress: now.dropped_progress.saturating_sub(then.dropped_progress),
        refused_invocations: now.refused_invocations.saturating_sub(then.refused_invocations),
        lost_publishes: now.lost_publishes.saturating_sub(then.lost_publishes),
    }
}

impl Told {
    /// An event of the session.
    pub(in crate::client) fn event(&mut self, event: &SessionEvent) {
        let (what, why) = match event {
            SessionEvent::Joined(joined) => return self.0.push(News::Joined(Arc::clone(joined))),
            SessionEvent::Left(left) => return self.0.push(News::Left(Arc::clone(left))),
            SessionEvent::Restored { failed } => return self.0.push(News::Restored(failed.clone())),
            SessionEvent::Challenge { transport, challenge } => {
                return self.0.push(News::Challenged(*transport, Arc::clone(&challenge.method)));
            }
            SessionEvent::Closed(cause) => return self.0.push(News::Closed(Arc::clone(cause))),
            SessionEvent::SubscriptionRevoked { .. } => return self.0.push(News::Revoked("subscription")),
            SessionEvent::RegistrationRevoked { .. } => return self.0.push(News::Revoked("registration")),
            SessionEvent::CallDone { result: Err(error), .. } => ("call", why(error)),
            SessionEvent::PublishDone { result: Err(error), .. }
            | SessionEvent::PublishSent { result: Err(error), .. } => ("publish", why(error)),
            SessionEvent::Subscribed { result: Err(error), .. } => ("subscribe", why(error)),
            SessionEvent::Unsubscribed { result: Err(error), .. } => ("unsubscribe", why(error)),
            SessionEvent::Registered { result: Err(error), .. } => ("register", why(error)),
            SessionEvent::Unregistered { result: Err(error), .. } => ("unregister", why(error)),
            SessionEvent::Interrupted { .. } => ("invocation", Some("interrupted, its answer is waited for")),
            SessionEvent::InvocationEnded { why, .. } => ("invocation", Some(why_ended(why))),
            _ => return,
        };
        let Some(why) = why else { return };
        match self.0.last_mut() {
            Some(News::Settled { what: same, why: also, count }) if (*same, *also) == (what, why) => *count += 1,
            _ => self.0.push(News::Settled { what, why, count: 1 }),
        }
    }

    /// The deadline that is reached, the first of several.
    pub(in crate::client) fn due(&mut self, session: &Session, now: Time) {
        let due = session.poll_timeout().filter(|(at, _)| *at <= now);
        self.0.extend(due.map(|(_, reason)| News::Due(reason)));
    }

    /// Events or parts are missed, so many before and so many now. It is told each time that their number has doubled: a consumer that
    /// is too slow stays so.
    pub(in crate::client) fn missed(&mut self, subscription: Option<SubscriptionKey>, before: u64, missed: u64) {
        if missed > before && (before == 0 || missed.ilog2() > before.ilog2()) {
            self.0.push(News::Missed { subscription, missed });
        }
    }

    /// An INVOCATION, or more input, found no room.
    pub(in crate::client) fn unavailable(&mut self) {
        self.0.push(News::Unavailable);
    }

    pub(in crate::client) fn tell(self, shared: &Shared) {
        for news in self.0 {
            if let News::Joined(joined) = &news {
                shared.spans.session_begins(joined);
            }
            let ends = matches!(&news, News::Left(_) | News::Closed(_));
            within(shared, || news.tell());
            if ends {
                shared.spans.session_ends();
            }
        }
    }
}

impl News {
    fn tell(self) {
        match self {
            Self::Joined(joined) => {
                let Joined { session, format, .. } = &*joined;
                info!(target: CLIENT, session = session.get(), %format, "joined");
            }
            Self::Left(left) => tell_left(&left),
            Self::Restored(failed) => {
                debug!(target: CLIENT, failed = failed.len(), "restored");
                failed.iter().for_each(tell_not_restored);
            }
            Self::Challenged(transport, method) => {
                debug!(target: CLIENT, transport = transport.0, method = &*method, "challenged");
            }
            Self::Closed(cause) => {
                warn_of(&cause);
                info!(target: CLIENT, cause = cause_of(&cause), why = why_of(&cause).as_deref(), "closed");
            }
            Self::Settled { what, why, count } => debug!(target: CLIENT, what, why, count, "settled without an answer"),
            Self::Revoked(what) => debug!(target: CLIENT, what, "revoked by the router"),
            Self::Counted(stats) => tell_counted(&stats),
            Self::Waiting(commands) => debug!(target: CLIENT, commands, "commands wait for a join"),
            Self::Due(deadline) => debug!(target: CLIENT, ?deadline, "a deadline was reached"),
            Self::Missed { subscription, missed } => {
                let subscription = subscription.map(|key| key.0);
                debug!(target: CLIENT, subscription, missed, "a consumer is too slow");
            }
            Self::Unavailable => debug!(target: CLIENT, "an invocation finds no room"),
        }
    }
}

/// Each end of a session is told, and of the attempts that fail the first: all others are details.
fn tell_left(left: &Left) {
    warn_of(&left.cause);
    let Left { cause, session, attempt, retry_in, lost_publishes } = left;
    let (session, retry_in_ms) = (session.map(|id| id.get()), millis(*retry_in));
    let (cause, why) = (cause_of(cause), why_of(cause));
    let why = why.as_deref();
    if session.is_some() || *attempt == 1 {
        info!(target: CLIENT, session, cause, why, attempt, retry_in_ms, lost_publishes, "left");
    } else {
        debug!(target: CLIENT, cause, why, attempt, retry_in_ms, lost_publishes, "an attempt to join has failed");
    }
}

fn tell_not_restored(failed: &NotRestored) {
    match failed {
        NotRestored::Subscription { key, error, .. } => {
            debug!(target: CLIENT, subscription = key.0, %error, "a subscription is not restored");
        }
        NotRestored::Registration { key, error, retrying, .. } => {
            debug!(target: CLIENT, registration = key.0, %error, retrying, "a registration is not restored");
        }
    }
}

fn tell_counted(stats: &Stats) {
    let some = |count: u64| Some(count).filter(|count| *count > 0);
    debug!(
        target: CLIENT,
        unknown_answers = some(stats.unknown_answers),
        unknown_events = some(stats.unknown_events),
        dropped_events = some(stats.dropped_events),
        undecodable_events = some(stats.undecodable_events),
        dropped_progress = some(stats.dropped_progress),
        refused_invocations = some(stats.refused_invocations),
        lost_publishes = some(stats.lost_publishes),
        "ignored, dropped or lost"
    );
}

/// Why a request ended without an answer, if it did.
const fn why(error: &RequestError) -> Option<&'static str> {
    Some(match error {
        RequestError::Wamp(_) => return None,
        RequestError::Command(_) => "refused by this client",
        RequestError::Passthru(_) => "its answer cannot be opened",
        RequestError::Timeout { sent: true } => "timeout",
        RequestError::Timeout { sent: false } => "timeout before it was sent",
        RequestError::Canceled => "cancelled",
        RequestError::Disconnected { sent: true } => "disconnected after it was sent",
        RequestError::Disconnected { sent: false } => "disconnected before it was sent",
        RequestError::Closed => "closed",
    })
}

const fn why_ended(end: &InvocationEnd) -> &'static str {
    match end {
        InvocationEnd::SessionOver => "the session is over",
        InvocationEnd::Interrupted(_) => "interrupted",
        InvocationEnd::Timeout => "timeout",
        InvocationEnd::Overflow => "its input finds no room",
    }
}

const fn cause_of(cause: &CloseCause) -> &'static str {
    match cause {
        CloseCause::Application => "application",
        CloseCause::Goodbye(_) => "goodbye",
        CloseCause::Abort(_) => "abort",
        CloseCause::Transport(_) => "transport",
        CloseCause::ProtocolViolation(_) => "protocol violation",
        CloseCause::JoinTimeout => "join timeout",
        CloseCause::Authentication(_) => "authentication",
        CloseCause::Config(_) => "configuration",
    }
}

/// More of the cause, but for the words of the peer, who may name users in them.
fn why_of(cause: &CloseCause) -> Option<String> {
    Some(match cause {
        CloseCause::Goodbye(goodbye) => goodbye.reason.to_string(),
        CloseCause::Abort(abort) => abort.reason.to_string(),
        CloseCause::Transport(error) => transport_error(error.kind()),
        CloseCause::Authentication(error) => error.to_string(),
        CloseCause::Config(error) => error.to_string(),
        CloseCause::Application | CloseCause::ProtocolViolation(_) | CloseCause::JoinTimeout => return None,
    })
}

pub(super) fn transport_error(kind: &TransportErrorKind) -> String {
    match kind {
        TransportErrorKind::Closed { code, .. } => {
            TransportErrorKind::Closed { code: *code, reason: String::new() }.to_string()
        }
        kind => kind.to_string(),
    }
}

/// Warns if a session is over because the router broke the protocol.
fn warn_of(cause: &CloseCause) {
    if let CloseCause::ProtocolViolation(violation) = cause {
        // Where, and not what: that is the peer's.
        let (byte, message) = match violation {
            ProtocolViolation::Decode(error) => (Some(error.offset()), error.message_type()),
            ProtocolViolation::Unexpected { message, .. } | ProtocolViolation::Invalid { message, .. } => {
                (None, Some(*message))
            }
            ProtocolViolation::WrongFrame(_) => (None, None),
        };
        let message_type = message.map(wamp_proto::MessageType::name);
        warn!(target: CLIENT, %violation, message_type, byte, "the router broke the protocol");
    }
}
