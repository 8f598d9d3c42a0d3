//! Whether a session lives, and what a violation of the protocol leaves of it.

use std::sync::Arc;

use serde_json::Value;
use wamp_session::proto::Payload;
use wamp_session::{
    CallOptions, CloseCause, Config, Frame, PublishOptions, RegisterOptions, RequestError, SubscribeOptions,
    TransportErrorKind,
};

use super::{Peer, WELCOME, uri};

impl Peer {
    /// Checks that the session lives: it has not closed its transport, and answers.
    #[track_caller]
    pub(crate) fn expect_usable(&mut self) {
        self.expect_silence();
        self.expect_no_event();
        assert_eq!(self.closed_with, None);
        self.session.publish(self.now, uri("com.example.usable"), Payload::new(), PublishOptions::new()).unwrap();
        assert!(self.sent().starts_with("[16,"));
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
