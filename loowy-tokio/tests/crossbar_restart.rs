//! The client against a Crossbar.io that is killed and restarted under load: set `LOOWY_CROSSBAR` to the URL of its WebSocket and
//! `LOOWY_CROSSBAR_RESTART` to the address where it can be asked to restart, as `.ci/routers/with crossbar` does. Without them the test is
//! skipped.
//!
//! If it really ran, it prints `interop ran: restarts`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use loowy_tokio::{
    Client, Config, ConnectionEvent, ConnectionEvents, Format, Jitter, ReconnectPolicy, RegistrationGuard,
    RequestError, Subscription,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const RESTARTS: u64 = 10;
const FORMATS: [Format; 3] = [Format::Json, Format::MsgPack, Format::Cbor];
/// Procedures and topics of each client.
const EACH: usize = 3;
/// Of all clients.
const ALL: usize = FORMATS.len() * EACH;
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than the default, because a router that has just started may be slow to answer what is sent again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// A request that has not ended by then hangs.
const HANGS: Duration = Duration::from_secs(60);
/// For the router to restart, and for the clients to come back to it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the load runs undisturbed between two restarts.
const LOAD: Duration = Duration::from_millis(500);

/// The load, and what became of it.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    calls: Ends,
    acked: Ends,
    published: Ends,
    events: AtomicU64,
}

#[derive(Default)]
struct Ends {
    ok: AtomicU64,
    failed: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_after_each_of_ten_restarts() {
    let (Ok(url), Ok(control)) = (env::var("LOOWY_CROSSBAR"), env::var("LOOWY_CROSSBAR_RESTART")) else {
        println!("skipped: LOOWY_CROSSBAR or LOOWY_CROSSBAR_RESTART is not set");
        return;
    };
    // The watcher asks the router what it holds: before there is anybody else, after each restart, and at the end.
    let watcher = loowy_tokio::connect(config(&url, Format::Json)).await.unwrap();
    let before = census(&watcher).await;

    let (heard, mut hears) = mpsc::unbounded_channel();
    let load = Arc::new(Load::default());
    let (mut clients, mut guards, mut news, mut tasks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (number, format) in FORMATS.into_iter().enumerate() {
        let client = loowy_tokio::connect(config(&url, format)).await.unwrap();
        for index in number * EACH..(number + 1) * EACH {
            guards.push(client.register_fn(procedure(index), |n: u64| async move { Ok(n + 1) }).await.unwrap());
            let subscription = client.subscribe(topic(index)).await.unwrap();
            tasks.push(tokio::spawn(listen(index, subscription, Arc::clone(&load), heard.clone())));
        }
        news.push(client.connection_events());
        clients.push(client);
    }
    news.push(watcher.connection_events());
    assert_eq!(census(&watcher).await, before.with(ALL, ALL, clients.len()));

    let mut loads: Vec<JoinHandle<()>> = Vec::new();
    for (number, client) in clients.iter().enumerate() {
        // Everybody calls and publishes to everybody.
        for index in 0..ALL {
            loads.push(tokio::spawn(call(client.clone(), index, Arc::clone(&load))));
        }
        loads.push(tokio::spawn(publish(client.clone(), number, Arc::clone(&load))));
        loads.push(tokio::spawn(publish_acked(client.clone(), number, Arc::clone(&load))));
    }

    for round in 1..=RESTARTS {
        let (calls, acked) = (load.calls.ok(), load.acked.ok());
        sleep(LOAD).await;
        assert!(load.calls.ok() > calls && load.acked.ok() > acked, "round {round}: the load does not run");
        restart(&control).await;
        for events in &mut news {
            restored(events).await;
        }
        // Everything is back at the router, nothing twice, and everything is of use.
        assert_eq!(census(&watcher).await, before.with(ALL, ALL, clients.len()), "round {round}");
        assert!(guards.iter().all(|guard: &RegistrationGuard| guard.end().is_none()), "round {round}");
        check(&clients, &mut hears, round).await;
        println!("restart {round}: {load}", load = load.line());
    }

    load.over.store(true, Ordering::Relaxed);
    for task in loads {
        soon("a load", task).await.unwrap();
    }
    for client in &clients {
        soon("close", client.close()).await.unwrap();
    }
    for task in tasks {
        soon("a subscription", task).await.unwrap();
    }
    // Crossbar.io answers GOODBYE before it has forgotten the session.
    for _ in 0..50 {
        if census(&watcher).await == before {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(census(&watcher).await, before, "something is left behind");
    soon("close", watcher.close()).await.unwrap();
    assert!(load.calls.failed.load(Ordering::Relaxed) > 0, "no call was under way in any restart");
    println!("interop ran: restarts");
}

fn config(url: &str, format: Format) -> Config {
    let policy = ReconnectPolicy::new()
        .initial_delay(Duration::from_millis(100))
        .max_delay(Duration::from_secs(1))
        .jitter(Jitter::Fraction(0.5));
    let config = Config::new(url, "realm1").formats([format]).reconnect(policy);
    config.call_timeout(CALL_TIMEOUT).request_timeout(REQUEST_TIMEOUT)
}

fn procedure(index: usize) -> String {
    format!("com.loowy.restart.increment{index}")
}

fn topic(index: usize) -> String {
    format!("com.loowy.restart.topic{index}")
}

/// The end of something that must not hang.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(HANGS, future).await.unwrap_or_else(|_| panic!("{what} hangs"))
}

impl Load {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn line(&self) -> String {
        let Self { calls, acked, published, events, .. } = self;
        let events = events.load(Ordering::Relaxed);
        format!(
            "calls {}, acknowledged publications {}, others {}; {events} events",
            calls.line(),
            acked.line(),
            published.line()
        )
    }
}

impl Ends {
    fn ok(&self) -> u64 {
        self.ok.load(Ordering::Relaxed)
    }

    fn count(&self, is_ok: bool) {
        let counter = if is_ok { &self.ok } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn line(&self) -> String {
        format!("{} ok and {} failed", self.ok(), self.failed.load(Ordering::Relaxed))
    }
}

/// Calls one procedure over and over.
async fn call(client: Client, index: usize, load: Arc<Load>) {
    let procedure = procedure(index);
    for n in 0_u64.. {
        if load.is_over() {
            return;
        }
        let result = soon("a call", client.call(&procedure, n)).await;
        load.calls.count(result.is_ok());
        match result {
            Ok(result) => assert_eq!(result.arg::<u64>(0).unwrap(), n + 1),
            // The router is away, or the callee is not back yet.
            Err(RequestError::Disconnected { .. } | RequestError::Wamp(_) | RequestError::Timeout { .. }) => {}
            Err(error) => panic!("a call failed: {error:?}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes to all topics in turn, with acknowledgement.
async fn publish_acked(client: Client, number: usize, load: Arc<Load>) {
    for n in number.. {
        if load.is_over() {
            return;
        }
        let result = soon("a publication", client.publish_acked(topic(n % ALL), (0_u64,))).await;
        load.acked.count(result.is_ok());
        match result {
            Ok(_) | Err(RequestError::Disconnected { .. } | RequestError::Timeout { .. }) => {}
            Err(error) => panic!("a publication failed: {error:?}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes to all topics in turn, without.
async fn publish(client: Client, number: usize, load: Arc<Load>) {
    for n in number.. {
        if load.is_over() {
            return;
        }
        let result = soon("a publication", client.publish(topic(n % ALL), (0_u64,))).await;
        load.published.count(result.is_ok());
        sleep(Duration::from_millis(10)).await;
    }
}

/// Counts the events of a topic, and hands on those of a check.
async fn listen(index: usize, mut events: Subscription, load: Arc<Load>, heard: mpsc::UnboundedSender<(usize, u64)>) {
    while let Some(event) = events.next().await {
        load.events.fetch_add(1, Ordering::Relaxed);
        let round: u64 = event.arg(0).unwrap();
        if round > 0 {
            heard.send((index, round)).unwrap();
        }
    }
}

/// Has the router killed and started again.
async fn restart(control: &str) {
    let done = async {
        let mut stream = BufReader::new(TcpStream::connect(control).await.unwrap());
        stream.write_all(b"restart\n").await.unwrap();
        let mut lines = stream.lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("killed"));
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
    };
    timeout(PATIENCE, done).await.expect("the router does not restart");
}

/// Waits until a client has everything back.
async fn restored(events: &mut ConnectionEvents) {
    loop {
        match timeout(PATIENCE, events.next()).await.expect("a client does not come back").unwrap() {
            ConnectionEvent::Restored { failed } => {
                assert!(failed.is_empty(), "{failed:?}");
                return;
            }
            ConnectionEvent::Closed(cause) => panic!("a client gave up: {cause:?}"),
            _ => {}
        }
    }
}

/// Calls every procedure and publishes to every topic from another client than the one that serves it.
async fn check(clients: &[Client], hears: &mut mpsc::UnboundedReceiver<(usize, u64)>, round: u64) {
    for index in 0..ALL {
        let other = &clients[(index / EACH + 1) % clients.len()];
        let result = soon("a call", other.call(procedure(index), round)).await.unwrap();
        assert_eq!(result.arg::<u64>(0).unwrap(), round + 1);
        soon("a publication", other.publish_acked(topic(index), (round,))).await.unwrap();
    }
    let mut heard = BTreeSet::new();
    while heard.len() < ALL {
        let (index, of_round) = soon("an event", hears.recv()).await.unwrap();
        assert_eq!(of_round, round);
        assert!(heard.insert(index), "an event came twice");
    }
}

/// How many registrations, subscriptions and sessions the router has.
#[derive(Clone, Debug, PartialEq)]
struct Census {
    registrations: usize,
    subscriptions: usize,
    sessions: usize,
}

impl Census {
    fn with(&self, registrations: usize, subscriptions: usize, sessions: usize) -> Self {
        Self {
            registrations: self.registrations + registrations,
            subscriptions: self.subscriptions + subscriptions,
            sessions: self.sessions + sessions,
        }
    }
}

async fn census(client: &Client) -> Census {
    let count = async |procedure: &str| {
        let result = soon("a meta call", client.call(procedure, ())).await.unwrap();
        result.arg::<BTreeMap<String, Vec<u64>>>(0).unwrap().values().map(Vec::len).sum()
    };
    let registrations = count("wamp.registration.list").await;
    let subscriptions = count("wamp.subscription.list").await;
    let sessions = soon("a meta call", client.call("wamp.session.count", ())).await.unwrap();
    Census { registrations, subscriptions, sessions: sessions.arg(0).unwrap() }
}
