//! Handlers of events: functions that serve a subscription.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wamp_proto::Uri;

use super::backlog::SubscriptionEnd;
use super::contained::Contained;
use super::event::{Event, FromEvent};
use super::handler::HandlerError;
use super::shared::Shared;
use super::subscriber::{Held, Subscribe, Subscription, Unsubscribe, poll_next};
use super::trace;
use super::{Client, IntoUri, Live};
use crate::{CommandError, RequestError, SubscribeOptions, SubscriptionKey};

/// A subscription whose events a handler gets; see [`Client::subscribe_fn`](super::Client::subscribe_fn).
///
/// Dropping it unsubscribes, without waiting for the router's answer: events that wait are dropped, handlers that run finish.
#[must_use = "dropping the guard unsubscribes"]
pub struct SubscriptionGuard {
    held: Held,
    topic: Uri,
    failures: Arc<AtomicU64>,
}

/// A subscription with a handler that is being made; see [`Client::subscribe_fn`](super::Client::subscribe_fn).
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the subscription is withdrawn.
#[must_use = "futures do nothing unless they are polled"]
pub struct SubscribeFn {
    subscribe: Subscribe,
    listener: Option<Listener>,
    concurrency: usize,
}

/// A handler at work on an event.
type Handling = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send>>;

/// A handler of any type.
pub(crate) struct Listener(Contained<Handler>);

type Handler = Box<dyn FnMut(Event) -> Handling + Send>;

/// The task that gives a handler its events.
struct Listening {
    shared: Arc<Shared>,
    key: SubscriptionKey,
    listener: Listener,
    running: Vec<Contained<Handling>>,
    concurrency: usize,
    failures: Arc<AtomicU64>,
}

/// How many events are handled before other tasks get their turn.
const TURN: usize = 32;

impl Client {
    /// Subscribes to a topic whose events a handler gets, until the guard is dropped.
    ///
    /// The handler takes one argument that says what it wants of the event ([`FromEvent`]): a tuple takes the Arguments, any other type
    /// the first of them, [`Kwargs`](wamp_proto::Kwargs) the ArgumentsKw, [`Event`] all there is. It handles one event after the other, in
    /// the order in which they came, or [some at once](SubscribeOptions::concurrency). If the arguments do not fit, or the handler fails or
    /// panics, that is [counted](SubscriptionGuard::failures), and the next event is handled.
    ///
    /// Handlers run in a task of their own, so that one that is busy stops nobody else, and may use the client. Events that
    /// come meanwhile wait, in the bounds that the options set ([`SubscribeOptions::queue`]).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::client::Event;
    ///
    /// let guard = client
    ///     .subscribe_fn("com.example.tick", |(symbol, price): (String, f64)| async move {
    ///         println!("{symbol}: {price}");
    ///         Ok(())
    ///     })
    ///     .await?;
    /// let audit = client
    ///     .subscribe_fn("com.example.chat", |event: Event| async move {
    ///         println!("{} by {:?}: {}", event.topic(), event.publisher(), event.arg::<String>(0)?);
    ///         Ok(())
    ///     })
    ///     .await?;
    /// // They get events until then.
    /// guard.unsubscribe().await?;
    /// drop(audit);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_fn<A, F, Fut>(&self, topic: impl IntoUri, handler: F) -> SubscribeFn
    where
        A: FromEvent,
        F: FnMut(A) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.subscribe_fn_with(topic, SubscribeOptions::new(), handler)
    }

    /// Subscribes to a topic or a pattern whose events a handler gets, with options.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::SubscribeOptions;
    /// use wamp_session::client::Event;
    /// use wamp_session::proto::MatchPolicy;
    ///
    /// let prefix = SubscribeOptions::new().match_policy(MatchPolicy::Prefix).concurrency(4);
    /// let handler = |event: Event| async move {
    ///     println!("{}", event.topic());
    ///     Ok(())
    /// };
    /// let guard = client.subscribe_fn_with("com.example.shop.", prefix, handler).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_fn_with<A, F, Fut>(
        &self,
        topic: impl IntoUri,
        options: SubscribeOptions,
        handler: F,
    ) -> SubscribeFn
    where
        A: FromEvent,
        F: FnMut(A) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let topic = topic.into_pattern(options.policy()).map_err(CommandError::InvalidUri);
        SubscribeFn::new(self.live(), topic.map(|topic| (topic, options)), Listener::new(handler))
    }
}

impl Listener {
    pub(crate) fn new<A, F, Fut>(mut handler: F) -> Self
    where
        A: FromEvent,
        F: FnMut(A) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        Self(Contained::new(Box::new(move |event| -> Handling {
            match A::from_event(event) {
                Ok(args) => Box::pin(handler(args)),
                Err(error) => Box::pin(core::future::ready(Err(error.into()))),
            }
        })))
    }
}

impl SubscribeFn {
    pub(crate) fn new(
        live: Arc<Live>,
        request: Result<(Uri, SubscribeOptions), CommandError>,
        listener: Listener,
    ) -> Self {
        let concurrency = request.as_ref().map_or(1, |(_, options)| options.concurrency);
        Self { subscribe: Subscribe::new(live, request), listener: Some(listener), concurrency }
    }
}

impl Future for SubscribeFn {
    type Output = Result<SubscriptionGuard, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let subscription = match Pin::new(&mut self.subscribe).poll(cx) {
            Poll::Ready(Ok(subscription)) => subscription,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        };
        let Subscription { held, topic } = subscription;
        let failures = Arc::new(AtomicU64::new(0));
        if let Some(listener) = self.listener.take() {
            let shared = Arc::clone(&held.live.shared);
            let (key, concurrency, failures) = (held.key, self.concurrency, Arc::clone(&failures));
            let listening =
                Listening { shared: Arc::clone(&shared), key, listener, running: Vec::new(), concurrency, failures };
            shared.spawn(Box::pin(listening));
        }
        Poll::Ready(Ok(SubscriptionGuard { held, topic, failures }))
    }
}

impl SubscriptionGuard {
    /// The topic, or the pattern.
    #[must_use]
    pub const fn topic(&self) -> &Uri {
        &self.topic
    }

    /// How many events were dropped because they came faster than they were handled.
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

    /// How many events were not handled well: their arguments did not fit, or the handler failed or panicked.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Why no more events come; some may still wait for the handler.
    #[must_use]
    pub fn end(&self) -> Option<SubscriptionEnd> {
        self.held.end()
    }

    /// Unsubscribes, and waits for the router's answer.
    ///
    /// Events that wait or come meanwhile are dropped; handlers that run finish.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let guard = client.subscribe_fn("com.example.tick", |price: f64| async move { Ok(println!("{price}")) }).await?;
    /// guard.unsubscribe().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Subscription::unsubscribe`].
    pub fn unsubscribe(self) -> Unsubscribe {
        Unsubscribe::new(self.held)
    }
}

impl Listening {
    /// Calls the handler, and polls only what it returns: the others are polled when one of them is woken.
    fn start(&mut self, event: Event, cx: &mut Context<'_>) {
        let Some(Ok(handling)) = self.listener.0.run(|handler| handler(event)) else {
            self.count_failures(1);
            return;
        };
        let mut handling = Contained::new(handling);
        match run(&mut handling, cx) {
            Poll::Pending => self.running.push(handling),
            Poll::Ready(succeeded) => self.count_failures(u64::from(!succeeded)),
        }
    }

    fn run(&mut self, cx: &mut Context<'_>) {
        let mut failed = 0;
        self.running.retain_mut(|handling| match run(handling, cx) {
            Poll::Pending => true,
            Poll::Ready(succeeded) => {
                failed += u64::from(!succeeded);
                false
            }
        });
        self.count_failures(failed);
    }

    fn count_failures(&self, failures: u64) {
        trace::listener_failed(&self.shared, failures);
        self.failures.fetch_add(failures, Ordering::Relaxed);
    }
}

/// Polls a handler, and drops it when it is ready; one that panics, then or before, has failed.
fn run(handling: &mut Contained<Handling>, cx: &mut Context<'_>) -> Poll<bool> {
    let polled = handling.run(|handling| handling.as_mut().poll(cx));
    if let Some(Ok(Poll::Pending)) = polled {
        return Poll::Pending;
    }
    let dropped = handling.discard();
    Poll::Ready(matches!(polled, Some(Ok(Poll::Ready(Ok(()))))) && dropped.is_ok())
}

impl Future for Listening {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.run(cx);
        for _ in 0..TURN {
            if self.running.len() >= self.concurrency {
                return Poll::Pending;
            }
            match poll_next(&self.shared, self.key, cx) {
                Poll::Ready(Some(event)) => self.start(event, cx),
                Poll::Ready(None) if self.running.is_empty() => return Poll::Ready(()),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // The runtime may have dropped it before its time: nobody would handle what comes.
        self.shared.command(|state, now, effects| {
            state.unsubscribe(now, self.key);
            if let Some(backlog) = state.subscriptions.get_mut(&self.key) {
                backlog.end(SubscriptionEnd::Unsubscribed, effects);
            }
        });
    }
}

impl fmt::Debug for SubscriptionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionGuard").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl fmt::Debug for SubscribeFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeFn").finish_non_exhaustive()
    }
}
