//! Events of the meta API.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use wamp_proto::PayloadError;

use crate::RequestError;
use crate::client::{Subscribe, Subscription};
use crate::meta::Topic;

/// A subscription to a meta topic that is being made.
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// As of [`Subscribe`]: nothing is sent before the first poll; dropped later, the subscription is withdrawn.
#[must_use = "futures do nothing unless they are polled"]
pub struct MetaSubscribe<E> {
    subscribe: Subscribe,
    topic: Topic<E>,
}

/// A stream of the events of a meta topic, which lives and ends as its [`Subscription`] does.
///
/// An item is an error if the event has none of the shapes that are known; the stream goes on behind it. Dropping it unsubscribes.
#[must_use = "dropping it unsubscribes"]
pub struct MetaEvents<E> {
    subscription: Subscription,
    topic: Topic<E>,
}

/// The future of [`MetaEvents::next`].
///
/// # Cancel safety
///
/// Dropping it loses no event.
#[must_use = "futures do nothing unless they are polled"]
pub struct NextMetaEvent<'a, E>(&'a mut MetaEvents<E>);

impl<E> MetaSubscribe<E> {
    pub(super) const fn new(subscribe: Subscribe, topic: Topic<E>) -> Self {
        Self { subscribe, topic }
    }
}

impl<E> Future for MetaSubscribe<E> {
    type Output = Result<MetaEvents<E>, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let topic = self.topic;
        let subscribed = Pin::new(&mut self.subscribe).poll(cx);
        subscribed.map_ok(|subscription| MetaEvents { subscription, topic })
    }
}

impl<E> MetaEvents<E> {
    /// Takes the next event, `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    #[expect(clippy::should_implement_trait, reason = "it is what StreamExt calls it")]
    pub fn next(&mut self) -> NextMetaEvent<'_, E> {
        NextMetaEvent(self)
    }

    /// The subscription itself: how many events were missed, why it ended.
    ///
    /// ```
    /// # use wamp_session::client::MetaEvents;
    /// # use wamp_session::meta::SessionLeft;
    /// fn report(leaving: &MetaEvents<SessionLeft>) {
    ///     println!("{} were missed, ended: {:?}", leaving.subscription().missed(), leaving.subscription().end());
    /// }
    /// ```
    pub const fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// Makes it the subscription itself, whose events are undecoded.
    pub fn into_subscription(self) -> Subscription {
        self.subscription
    }
}

impl<E> Stream for MetaEvents<E> {
    type Item = Result<E, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let topic = self.topic;
        let event = Pin::new(&mut self.subscription).poll_next(cx);
        event.map(|event| event.map(|event| topic.event(event.payload())))
    }
}

impl<E> Future for NextMetaEvent<'_, E> {
    type Output = Option<Result<E, PayloadError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll_next(cx)
    }
}

impl<E> fmt::Debug for MetaSubscribe<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MetaSubscribe").field(&self.topic).finish()
    }
}

impl<E> fmt::Debug for MetaEvents<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MetaEvents").field(&self.topic).finish()
    }
}

impl<E> fmt::Debug for NextMetaEvent<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NextMetaEvent").field(&self.0.topic).finish()
    }
}
