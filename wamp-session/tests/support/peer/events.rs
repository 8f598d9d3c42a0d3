//! What the session tells.

use std::sync::Arc;

use wamp_session::proto::PublicationId;
use wamp_session::{
    CallKey, CallOutcome, CloseCause, InvocationEvent, Joined, PublishKey, PublishedEvent, RegistrationKey,
    RequestError, SessionEvent, SubscriptionKey,
};

use super::Peer;

impl Peer {
    pub(crate) fn event(&mut self) -> SessionEvent {
        self.session.poll_event().expect("nothing happened")
    }

    #[track_caller]
    pub(crate) fn expect_no_event(&mut self) {
        let event = self.session.poll_event();
        assert!(event.is_none(), "{event:?}");
    }

    #[track_caller]
    pub(crate) fn expect_joined(&mut self) -> Arc<Joined> {
        match self.event() {
            SessionEvent::Joined(joined) => joined,
            event => panic!("{event:?}"),
        }
    }

    /// Checks that the session is closed, and that nothing follows.
    #[track_caller]
    pub(crate) fn expect_closed(&mut self) -> Arc<CloseCause> {
        match self.event() {
            SessionEvent::Closed(cause) => {
                self.expect_no_event();
                cause
            }
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_published(&mut self) -> PublishedEvent {
        match self.event() {
            SessionEvent::Published(event) => event,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_invocation(&mut self) -> InvocationEvent {
        match self.event() {
            SessionEvent::Invocation(event) => event,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_call_done(&mut self, call: CallKey) -> Result<CallOutcome, RequestError> {
        match self.event() {
            SessionEvent::CallDone { key, result } if key == call => result,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_publish_done(&mut self, publication: PublishKey) -> Result<PublicationId, RequestError> {
        match self.event() {
            SessionEvent::PublishDone { key, result } if key == publication => result,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_subscribed(&mut self, subscription: SubscriptionKey) -> Result<(), RequestError> {
        match self.event() {
            SessionEvent::Subscribed { key, result } if key == subscription => result,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_unsubscribed(&mut self, subscription: SubscriptionKey) -> Result<(), RequestError> {
        match self.event() {
            SessionEvent::Unsubscribed { key, result } if key == subscription => result,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_registered(&mut self, registration: RegistrationKey) -> Result<(), RequestError> {
        match self.event() {
            SessionEvent::Registered { key, result } if key == registration => result,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_unregistered(&mut self, registration: RegistrationKey) -> Result<(), RequestError> {
        match self.event() {
            SessionEvent::Unregistered { key, result } if key == registration => result,
            event => panic!("{event:?}"),
        }
    }
}
