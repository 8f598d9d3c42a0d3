//! A session, its transport, and the router at the other end.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;
use wamp_session::proto::{Format, IntoPayload, Limits, Payload, PayloadCheck, PublicationId, Uri, decode, encode};
use wamp_session::{
    Action, CallKey, CallOptions, CallOutcome, CloseCause, CloseReason, Config, Frame, InvocationEvent, Joined, Opened,
    PublishKey, PublishOptions, PublishedEvent, ReconnectPolicy, RegisterOptions, RegistrationKey, RequestError,
    Session, SessionEvent, SubscribeOptions, SubscriptionKey, Time, TransportError, TransportErrorKind, TransportId,
};

use super::Tap;

/// The WELCOME of a router with both roles and all features that a session asks for.
pub(crate) const WELCOME: &str = concat!(
    r#"[2,7814135,{"roles":{"broker":{"features":{"pattern_based_subscription":true,"payload_passthru_mode":true,"#,
    r#""shareded_subscriptions":true,"subscriber_blackwhite_listing":true}},"dealer":{"features":{"#,
    r#""call_canceling":true,"pattern_based_registration":true,"payload_passthru_mode":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true,"sharded_registration":true}}}}]"#
);

/// The WELCOME of a router with both roles and no features.
pub(crate) const FEATURELESS: &str = r#"[2,7814135,{"roles":{"broker":{},"dealer":{}}}]"#;

/// A session at whose other end the test plays the router.
///
/// Whatever the session's format is, the test reads and writes JSON.
pub(crate) struct Peer {
    pub(crate) session: Session,
    pub(crate) now: Time,
    format: Format,
    tap: Tap,
    transport: Option<TransportId>,
    frames: VecDeque<String>,
    closed_with: Option<u16>,
    pub(crate) pings: usize,
    /// Whether the session has gone on without its transport.
    given_up: bool,
    /// The transport that the session wants: its URL and subprotocols.
    opening: Option<(String, Vec<&'static str>)>,
}

/// The configuration of most tests.
pub(crate) fn config() -> Config {
    Config::new("ws://127.0.0.1:8080/ws", "realm1").agent(None).reconnect(ReconnectPolicy::never()).keep_alive(None)
}

pub(crate) fn uri(uri: &str) -> Uri {
    Uri::new(uri).unwrap()
}

pub(crate) fn payload(payload: impl IntoPayload) -> Payload {
    payload.into_payload(Format::Json).unwrap()
}

impl Peer {
    /// A session that was never connected.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            session: Session::new(config),
            now: Time::ZERO,
            format: Format::Json,
            tap: Tap::default(),
            transport: None,
            frames: VecDeque::new(),
            closed_with: None,
            pings: 0,
            given_up: false,
            opening: None,
        }
    }

    /// A session that has sent HELLO.
    pub(crate) fn joining(config: Config) -> Self {
        Self::joining_in(Format::Json, config)
    }

    pub(crate) fn joining_in(format: Format, config: Config) -> Self {
        let mut peer = Self::new(config);
        peer.format = format;
        peer.connect();
        peer.open(Opened::new(Some(format.subprotocol())));
        let hello = peer.sent();
        assert!(hello.starts_with("[1,"), "{hello}");
        peer
    }

    /// A session that is joined.
    pub(crate) fn joined() -> Self {
        Self::joined_with(config(), WELCOME)
    }

    pub(crate) fn joined_in(format: Format) -> Self {
        let mut peer = Self::joining_in(format, config());
        peer.receive(WELCOME);
        peer.expect_joined();
        peer
    }

    pub(crate) fn joined_with(config: Config, welcome: &str) -> Self {
        let mut peer = Self::joining(config);
        peer.receive(welcome);
        peer.expect_joined();
        peer
    }

    pub(crate) fn connect(&mut self) {
        self.session.connect(self.now);
        self.drain();
    }

    /// Opens the transport that the session wants.
    pub(crate) fn open(&mut self, opened: Opened) {
        self.drain();
        self.opening.take().expect("the session wants no transport");
        self.tap.opened();
        let id = self.transport();
        self.session.handle_opened(self.now, id, opened);
        self.drain();
    }

    /// Takes the URL and subprotocols of the transport that the session wants, and leaves it unopened.
    pub(crate) fn opening(&mut self) -> (String, Vec<&'static str>) {
        self.drain();
        self.opening.clone().expect("the session wants no transport")
    }

    pub(crate) fn transport(&self) -> TransportId {
        self.transport.expect("there is no transport")
    }

    /// The router sends a message.
    pub(crate) fn receive(&mut self, text: &str) {
        self.drain();
        self.tap.received(text);
        let text = text.as_bytes().to_vec().into();
        if self.format.is_binary() {
            let message = decode(text, Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
            let mut frame = Vec::new();
            encode(&message, self.format, &mut frame).unwrap();
            self.receive_frame(Frame::Binary(frame.into()));
        } else {
            self.receive_frame(Frame::Text(text));
        }
    }

    /// The router sends a frame of which the tap need not know.
    pub(crate) fn receive_frame(&mut self, frame: Frame) {
        self.drain();
        let id = self.transport();
        self.session.handle_frame(self.now, id, frame);
        self.drain();
    }

    /// The transport ends.
    pub(crate) fn end_transport(&mut self, kind: TransportErrorKind) {
        self.drain();
        let id = self.transport();
        self.session.handle_closed(self.now, id, TransportError::new(kind));
        self.transport_ended();
        self.drain();
    }

    /// The transport ends, before anybody has taken what the session wants to send.
    pub(crate) fn end_unread(&mut self) {
        let id = self.transport();
        self.session.handle_closed(self.now, id, TransportError::new(TransportErrorKind::Eof));
        self.transport_ended();
    }

    fn transport_ended(&mut self) {
        self.tap.ended();
        self.transport = None;
        self.opening = None;
    }

    /// Lets time pass, and wakes the session at each deadline.
    pub(crate) fn wait(&mut self, duration: Duration) {
        self.drain();
        let until = self.now.checked_add(duration).unwrap();
        while let Some((deadline, _)) = self.session.poll_timeout().filter(|(deadline, _)| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.session.handle_timeout(self.now);
            assert!(self.session.poll_timeout().is_none_or(|(next, _)| next > self.now), "a deadline stays behind");
            self.given_up = self.transport.is_some() && self.session.transport() != self.transport;
            self.drain();
            if core::mem::take(&mut self.given_up) {
                self.transport_ended();
            }
        }
        self.now = until;
        self.session.handle_timeout(until);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(action) = self.session.poll_action() {
            if let Action::Send { frame, .. } = &action {
                assert_eq!(matches!(frame, Frame::Binary(_)), self.format.is_binary(), "{frame:?}");
                let frame = frame.bytes().clone();
                let message = decode(frame.clone(), self.format, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
                let text = if self.format.is_binary() {
                    let mut text = Vec::new();
                    encode(&message, Format::Json, &mut text).unwrap();
                    text
                } else {
                    frame.to_vec()
                };
                self.frames.push_back(String::from_utf8(text).unwrap());
            }
            if matches!(action, Action::OpenTransport { .. }) && core::mem::take(&mut self.given_up) {
                self.transport_ended();
            }
            self.tap.action(&action, self.frames.back().map_or("", String::as_str));
            match action {
                Action::OpenTransport { id, url, subprotocols } => {
                    self.transport = Some(id);
                    self.closed_with = None;
                    self.opening = Some((url.to_string(), subprotocols.to_vec()));
                }
                Action::Send { .. } => {}
                Action::Ping { .. } => self.pings += 1,
                Action::CloseTransport { code, .. } => {
                    assert_eq!(self.closed_with.replace(code), None, "the transport is closed twice");
                }
                action => panic!("unknown action {action:?}"),
            }
        }
    }

    /// Takes the next frame that was sent.
    pub(crate) fn sent(&mut self) -> String {
        self.drain();
        self.frames.pop_front().expect("nothing was sent")
    }

    #[track_caller]
    pub(crate) fn expect_sent(&mut self, expected: &str) {
        assert_eq!(self.sent(), expected);
    }

    /// Checks that no frame was sent but those taken.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        self.drain();
        assert_eq!(self.frames, [] as [String; 0]);
    }

    /// Checks that the transport is to be closed.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: u16) {
        self.expect_silence();
        assert_eq!(self.closed_with, Some(code));
    }

    /// Checks that the session lives: it has not closed its transport, and answers.
    #[track_caller]
    pub(crate) fn expect_usable(&mut self) {
        self.expect_silence();
        self.expect_no_event();
        assert_eq!(self.closed_with, None);
        self.session.publish(self.now, uri("com.example.usable"), Payload::new(), PublishOptions::new()).unwrap();
        assert!(self.sent().starts_with("[16,"));
    }

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

    pub(crate) fn call(&mut self, procedure: &str) -> CallKey {
        self.session.call(self.now, uri(procedure), Payload::new(), CallOptions::new()).unwrap()
    }

    pub(crate) fn publish(&mut self, topic: &str) {
        self.session.publish(self.now, uri(topic), Payload::new(), PublishOptions::new()).unwrap();
    }

    pub(crate) fn publish_acked(&mut self, topic: &str) -> PublishKey {
        self.session.publish_acked(self.now, uri(topic), Payload::new(), PublishOptions::new()).unwrap()
    }

    pub(crate) fn subscribe(&mut self, topic: &str) -> SubscriptionKey {
        self.session.subscribe(self.now, uri(topic), SubscribeOptions::new()).unwrap()
    }

    pub(crate) fn unsubscribe(&mut self, key: SubscriptionKey) {
        self.session.unsubscribe(self.now, key).unwrap();
    }

    pub(crate) fn register(&mut self, procedure: &str) -> RegistrationKey {
        self.session.register(self.now, uri(procedure), RegisterOptions::new()).unwrap()
    }

    pub(crate) fn unregister(&mut self, key: RegistrationKey) {
        self.session.unregister(self.now, key).unwrap();
    }

    pub(crate) fn close(&mut self) {
        self.session.close(self.now, CloseReason::CloseRealm);
    }

    /// A subscription that the router has confirmed with an id.
    pub(crate) fn subscribed(&mut self, topic: &str, id: u64) -> SubscriptionKey {
        let key = self.subscribe(topic);
        let request = self.sent_request(32);
        self.receive(&format!("[33,{request},{id}]"));
        self.expect_subscribed(key).unwrap();
        key
    }

    /// A registration that the router has confirmed with an id.
    pub(crate) fn registered(&mut self, procedure: &str, id: u64) -> RegistrationKey {
        let key = self.register(procedure);
        let request = self.sent_request(64);
        self.receive(&format!("[65,{request},{id}]"));
        self.expect_registered(key).unwrap();
        key
    }

    /// Takes a frame of a type, and returns its request id.
    #[track_caller]
    pub(crate) fn sent_request(&mut self, code: u64) -> u64 {
        let frame = self.sent();
        let message: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(message.get(0).and_then(Value::as_u64), Some(code), "{frame}");
        message.get(1).and_then(Value::as_u64).unwrap()
    }

    /// Checks the one ABORT of a protocol violation, its three elements, and that the transport is to be closed.
    #[track_caller]
    pub(crate) fn expect_violation(&mut self) {
        let abort = self.sent();
        let message: Value = serde_json::from_str(&abort).unwrap();
        let list = message.as_array().unwrap();
        assert_eq!(list.len(), 3, "{abort}");
        assert_eq!(list[0], 3, "{abort}");
        assert!(list[1]["message"].as_str().is_some_and(|text| !text.is_empty()), "{abort}");
        assert_eq!(list[2], "wamp.error.protocol_violation", "{abort}");
        self.expect_close(1000);
    }

    /// ABORT-PV: feeds a joined session, with something of everything under way, frames of which the last breaks the protocol, and
    /// checks all that has to follow.
    #[track_caller]
    pub(crate) fn violate(config: Config, frames: &[Frame]) -> Arc<CloseCause> {
        let mut peer = Self::joined_with(config, WELCOME);
        peer.violated_by(frames)
    }

    #[track_caller]
    pub(crate) fn violated_by(&mut self, frames: &[Frame]) -> Arc<CloseCause> {
        let (now, payload) = (self.now, Payload::new());
        let call = self.session.call(now, uri("com.example.slow"), payload.clone(), CallOptions::new());
        let publication = self.session.publish_acked(now, uri("com.example.topic"), payload, PublishOptions::new());
        let subscription = self.session.subscribe(now, uri("com.example.topic"), SubscribeOptions::new());
        let registration = self.session.register(now, uri("com.example.procedure"), RegisterOptions::new());
        self.drain();
        self.frames.clear();
        for frame in frames {
            self.receive_frame(frame.clone());
        }
        self.expect_violation();

        let disconnected = |error: RequestError| matches!(error, RequestError::Disconnected { sent: true });
        if let Ok(call) = call {
            assert!(disconnected(self.expect_call_done(call).unwrap_err()));
        }
        if let Ok(publication) = publication {
            assert!(disconnected(self.expect_publish_done(publication).unwrap_err()));
        }
        if let Ok(subscription) = subscription {
            assert!(disconnected(self.expect_subscribed(subscription).unwrap_err()));
        }
        if let Ok(registration) = registration {
            assert!(disconnected(self.expect_registered(registration).unwrap_err()));
        }
        self.expect_no_event();
        self.expect_deaf();
        self.end_transport(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
        self.expect_silence();
        self.expect_closed()
    }

    /// Checks that nothing that comes now has an effect.
    #[track_caller]
    pub(crate) fn expect_deaf(&mut self) {
        for late in [
            "[50,1,{}]",
            "[17,2,5]",
            "[33,3,6]",
            "[65,4,7]",
            "[36,6,1,{}]",
            "[68,1,7,{}]",
            WELCOME,
            r#"[6,{},"wamp.close.system_shutdown"]"#,
            r#"[3,{},"wamp.error.protocol_violation"]"#,
            r#"[4,"ticket",{}]"#,
            "[]",
            "nonsense",
        ] {
            self.receive_frame(Frame::Text(late.as_bytes().into()));
        }
        self.expect_silence();
        self.expect_no_event();
    }
}

impl Drop for Peer {
    /// What was sent last is checked, too.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.drain();
        }
    }
}
