//! An embeddable router: broker and dealer in one process, in memory, without IO.
//!
//! It is for examples, tests, simulators and games that host a session. It is not a replacement for Crossbar.io in
//! production: its users and what their roles may do are lists in its configuration, nothing outlives the process, and one router is one state
//! machine on one thread.
//!
//! It is driven as a [`Session`](crate::Session) is: tell it what happened with `handle_…`, then do what
//! [`poll_action`](Router::poll_action) says, and call [`handle_timeout`](Router::handle_timeout) at
//! [`poll_timeout`](Router::poll_timeout). The same configuration and inputs give the same actions, byte for byte.
//!
//! ```
//! use wamp_session::proto::Format;
//! use wamp_session::router::{RealmConfig, Router, RouterAction, RouterConfig};
//! use wamp_session::{Frame, Time};
//!
//! let secret = [7; 32]; // from the operating system, unless this is a simulation
//! let realm = RealmConfig::new("realm1")?.anonymous("guest");
//! let mut router = Router::new(RouterConfig::new(secret).realm(realm));
//!
//! let now = Time::ZERO;
//! let peer = router.handle_opened(now, Format::Json);
//! let hello = br#"[1,"realm1",{"roles":{"publisher":{}}}]"#;
//! router.handle_frame(now, peer, Frame::Text(hello.as_slice().into()));
//!
//! let Some(RouterAction::Send { peer: to, frame }) = router.poll_action() else { panic!("no answer") };
//! assert_eq!(to, peer);
//! assert!(frame.bytes().starts_with(b"[2,"));
//! # Ok::<(), wamp_session::proto::InvalidUri>(())
//! ```
//!
//! # What it does
//!
//! - Sessions: anonymous, `ticket` and `wampcra` (plain and salted) users per realm; GOODBYE from either side. A transport carries one
//!   session and is closed after it.
//! - Broker: topics and patterns (prefix, wildcard), acknowledgement, black- and whitelists, publisher exclusion, publisher
//!   identification ([`Disclosure`]) and trust levels. An empty list of those who are eligible means nobody. Retained events keep
//!   their publication id and their audience; a pattern gets those of all topics that match. Histories of topics and patterns
//!   ([`RealmConfig::history`]). The embedder can revoke subscriptions ([`Router::revoke_subscription`]).
//! - Dealer: procedures and patterns, by the algorithm of the specification; shared registrations by all policies; errors with their
//!   payload; progressive results and invocations; cancellation in all modes; timeouts; caller identification and trust levels;
//!   revocation ([`Router::revoke_registration`]); calls that a callee declines with `wamp.error.unavailable` are given to another one.
//!   Crossbar.io's options `force_reregister` and `concurrency`. More in "Calls" below.
//! - Meta API: the procedures and topics of sessions, registrations and subscriptions, event history (of the topics that are configured for it, for
//!   whoever may subscribe to them), and testaments, which are published when their session ends,
//!   however it ends. Subscriptions to the topics of the API are not told of themselves, and patterns match its topics only if they start with
//!   `wamp.` themselves.
//! - Permissions: roles that are configured may do only what is allowed to them ([`RoleConfig`]); all others may do everything.
//! - Strict checks: whatever a client may not send ends its session with ABORT `wamp.error.protocol_violation`. An incorrect or
//!   reserved URI in a request is answered with ERROR `wamp.error.invalid_uri`.
//! - Payloads are checked on receipt and forwarded as they are between sessions of one format. For another format an event is encoded
//!   once. If a format cannot carry a payload, the caller gets `wamp.error.invalid_payload`, and a subscriber does not get the event.
//!
//! # Calls
//!
//! - A prefix that ends within a component matches as others do, but comes after all wildcard patterns, and the empty one last. No
//!   pattern matches the procedures of the router itself (`wamp.…`).
//! - A callee that has not announced `call_canceling` is never interrupted: every CANCEL of its calls counts as mode `skip`, and it gets
//!   neither progressive calls nor callers that take progressive results. A CANCEL without a mode counts as `killnowait`.
//! - When a callee leaves, its callers get `wamp.error.canceled`. When a caller leaves, its callees are interrupted. Answers that nobody
//!   waits for are discarded.
//! - A timeout is the callee's affair if it has registered with `forward_timeout` and announced `call_timeout`, else the router's. It is the
//!   time to the first result, and from each part of a result to the next.
//! - Over its `concurrency` a callee is passed over; when all are, the caller gets `crossbar.error.max_concurrency_reached`.
//! - Calls with `runmode` `partition` and a key (`rkey`) go to one callee of a shared registration, by the key, as long as the callees are
//!   the same. If it declines, the caller is told what it says.
//!
//! # Events
//!
//! - An event with a key (`rkey`) goes, among those who subscribe with a key of their own (`nkey`) and may receive it, to one: of each
//!   subscription, to all sessions of one `nkey`, which is the same for the same `rkey` until a node comes that gets it, or that one goes. Who subscribes without a
//!   key gets all events, and an event without a key goes to all. The specification has the two keys and says no more of them.
//!
//! # What it refuses
//!
//! Options that it does not know are ignored, as the specification wants, and go no further, as with other routers: they are addressed to the
//! router. Only what a callee says in the details of an ERROR is for the caller, and forwarded. Those options that it knows but does not support are refused with
//! `wamp.error.option_not_allowed` where ignoring them would change who gets what: other values of `runmode`. Payload passthru mode is a
//! protocol violation of a client that has not announced it, and so is a progressive call.

mod action;
mod broker;
mod closing;
mod config;
mod dealer;
mod ids;
mod meta;
mod opening;
mod passthru;
mod patterns;
mod peer;
mod permissions;
mod quirks;
mod realm;
mod requests;
mod shards;
mod timestamp;
mod user;

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use wamp_proto::{
    DecodeError, DecodeErrorKind, Error, ErrorDetails, Format, IntoPayload as _, Message, MessageType, PayloadCheck,
    RequestId, Role, SessionId, Uri, decode,
};

pub use self::action::{PeerId, RouterAction};
pub use self::broker::{HistoryError, HistoryEvent, HistoryFilter, HistoryPage, SubscriptionInfo};
pub use self::config::{Disclosure, RealmConfig, RouterConfig, RouterLimits};
pub use self::dealer::RegistrationInfo;
use self::ids::Ids;
use self::peer::{Peers, State};
pub use self::permissions::{Permission, RoleConfig};
pub use self::quirks::{HistoryShape, Quirks};
use self::realm::Realm;
use self::requests::new_request;
pub use self::user::User;
use crate::{Frame, Time};

/// A router: a state machine without IO.
///
/// Inputs never fail, and news of a peer that is unknown (by now) are ignored. An earlier `now` counts as the latest seen.
/// See the [module](self) for what it does.
pub struct Router {
    peers: Peers,
    realms: BTreeMap<Uri, Realm>,
    /// The sessions that have joined.
    sessions: BTreeMap<SessionId, PeerId>,
    ids: Ids,
    agent: Option<Arc<str>>,
    formats: Vec<Format>,
    join_timeout: Duration,
    close_timeout: Duration,
    is_shut_down: bool,
    protocol_violations: u64,
}

/// Counts of what a router has seen, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouterStats {
    /// Sessions that ended because their client broke the protocol.
    pub protocol_violations: u64,
    /// Events that did not reach a subscriber because its format cannot carry them, counted per subscriber.
    pub dropped_events: u64,
    /// Answers to invocations that no caller waited for any more, and parts of results that no caller takes.
    pub discarded_answers: u64,
    /// CALLs with more input for calls that were over.
    pub discarded_calls: u64,
}

/// How a client broke the protocol, in words.
struct Violation {
    text: String,
}

impl Violation {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

impl Router {
    /// Makes a router without peers.
    #[must_use]
    pub fn new(config: RouterConfig) -> Self {
        let realms = config.realms.into_iter().map(|(name, realm)| (name, Realm::new(realm)));
        Self {
            peers: Peers::new(config.limits, config.quirks, config.close_timeout, config.unix_time),
            realms: realms.collect(),
            sessions: BTreeMap::new(),
            ids: Ids::new(&config.secret, config.seed),
            agent: config.agent,
            formats: config.formats,
            join_timeout: config.join_timeout,
            close_timeout: config.close_timeout,
            is_shut_down: false,
            protocol_violations: 0,
        }
    }

    /// Chooses among the WebSocket subprotocols that a client offers, the preferred one first.
    ///
    /// It is `None` if the router has none of them, and the handshake should fail.
    ///
    /// ```
    /// # use wamp_session::proto::Format;
    /// # use wamp_session::router::{Router, RouterConfig};
    /// let router = Router::new(RouterConfig::new([7; 32]));
    /// assert_eq!(router.choose_format(["wamp.0.ancient", Format::ALL[0].subprotocol()]), Some(Format::ALL[0]));
    /// assert_eq!(router.choose_format(["wamp.0.ancient"]), None);
    /// ```
    #[must_use]
    pub fn choose_format<'a>(&self, offered: impl IntoIterator<Item = &'a str>) -> Option<Format> {
        let formats = offered.into_iter().filter_map(Format::from_subprotocol);
        formats.into_iter().find(|format| self.formats.contains(format))
    }

    /// A client has opened a transport, on which messages have this format; the router names it.
    ///
    /// Over the limit of peers, and after [`shutdown`](Self::shutdown), it is closed at once.
    #[must_use = "the router knows the transport by it"]
    pub fn handle_opened(&mut self, now: Time, format: Format) -> PeerId {
        self.advance(now);
        let is_full = self.peers.len() >= self.peers.limits.peers;
        let id = self.peers.open(format);
        if self.is_shut_down {
            self.peers.close(id, 1001, "the router shuts down");
        } else if is_full {
            self.peers.close(id, 1013, "too many peers");
        } else {
            self.peers.set_deadline(id, self.peers.now.checked_add(self.join_timeout));
        }
        id
    }

    /// A frame was received.
    pub fn handle_frame(&mut self, now: Time, peer: PeerId, frame: Frame) {
        self.advance(now);
        let received = self.received(peer, frame);
        if let Err(violation) = received {
            self.violated(peer, &violation);
        }
        self.settle();
    }

    /// A transport has ended. After a [`RouterAction::Close`] this need not be said.
    pub fn handle_closed(&mut self, now: Time, peer: PeerId) {
        self.advance(now);
        if let Some(member) = self.peers.remove(peer) {
            self.leave(peer, member);
        }
        self.settle();
    }

    /// A peer takes no more frames for now.
    ///
    /// They stay in the router until [`handle_writable`](Self::handle_writable), up to [`RouterLimits::max_outbound_bytes`].
    ///
    /// Embedders whose peers always take frames do not need it; neither do those that leave actions untaken.
    pub fn handle_blocked(&mut self, now: Time, peer: PeerId) {
        self.advance(now);
        self.peers.set_blocked(peer, true);
    }

    /// A peer takes frames again.
    pub fn handle_writable(&mut self, now: Time, peer: PeerId) {
        self.advance(now);
        self.peers.set_blocked(peer, false);
    }

    /// Time has passed; call it at the latest at [`poll_timeout`](Self::poll_timeout), as often as you like.
    pub fn handle_timeout(&mut self, now: Time) {
        self.advance(now);
        self.expire();
        self.settle();
    }

    /// Takes the next thing to do.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<RouterAction> {
        self.peers.poll()
    }

    /// The next deadline; call [`handle_timeout`](Self::handle_timeout) then.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let of_calls = self.realms.values().filter_map(|realm| realm.dealer.next_deadline());
        of_calls.chain(self.peers.next_deadline()).min()
    }

    /// How many peers there are, joined or not.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    /// The sessions of a realm.
    pub fn sessions<'a>(&'a self, realm: &'a str) -> impl Iterator<Item = (PeerId, SessionId)> {
        self.peers.members(realm).map(|(id, member)| (id, member.session))
    }

    /// How many bytes of frames to a peer wait to be taken with [`poll_action`](Self::poll_action).
    #[must_use]
    pub fn outbound_bytes(&self, peer: PeerId) -> usize {
        self.peers.outbound_bytes(peer)
    }

    /// What the router has counted.
    #[must_use]
    pub fn stats(&self) -> RouterStats {
        RouterStats {
            protocol_violations: self.protocol_violations,
            dropped_events: self.realms.values().map(|realm| realm.broker.dropped_events).sum(),
            discarded_answers: self.realms.values().map(|realm| realm.dealer.discarded_answers).sum(),
            discarded_calls: self.realms.values().map(|realm| realm.dealer.discarded_calls).sum(),
        }
    }

    fn advance(&mut self, now: Time) {
        self.peers.now = self.peers.now.max(now);
    }

    fn received(&mut self, id: PeerId, frame: Frame) -> Result<(), Violation> {
        let Some(peer) = self.peers.get(id) else { return Ok(()) };
        let format = peer.format;
        if let State::Closing { .. } = peer.state {
            return Ok(());
        }
        let is_leaving = matches!(peer.state, State::Leaving);
        let is_joining = matches!(peer.state, State::Opening | State::Authenticating(_));
        let (is_binary, bytes) = match frame {
            Frame::Text(bytes) => (false, bytes),
            Frame::Binary(bytes) => (true, bytes),
        };
        if is_binary != format.is_binary() {
            return if is_leaving {
                Ok(())
            } else {
                Err(Violation::new(format!("a frame is of the wrong kind for {format}")))
            };
        }
        if is_joining && bytes.len() > self.peers.limits.hello_bytes {
            return Err(Violation::new("the message is too long for a session that is not joined"));
        }
        self.peers.frame_bytes = bytes.len();
        match decode(bytes, format, &self.peers.limits.message, PayloadCheck::OnReceipt) {
            Ok(message) => self.message(id, message),
            Err(_) if is_leaving => Ok(()),
            Err(error) => self.undecodable(id, &error),
        }
    }

    fn message(&mut self, id: PeerId, message: Message) -> Result<(), Violation> {
        let Some(peer) = self.peers.get(id) else { return Ok(()) };
        match (&peer.state, message) {
            (State::Closing { .. }, _) => {}
            // It has had GOODBYE; what it sent before it saw that does not count.
            (State::Leaving, Message::Goodbye(_)) => self.end_transport(id, 1000, "wamp.close.goodbye_and_out"),
            (_, Message::Abort(_)) => self.close_peer(id, 1000, "the client aborted"),
            (State::Leaving, _) => {}
            (State::Opening, Message::Hello(hello)) => self.hello(id, hello)?,
            (State::Authenticating(_), Message::Authenticate(answer)) => self.authenticate(id, &answer),
            (State::Opening | State::Authenticating(_), _) if self.peers.quirks.has_ignore_untimely() => {}
            (State::Opening, message) => return Err(unexpected(&message, "before HELLO")),
            (State::Authenticating(_), message) => return Err(unexpected(&message, "instead of AUTHENTICATE")),
            (State::Joined(_), Message::Goodbye(_)) => self.goodbye(id),
            (State::Joined(_), message) => self.routed(id, message)?,
        }
        Ok(())
    }

    /// A message of a session to the broker or the dealer.
    fn routed(&mut self, id: PeerId, message: Message) -> Result<(), Violation> {
        let quirks = self.peers.quirks;
        let Some(message) = quirks.misread(message) else { return Ok(()) };
        let kind = message.message_type();
        let role = match kind {
            MessageType::Publish => Role::Publisher,
            MessageType::Subscribe | MessageType::Unsubscribe => Role::Subscriber,
            MessageType::Call | MessageType::Cancel => Role::Caller,
            MessageType::Register | MessageType::Unregister | MessageType::Yield | MessageType::Error => Role::Callee,
            _ => return Err(unexpected(&message, "after the session was established")),
        };
        let Some(member) = self.peers.member(id) else { return Ok(()) };
        if !member.has(role) && !quirks.has_ignore_roles() {
            return Err(Violation::new(format!("{kind} received from a session without the role {}", role.as_str())));
        }
        let message = match message {
            Message::Call(call) => match self.continued(id, call)? {
                Some(call) => Message::Call(call),
                None => return Ok(()),
            },
            message => message,
        };
        if let Some(request) = new_request(&message) {
            self.count_request(id, kind, request)?;
        }
        if let Message::Call(call) = &message {
            self.note_input(id, call);
        }
        if let Some(error) = self.forbidden(id, &message) {
            if let Some(wish) = permissions::wish(&message).filter(|wish| wish.is_answered) {
                refuse(&mut self.peers, id, wish.kind, wish.request, error);
            }
            return Ok(());
        }
        let message = match message {
            Message::Call(call) if call.procedure.is_reserved() && !quirks.has_open_reserved() => {
                self.meta_call(id, call);
                return Ok(());
            }
            message => message,
        };
        let Some(member) = self.peers.member(id) else { return Ok(()) };
        let Some(realm) = self.realms.get_mut(&member.realm) else { return Ok(()) };
        let Realm { config, broker, dealer } = realm;
        let (peers, ids) = (&mut self.peers, &mut self.ids);
        match message {
            Message::Publish(publish) => broker.publish(config, peers, ids, id, publish)?,
            Message::Subscribe(subscribe) => broker.subscribe(peers, ids, id, &subscribe),
            Message::Unsubscribe(unsubscribe) => broker.unsubscribe(peers, id, &unsubscribe),
            Message::Call(call) => dealer.call(config, peers, ids, id, call)?,
            Message::Cancel(cancel) => dealer.cancel(peers, id, &cancel),
            Message::Register(register) => dealer.register(config, peers, ids, id, &register),
            Message::Unregister(unregister) => dealer.unregister(peers, id, &unregister),
            Message::Yield(answer) => dealer.yielded(peers, id, answer)?,
            Message::Error(answer) => dealer.failed(config, peers, ids, id, answer)?,
            // Refused above, by their type.
            _ => {}
        }
        Ok(())
    }

    /// The error with which a message is refused, if the role of a session may not do what it asks for.
    fn forbidden(&self, id: PeerId, message: &Message) -> Option<&'static str> {
        let member = self.peers.member(id)?;
        let role = self.realms.get(&member.realm)?.config.roles.get(&member.authrole)?;
        let wish = permissions::wish(message)?;
        (!role.allows(&wish)).then_some("wamp.error.not_authorized")
    }

    /// A frame that is no message: a request with an incorrect URI gets an ERROR, as the specification wants, everything else
    /// ends the session.
    fn undecodable(&mut self, id: PeerId, error: &DecodeError) -> Result<(), Violation> {
        let Some(peer) = self.peers.get(id) else { return Ok(()) };
        let is_uri = matches!(error.kind(), DecodeErrorKind::InvalidUri(_));
        match (&peer.state, error.message_type(), error.request()) {
            (State::Opening, Some(MessageType::Hello), _) if is_uri => {
                self.abort(id, "wamp.error.invalid_uri", &format!("the realm is no URI: {error}"));
                Ok(())
            }
            (
                State::Joined(_),
                Some(
                    kind @ (MessageType::Publish | MessageType::Subscribe | MessageType::Call | MessageType::Register),
                ),
                Some(request),
            ) if is_uri => {
                if self.peers.quirks.has_close_on_invalid_uri() {
                    self.close_peer(id, 1011, "a URI is not valid");
                    return Ok(());
                }
                self.count_request(id, kind, request)?;
                if error.wants_answer() {
                    refuse(&mut self.peers, id, kind, request, "wamp.error.invalid_uri");
                }
                Ok(())
            }
            (State::Joined(_), Some(kind @ MessageType::Cancel), Some(request))
                if self.peers.quirks.has_error_to_cancel() =>
            {
                refuse(&mut self.peers, id, kind, request, "wamp.error.invalid_argument");
                Ok(())
            }
            _ if self.peers.quirks.has_ignore_undecodable() => Ok(()),
            _ => Err(Violation::new(error.to_string())),
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("realms", &self.realms.keys())
            .field("peers", &self.peers())
            .field("sessions", &self.sessions.len())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

fn unexpected(message: &Message, when: &str) -> Violation {
    Violation::new(format!("{} received {when}", message.message_type()))
}

/// Answers a request with an ERROR of the router's own.
fn refuse(peers: &mut Peers, id: PeerId, request_type: MessageType, request: RequestId, error: &'static str) {
    let details = ErrorDetails::default();
    let explained = || {
        let text = format!("the router answers {request_type} {request} with {error}");
        (text,).into_payload(peers.get(id)?.format).ok()
    };
    let payload = if peers.quirks.has_explain_errors() { explained() } else { None };
    let payload = payload.unwrap_or_default();
    peers.send(id, &Error { request_type, request, details, error: uri(error), payload }.into());
}

/// A URI of the specification.
fn uri(text: &'static str) -> Uri {
    #[expect(clippy::expect_used, reason = "every caller passes a literal that is a URI")]
    Uri::new(text).expect("a URI of the specification")
}
