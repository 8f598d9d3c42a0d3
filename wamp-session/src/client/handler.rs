//! Handlers: functions that serve a registration.

use core::any::Any;
use core::error::Error;
use core::fmt;
use core::future::{Future, poll_fn};
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, PoisonError};

use wamp_proto::{FromPayload, IntoPayload, InvocationDetails, Payload, PayloadError, Uri};

use super::callee::Invocations;
use super::contained::{Contained, Panicked, contained};
use super::invocation::{INVALID_ARGUMENT, INVALID_PAYLOAD, Invocation, OngoingInvocation, RUNTIME_ERROR};
use super::runtime::Task;
use super::shared::uri;
use super::trace;
use crate::{CommandError, Response, WampError};

/// What a handler can take: one type for all that an invocation carries.
///
/// It is implemented for whatever can be made of a payload ([`FromPayload`]: any type that serde decodes,
/// [`Kwargs`](wamp_proto::Kwargs), [`ArgsKwargs`](wamp_proto::ArgsKwargs), [`Payload`]), and for each of these in [`WithDetails`] and
/// [`WithInvocation`]. A handler that takes something else implements it for a type of its own.
///
/// ```
/// use wamp_session::client::{FromInvocation, Invocation};
/// use wamp_session::proto::{PayloadError, Uri};
///
/// struct Order {
///     shop: Uri,
///     product: String,
/// }
///
/// impl FromInvocation for Order {
///     fn from_invocation(invocation: &Invocation) -> Result<Self, PayloadError> {
///         Ok(Self { shop: invocation.procedure().clone(), product: invocation.arg(0)? })
///     }
/// }
/// ```
pub trait FromInvocation: Sized {
    /// Decodes the invocation.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if its arguments do not fit the type: the caller gets `wamp.error.invalid_argument` with its text.
    fn from_invocation(invocation: &Invocation) -> Result<Self, PayloadError>;
}

/// Arguments of an invocation, and what the dealer says of the call.
///
/// ```no_run
/// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use wamp_session::RegisterOptions;
/// use wamp_session::client::WithDetails;
///
/// let whoami = |call: WithDetails<()>| async move { Ok(call.details.caller_authid.as_deref().map(str::to_owned)) };
/// let options = RegisterOptions::new().disclose_caller();
/// let guard = client.register_fn_with("com.example.whoami", options, whoami).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WithDetails<A> {
    /// The arguments.
    pub args: A,
    /// The procedure that was called, which a pattern only describes.
    pub procedure: Uri,
    /// What the dealer says of the call.
    pub details: InvocationDetails,
}

/// Arguments of an invocation, and what a handler needs to send parts of its result, or to take more input.
///
/// ```no_run
/// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use wamp_session::client::WithInvocation;
///
/// let count = |call: WithInvocation<u32>| async move {
///     for n in 0..call.args {
///         call.invocation.progress(n).await?;
///     }
///     Ok(call.args)
/// };
/// let guard = client.register_fn("com.example.count", count).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WithInvocation<A> {
    /// The arguments.
    pub args: A,
    /// The invocation, whose answer is what the handler returns.
    pub invocation: OngoingInvocation,
}

/// What went wrong with a handler; see [`Config::on_handler_error`](crate::Config::on_handler_error).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerFailure {
    /// It returned an error that is no [`WampError`].
    #[error("the handler failed")]
    Error(#[source] Arc<dyn Error + Send + Sync>),
    /// It panicked, with this message, if it is a text.
    #[error("the handler panicked")]
    Panic(Option<String>),
    /// The arguments do not fit, so that it was not called.
    #[error("the arguments do not fit")]
    Arguments(#[source] PayloadError),
    /// What it returned cannot be sent: the caller got an error instead.
    #[error("the answer cannot be sent")]
    Answer(#[source] CommandError),
}

/// What is called when a handler fails.
pub(crate) type HandlerErrorHook = Arc<dyn Fn(&Uri, &HandlerFailure) -> Option<WampError> + Send + Sync>;

/// Why a handler failed.
///
/// Made by `?` or `into()` from any error. A [`WampError`] is sent to the caller as it is. Anything else becomes
/// `wamp.error.runtime_error`, without the error's text, which may say more than a caller should know.
///
/// ```
/// use wamp_session::WampError;
/// use wamp_session::client::HandlerError;
///
/// async fn sell(count: u32) -> Result<f64, HandlerError> {
///     let stock: u32 = std::fs::read_to_string("/var/shop/stock")?.trim().parse()?;
///     if count > stock {
///         return Err(WampError::new("com.example.error.no_stock")?.payload(stock)?.into());
///     }
///     Ok(f64::from(count) * 2.5)
/// }
/// ```
pub struct HandlerError(Repr);

enum Repr {
    Wamp(WampError),
    Other(Arc<dyn Error + Send + Sync>),
}

impl<T: FromPayload> FromInvocation for T {
    fn from_invocation(invocation: &Invocation) -> Result<Self, PayloadError> {
        T::from_payload(invocation.payload())
    }
}

impl<A: FromPayload> FromInvocation for WithDetails<A> {
    fn from_invocation(invocation: &Invocation) -> Result<Self, PayloadError> {
        Ok(Self {
            args: A::from_payload(invocation.payload())?,
            procedure: invocation.procedure().clone(),
            details: invocation.details().clone(),
        })
    }
}

impl<A: FromPayload> FromInvocation for WithInvocation<A> {
    fn from_invocation(invocation: &Invocation) -> Result<Self, PayloadError> {
        Ok(Self { args: A::from_payload(invocation.payload())?, invocation: invocation.ongoing().clone() })
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let mut error = Some(error);
        let any: &mut dyn Any = &mut error;
        match any.downcast_mut::<Option<WampError>>().and_then(Option::take) {
            Some(error) => Self(Repr::Wamp(error)),
            None => Self(match error {
                Some(error) => Repr::Other(Arc::new(error)),
                None => Repr::Wamp(WampError::from_uri(uri(RUNTIME_ERROR))),
            }),
        }
    }
}

impl HandlerError {
    /// The error that the caller gets.
    #[must_use]
    pub fn into_wamp(self) -> WampError {
        match self.0 {
            Repr::Wamp(error) => error,
            Repr::Other(_) => WampError::from_uri(uri(RUNTIME_ERROR)),
        }
    }

    /// The error behind, if the caller does not get it as it is.
    #[must_use]
    pub fn hidden(&self) -> Option<&Arc<dyn Error + Send + Sync>> {
        match &self.0 {
            Repr::Wamp(_) => None,
            Repr::Other(error) => Some(error),
        }
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Wamp(error) => f.debug_tuple("HandlerError").field(error).finish(),
            Repr::Other(error) => f.debug_tuple("HandlerError").field(error).finish(),
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Payload, Failed>> + Send>>;

/// Why there is no result.
enum Failed {
    /// The caller gets this.
    Wamp(WampError),
    Otherwise(HandlerFailure),
}

impl From<HandlerError> for Failed {
    fn from(error: HandlerError) -> Self {
        match error.0 {
            Repr::Wamp(error) => Self::Wamp(error),
            Repr::Other(error) => Self::Otherwise(HandlerFailure::Error(error)),
        }
    }
}

impl Failed {
    /// Whether it says no more than that a part could not be sent because the call was cancelled.
    fn is_of_cancel(&self) -> bool {
        let Self::Otherwise(HandlerFailure::Error(error)) = self else { return false };
        matches!(error.downcast_ref(), Some(CommandError::Interrupted | CommandError::UnknownKey))
    }
}

/// A handler of any type.
pub(crate) struct Serve(Contained<Handler>);

type Handler = Box<dyn FnMut(&Invocation) -> Answer + Send>;

impl Serve {
    pub(crate) fn new<A, F, Fut, R>(mut handler: F) -> Self
    where
        A: FromInvocation,
        F: FnMut(A) -> Fut + Send + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
        R: IntoPayload,
    {
        Self(Contained::new(Box::new(move |invocation: &Invocation| -> Answer {
            let args = match A::from_invocation(invocation) {
                Ok(args) => args,
                Err(error) => return refuse(HandlerFailure::Arguments(error)),
            };
            let shared = Arc::clone(&invocation.ongoing().shared);
            let answer = handler(args);
            Box::pin(async move {
                let result = answer.await?;
                let payload = result.into_payload(shared.format());
                payload.map_err(|error| Failed::Otherwise(HandlerFailure::Answer(error.into())))
            })
        })))
    }

    /// Calls the handler for each invocation in turn, and lets its futures run beside each other, as many as may.
    pub(crate) fn run(mut self, invocations: Invocations, parallel: usize) -> Task {
        Box::pin(async move {
            let running = Arc::new(Running { limit: parallel, state: Mutex::default() });
            loop {
                // First the place: what has none waits in the inbox, whose bounds hold.
                let place = poll_fn(|cx| running.poll_place(cx)).await;
                let Some(mut invocation) = poll_fn(|cx| invocations.poll_next(cx)).await else { return };
                let Some(call) = self.0.run(|handler| handler(&invocation)) else { return };
                let answer = Contained::new(call.unwrap_or_else(|panicked| refuse(panicked.into())));
                invocation.release();
                invocations.shared.spawn(Box::pin(Serving { invocation, answer, _place: place }));
            }
        })
    }
}

/// How many handlers of one registration run beside each other, unless its options say otherwise.
pub(crate) const PARALLEL: usize = 1_024;

/// The handlers of one registration that run, and the task that wants to start another one.
struct Running {
    limit: usize,
    state: Mutex<(usize, Option<Waker>)>,
}

/// The place of one handler; dropping it makes room for another.
struct Place(Arc<Running>);

impl Running {
    fn poll_place(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Place> {
        // Dropped after the lock, as it is somebody else's code.
        let mut waker = Some(cx.waker().clone());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, waiting) = &mut *state;
        if *count < self.limit {
            *count += 1;
            return Poll::Ready(Place(Arc::clone(self)));
        }
        mem::swap(waiting, &mut waker);
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.0 -= 1;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn refuse(failure: HandlerFailure) -> Answer {
    Box::pin(core::future::ready(Err(Failed::Otherwise(failure))))
}

impl From<Panicked> for HandlerFailure {
    fn from(Panicked(message): Panicked) -> Self {
        Self::Panic(message)
    }
}

/// What the caller gets: what whoever was told of the failure says, else as little as possible.
fn error_of(invocation: &Invocation, failed: Failed) -> WampError {
    let failure = match failed {
        Failed::Wamp(error) => return error,
        Failed::Otherwise(failure) => failure,
    };
    tell(invocation, &failure).unwrap_or_else(|| match &failure {
        HandlerFailure::Arguments(error) => invalid_argument(error),
        HandlerFailure::Answer(_) => WampError::from_uri(uri(INVALID_PAYLOAD)),
        HandlerFailure::Error(_) | HandlerFailure::Panic(_) => WampError::from_uri(uri(RUNTIME_ERROR)),
    })
}

/// Tells of a failure, whoever wants to know; a panic there must not leave the caller without an answer.
fn tell(invocation: &Invocation, failure: &HandlerFailure) -> Option<WampError> {
    trace::handler_failed(&invocation.ongoing().shared, failure);
    let hook = invocation.ongoing().shared.on_handler_error()?;
    contained(|| hook(invocation.procedure(), failure)).ok().flatten()
}

fn invalid_argument(error: &PayloadError) -> WampError {
    let plain = WampError::from_uri(uri(INVALID_ARGUMENT));
    // A text can be encoded in every format; should it not, the URI says enough.
    plain.clone().payload(error.to_string()).unwrap_or(plain)
}

/// A handler at work.
struct Serving {
    invocation: Invocation,
    answer: Contained<Answer>,
    _place: Place,
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(polled) = self.answer.run(|answer| answer.as_mut().poll(cx)) else { return Poll::Ready(()) };
        let failed = match polled {
            Ok(Poll::Ready(Ok(payload))) => {
                self.finish();
                match self.invocation.respond(Response::Result(payload)) {
                    // It has ended meanwhile, and nobody waits for the result.
                    Ok(()) | Err(CommandError::UnknownKey | CommandError::Closed) => {}
                    Err(error) => drop(tell(&self.invocation, &HandlerFailure::Answer(error))),
                }
                return Poll::Ready(());
            }
            Ok(Poll::Ready(Err(failed))) if !(failed.is_of_cancel() && self.invocation.is_cancelled()) => failed,
            Ok(Poll::Pending) if self.invocation.poll_cancelled(cx).is_pending() => return Poll::Pending,
            Ok(Poll::Pending | Poll::Ready(Err(_))) => {
                self.finish();
                self.invocation.respond_cancelled();
                return Poll::Ready(());
            }
            Err(panicked) => Failed::Otherwise(panicked.into()),
        };
        self.finish();
        let error = error_of(&self.invocation, failed);
        // Too late if the invocation has ended meanwhile.
        let _ = self.invocation.respond(Response::Error(error));
        Poll::Ready(())
    }
}

impl Serving {
    /// Drops the handler's future; that it panics then changes nothing of its answer.
    fn finish(&mut self) {
        let _ = self.answer.discard();
    }
}
