//! Calls in parts: results that come in parts, and input that is sent in parts (WAMP Advanced Profile, "Progressive Call Results" and
//! "Progressive Call Invocations").

use core::fmt;
use core::future::Future;
use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::Stream;
use wamp_proto::{CancelMode, IntoPayload, Payload};

use super::caller::{CallResult, Canceller, Request, Running, Start};
use super::publisher::Turn;
use super::queue::{self, Overflow, Queue};
use super::shared::{Effects, State, kept};
use super::{Client, IntoUri, Live};
use crate::passthru::{Attributes as _, Passthru};
use crate::{CallKey, CallOptions, CallOutcome, CallPart, CommandError, RequestError};

impl Client {
    /// Calls a procedure whose result comes in parts (WAMP Advanced Profile, "Progressive Call Results").
    ///
    /// It is ready when the call is under way, for which it waits for a join as [`call`](Self::call) does; the parts come as a stream,
    /// and the final result at its end. A callee or a dealer that knows no parts sends only that.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut parts = client.call_progressive("com.example.search", ("rust",)).await?;
    /// while let Some(part) = parts.next().await {
    ///     println!("found {}", part.arg::<String>(0)?);
    /// }
    /// let count: u64 = parts.finish().await?.arg(0)?;
    /// println!("{count} in all");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError::Command`] if the call cannot be made, another [`RequestError`] if it has waited for a join in vain; whatever
    /// happens to it later, [`ProgressiveCall::finish`] tells.
    pub fn call_progressive(&self, procedure: impl IntoUri, payload: impl IntoPayload) -> CallProgressive {
        self.call_progressive_with(procedure, payload, CallOptions::new())
    }

    /// Calls a procedure whose result comes in parts, with options.
    ///
    /// A timeout counts from the call to the first part, and from each part to the next.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use wamp_session::CallOptions;
    /// use wamp_session::client::Queue;
    ///
    /// let options = CallOptions::new().timeout(Duration::from_secs(3)).queue(Queue::new().max_events(16));
    /// let mut parts = client.call_progressive_with("com.example.search", "rust", options).await?;
    /// while let Some(part) = parts.next().await {
    ///     println!("found {}", part.arg::<String>(0)?);
    /// }
    /// println!("{} parts were dropped", parts.missed());
    /// parts.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call_progressive`](Self::call_progressive).
    pub fn call_progressive_with(
        &self,
        procedure: impl IntoUri,
        payload: impl IntoPayload,
        mut options: CallOptions,
    ) -> CallProgressive {
        let request = self.prepare(procedure, payload, &mut options.wire);
        CallProgressive::new(
            self.live(),
            request.map(|(uri, payload)| (uri, payload, options.without_more_input().receive_progress())),
        )
    }

    /// Calls a procedure with input that is sent in parts, of which the payload is the first.
    ///
    /// It is ready when the call is under way, for which it waits for a join as [`call`](Self::call) does. The rest is sent with
    /// [`CallInput`], and the [`ProgressiveCall`] waits for the result. (WAMP Advanced Profile, "Progressive Call Invocations".)
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut input, call) = client.call_streaming("com.example.sum", 1).await?;
    /// input.send(2).await?;
    /// input.finish(3).await?;
    /// let sum: i64 = call.finish().await?.arg(0)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call_progressive`](Self::call_progressive); [`CommandError::NotSupported`] if the dealer does not announce
    /// `progressive_call_invocations`. A callee that does not know of it lets the call fail with an error of the kind
    /// [`FeatureNotSupported`](crate::ErrorKind::FeatureNotSupported).
    pub fn call_streaming(&self, procedure: impl IntoUri, payload: impl IntoPayload) -> CallStreaming {
        self.call_streaming_with(procedure, payload, CallOptions::new())
    }

    /// Calls a procedure with input that is sent in parts, with options.
    ///
    /// With [`CallOptions::receive_progress`] the result comes in parts, too, which need not match those of the input.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::CallOptions;
    ///
    /// let options = CallOptions::new().receive_progress();
    /// let (mut input, mut call) = client.call_streaming_with("com.example.upper", "one", options).await?;
    /// input.send("two").await?;
    /// input.finish("three").await?;
    /// while let Some(part) = call.next().await {
    ///     println!("{}", part.arg::<String>(0)?);
    /// }
    /// call.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call_streaming`](Self::call_streaming).
    pub fn call_streaming_with(
        &self,
        procedure: impl IntoUri,
        payload: impl IntoPayload,
        mut options: CallOptions,
    ) -> CallStreaming {
        let request = self.prepare(procedure, payload, &mut options.wire);
        CallStreaming::new(self.live(), request.map(|(uri, payload)| (uri, payload, options.progress())))
    }
}

/// A call whose result comes in parts, that is being made; see [`Client::call_progressive`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the call is not made if it still waits for a join, and else cancelled
/// ([`CallOptions::cancel_on_drop`]).
#[must_use = "futures do nothing unless they are polled"]
pub struct CallProgressive(Starting);

/// A call with input in parts, that is being made; see [`Client::call_streaming`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the call is not made if it still waits for a join, and else cancelled
/// ([`CallOptions::cancel_on_drop`]).
#[must_use = "futures do nothing unless they are polled"]
pub struct CallStreaming(Starting, Option<Passthru>);

/// A call in parts until it is under way.
struct Starting {
    start: Start,
    state: StartingState,
}

#[expect(clippy::large_enum_variant, reason = "futures are made once and polled in place")]
enum StartingState {
    Start(Request),
    /// It may still wait for a join.
    Waiting(Running),
    Done,
}

/// A call under way whose result comes in parts: a stream of those that come before the last one, which [`finish`](Self::finish) takes.
///
/// The stream ends when the call does: with its result, an error, a timeout, a cancel, or because the session ended; a lost connection
/// ends it with [`RequestError::Disconnected`]. By default up to 1,024 parts of 16 MiB wait to be taken; more are dropped, and counted in
/// [`missed`](Self::missed) ([`CallOptions::queue`]).
///
/// Dropping it before the end cancels the call ([`CallOptions::cancel_on_drop`]).
#[must_use = "dropping it cancels the call"]
pub struct ProgressiveCall(Running);

/// The future of [`ProgressiveCall::next`].
///
/// # Cancel safety
///
/// Dropping it loses no part.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct NextPart<'a>(&'a mut ProgressiveCall);

/// Waits for the end of a call; see [`ProgressiveCall::finish`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Dropping it cancels the call, as dropping the [`ProgressiveCall`] does.
#[must_use = "futures do nothing unless they are polled"]
pub struct FinishCall(Option<ProgressiveCall>, bool);

/// Where more input of a call is sent; see [`Client::call_streaming`].
///
/// It is closed when the call ends, which the callee may do before all input is there, and when it is cancelled.
///
/// Dropping it before the last input cancels the call, since the callee would wait for more
/// ([`CallOptions::cancel_on_drop`]).
#[must_use = "dropping it cancels the call"]
pub struct CallInput {
    turn: Turn,
    key: CallKey,
    /// The attributes that the first input was sealed with, and that count for all.
    passthru: Option<Passthru>,
    on_drop: Option<CancelMode>,
    /// Whether the last input was sent.
    is_finished: bool,
}

/// The future of [`CallInput::send`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Dropped before it is ready, nothing is sent. One that waits for room has a place in the line, and those behind wait for it: it
/// must be polled on or dropped, and not be kept aside.
#[must_use = "futures do nothing unless they are polled"]
pub struct SendInput<'a>(&'a mut CallInput, Option<Result<Payload, CommandError>>);

/// The future of [`CallInput::finish`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Dropped before it is ready, nothing is sent, and the call is cancelled, as by dropping the [`CallInput`].
#[must_use = "futures do nothing unless they are polled"]
pub struct FinishInput(CallInput, Option<Result<Payload, CommandError>>);

/// The parts of a result that wait to be taken.
pub(crate) struct Parts {
    queue: VecDeque<CallResult>,
    bytes: usize,
    limits: Queue,
    pub(super) missed: u64,
}

impl CallProgressive {
    pub(crate) const fn new(live: Arc<Live>, request: Request) -> Self {
        Self(Starting::new(live, request))
    }
}

impl Future for CallProgressive {
    type Output = Result<ProgressiveCall, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map_ok(ProgressiveCall)
    }
}

impl CallStreaming {
    pub(crate) fn new(live: Arc<Live>, request: Request) -> Self {
        let passthru = request.as_ref().ok().and_then(|(_, _, options)| options.wire.passthru());
        Self(Starting::new(live, request), passthru)
    }
}

impl Future for CallStreaming {
    type Output = Result<(CallInput, ProgressiveCall), RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(starting, passthru) = &mut *self;
        starting.poll(cx).map_ok(|running| {
            let (turn, passthru) = (Turn::new(Arc::clone(&running.live)), passthru.take());
            let input = CallInput { turn, key: running.key, passthru, on_drop: running.on_drop, is_finished: false };
            (input, ProgressiveCall(running))
        })
    }
}

impl Starting {
    const fn new(live: Arc<Live>, request: Request) -> Self {
        Self { start: Start::new(live), state: StartingState::Start(request) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Running, RequestError>> {
        let mut running = match mem::replace(&mut self.state, StartingState::Done) {
            StartingState::Start(request) => {
                let request = request?;
                let parts = request.2.is_progressive().then(|| Box::new(Parts::new(request.2.queue)));
                self.start.start(request, parts, &mut None)?
            }
            StartingState::Waiting(running) => running,
            StartingState::Done => panic!("polled after it was ready"),
        };
        let (key, mut waker) = (running.key, Some(cx.waker().clone()));
        let is_under_way = running.live.shared.look(|state, _| match state.calls.get_mut(&key) {
            Some(outcome) if !outcome.has_begun() && !state.session.is_call_sent(key) => {
                mem::swap(&mut outcome.input, &mut waker);
                false
            }
            _ => true,
        });
        if !is_under_way {
            self.state = StartingState::Waiting(running);
            return Poll::Pending;
        }
        // It may have failed without a part, and mostly without having been sent.
        match running.poll_failure() {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(Ok(running)),
        }
    }
}

impl ProgressiveCall {
    /// Takes the next part, `None` when the call has ended: then [`finish`](Self::finish) says how.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no part.
    #[expect(clippy::should_implement_trait, reason = "it is what StreamExt calls it")]
    pub fn next(&mut self) -> NextPart<'_> {
        NextPart(self)
    }

    /// Waits for the end of the call: its final result. Parts that were not taken are dropped.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    pub const fn finish(self) -> FinishCall {
        FinishCall(Some(self), false)
    }

    /// Makes something that cancels the call.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::proto::CancelMode;
    ///
    /// let mut parts = client.call_progressive("com.example.search", "rust").await?;
    /// let stop = parts.canceller();
    /// let first = parts.next().await;
    /// stop.cancel(CancelMode::Kill);
    /// println!("{first:?}, then {:?}", parts.finish().await);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.0.canceller()
    }

    /// How many parts were dropped because they came faster than they were taken, or could not be opened (payload passthru mode).
    #[must_use]
    pub fn missed(&self) -> u64 {
        let parts = |state: &mut State| Some(state.calls.get(&self.0.key)?.parts.as_ref()?.missed);
        self.0.live.shared.look(|state, _| parts(state)).unwrap_or_default()
    }
}

impl Stream for ProgressiveCall {
    type Item = CallResult;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<CallResult>> {
        let shared = &self.0.live.shared;
        loop {
            let mut waker = Some(cx.waker().clone());
            let polled = shared.look(|state, _| {
                let Some(outcome) = state.calls.get_mut(&self.0.key) else { return Poll::Ready(None) };
                if let Some(part) = outcome.parts.as_mut().and_then(|parts| parts.pop()) {
                    return Poll::Ready(Some(part));
                }
                if outcome.end.value.is_some() {
                    return Poll::Ready(None);
                }
                mem::swap(&mut outcome.end.waker, &mut waker);
                Poll::Pending
            });
            let Poll::Ready(Some(CallResult(mut part))) = polled else { return polled };
            match shared.open(&part.details, &mut part.payload) {
                Ok(()) => return Poll::Ready(Some(CallResult(part))),
                // There are at most as many as the queue holds.
                Err(_) => shared.look(|state, _| {
                    if let Some(parts) = state.calls.get_mut(&self.0.key).and_then(|outcome| outcome.parts.as_mut()) {
                        parts.missed = parts.missed.saturating_add(1);
                    }
                }),
            }
        }
    }
}

impl Future for NextPart<'_> {
    type Output = Option<CallResult>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll_next(cx)
    }
}

impl Future for FinishCall {
    type Output = Result<CallResult, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(call, is_begun) = &mut *self;
        let Some(call) = call else { panic!("polled after it was ready") };
        if !mem::replace(is_begun, true) {
            // They would fill the queue, and might even end the call.
            let parts = call.0.live.shared.look(|state, _| state.calls.get_mut(&call.0.key)?.parts.take());
            drop(parts);
        }
        let end = call.0.poll_end(&mut Some(cx.waker().clone()));
        if end.is_ready() {
            self.0 = None;
        }
        end
    }
}

impl CallInput {
    /// Sends more input.
    ///
    /// When it is ready, the input has a place in the queue to the socket; it waits while more than 1 MiB is queued.
    ///
    /// # Errors
    ///
    /// [`CommandError::InputClosed`] if the call has ended or was cancelled. If the payload cannot be encoded or is too large, nothing is
    /// sent, and the input goes on.
    pub fn send(&mut self, payload: impl IntoPayload) -> SendInput<'_> {
        let payload = self.sealed(payload);
        SendInput(self, Some(payload))
    }

    /// Sends the last input, as [`send`](Self::send) does.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); with any error the call is cancelled ([`CallOptions::cancel_on_drop`]).
    pub fn finish(self, payload: impl IntoPayload) -> FinishInput {
        let payload = self.sealed(payload);
        FinishInput(self, Some(payload))
    }

    fn sealed(&self, payload: impl IntoPayload) -> Result<Payload, CommandError> {
        let shared = &self.turn.live.shared;
        let payload = payload.into_payload(shared.format())?;
        match &self.passthru {
            Some(passthru) => Ok(shared.seal_as(passthru.clone(), &payload)?.1),
            None => Ok(payload),
        }
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        payload: &mut Option<Result<Payload, CommandError>>,
        part: CallPart,
    ) -> Poll<Result<(), CommandError>> {
        let mut given = match payload.take() {
            Some(Ok(given)) => Some(given),
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => panic!("polled after it was ready"),
        };
        let key = self.key;
        let mut waker = Some(cx.waker().clone());
        let waits = |state: &mut State| {
            let takes_input = state.session.takes_input(key);
            let call = state.calls.get_mut(&key).filter(|_| takes_input);
            call.map(|outcome| mem::swap(&mut outcome.input, &mut waker)).is_some()
        };
        let kept = given.as_ref().and_then(kept);
        let sent = self.turn.poll_while(cx, waits, |state, now, _| {
            state.session.call_more(now, key, given.take().unwrap_or_default(), part)
        });
        drop(kept);
        *payload = given.map(Ok);
        sent
    }
}

impl Drop for CallInput {
    fn drop(&mut self) {
        if let (false, Some(mode)) = (self.is_finished, self.on_drop) {
            self.turn.live.shared.command(|state, now, _| {
                // One that has ended needs no cancelling.
                let _ = state.session.cancel(now, self.key, mode);
            });
        }
    }
}

impl Future for SendInput<'_> {
    type Output = Result<(), CommandError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(input, payload) = &mut *self;
        input.poll_send(cx, payload, CallPart::More)
    }
}

impl Drop for SendInput<'_> {
    fn drop(&mut self) {
        // Nobody might ever come back to the place in the line.
        self.0.turn.leave();
    }
}

impl Future for FinishInput {
    type Output = Result<(), CommandError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(input, payload) = &mut *self;
        let sent = input.poll_send(cx, payload, CallPart::Last);
        input.is_finished |= matches!(sent, Poll::Ready(Ok(())));
        sent
    }
}

impl Parts {
    const fn new(limits: Queue) -> Self {
        Self { queue: VecDeque::new(), bytes: 0, limits, missed: 0 }
    }

    /// Queues a part; `Break` if the call is to end because of it.
    pub(crate) fn push(&mut self, part: CallOutcome, is_awaited: bool, effects: &mut Effects) -> ControlFlow<()> {
        let before = self.missed;
        let pushed = self.push_within_limits(part, is_awaited, effects);
        effects.told.missed(None, before, self.missed);
        pushed
    }

    fn push_within_limits(
        &mut self,
        mut part: CallOutcome,
        is_awaited: bool,
        effects: &mut Effects,
    ) -> ControlFlow<()> {
        let size = part.payload.byte_len();
        while !self.limits.takes(self.queue.len(), self.bytes, size) {
            self.missed = self.missed.saturating_add(1);
            match self.limits.overflow {
                Overflow::DropNewest => return ControlFlow::Continue(()),
                Overflow::DropOldest => {
                    if let Some(CallResult(oldest)) = self.pop() {
                        effects.discard_payload(oldest.payload);
                    }
                }
                Overflow::End => return ControlFlow::Break(()),
            }
        }
        if !self.queue.is_empty() || !is_awaited {
            queue::waiting(&mut part.payload);
        }
        self.bytes = self.bytes.saturating_add(part.payload.byte_len());
        self.queue.push_back(CallResult(part));
        ControlFlow::Continue(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn pop(&mut self) -> Option<CallResult> {
        let part = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(part.0.payload.byte_len());
        Some(part)
    }
}

macro_rules! opaque {
    ($($name:ty, $text:literal;)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($text).finish_non_exhaustive()
            }
        }
    )*};
}

opaque! {
    CallProgressive, "CallProgressive";
    CallStreaming, "CallStreaming";
    ProgressiveCall, "ProgressiveCall";
    FinishCall, "FinishCall";
    CallInput, "CallInput";
    SendInput<'_>, "SendInput";
    FinishInput, "FinishInput";
}
