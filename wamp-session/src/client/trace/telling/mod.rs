//! What clients tell `tracing`. A subscriber is somebody else's code: none of this runs under the lock.

mod told;
mod wire;

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Span, debug, info_span};

pub(in crate::client) use self::told::{Seen, Told};
pub(in crate::client) use self::wire::{received, taken};
use crate::auth::Answer;
use crate::client::handler::HandlerFailure;
use crate::client::shared::Shared;
use crate::{AuthError, Joined, TransportError, TransportId};

/// The target of frames.
const WIRE: &str = "wamp_session::wire";

/// The target of everything else.
const CLIENT: &str = "wamp_session::client";

/// The spans of a client: one for as long as it lives, and in it one for each session.
pub(crate) struct Spans {
    client: Arc<Span>,
    /// The span of the session that is joined, else that of the client. Spans are cloned and dropped outside: that is the subscriber's code.
    current: Mutex<Arc<Span>>,
}

impl Spans {
    /// Makes the span of a client, in the span in which it is made.
    pub(crate) fn new(realm: &str) -> Self {
        let client = Arc::new(made(|| info_span!(target: CLIENT, "client", realm)));
        Self { current: Mutex::new(Arc::clone(&client)), client }
    }

    fn current(&self) -> Arc<Span> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn enter(&self, span: Arc<Span>) {
        let before = core::mem::replace(&mut *self.current.lock().unwrap_or_else(PoisonError::into_inner), span);
        guarded(|| drop(before));
    }

    fn session_begins(&self, joined: &Joined) {
        let (client, session) = (&*self.client, joined.session.get());
        let span = made(|| info_span!(target: CLIENT, parent: client, "session", session));
        self.enter(Arc::new(span));
    }

    fn session_ends(&self) {
        self.enter(Arc::clone(&self.client));
    }
}

pub(in crate::client) fn opened(shared: &Shared, id: TransportId, subprotocol: Option<&str>) {
    within(shared, || debug!(target: CLIENT, transport = id.0, subprotocol, "a transport is open"));
}

pub(in crate::client) fn closed(shared: &Shared, id: TransportId, why: &TransportError) {
    within(
        shared,
        || debug!(target: CLIENT, transport = id.0, why = told::transport_error(why.kind()), "a transport has ended"),
    );
}

/// Frames that were taken from the session, and that the transport did not take.
pub(in crate::client) fn unsent(shared: &Shared, id: TransportId, frames: usize) {
    within(shared, || debug!(target: CLIENT, transport = id.0, frames, "frames were not written"));
}

/// What HELLO says of authentication could not be found out.
pub(in crate::client) fn not_offered(shared: &Shared, id: TransportId, error: &AuthError) {
    within(shared, || debug!(target: CLIENT, transport = id.0, %error, "no authentication could be offered"));
}

/// An authenticator has answered a challenge, or could not.
pub(in crate::client) fn answered(shared: &Shared, id: TransportId, method: &str, answer: &Result<Answer, AuthError>) {
    within(shared, || match answer {
        Ok(_) => debug!(target: CLIENT, transport = id.0, method, "the challenge is answered"),
        Err(error) => debug!(target: CLIENT, transport = id.0, method, %error, "the challenge is not answered"),
    });
}

/// A handler of invocations has failed in a way that its caller does not see.
pub(in crate::client) fn handler_failed(shared: &Shared, failure: &HandlerFailure) {
    let why = match failure {
        HandlerFailure::Arguments(_) => "arguments",
        HandlerFailure::Answer(_) => "answer",
        HandlerFailure::Error(_) => "error",
        HandlerFailure::Panic(_) => "panic",
    };
    within(shared, || debug!(target: CLIENT, why, "a handler of invocations has failed"));
}

/// So many events were not handled well, or none.
pub(in crate::client) fn listener_failed(shared: &Shared, events: u64) {
    if events > 0 {
        within(shared, || debug!(target: CLIENT, events, "a handler of events has failed"));
    }
}

/// Runs what calls the subscriber, in the span of the session.
fn within(shared: &Shared, tell: impl FnOnce()) {
    let span = shared.spans.current();
    guarded(|| span.in_scope(tell));
    guarded(|| drop(span));
}

/// Runs what calls the subscriber, whose panic is none of the client's.
fn guarded(tell: impl FnOnce()) {
    // The panic hook has told of it.
    let _ = catch_unwind(AssertUnwindSafe(tell));
}

fn made(make: impl FnOnce() -> Span) -> Span {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| Span::none())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
