//! A game whose loop is the network: sessions and a router in one process, with no socket, no clock and no runtime.
//!
//! `cargo run -p wamp-session --features router --example game_loop -- --seed 7`
//!
//! Twenty times a second the loop hands over the frames that are due, tells everybody what time it is, lets the game react, and
//! puts what they want to send on the wire. A seed says when links break and how: what is under way fails, the sessions join again,
//! and the game goes on. The same seed prints the same trace.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an example: its own URIs and names are right")]

use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use wamp_session::proto::{Format, IntoPayload, Payload, Uri};
use wamp_session::router::{PeerId, RealmConfig, Router, RouterAction, RouterConfig};
use wamp_session::{
    Action, CallKey, CallOptions, CloseReason, Config, Frame, KeepAlive, Opened, PublishOptions, ReconnectPolicy,
    RegisterOptions, Response, Session, SessionEvent, Status, SubscribeOptions, Time, TransportError,
    TransportErrorKind, TransportId,
};

const TICK_MILLIS: u64 = 50;
/// The game, the part of it in which links break, and how long everybody may take to say goodbye.
const GAME_TICKS: u64 = 1_000;
const ROUGH_TICKS: u64 = 600;
const GOODBYE_TICKS: u64 = 100;
const CUTS: u64 = 10;

const ARENA: &str = "arena";
const PLAYERS: [&str; 3] = ["ann", "bob", "eve"];
const STEP: &str = "com.example.step";
const SCORES: &str = "com.example.scores";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let seed = match (args.next().as_deref(), args.next()) {
        (None, _) => 1,
        (Some("--seed"), Some(seed)) => seed.parse()?,
        _ => return Err("usage: game_loop [--seed N]".into()),
    };
    for line in play(seed).trace {
        println!("{line}");
    }
    Ok(())
}

/// How a game went.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) trace: Vec<String>,
    /// How many links were cut, and how many sessions were joined after one was lost.
    pub(crate) cuts: u64,
    pub(crate) rejoins: u64,
    pub(crate) steps: Steps,
    /// The steps that were taken, and the scores that were heard, by each player after the last link broke.
    pub(crate) late_steps: BTreeMap<&'static str, u64>,
    pub(crate) late_scores: BTreeMap<&'static str, u64>,
    /// What the router held when the game was over, before everybody left: topics with their subscribers, and procedures.
    pub(crate) subscriptions: Vec<(String, usize)>,
    pub(crate) registrations: Vec<String>,
    /// What was left at the router after that.
    pub(crate) left_behind: usize,
    pub(crate) closed: usize,
    pub(crate) violations: u64,
}

/// What became of the players' calls.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Steps {
    pub(crate) asked: u64,
    pub(crate) taken: u64,
    pub(crate) failed: u64,
}

/// Plays the whole game.
pub(crate) fn play(seed: u64) -> Outcome {
    let mut game = Game::new(seed);
    while game.tick < GAME_TICKS {
        game.tick();
    }
    game.outcome.subscriptions =
        game.router.subscriptions("game").map(|s| (s.topic.to_string(), s.subscribers.len())).collect();
    game.outcome.registrations = game.router.registrations("game").map(|it| it.procedure.to_string()).collect();
    game.report("the game is over, everybody leaves");
    let now = game.now();
    for seat in &mut game.seats {
        seat.is_playing = false;
        seat.session.close(now, CloseReason::CloseRealm);
    }
    for _ in 0..GOODBYE_TICKS {
        game.tick();
    }
    let Game { router, mut outcome, seats, .. } = game;
    outcome.left_behind = router.peers() + router.subscriptions("game").count() + router.registrations("game").count();
    outcome.closed = seats.iter().filter(|seat| matches!(seat.session.status(), Status::Closed)).count();
    outcome.violations = router.stats().protocol_violations;
    let Steps { asked, taken, failed } = outcome.steps;
    outcome.trace.push(format!(
        "{} links were cut, {} sessions came back; of {asked} steps {taken} were taken and {failed} failed",
        outcome.cuts, outcome.rejoins
    ));
    outcome
}

/// Everything, in one state that only [`tick`](Self::tick) changes.
struct Game {
    tick: u64,
    router: Router,
    /// The arena first, then the players.
    seats: Vec<Seat>,
    /// Which link breaks when.
    cuts: VecDeque<Cut>,
    /// Peers whose end the router hears of later.
    ghosts: Vec<(u64, PeerId)>,
    /// How far each player has come: the arena's state.
    scores: BTreeMap<String, u64>,
    outcome: Outcome,
}

/// Somebody with a session.
struct Seat {
    name: &'static str,
    session: Session,
    opening: Option<(TransportId, Arc<[&'static str]>)>,
    link: Option<Link>,
    /// No link can be opened before.
    offline_until: u64,
    /// The step that is asked for.
    step: Option<CallKey>,
    was_joined: bool,
    is_playing: bool,
}

/// Two queues of what is under way; everything takes one tick.
struct Link {
    id: TransportId,
    peer: PeerId,
    to_router: VecDeque<Wire>,
    to_session: VecDeque<Wire>,
    /// It takes everything and delivers nothing.
    is_dead: bool,
}

enum Wire {
    Frame(Frame),
    Ping,
    Pong,
    Close(u16),
}

struct Cut {
    tick: u64,
    seat: usize,
    kind: CutKind,
    /// How many ticks the network is away.
    outage: u64,
}

#[derive(Clone, Copy, Debug)]
enum CutKind {
    /// Both ends notice.
    Clean,
    /// The router notices only later, and still holds what the session before had registered.
    Unclean,
    /// Nobody notices: the session finds out by its pings.
    Silent,
}

impl CutKind {
    const fn words(self) -> &'static str {
        match self {
            Self::Clean => "a clean",
            Self::Unclean => "an unclean",
            Self::Silent => "a silent",
        }
    }
}

impl Game {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let realm = RealmConfig::new("game").unwrap().anonymous("player");
        let secret = core::array::from_fn(|_| chance.below(256) as u8);
        let names = [ARENA].into_iter().chain(PLAYERS);
        let seats: Vec<_> = names.enumerate().map(|(n, name)| Seat::new(n, name, chance.below(u64::MAX))).collect();
        let mut cuts: Vec<_> = (0..CUTS)
            .map(|_| Cut {
                tick: 40 + chance.below(ROUGH_TICKS - 40),
                seat: chance.below(4) as usize,
                kind: [CutKind::Clean, CutKind::Unclean, CutKind::Silent][chance.below(3) as usize],
                outage: chance.below(40),
            })
            .collect();
        cuts.sort_by_key(|cut| cut.tick);
        Self {
            tick: 0,
            router: Router::new(RouterConfig::new(secret).realm(realm)),
            seats,
            cuts: cuts.into(),
            ghosts: Vec::new(),
            scores: BTreeMap::new(),
            outcome: Outcome::default(),
        }
    }

    fn now(&self) -> Time {
        Time::from_millis(self.tick * TICK_MILLIS)
    }

    fn report(&mut self, what: impl AsRef<str>) {
        let millis = self.tick * TICK_MILLIS;
        self.outcome.trace.push(format!("{:>3}.{:02} s  {}", millis / 1000, millis % 1000 / 10, what.as_ref()));
    }

    /// One turn of the loop.
    fn tick(&mut self) {
        self.tick += 1;
        let now = self.now();
        self.cut();
        for seat in 0..self.seats.len() {
            self.open(seat);
            self.deliver(seat);
        }
        self.router.handle_timeout(now);
        for seat in 0..self.seats.len() {
            self.seats[seat].session.handle_timeout(now);
            while let Some(event) = self.seats[seat].session.poll_event() {
                self.react(seat, event);
            }
            self.act(seat);
        }
        self.send();
    }

    /// Breaks what is to break in this tick, and tells the router of what broke a while ago.
    fn cut(&mut self) {
        let now = self.now();
        while let Some(cut) = self.cuts.pop_front_if(|cut| cut.tick <= self.tick) {
            let seat = &mut self.seats[cut.seat];
            let name = seat.name;
            let Some(link) = seat.link.as_ref().filter(|link| !link.is_dead) else { continue };
            let (id, peer) = (link.id, link.peer);
            match cut.kind {
                CutKind::Clean => self.router.handle_closed(now, peer),
                CutKind::Unclean => self.ghosts.push((self.tick + 40, peer)),
                CutKind::Silent => self.ghosts.push((self.tick + 60, peer)),
            }
            seat.offline_until = self.tick + cut.outage;
            match (&mut seat.link, cut.kind) {
                (Some(link), CutKind::Silent) => link.is_dead = true,
                (link, _) => {
                    *link = None;
                    seat.session.handle_closed(now, id, TransportError::new(TransportErrorKind::Eof));
                }
            }
            self.outcome.cuts += 1;
            self.outcome.late_steps.clear();
            self.outcome.late_scores.clear();
            let kind = cut.kind.words();
            self.report(format!("{name:<5}  ---- {kind} cut, offline for {} ms", cut.outage * TICK_MILLIS));
        }
        let tick = self.tick;
        for (_, peer) in self.ghosts.extract_if(.., |(at, _)| *at <= tick) {
            self.router.handle_closed(now, peer);
        }
    }

    /// Opens the link that a session asked for a tick ago.
    fn open(&mut self, seat: usize) {
        let now = self.now();
        let seat = &mut self.seats[seat];
        let Some((id, subprotocols)) = seat.opening.take() else { return };
        match self.router.choose_format(subprotocols.iter().copied()) {
            Some(format) if self.tick >= seat.offline_until => {
                let peer = self.router.handle_opened(now, format);
                let (to_router, to_session) = (VecDeque::new(), VecDeque::new());
                seat.link = Some(Link { id, peer, to_router, to_session, is_dead: false });
                seat.session.handle_opened(now, id, Opened::new(Some(format.subprotocol())));
            }
            _ => seat.session.handle_closed(now, id, TransportError::new(TransportErrorKind::Connect)),
        }
    }

    /// Hands over what was put on the link a tick ago.
    fn deliver(&mut self, seat: usize) {
        let now = self.now();
        let seat = &mut self.seats[seat];
        let Some(link) = seat.link.as_mut().filter(|link| !link.is_dead) else { return };
        for wire in std::mem::take(&mut link.to_session) {
            match wire {
                Wire::Frame(frame) => seat.session.handle_frame(now, link.id, frame),
                Wire::Ping | Wire::Pong => seat.session.handle_activity(now, link.id),
                Wire::Close(code) => {
                    let kind = TransportErrorKind::Closed { code: Some(code), reason: String::new() };
                    seat.session.handle_closed(now, link.id, TransportError::new(kind));
                    seat.link = None;
                    return;
                }
            }
        }
        for wire in std::mem::take(&mut link.to_router) {
            match wire {
                Wire::Frame(frame) => self.router.handle_frame(now, link.peer, frame),
                Wire::Ping => link.to_session.push_back(Wire::Pong),
                Wire::Pong => {}
                Wire::Close(code) => {
                    self.router.handle_closed(now, link.peer);
                    link.to_session.push_back(Wire::Close(code));
                }
            }
        }
    }

    /// Puts on the links what the sessions and the router want to send.
    fn send(&mut self) {
        let now = self.now();
        for seat in &mut self.seats {
            while let Some(action) = seat.session.poll_action() {
                let link = seat.link.as_mut();
                match (action, link) {
                    (Action::OpenTransport { id, subprotocols, .. }, _) => {
                        seat.link = None;
                        seat.opening = Some((id, subprotocols));
                    }
                    (Action::Send { id, frame }, Some(link)) if link.id == id => {
                        link.to_router.push_back(Wire::Frame(frame));
                    }
                    (Action::Ping { id }, Some(link)) if link.id == id => link.to_router.push_back(Wire::Ping),
                    (Action::CloseTransport { id, code, .. }, Some(link)) if link.id == id && !link.is_dead => {
                        link.to_router.push_back(Wire::Close(code));
                    }
                    (Action::CloseTransport { id, .. }, _) => {
                        (seat.opening, seat.link) = (None, None);
                        seat.session.handle_closed(now, id, TransportError::new(TransportErrorKind::Silent));
                    }
                    _ => {}
                }
            }
        }
        while let Some(action) = self.router.poll_action() {
            let (peer, wire) = match action {
                RouterAction::Send { peer, frame } => (peer, Wire::Frame(frame)),
                RouterAction::Close { peer, code, .. } => (peer, Wire::Close(code)),
                _ => continue,
            };
            let mut links = self.seats.iter_mut().filter_map(|seat| seat.link.as_mut());
            if let Some(link) = links.find(|link| link.peer == peer) {
                link.to_session.push_back(wire);
            }
        }
    }

    /// The game's answer to what happened in a session.
    fn react(&mut self, seat: usize, event: SessionEvent) {
        let now = self.now();
        let name = self.seats[seat].name;
        match event {
            SessionEvent::Joined(joined) => {
                let verb = if self.seats[seat].was_joined { "joined again" } else { "joined" };
                self.outcome.rejoins += u64::from(self.seats[seat].was_joined);
                self.seats[seat].was_joined = true;
                self.report(format!("{name:<5}  {verb} as {} over {}", joined.session, joined.format));
            }
            SessionEvent::Left(left) => self.report(format!(
                "{name:<5}  left: {}; attempt {} in {} ms",
                cause(&left.cause),
                left.attempt,
                left.retry_in.as_millis()
            )),
            SessionEvent::Restored { failed } if failed.is_empty() => {
                self.report(format!("{name:<5}  has everything back"));
            }
            SessionEvent::Restored { failed } => self.report(format!("{name:<5}  misses {} for now", failed.len())),
            SessionEvent::Registered { result: Ok(()), .. } => self.report(format!("{name:<5}  serves {STEP}")),
            SessionEvent::Subscribed { result: Ok(()), .. } => self.report(format!("{name:<5}  listens to {SCORES}")),
            SessionEvent::Registered { result: Err(error), .. }
            | SessionEvent::Subscribed { result: Err(error), .. } => {
                self.report(format!("{name:<5}  lost a handle: {error}"));
            }
            SessionEvent::Invocation(invocation) => {
                let Ok((player,)) = invocation.payload.args::<(String,)>() else { return };
                let score = self.scores.entry(player).or_default();
                *score += 1;
                let response = Response::Result(payload(*score));
                // If its session is over, so is the invocation.
                let _ = self.seats[seat].session.respond(now, invocation.key, response);
            }
            SessionEvent::CallDone { key, result } if self.seats[seat].step == Some(key) => {
                self.seats[seat].step = None;
                match result {
                    Ok(_) => {
                        self.outcome.steps.taken += 1;
                        *self.outcome.late_steps.entry(name).or_default() += 1;
                    }
                    Err(error) => {
                        self.outcome.steps.failed += 1;
                        self.report(format!("{name:<5}  a step failed: {}", cause(&error)));
                    }
                }
            }
            SessionEvent::Published(event) => {
                *self.outcome.late_scores.entry(name).or_default() += 1;
                let Ok(scores) = event.payload.kwargs::<BTreeMap<String, u64>>() else { return };
                if self.tick % 200 == seat as u64 {
                    self.report(format!("{name:<5}  reads {scores:?}"));
                }
            }
            SessionEvent::Closed(_) => self.report(format!("{name:<5}  closed")),
            _ => {}
        }
    }

    /// What the arena and the players do by themselves.
    fn act(&mut self, seat: usize) {
        let now = self.now();
        let is_arena = seat == 0;
        let seat = &mut self.seats[seat];
        if !seat.is_playing {
            return;
        }
        if is_arena {
            if self.tick.is_multiple_of(4) {
                // Scores that nobody can hear now are followed by others.
                let scores = wamp_session::proto::Kwargs(&self.scores);
                let _ = seat.session.publish(now, uri(SCORES), payload(scores), PublishOptions::new());
            }
        } else if seat.step.is_none() && self.tick.is_multiple_of(6) {
            let call = seat.session.call(now, uri(STEP), payload((seat.name,)), CallOptions::new());
            self.outcome.steps.asked += u64::from(call.is_ok());
            seat.step = call.ok();
        }
    }
}

impl Seat {
    fn new(number: usize, name: &'static str, seed: u64) -> Self {
        let policy = ReconnectPolicy::new()
            .initial_delay(Duration::from_millis(200))
            .max_delay(Duration::from_secs(1))
            .stable_after(Duration::from_secs(2));
        let config = Config::new("game:", "game")
            .formats([Format::ALL[number % Format::ALL.len()]])
            .reconnect(policy)
            .keep_alive(KeepAlive::new().interval(Duration::from_secs(1)).timeout(Duration::from_millis(500)))
            .call_timeout(Duration::from_secs(2))
            .seed(seed);
        let mut session = Session::new(config);
        session.connect(Time::ZERO);
        // What is asked for once stays: the session asks for it again whenever it is joined again.
        if number == 0 {
            session.register(Time::ZERO, uri(STEP), RegisterOptions::new()).unwrap();
        } else {
            session.subscribe(Time::ZERO, uri(SCORES), SubscribeOptions::new()).unwrap();
        }
        let (opening, link, step) = (None, None, None);
        Self { name, session, opening, link, offline_until: 0, step, was_joined: false, is_playing: true }
    }
}

/// An error and what is behind it, in one line.
fn cause(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

/// Sessions of another format than this transcode it.
fn payload(value: impl IntoPayload) -> Payload {
    value.into_payload(Format::ALL[0]).unwrap()
}

/// Chance that is the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
