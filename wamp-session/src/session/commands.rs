//! What the application wants of a session; the roles do it.

use core::time::Duration;
use std::sync::Arc;

use wamp_proto::{CancelMode, Payload, Uri};

use super::Session;
use super::state::State;
use crate::auth::{Answer, Authenticator};
use crate::{
    Attempt, AuthError, CallKey, CallOptions, CallPart, CloseReason, CommandError, Decision, InvocationKey, PublishKey,
    PublishOptions, ReconnectPolicy, RegisterOptions, RegistrationKey, Response, SubscribeOptions, SubscriptionKey,
    Time, TransportId,
};

impl Session {
    /// Starts to connect; a session that is connected or connecting goes on.
    ///
    /// A session that is closing connects again once it is closed, unless [`close`](Self::close) is called before. If the configuration
    /// cannot be used ([`Config::check`](crate::Config::check)), the session is closed at once.
    ///
    /// ```
    /// # use wamp_session::{Action, Config, Session, Time};
    /// let mut session = Session::new(Config::new("ws://127.0.0.1:8080/ws", "realm1"));
    /// session.connect(Time::ZERO);
    /// assert!(matches!(session.poll_action(), Some(Action::OpenTransport { .. })));
    /// ```
    pub fn connect(&mut self, now: Time) {
        self.advance(now);
        match &mut self.state {
            State::Closed => self.start(),
            State::Closing(closing) if closing.retry.is_none() && !closing.undecided => closing.again = true,
            State::Waiting(..) | State::Closing(_) | State::Undecided => self.hurry(),
            State::Opening { .. } | State::Joining(_) | State::Joined(_) => {}
        }
    }

    /// Closes the session: GOODBYE if it is joined, ABORT if it is joining.
    ///
    /// Everything that was asked for ends at once with [`RequestError::Closed`](crate::RequestError::Closed), and nothing but the
    /// end of the session follows. That comes when the router has answered and the transport has ended, at the latest after the
    /// close timeout. On a session that is closed or closing nothing happens, except that a `connect` since then is withdrawn.
    ///
    /// ```
    /// # use wamp_session::{CloseReason, Config, Session, SessionEvent, Time};
    /// # let mut session = Session::new(Config::new("ws://127.0.0.1:8080/ws", "realm1"));
    /// # session.connect(Time::ZERO);
    /// # let Some(wamp_session::Action::OpenTransport { id, .. }) = session.poll_action() else { panic!() };
    /// session.close(Time::ZERO, CloseReason::default());
    /// # session.handle_closed(Time::ZERO, id, wamp_session::TransportError::new(wamp_session::TransportErrorKind::Eof));
    /// assert!(matches!(session.poll_event(), Some(SessionEvent::Closed(_))));
    /// ```
    pub fn close(&mut self, now: Time, reason: CloseReason) {
        self.advance(now);
        self.begin_close(&reason);
    }

    /// Makes the next attempt to join without waiting any longer, or as soon as the old transport has ended.
    ///
    /// A session that is joined, joining or closed is left alone.
    pub fn reconnect_now(&mut self, now: Time) {
        self.advance(now);
        self.hurry();
    }

    /// Finds out whether the peer still lives: pings it now, unless a ping is under way.
    ///
    /// Call it when the machine has slept or the network has changed. If nothing comes within the
    /// [keep-alive's timeout](crate::KeepAlive::timeout), 10 s if it is switched off, the session is lost. A session that is not joined is
    /// left alone.
    pub fn probe(&mut self, now: Time) {
        self.advance(now);
        self.ping_now();
    }

    /// The attempt of which the application has to say whether it is made.
    ///
    /// There is one if the policy has a function for that ([`ReconnectPolicy::decide`](crate::ReconnectPolicy::decide)), and a session, or an
    /// attempt to join, is over.
    ///
    /// The session never calls the function; its embedder does, and answers with [`decide`](Self::decide). Look here after each
    /// input. Until the answer comes, neither [`SessionEvent::Left`](crate::SessionEvent::Left) nor
    /// [`SessionEvent::Closed`](crate::SessionEvent::Closed) follows; if none comes within the close timeout, the default holds.
    ///
    /// ```
    /// # use wamp_session::{Session, Time};
    /// # fn after_each_input(session: &mut Session, now: Time) {
    /// if let Some(attempt) = session.undecided() {
    ///     let decision = attempt.decision();
    ///     session.decide(now, decision);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn undecided(&self) -> Option<Attempt<'_>> {
        self.undecided_attempt()
    }

    /// Says whether the attempt is made that [`undecided`](Self::undecided) asks about; if it does not ask, nothing happens.
    pub fn decide(&mut self, now: Time, decision: Decision) {
        self.advance(now);
        self.decided(decision);
    }

    /// Answers a challenge.
    ///
    /// An error aborts the attempt to join, with [`CloseCause::Authentication`](crate::CloseCause::Authentication), also before
    /// [`handle_opened`](Self::handle_opened).
    ///
    /// ```no_run
    /// # use wamp_session::{CommandError, Session, SessionEvent, Time, auth};
    /// # fn run(session: &mut Session, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(SessionEvent::Challenge { transport, challenge }) = session.poll_event() {
    ///     let ticket = auth::Ticket::new("joe", "secret!!!");
    ///     session.authenticate(now, transport, ticket.answer_to(&challenge))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
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
        self.advance(now);
        self.answer_challenge(id, answer)
    }

    /// Calls a procedure: one [`SessionEvent::CallDone`](crate::SessionEvent::CallDone) follows.
    ///
    /// With [`CallOptions::receive_progress`], any number of [`SessionEvent::CallProgress`](crate::SessionEvent::CallProgress) come
    /// before it. With [`CallOptions::progress`], more input is sent with [`call_more`](Self::call_more).
    ///
    /// ```no_run
    /// # use wamp_session::{CallOptions, Session, SessionEvent, Time, proto::{IntoPayload, Uri}};
    /// # fn run(session: &mut Session, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// let payload = (2, 3).into_payload(session.format())?;
    /// let key = session.call(now, Uri::new("com.example.add2")?, payload, CallOptions::new())?;
    /// // Later:
    /// match session.poll_event() {
    ///     Some(SessionEvent::CallDone { key: ended, result }) if ended == key => println!("{}", result?.payload.arg::<i64>(0)?),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the session is closed, the procedure is no URI, one of the ends lacks its role or a feature, too many requests
    /// are under way, or the message cannot be encoded or is too large. What shows only at a join that is waited for, such as a feature
    /// that the router lacks, comes with the event.
    pub fn call(
        &mut self,
        now: Time,
        procedure: Uri,
        payload: Payload,
        options: CallOptions,
    ) -> Result<CallKey, CommandError> {
        self.advance(now);
        self.begin_call(procedure, payload, options)
    }

    /// Sends more input for a call that was made with [`CallOptions::progress`], in the order of these commands.
    ///
    /// (WAMP Advanced Profile, "Progressive Call Invocations".)
    ///
    /// The last input is to be told, or the callee waits for it.
    ///
    /// ```no_run
    /// # use wamp_session::proto::{IntoPayload, Uri};
    /// # use wamp_session::{CallOptions, CallPart, Session, Time};
    /// # fn run(session: &mut Session, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// let payload = |n: i64| n.into_payload(session.format());
    /// let (one, two) = (payload(1)?, payload(2)?);
    /// let key = session.call(now, Uri::new("com.example.sum")?, one, CallOptions::new().progress())?;
    /// session.call_more(now, key, two, CallPart::Last)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::InputClosed`] if the call has ended or been cancelled, its last input was sent, or it was made without that option.
    /// [`CommandError::NotJoined`] if the call itself still waits for a join; the input goes on. If the message cannot be encoded or is too
    /// large, nothing is sent, and the input goes on.
    pub fn call_more(&mut self, now: Time, key: CallKey, payload: Payload, part: CallPart) -> Result<(), CommandError> {
        self.advance(now);
        self.more_input(key, payload, part)
    }

    /// Cancels a call (WAMP Advanced Profile, "Call Canceling"): one [`SessionEvent::CallDone`](crate::SessionEvent::CallDone) follows.
    ///
    /// With the modes `skip` and `killnowait`, if the call still waits for a join, and if the dealer does not announce
    /// `call_canceling`, it follows at once, with [`RequestError::Canceled`](crate::RequestError::Canceled); a later answer is
    /// ignored. With `kill` the callee's answer is waited for, be it an error or a result that was already under way, but at most
    /// for the request timeout ([`Config::request_timeout`](crate::Config::request_timeout)), and then it is
    /// [`RequestError::Canceled`](crate::RequestError::Canceled) as well. CANCEL is sent at most once, and not at all to a dealer
    /// that does not announce it. The call takes no more input.
    ///
    /// ```no_run
    /// # use wamp_session::{CallKey, Session, Time, proto::CancelMode};
    /// # fn run(session: &mut Session, now: Time, key: CallKey) -> Result<(), Box<dyn std::error::Error>> {
    /// session.cancel(now, key, CancelMode::KillNoWait)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::UnknownKey`] if the call has ended.
    pub fn cancel(&mut self, now: Time, key: CallKey, mode: CancelMode) -> Result<(), CommandError> {
        self.advance(now);
        self.cancel_call(key, mode)
    }

    /// Forgets a call: no event follows, unless it waits to be taken already, and a late answer is ignored.
    ///
    /// If it still waits for a join, it is not sent; else the callee goes on with it ([`cancel`](Self::cancel) would end it there, too). An
    /// unknown key is ignored.
    pub fn forget_call(&mut self, key: CallKey) {
        self.withdraw_call(key);
    }

    /// Publishes an event without acknowledgement.
    ///
    /// If the session is joined, it is on its way when this returns `None`; whether the broker refused it is never known, and if the
    /// transport is lost, so may be the event. If the session is not joined, the [`OfflinePolicy`](crate::OfflinePolicy) decides: it
    /// fails, which is the default; it waits under the key that is returned, for
    /// [`SessionEvent::PublishSent`](crate::SessionEvent::PublishSent); or it is buffered, and counted in
    /// [`Stats::lost_publishes`](crate::Stats::lost_publishes) if it is lost after all.
    ///
    /// ```no_run
    /// # use wamp_session::{PublishOptions, Session, Time, proto::{IntoPayload, Uri}};
    /// # fn run(session: &mut Session, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// let payload = ("EURUSD", 1.0625).into_payload(session.format())?;
    /// session.publish(now, Uri::new("com.example.tick")?, payload, PublishOptions::new())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the session is not joined and the event may not wait, the topic is no URI or reserved, one of the ends
    /// lacks its role, or the message cannot be encoded or is too large. Nothing is sent then, and no request id is used.
    pub fn publish(
        &mut self,
        now: Time,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<Option<PublishKey>, CommandError> {
        self.advance(now);
        self.send_publish(topic, payload, options)
    }

    /// Publishes an event with acknowledgement: one [`SessionEvent::PublishDone`](crate::SessionEvent::PublishDone) follows.
    ///
    /// ```no_run
    /// # use wamp_session::{PublishOptions, Session, SessionEvent, Time, proto::{IntoPayload, Uri}};
    /// # fn run(session: &mut Session, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// let payload = "hello".into_payload(session.format())?;
    /// let key = session.publish_acked(now, Uri::new("com.example.chat")?, payload, PublishOptions::new())?;
    /// // Later:
    /// match session.poll_event() {
    ///     Some(SessionEvent::PublishDone { key: ended, result }) if ended == key => println!("published as {}", result?),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the session is closed, the topic is no URI or reserved, one of the ends lacks its role, too many requests are
    /// under way, or the message cannot be encoded or is too large. What shows only at a join that is waited for comes with the event.
    pub fn publish_acked(
        &mut self,
        now: Time,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<PublishKey, CommandError> {
        self.advance(now);
        self.begin_publish(topic, payload, options)
    }

    /// Forgets a publication that has a key: no event follows, unless it waits to be taken already, and a late answer is ignored.
    ///
    /// If it still waits for a join, it is not sent. An unknown key is ignored.
    pub fn forget_publish(&mut self, key: PublishKey) {
        self.withdraw_publish(key);
    }

    /// Subscribes to a topic: one [`SessionEvent::Subscribed`](crate::SessionEvent::Subscribed) follows.
    ///
    /// Subscriptions to one topic with the same options share one subscription of the router: each gets each event once. One that
    /// wants the retained event ([`SubscribeOptions::get_retained`]) asks for itself, and gets it alone.
    ///
    /// ```no_run
    /// # use wamp_session::{Session, SessionEvent, SubscribeOptions, Time, proto::Uri};
    /// # fn run(session: &mut Session, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// let key = session.subscribe(now, Uri::new("com.example.tick")?, SubscribeOptions::new())?;
    /// // Later:
    /// match session.poll_event() {
    ///     Some(SessionEvent::Published(event)) if event.key == key => println!("{}", event.payload.arg::<String>(0)?),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the session is closed, the topic is no URI, or no pattern where the options say so, one of the ends lacks its
    /// role or the feature, or too many requests are under way.
    pub fn subscribe(
        &mut self,
        now: Time,
        topic: Uri,
        options: SubscribeOptions,
    ) -> Result<SubscriptionKey, CommandError> {
        self.advance(now);
        self.begin_subscribe(topic, options)
    }

    /// Ends a subscription: one [`SessionEvent::Unsubscribed`](crate::SessionEvent::Unsubscribed) follows.
    ///
    /// No event of the topic comes from now on but those that wait to be taken.
    ///
    /// The router is asked when it is the last one that shares the router's subscription. A subscription that is not confirmed yet ends at
    /// once; no `Subscribed` follows any more. That the router does not know the subscription counts as success.
    ///
    /// ```no_run
    /// # use wamp_session::{Session, SubscriptionKey, Time};
    /// # fn run(session: &mut Session, now: Time, key: SubscriptionKey) -> Result<(), Box<dyn std::error::Error>> {
    /// session.unsubscribe(now, key)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::UnknownKey`] if there is no such subscription (any more).
    pub fn unsubscribe(&mut self, now: Time, key: SubscriptionKey) -> Result<(), CommandError> {
        self.advance(now);
        self.begin_unsubscribe(key)
    }

    /// Registers a procedure: one [`SessionEvent::Registered`](crate::SessionEvent::Registered) follows.
    ///
    /// ```no_run
    /// # use wamp_session::{RegisterOptions, Response, Session, SessionEvent, Time, proto::{IntoPayload, Uri}};
    /// # fn run(session: &mut Session, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// session.register(now, Uri::new("com.example.add2")?, RegisterOptions::new())?;
    /// // Later:
    /// if let Some(SessionEvent::Invocation(call)) = session.poll_event() {
    ///     let (a, b): (i64, i64) = call.payload.args()?;
    ///     session.respond(now, call.key, Response::Result((a + b).into_payload(session.format())?))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the session is closed, the procedure is no URI or reserved, one of the ends lacks its role, or too many requests
    /// are under way.
    pub fn register(
        &mut self,
        now: Time,
        procedure: Uri,
        options: RegisterOptions,
    ) -> Result<RegistrationKey, CommandError> {
        self.advance(now);
        self.begin_register(procedure, options)
    }

    /// Ends a registration: one [`SessionEvent::Unregistered`](crate::SessionEvent::Unregistered) follows.
    ///
    /// Invocations may come until then, and are to be answered. A registration that is not confirmed yet ends at once; no `Registered`
    /// follows any more, and if the router confirms it later, it is undone there. That the router does not know the registration counts
    /// as success.
    ///
    /// ```no_run
    /// # use wamp_session::{RegistrationKey, Session, Time};
    /// # fn run(session: &mut Session, now: Time, key: RegistrationKey) -> Result<(), Box<dyn std::error::Error>> {
    /// session.unregister(now, key)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::UnknownKey`] if there is no such registration (any more), or it is being ended already.
    pub fn unregister(&mut self, now: Time, key: RegistrationKey) -> Result<(), CommandError> {
        self.advance(now);
        self.begin_unregister(key)
    }

    /// Answers an invocation, with its one YIELD or ERROR, or sends a part of its result before ([`Response::Progress`]).
    ///
    /// A part is left out if the caller does not take parts. If it cannot be encoded or is too large, nothing is sent, and the invocation
    /// goes on.
    ///
    /// ```no_run
    /// # use wamp_session::{InvocationKey, Response, Session, Time, WampError, proto::IntoPayload};
    /// # fn run(session: &mut Session, now: Time, key: InvocationKey) -> Result<(), Box<dyn std::error::Error>> {
    /// let half = "half of it".into_payload(session.format())?;
    /// session.respond(now, key, Response::Progress(half))?;
    /// session.respond(now, key, Response::Error(WampError::new("com.example.error.no_stock")?))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Interrupted`] if a part is not wanted any more; the invocation is still to be answered.
    /// [`CommandError::UnknownKey`] if the invocation was answered already or its session is over; nothing is sent. If the answer cannot be
    /// encoded or is too large, or its error is no URI, the caller gets an ERROR that says so (`wamp.error.invalid_payload`,
    /// `wamp.error.payload_size_exceeded`, `wamp.error.invalid_uri`), and this the reason.
    pub fn respond(&mut self, now: Time, key: InvocationKey, response: Response) -> Result<(), CommandError> {
        self.advance(now);
        self.answer(key, response)
    }

    /// Replaces the policy by which a session that is lost is joined again; a decision that was made stands.
    pub fn set_reconnect(&mut self, policy: ReconnectPolicy) {
        self.config.reconnect = policy;
    }

    /// Replaces the timeout of calls, for those made from now on.
    pub fn set_call_timeout(&mut self, timeout: impl Into<Option<Duration>>) {
        self.config.call_timeout = timeout.into();
    }

    /// Replaces the ways to authenticate, and returns those before.
    ///
    /// The session itself asks none of them: who embeds it does, at the next attempt to join.
    pub fn set_authenticators(&mut self, authenticators: Vec<Arc<dyn Authenticator>>) -> Vec<Arc<dyn Authenticator>> {
        core::mem::replace(&mut self.config.authenticators, authenticators)
    }
}
