//! Subscriptions: streams of events (WAMP Basic Profile, "Subscribing and Unsubscribing").

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use futures_core::Stream;
use wamp_proto::{MatchPolicy, Uri};

use super::backlog::{Backlog, SubscriptionEnd};
use super::event::Event;
#[cfg(doc)]
use super::queue::Queue;
use super::shared::{Shared, Slot};
use super::{Client, IntoUri, Live};
use crate::{CommandError, RequestError, SubscribeOptions, SubscriptionKey};

/// A subscription: a stream of the events of a topic, in the order in which they came.
///
/// It survives a lost connection: the router is asked for it again in the next session, whose events follow those before; what was published
/// meanwhile is missing. It ends, after what is queued, for one of the reasons of [`SubscriptionEnd`]; [`end`](Self::end) tells which.
/// Events that come faster than they are taken wait in a bounded [`Queue`].
///
/// Dropping it unsubscribes, without waiting for the router's answer.
#[must_use = "dropping a subscription unsubscribes"]
pub struct Subscription {
    pub(super) held: Held,
    pub(super) topic: Uri,
}

/// A local subscription, which ends when it is dropped.
pub(super) struct Held {
    pub(super) live: Arc<Live>,
    pub(super) key: SubscriptionKey,
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
    Start(Held),
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

impl Client {
    /// Subscribes to a topic.
    ///
    /// It waits for the router's answer, at most the request timeout ([`Config::request_timeout`](crate::Config::request_timeout)).
    /// (WAMP Basic Profile, "Subscribing and Unsubscribing".)
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut ticks = client.subscribe("com.example.tick").await?;
    /// while let Some(event) = ticks.next().await {
    ///     let (symbol, price): (String, f64) = event.args()?;
    ///     println!("{symbol}: {price}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the router refused or did not answer in time, or the session ended.
    pub fn subscribe(&self, topic: impl IntoUri) -> Subscribe {
        self.subscribe_with(topic, SubscribeOptions::new())
    }

    /// Subscribes to a topic or a pattern, with options.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::SubscribeOptions;
    /// use wamp_session::proto::MatchPolicy;
    ///
    /// let wildcard = SubscribeOptions::new().match_policy(MatchPolicy::Wildcard);
    /// let mut events = client.subscribe_with("com.example..created", wildcard).await?;
    /// while let Some(event) = events.next().await {
    ///     println!("{}", event.topic());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_with(&self, topic: impl IntoUri, options: SubscribeOptions) -> Subscribe {
        let topic = topic.into_pattern(options.policy()).map_err(CommandError::InvalidUri);
        Subscribe::new(self.live(), topic.map(|topic| (topic, options)))
    }

    /// Unsubscribes everything of this client from a topic or pattern, and waits for the router's answers.
    ///
    /// It does not matter with which policy and options it was subscribed to. Streams and handlers end after what is queued, with
    /// [`SubscriptionEnd::Unsubscribed`]. Subscriptions that are still being made are left alone. That there is none is no error.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.unsubscribe_all("com.example.tick").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the router refused, did not answer in time, or the session ends meanwhile. The
    /// subscriptions are gone all the same.
    pub fn unsubscribe_all(&self, topic: impl IntoUri) -> UnsubscribeAll {
        // The loosest of the policies, so that every topic and pattern can be named.
        let topic = topic.into_pattern(MatchPolicy::Wildcard).map_err(CommandError::InvalidUri);
        UnsubscribeAll::new(self.live(), topic)
    }
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
                    state.subscriptions.insert(key, Backlog::new(name.clone(), limits, waker.take()));
                    Ok::<_, CommandError>(key)
                })?;
                self.0 = SubscribeState::Waiting(Subscription { held: Held { live, key }, topic: name });
                return Poll::Pending;
            }
            SubscribeState::Waiting(subscription) => subscription,
            SubscribeState::Done => panic!("polled after it was ready"),
        };
        let confirmed = subscription.held.live.shared.look(|state, _| {
            let backlog = state.subscriptions.get_mut(&subscription.held.key)?;
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
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut ticks = client.subscribe("com.example.tick").await?;
    /// while let Some(tick) = ticks.next().await {
    ///     println!("{}; {} were missed in all", tick.arg::<f64>(0)?, ticks.missed());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.held.missed()
    }

    /// How many events were dropped because their payload could not be opened.
    ///
    /// No codec knows their scheme, or it failed. (WAMP Advanced Profile, "Payload Passthru Mode".)
    #[must_use]
    pub fn undecodable(&self) -> u64 {
        self.held.undecodable()
    }

    /// Why the subscription receives nothing more; events may still be queued.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::client::SubscriptionEnd;
    ///
    /// let mut ticks = client.subscribe("com.example.tick").await?;
    /// while ticks.next().await.is_some() {}
    /// if let Some(SubscriptionEnd::Revoked(reason)) = ticks.end() {
    ///     println!("the router ended it: {}", reason.as_deref().unwrap_or("no reason given"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn end(&self) -> Option<SubscriptionEnd> {
        self.held.end()
    }

    /// Unsubscribes, and waits for the router's answer.
    ///
    /// Events that are queued or come meanwhile are dropped.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let ticks = client.subscribe("com.example.tick").await?;
    /// ticks.unsubscribe().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the router refused, did not answer in time, or the session ends meanwhile. The subscription is gone all
    /// the same. If it was gone before, because the client is closed or drains, that is no error: there is nothing to wait for.
    pub fn unsubscribe(self) -> Unsubscribe {
        Unsubscribe::new(self.held)
    }
}

impl Held {
    /// How many events were dropped.
    pub(super) fn missed(&self) -> u64 {
        self.live.shared.look(|state, _| state.subscriptions.get(&self.key).map_or(0, |backlog| backlog.missed_in_all))
    }

    pub(super) fn undecodable(&self) -> u64 {
        self.live.shared.look(|state, _| state.subscriptions.get(&self.key).map_or(0, |backlog| backlog.undecodable))
    }

    pub(super) fn end(&self) -> Option<SubscriptionEnd> {
        self.live.shared.look(|state, _| state.subscriptions.get(&self.key).and_then(|backlog| backlog.end.clone()))
    }
}

impl Unsubscribe {
    pub(super) const fn new(held: Held) -> Self {
        Self(UnsubscribeState::Start(held))
    }
}

impl Stream for Subscription {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        poll_next(&self.held.live.shared, self.held.key, cx)
    }
}

/// Takes the next event of a subscription; `None` when there are no more.
pub(super) fn poll_next(shared: &Arc<Shared>, key: SubscriptionKey, cx: &mut Context<'_>) -> Poll<Option<Event>> {
    loop {
        let mut waker = Some(cx.waker().clone());
        let polled = shared.look(|state, _| match state.subscriptions.get_mut(&key) {
            Some(backlog) => backlog.poll(&mut waker),
            None => Poll::Ready(None),
        });
        let Poll::Ready(Some(mut event)) = polled else { return polled };
        match shared.open(&*event.inner.details, &mut event.inner.payload) {
            Ok(()) => return Poll::Ready(Some(event)),
            // There are at most as many as the queue holds.
            Err(_) => shared.look(|state, _| {
                if let Some(backlog) = state.subscriptions.get_mut(&key) {
                    backlog.leave_out(event.missed);
                }
            }),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let gone = self.live.shared.command(|state, now, effects| {
            state.unsubscribe(now, self.key);
            let mut gone = state.subscriptions.remove(&self.key)?;
            // A task that handles the events finds out that there are no more.
            effects.wake(gone.confirmed.waker.take());
            Some(gone)
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
            UnsubscribeState::Start(held) => {
                let (live, key) = (Arc::clone(&held.live), held.key);
                let accepted = live.shared.command(|state, now, _| {
                    let accepted = state.unsubscribe(now, key);
                    if accepted {
                        state.unsubscribes.insert(key, Slot::new(None));
                    }
                    accepted
                });
                // Its drop finds nothing left to unsubscribe, and removes the queue.
                drop(held);
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

/// Ends all subscriptions to a topic; see [`Client::unsubscribe_all`](super::Client::unsubscribe_all).
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing happens before the first poll. Dropped later, the subscriptions end all the same.
#[must_use = "futures do nothing unless they are polled"]
pub struct UnsubscribeAll(AllState);

enum AllState {
    Start(Arc<Live>, Result<Uri, CommandError>),
    Waiting(Arc<Live>, Vec<SubscriptionKey>, Result<(), RequestError>),
    Done,
}

impl UnsubscribeAll {
    pub(crate) const fn new(live: Arc<Live>, topic: Result<Uri, CommandError>) -> Self {
        Self(AllState::Start(live, topic))
    }
}

impl Future for UnsubscribeAll {
    type Output = Result<(), RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let AllState::Start(..) = self.0
            && let AllState::Start(live, topic) = mem::replace(&mut self.0, AllState::Done)
        {
            let topic = topic?;
            let keys = live.shared.command(|state, now, effects| state.unsubscribe_all(now, &topic, effects));
            self.0 = AllState::Waiting(live, keys, Ok(()));
        }
        let AllState::Waiting(live, keys, outcome) = &mut self.0 else { panic!("polled after it was ready") };
        // A waker for each that is asked: the lock is no place to clone one.
        let mut wakers: Vec<_> = keys.iter().map(|_| Some(cx.waker().clone())).collect();
        live.shared.look(|state, _| {
            let mut wakers = wakers.iter_mut();
            keys.retain(|key| {
                let (Some(slot), Some(waker)) = (state.unsubscribes.get_mut(key), wakers.next()) else { return false };
                let Some(result) = slot.take(waker) else { return true };
                state.unsubscribes.remove(key);
                if outcome.is_ok() {
                    *outcome = result;
                }
                false
            });
        });
        if !keys.is_empty() {
            return Poll::Pending;
        }
        let outcome = mem::replace(outcome, Ok(()));
        self.0 = AllState::Done;
        Poll::Ready(outcome)
    }
}

impl Drop for UnsubscribeAll {
    fn drop(&mut self) {
        if let AllState::Waiting(live, keys, _) = &self.0 {
            let gone: Vec<_> =
                live.shared.look(|state, _| keys.iter().filter_map(|key| state.unsubscribes.remove(key)).collect());
            drop(gone);
        }
    }
}

impl fmt::Debug for UnsubscribeAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsubscribeAll").finish_non_exhaustive()
    }
}
