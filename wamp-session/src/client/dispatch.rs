//! What happens to the session, given to everybody who waits for it.

use std::sync::Arc;

use wamp_proto::CancelMode;

use super::backlog::SubscriptionEnd;
use super::callee::RegistrationEnd;
use super::caller::Outcome;
use super::invocation::{CANCELED, UNAVAILABLE};
use super::shared::{Effects, Question, State, uri};
use super::work::InvocationParts;
use crate::{
    Attempt, CloseCause, CloseReason, InvocationEnd, RequestError, Response, SessionEvent, Status, Time, WampError,
};

impl State {
    /// Gives everybody what has happened.
    pub(super) fn dispatch(&mut self, now: Time, effects: &mut Effects) {
        self.dispatch_events(now, effects);
        if self.drained(now) {
            self.drain = Some(None);
            self.session.close(now, CloseReason::CloseRealm);
            self.dispatch_events(now, effects);
        }
        self.seen.changes(&self.session, self.session.waiting(), &mut effects.told);
        if let Some((id, waker)) = &mut self.attempt
            && !(matches!(self.session.status(), Status::Connecting) && self.session.transport() == Some(*id))
        {
            effects.wake(waker.take());
            self.attempt = None;
        }
        effects.extend(self.session.take_discarded());
        if let Some(id) = self.session.question().filter(|id| *id != self.asked)
            && let Some(Attempt { number, cause, default, decide }) = self.session.undecided()
        {
            self.asked = id;
            effects.question = Some(Question { id, number, cause: cause.clone(), default, decide });
        }
    }

    fn dispatch_events(&mut self, now: Time, effects: &mut Effects) {
        while let Some(event) = self.session.poll_event() {
            effects.told.event(&event);
            match event {
                SessionEvent::Joined(joined) => {
                    effects.discard_value(self.joined.replace(Arc::clone(&joined)));
                    for listener in self.listeners.values_mut().filter(|listener| listener.listens()) {
                        listener.joined(Arc::clone(&joined), effects);
                    }
                    self.wake_watchers(effects);
                    // What has waited for the join has been sent.
                    for outcome in self.calls.values_mut() {
                        effects.wake(outcome.input.take());
                    }
                }
                SessionEvent::Left(left) => {
                    effects.discard_value(self.joined.take());
                    for listener in self.listeners.values_mut().filter(|listener| listener.listens()) {
                        listener.left(&left, effects);
                    }
                    effects.discard_value(Some(left));
                }
                SessionEvent::Restored { failed } => {
                    for listener in self.listeners.values_mut().filter(|listener| listener.listens()) {
                        listener.restored(&failed, effects);
                    }
                    effects.discard_value((!failed.is_empty()).then_some(failed));
                }
                SessionEvent::Challenge { transport, challenge } => effects.challenges.push((transport, challenge)),
                SessionEvent::Closed(cause) => self.close(cause, effects),
                SessionEvent::Subscribed { key, result } => {
                    if let Some(backlog) = self.subscriptions.get_mut(&key) {
                        backlog.confirm(result, effects);
                    }
                }
                SessionEvent::Unsubscribed { key, result } => {
                    self.leaving.0.remove(&key);
                    if let Some(slot) = self.unsubscribes.get_mut(&key) {
                        slot.fill(result, effects);
                    }
                    if let Some(backlog) = self.subscriptions.get_mut(&key) {
                        backlog.end(SubscriptionEnd::Drained, effects);
                    }
                }
                SessionEvent::SubscriptionRevoked { key, reason } => {
                    if let Some(backlog) = self.subscriptions.get_mut(&key) {
                        backlog.end(SubscriptionEnd::Revoked(reason), effects);
                    }
                }
                SessionEvent::RegistrationRevoked { key, reason } => {
                    if let Some(inbox) = self.registrations.get_mut(&key) {
                        inbox.end(RegistrationEnd::Revoked(reason), effects);
                    }
                }
                SessionEvent::Published(event) => {
                    let key = event.key;
                    let Some(backlog) = self.subscriptions.get_mut(&key) else { continue };
                    if backlog.push(event, effects).is_break() {
                        self.unsubscribe(now, key);
                    }
                }
                SessionEvent::PublishDone { key, result } => {
                    if let Some(slot) = self.publishes.get_mut(&key) {
                        slot.fill(result, effects);
                    }
                }
                SessionEvent::PublishSent { key, result } => {
                    if let Some(slot) = self.sends.get_mut(&key) {
                        slot.fill(result, effects);
                    }
                }
                SessionEvent::CallProgress { key, progress } => {
                    let Some(Outcome { end, parts: Some(parts), .. }) = self.calls.get_mut(&key) else { continue };
                    let overflow = parts.push(progress, end.waker.is_some(), effects);
                    effects.wake(end.waker.take());
                    if overflow.is_break() {
                        // One that has ended meanwhile needs no cancelling.
                        let _ = self.session.cancel(now, key, CancelMode::KillNoWait);
                    }
                }
                SessionEvent::CallDone { key, result } => {
                    if let Some(outcome) = self.calls.get_mut(&key) {
                        outcome.end.fill(result, effects);
                        effects.wake(outcome.input.take());
                    }
                }
                SessionEvent::Registered { key, result } => {
                    if let Some(inbox) = self.registrations.get_mut(&key) {
                        inbox.confirm(result, effects);
                    }
                }
                SessionEvent::Unregistered { key, result } => {
                    self.leaving.1.remove(&key);
                    if let Some(slot) = self.unregisters.get_mut(&key) {
                        slot.fill(result, effects);
                    }
                    if let Some(inbox) = self.registrations.get_mut(&key) {
                        inbox.end(RegistrationEnd::Drained, effects);
                    }
                }
                SessionEvent::Invocation(invocation) => {
                    let (key, registration) = (invocation.key, invocation.registration);
                    let parts = InvocationParts::from(invocation);
                    let work = parts.work();
                    let accepted = match self.registrations.get_mut(&registration) {
                        Some(inbox) => inbox.push(parts, effects),
                        None => false,
                    };
                    if accepted {
                        self.invocations.insert(key, work);
                    } else {
                        effects.told.unavailable();
                        let error = WampError::from_uri(uri(UNAVAILABLE));
                        // It has come just now, so it can be answered.
                        let _ = self.session.respond(now, key, Response::Error(error));
                    }
                }
                SessionEvent::InvocationInput { key, payload, more } => {
                    // What comes together with the input that found no room, is not taken either.
                    let Some(work) = self.invocations.get_mut(&key).filter(|work| work.is_open()) else { continue };
                    if !work.push(payload, more, effects) {
                        effects.told.unavailable();
                        work.close(InvocationEnd::Overflow, effects);
                        let error = WampError::from_uri(uri(UNAVAILABLE));
                        // Its input has come just now, so it can be answered.
                        let _ = self.session.respond(now, key, Response::Error(error));
                    }
                }
                SessionEvent::Interrupted { key, reason } => {
                    let Some(work) = self.invocations.get_mut(&key) else { continue };
                    if work.interrupt(InvocationEnd::Interrupted(reason.clone()), effects) {
                        work.close(InvocationEnd::Interrupted(reason), effects);
                        let error = WampError::from_uri(uri(CANCELED));
                        // It waits for its answer.
                        let _ = self.session.respond(now, key, Response::Error(error));
                    }
                }
                SessionEvent::InvocationEnded { key, why } => {
                    if let Some(work) = self.invocations.get_mut(&key) {
                        work.close(why, effects);
                    }
                }
            }
        }
        if !matches!(self.session.status(), Status::Closed) {
            // It may have been connected again.
            effects.discard_value(self.closed.take());
        } else if let Some(cause) = self.closed.clone() {
            // Also who waits for a run that was withdrawn before it began.
            self.end_watches(&cause, effects);
        }
    }

    /// The session is over: nothing that waits is left waiting.
    fn close(&mut self, cause: Arc<CloseCause>, effects: &mut Effects) {
        effects.discard_value(self.closed.replace(Arc::clone(&cause)));
        effects.discard_value(self.joined.take());
        self.drain = None;
        self.leaving = Default::default();
        for listener in self.listeners.values_mut().filter(|listener| listener.listens()) {
            listener.closed(&cause, effects);
        }
        self.end_watches(&cause, effects);
        self.runs += 1;
        // Each has had its final event by now; this is for those that had none.
        for outcome in self.calls.values_mut() {
            outcome.end.fill_empty(|| Err(RequestError::Closed), effects);
        }
        for slot in self.publishes.values_mut() {
            slot.fill_empty(|| Err(RequestError::Closed), effects);
        }
        let withdrawals = self.unsubscribes.values_mut().chain(self.unregisters.values_mut());
        for slot in withdrawals.chain(self.sends.values_mut()) {
            slot.fill_empty(|| Err(RequestError::Closed), effects);
        }
        for backlog in self.subscriptions.values_mut() {
            backlog.end(SubscriptionEnd::Closed(Arc::clone(&cause)), effects);
        }
        for inbox in self.registrations.values_mut() {
            inbox.end(RegistrationEnd::Closed(Arc::clone(&cause)), effects);
        }
        for work in self.invocations.values_mut() {
            work.close(InvocationEnd::SessionOver, effects);
        }
        for waker in self.room.values_mut() {
            effects.wake(waker.take());
        }
    }

    /// Tells those who wait for the present run, or for one before, that it is over.
    fn end_watches(&mut self, cause: &Arc<CloseCause>, effects: &mut Effects) {
        for watcher in self.watchers.values_mut().filter(|watcher| watcher.run <= self.runs && watcher.closed.is_none())
        {
            watcher.closed = Some(Arc::clone(cause));
            effects.wake(watcher.waker.take());
        }
    }

    fn wake_watchers(&mut self, effects: &mut Effects) {
        for watcher in self.watchers.values_mut() {
            effects.wake(watcher.waker.take());
        }
    }
}
