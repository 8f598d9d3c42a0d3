//! Calls (WAMP Basic Profile, "Calling and Invocations"; Advanced Profile, "Call Canceling").

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use wamp_proto::{CancelMode, Payload, PayloadError, ResultDetails, Uri};

use super::Live;
use super::progressive::Parts;
use super::shared::{Shared, Slot, kept};
use crate::{CallKey, CallOptions, CallOutcome, CommandError, RequestError};

/// What a call is made of.
pub(super) type Request = Result<(Uri, Payload, CallOptions), CommandError>;

/// A call under way; see [`Client::call`](super::Client::call).
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the call is cancelled, in the mode that its options say
/// ([`CallOptions::cancel_on_drop`]), and the answer is ignored.
#[must_use = "futures do nothing unless they are polled"]
pub struct Call {
    start: Start,
    state: CallState,
}

#[expect(clippy::large_enum_variant, reason = "futures are made once and polled in place")]
enum CallState {
    Start(Request),
    Waiting(Running),
    Done,
}

/// The result of a call, or a part of it, undecoded until it is asked.
///
/// ```no_run
/// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// #[derive(serde::Deserialize)]
/// struct Stock {
///     left: u32,
/// }
///
/// let result = client.call("com.example.stock", "nuts").await?;
/// let (price, currency): (f64, String) = result.args()?;
/// println!("{} left, for {price} {currency}", result.kwargs::<Stock>()?.left);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult(pub(super) CallOutcome);

/// Cancels a call, from wherever (WAMP Advanced Profile, "Call Canceling"); see [`Call::canceller`].
///
/// It does not keep the client alive, and dropping it does nothing.
#[derive(Clone)]
pub struct Canceller {
    shared: Arc<Shared>,
    place: Arc<Place>,
}

/// The key of a call, once it has one.
#[derive(Debug)]
struct Place(AtomicU64);

const NOT_STARTED: u64 = 0;
const CANCELLED: u64 = u64::MAX;

/// A call that is not made yet.
pub(super) struct Start {
    live: Arc<Live>,
    place: OnceLock<Arc<Place>>,
}

/// A call that was made. Dropping it before its end cancels it.
pub(super) struct Running {
    pub(super) live: Arc<Live>,
    pub(super) key: CallKey,
    pub(super) on_drop: Option<CancelMode>,
    /// Whether its end was taken.
    is_over: bool,
}

/// What has come of a call.
pub(crate) struct Outcome {
    pub(crate) end: Slot<Result<CallOutcome, RequestError>>,
    /// Parts of the result, if somebody takes them.
    pub(crate) parts: Option<Box<Parts>>,
    /// The task that waits for the join, or for room for more input.
    pub(crate) input: Option<Waker>,
}

impl Outcome {
    /// Whether anything has come of the call yet.
    pub(super) fn has_begun(&self) -> bool {
        self.end.value.is_some() || self.parts.as_ref().is_some_and(|parts| !parts.is_empty())
    }
}

impl Call {
    pub(crate) fn new(live: Arc<Live>, request: Request) -> Self {
        Self { start: Start::new(live), state: CallState::Start(request) }
    }

    /// Makes something that cancels the call, from any thread or task.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::RequestError;
    /// use wamp_session::proto::CancelMode;
    ///
    /// let slow = client.call("com.example.slow", ());
    /// let stop = slow.canceller();
    /// std::thread::spawn(move || stop.cancel(CancelMode::Kill));
    /// match slow.await {
    ///     Err(RequestError::Canceled) => println!("the callee did not answer"),
    ///     Err(RequestError::Wamp(error)) => println!("the callee answered {}", error.uri()),
    ///     other => println!("it was faster: {other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        let key = match &self.state {
            CallState::Waiting(running) => Some(running.key),
            CallState::Start(_) | CallState::Done => None,
        };
        self.start.canceller(key)
    }
}

impl Future for Call {
    type Output = Result<CallResult, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waker = Some(cx.waker().clone());
        let mut running = match mem::replace(&mut self.state, CallState::Done) {
            CallState::Start(request) => {
                let running = self.start.start(request?, None, &mut waker)?;
                self.state = CallState::Waiting(running);
                return Poll::Pending;
            }
            CallState::Waiting(running) => running,
            CallState::Done => panic!("polled after it was ready"),
        };
        let polled = running.poll_end(&mut waker);
        if polled.is_pending() {
            self.state = CallState::Waiting(running);
        }
        polled
    }
}

impl Canceller {
    /// Cancels the call, if it has not ended.
    ///
    /// With the modes `skip` and `killnowait` the call ends at once, with [`RequestError::Canceled`]; the callee goes on or is
    /// interrupted. With `kill` it ends with what the callee answers, be it an error or a result that was already under way, but at the latest
    /// after the request timeout. If the dealer does not announce `call_canceling`, the call ends at once in each mode, and the
    /// callee is not told. A call that was not polled yet is not sent. Only the first CANCEL is sent.
    ///
    /// ```no_run
    /// # fn run(stop: wamp_session::client::Canceller) {
    /// stop.cancel(wamp_session::proto::CancelMode::default());
    /// # }
    /// ```
    pub fn cancel(&self, mode: CancelMode) {
        self.shared.command(|state, now, effects| match self.place.0.load(Ordering::SeqCst) {
            NOT_STARTED => self.place.0.store(CANCELLED, Ordering::SeqCst),
            CANCELLED => {}
            key => {
                // One that has ended needs no cancelling.
                let _ = state.session.cancel(now, CallKey(key), mode);
                if let Some(outcome) = state.calls.get_mut(&CallKey(key)) {
                    effects.wake(outcome.input.take());
                }
            }
        });
    }
}

impl Start {
    pub(super) const fn new(live: Arc<Live>) -> Self {
        Self { live, place: OnceLock::new() }
    }

    pub(super) fn canceller(&self, key: Option<CallKey>) -> Canceller {
        let place = || Arc::new(Place(AtomicU64::new(key.map_or(NOT_STARTED, |key| key.0))));
        Canceller { shared: Arc::clone(&self.live.shared), place: Arc::clone(self.place.get_or_init(place)) }
    }

    /// Makes the call, unless it was cancelled before.
    pub(super) fn start(
        &self,
        (procedure, payload, options): (Uri, Payload, CallOptions),
        parts: Option<Box<Parts>>,
        waker: &mut Option<Waker>,
    ) -> Result<Running, RequestError> {
        let on_drop = options.on_drop;
        let kept = kept(&payload);
        let key = self.live.shared.command(|state, now, _| {
            let place = self.place.get().map(|place| &place.0);
            if place.is_some_and(|place| place.load(Ordering::SeqCst) == CANCELLED) {
                return Err(RequestError::Canceled);
            }
            let key = state.session.call(now, procedure, payload, options)?;
            if let Some(place) = place {
                place.store(key.0, Ordering::SeqCst);
            }
            state.calls.insert(key, Outcome { end: Slot::new(waker.take()), parts, input: None });
            Ok(key)
        });
        drop(kept);
        let key = key?;
        Ok(Running { live: Arc::clone(&self.live), key, on_drop, is_over: false })
    }
}

impl Running {
    pub(super) fn canceller(&self) -> Canceller {
        let place = Arc::new(Place(AtomicU64::new(self.key.0)));
        Canceller { shared: Arc::clone(&self.live.shared), place }
    }

    /// Takes the error of a call that has failed and of which no part has come.
    pub(super) fn poll_failure(&mut self) -> Option<RequestError> {
        let has_failed = self.live.shared.look(|state, _| {
            let outcome = state.calls.get(&self.key)?;
            let is_empty = outcome.parts.as_ref().is_none_or(|parts| parts.is_empty());
            Some(is_empty && matches!(outcome.end.value, Some(Err(_))))
        });
        match has_failed {
            Some(true) => match self.poll_end(&mut None) {
                Poll::Ready(end) => end.err(),
                Poll::Pending => None,
            },
            _ => None,
        }
    }

    /// Waits for the end of the call.
    pub(super) fn poll_end(&mut self, waker: &mut Option<Waker>) -> Poll<Result<CallResult, RequestError>> {
        let end = self.live.shared.look(|state, _| {
            let end = state.calls.get_mut(&self.key)?.end.take(waker)?;
            Some((end, state.calls.remove(&self.key)))
        });
        match end {
            Some((Err(RequestError::Wamp(mut error)), _)) => {
                self.is_over = true;
                // What went wrong matters more than its arguments: those that cannot be opened stay sealed.
                let _ = self.live.shared.open(&*error.details, &mut error.payload);
                Poll::Ready(Err(RequestError::Wamp(error)))
            }
            Some((end, _)) => {
                self.is_over = true;
                Poll::Ready(end.and_then(|mut outcome| {
                    self.live.shared.open(&outcome.details, &mut outcome.payload)?;
                    Ok(CallResult(outcome))
                }))
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let gone = self.live.shared.command(|state, now, effects| {
            match self.on_drop {
                // One that has ended needs no cancelling.
                Some(mode) => drop(state.session.cancel(now, self.key, mode)),
                None => state.session.forget_call(self.key),
            }
            let mut outcome = state.calls.remove(&self.key)?;
            effects.wake(outcome.input.take());
            Some(outcome)
        });
        drop(gone);
    }
}

impl CallResult {
    /// Decodes the Arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.0.payload.args()
    }

    /// Decodes one of the Arguments, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, or it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        self.0.payload.arg(index)
    }

    /// Decodes the ArgumentsKw into a map or struct.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.0.payload.kwargs()
    }

    /// What the dealer says of the result.
    #[must_use]
    pub const fn details(&self) -> &ResultDetails {
        &self.0.details
    }

    /// The arguments, undecoded.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.0.payload
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}
