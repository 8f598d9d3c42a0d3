//! A session, its transport, and the router at the other end.

mod commands;
mod events;
mod violations;

use core::time::Duration;
use std::collections::VecDeque;

use serde_json::Value;
use wamp_session::proto::{Format, IntoPayload, Limits, Payload, PayloadCheck, Uri, decode, encode};
use wamp_session::{
    Action, Config, Frame, Opened, ReconnectPolicy, Session, Time, TransportError, TransportErrorKind, TransportId,
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

    /// Takes frames that are not looked at.
    #[track_caller]
    pub(crate) fn skip_sent(&mut self, count: usize) {
        for _ in 0..count {
            self.sent();
        }
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

    /// Takes a frame of a type, and returns its request id.
    #[track_caller]
    pub(crate) fn sent_request(&mut self, code: u64) -> u64 {
        let frame = self.sent();
        let message: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(message.get(0).and_then(Value::as_u64), Some(code), "{frame}");
        message.get(1).and_then(Value::as_u64).unwrap()
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
