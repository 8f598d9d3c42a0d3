//! Publications (WAMP Basic Profile, "Publishing and Events").

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use wamp_proto::{Payload, PublicationId, Uri};

use super::Live;
use super::shared::{Shared, Slot, State, kept};
use crate::{CommandError, PublishKey, PublishOptions, RequestError, Time};

type Request = Result<(Uri, Payload, PublishOptions), CommandError>;

/// A publication without acknowledgement; see [`Client::publish`](super::Client::publish).
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

/// A publication with acknowledgement; see [`Client::publish_acked`](super::Client::publish_acked).
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
