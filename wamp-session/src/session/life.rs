//! Whether the peer lives: pings, and what counts as an answer.

#![warn(clippy::wildcard_enum_match_arm)]

use core::time::Duration;

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::state::State;
use crate::{Action, CloseCause, KeepAlive, Time, TransportError, TransportErrorKind, TransportId};

/// A deadline that is noticed so much too late says nothing of the peer: nobody has listened meanwhile.
const OVERDUE: Duration = Duration::from_secs(1);

/// What is known of the peer of the present session.
#[derive(Debug, Default)]
pub(super) struct Life {
    heard: Time,
    /// A ping after which nothing was heard yet.
    ping: Option<Ping>,
    /// When the next ping is due, or the answer to the last.
    due: Option<Time>,
    deadline: Option<DeadlineId>,
}

#[derive(Clone, Copy, Debug)]
struct Ping {
    /// Whether it follows one whose answer was looked for too late.
    again: bool,
}

impl Session {
    /// The session is joined.
    pub(super) fn start_life(&mut self) {
        self.life.heard = self.now;
        self.listen();
    }

    pub(super) fn end_life(&mut self) {
        self.deadlines.cancel(self.life.deadline);
        self.life = Life::default();
    }

    /// Something came from the peer.
    pub(super) fn heard(&mut self, transport: TransportId) {
        if self.is_joined() && self.state.transport() == Some(transport) {
            self.life.heard = self.now;
            if self.life.ping.take().is_some() {
                self.listen();
            }
        }
    }

    /// Waits for the peer's next sign of life, and pings it after a while.
    fn listen(&mut self) {
        let keep_alive = self.config.keep_alive.as_ref();
        let next = keep_alive.and_then(|keep_alive| self.life.heard.checked_add(keep_alive.interval));
        self.set_life_deadline(next);
    }

    fn set_life_deadline(&mut self, due: Option<Time>) {
        self.deadlines.cancel(self.life.deadline);
        self.life.due = due;
        self.life.deadline = self.deadlines.set(due, Deadline::Life);
    }

    /// Pings the peer, unless a ping is under way.
    pub(super) fn ping_now(&mut self) {
        if self.life.ping.is_none() {
            self.ping(false);
        }
    }

    fn ping(&mut self, again: bool) {
        let State::Joined(established) = &self.state else { return };
        self.outbound.push(Action::Ping { id: established.transport });
        self.life.ping = Some(Ping { again });
        let timeout = self.config.keep_alive.unwrap_or_default().timeout;
        self.set_life_deadline(self.now.checked_add(timeout.max(Duration::from_nanos(1))));
    }

    /// It is time for a ping, or for the end of a silent peer.
    pub(super) fn life_due(&mut self) {
        let Some(due) = self.life.due else { return };
        let KeepAlive { interval, .. } = self.config.keep_alive.unwrap_or_default();
        match self.life.ping {
            // Most deadlines are set anew only here, and not with each frame.
            None if self.life.heard.checked_add(interval).is_none_or(|next| next > self.now) => self.listen(),
            None => self.ping(false),
            Some(Ping { again: false }) if self.now.since(due) > OVERDUE => self.ping(true),
            Some(_) => self.silent(),
        }
    }

    /// The peer is silent: goes on without its transport, which nobody would close in time.
    fn silent(&mut self) {
        let Some(transport) = self.state.transport() else { return };
        let lost = self.outbound.forget(transport);
        self.count_lost(lost);
        self.close_transport(1001, "the peer is silent");
        self.end(CloseCause::Transport(TransportError::new(TransportErrorKind::Silent)), None);
        self.finish();
    }
}
