//! A router with scripted clients.

use std::collections::BTreeMap;
use std::time::Duration;

use wamp_session::proto::{Format, Limits, Message, PayloadCheck, decode, encode};
use wamp_session::router::{PeerId, RealmConfig, Router, RouterAction, RouterConfig};
use wamp_session::{Frame, Time};

pub(crate) const HELLO: &str = r#"[1,"realm1",{"roles":{"caller":{},"callee":{},"publisher":{},"subscriber":{}}}]"#;

/// A client with the features of calls.
pub(crate) const FEATURED: &str = concat!(
    r#"[1,"realm1",{"roles":{"#,
    r#""caller":{"features":{"call_canceling":true,"caller_identification":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true}},"#,
    r#""callee":{"features":{"call_canceling":true,"call_reroute":true,"call_timeout":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true,"registration_revocation":true}}}}]"#
);

/// A router, and what its clients have received.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) now: Time,
    formats: BTreeMap<PeerId, Format>,
    received: BTreeMap<PeerId, Vec<Frame>>,
    closed: BTreeMap<PeerId, (u16, String)>,
}

/// The configuration of a router with two realms for everybody.
pub(crate) fn config() -> RouterConfig {
    let realm = |name| RealmConfig::new(name).unwrap().anonymous("guest");
    RouterConfig::new([7; 32])
        .unix_time(Duration::from_millis(1_403_454_985_448))
        .agent("test")
        .realm(realm("realm1"))
        .realm(realm("realm2"))
}

/// A callee registers `a.b`, with options.
pub(crate) fn registered(world: &mut World, callee: PeerId, options: &str) {
    world.send(callee, &format!(r#"[64,1,{{{options}}},"a.b"]"#));
    assert!(world.one(callee).starts_with("[65,1,"));
}

/// A caller and a callee with the features of calls, and a call of `a.b` with options.
pub(crate) fn called(options: &str) -> (World, PeerId, PeerId) {
    let mut world = World::new(config());
    let (caller, callee) = (world.featured(), world.featured());
    registered(&mut world, callee, "");
    world.send(caller, &format!(r#"[48,1,{{{options}}},"a.b",["in"]]"#));
    (world, caller, callee)
}

impl World {
    pub(crate) fn new(config: RouterConfig) -> Self {
        Self {
            router: Router::new(config),
            now: Time::ZERO,
            formats: BTreeMap::new(),
            received: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    pub(crate) fn open(&mut self, format: Format) -> PeerId {
        let peer = self.router.handle_opened(self.now, format);
        self.formats.insert(peer, format);
        peer
    }

    /// Opens a JSON client that has sent HELLO.
    pub(crate) fn greet(&mut self, hello: &str) -> PeerId {
        let peer = self.open(Format::Json);
        self.send(peer, hello);
        peer
    }

    /// A JSON client that has joined the realm `realm1`.
    pub(crate) fn client(&mut self) -> PeerId {
        self.join(Format::Json)
    }

    /// A JSON client with the features of calls that has joined the realm `realm1`.
    pub(crate) fn featured(&mut self) -> PeerId {
        self.join_as(Format::Json, FEATURED)
    }

    /// A client with the features of calls, but for one.
    pub(crate) fn without(&mut self, feature: &str) -> PeerId {
        let hello = FEATURED.replace(&format!(r#""{feature}":true"#), r#""x_none":true"#);
        assert_ne!(hello, FEATURED);
        self.join_as(Format::Json, &hello)
    }

    /// A client that has joined the realm `realm1`.
    pub(crate) fn join(&mut self, format: Format) -> PeerId {
        self.join_as(format, HELLO)
    }

    pub(crate) fn join_as(&mut self, format: Format, hello: &str) -> PeerId {
        let peer = self.open(format);
        self.send(peer, hello);
        let welcome = self.one(peer);
        assert!(welcome.starts_with("[2,"), "{welcome}");
        peer
    }

    /// Sends a message, written as JSON, in the client's format.
    pub(crate) fn send(&mut self, peer: PeerId, json: &str) {
        let format = self.formats[&peer];
        if format == Format::Json {
            return self.send_frame(peer, Frame::Text(json.to_owned().into()));
        }
        let message = decode(json.to_owned().into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
        let mut frame = Vec::new();
        encode(&message, format, &mut frame).unwrap();
        self.send_frame(peer, Frame::Binary(frame.into()));
    }

    pub(crate) fn send_frame(&mut self, peer: PeerId, frame: Frame) {
        self.router.handle_frame(self.now, peer, frame);
    }

    pub(crate) fn advance(&mut self, duration: Duration) {
        self.now = self.now.checked_add(duration).unwrap();
        self.router.handle_timeout(self.now);
        assert!(self.router.poll_timeout().is_none_or(|next| next > self.now));
    }

    /// Takes all actions.
    pub(crate) fn drain(&mut self) {
        while let Some(action) = self.router.poll_action() {
            match action {
                RouterAction::Send { peer, frame } => {
                    assert!(!self.closed.contains_key(&peer), "a frame after the close of {peer:?}");
                    self.received.entry(peer).or_default().push(frame);
                }
                RouterAction::Close { peer, code, reason } => {
                    assert!(reason.len() <= 123);
                    let before = self.closed.insert(peer, (code, reason.as_ref().to_owned()));
                    assert_eq!(before, None, "{peer:?} is closed twice");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// The frames that a client has received since the last time.
    pub(crate) fn frames(&mut self, peer: PeerId) -> Vec<Frame> {
        self.drain();
        self.received.remove(&peer).unwrap_or_default()
    }

    /// The messages that a client has received since the last time.
    pub(crate) fn messages(&mut self, peer: PeerId) -> Vec<Message> {
        let format = self.formats[&peer];
        let frames = self.frames(peer).into_iter();
        let message = |frame: Frame| {
            assert_eq!(matches!(frame, Frame::Binary(_)), format.is_binary());
            decode(frame.bytes().clone(), format, &Limits::new(), PayloadCheck::OnReceipt).unwrap()
        };
        frames.map(message).collect()
    }

    /// The messages that a client has received since the last time, as JSON.
    pub(crate) fn take(&mut self, peer: PeerId) -> Vec<String> {
        if self.formats[&peer] == Format::Json {
            let frames = self.frames(peer).into_iter();
            return frames.map(|frame| String::from_utf8(frame.bytes().to_vec()).unwrap()).collect();
        }
        let json = |message| {
            let mut json = Vec::new();
            encode(&message, Format::Json, &mut json).unwrap();
            String::from_utf8(json).unwrap()
        };
        self.messages(peer).into_iter().map(json).collect()
    }

    /// The only message that a client has received since the last time.
    pub(crate) fn one(&mut self, peer: PeerId) -> String {
        let mut received = self.take(peer);
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }

    /// Whether the router has closed a client, with which code and reason.
    pub(crate) fn closed(&mut self, peer: PeerId) -> Option<(u16, String)> {
        self.drain();
        self.closed.get(&peer).cloned()
    }

    /// The code with which the router has closed a client.
    pub(crate) fn close_code(&mut self, peer: PeerId) -> Option<u16> {
        self.closed(peer).map(|(code, _)| code)
    }

    /// Asserts that a client is aborted for a violation of the protocol and closed, and returns the reason.
    pub(crate) fn assert_violation(&mut self, peer: PeerId) -> String {
        let Some(Message::Abort(abort)) = self.messages(peer).pop() else { panic!("no ABORT") };
        assert_eq!(abort.reason, "wamp.error.protocol_violation");
        assert_eq!(abort.payload.raw_args().unwrap(), None);
        assert_eq!(self.close_code(peer), Some(1002));
        self.send(peer, HELLO);
        assert_eq!(self.take(peer), [""; 0], "messages after the ABORT");
        abort.details.message.unwrap().as_ref().to_owned()
    }

    /// How much of the realm `realm1` is in use: sessions, subscriptions, registrations, unanswered invocations.
    pub(crate) fn tables(&self) -> [usize; 4] {
        [
            self.router.sessions("realm1").count(),
            self.router.subscriptions("realm1").count(),
            self.router.registrations("realm1").count(),
            self.router.pending_invocations("realm1"),
        ]
    }
}
