//! Clients, links and a router, moved by chance.

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_session::proto::{CancelMode, Format, MatchPolicy, Payload, Uri};
use wamp_session::router::{PeerId, Quirks, RealmConfig, Router, RouterConfig, User};
use wamp_session::{
    CallOptions, CallPart, CommandError, Config, Jitter, Offline, OfflinePolicy, PublishOptions, ReconnectPolicy,
    RegisterOptions, Response, Session, Status, SubscribeOptions, Time, TransportError, TransportErrorKind,
};

use crate::client::Client;
use crate::dice::Dice;

pub(crate) const CLIENTS: usize = 3;
/// The client that has to prove who it is.
pub(crate) const USER: usize = 2;
const STEPS: usize = 60;
/// How many commands of a kind wait at most for the join of the client that buffers them.
const BUFFER: usize = 2;

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now: Time,
    pub(crate) router: Option<Router>,
    routers: u8,
    quirks: Quirks,
    pub(crate) clients: Vec<Client>,
    /// Whether the network is well, and stays so.
    pub(crate) is_well: bool,
    /// Peers whose transport the router will find ended.
    pub(crate) orphans: Vec<(Time, PeerId)>,
    pub(crate) trace: Vec<String>,
    /// Which lines of the trace are events of the sessions.
    pub(crate) events: Vec<usize>,
}

fn router(number: u8, quirks: Quirks) -> Router {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").user(User::ticket("joe", "secret"));
    Router::new(RouterConfig::new([number; 32]).quirks(quirks).realm(realm))
}

fn buffers() -> Offline {
    let policy = OfflinePolicy::Buffer(BUFFER);
    Offline::new().calls(policy).publishes(policy).acked_publishes(policy).subscribes(policy).registers(policy)
}

pub(crate) fn eof() -> TransportError {
    TransportError::new(TransportErrorKind::Eof)
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        // Every other seed has a router with the quirks of a real one.
        let all =
            [Quirks::none(), Quirks::crossbar(), Quirks::none(), Quirks::nexus(), Quirks::none(), Quirks::minimal()];
        let quirks = all[usize::try_from(seed % all.len() as u64).unwrap()];
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
            router: Some(router(0, quirks)),
            routers: 0,
            quirks,
            clients,
            is_well: false,
            orphans: Vec::new(),
            trace: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
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
        // Mostly something that somebody serves is called.
        let served: Vec<_> = self.clients.iter().flat_map(Client::procedures).collect();
        let called = self.dice.pick(&served).filter(|_| self.dice.roll(4) > 0).unwrap_or(&procedure).clone();
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
        self.router = Some(router(self.routers, self.quirks));
    }

    /// The network and the router are well again.
    pub(crate) fn heal(&mut self) {
        if self.router.is_none() {
            self.restart();
        }
        self.is_well = true;
        for (at, _) in self.clients.iter_mut().flat_map(|client| &mut client.challenges) {
            *at = self.now;
        }
        // Whoever is closing will be closed, also if it has been refused only now.
        self.pass(Duration::from_secs(20));
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
