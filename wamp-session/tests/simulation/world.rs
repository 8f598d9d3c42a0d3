//! Clients, links and a router, moved by chance.

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_session::proto::{CancelMode, Format, MatchPolicy, Payload, Uri};
use wamp_session::router::{PeerId, RealmConfig, Router, RouterAction, RouterConfig};
use wamp_session::{
    Action, CallOptions, CallPart, CommandError, Config, Jitter, Offline, OfflinePolicy, Opened, PublishOptions,
    ReconnectPolicy, RegisterOptions, Response, Session, Status, SubscribeOptions, Time, TransportError,
    TransportErrorKind,
};

use crate::client::{Client, Link};

const CLIENTS: usize = 3;
const STEPS: usize = 60;
/// How many commands of a kind wait at most for the join of the client that buffers them.
const BUFFER: usize = 2;

/// Chance from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.roll(most + 1))
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[usize::try_from(self.roll(from.len() as u64)).unwrap()]) }
    }
}

pub(crate) struct World {
    dice: Dice,
    now: Time,
    router: Option<Router>,
    routers: u8,
    clients: Vec<Client>,
    /// Peers whose transport the router will find ended.
    orphans: Vec<(Time, PeerId)>,
    pub(crate) trace: Vec<String>,
    /// Which lines of the trace are events of the sessions.
    events: Vec<usize>,
}

fn router(number: u8) -> Router {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    Router::new(RouterConfig::new([number; 32]).realm(realm))
}

fn buffers() -> Offline {
    let policy = OfflinePolicy::Buffer(BUFFER);
    Offline::new().calls(policy).publishes(policy).acked_publishes(policy).subscribes(policy).registers(policy)
}

fn eof() -> TransportError {
    TransportError::new(TransportErrorKind::Eof)
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let client = |number: usize| {
            let jitter = [Jitter::None, Jitter::Full, Jitter::Fraction(0.5)][number % 3];
            let policy = ReconnectPolicy::new().max_delay(Duration::from_secs(8)).jitter(jitter);
            let config = Config::new("mem:", "realm1").formats([Format::Json]).reconnect(policy);
            let config = config.retry_initial_connect(true).seed(seed ^ number as u64);
            // One waits, one buffers and one fails at once while it is not joined.
            let buffer = (number == 1).then_some(BUFFER);
            let offline = match number {
                1 => buffers(),
                2 => Offline::new().calls(OfflinePolicy::FailFast).acked_publishes(OfflinePolicy::FailFast),
                _ => Offline::new(),
            };
            Client::new(Session::new(config.offline(offline)), buffer)
        };
        let clients = (0..CLIENTS).map(client).collect();
        let _ = dice.roll(1);
        Self {
            dice,
            now: Time::ZERO,
            router: Some(router(0)),
            routers: 0,
            clients,
            orphans: Vec::new(),
            trace: Vec::new(),
            events: Vec::new(),
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        self.trace.push(format!("{now:?} {}", line()));
    }

    /// How many events contain a text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.events.iter().filter(|event| self.trace[**event].contains(text)).count()
    }

    /// Lets things happen.
    pub(crate) fn live(&mut self) {
        for index in 0..CLIENTS {
            self.clients[index].connect(self.now);
        }
        self.carry();
        for _ in 0..STEPS {
            self.step();
            let most = self.dice.pick(&[0, 10, 300, 3_000, 40_000]).unwrap();
            let pause = self.dice.millis(most);
            self.pass(pause);
        }
    }

    fn step(&mut self) {
        let index = usize::try_from(self.dice.roll(CLIENTS as u64)).unwrap();
        let name = self.dice.roll(3);
        let topic = Uri::new(format!("com.example.t{name}")).unwrap();
        // One procedure is wanted by everybody, the others have one callee.
        let own = if name == 0 { CLIENTS } else { index };
        let procedure = Uri::new(format!("com.example.p{name}of{own}")).unwrap();
        let callee = self.dice.roll(CLIENTS as u64);
        let called = Uri::new(format!("com.example.p{name}of{callee}")).unwrap();
        let kind = self.dice.roll(104);
        let now = self.now;
        self.note(|| format!("step {kind} of {index}, {name}"));
        let client = &mut self.clients[index];
        match kind {
            0..=11 => {
                let policies = [MatchPolicy::Exact, MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard];
                let policy = self.dice.pick(&policies).unwrap();
                let mut options = SubscribeOptions::new().match_policy(policy);
                let is_retained = self.dice.roll(4) == 0;
                if is_retained {
                    options = options.get_retained();
                }
                let taken = client.session.subscribe(now, topic.clone(), options);
                if let Some(key) = client.check_taken(taken, client.waiting.topics.len()) {
                    client.subscribed(key, topic, policy, is_retained);
                }
            }
            12..=16 => {
                let keys: Vec<_> = client.subscriptions.keys().copied().collect();
                if let Some(key) = self.dice.pick(&keys) {
                    client.unsubscribed(key);
                    let ended = client.session.unsubscribe(now, key);
                    assert!(ended.is_ok() || client.is_over(), "{key:?} is unknown");
                }
            }
            17..=28 => {
                let taken = client.session.register(now, procedure.clone(), RegisterOptions::new());
                if let Some(key) = client.check_taken(taken, client.waiting.registrations.len()) {
                    client.registered(key, procedure);
                }
            }
            29..=33 => {
                let keys: Vec<_> = client.registrations.keys().copied().collect();
                if let Some(key) = self.dice.pick(&keys) {
                    client.unregistered(key);
                    let ended = client.session.unregister(now, key);
                    assert!(ended.is_ok() || client.is_over(), "{key:?} is unknown");
                }
            }
            34..=43 => {
                let options = CallOptions::new().timeout(Duration::from_secs(1 + self.dice.roll(60)));
                let options = if self.dice.roll(2) == 0 { options.receive_progress() } else { options };
                let options = if self.dice.roll(3) == 0 { options.progress() } else { options };
                let taken = client.session.call(now, called, Payload::new(), options);
                if let Some(key) = client.check_taken(taken, client.waiting.calls.len()) {
                    client.called(key);
                }
            }
            44..=45 => {
                if let Some(key) = self.dice.pick(&client.calls()) {
                    let part = if self.dice.roll(2) == 0 { CallPart::More } else { CallPart::Last };
                    let _ = client.session.call_more(now, key, Payload::new(), part);
                }
            }
            46..=47 => {
                if let Some(key) = self.dice.pick(&client.calls()) {
                    let mode = self.dice.pick(&[CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait]);
                    client.session.cancel(now, key, mode.unwrap()).unwrap();
                }
            }
            48..=55 => {
                let taken = client.session.publish_acked(now, topic, Payload::new(), PublishOptions::new());
                if let Some(key) = client.check_taken(taken, client.waiting.publications.len()) {
                    client.published(key);
                }
            }
            56..=60 => drop(client.session.publish(now, topic, Payload::new(), PublishOptions::new().retain())),
            61..=65 => {
                if let Some(key) = self.dice.pick(&client.invocations) {
                    match client.session.respond(now, key, Response::Progress(Payload::new())) {
                        Ok(()) | Err(CommandError::Interrupted) => {}
                        Err(error) => panic!("{key:?}: {error}"),
                    }
                }
            }
            66..=71 => {
                if let Some(key) = client.invocations.pop() {
                    client.session.respond(now, key, Response::Result(Payload::new())).unwrap();
                }
            }
            72..=79 => self.cut(index, true),
            80..=83 => self.cut(index, false),
            84..=87 => {
                if let Some(link) = &mut client.link {
                    link.stalled = true;
                }
            }
            88..=91 => self.restart(),
            92 => self.stop_router(),
            93 => client.session.reconnect_now(now),
            94 => client.session.probe(now),
            95..=97 => client.close(now),
            98..=99 => self.say_goodbye(index),
            _ => client.connect(now),
        }
    }

    /// A connection breaks: one end sees it now, the other one later.
    fn cut(&mut self, index: usize, client_first: bool) {
        let Some(link) = self.clients[index].link.take() else { return };
        let noticed = self.now.checked_add(self.dice.millis(5_000)).unwrap();
        if client_first {
            self.orphans.push((noticed, link.peer));
        } else if let Some(router) = &mut self.router {
            router.handle_closed(self.now, link.peer);
        }
        self.clients[index].session.handle_closed(self.now, link.id, eof());
    }

    /// The router ends a session, and would take the next one.
    fn say_goodbye(&mut self, index: usize) {
        if let (Some(router), Some(link)) = (&mut self.router, &self.clients[index].link) {
            router.close(self.now, link.peer, Uri::new("wamp.close.system_shutdown").unwrap());
        }
    }

    fn stop_router(&mut self) {
        self.router = None;
        self.orphans.clear();
        for client in &mut self.clients {
            if let Some(link) = client.link.take() {
                client.session.handle_closed(self.now, link.id, eof());
            }
        }
    }

    fn restart(&mut self) {
        self.stop_router();
        self.routers += 1;
        self.router = Some(router(self.routers));
    }

    /// Lets time pass, and everything happen that is due until then.
    fn pass(&mut self, duration: Duration) {
        let until = self.now.checked_add(duration).unwrap();
        loop {
            self.carry();
            let sessions = self.clients.iter().filter_map(|client| client.session.poll_timeout()).map(|(at, _)| at);
            let openings = self.clients.iter().filter_map(|client| client.opening).map(|(_, at)| at);
            let endings = self.clients.iter().flat_map(|client| &client.ending).map(|(at, _)| *at);
            let links = self.clients.iter().filter_map(|client| client.link.as_ref()).filter(|link| !link.stalled);
            let frames = links.flat_map(|link| link.up.front().into_iter().chain(link.down.front())).map(|(at, _)| *at);
            let orphans = self.orphans.iter().map(|(at, _)| *at);
            let router = self.router.iter().filter_map(Router::poll_timeout);
            let next = sessions.chain(openings).chain(endings).chain(frames).chain(orphans).chain(router).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            self.due();
        }
        self.now = until;
        self.due();
        self.carry();
    }

    /// What is due now happens.
    fn due(&mut self) {
        let now = self.now;
        for index in 0..CLIENTS {
            let client = &mut self.clients[index];
            client.handle_timeout(now);
            let (ended, later) = client.ending.iter().partition(|(at, _)| *at <= now);
            client.ending = later;
            for (_, id) in ended {
                client.ended(now, id);
            }
            if let Some((id, _)) = client.opening.take_if(|(_, at)| *at <= now) {
                let opened = self.router.as_mut().map(|router| router.handle_opened(now, Format::Json));
                let client = &mut self.clients[index];
                match opened {
                    Some(peer) if client.session.transport() == Some(id) => {
                        let (up, down) = Default::default();
                        client.link = Some(Link { id, peer, up, down, stalled: false });
                        client.session.handle_opened(now, id, Opened::new(Some("wamp.2.json")));
                    }
                    Some(peer) => self.orphans.push((now, peer)),
                    None => {
                        let refused = TransportError::new(TransportErrorKind::Connect);
                        client.session.handle_closed(now, id, refused);
                    }
                }
            }
            self.deliver(index);
        }
        if let Some(router) = &mut self.router {
            let (due, later) = self.orphans.iter().partition(|(at, _)| *at <= now);
            self.orphans = later;
            for (_, peer) in due {
                router.handle_closed(now, peer);
            }
            router.handle_timeout(now);
        }
    }

    fn deliver(&mut self, index: usize) {
        let now = self.now;
        while let Some(link) = self.clients[index].link.as_mut().filter(|link| !link.stalled) {
            if let Some((_, frame)) = link.up.pop_front_if(|(at, _)| *at <= now) {
                if let Some(router) = &mut self.router {
                    router.handle_frame(now, link.peer, frame);
                }
            } else if let Some((_, frame)) = link.down.pop_front_if(|(at, _)| *at <= now) {
                self.clients[index].receive(now, frame);
            } else {
                return;
            }
        }
    }

    /// Takes what sessions and router want, until they want nothing more.
    fn carry(&mut self) {
        loop {
            let mut is_idle = true;
            for index in 0..CLIENTS {
                while let Some(action) = self.clients[index].session.poll_action() {
                    is_idle = false;
                    self.act(index, action);
                }
                while let Some(event) = self.clients[index].session.poll_event() {
                    is_idle = false;
                    self.events.push(self.trace.len());
                    self.note(|| format!("{index} {event:?}"));
                    self.clients[index].check_event(event);
                }
            }
            while let Some(action) = self.router.as_mut().and_then(Router::poll_action) {
                is_idle = false;
                self.route(action);
            }
            if is_idle {
                return;
            }
        }
    }

    fn act(&mut self, index: usize, action: Action) {
        self.note(|| match &action {
            Action::Send { frame, .. } => format!("{index} -> {:?}", frame.bytes()),
            action => format!("{index} -> {action:?}"),
        });
        let at = self.now.checked_add(self.dice.millis(40)).unwrap();
        let client = &mut self.clients[index];
        client.check_action(&action);
        match action {
            Action::OpenTransport { id, .. } => {
                // A link that the session has given up, because it is silent.
                if let Some(link) = client.link.take() {
                    self.orphans.push((at, link.peer));
                }
                client.opening = Some((id, at));
            }
            Action::Send { frame, .. } => {
                if let Some(link) = &mut client.link {
                    let at = link.up.back().map_or(at, |(last, _)| at.max(*last));
                    link.up.push_back((at, frame));
                }
            }
            // A pong comes at once, if anything comes.
            Action::Ping { id } => {
                if client.link.as_ref().is_some_and(|link| !link.stalled) {
                    client.session.handle_activity(self.now, id);
                }
            }
            Action::CloseTransport { id, .. } => {
                // Mostly it ends at once, sometimes late, and sometimes too late.
                let most = self.dice.pick(&[0, 0, 1_000, 7_000]).unwrap();
                let ended = self.now.checked_add(self.dice.millis(most)).unwrap();
                if client.opening.take_if(|(opening, _)| *opening == id).is_some() {
                    client.ending.push((ended, id));
                }
                if let Some(mut link) = client.link.take_if(|link| link.id == id) {
                    // What was sent before arrives before.
                    if let Some(router) = &mut self.router {
                        for (_, frame) in link.up.drain(..).filter(|_| !link.stalled) {
                            router.handle_frame(self.now, link.peer, frame);
                        }
                    }
                    self.orphans.push((at, link.peer));
                    if !link.stalled {
                        client.ending.push((ended, id));
                    }
                }
            }
            action => panic!("unknown action {action:?}"),
        }
    }

    fn route(&mut self, action: RouterAction) {
        let at = self.now.checked_add(self.dice.millis(40)).unwrap();
        let (RouterAction::Send { peer, .. } | RouterAction::Close { peer, .. }) = &action else {
            panic!("{action:?}")
        };
        let of_peer = |client: &&mut Client| client.link.as_ref().is_some_and(|link| link.peer == *peer);
        let Some(client) = self.clients.iter_mut().find(of_peer) else { return };
        let Some(link) = &mut client.link else { return };
        match action {
            RouterAction::Send { frame, .. } => {
                let at = link.down.back().map_or(at, |(last, _)| at.max(*last));
                link.down.push_back((at, frame));
            }
            RouterAction::Close { .. } if !link.stalled => {
                let (id, frames) = (link.id, core::mem::take(&mut link.down));
                for (_, frame) in frames {
                    client.receive(self.now, frame);
                }
                client.link = None;
                client.session.handle_closed(self.now, id, eof());
            }
            _ => {}
        }
    }

    /// The network and the router are well again.
    pub(crate) fn heal(&mut self) {
        if self.router.is_none() {
            self.restart();
        }
        // Whoever is closing will be closed.
        self.pass(Duration::from_secs(10));
        for index in 0..CLIENTS {
            if self.clients[index].is_idle() {
                self.clients[index].check_idle();
                self.clients[index].connect(self.now);
            }
        }
        // Long enough for silence to be noticed, for every wait and for what the backoff has in store.
        self.pass(Duration::from_secs(300));
        for client in &self.clients {
            let status = client.session.status();
            assert!(matches!(status, Status::Joined(_)), "after the network healed: {status:?}");
        }
    }

    /// Invariant 8: the router holds exactly what is live.
    pub(crate) fn check_router(&self) {
        let router = self.router.as_ref().unwrap();
        let mut wanted: BTreeMap<(Uri, MatchPolicy), usize> = BTreeMap::new();
        for client in &self.clients {
            client.check_restored();
            let mut topics: Vec<_> =
                client.subscriptions.values().map(|((topic, policy, _), _)| (topic.clone(), *policy)).collect();
            topics.sort_unstable();
            topics.dedup();
            for topic in topics {
                *wanted.entry(topic).or_default() += 1;
            }
            assert!(client.subscriptions.values().all(|(_, confirmed)| *confirmed), "a subscription without an answer");
            assert!(client.registrations.values().all(|(_, confirmed)| *confirmed), "a registration without an answer");
        }
        let held: BTreeMap<_, usize> = router
            .subscriptions("realm1")
            .map(|it| ((it.topic.clone(), it.match_policy), it.subscribers.len()))
            .collect();
        assert_eq!(held, wanted, "invariant 8, subscriptions");
        let mut registered: Vec<(Uri, PeerId)> = router
            .registrations("realm1")
            .flat_map(|it| it.callees.iter().map(|peer| (it.procedure.clone(), *peer)))
            .collect();
        registered.sort();
        let mut live: BTreeMap<Uri, Vec<PeerId>> = BTreeMap::new();
        for client in &self.clients {
            let peer = client.link.as_ref().unwrap().peer;
            for (procedure, _) in client.registrations.values() {
                live.entry(procedure.clone()).or_default().push(peer);
            }
        }
        let procedures: Vec<&Uri> = registered.iter().map(|(procedure, _)| procedure).collect();
        assert_eq!(procedures, live.keys().collect::<Vec<_>>(), "invariant 8, registrations");
        for (procedure, peer) in registered {
            assert!(live[&procedure].contains(&peer), "invariant 8: {procedure} of a session that is gone");
        }
        assert_eq!(router.peers(), CLIENTS, "sessions that are gone");
        assert_eq!(router.stats().protocol_violations, 0);
    }

    /// Closing ends everything, and the router holds nothing.
    pub(crate) fn end(&mut self) {
        for client in &mut self.clients {
            client.close(self.now);
        }
        self.pass(Duration::from_secs(10));
        for client in &self.clients {
            client.check_end();
        }
        let router = self.router.as_ref().unwrap();
        assert_eq!(router.peers(), 0);
        assert_eq!(router.registrations("realm1").count() + router.subscriptions("realm1").count(), 0);
    }
}
