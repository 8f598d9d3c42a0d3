//! Calls (WAMP Basic Profile, "Calling and Invocations").

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use serde::Deserialize;
use wamp_proto::{Payload, PayloadError, ResultDetails, Uri};

use super::Live;
use super::shared::Slot;
use crate::{CallKey, CallOptions, CallOutcome, CommandError, RequestError};

/// A call under way; see [`Client::call`](super::Client::call).
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the call is forgotten: the callee may carry it out, and the
/// answer is ignored.
#[must_use = "futures do nothing unless they are polled"]
pub struct Call {
    live: Arc<Live>,
    state: CallState,
}

#[expect(clippy::large_enum_variant, reason = "futures are made once and polled in place")]
enum CallState {
    Start(Result<(Uri, Payload, CallOptions), CommandError>),
    Waiting(CallKey),
    Done,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult(CallOutcome);

impl Call {
    pub(crate) fn new(live: Arc<Live>, request: Result<(Uri, Payload, CallOptions), CommandError>) -> Self {
        Self { live, state: CallState::Start(request) }
    }
}

impl Future for Call {
    type Output = Result<CallResult, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waker = Some(cx.waker().clone());
        let key = match mem::replace(&mut self.state, CallState::Done) {
            CallState::Start(request) => {
                let (procedure, payload, options) = request?;
                let key = self.live.shared.command(|state, now, _| {
                    let key = state.session.call(now, procedure, payload, options)?;
                    state.calls.insert(key, Slot::new(waker.take()));
                    Ok::<_, CommandError>(key)
                })?;
                self.state = CallState::Waiting(key);
                return Poll::Pending;
            }
            CallState::Waiting(key) => key,
            CallState::Done => panic!("polled after it was ready"),
        };
        let result = self.live.shared.look(|state, _| {
            let result = state.calls.get_mut(&key)?.take(&mut waker);
            if result.is_some() {
                state.calls.remove(&key);
            }
            result
        });
        match result {
            Some(result) => Poll::Ready(result.map(CallResult)),
            None => {
                self.state = CallState::Waiting(key);
                Poll::Pending
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let CallState::Waiting(key) = self.state {
            let gone = self.live.shared.command(|state, _, _| {
                state.session.forget_call(key);
                state.calls.remove(&key)
            });
            drop(gone);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
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
