//! What is told of frames: their types and sizes, and never what is in them.

use std::collections::VecDeque;
use std::sync::Arc;

use tracing::{Level, debug, enabled, trace};
use wamp_proto::{Format, Message, MessageType, PayloadCheck, RequestId, decode};

use super::{CLIENT, WIRE, within};
use crate::client::shared::Shared;
use crate::{Action, Frame, TransportId};

/// Actions that were taken from the session: those after so many that had been taken before.
pub(in crate::client) fn taken(shared: &Arc<Shared>, actions: &VecDeque<Action>, before: usize) {
    if actions.len() <= before {
        return;
    }
    within(shared, || {
        for action in actions.range(before..) {
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

pub(in crate::client) fn received(shared: &Arc<Shared>, id: TransportId, frames: &[Frame]) {
    within(shared, || frames.iter().for_each(|frame| wire(shared, id, "received", frame)));
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
