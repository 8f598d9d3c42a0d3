//! From one session to the next: which attempt follows, what is kept, and what is asked for anew.

#![warn(clippy::wildcard_enum_match_arm)]

use core::mem;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use wamp_proto::SessionId;

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::state::{Pause, State};
use super::subscriber::WantedKey;
use crate::reconnect::Dice;
use crate::{Attempt, CloseCause, Decision, Left, NotRestored, RegistrationKey, RequestError, SessionEvent, Time};

/// What a session knows of the attempts since `connect`.
#[derive(Debug)]
pub(super) struct Run {
    /// Whether there was a session since `connect`.
    was_joined: bool,
    /// Since when the session stands.
    joined_at: Option<Time>,
    /// Attempts since a session stood long enough.
    attempts: u32,
    /// The URL of the next attempt, and how many have been tried before the first session.
    url: usize,
    tried: usize,
    dice: Dice,
    /// Publications that are known to be lost, and of which no `Left` has told.
    lost_publishes: u64,
}

/// What follows the end of a session, or of an attempt to join.
pub(super) enum Next {
    /// The session is closed.
    End,
    /// The attempt of this number, after a delay.
    Retry(u32, Duration),
    /// What the application says, and if it does not say, this.
    Ask(u32, Decision),
}

/// The end of a session, or of an attempt to join, of which the application has not said what follows.
#[derive(Debug)]
pub(super) struct Undecided {
    /// Tells one question from the next.
    #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "only clients ask beside the session"))]
    id: u64,
    number: u32,
    cause: CloseCause,
    default: Decision,
    /// The session's id, if it was joined.
    session: Option<SessionId>,
    deadline: Option<DeadlineId>,
}

/// What was sent again after a WELCOME, and is not answered yet.
#[derive(Debug)]
pub(super) struct Restoring {
    pending: BTreeSet<Replayed>,
    failed: Vec<NotRestored>,
    deadline: Option<DeadlineId>,
    /// Whether everything has been sent.
    complete: bool,
}

/// Something that was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Replayed {
    Subscription(WantedKey),
    Registration(RegistrationKey),
}

impl Run {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            was_joined: false,
            joined_at: None,
            attempts: 0,
            url: 0,
            tried: 0,
            dice: Dice::new(seed),
            lost_publishes: 0,
        }
    }

    pub(super) const fn url(&self) -> usize {
        self.url
    }

    /// Another `connect`: chance goes on, everything else begins anew.
    pub(super) fn restart(&mut self) {
        *self = Self { dice: self.dice.clone(), ..Self::new(0) };
    }
}

impl Session {
    /// What follows a cause.
    pub(super) fn next_attempt(&mut self, cause: &CloseCause) -> Next {
        let (run, policy) = (&mut self.run, &self.config.reconnect);
        match run.joined_at.take() {
            Some(joined_at) if policy.is_stable(self.now.since(joined_at)) => run.attempts = 0,
            Some(_) => {}
            None => {
                run.tried += 1;
                run.url = (run.url + 1) % self.config.urls.len().max(1);
            }
        }
        if matches!(cause, CloseCause::Application) {
            return Next::End;
        }
        let number = run.attempts.saturating_add(1);
        let decision = if run.was_joined || self.config.retry_initial_connect {
            let default = policy.decision(number, cause, &mut run.dice);
            if policy.function().is_some() {
                return Next::Ask(number, default);
            }
            default
        } else if cause.is_retried() && run.tried < self.config.urls.len() {
            Decision::Retry(Duration::ZERO)
        } else {
            Decision::End
        };
        match decision {
            Decision::Retry(delay) => Next::Retry(number, delay),
            Decision::End => Next::End,
        }
    }

    /// Waits for the application to say what follows, at most for the close timeout.
    pub(super) fn ask(&mut self, cause: CloseCause, session: Option<SessionId>, number: u32, default: Decision) {
        let deadline = self.deadlines.set(self.now.checked_add(self.config.close_timeout), Deadline::Decide);
        let id = self.next_key();
        self.undecided = Some(Undecided { id, number, cause, default, session, deadline });
    }

    /// The name of the question that waits for an answer.
    #[cfg(feature = "client")]
    pub(crate) fn question(&self) -> Option<u64> {
        self.undecided.as_ref().map(|undecided| undecided.id)
    }

    pub(super) fn undecided_attempt(&self) -> Option<Attempt<'_>> {
        let Undecided { number, cause, default, .. } = self.undecided.as_ref()?;
        let decide = self.config.reconnect.function();
        Some(Attempt { number: *number, cause, default: *default, decide })
    }

    /// The application does not say what follows.
    pub(super) fn decide_by_default(&mut self) {
        if let Some(Undecided { default, .. }) = &self.undecided {
            self.decided(*default);
        }
    }

    /// It is decided what follows the end of a session, or of an attempt to join.
    pub(super) fn decided(&mut self, decision: Decision) {
        let Some(Undecided { number, cause, session, deadline, .. }) = self.undecided.take() else { return };
        self.deadlines.cancel(deadline);
        match decision {
            Decision::Retry(delay) => {
                let pause = self.left(cause, session, number, delay);
                if let State::Closing(closing) = &mut self.state {
                    closing.undecided = false;
                    closing.retry = Some(pause);
                } else {
                    self.pause(pause);
                }
            }
            Decision::End => {
                self.dispose(|sent| RequestError::Disconnected { sent });
                if let State::Closing(closing) = &mut self.state {
                    closing.undecided = false;
                    self.discards.push(cause);
                } else {
                    self.state = State::Closed;
                    self.events.push(SessionEvent::Closed(Arc::new(cause)));
                }
            }
        }
    }

    /// The application has closed the session before it said what follows.
    pub(super) fn withdraw_question(&mut self) {
        if let Some(Undecided { deadline, cause, .. }) = self.undecided.take() {
            self.deadlines.cancel(deadline);
            self.discards.push(cause);
        }
    }

    /// Tells that the session, or an attempt to join, is over, and what follows.
    pub(super) fn left(
        &mut self,
        cause: CloseCause,
        session: Option<SessionId>,
        attempt: u32,
        retry_in: Duration,
    ) -> Pause {
        self.run.attempts = attempt;
        let lost_publishes = mem::take(&mut self.run.lost_publishes);
        let left = Arc::new(Left { cause, session, attempt, retry_in, lost_publishes });
        self.events.push_left(Arc::clone(&left), &self.config.limits);
        // Always a moment later: with timeouts of zero, attempts would follow each other without time going on.
        Pause { left, at: self.now.checked_add(retry_in.max(Duration::from_nanos(1))) }
    }

    /// Waits for the next attempt, or makes it if it is time.
    pub(super) fn pause(&mut self, pause: Pause) {
        if pause.at.is_some_and(|at| at <= self.now) {
            self.discards.push(pause);
            self.open();
        } else {
            let deadline = self.deadlines.set(pause.at, Deadline::Reconnect);
            self.state = State::Waiting(pause, deadline);
        }
    }

    /// Makes the next attempt now, or as soon as the old transport has ended.
    pub(super) fn hurry(&mut self) {
        if self.undecided.is_some() {
            self.decided(Decision::Retry(Duration::ZERO));
        }
        match &mut self.state {
            State::Waiting(_, deadline) => {
                self.deadlines.cancel(*deadline);
                self.open();
            }
            State::Closing(closing) => {
                if let Some(pause) = &mut closing.retry {
                    pause.at = Some(self.now);
                }
            }
            State::Closed | State::Opening { .. } | State::Joining(_) | State::Joined(_) | State::Undecided => {}
        }
    }

    /// Counts publications that were queued and will not be sent.
    pub(super) const fn count_lost(&mut self, publishes: u64) {
        self.run.lost_publishes = self.run.lost_publishes.saturating_add(publishes);
        self.stats.lost_publishes = self.stats.lost_publishes.saturating_add(publishes);
    }

    /// How long to wait before the attempt of this number to do what was refused.
    pub(super) fn backoff(&mut self, number: u32) -> Duration {
        self.config.reconnect.delay(number, &mut self.run.dice)
    }

    /// Ends what is in flight, and keeps what is wanted for the next session.
    pub(super) fn suspend(&mut self) {
        let lost = |sent| RequestError::Disconnected { sent };
        self.stop_restoring();
        self.lose_calls(lost);
        self.lose_publications(lost);
        self.end_withdrawals(lost);
        self.suspend_subscriptions();
        self.suspend_registrations();
        self.end_invocations();
    }

    /// The session is joined: asks for what is kept from the one before, all at once.
    pub(super) fn replay(&mut self) {
        self.run.joined_at = Some(self.now);
        if !mem::replace(&mut self.run.was_joined, true) {
            return;
        }
        let (pending, failed) = (BTreeSet::new(), Vec::new());
        self.restoring = Some(Restoring { pending, failed, deadline: None, complete: false });
        self.replay_subscriptions();
        self.replay_registrations();
        let until = self.now.checked_add(self.config.request_timeout);
        if let Some(restoring) = &mut self.restoring {
            restoring.deadline = self.deadlines.set(until, Deadline::Restore);
            restoring.complete = true;
        }
        self.check_restored();
    }

    pub(super) fn replayed(&mut self, what: Replayed) {
        if let Some(restoring) = &mut self.restoring {
            restoring.pending.insert(what);
        }
    }

    /// Whether something was sent again, and is not answered yet.
    pub(super) fn is_replayed(&self, what: Replayed) -> bool {
        self.restoring.as_ref().is_some_and(|restoring| restoring.pending.contains(&what))
    }

    /// Something that was sent again is not restored.
    pub(super) fn not_restored(&mut self, failed: NotRestored) {
        if let Some(restoring) = &mut self.restoring {
            restoring.failed.push(failed);
        }
    }

    /// Something that was sent again is answered, or not wanted any more.
    pub(super) fn replay_answered(&mut self, what: Replayed) {
        if let Some(restoring) = &mut self.restoring {
            restoring.pending.remove(&what);
            self.check_restored();
        }
    }

    fn check_restored(&mut self) {
        if let Some(restoring) = self.restoring.take_if(|restoring| restoring.complete && restoring.pending.is_empty())
        {
            self.deadlines.cancel(restoring.deadline);
            self.events.push(SessionEvent::Restored { failed: restoring.failed });
        }
    }

    pub(super) fn stop_restoring(&mut self) {
        if let Some(restoring) = self.restoring.take() {
            self.deadlines.cancel(restoring.deadline);
            self.discards.push(restoring.failed);
        }
    }

    /// The router does not answer everything that was sent again: what is missing counts as failed, and is still waited for.
    pub(super) fn restore_timed_out(&mut self) {
        let Some(mut restoring) = self.restoring.take() else { return };
        for what in mem::take(&mut restoring.pending) {
            match what {
                Replayed::Subscription(key) => self.unanswered_subscription(key, &mut restoring.failed),
                Replayed::Registration(key) => self.unanswered_registration(key, &mut restoring.failed),
            }
        }
        self.events.push(SessionEvent::Restored { failed: restoring.failed });
    }
}
