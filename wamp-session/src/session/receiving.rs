//! What the router may say and when (WAMP Basic Profile, "Protocol Errors" and "Message Codes and Direction").

#![warn(clippy::wildcard_enum_match_arm)]

use wamp_proto::{DecodeError, DecodeErrorKind, Error, Format, Message, MessageType, Role, Uri, decode};

use super::Session;
use super::requests::Request;
use super::state::State;
use crate::{Frame, ProtocolViolation, RequestError, TransportId, WampError};

impl Session {
    pub(super) fn receive(&mut self, transport: TransportId, frame: Frame) {
        let format = match &self.state {
            State::Joining(joining) if joining.transport == transport => joining.format,
            State::Joined(established) if established.transport == transport => established.format,
            State::Closing(closing) if closing.transport == transport => match closing.goodbye {
                Some(format) => format,
                None => return,
            },
            State::Closed
            | State::Opening { .. }
            | State::Joining(_)
            | State::Waiting(..)
            | State::Joined(_)
            | State::Undecided
            | State::Closing(_) => return,
        };
        match self.decode(frame, format) {
            Ok(message) => match &self.state {
                State::Joining(_) => self.while_joining(message),
                State::Joined(_) => self.while_joined(message),
                State::Closing(_) => self.while_closing(&message),
                State::Closed | State::Opening { .. } | State::Waiting(..) | State::Undecided => {}
            },
            Err(violation) => match &self.state {
                State::Joining(_) | State::Joined(_) => self.illegible(violation),
                State::Closed | State::Opening { .. } | State::Waiting(..) | State::Closing(_) | State::Undecided => {}
            },
        }
    }

    fn decode(&self, frame: Frame, format: Format) -> Result<Message, ProtocolViolation> {
        let bytes = match frame {
            Frame::Text(bytes) if !format.is_binary() => bytes,
            Frame::Binary(bytes) if format.is_binary() => bytes,
            Frame::Text(_) | Frame::Binary(_) => return Err(ProtocolViolation::WrongFrame(format)),
        };
        decode(bytes, format, &self.config.limits.message, self.config.payload_check).map_err(ProtocolViolation::Decode)
    }

    /// A frame is no message. That ends the session, but for a URI that another client may have had a hand in.
    fn illegible(&mut self, violation: ProtocolViolation) {
        let message = match &violation {
            ProtocolViolation::Decode(error) => error.message_type(),
            ProtocolViolation::WrongFrame(_)
            | ProtocolViolation::Unexpected { .. }
            | ProtocolViolation::Invalid { .. } => None,
        };
        if message == Some(MessageType::Abort) {
            self.aborted_illegibly(violation);
            return;
        }
        if matches!(self.state, State::Joined(_))
            && let ProtocolViolation::Decode(error) = &violation
            && self.tolerate(error)
        {
            return;
        }
        self.violate(violation);
    }

    /// Does without a message that another client may have made illegible, and says whether that is possible.
    fn tolerate(&mut self, error: &DecodeError) -> bool {
        if let DecodeErrorKind::InvalidUri(_) = error.kind() {
            self.tolerate_uri(error)
        } else if let DecodeErrorKind::LegacyPassthru = error.kind() {
            self.tolerate_legacy_passthru(error)
        } else {
            false
        }
    }

    /// Does without a message that is well but for a URI, and says whether that is possible.
    fn tolerate_uri(&mut self, error: &DecodeError) -> bool {
        let (message, request) = (error.message_type(), error.request());
        let configured = |role| self.config.roles.contains(&role);
        match (message, request) {
            (Some(MessageType::Invocation), Some(request)) if configured(Role::Callee) => {
                self.refuse_unread(request, "wamp.error.invalid_uri");
                true
            }
            (Some(MessageType::Event), _) if configured(Role::Subscriber) => {
                self.stats.dropped_events += 1;
                true
            }
            (Some(MessageType::Error), Some(request)) => {
                let answered = self.requests.message_type(request);
                match answered.and_then(|answered| self.requests.answered(request, answered)) {
                    Some(request) => {
                        if let Ok(uri) = Uri::new("wamp.error.invalid_uri") {
                            self.failed(request, WampError::from_uri(uri));
                        }
                    }
                    None => self.stats.unknown_answers += 1,
                }
                true
            }
            _ => false,
        }
    }

    fn while_joined(&mut self, message: Message) {
        let received = message.message_type();
        if let Some(role) = role_of(received)
            && !self.config.roles.contains(&role)
        {
            let reason = "the client did not announce the role that receives it";
            self.violate(ProtocolViolation::Invalid { message: received, reason });
            return;
        }
        if self.bars_passthru(&message) {
            return;
        }
        match message {
            Message::Event(message) => self.event(message),
            Message::Result(message) => self.result(message),
            Message::Invocation(message) => self.invocation(message),
            Message::Error(message) => self.error(message),
            Message::Published(message) => match self.requests.answered(message.request, MessageType::Publish) {
                Some(Request::Publish(key)) => self.published(key, message.publication),
                _ => self.stats.unknown_answers += 1,
            },
            Message::Subscribed(message) => self.subscribed(message),
            Message::Unsubscribed(message) => match message.request {
                Some(request) => self.withdrawn(request, MessageType::Unsubscribe),
                None => match message.details.and_then(|details| Some((details.subscription?, details.reason))) {
                    Some((id, reason)) => self.subscription_revoked(id, reason),
                    None => self.invalid(received, "a revocation names no subscription"),
                },
            },
            Message::Registered(message) => self.registered(message),
            Message::Unregistered(message) => match message.request {
                Some(request) => self.withdrawn(request, MessageType::Unregister),
                None => match message.details.and_then(|details| Some((details.registration?, details.reason))) {
                    Some((id, reason)) => self.registration_revoked(id, reason),
                    None => self.invalid(received, "a revocation names no registration"),
                },
            },
            Message::Interrupt(message) => self.interrupt(message),
            Message::Goodbye(message) => self.told_goodbye(message),
            Message::Abort(message) => self.aborted(message),
            Message::Hello(_) | Message::Welcome(_) | Message::Challenge(_) => {
                let state = "after the session was joined";
                self.violate(ProtocolViolation::Unexpected { message: received, state });
            }
            Message::Authenticate(_)
            | Message::Publish(_)
            | Message::Subscribe(_)
            | Message::Unsubscribe(_)
            | Message::Call(_)
            | Message::Cancel(_)
            | Message::Register(_)
            | Message::Unregister(_)
            | Message::Yield(_) => self.invalid(received, "only routers receive it"),
            _ => self.invalid(received, "it is not known"),
        }
    }

    fn invalid(&mut self, message: MessageType, reason: &'static str) {
        self.violate(ProtocolViolation::Invalid { message, reason });
    }

    fn error(&mut self, message: Error) {
        let Error { request_type, request, details, error: uri, payload } = message;
        match request_type {
            MessageType::Publish
            | MessageType::Subscribe
            | MessageType::Unsubscribe
            | MessageType::Call
            | MessageType::Register
            | MessageType::Unregister => match self.requests.answered(request, request_type) {
                Some(request) => self.failed(request, WampError { uri, details: Box::new(details), payload }),
                None => self.stats.unknown_answers += 1,
            },
            // Some routers answer a CANCEL or a YIELD.
            MessageType::Cancel | MessageType::Yield => self.stats.unknown_answers += 1,
            MessageType::Hello
            | MessageType::Welcome
            | MessageType::Abort
            | MessageType::Challenge
            | MessageType::Authenticate
            | MessageType::Goodbye
            | MessageType::Error
            | MessageType::Published
            | MessageType::Subscribed
            | MessageType::Unsubscribed
            | MessageType::Event
            | MessageType::Result
            | MessageType::Registered
            | MessageType::Unregistered
            | MessageType::Invocation
            | MessageType::Interrupt => {
                self.invalid(MessageType::Error, "a client makes no requests of that type");
            }
            _ => self.invalid(MessageType::Error, "the type of the request is not known"),
        }
    }

    /// A request was answered with an error.
    fn failed(&mut self, request: Request, error: WampError) {
        let error = RequestError::Wamp(error);
        match request {
            Request::Call(key) => self.call_done(key, Err(error)),
            Request::Publish(key) => self.publish_failed(key, error),
            Request::Subscribe(key) => self.not_subscribed(key, &error),
            Request::Register(key) => self.not_registered(key, error),
            Request::Unsubscribe(..) | Request::Unregister(..) => self.end_withdrawal(request, Err(error)),
        }
    }
}

/// The role without which a client never receives a message.
const fn role_of(message: MessageType) -> Option<Role> {
    match message {
        MessageType::Event | MessageType::Subscribed | MessageType::Unsubscribed => Some(Role::Subscriber),
        MessageType::Published => Some(Role::Publisher),
        MessageType::Result => Some(Role::Caller),
        MessageType::Registered | MessageType::Unregistered | MessageType::Invocation | MessageType::Interrupt => {
            Some(Role::Callee)
        }
        MessageType::Hello
        | MessageType::Welcome
        | MessageType::Abort
        | MessageType::Challenge
        | MessageType::Authenticate
        | MessageType::Goodbye
        | MessageType::Error
        | MessageType::Publish
        | MessageType::Subscribe
        | MessageType::Unsubscribe
        | MessageType::Call
        | MessageType::Cancel
        | MessageType::Register
        | MessageType::Unregister
        | MessageType::Yield => None,
        _ => None,
    }
}
