//! What clients tell `tracing`. A subscriber is somebody else's code: none of this runs under the lock.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use tracing::{Level, debug, enabled, info, trace, warn};
use wamp_proto::{Format, Message, MessageType, PayloadCheck, RequestId, decode};

use super::shared::Shared;
use crate::{Action, CloseCause, Frame, Joined, Left, SessionEvent, TransportError, TransportId};

/// The target of frames.
const WIRE: &str = "wamp_session::wire";

/// The target of everything else.
const CLIENT: &str = "wamp_session::client";

/// An event to tell of, once the lock has been released.
pub(crate) enum Told {
    Joined(Arc<Joined>),
    Left(Arc<Left>),
    Restored { failed: usize },
    Challenged(TransportId, Arc<str>),
    Closed(Arc<CloseCause>),
}

impl Told {
    /// What is told of an event of the session.
    pub(crate) fn of(event: &SessionEvent) -> Option<Self> {
        match event {
            SessionEvent::Joined(joined) => Some(Self::Joined(Arc::clone(joined))),
            SessionEvent::Left(left) => Some(Self::Left(Arc::clone(left))),
            SessionEvent::Restored { failed } => Some(Self::Restored { failed: failed.len() }),
            SessionEvent::Challenge { transport, challenge } => {
                Some(Self::Challenged(*transport, Arc::clone(&challenge.method)))
            }
            SessionEvent::Closed(cause) => Some(Self::Closed(Arc::clone(cause))),
            _ => None,
        }
    }

    pub(crate) fn tell(self) {
        guarded(|| match self {
            Self::Joined(joined) => {
                let Joined { session, format, .. } = &*joined;
                info!(target: CLIENT, session = session.get(), %format, "joined");
            }
            Self::Left(left) => {
                warn_of(&left.cause);
                let Left { cause, session, attempt, retry_in, lost_publishes } = &*left;
                let (session, retry_in_ms) = (session.map(|session| session.get()), millis(*retry_in));
                info!(target: CLIENT, session, %cause, attempt, retry_in_ms, lost_publishes, "left");
            }
            Self::Restored { failed } => debug!(target: CLIENT, failed, "restored"),
            Self::Challenged(transport, method) => {
                debug!(target: CLIENT, transport = transport.0, method = &*method, "challenged");
            }
            Self::Closed(cause) => {
                warn_of(&cause);
                info!(target: CLIENT, %cause, "closed");
            }
        });
    }
}

/// Actions that were taken from the session.
pub(crate) fn taken<'a>(shared: &Arc<Shared>, actions: impl Iterator<Item = &'a Action>) {
    guarded(|| {
        for action in actions {
            match action {
                Action::OpenTransport { id, .. } => debug!(target: CLIENT, transport = id.0, "opening a transport"),
                Action::Send { id, frame } => wire(shared, *id, "sent", frame),
                Action::Ping { id } => trace!(target: WIRE, transport = id.0, direction = "sent", "ping"),
                Action::CloseTransport { id, code, .. } => {
                    debug!(target: CLIENT, transport = id.0, code, "closing a transport");
                }
            }
        }
    });
}

pub(crate) fn opened(id: TransportId, subprotocol: Option<&str>) {
    guarded(|| debug!(target: CLIENT, transport = id.0, subprotocol, "a transport is open"));
}

pub(crate) fn received(shared: &Arc<Shared>, id: TransportId, frames: &[Frame]) {
    guarded(|| frames.iter().for_each(|frame| wire(shared, id, "received", frame)));
}

pub(crate) fn closed(id: TransportId, why: &TransportError) {
    guarded(|| debug!(target: CLIENT, transport = id.0, kind = ?why.kind(), "a transport has ended"));
}

/// A frame: of what type it is, and never what is in it.
fn wire(shared: &Arc<Shared>, id: TransportId, direction: &'static str, frame: &Frame) {
    if enabled!(target: WIRE, Level::TRACE) {
        let format = shared.format();
        let (message_type, request) = describe(shared, frame, format);
        let (message_type, request) = (message_type.map(MessageType::name), request.map(RequestId::get));
        let (transport, bytes) = (id.0, frame.bytes().len());
        trace!(target: WIRE, transport, direction, message_type, request, bytes, %format, "frame");
    }
}

fn describe(shared: &Shared, frame: &Frame, format: Format) -> (Option<MessageType>, Option<RequestId>) {
    match decode(frame.bytes().clone(), format, &shared.passthru.1, PayloadCheck::OnDecode) {
        Ok(message) => (Some(message.message_type()), request_of(&message)),
        Err(error) => (error.message_type(), error.request()),
    }
}

/// The request that a message makes or answers.
fn request_of(message: &Message) -> Option<RequestId> {
    Some(match message {
        Message::Error(message) => message.request,
        Message::Publish(message) => message.request,
        Message::Published(message) => message.request,
        Message::Subscribe(message) => message.request,
        Message::Subscribed(message) => message.request,
        Message::Unsubscribe(message) => message.request,
        Message::Unsubscribed(message) => return message.request,
        Message::Call(message) => message.request,
        Message::Cancel(message) => message.request,
        Message::Result(message) => message.request,
        Message::Register(message) => message.request,
        Message::Registered(message) => message.request,
        Message::Unregister(message) => message.request,
        Message::Unregistered(message) => return message.request,
        Message::Invocation(message) => message.request,
        Message::Interrupt(message) => message.request,
        Message::Yield(message) => message.request,
        _ => return None,
    })
}

/// Warns if a session is over because the router broke the protocol.
fn warn_of(cause: &CloseCause) {
    if let CloseCause::ProtocolViolation(violation) = cause {
        warn!(target: CLIENT, %violation, "the router broke the protocol");
    }
}

fn millis(duration: core::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Runs what calls the subscriber, whose panic is none of the client's.
fn guarded(tell: impl FnOnce()) {
    // The panic hook has told of it.
    let _ = catch_unwind(AssertUnwindSafe(tell));
}
