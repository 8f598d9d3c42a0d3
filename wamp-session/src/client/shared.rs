//! The state that the handles and the driver of one client share.

use core::mem;
use core::task::Waker;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wamp_proto::{Format, Limits, Payload, PublicationId, Uri};

use super::auth;
use super::backlog::{Backlog, SubscriptionEnd};
use super::callee::Inbox;
use super::caller::Outcome;
use super::connection::{EventQueue, Watcher};
use super::contained::contained;
use super::handler::HandlerErrorHook;
use super::runtime::{Runtime, Task};
use super::trace::{Seen, Spans, Told};
use super::work::Work;
use crate::passthru::Codecs;
use crate::session::Discarded;
use crate::{
    Attempt, CallKey, CloseCause, CloseReason, Decision, InvocationKey, Joined, PublishKey, RegistrationKey,
    RequestError, Response, Session, Status, SubscriptionKey, Time, TransportId,
};

/// What the handles, the driver and the tasks of one client share: one mutex around one state, and the runtime.
pub(crate) struct Shared {
    state: Mutex<State>,
    runtime: Arc<dyn Runtime>,
    on_handler_error: Option<HandlerErrorHook>,
    /// What seals and opens payloads, and the limits of a message.
    pub(super) passthru: (Codecs, Limits),
    pub(super) spans: Spans,
}

/// The session, and everybody who waits for it.
///
/// Nothing here runs, clones or drops a waker, or runs anybody else's code: what is to be woken, dropped or spawned goes into
/// [`Effects`].
pub(crate) struct State {
    pub(crate) session: Session,
    /// The driver's waker, until it has been woken.
    driver: Option<Waker>,
    /// Whether the last live handle is gone.
    abandoned: bool,
    /// Whether the driver is gone, and nothing can be done any more.
    pub(crate) is_dead: bool,
    /// How many runs of the session have ended; each `connect` after an end starts one.
    pub(crate) runs: u64,
    /// Why the session is closed, if it is.
    pub(crate) closed: Option<Arc<CloseCause>>,
    pub(crate) joined: Option<Arc<Joined>>,
    pub(crate) calls: BTreeMap<CallKey, Outcome>,
    pub(crate) publishes: BTreeMap<PublishKey, Slot<Result<PublicationId, RequestError>>>,
    /// Publications without acknowledgement that wait for a join.
    pub(crate) sends: BTreeMap<PublishKey, Slot<Result<(), RequestError>>>,
    /// Publishers that wait for room in the outbound queue, in the order in which they came.
    pub(crate) room: BTreeMap<u64, Option<Waker>>,
    pub(crate) subscriptions: BTreeMap<SubscriptionKey, Backlog>,
    pub(crate) unsubscribes: BTreeMap<SubscriptionKey, Slot<Result<(), RequestError>>>,
    pub(crate) registrations: BTreeMap<RegistrationKey, Inbox>,
    pub(crate) unregisters: BTreeMap<RegistrationKey, Slot<Result<(), RequestError>>>,
    /// Subscriptions and registrations whose end the router has not confirmed.
    pub(super) leaving: (BTreeSet<SubscriptionKey>, BTreeSet<RegistrationKey>),
    /// The invocations that nobody has answered, and those that have ended without an answer while somebody has them.
    pub(crate) invocations: BTreeMap<InvocationKey, Work>,
    /// Until when the session drains, if it does.
    pub(super) drain: Option<Option<Time>>,
    /// The attempt to join for which an authenticator is at work.
    pub(crate) attempt: Option<(TransportId, Option<Waker>)>,
    pub(crate) watchers: BTreeMap<u64, Watcher>,
    pub(crate) listeners: BTreeMap<u64, EventQueue>,
    tickets: u64,
    /// The last end of a session of which the policy's function was asked what follows.
    pub(super) asked: u64,
    pub(super) seen: Seen,
}

/// Bytes of frames in the session above which publishers wait.
const OUTBOUND_FULL: usize = 1 << 20;

/// A place for one answer, and the task that waits for it.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) value: Option<T>,
    pub(crate) waker: Option<Waker>,
}

/// What is to be done when the lock has been released.
#[derive(Default)]
pub(crate) struct Effects {
    wake: Vec<Waker>,
    discard: Vec<Waker>,
    /// Payloads that nobody takes any more: what they hold may be somebody else's.
    payloads: Vec<Payload>,
    gone: Vec<Discarded>,
    pub(super) challenges: Vec<(TransportId, wamp_proto::Challenge)>,
    pub(super) question: Option<Question>,
    pub(super) told: Told,
    /// Whether the driver carries it out, which need not be woken.
    by_driver: bool,
    /// Whether nothing was done to the session after all.
    is_idle: bool,
}

/// What the policy's function is to be asked.
pub(super) struct Question {
    pub(super) id: u64,
    pub(super) number: u32,
    pub(super) cause: CloseCause,
    pub(super) default: Decision,
    pub(super) decide: Option<fn(&Attempt<'_>) -> Decision>,
}

impl Shared {
    pub(crate) fn new(mut session: Session, runtime: Arc<dyn Runtime>) -> Self {
        session.keep_discarded();
        let on_handler_error = session.config().on_handler_error.clone();
        let passthru = (session.config().codecs.clone(), *session.config().message_limits());
        let spans = Spans::new(&session.config().realm);
        let state = State {
            session,
            driver: None,
            abandoned: false,
            is_dead: false,
            runs: 0,
            closed: None,
            joined: None,
            calls: BTreeMap::new(),
            publishes: BTreeMap::new(),
            sends: BTreeMap::new(),
            room: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            unsubscribes: BTreeMap::new(),
            registrations: BTreeMap::new(),
            unregisters: BTreeMap::new(),
            leaving: Default::default(),
            invocations: BTreeMap::new(),
            drain: None,
            attempt: None,
            watchers: BTreeMap::new(),
            listeners: BTreeMap::new(),
            tickets: 0,
            asked: 0,
            seen: Default::default(),
        };
        Self { state: Mutex::new(state), runtime, on_handler_error, passthru, spans }
    }

    /// A command of a handle: what follows from it is dispatched, and the driver is woken.
    pub(crate) fn command<R>(self: &Arc<Self>, f: impl FnOnce(&mut State, Time, &mut Effects) -> R) -> R {
        let now = self.runtime.now();
        self.act(|state, effects| {
            let result = f(state, now, effects);
            if !effects.is_idle {
                state.dispatch(now, effects);
                state.wake_driver(effects);
            }
            result
        })
    }

    /// An input of the driver: as a command, but the driver knows of it.
    pub(crate) fn input<R>(self: &Arc<Self>, f: impl FnOnce(&mut State, Time, &mut Effects) -> R) -> R {
        let now = self.runtime.now();
        self.act(|state, effects| {
            effects.by_driver = true;
            let result = f(state, now, effects);
            state.dispatch(now, effects);
            result
        })
    }

    /// Looks at the state, or takes something out of it, without doing anything to the session.
    pub(crate) fn look<R>(self: &Arc<Self>, f: impl FnOnce(&mut State, &mut Effects) -> R) -> R {
        self.act(f)
    }

    fn act<R>(self: &Arc<Self>, f: impl FnOnce(&mut State, &mut Effects) -> R) -> R {
        // Dropped after the lock, also when `f` panics.
        let mut effects = Effects::default();
        let result = f(&mut self.lock(), &mut effects);
        effects.carry_out(self);
        result
    }

    /// A panic under the lock would be a defect of this crate; the others' handles go on as well as they can.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody holds the lock: what runs then is under it, if there is no other thread.
    #[cfg(all(test, feature = "json"))]
    pub(super) fn is_locked(&self) -> bool {
        matches!(self.state.try_lock(), Err(std::sync::TryLockError::WouldBlock))
    }

    pub(crate) fn now(&self) -> Time {
        self.runtime.now()
    }

    pub(crate) fn spawn(&self, task: Task) {
        self.runtime.spawn(task);
    }

    /// Who wants to know of handlers that fail.
    pub(crate) const fn on_handler_error(&self) -> Option<&HandlerErrorHook> {
        self.on_handler_error.as_ref()
    }

    /// The format to encode payloads in.
    pub(crate) fn format(self: &Arc<Self>) -> Format {
        self.look(|state, _| state.session.format())
    }
}

impl State {
    /// Hands out a number that is used once.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.tickets = self.tickets.wrapping_add(1);
        self.tickets
    }

    pub(crate) fn set_driver(&mut self, waker: &mut Option<Waker>) {
        mem::swap(&mut self.driver, waker);
    }

    pub(crate) fn wake_driver(&mut self, effects: &mut Effects) {
        effects.wake(self.driver.take());
    }

    /// Whether nothing can happen any more: the session is closed, and nobody is left to say otherwise.
    pub(crate) fn is_over(&self) -> bool {
        self.abandoned && matches!(self.session.status(), Status::Closed)
    }

    pub(crate) fn abandon(&mut self, now: Time) {
        self.abandoned = true;
        self.session.close(now, CloseReason::CloseRealm);
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let session = self.session.poll_timeout().map(|(deadline, _)| deadline);
        match (session, self.drain.flatten()) {
            (Some(session), Some(drain)) => Some(session.min(drain)),
            (session, drain) => session.or(drain),
        }
    }

    /// Whether a publisher may go on, whose turn it is.
    pub(crate) fn has_room(&self) -> bool {
        self.closed.is_some() || self.session.outbound_bytes() < OUTBOUND_FULL
    }

    /// Wakes the publisher whose turn it is, if there is room.
    pub(crate) fn offer_room(&mut self, effects: &mut Effects) {
        if self.has_room()
            && let Some(mut first) = self.room.first_entry()
        {
            effects.wake(first.get_mut().take());
        }
    }

    pub(crate) fn unsubscribe(&mut self, now: Time, key: SubscriptionKey) -> bool {
        let accepted = !self.leaving.0.contains(&key) && self.session.unsubscribe(now, key).is_ok();
        if accepted {
            self.leaving.0.insert(key);
        }
        accepted
    }

    /// Ends the subscriptions to a topic that stand; returns those for whose answer somebody has to wait.
    pub(crate) fn unsubscribe_all(&mut self, now: Time, topic: &Uri, effects: &mut Effects) -> Vec<SubscriptionKey> {
        let mut keys = Vec::new();
        for (key, backlog) in &mut self.subscriptions {
            if backlog.topic == *topic && backlog.stands {
                backlog.end(SubscriptionEnd::Unsubscribed, effects);
                keys.push(*key);
            }
        }
        keys.retain(|key| self.unsubscribe(now, *key));
        for key in &keys {
            self.unsubscribes.insert(*key, Slot::new(None));
        }
        keys
    }

    pub(crate) fn unregister(&mut self, now: Time, key: RegistrationKey) -> bool {
        let accepted = !self.leaving.1.contains(&key) && self.session.unregister(now, key).is_ok();
        if accepted {
            self.leaving.1.insert(key);
        }
        accepted
    }

    /// Whether the end of a registration waits for the router's answer.
    pub(crate) fn is_leaving(&self, key: RegistrationKey) -> bool {
        self.leaving.1.contains(&key)
    }

    /// The tables that are not empty; what the router has confirmed does not count.
    #[cfg(all(test, feature = "json"))]
    pub(crate) fn under_way(&self) -> Vec<(&'static str, usize)> {
        let own = [
            ("calls", self.calls.len()),
            ("publishes", self.publishes.len()),
            ("sends", self.sends.len()),
            ("room", self.room.len()),
            ("subscriptions", self.subscriptions.len()),
            ("unsubscribes", self.unsubscribes.len()),
            ("registrations", self.registrations.len()),
            ("unregisters", self.unregisters.len()),
            ("leaving", self.leaving.0.len() + self.leaving.1.len()),
            ("invocations", self.invocations.len()),
            ("watchers of the connection", self.watchers.len()),
            ("watchers of invocations", self.invocations.values().map(|work| work.watchers.len()).sum()),
            ("readers of invocations", self.invocations.values().map(|work| work.readers.len()).sum()),
        ];
        own.into_iter().chain(self.session.under_way()).filter(|(_, count)| *count > 0).collect()
    }

    /// Answers an invocation; one that has ended is none any more.
    pub(crate) fn respond(
        &mut self,
        now: Time,
        key: InvocationKey,
        response: Response,
        effects: &mut Effects,
    ) -> Result<(), crate::CommandError> {
        if let Some(work) = self.invocations.remove(&key) {
            work.forget(effects);
        }
        self.session.respond(now, key, response)
    }

    /// Unsubscribes and unregisters everything, and closes the session when every invocation is answered, or at the latest
    /// after the close timeout.
    pub(crate) fn drain(&mut self, now: Time) {
        if self.drain.is_some() || self.closed.is_some() {
            return;
        }
        self.drain = Some(now.checked_add(self.session.config().close_timeout));
        let subscriptions: Vec<_> = self.subscriptions.keys().copied().collect();
        for key in subscriptions {
            self.unsubscribe(now, key);
        }
        let registrations: Vec<_> = self.registrations.keys().copied().collect();
        for key in registrations {
            self.unregister(now, key);
        }
    }

    pub(super) fn drained(&self, now: Time) -> bool {
        match self.drain {
            Some(Some(deadline)) if now >= deadline => true,
            Some(_) => {
                !self.invocations.values().any(Work::is_open) && self.leaving.0.is_empty() && self.leaving.1.is_empty()
            }
            None => false,
        }
    }

    /// Connects again if it is closed or closing; returns the run that is joined then.
    pub(crate) fn connect(&mut self, now: Time) -> u64 {
        if !self.is_dead {
            self.session.connect(now);
        }
        // Only one that closes for good is closing still.
        self.runs + u64::from(matches!(self.session.status(), Status::Closing))
    }
}

impl<T> Slot<T> {
    pub(crate) const fn new(waker: Option<Waker>) -> Self {
        Self { value: None, waker }
    }

    pub(crate) fn fill(&mut self, value: T, effects: &mut Effects) {
        self.value = Some(value);
        effects.wake(self.waker.take());
    }

    pub(super) fn fill_empty(&mut self, value: impl FnOnce() -> T, effects: &mut Effects) {
        if self.value.is_none() {
            self.fill(value(), effects);
        }
    }

    /// Takes the answer; without one the waker changes places with the one before.
    pub(crate) fn take(&mut self, waker: &mut Option<Waker>) -> Option<T> {
        if self.value.is_none() && waker.is_some() {
            mem::swap(&mut self.waker, waker);
        }
        self.value.take()
    }
}

/// What has to outlive a command that is given a payload: the session may drop it under the lock, which is no place for the last of bytes that
/// are somebody else's. Our own are not kept: nobody else must have them if they are to become the frame where they lie.
pub(super) fn kept(payload: &Payload) -> Option<Payload> {
    (!payload.is_own()).then(|| payload.clone())
}

impl Response {
    /// The same for an answer.
    pub(super) fn kept(&self) -> Option<Self> {
        match self {
            Self::Progress(payload)
            | Self::Result(payload)
            | Self::SealedProgress(_, payload)
            | Self::SealedResult(_, payload)
                if payload.is_own() =>
            {
                None
            }
            _ => Some(self.clone()),
        }
    }
}

impl Effects {
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        self.wake.extend(waker);
    }

    pub(crate) fn wake_all(&mut self, wakers: &mut BTreeMap<u64, Waker>) {
        self.wake.extend(mem::take(wakers).into_values());
    }

    /// The command only waits: there is nothing for the driver.
    pub(crate) fn idle(&mut self) {
        self.is_idle = true;
    }

    pub(crate) fn discard(&mut self, waker: Option<Waker>) {
        self.discard.extend(waker);
    }

    pub(crate) fn discard_payload(&mut self, payload: Payload) {
        if payload.byte_len() > 0 {
            self.payloads.push(payload);
        }
    }

    pub(super) fn extend(&mut self, gone: Vec<Discarded>) {
        self.gone.extend(gone);
    }

    /// Drops something that may hold a payload, an error or a waker.
    pub(crate) fn discard_value(&mut self, value: Option<impl Send + 'static>) {
        if let Some(value) = value {
            self.gone.push(Box::new(value));
        }
    }

    fn carry_out(self, shared: &Arc<Shared>) {
        // Somebody else's code: if one panics, the others are to be woken and dropped all the same.
        for waker in self.wake {
            let _ = contained(|| waker.wake());
        }
        self.discard.into_iter().for_each(dropped);
        self.payloads.into_iter().for_each(dropped);
        self.gone.into_iter().for_each(dropped);
        self.told.tell(shared);
        for (id, challenge) in self.challenges {
            auth::answer(shared, id, challenge);
        }
        if let Some(Question { id, number, cause, default, decide }) = self.question {
            let attempt = Attempt { number, cause: &cause, default, decide };
            let decision = contained(|| attempt.decision()).unwrap_or(default);
            let answer = |state: &mut State, now: Time, _: &mut Self| {
                // Too late if it is decided already.
                if state.session.question() == Some(id) {
                    state.session.decide(now, decision);
                }
            };
            if self.by_driver { shared.input(answer) } else { shared.command(answer) }
        }
    }
}

fn dropped<T>(value: T) {
    let _ = contained(|| drop(value));
}

/// The URI of a literal.
pub(crate) fn uri(uri: &'static str) -> Uri {
    Uri::new(uri).expect("the literals in this crate are URIs")
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use core::future::Future as _;
    use core::panic::AssertUnwindSafe;
    use std::panic::{catch_unwind, resume_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;
    use crate::client::start_linked;
    use crate::{Action, Config};

    struct Still;

    impl Runtime for Still {
        fn now(&self) -> Time {
            Time::ZERO
        }

        fn spawn(&self, task: Task) {
            drop(task);
        }
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn dropping_handles_survives_a_poisoned_lock() {
        let (client, link) = start_linked(Config::new("ws://router/ws", "realm1"), Arc::new(Still));
        let mut actions = std::collections::VecDeque::new();
        link.turn(&mut actions, usize::MAX);
        let Some(Action::OpenTransport { id, .. }) = actions.pop_front() else { panic!("nothing to open") };
        link.opened(id, Some("wamp.2.json"));
        let welcome = br#"[2,1,{"roles":{"broker":{},"dealer":{}}}]"#.as_slice();
        link.received(id, &mut vec![crate::Frame::Text(welcome.into())]);
        let mut call = Box::pin(client.call("com.example.p", ()));
        let mut subscribe = Box::pin(client.subscribe("com.example.t"));
        let mut cx = core::task::Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
        assert!(subscribe.as_mut().poll(&mut cx).is_pending());

        let shared = Arc::clone(&client.0.shared);
        let poisoned = catch_unwind(AssertUnwindSafe(|| shared.look(|_, _| resume_unwind(Box::new("a bug")))));
        assert!(poisoned.is_err() && shared.state.is_poisoned());

        let count = Arc::new(Count(AtomicUsize::new(0)));
        link.attend(&Waker::from(Arc::clone(&count)));
        drop(call);
        drop(subscribe);
        drop(client);
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "the driver is woken, once");
        let turn = link.turn(&mut actions, usize::MAX);
        assert!(!turn.over);
        let Some(Action::Send { frame, .. }) = actions.pop_back() else { panic!("nothing to send") };
        assert!(frame.bytes().starts_with(b"[6,"), "GOODBYE");
        drop(link);
    }

    #[test]
    fn a_slot_keeps_its_waker_when_it_is_asked_without_one() {
        let mut slot = Slot::<()>::new(Some(Waker::noop().clone()));
        assert!(slot.take(&mut None).is_none());
        assert!(slot.waker.is_some());
    }
}
