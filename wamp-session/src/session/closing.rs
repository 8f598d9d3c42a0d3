//! From any state to CLOSED: GOODBYE, ABORT, protocol violations and lost transports (WAMP Basic Profile, "Session
//! Closing" and "Protocol Errors").

#![warn(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use wamp_proto::{
    Abort, AbortDetails, DecodeErrorKind, Format, Goodbye, GoodbyeDetails, Message, Payload, Uri, UriRule,
};

use super::Session;
use super::deadlines::Deadline;
use super::outbound::{close_reason, frame};
use super::rejoining::Next;
use super::state::{Closing, State};
use crate::{
    Action, CloseCause, CloseReason, ProtocolViolation, RequestError, SessionEvent, TransportError, TransportId,
};

impl Session {
    pub(super) fn begin_close(&mut self, reason: &CloseReason) {
        match &mut self.state {
            State::Closed => {}
            State::Waiting(_, deadline) => {
                self.deadlines.cancel(*deadline);
                self.dispose(|_| RequestError::Closed);
                self.enter(State::Closed);
                self.events.push(SessionEvent::Closed(Arc::new(CloseCause::Application)));
            }
            State::Undecided => {
                self.withdraw_question();
                self.dispose(|_| RequestError::Closed);
                self.state = State::Closed;
                self.events.push(SessionEvent::Closed(Arc::new(CloseCause::Application)));
            }
            State::Closing(closing) => {
                closing.again = false;
                let retry = closing.retry.take();
                if core::mem::take(&mut closing.undecided) || retry.is_some() {
                    let cause = core::mem::replace(&mut closing.cause, CloseCause::Application);
                    self.discards.push((cause, retry));
                    self.withdraw_question();
                    self.dispose(|_| RequestError::Closed);
                }
            }
            State::Opening { .. } => {
                self.close_transport(1000, "");
                self.end(CloseCause::Application, None);
            }
            State::Joining(_) => {
                self.abort(reason_uri(reason), "");
                self.close_transport(1000, "");
                self.end(CloseCause::Application, None);
            }
            State::Joined(established) => {
                let format = established.format;
                self.goodbye(reason_uri(reason));
                self.end(CloseCause::Application, Some(format));
            }
        }
    }

    /// The router says GOODBYE.
    pub(super) fn told_goodbye(&mut self, goodbye: Goodbye) {
        self.goodbye("wamp.close.goodbye_and_out");
        self.close_transport(1000, "");
        self.end(CloseCause::Goodbye(Arc::new(goodbye)), None);
    }

    /// The router says ABORT, which is never answered.
    pub(super) fn aborted(&mut self, abort: Abort) {
        self.close_transport(1000, "");
        self.end(CloseCause::Abort(Arc::new(abort)), None);
    }

    /// What the router says after the client's GOODBYE: only that it agrees, or that it is gone, matters.
    pub(super) fn while_closing(&mut self, message: &Message) {
        let State::Closing(closing) = &mut self.state else { return };
        if matches!(message, Message::Goodbye(_) | Message::Abort(_)) {
            closing.goodbye = None;
            self.close_transport(1000, "");
        }
    }

    /// The router broke the protocol: tells it, and hears nothing more of it.
    ///
    /// The WebSocket is closed with 1000, since it is the session that failed and ABORT says why; only a message that is too large is
    /// a matter of the WebSocket, 1009.
    pub(super) fn violate(&mut self, violation: ProtocolViolation) {
        let (text, code) = match &violation {
            ProtocolViolation::Decode(error) => {
                let too_large = matches!(error.kind(), DecodeErrorKind::TooLarge { .. });
                (error.to_string(), if too_large { 1009 } else { 1000 })
            }
            ProtocolViolation::WrongFrame(_)
            | ProtocolViolation::Unexpected { .. }
            | ProtocolViolation::Invalid { .. } => (violation.to_string(), 1000),
        };
        self.abort("wamp.error.protocol_violation", &text);
        self.close_transport(code, "wamp.error.protocol_violation");
        self.end(CloseCause::ProtocolViolation(violation), None);
    }

    /// An ABORT came that cannot be decoded: it ends the session all the same, and is not answered.
    pub(super) fn aborted_illegibly(&mut self, violation: ProtocolViolation) {
        self.close_transport(1000, "");
        self.end(CloseCause::ProtocolViolation(violation), None);
    }

    pub(super) fn lost(&mut self, transport: TransportId, why: TransportError) {
        let lost = self.outbound.forget(transport);
        if self.state.transport() != Some(transport) {
            // One that was given up: it need not be closed any more.
            return;
        }
        self.count_lost(lost);
        match &self.state {
            State::Closing(_) => {}
            State::Closed
            | State::Opening { .. }
            | State::Joining(_)
            | State::Waiting(..)
            | State::Joined(_)
            | State::Undecided => {
                self.end(CloseCause::Transport(why), None);
            }
        }
        self.finish();
    }

    pub(super) fn join_timed_out(&mut self) {
        match &self.state {
            State::Opening { .. } => {}
            State::Joining(_) => self.abort("wamp.error.timeout", "the session was not joined in time"),
            State::Closed | State::Waiting(..) | State::Joined(_) | State::Closing(_) | State::Undecided => return,
        }
        self.close_transport(1000, "");
        self.end(CloseCause::JoinTimeout, None);
    }

    pub(super) fn close_timed_out(&mut self) {
        let State::Closing(closing) = &self.state else { return };
        let transport = closing.transport;
        if closing.goodbye.is_some() {
            self.close_transport(1000, "");
        }
        let lost = self.outbound.abandon(transport);
        self.count_lost(lost);
        self.finish();
    }

    /// Queues the end of the transport.
    pub(super) fn close_transport(&mut self, code: u16, reason: &str) {
        if let Some(id) = self.state.transport() {
            self.outbound.push(Action::CloseTransport { id, code, reason: close_reason(reason) });
        }
    }

    /// Queues an ABORT of three elements, which is what every router can read.
    pub(super) fn abort(&mut self, reason: &str, text: &str) {
        let mut details = AbortDetails::default();
        details.message = (!text.is_empty()).then(|| text.into());
        if let Ok(reason) = Uri::new(reason) {
            self.send_last(Abort { details, reason, payload: Payload::new() }.into());
        }
    }

    fn goodbye(&mut self, reason: &str) {
        if let Ok(reason) = Uri::new(reason) {
            self.send_last(Goodbye { details: GoodbyeDetails::default(), reason }.into());
        }
    }

    fn send_last(&mut self, message: Message) {
        let (transport, format) = match &self.state {
            State::Joining(joining) => (joining.transport, joining.format),
            State::Joined(established) => (established.transport, established.format),
            State::Closed | State::Opening { .. } | State::Waiting(..) | State::Closing(_) | State::Undecided => return,
        };
        if let Ok(frame) = frame(message, format, usize::MAX) {
            self.outbound.send(transport, frame);
        }
    }

    /// Ends everything but the transport.
    ///
    /// If another attempt follows, what is in flight ends as disconnected and what is wanted is kept. Else everything is disposed of at
    /// once, so that nothing that comes later has an effect; it ends as closed if that is the application's wish, else as disconnected.
    pub(super) fn end(&mut self, cause: CloseCause, goodbye: Option<Format>) {
        let (transport, session) = match &self.state {
            State::Opening { transport, deadline } => {
                self.deadlines.cancel(*deadline);
                (*transport, None)
            }
            State::Joining(joining) => {
                self.deadlines.cancel(joining.deadline);
                (joining.transport, None)
            }
            State::Joined(established) => (established.transport, Some(established.joined.session)),
            State::Closed | State::Waiting(..) | State::Closing(_) | State::Undecided => return,
        };
        self.end_life();
        let deadline = self.deadlines.set(self.now.checked_add(self.config.close_timeout), Deadline::Close);
        let next = self.next_attempt(&cause);
        let (mut retry, mut undecided) = (None, false);
        match next {
            Next::End => self.dispose(disposal(&cause)),
            Next::Retry(number, delay) => {
                self.suspend();
                retry = Some(self.left(cause.clone(), session, number, delay));
            }
            Next::Ask(number, default) => {
                self.suspend();
                self.ask(cause.clone(), session, number, default);
                undecided = true;
            }
        }
        self.state = State::Closing(Closing { transport, cause, goodbye, deadline, retry, undecided, again: false });
    }

    /// Ends every request and forgets what was subscribed to, registered and invoked.
    pub(super) fn dispose(&mut self, error: fn(bool) -> RequestError) {
        self.stop_restoring();
        self.end_calls(error);
        self.end_publications(error);
        self.end_subscriptions(error);
        self.end_registrations(error);
        self.end_invocations();
        self.end_withdrawals(error);
        self.waiting.clear(&mut self.discards);
    }

    /// The transport is gone: closed, or waiting for the next attempt.
    pub(super) fn finish(&mut self) {
        let State::Closing(closing) = core::mem::replace(&mut self.state, State::Closed) else { return };
        self.deadlines.cancel(closing.deadline);
        if closing.undecided {
            self.state = State::Undecided;
            return;
        }
        match closing.retry {
            Some(pause) => self.pause(pause),
            None => {
                self.events.push(SessionEvent::Closed(Arc::new(closing.cause)));
                if closing.again {
                    self.start();
                }
            }
        }
    }
}

/// How requests end when the session is closed for a cause.
fn disposal(cause: &CloseCause) -> fn(bool) -> RequestError {
    match cause {
        CloseCause::Application => |_| RequestError::Closed,
        CloseCause::Goodbye(_)
        | CloseCause::Abort(_)
        | CloseCause::Transport(_)
        | CloseCause::ProtocolViolation(_)
        | CloseCause::JoinTimeout
        | CloseCause::Authentication(_)
        | CloseCause::Config(_) => |sent| RequestError::Disconnected { sent },
    }
}

/// The reason of a GOODBYE or ABORT; what is no URI counts as the default.
fn reason_uri(reason: &CloseReason) -> &str {
    match reason {
        CloseReason::SystemShutdown => "wamp.close.system_shutdown",
        CloseReason::Other(uri) if uri.check(UriRule::Loose, wamp_proto::MatchPolicy::Exact).is_ok() => uri,
        CloseReason::CloseRealm | CloseReason::Other(_) => "wamp.close.close_realm",
    }
}
