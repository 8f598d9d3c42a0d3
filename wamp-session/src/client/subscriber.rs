//! Subscriptions: streams of events (WAMP Basic Profile, "Subscribing and Unsubscribing").

use core::fmt;
use core::future::Future;
use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::Stream;
use serde::Deserialize;
use wamp_proto::{EventDetails, Payload, PayloadError, PublicationId, SessionId, Uri};

use super::Live;
use super::queue::{self, Overflow, Queue};
use super::shared::{Effects, Slot};
use crate::{CloseCause, CommandError, PublishedEvent, RequestError, SubscribeOptions, SubscriptionKey};

/// A subscription: a stream of the events of a topic, in the order in which they came.
///
/// It survives a lost connection: the router is asked for it again in the next session, whose events follow those before; what was published
/// meanwhile is missing. It ends, after what is queued, when the client is closed, when the router refuses it then, when the queue overflows and [`Overflow::End`] says so, and when the
/// client drains; [`end`](Self::end) tells why. Events that come faster than they are taken wait in a bounded [`Queue`].
///
/// Dropping it unsubscribes, without waiting for the router's answer.
#[must_use = "dropping a subscription unsubscribes"]
pub struct Subscription {
    live: Arc<Live>,
    key: SubscriptionKey,
    topic: Uri,
}

/// An event of a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    inner: PublishedEvent,
    missed: u64,
}

/// Why a subscription yields nothing more.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubscriptionEnd {
    /// The client is draining.
    Drained,
    /// More events came than its queue takes.
    Overflow,
    /// The router ended the subscription, for a reason: a URI or words.
    Revoked(Option<Arc<str>>),
    /// The router refused it when the session was joined again.
    Refused(RequestError),
    /// The client is closed.
    Closed(Arc<CloseCause>),
}

/// A subscription that is being made; see [`Client::subscribe`](super::Client::subscribe).
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the subscription is withdrawn.
#[must_use = "futures do nothing unless they are polled"]
pub struct Subscribe(SubscribeState);

enum SubscribeState {
    Start(Arc<Live>, Result<(Uri, SubscribeOptions), CommandError>),
    Waiting(Subscription),
    Done,
}

/// Ends a subscription; see [`Subscription::unsubscribe`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll; dropped before, it unsubscribes as dropping the subscription does. Dropped later, the
/// subscription ends all the same.
#[must_use = "futures do nothing unless they are polled"]
pub struct Unsubscribe(UnsubscribeState);

enum UnsubscribeState {
    Start(Subscription),
    Waiting(Arc<Live>, SubscriptionKey),
    Done,
}

/// The future of [`Subscription::next`].
///
/// # Cancel safety
///
/// Dropping it loses no event.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct NextEvent<'a>(&'a mut Subscription);

/// The events of one subscription that wait for their consumer.
pub(crate) struct Backlog {
    confirmed: Slot<Result<(), RequestError>>,
    queue: VecDeque<Event>,
    bytes: usize,
    limits: Queue,
    /// Events dropped since the last one that was queued.
    missed: u64,
    missed_in_all: u64,
    /// Whether it was confirmed.
    stands: bool,
    end: Option<SubscriptionEnd>,
}

impl Subscribe {
    pub(crate) fn new(live: Arc<Live>, request: Result<(Uri, SubscribeOptions), CommandError>) -> Self {
        Self(SubscribeState::Start(live, request))
    }
}

impl Future for Subscribe {
    type Output = Result<Subscription, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waker = Some(cx.waker().clone());
        let subscription = match mem::replace(&mut self.0, SubscribeState::Done) {
            SubscribeState::Start(live, request) => {
                let (topic, options) = request?;
                let limits = options.queue;
                let name = topic.clone();
                let key = live.shared.command(|state, now, _| {
                    let key = state.session.subscribe(now, topic, options)?;
                    state.subscriptions.insert(key, Backlog::new(limits, waker.take()));
                    Ok::<_, CommandError>(key)
                })?;
                self.0 = SubscribeState::Waiting(Subscription { live, key, topic: name });
                return Poll::Pending;
            }
            SubscribeState::Waiting(subscription) => subscription,
            SubscribeState::Done => panic!("polled after it was ready"),
        };
        let confirmed = subscription.live.shared.look(|state, _| {
            let backlog = state.subscriptions.get_mut(&subscription.key)?;
            backlog.confirmed.take(&mut waker)
        });
        match confirmed {
            Some(result) => Poll::Ready(result.map(|()| subscription)),
            None => {
                self.0 = SubscribeState::Waiting(subscription);
                Poll::Pending
            }
        }
    }
}

impl Subscription {
    /// The topic.
    #[must_use]
    pub const fn topic(&self) -> &Uri {
        &self.topic
    }

    /// Takes the next event, `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    #[expect(clippy::should_implement_trait, reason = "it is what StreamExt calls it")]
    pub fn next(&mut self) -> NextEvent<'_> {
        NextEvent(self)
    }

    /// How many events were dropped because they came faster than they were taken.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.live.shared.look(|state, _| state.subscriptions.get(&self.key).map_or(0, |backlog| backlog.missed_in_all))
    }

    /// Why the subscription receives nothing more; events may still be queued.
    #[must_use]
    pub fn end(&self) -> Option<SubscriptionEnd> {
        self.live.shared.look(|state, _| state.subscriptions.get(&self.key).and_then(|backlog| backlog.end.clone()))
    }

    /// Unsubscribes, and waits for the router's answer.
    ///
    /// Events that are queued or come meanwhile are dropped.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the router refused, did not answer in time, or the session ends meanwhile. The subscription is gone all
    /// the same. If it was gone before, because the client is closed or drains, that is no error: there is nothing to wait for.
    pub fn unsubscribe(self) -> Unsubscribe {
        Unsubscribe(UnsubscribeState::Start(self))
    }
}

impl Stream for Subscription {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut waker = Some(cx.waker().clone());
        self.live.shared.look(|state, _| match state.subscriptions.get_mut(&self.key) {
            Some(backlog) => backlog.poll(&mut waker),
            None => Poll::Ready(None),
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let gone = self.live.shared.command(|state, now, _| {
            state.unsubscribe(now, self.key);
            state.subscriptions.remove(&self.key)
        });
        drop(gone);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe").finish_non_exhaustive()
    }
}

impl fmt::Debug for Unsubscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsubscribe").finish_non_exhaustive()
    }
}

impl Future for NextEvent<'_> {
    type Output = Option<Event>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll_next(cx)
    }
}

impl Future for Unsubscribe {
    type Output = Result<(), RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waker = Some(cx.waker().clone());
        let (live, key) = match mem::replace(&mut self.0, UnsubscribeState::Done) {
            UnsubscribeState::Start(subscription) => {
                let (live, key) = (Arc::clone(&subscription.live), subscription.key);
                let accepted = live.shared.command(|state, now, _| {
                    let accepted = state.unsubscribe(now, key);
                    if accepted {
                        state.unsubscribes.insert(key, Slot::new(None));
                    }
                    accepted
                });
                // Its drop finds nothing left to unsubscribe, and removes the queue.
                drop(subscription);
                if !accepted {
                    return Poll::Ready(Ok(()));
                }
                (live, key)
            }
            UnsubscribeState::Waiting(live, key) => (live, key),
            UnsubscribeState::Done => panic!("polled after it was ready"),
        };
        let result = live.shared.look(|state, _| {
            let result = state.unsubscribes.get_mut(&key)?.take(&mut waker);
            if result.is_some() {
                state.unsubscribes.remove(&key);
            }
            result
        });
        match result {
            Some(result) => Poll::Ready(result),
            None => {
                self.0 = UnsubscribeState::Waiting(live, key);
                Poll::Pending
            }
        }
    }
}

impl Drop for Unsubscribe {
    fn drop(&mut self) {
        if let UnsubscribeState::Waiting(live, key) = &self.0 {
            let gone = live.shared.look(|state, _| state.unsubscribes.remove(key));
            drop(gone);
        }
    }
}

impl Event {
    /// The topic that was published to, also where the subscription is to a pattern.
    #[must_use]
    pub const fn topic(&self) -> &Uri {
        &self.inner.topic
    }

    /// The publication: the same for each subscription that gets it.
    #[must_use]
    pub const fn publication(&self) -> PublicationId {
        self.inner.publication
    }

    /// The session that published, if it is disclosed (WAMP Advanced Profile, "Publisher Identification").
    #[must_use]
    pub fn publisher(&self) -> Option<SessionId> {
        self.inner.details.publisher
    }

    /// The publisher's authid, if it is disclosed.
    #[must_use]
    pub fn publisher_authid(&self) -> Option<&str> {
        self.inner.details.publisher_authid.as_deref()
    }

    /// The publisher's authrole, if it is disclosed.
    #[must_use]
    pub fn publisher_authrole(&self) -> Option<&str> {
        self.inner.details.publisher_authrole.as_deref()
    }

    /// How far the broker trusts the publisher, if it says so: what the numbers mean is the router's affair (WAMP Advanced Profile,
    /// "Publication Trust Levels").
    #[must_use]
    pub fn trustlevel(&self) -> Option<u64> {
        self.inner.details.trustlevel
    }

    /// Whether the event had been kept by the broker, and was published before the subscription was made
    /// ([`SubscribeOptions::get_retained`]).
    #[must_use]
    pub fn is_retained(&self) -> bool {
        self.inner.details.retained == Some(true)
    }

    /// What the broker says of the event.
    #[must_use]
    pub fn details(&self) -> &EventDetails {
        &self.inner.details
    }

    /// How many events of this subscription were dropped just before this one.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// Decodes the Arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.inner.payload.args()
    }

    /// Decodes one of the Arguments, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, or it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        self.inner.payload.arg(index)
    }

    /// Decodes the ArgumentsKw into a map or struct.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.inner.payload.kwargs()
    }

    /// The arguments, undecoded.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.inner.payload
    }
}

impl Backlog {
    pub(crate) fn new(limits: Queue, waker: Option<Waker>) -> Self {
        Self {
            confirmed: Slot::new(waker),
            queue: VecDeque::new(),
            bytes: 0,
            limits,
            missed: 0,
            missed_in_all: 0,
            stands: false,
            end: None,
        }
    }

    pub(crate) fn confirm(&mut self, result: Result<(), RequestError>, effects: &mut Effects) {
        match result {
            Err(error) if self.stands => self.end(SubscriptionEnd::Refused(error), effects),
            result => {
                self.stands = result.is_ok();
                self.confirmed.fill(result, effects);
            }
        }
    }

    /// Queues an event; `Break` if the subscription ends with it.
    pub(crate) fn push(&mut self, mut event: PublishedEvent, effects: &mut Effects) -> ControlFlow<()> {
        if self.end.is_some() {
            return ControlFlow::Continue(());
        }
        let size = event.payload.byte_len();
        while !self.limits.takes(self.queue.len(), self.bytes, size) {
            match self.limits.overflow {
                Overflow::DropNewest => {
                    self.lose(1);
                    return ControlFlow::Continue(());
                }
                Overflow::DropOldest => {
                    if let Some(oldest) = self.queue.pop_front() {
                        self.bytes = self.bytes.saturating_sub(oldest.inner.payload.byte_len());
                        self.missed_in_all = self.missed_in_all.saturating_add(1);
                        // The loss shows at the event that is now the first, or at the new one.
                        let next = self.queue.front_mut().map_or(&mut self.missed, |next| &mut next.missed);
                        *next = next.saturating_add(oldest.missed).saturating_add(1);
                    }
                }
                Overflow::End => {
                    self.lose(1);
                    self.end(SubscriptionEnd::Overflow, effects);
                    return ControlFlow::Break(());
                }
            }
        }
        if !self.queue.is_empty() || self.confirmed.waker.is_none() {
            queue::waiting(&mut event.payload);
        }
        self.bytes = self.bytes.saturating_add(event.payload.byte_len());
        self.queue.push_back(Event { inner: event, missed: mem::take(&mut self.missed) });
        effects.wake(self.confirmed.waker.take());
        ControlFlow::Continue(())
    }

    fn lose(&mut self, events: u64) {
        self.missed = self.missed.saturating_add(events);
        self.missed_in_all = self.missed_in_all.saturating_add(events);
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self, end: SubscriptionEnd, effects: &mut Effects) {
        if self.end.is_none() {
            self.end = Some(end);
        }
        if self.confirmed.value.is_none() {
            self.confirmed.value = Some(Err(RequestError::Closed));
        }
        effects.wake(self.confirmed.waker.take());
    }

    fn poll(&mut self, waker: &mut Option<Waker>) -> Poll<Option<Event>> {
        if let Some(event) = self.queue.pop_front() {
            self.bytes = self.bytes.saturating_sub(event.inner.payload.byte_len());
            return Poll::Ready(Some(event));
        }
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        mem::swap(&mut self.confirmed.waker, waker);
        Poll::Pending
    }
}
