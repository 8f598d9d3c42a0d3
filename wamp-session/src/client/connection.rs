//! Where the connection stands, and its end.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::Stream;

use super::shared::{Effects, Shared, State};
use super::{Client, Live};
use crate::{CloseCause, CloseReason, Joined, Left, NotRestored, Status};

impl Client {
    /// A stream of what happens to the connection, its present state first.
    ///
    /// Whoever does not read it in time finds events of the past merged; see [`ConnectionEvents`].
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::client::ConnectionEvent;
    ///
    /// let mut events = client.connection_events();
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         ConnectionEvent::Joined(joined) => println!("joined as {}", joined.session),
    ///         ConnectionEvent::Left(left) => println!("left: {left:?}"),
    ///         ConnectionEvent::Restored { failed } => println!("back, but for {}", failed.len()),
    ///         ConnectionEvent::Closed(cause) => println!("closed: {cause}"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn connection_events(&self) -> ConnectionEvents {
        ConnectionEvents::new(&self.0.shared)
    }

    /// Connects again after the client was closed, and waits until the session is joined.
    ///
    /// The configuration is the same. What the client had before the end stays ended: subscriptions and registrations have to be made
    /// anew, and streams, [`ConnectionEvents`] among them, yield nothing more; dropping these handles does nothing. While the client is
    /// closing, it connects when it is closed; while it waits for the next attempt, the attempt is made now; a client that is connected
    /// or connecting goes on.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.close().await?;
    /// // Later, and with the same client and its clones:
    /// let joined = client.connect().await?;
    /// println!("back as {}", joined.session);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CloseCause`] if it is closed instead. When the driver is gone, because its runtime has ended, the client stays
    /// closed.
    pub fn connect(&self) -> WhenJoined {
        WhenJoined::connecting(self.live())
    }

    /// Waits until the session is joined, over as many attempts as the policy makes; ready at once if it is.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let joined = client.joined().await?;
    /// println!("joined as {}", joined.session);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CloseCause`] if it is closed.
    pub fn joined(&self) -> WhenJoined {
        WhenJoined::new(self.live())
    }

    /// Closes the session, and waits for its end: what is queued is sent, then GOODBYE.
    ///
    /// Requests under way fail, and streams end. It takes at most the close timeout ([`Config::close_timeout`](crate::Config::close_timeout)), from every state, and
    /// may be called twice and concurrently.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.close().await?;
    /// assert!(client.session().is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CloseCause`] if the session had ended before, and not by the application.
    pub fn close(&self) -> Close {
        Close::new(self.live(), How::AtOnce)
    }

    /// Unsubscribes and unregisters everything, lets the invocations that came be answered, and closes.
    ///
    /// It waits for the answers at most the close timeout, and then takes at most that long for closing. Streams end, after what is
    /// queued.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let guard = client.register_fn("com.example.echo", |text: String| async move { Ok(text) }).await?;
    /// // Calls that came are still answered.
    /// client.drain().await?;
    /// # drop(guard);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`close`](Self::close).
    pub fn drain(&self) -> Close {
        Close::new(self.live(), How::Drained)
    }
}

/// Something that happened to the connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// A session was joined. What is subscribed to and registered is being asked for again.
    Joined(Arc<Joined>),
    /// The session, or an attempt to join, is over, and another attempt follows.
    Left(Arc<Left>),
    /// What is subscribed to and registered is so in the new session as well, but for what is named: the time to catch up.
    ///
    /// It follows each `Joined` but the first.
    Restored {
        /// What is not back, or not yet.
        failed: Vec<NotRestored>,
    },
    /// The client is closed, until it is told to [connect](Client::connect) again.
    Closed(Arc<CloseCause>),
}

/// A stream of what happens to the connection, its present state first.
///
/// Events that are not read are merged: there is at most one of each kind, of the last session. What a `Left` says of lost publications
/// is added up. It ends after [`ConnectionEvent::Closed`], also if the client connects again. It does not keep the client open.
pub struct ConnectionEvents {
    shared: Arc<Shared>,
    ticket: u64,
}

/// The future of [`ConnectionEvents::next`].
///
/// # Cancel safety
///
/// Dropping it loses no event.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct NextConnectionEvent<'a>(&'a mut ConnectionEvents);

/// Waits until the session is joined; see [`Client::joined`] and [`Client::connect`].
///
/// # Cancel safety
///
/// Dropping it changes nothing. That of `connect` does nothing before the first poll; dropped later, the client connects all the same.
#[must_use = "futures do nothing unless they are polled"]
pub struct WhenJoined {
    watch: Watch,
    /// Whether it has to connect first.
    connects: bool,
}

/// Waits until the client is closed; see [`Client::close`] and [`Client::drain`].
///
/// # Cancel safety
///
/// Nothing happens before the first poll. Dropped later, the client closes all the same.
#[must_use = "futures do nothing unless they are polled"]
pub struct Close {
    watch: Watch,
    start: Option<How>,
}

#[derive(Clone, Copy)]
pub(crate) enum How {
    AtOnce,
    Drained,
}

/// A place among those who are woken when the connection changes.
struct Watch {
    live: Arc<Live>,
    ticket: Option<u64>,
}

/// Somebody who waits for a run of the session to be joined or closed.
#[derive(Default)]
pub(crate) struct Watcher {
    pub(crate) run: u64,
    pub(crate) waker: Option<Waker>,
    /// Why the run is over, if it is: the next one may have begun.
    pub(crate) closed: Option<Arc<CloseCause>>,
}

/// The connection's events that a listener has not taken.
pub(crate) struct EventQueue {
    queue: VecDeque<ConnectionEvent>,
    waker: Option<Waker>,
    /// Whether the run is over that it tells of.
    ended: bool,
}

impl ConnectionEvents {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let ticket = shared.look(|state, _| {
            let mut queue = VecDeque::new();
            match (&state.joined, &state.closed) {
                (_, Some(cause)) => queue.push_back(ConnectionEvent::Closed(Arc::clone(cause))),
                (Some(joined), None) => queue.push_back(ConnectionEvent::Joined(Arc::clone(joined))),
                (None, None) => {
                    if let Status::Waiting { left, .. } = state.session.status() {
                        queue.push_back(ConnectionEvent::Left(left));
                    }
                }
            }
            let ticket = state.ticket();
            let ended = state.closed.is_some();
            state.listeners.insert(ticket, EventQueue { queue, waker: None, ended });
            ticket
        });
        Self { shared: Arc::clone(shared), ticket }
    }

    /// Takes the next event, `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    #[expect(clippy::should_implement_trait, reason = "it is what StreamExt calls it")]
    pub fn next(&mut self) -> NextConnectionEvent<'_> {
        NextConnectionEvent(self)
    }
}

impl Stream for ConnectionEvents {
    type Item = ConnectionEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        let mut waker = Some(cx.waker().clone());
        self.shared.look(|state, _| {
            let Some(listener) = state.listeners.get_mut(&self.ticket) else { return Poll::Ready(None) };
            match listener.queue.pop_front() {
                Some(event) => Poll::Ready(Some(event)),
                None if listener.ended => Poll::Ready(None),
                None => {
                    mem::swap(&mut listener.waker, &mut waker);
                    Poll::Pending
                }
            }
        })
    }
}

impl Drop for ConnectionEvents {
    fn drop(&mut self) {
        let gone = self.shared.look(|state, _| state.listeners.remove(&self.ticket));
        drop(gone);
    }
}

impl fmt::Debug for ConnectionEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionEvents").finish_non_exhaustive()
    }
}

impl Future for NextConnectionEvent<'_> {
    type Output = Option<ConnectionEvent>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll_next(cx)
    }
}

impl EventQueue {
    /// Whether the run of which it tells goes on.
    pub(crate) const fn listens(&self) -> bool {
        !self.ended
    }

    pub(crate) fn joined(&mut self, joined: Arc<Joined>, effects: &mut Effects) {
        self.queue.push_back(ConnectionEvent::Joined(joined));
        effects.wake(self.waker.take());
    }

    pub(crate) fn left(&mut self, left: &Arc<Left>, effects: &mut Effects) {
        let mut left = Arc::clone(left);
        // What has not been read and is past is of no interest any more.
        for event in mem::take(&mut self.queue) {
            if let ConnectionEvent::Left(unread) = &event {
                let all = left.lost_publishes.saturating_add(unread.lost_publishes);
                Arc::make_mut(&mut left).lost_publishes = all;
            }
            effects.discard_value(Some(event));
        }
        self.queue.push_back(ConnectionEvent::Left(left));
        effects.wake(self.waker.take());
    }

    pub(crate) fn restored(&mut self, failed: &[NotRestored], effects: &mut Effects) {
        self.queue.push_back(ConnectionEvent::Restored { failed: failed.to_vec() });
        effects.wake(self.waker.take());
    }

    pub(crate) fn closed(&mut self, cause: &Arc<CloseCause>, effects: &mut Effects) {
        self.ended = true;
        self.queue.push_back(ConnectionEvent::Closed(Arc::clone(cause)));
        effects.wake(self.waker.take());
    }
}

impl Watch {
    const fn new(live: Arc<Live>) -> Self {
        Self { live, ticket: None }
    }

    /// Starts to wait for the end of a run.
    fn enter(&mut self, state: &mut State, run: u64, effects: &mut Effects) {
        let ticket = *self.ticket.get_or_insert_with(|| state.ticket());
        effects.discard_value(state.watchers.insert(ticket, Watcher { run, ..Watcher::default() }));
    }

    /// Looks at the present run, once the run that is waited for has begun; `None` is not yet.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        look: impl FnOnce(Option<&Arc<CloseCause>>, &State) -> Option<T>,
    ) -> Poll<T> {
        let mut waker = Some(cx.waker().clone());
        let ticket = &mut self.ticket;
        self.live.shared.look(|state, effects| {
            let watcher = ticket.and_then(|ticket| state.watchers.get(&ticket));
            let (run, closed) = match watcher {
                Some(watcher) => (watcher.run, watcher.closed.as_ref()),
                None => (state.runs, state.closed.as_ref()),
            };
            let found = if run <= state.runs || closed.is_some() { look(closed, state) } else { None };
            match found {
                Some(found) => {
                    if let Some(ticket) = ticket.take() {
                        effects.discard_value(state.watchers.remove(&ticket));
                    }
                    Poll::Ready(found)
                }
                None => {
                    let ticket = *ticket.get_or_insert_with(|| state.ticket());
                    let watcher = state.watchers.entry(ticket).or_insert_with(|| Watcher { run, ..Watcher::default() });
                    mem::swap(&mut watcher.waker, &mut waker);
                    Poll::Pending
                }
            }
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let gone = self.live.shared.look(|state, _| state.watchers.remove(&ticket));
            drop(gone);
        }
    }
}

impl WhenJoined {
    pub(crate) const fn new(live: Arc<Live>) -> Self {
        Self { watch: Watch::new(live), connects: false }
    }

    pub(crate) const fn connecting(live: Arc<Live>) -> Self {
        Self { watch: Watch::new(live), connects: true }
    }
}

impl Future for WhenJoined {
    type Output = Result<Arc<Joined>, CloseCause>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { watch, connects } = &mut *self;
        if mem::take(connects) {
            let shared = Arc::clone(&watch.live.shared);
            shared.command(|state, now, effects| {
                let run = state.connect(now);
                watch.enter(state, run, effects);
            });
        }
        let found = watch.poll(cx, |closed, state| match (closed, &state.joined) {
            (Some(cause), _) => Some(Err(Arc::clone(cause))),
            (None, Some(joined)) => Some(Ok(Arc::clone(joined))),
            (None, None) => None,
        });
        found.map(|found| found.map_err(Arc::unwrap_or_clone))
    }
}

impl Close {
    pub(crate) const fn new(live: Arc<Live>, how: How) -> Self {
        Self { watch: Watch::new(live), start: Some(how) }
    }
}

impl Future for Close {
    type Output = Result<(), CloseCause>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(how) = self.start.take() {
            self.watch.live.shared.command(|state, now, _| match how {
                How::AtOnce => state.session.close(now, CloseReason::CloseRealm),
                How::Drained => state.drain(now),
            });
        }
        let closed = self.watch.poll(cx, |closed, _| closed.cloned());
        closed.map(|cause| match &*cause {
            CloseCause::Application => Ok(()),
            _ => Err(Arc::unwrap_or_clone(cause)),
        })
    }
}

impl fmt::Debug for WhenJoined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhenJoined").finish_non_exhaustive()
    }
}

impl fmt::Debug for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Close").finish_non_exhaustive()
    }
}
