//! Invocations: the calls of this client's procedures (WAMP Basic Profile, "Calling and Invocations"; Advanced Profile,
//! "Progressive Call Results", "Progressive Call Invocations" and "Call Canceling").

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use serde::Deserialize;
use wamp_proto::{IntoPayload, InvocationDetails, Payload, PayloadError, Uri};

use super::handler::HandlerError;
use super::inputs::Inputs;
use super::publisher::Turn;
use super::shared::{Shared, State, uri};
use super::work::{InvocationParts, Work};
use crate::passthru::Attributes as _;
use crate::{CommandError, InvocationEnd, InvocationKey, Response, WampError};

pub(crate) const RUNTIME_ERROR: &str = "wamp.error.runtime_error";
pub(crate) const INVALID_ARGUMENT: &str = "wamp.error.invalid_argument";
pub(crate) const INVALID_PAYLOAD: &str = "wamp.error.invalid_payload";
pub(crate) const UNAVAILABLE: &str = "wamp.error.unavailable";
pub(crate) const CANCELED: &str = "wamp.error.canceled";

/// A call of a procedure of this client.
///
/// It is to be answered once, with [`reply`](Self::reply) or [`fail`](Self::fail). Dropping it unanswered answers it with
/// `wamp.error.runtime_error`, or with `wamp.error.canceled` if it was cancelled.
#[must_use = "an invocation that is dropped is answered with an error"]
pub struct Invocation {
    ongoing: OngoingInvocation,
    payload: Payload,
    answered: bool,
}

/// An invocation as a handler sees it that leaves the answer to its return value; see [`WithInvocation`](super::WithInvocation).
///
/// It sends parts of the result, takes more input, and tells whether the call was cancelled. Clones are of the same invocation. When
/// that was answered, it has ended for them, too.
#[derive(Clone)]
pub struct OngoingInvocation {
    pub(crate) shared: Arc<Shared>,
    key: InvocationKey,
    procedure: Uri,
    details: InvocationDetails,
}

/// Sends a part of a result; see [`Invocation::progress`].
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
pub struct SendProgress {
    turn: Turn<Arc<Shared>>,
    cancelled: Cancelled,
    is_wanted: bool,
    part: Option<Result<Response, CommandError>>,
}

/// Waits until an invocation is cancelled or has ended; see [`Invocation::cancelled`].
///
/// # Cancel safety
///
/// It may be dropped and made again at any time.
#[must_use = "futures do nothing unless they are polled"]
pub struct Cancelled {
    shared: Arc<Shared>,
    key: InvocationKey,
    ticket: Option<u64>,
}

impl Invocation {
    pub(crate) fn new(shared: Arc<Shared>, parts: InvocationParts) -> Self {
        let InvocationParts { key, procedure, details, payload } = parts;
        Self { ongoing: OngoingInvocation { shared, key, procedure, details }, payload, answered: false }
    }

    /// The procedure that was called.
    #[must_use]
    pub const fn procedure(&self) -> &Uri {
        &self.ongoing.procedure
    }

    /// What the dealer says of the call: who calls, as far as that is disclosed, how far it is trusted, its timeout.
    #[must_use]
    pub const fn details(&self) -> &InvocationDetails {
        &self.ongoing.details
    }

    /// Decodes the Arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.payload.args()
    }

    /// Decodes one of the Arguments, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, or it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        self.payload.arg(index)
    }

    /// Decodes the ArgumentsKw into a map or struct.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.payload.kwargs()
    }

    /// The arguments, undecoded.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Answers with a result.
    ///
    /// If the call came in payload passthru mode, so does the answer, sealed by the codec of the same scheme with the attributes of the
    /// call, which the codec may change. The same holds for parts of the result and for the arguments of errors.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut calls = client.register("com.example.add2").await?;
    /// while let Some(call) = calls.next().await {
    ///     let (a, b): (i64, i64) = call.args()?;
    ///     call.reply(a + b)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Encode`] if the result cannot be encoded and [`CommandError::Passthru`] if it cannot be sealed, and then the
    /// caller gets `wamp.error.invalid_payload`; [`CommandError::UnknownKey`] or [`CommandError::Closed`] if the invocation has ended
    /// before ([`end`](Self::end)). Others say what the caller got instead.
    pub fn reply(mut self, result: impl IntoPayload) -> Result<(), CommandError> {
        match result.into_payload(self.ongoing.shared.format()) {
            Ok(payload) => self.respond(Response::Result(payload)),
            Err(error) => {
                // Whether this answer arrives is not what the caller of `reply` asked.
                let _ = self.respond(Response::Error(WampError::from_uri(uri(INVALID_PAYLOAD))));
                Err(error.into())
            }
        }
    }

    /// Answers with an error: a [`WampError`] as it is, anything else as `wamp.error.runtime_error` without its text.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::WampError;
    ///
    /// let mut calls = client.register("com.example.buy").await?;
    /// while let Some(call) = calls.next().await {
    ///     call.fail(WampError::new("com.example.error.no_stock")?.payload(("nuts", 3))?)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::UnknownKey`] or [`CommandError::Closed`] if the invocation has ended before.
    pub fn fail(mut self, error: impl Into<HandlerError>) -> Result<(), CommandError> {
        self.respond(Response::Error(error.into().into_wamp()))
    }

    /// Sends a part of the result; the answer is still to come (WAMP Advanced Profile, "Progressive Call Results").
    ///
    /// When it is ready, the part has a place in the queue to the socket; it waits while more than 1 MiB is queued. If the caller does
    /// not take parts ([`wants_progress`](Self::wants_progress)), it is ready at once, and nothing is sent.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut calls = client.register("com.example.search").await?;
    /// while let Some(call) = calls.next().await {
    ///     for hit in ["one", "two"] {
    ///         call.progress(hit).await?;
    ///     }
    ///     call.reply(2)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Interrupted`] if the call was cancelled, [`CommandError::UnknownKey`] if it needs no answer any more. If the
    /// part cannot be encoded, cannot be sealed ([`CommandError::Passthru`]) or is too large, nothing is sent, and the invocation goes on.
    pub fn progress(&self, part: impl IntoPayload) -> SendProgress {
        self.ongoing.progress(part)
    }

    /// Whether the caller takes parts of the result.
    #[must_use]
    pub fn wants_progress(&self) -> bool {
        self.ongoing.wants_progress()
    }

    /// The input that follows what came with the invocation (WAMP Advanced Profile, "Progressive Call Invocations").
    ///
    /// The stream ends after the last input, and at once when the invocation ends or is cancelled. Up to 1,024 inputs of 16 MiB wait to be
    /// taken; with more, the invocation is answered with `wamp.error.unavailable`, and if one cannot be opened (payload passthru mode), with
    /// `wamp.error.invalid_argument`. The answer need not wait for the last input.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut calls = client.register("com.example.sum").await?;
    /// while let Some(call) = calls.next().await {
    ///     let mut sum: i64 = call.arg(0)?;
    ///     let mut inputs = call.inputs();
    ///     while let Some(input) = inputs.next().await {
    ///         sum += input.arg::<i64>(0)?;
    ///     }
    ///     call.reply(sum)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inputs(&self) -> Inputs {
        self.ongoing.inputs()
    }

    /// Waits until the call is cancelled, or its answer is not wanted any more for another reason ([`end`](Self::end)).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::client::Invocation;
    ///
    /// /// Answers the call from a task of its own, unless it is cancelled before.
    /// async fn serve(call: Invocation) {
    ///     call.cancelled().await;
    ///     println!("not wanted any more: {:?}", call.end());
    ///     // Dropping it answers `wamp.error.canceled`, if somebody still waits.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancelled(&self) -> Cancelled {
        self.ongoing.cancelled()
    }

    /// Whether the call was cancelled, or its answer is not wanted any more for another reason.
    ///
    /// It should be answered all the same, with `wamp.error.canceled`, which dropping it does; where an answer would be in vain, none is sent.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.ongoing.is_cancelled()
    }

    /// Why the invocation is to end, or has ended, without an answer of the application.
    #[must_use]
    pub fn end(&self) -> Option<InvocationEnd> {
        self.ongoing.end()
    }

    /// Whether an answer would be in vain, because the invocation has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ongoing.work(|work| !work.is_some_and(|work| work.is_open))
    }

    pub(crate) const fn ongoing(&self) -> &OngoingInvocation {
        &self.ongoing
    }

    /// Lets the arguments go, which nobody will look at any more.
    pub(crate) fn release(&mut self) {
        self.payload = Payload::new();
    }

    pub(crate) fn respond(&mut self, response: Response) -> Result<(), CommandError> {
        self.answered = true;
        let OngoingInvocation { shared, key, .. } = &self.ongoing;
        let (response, result) = match shared.seal_response(self.ongoing.details.passthru(), response) {
            Ok(response) => (response, Ok(())),
            // The caller must not wait for what cannot be sent.
            Err(error) => (Response::Error(WampError::from_uri(uri(INVALID_PAYLOAD))), Err(error.into())),
        };
        let kept = response.kept();
        let responded = shared.command(|state, now, effects| state.respond(now, *key, response, effects));
        drop(kept);
        result.and(responded)
    }

    /// Answers that the call was cancelled, if an answer is wanted.
    pub(crate) fn respond_cancelled(&mut self) {
        // There is nobody to tell of an error.
        let _ = self.respond(Response::Error(WampError::from_uri(uri(CANCELED))));
    }

    /// Waits until the call is cancelled, or the invocation has ended.
    pub(crate) fn poll_cancelled(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = Some(cx.waker().clone());
        self.ongoing.shared.look(|state, _| match state.invocations.get_mut(&self.ongoing.key) {
            Some(work) if work.end.is_none() => {
                mem::swap(&mut work.server, &mut waker);
                Poll::Pending
            }
            _ => Poll::Ready(()),
        })
    }
}

impl Drop for Invocation {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let error = if self.is_cancelled() { CANCELED } else { RUNTIME_ERROR };
        // There is nobody to tell of an error.
        let _ = self.respond(Response::Error(WampError::from_uri(uri(error))));
    }
}

impl OngoingInvocation {
    /// The procedure that was called.
    #[must_use]
    pub const fn procedure(&self) -> &Uri {
        &self.procedure
    }

    /// What the dealer says of the call.
    #[must_use]
    pub const fn details(&self) -> &InvocationDetails {
        &self.details
    }

    /// Sends a part of the result, as [`Invocation::progress`] does.
    ///
    /// # Errors
    ///
    /// As [`Invocation::progress`].
    pub fn progress(&self, part: impl IntoPayload) -> SendProgress {
        let seal = |payload| self.shared.seal_response(self.details.passthru(), Response::Progress(payload));
        let part = part.into_payload(self.shared.format()).map_err(CommandError::from);
        let part = part.and_then(|payload| Ok(seal(payload)?));
        let turn = Turn::new(Arc::clone(&self.shared));
        SendProgress { turn, cancelled: self.cancelled(), is_wanted: self.wants_progress(), part: Some(part) }
    }

    /// Whether the caller takes parts of the result.
    #[must_use]
    pub fn wants_progress(&self) -> bool {
        self.details.receive_progress == Some(true)
    }

    /// The input that follows what came with the invocation, as [`Invocation::inputs`] has it.
    #[must_use]
    pub fn inputs(&self) -> Inputs {
        Inputs::new(Arc::clone(&self.shared), self.key, &self.details)
    }

    /// Waits until the call is cancelled, or its answer is not wanted any more for another reason.
    ///
    /// A handler is dropped then anyway; this is for what it has started beside it.
    ///
    /// ```no_run
    /// # use wamp_session::client::{Runtime, WithInvocation};
    /// # fn crunch() -> (impl Fn() + Send + 'static, impl Future<Output = u64> + Send) { (|| (), async { 7 }) }
    /// # async fn run(client: wamp_session::client::Client, runtime: std::sync::Arc<dyn Runtime>) -> Result<(), Box<dyn std::error::Error>> {
    /// let handler = move |call: WithInvocation<u64>| {
    ///     let (abort, result) = crunch(); // on a machine elsewhere, say
    ///     let cancelled = call.invocation.cancelled();
    ///     runtime.spawn(Box::pin(async move {
    ///         cancelled.await;
    ///         abort();
    ///     }));
    ///     async move { Ok(result.await) }
    /// };
    /// let guard = client.register_fn("com.example.crunch", handler).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancelled(&self) -> Cancelled {
        Cancelled { shared: Arc::clone(&self.shared), key: self.key, ticket: None }
    }

    /// Whether the call was cancelled, or its answer is not wanted any more for another reason, or it was answered.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.work(|work| work.is_none_or(|work| work.end.is_some()))
    }

    /// Why the invocation is to end, or has ended, without an answer of the application.
    #[must_use]
    pub fn end(&self) -> Option<InvocationEnd> {
        self.work(|work| work.and_then(|work| work.end.clone()))
    }

    fn work<T>(&self, f: impl FnOnce(Option<&Work>) -> T) -> T {
        self.shared.look(|state, _| f(state.invocations.get(&self.key)))
    }
}

impl Future for SendProgress {
    type Output = Result<(), CommandError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { turn, cancelled, is_wanted, part: given } = &mut *self;
        let mut part = match given.take() {
            Some(Ok(part)) => Some(part),
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => panic!("polled after it was ready"),
        };
        if !*is_wanted {
            return Poll::Ready(Ok(()));
        }
        let key = cancelled.key;
        let mut waker = Some(cx.waker().clone());
        let waits = |state: &mut State| cancelled.poll_in(state, &mut waker).is_pending();
        let kept = part.as_ref().and_then(Response::kept);
        let sent = turn.poll_while(cx, waits, |state, now, _| {
            let part = part.take().unwrap_or_else(|| Response::Progress(Payload::new()));
            state.session.respond(now, key, part)
        });
        drop(kept);
        *given = part.map(Ok);
        sent
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = Some(cx.waker().clone());
        let shared = Arc::clone(&self.shared);
        shared.look(|state, _| self.poll_in(state, &mut waker))
    }
}

impl Cancelled {
    /// Under the lock: one waker is taken, and the one before is given back.
    fn poll_in(&mut self, state: &mut State, waker: &mut Option<Waker>) -> Poll<()> {
        let ticket = *self.ticket.get_or_insert_with(|| state.ticket());
        match state.invocations.get_mut(&self.key) {
            Some(work) if work.end.is_none() => {
                *waker = waker.take().and_then(|waker| work.watchers.insert(ticket, waker));
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let gone = self.shared.look(|state, _| state.invocations.get_mut(&self.key)?.watchers.remove(&ticket));
            drop(gone);
        }
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
    SendProgress, "SendProgress";
    Cancelled, "Cancelled";
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("procedure", self.procedure()).finish_non_exhaustive()
    }
}

impl fmt::Debug for OngoingInvocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OngoingInvocation").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}
