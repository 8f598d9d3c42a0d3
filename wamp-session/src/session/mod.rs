//! The client's end of a session.

use wamp_proto::{Format, Payload, Uri};

use crate::auth::Answer;
use crate::{
    Action, AuthError, CallKey, CallOptions, CloseReason, CommandError, Config, Frame, InvocationKey, Opened,
    PublishKey, PublishOptions, RegisterOptions, RegistrationKey, Response, SessionEvent, Stats, Status,
    SubscribeOptions, SubscriptionKey, Time, TimeoutReason, TransportError, TransportId,
};

/// A client session: a state machine without IO.
#[derive(Debug)]
pub struct Session {
    config: Config,
}

impl Session {
    /// Makes a session that is not connected.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Starts to connect; a session that is connected or connecting goes on.
    pub fn connect(&mut self, now: Time) {
        let _ = now;
        todo!()
    }

    /// A transport was opened.
    pub fn handle_opened(&mut self, now: Time, id: TransportId, opened: Opened) {
        let _ = (now, id, opened);
        todo!()
    }

    /// A frame was received.
    pub fn handle_frame(&mut self, now: Time, id: TransportId, frame: Frame) {
        let _ = (now, id, frame);
        todo!()
    }

    /// A transport could not be opened, or ended.
    pub fn handle_closed(&mut self, now: Time, id: TransportId, why: TransportError) {
        let _ = (now, id, why);
        todo!()
    }

    /// Time has passed; call it at the latest at [`poll_timeout`](Self::poll_timeout), as often as you like.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
        todo!()
    }

    /// Closes the session: GOODBYE if it is joined, ABORT if it is joining.
    pub fn close(&mut self, now: Time, reason: CloseReason) {
        let _ = (now, reason);
        todo!()
    }

    /// Answers a challenge; an error aborts the attempt to join.
    ///
    /// # Errors
    ///
    /// [`CommandError::UnknownKey`] if no challenge of this transport waits.
    pub fn authenticate(
        &mut self,
        now: Time,
        id: TransportId,
        answer: Result<Answer, AuthError>,
    ) -> Result<(), CommandError> {
        let _ = (now, id, answer);
        todo!()
    }

    /// Publishes an event without acknowledgement.
    pub fn publish(
        &mut self,
        now: Time,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<(), CommandError> {
        let _ = (now, topic, payload, options);
        todo!()
    }

    /// Publishes an event with acknowledgement: one [`SessionEvent::PublishDone`] follows.
    pub fn publish_acked(
        &mut self,
        now: Time,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<PublishKey, CommandError> {
        let _ = (now, topic, payload, options);
        todo!()
    }

    /// Forgets an acknowledged publication: no event follows.
    pub fn forget_publish(&mut self, key: PublishKey) {
        let _ = key;
        todo!()
    }

    /// Subscribes to a topic: one [`SessionEvent::Subscribed`] follows.
    pub fn subscribe(
        &mut self,
        now: Time,
        topic: Uri,
        options: SubscribeOptions,
    ) -> Result<SubscriptionKey, CommandError> {
        let _ = (now, topic, options);
        todo!()
    }

    /// Ends a subscription: one [`SessionEvent::Unsubscribed`] follows.
    pub fn unsubscribe(&mut self, now: Time, key: SubscriptionKey) -> Result<(), CommandError> {
        let _ = (now, key);
        todo!()
    }

    /// Calls a procedure: one [`SessionEvent::CallDone`] follows.
    pub fn call(
        &mut self,
        now: Time,
        procedure: Uri,
        payload: Payload,
        options: CallOptions,
    ) -> Result<CallKey, CommandError> {
        let _ = (now, procedure, payload, options);
        todo!()
    }

    /// Forgets a call: no event follows, and a late answer is ignored.
    pub fn forget_call(&mut self, key: CallKey) {
        let _ = key;
        todo!()
    }

    /// Registers a procedure: one [`SessionEvent::Registered`] follows.
    pub fn register(
        &mut self,
        now: Time,
        procedure: Uri,
        options: RegisterOptions,
    ) -> Result<RegistrationKey, CommandError> {
        let _ = (now, procedure, options);
        todo!()
    }

    /// Ends a registration: one [`SessionEvent::Unregistered`] follows.
    pub fn unregister(&mut self, now: Time, key: RegistrationKey) -> Result<(), CommandError> {
        let _ = (now, key);
        todo!()
    }

    /// Answers an invocation.
    pub fn respond(&mut self, now: Time, key: InvocationKey, response: Response) -> Result<(), CommandError> {
        let _ = (now, key, response);
        todo!()
    }

    /// Takes the next thing to do.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        todo!()
    }

    /// Takes the next thing that happened.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        todo!()
    }

    /// The next deadline and its reason; call [`handle_timeout`](Self::handle_timeout) then.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Time, TimeoutReason)> {
        todo!()
    }

    /// Where the session stands.
    #[must_use]
    pub fn status(&self) -> Status {
        todo!()
    }

    /// The transport in use, from the action that asks for it to its end.
    #[must_use]
    pub fn transport(&self) -> Option<TransportId> {
        todo!()
    }

    /// The format of the present session, else of the last one, else the first that is offered: the one to encode payloads in.
    #[must_use]
    pub fn format(&self) -> Format {
        todo!()
    }

    /// How many bytes of frames wait to be taken with [`poll_action`](Self::poll_action).
    #[must_use]
    pub fn outbound_bytes(&self) -> usize {
        todo!()
    }

    /// What the session has counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        todo!()
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }
}
