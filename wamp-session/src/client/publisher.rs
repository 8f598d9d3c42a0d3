//! Publications (WAMP Basic Profile, "Publishing and Events").

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use wamp_proto::{IntoPayload, Payload, PublicationId, Uri};

use super::shared::{Shared, Slot, State, kept};
use super::{Client, IntoUri, Live};
use crate::{CommandError, PublishKey, PublishOptions, RequestError, Time};

type Request = Result<(Uri, Payload, PublishOptions), CommandError>;

impl Client {
    /// Publishes an event.
    ///
    /// When it is ready, the event has a place in the queue to the socket; whether the broker accepted it is never known. It waits
    /// while more than 1 MiB is queued. (WAMP Basic Profile, "Publishing and Events".)
    ///
    /// While the client is not joined, it fails, unless the configuration or the options say otherwise
    /// ([`OfflinePolicy`](crate::OfflinePolicy)): it waits for the join, and then for its place in the queue; or it is ready when the event is
    /// in the buffer, and [`Stats::lost_publishes`](crate::Stats::lost_publishes) counts those that are lost from there.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::proto::Kwargs;
    ///
    /// client.publish("com.example.chat", ("hello", 42)).await?;
    /// client.publish("com.example.chat", Kwargs([("text", "hello")])).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError::Command`] if the session is not joined, the topic is none, or the payload cannot be
    /// encoded or is too large; another [`RequestError`] if it has waited for a join in vain.
    pub fn publish(&self, topic: impl IntoUri, payload: impl IntoPayload) -> Publish {
        self.publish_with(topic, payload, PublishOptions::new())
    }

    /// Publishes an event, with options.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::PublishOptions;
    ///
    /// let options = PublishOptions::new().exclude_me(false).eligible_authrole(["staff"]);
    /// client.publish_with("com.example.chat", "hello", options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub fn publish_with(&self, topic: impl IntoUri, payload: impl IntoPayload, mut options: PublishOptions) -> Publish {
        let request = self.prepare(topic, payload, &mut options.wire).map(|(topic, payload)| (topic, payload, options));
        Publish::new(self.live(), request)
    }

    /// Publishes an event, and waits for the broker's acknowledgement, at most the request timeout.
    ///
    /// Before that, it waits while more than 1 MiB is queued to the socket, however long that takes: the timeout starts when the event
    /// has a place in the queue.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let publication = client.publish_acked("com.example.chat", "hello").await?;
    /// println!("published as {publication}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the broker refused or did not answer in time, or the session ended.
    pub fn publish_acked(&self, topic: impl IntoUri, payload: impl IntoPayload) -> PublishAcked {
        self.publish_acked_with(topic, payload, PublishOptions::new())
    }

    /// Publishes an event with options, and waits for the broker's acknowledgement.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use wamp_session::PublishOptions;
    ///
    /// let options = PublishOptions::new().retain().timeout(Duration::from_secs(3));
    /// let publication = client.publish_acked_with("com.example.state", "open", options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`publish_acked`](Self::publish_acked).
    pub fn publish_acked_with(
        &self,
        topic: impl IntoUri,
        payload: impl IntoPayload,
        mut options: PublishOptions,
    ) -> PublishAcked {
        let request = self.prepare(topic, payload, &mut options.wire).map(|(topic, payload)| (topic, payload, options));
        PublishAcked::new(self.live(), request)
    }
}

/// A publication without acknowledgement; see [`Client::publish`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Dropped before it is ready, nothing is published. One that waits for room has a place in the line, and those behind wait for
/// it: it must be polled on or dropped, and not be kept aside.
#[must_use = "futures do nothing unless they are polled"]
pub struct Publish(PublishState, Turn);

#[expect(clippy::large_enum_variant, reason = "futures are made once and polled in place")]
enum PublishState {
    Start(Request),
    /// It waits for a join.
    Waiting(PublishKey),
    Done,
}

/// A publication with acknowledgement; see [`Client::publish_acked`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the event may be published or not. One that waits for room has a place in
/// the line, and those behind wait for it: it must be polled on or dropped, and not be kept aside.
#[must_use = "futures do nothing unless they are polled"]
pub struct PublishAcked(AckedState, Turn);

#[expect(clippy::large_enum_variant, reason = "futures are made once and polled in place")]
enum AckedState {
    Start(Request),
    Waiting(PublishKey),
    Done,
}

/// A place in the line of those who wait for room in the outbound queue.
pub(super) struct Turn<L: Holds = Arc<Live>> {
    pub(super) live: L,
    ticket: Option<u64>,
}

/// What holds the state of a client: a handle that keeps it alive, or one that does not.
pub(super) trait Holds {
    fn shared(&self) -> &Arc<Shared>;
}

impl Holds for Arc<Live> {
    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Holds for Arc<Shared> {
    fn shared(&self) -> &Arc<Shared> {
        self
    }
}

impl Publish {
    pub(crate) const fn new(live: Arc<Live>, request: Request) -> Self {
        Self(PublishState::Start(request), Turn { live, ticket: None })
    }
}

impl PublishAcked {
    pub(crate) const fn new(live: Arc<Live>, request: Request) -> Self {
        Self(AckedState::Start(request), Turn { live, ticket: None })
    }
}

impl Future for Publish {
    type Output = Result<(), RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(publish, turn) = &mut *self;
        let key = match mem::replace(publish, PublishState::Done) {
            PublishState::Start(request) => {
                let mut request = Some(request?);
                let kept = request.as_ref().and_then(|(_, payload, _)| kept(payload));
                let sent = turn.poll(cx, |state, now, waker| {
                    let (topic, payload, options) = request.take().ok_or(CommandError::Closed)?;
                    let key = state.session.publish(now, topic, payload, options)?;
                    if let Some(key) = key {
                        state.sends.insert(key, Slot::new(waker.take()));
                    }
                    Ok::<_, CommandError>(key)
                });
                drop(kept);
                *publish = match sent {
                    Poll::Ready(Ok(Some(key))) => PublishState::Waiting(key),
                    Poll::Ready(sent) => return Poll::Ready(sent.map(|_| ()).map_err(RequestError::from)),
                    Poll::Pending => PublishState::Start(request.ok_or(CommandError::Closed)),
                };
                return Poll::Pending;
            }
            PublishState::Waiting(key) => key,
            PublishState::Done => panic!("polled after it was ready"),
        };
        let mut waker = Some(cx.waker().clone());
        let result = turn.live.shared.look(|state, _| {
            let result = state.sends.get_mut(&key)?.take(&mut waker);
            if result.is_some() {
                state.sends.remove(&key);
            }
            result
        });
        match result {
            Some(result) => Poll::Ready(result),
            None => {
                *publish = PublishState::Waiting(key);
                Poll::Pending
            }
        }
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        if let PublishState::Waiting(key) = self.0 {
            let gone = self.1.live.shared.command(|state, _, _| {
                state.session.forget_publish(key);
                state.sends.remove(&key)
            });
            drop(gone);
        }
    }
}

impl Future for PublishAcked {
    type Output = Result<PublicationId, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(acked, turn) = &mut *self;
        let key = match mem::replace(acked, AckedState::Done) {
            AckedState::Start(request) => {
                let mut request = Some(request?);
                let kept = request.as_ref().and_then(|(_, payload, _)| kept(payload));
                let sent = turn.poll(cx, |state, now, waker| {
                    let (topic, payload, options) = request.take().ok_or(CommandError::Closed)?;
                    let key = state.session.publish_acked(now, topic, payload, options)?;
                    state.publishes.insert(key, Slot::new(waker.take()));
                    Ok::<_, CommandError>(key)
                });
                drop(kept);
                *acked = match sent {
                    Poll::Ready(key) => AckedState::Waiting(key?),
                    Poll::Pending => AckedState::Start(request.ok_or(CommandError::Closed)),
                };
                return Poll::Pending;
            }
            AckedState::Waiting(key) => key,
            AckedState::Done => panic!("polled after it was ready"),
        };
        let mut waker = Some(cx.waker().clone());
        let result = turn.live.shared.look(|state, _| {
            let result = state.publishes.get_mut(&key)?.take(&mut waker);
            if result.is_some() {
                state.publishes.remove(&key);
            }
            result
        });
        match result {
            Some(result) => Poll::Ready(result),
            None => {
                *acked = AckedState::Waiting(key);
                Poll::Pending
            }
        }
    }
}

impl Drop for PublishAcked {
    fn drop(&mut self) {
        if let AckedState::Waiting(key) = self.0 {
            let gone = self.1.live.shared.command(|state, _, _| {
                state.session.forget_publish(key);
                state.publishes.remove(&key)
            });
            drop(gone);
        }
    }
}

impl<L: Holds> Turn<L> {
    /// Gives up the place in the line, if there is one.
    pub(super) fn leave(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let gone = self.live.shared().command(|state, _, _| state.room.remove(&ticket));
            drop(gone);
        }
    }

    pub(super) const fn new(live: L) -> Self {
        Self { live, ticket: None }
    }

    /// Sends when it is this publisher's turn and there is room.
    pub(super) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        send: impl FnOnce(&mut State, Time, &mut Option<Waker>) -> T,
    ) -> Poll<T> {
        self.poll_while(cx, |_| true, send)
    }

    /// Sends when it is this publisher's turn and there is room, or as soon as it is not worth to wait for that, which `waits` finds out.
    ///
    /// `waits` has to see to it that the task is woken when that changes.
    pub(super) fn poll_while<T>(
        &mut self,
        cx: &mut Context<'_>,
        waits: impl FnOnce(&mut State) -> bool,
        send: impl FnOnce(&mut State, Time, &mut Option<Waker>) -> T,
    ) -> Poll<T> {
        let mut waker = Some(cx.waker().clone());
        let ticket = &mut self.ticket;
        self.live.shared().command(|state, now, effects| {
            let first = state.room.keys().next().copied();
            // Once the session is closed nobody waits, not even for one before who is not polled.
            let goes_on = state.closed.is_some() || (state.has_room() && (first.is_none() || first == *ticket));
            if goes_on || !waits(state) {
                if let Some(ticket) = ticket.take() {
                    effects.discard(state.room.remove(&ticket).flatten());
                }
                return Poll::Ready(send(state, now, &mut waker));
            }
            let ticket = *ticket.get_or_insert_with(|| state.ticket());
            mem::swap(state.room.entry(ticket).or_default(), &mut waker);
            effects.idle();
            Poll::Pending
        })
    }
}

impl<L: Holds> Drop for Turn<L> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish").finish_non_exhaustive()
    }
}

impl fmt::Debug for PublishAcked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishAcked").finish_non_exhaustive()
    }
}
