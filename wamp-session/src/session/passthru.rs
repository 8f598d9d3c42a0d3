//! Messages in payload passthru mode that may not be, or that this client does not take (WAMP Advanced Profile, "Payload Passthru
//! Mode").

use wamp_proto::{DecodeError, Message, MessageType, RequestId, Role};

use super::Session;
use super::requests::Request;
use super::state::{Established, State};
use crate::passthru::PassthruError;
use crate::{Feature, ProtocolViolation, RequestError};

impl Session {
    /// Deals with a message in payload passthru mode that is not for the application, and says whether it was one.
    pub(super) fn bars_passthru(&mut self, message: &Message) -> bool {
        let Some((role, router)) = passthru_roles(message) else { return false };
        let State::Joined(Established { joined, .. }) = &self.state else { return false };
        if joined.check_router_passthru(router).is_err() {
            let reason = "payload passthru mode, which the router did not announce";
            self.violate(ProtocolViolation::Invalid { message: message.message_type(), reason });
            return true;
        }
        if self.config.announces(role, Feature::PayloadPassthruMode) {
            return false;
        }
        match message {
            Message::Event(_) => self.stats.undecodable_events += 1,
            Message::Invocation(message) => self.refuse_unread(message.request, "wamp.error.feature_not_supported"),
            Message::Result(message) => self.fail_sealed_result(message.request, PassthruError::Disabled),
            // What went wrong matters, also if its arguments stay sealed.
            _ => return false,
        }
        true
    }

    /// Does without a message whose payload is in the mode that payload passthru mode has replaced, and says whether that is possible.
    pub(super) fn tolerate_legacy_passthru(&mut self, error: &DecodeError) -> bool {
        let configured = |role| self.config.roles.contains(&role);
        match (error.message_type(), error.request()) {
            (Some(MessageType::Event), _) if configured(Role::Subscriber) => self.stats.undecodable_events += 1,
            (Some(MessageType::Invocation), Some(request)) if configured(Role::Callee) => {
                self.refuse_unread(request, "wamp.error.invalid_argument");
            }
            (Some(MessageType::Result), Some(request)) if configured(Role::Caller) => {
                self.fail_sealed_result(request, PassthruError::Legacy);
            }
            _ => return false,
        }
        true
    }

    fn fail_sealed_result(&mut self, request: RequestId, error: PassthruError) {
        match self.requests.answered(request, MessageType::Call) {
            Some(Request::Call(key)) => self.call_done(key, Err(RequestError::Passthru(error))),
            _ => self.stats.unknown_answers += 1,
        }
    }
}

/// The roles between which a message in payload passthru mode goes: the client's and the router's.
fn passthru_roles(message: &Message) -> Option<(Role, Role)> {
    let (sealed, roles) = match message {
        Message::Event(message) => (is_scheme(message.details.ppt_scheme.as_deref()), (Role::Subscriber, Role::Broker)),
        Message::Invocation(message) => {
            (is_scheme(message.details.ppt_scheme.as_deref()), (Role::Callee, Role::Dealer))
        }
        Message::Result(message) => (is_scheme(message.details.ppt_scheme.as_deref()), (Role::Caller, Role::Dealer)),
        Message::Error(message) => {
            let roles = match message.request_type {
                MessageType::Publish => (Role::Publisher, Role::Broker),
                _ => (Role::Caller, Role::Dealer),
            };
            (is_scheme(message.details.ppt_scheme.as_deref()), roles)
        }
        _ => return None,
    };
    sealed.then_some(roles)
}

fn is_scheme(scheme: Option<&str>) -> bool {
    scheme.is_some_and(|scheme| !scheme.is_empty())
}
