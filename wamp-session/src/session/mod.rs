//! The client's end of a session.

mod callee;
mod caller;
mod closing;
mod commands;
mod deadlines;
mod discarded;
mod inbound;
mod invocations;
mod life;
mod opening;
mod orphans;
mod outbound;
mod passthru;
mod publisher;
mod receiving;
mod rejoining;
mod requests;
mod state;
mod subscriber;
mod waiting;

use core::fmt;
use std::sync::Arc;

use wamp_proto::Format;

use self::callee::Callee;
use self::caller::Calls;
use self::deadlines::{Deadline, Deadlines};
#[cfg(feature = "client")]
pub(crate) use self::discarded::Discarded;
use self::discarded::Discards;
use self::inbound::Inbound;
use self::invocations::Invocations;
use self::life::Life;
use self::outbound::Outbound;
use self::publisher::Publications;
use self::rejoining::{Restoring, Run, Undecided};
use self::requests::Requests;
use self::state::{Closing, State};
use self::subscriber::Subscriptions;
use self::waiting::Waiting;
use crate::{
    Action, Config, Frame, Opened, SessionEvent, Stats, Status, Time, TimeoutReason, TransportError, TransportId,
};

/// The format of sessions whose configuration has none, which never get anywhere.
const ANY_FORMAT: Format = match Format::ALL.first() {
    Some(format) => *format,
    None => panic!("a build without formats does not compile"),
};

/// A client session: a state machine without IO (WAMP Basic Profile).
///
/// It is told what happens to the transport (`handle_…`) and what the application wants (the plain verbs), and it has three outputs:
/// actions for the transport, events for the application, and the next deadline. Inputs never fail and never panic, whatever the
/// peer sends; commands fail only for the caller's own mistakes. The outputs may be taken at any time, in any order, or not at all;
/// no order holds between actions and events.
///
/// ```
/// # #[cfg(not(feature = "json"))] fn main() {}
/// # #[cfg(feature = "json")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use wamp_session::proto::{Format, IntoPayload, Uri};
/// use wamp_session::{Action, CallOptions, Config, Frame, Opened, Session, SessionEvent, Time};
///
/// let mut session = Session::new(Config::new("ws://127.0.0.1:8080/ws", "realm1").agent(None).keep_alive(None));
/// session.connect(Time::ZERO);
///
/// // The embedder opens a WebSocket …
/// let Some(Action::OpenTransport { id, .. }) = session.poll_action() else { panic!() };
/// session.handle_opened(Time::from_millis(2), id, Opened::new(Some("wamp.2.json")));
///
/// // … sends what the session wants to be sent …
/// let Some(Action::Send { frame: Frame::Text(hello), .. }) = session.poll_action() else { panic!() };
/// assert!(hello.starts_with(br#"[1,"realm1",{"roles":"#));
///
/// // … and hands over what it receives.
/// let welcome = br#"[2,7814135,{"roles":{"broker":{},"dealer":{}}}]"#.as_slice();
/// session.handle_frame(Time::from_millis(4), id, Frame::Text(welcome.into()));
/// assert!(matches!(session.poll_event(), Some(SessionEvent::Joined(_))));
///
/// let sum = ("com.example.add2", (2, 3).into_payload(Format::Json)?);
/// let key = session.call(Time::from_millis(5), Uri::new(sum.0)?, sum.1, CallOptions::new())?;
/// let Some(Action::Send { frame, .. }) = session.poll_action() else { panic!() };
/// assert_eq!(&frame.bytes()[..], br#"[48,1,{},"com.example.add2",[2,3]]"#);
/// # assert_eq!(session.poll_timeout(), None);
/// # let _ = key;
/// # Ok(())
/// # }
/// ```
///
/// **Time.** A `now` that is earlier than one before counts as that one.
///
/// **While it is not joined**, before the first join and between two, [`call`](Self::call), [`publish_acked`](Self::publish_acked),
/// [`subscribe`](Self::subscribe) and [`register`](Self::register) wait for the join, in their order, within their timeout;
/// [`publish`](Self::publish) fails at once. That is the default, and an option of each ([`OfflinePolicy`](crate::OfflinePolicy)).
/// [`unsubscribe`](Self::unsubscribe) and [`unregister`](Self::unregister) succeed at once, since the router has nothing to end.
///
/// **When the session is lost**, or cannot be joined, the next attempt follows by the [policy](crate::ReconnectPolicy), and
/// [`SessionEvent::Left`] says so. What is in flight ends at once with
/// [`RequestError::Disconnected`](crate::RequestError::Disconnected) and is never sent again: calls and acknowledged publications,
/// UNSUBSCRIBEs and UNREGISTERs. Invocations that were not answered get [`SessionEvent::InvocationEnded`]; their keys are unknown
/// from then on. Subscriptions and registrations stay, confirmed or not, and are sent again right after the next WELCOME, all at
/// once, with their options and under the same keys. [`SessionEvent::Restored`] follows when they are answered. One that is refused
/// gets another [`SessionEvent::Subscribed`] or [`SessionEvent::Registered`] with the error and is gone; only
/// `wamp.error.procedure_already_exists` is tried again, since the router may not have noticed the end of the session before.
///
/// **When the session is closed**, because the application wants it or the policy gives up, each call and acknowledged publication
/// gets its final event, with [`RequestError::Closed`](crate::RequestError::Closed) if the application closed it, else with
/// [`RequestError::Disconnected`](crate::RequestError::Disconnected); so do subscriptions and registrations that were not confirmed
/// yet, and UNSUBSCRIBEs and UNREGISTERs without answer. Invocations, subscriptions and registrations end. Last comes
/// [`SessionEvent::Closed`], when the transport has ended or after the close timeout, then nothing until the next
/// [`connect`](Self::connect).
///
/// **What the router may not do** ends the session with ABORT `wamp.error.protocol_violation` and
/// [`CloseCause::ProtocolViolation`](crate::CloseCause::ProtocolViolation). Tolerated are: WELCOME without roles (nothing is known
/// of the router then, so nothing is refused on its account, and no feature counts as announced); answers to unknown requests and
/// EVENTs of unknown subscriptions (counted); INVOCATIONs of unknown registrations (answered with
/// `wamp.error.no_such_registration`); INTERRUPTs of unknown invocations, more input for invocations that have ended, and
/// progressive results that nobody asked for (ignored); an ERROR whose URI is none (the request fails with
/// `wamp.error.invalid_uri`).
///
/// Dropping a session says nothing to the router: [`close`](Self::close) it first.
pub struct Session {
    config: Config,
    now: Time,
    state: State,
    /// The format of the last session.
    format: Option<Format>,
    transports: u64,
    keys: u64,
    outbound: Outbound,
    events: Inbound,
    deadlines: Deadlines,
    waiting: Waiting,
    requests: Requests,
    calls: Calls,
    publications: Publications,
    subscriptions: Subscriptions,
    callee: Callee,
    invocations: Invocations,
    run: Run,
    restoring: Option<Restoring>,
    undecided: Option<Undecided>,
    life: Life,
    stats: Stats,
    discards: Discards,
}

impl Session {
    /// Makes a session that is not connected.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let run = Run::new(config.seed.unwrap_or_default());
        Self {
            config,
            now: Time::ZERO,
            state: State::Closed,
            format: None,
            transports: 0,
            keys: 0,
            outbound: Outbound::default(),
            events: Inbound::default(),
            deadlines: Deadlines::default(),
            waiting: Waiting::default(),
            requests: Requests::default(),
            calls: Calls::new(),
            publications: Publications::new(),
            subscriptions: Subscriptions::default(),
            callee: Callee::default(),
            invocations: Invocations::default(),
            run,
            restoring: None,
            undecided: None,
            life: Life::default(),
            stats: Stats::default(),
            discards: Discards::default(),
        }
    }

    /// A transport was opened: sends HELLO, the first message.
    ///
    /// If the server chose no subprotocol, or one that was not offered, the session closes without a message. It closes as well if a
    /// method is offered that needs an authid, and there is none.
    pub fn handle_opened(&mut self, now: Time, id: TransportId, opened: Opened) {
        self.advance(now);
        self.opened(id, opened);
    }

    /// A frame was received.
    ///
    /// Frames of a transport that is not the present one, and those that come after the session has ended, are ignored.
    pub fn handle_frame(&mut self, now: Time, id: TransportId, frame: Frame) {
        self.advance(now);
        self.heard(id);
        self.receive(id, frame);
    }

    /// Something came from the peer that is no frame, or not a whole one yet: it lives.
    ///
    /// Call it for pongs, and for bytes: a large message arrives slowly, and a pong queues behind it.
    pub fn handle_activity(&mut self, now: Time, id: TransportId) {
        self.advance(now);
        self.heard(id);
    }

    /// A transport could not be opened, or ended, in whatever way: the session is closed, or left until the next attempt.
    pub fn handle_closed(&mut self, now: Time, id: TransportId, why: TransportError) {
        self.advance(now);
        self.lost(id, why);
    }

    /// Time has passed; call it at the latest at [`poll_timeout`](Self::poll_timeout), as often as you like.
    pub fn handle_timeout(&mut self, now: Time) {
        self.advance(now);
        while let Some(deadline) = self.deadlines.take_due(self.now) {
            match deadline {
                Deadline::Join => self.join_timed_out(),
                Deadline::Close => self.close_timed_out(),
                Deadline::Life => self.life_due(),
                Deadline::Reconnect => self.open(),
                Deadline::Decide => self.decide_by_default(),
                Deadline::Restore => self.restore_timed_out(),
                Deadline::Reregister(key) => self.register_again(key),
                Deadline::Call(key) => self.call_timed_out(key),
                Deadline::Invocation(key) => self.invocation_timed_out(key),
                Deadline::Publish(key) => self.publish_timed_out(key),
                Deadline::Subscribe(key) => self.subscribe_timed_out(key),
                Deadline::GiveUp(key) => self.give_up(key),
                Deadline::Register(key) => self.register_timed_out(key),
                Deadline::Withdraw(request) => self.withdrawal_timed_out(request),
            }
        }
    }

    /// Takes the next thing to do.
    ///
    /// What was to be done with a transport that has ended meanwhile is left out.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.outbound.pop()
    }

    /// Takes the next thing that happened.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop()
    }

    /// The next deadline and its reason; call [`handle_timeout`](Self::handle_timeout) then.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Time, TimeoutReason)> {
        self.deadlines.next()
    }

    /// Where the session stands.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.state {
            State::Closed => Status::Closed,
            State::Opening { .. } | State::Joining(_) => Status::Connecting,
            State::Joined(established) => Status::Joined(Arc::clone(&established.joined)),
            State::Waiting(pause, _) | State::Closing(Closing { retry: Some(pause), .. }) => Status::Waiting {
                left: Arc::clone(&pause.left),
                retry_at: pause.at.unwrap_or(Time::from_nanos(u64::MAX)),
            },
            State::Closing(_) | State::Undecided => Status::Closing,
        }
    }

    /// The transport in use, from the action that asks for it to its end.
    #[must_use]
    pub fn transport(&self) -> Option<TransportId> {
        self.state.transport()
    }

    /// The format of the present session, else of the last one, else the first that is offered: the one to encode payloads in.
    ///
    /// Payloads in other formats are transcoded when they are sent.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.or_else(|| self.config.formats.first().copied()).unwrap_or(ANY_FORMAT)
    }

    /// Whether there is room for what further frames may bring.
    ///
    /// While there is not, because nobody takes events or frames, EVENTs are dropped and INVOCATIONs refused
    /// ([`Limits`](crate::Limits)): an embedder that would rather slow the router down leaves the transport unread meanwhile. The peer
    /// counts as silent then, unless [`handle_activity`](Self::handle_activity) says otherwise.
    #[must_use]
    pub fn wants_frames(&self) -> bool {
        let limits = &self.config.limits;
        self.events.has_room(limits) && self.outbound.bytes() < limits.outbound_bytes
    }

    /// How many bytes of frames wait to be taken with [`poll_action`](Self::poll_action).
    ///
    /// The session does not bound them: whoever publishes faster than the transport sends should wait for this to fall.
    #[must_use]
    pub fn outbound_bytes(&self) -> usize {
        self.outbound.bytes()
    }

    /// What the session has counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }
}

impl Session {
    fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    fn next_key(&mut self) -> u64 {
        self.keys += 1;
        self.keys
    }

    /// What the session holds of what is under way.
    #[cfg(all(test, feature = "client", feature = "json"))]
    pub(crate) fn under_way(&self) -> [(&'static str, usize); 7] {
        [
            ("requests", self.requests.len()),
            ("session's calls", self.calls.len()),
            ("waiting", self.waiting.len()),
            ("answers", self.events.answers()),
            ("running", self.invocations.len()),
            ("registrations given up", self.callee.given_up()),
            ("deadlines", self.deadlines.len()),
        ]
    }

    /// How many commands wait for a join.
    #[cfg(feature = "client")]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn is_joined(&self) -> bool {
        matches!(self.state, State::Joined(_))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("config", &self.config)
            .field("now", &self.now)
            .field("status", &self.status())
            .field("transport", &self.transport())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
