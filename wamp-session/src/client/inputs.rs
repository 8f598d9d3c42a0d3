//! The input that follows the first one of an invocation (WAMP Advanced Profile, "Progressive Call Invocations").

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use futures_core::Stream;
use serde::Deserialize;
use wamp_proto::{InvocationDetails, Payload, PayloadError};

use super::invocation::INVALID_ARGUMENT;
use super::shared::{Shared, uri};
use crate::{InvocationKey, Response, WampError};

/// A stream of what a caller sends after its first input; see [`Invocation::inputs`](super::Invocation::inputs).
///
/// If there is more than one of an invocation, each input goes to one of them, whichever takes it first, and all of them end
/// together.
pub struct Inputs {
    shared: Arc<Shared>,
    key: InvocationKey,
    /// The attributes of the first input, which count for all.
    details: InvocationDetails,
    /// Its place among those who wait.
    ticket: Option<u64>,
}

/// More input of a call, after the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Input(Payload);

/// The future of [`Inputs::next`].
///
/// # Cancel safety
///
/// Dropping it loses no input.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct NextInput<'a>(&'a mut Inputs);

impl Inputs {
    pub(super) fn new(shared: Arc<Shared>, key: InvocationKey, details: &InvocationDetails) -> Self {
        Self { shared, key, details: details.clone(), ticket: None }
    }

    /// Takes the next input, `None` after the last one, and when the invocation ends or is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no input.
    pub const fn next(&mut self) -> NextInput<'_> {
        NextInput(self)
    }
}

impl Stream for Inputs {
    type Item = Input;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Input>> {
        let mut waker = Some(cx.waker().clone());
        let Self { shared, key, ticket, .. } = &mut *self;
        let polled = shared.look(|state, _| {
            let ticket = *ticket.get_or_insert_with(|| state.ticket());
            let Some(work) = state.invocations.get_mut(key) else { return Poll::Ready(None) };
            if let Some(input) = work.inputs.pop_front() {
                work.bytes = work.bytes.saturating_sub(input.byte_len());
                return Poll::Ready(Some(Input(input)));
            }
            if !work.more {
                return Poll::Ready(None);
            }
            waker = waker.take().and_then(|waker| work.readers.insert(ticket, waker));
            Poll::Pending
        });
        let Poll::Ready(Some(Input(mut input))) = polled else { return polled };
        if self.shared.open(&self.details, &mut input).is_ok() {
            return Poll::Ready(Some(Input(input)));
        }
        // An input cannot be left out.
        self.shared.command(|state, now, effects| {
            let error = WampError::from_uri(uri(INVALID_ARGUMENT));
            // Too late if the invocation has ended meanwhile.
            let _ = state.respond(now, self.key, Response::Error(error), effects);
        });
        Poll::Ready(None)
    }
}

impl Drop for Inputs {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let gone = self.shared.look(|state, _| state.invocations.get_mut(&self.key)?.readers.remove(&ticket));
            drop(gone);
        }
    }
}

impl Future for NextInput<'_> {
    type Output = Option<Input>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll_next(cx)
    }
}

impl Input {
    /// Decodes the Arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.0.args()
    }

    /// Decodes one of the Arguments, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, or it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        self.0.arg(index)
    }

    /// Decodes the ArgumentsKw into a map or struct.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.0.kwargs()
    }

    /// The arguments, undecoded.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.0
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs").finish_non_exhaustive()
    }
}
