//! Random programs, polled in random order, over a network that is cut: no wakeup is lost, and everything comes to its end.

use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use serde_json::{Value, json};
use wamp_session::client::{Client, Overflow, Queue, WithInvocation};
use wamp_session::proto::CancelMode;
use wamp_session::{
    CallOptions, Config, Frame, Offline, OfflinePolicy, ReconnectPolicy, RegisterOptions, SubscribeOptions,
    TransportErrorKind,
};

use crate::world::World;

const WELCOME: &str = concat!(
    r#"[2,7,{"roles":{"broker":{},"dealer":{"features":{"call_canceling":true,"progressive_call_invocations":true,"#,
    r#""progressive_call_results":true}}}}]"#
);

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// A router that answers most of what it is asked, in its order, and sends what nobody asked for.
#[derive(Default)]
struct Router {
    outbox: VecDeque<String>,
    subscriptions: BTreeSet<u64>,
    registrations: BTreeSet<u64>,
    invocations: BTreeSet<u64>,
    calls: BTreeSet<u64>,
    /// Input that goes on.
    inputs: BTreeSet<u64>,
    numbers: u64,
    is_over: bool,
}

impl Router {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn answer(&mut self, frame: &Value, dice: &mut Dice) {
        let id = frame[1].as_u64().unwrap_or_default();
        if frame[0] != 1 && frame[0] != 6 && dice.one_in(12) {
            // Some requests are never answered.
            return;
        }
        match frame[0].as_u64().unwrap() {
            1 => self.outbox.push_back(WELCOME.to_owned()),
            3 => self.is_over = true,
            6 => {
                self.outbox.push_back(r#"[6,{},"wamp.close.goodbye_and_out"]"#.to_owned());
                self.is_over = true;
            }
            16 if frame[2]["acknowledge"] == true => self.outbox.push_back(format!("[17,{id},1]")),
            32 => {
                let topic = frame[3].as_str().unwrap().len() as u64;
                self.subscriptions.insert(topic);
                self.outbox.push_back(format!("[33,{id},{topic}]"));
            }
            34 => {
                self.subscriptions.remove(&frame[2].as_u64().unwrap());
                self.outbox.push_back(format!("[35,{id}]"));
            }
            64 => {
                let registration = self.number();
                self.registrations.insert(registration);
                self.outbox.push_back(format!("[65,{id},{registration}]"));
            }
            66 => {
                self.registrations.remove(&frame[2].as_u64().unwrap());
                self.outbox.push_back(format!("[67,{id}]"));
            }
            48 => self.call(id, frame, dice),
            49 if self.calls.remove(&id) => self.outbox.push_back(format!(r#"[8,48,{id},{{}},"wamp.error.canceled"]"#)),
            70 if frame[2]["progress"] != true => drop(self.invocations.remove(&id)),
            8 => drop(self.invocations.remove(&frame[2].as_u64().unwrap())),
            _ => {}
        }
    }

    fn call(&mut self, id: u64, frame: &Value, dice: &mut Dice) {
        self.calls.insert(id);
        if frame[2]["receive_progress"] == true {
            for n in 0..dice.below(4) {
                self.outbox.push_back(format!(r#"[50,{id},{{"progress":true}},[{n}]]"#));
            }
        }
        if frame[2]["progress"] == true && !dice.one_in(8) {
            return;
        }
        self.calls.remove(&id);
        self.outbox.push_back(if dice.one_in(4) {
            format!(r#"[8,48,{id},{{}},"com.example.error"]"#)
        } else {
            json!([50, id, {}, frame[4]]).to_string()
        });
    }

    /// Sends something that nobody asked for.
    fn talk(&mut self, dice: &mut Dice) {
        let number = self.number();
        let pick = |set: &BTreeSet<u64>, dice: &mut Dice| {
            let count = set.len();
            (count > 0).then(|| *set.iter().nth(dice.below(count)).unwrap())
        };
        match dice.below(4) {
            0 | 1 => {
                if let Some(id) = pick(&self.subscriptions, dice) {
                    self.outbox.push_back(format!("[36,{id},{number},{{}},[{number}]]"));
                }
            }
            2 => {
                if let Some(id) = pick(&self.registrations, dice) {
                    self.invocations.insert(number);
                    let progress = dice.one_in(3);
                    if progress {
                        self.inputs.insert(number);
                    }
                    let details = json!({"progress": progress, "receive_progress": dice.one_in(2)});
                    self.outbox.push_back(json!([68, number, id, details, [number]]).to_string());
                }
            }
            _ => {
                if let Some(id) = pick(&self.inputs, dice) {
                    let more = dice.one_in(2);
                    if !more {
                        self.inputs.remove(&id);
                    }
                    self.outbox.push_back(json!([68, id, 1, {"progress": more}, [number]]).to_string());
                } else if let Some(id) = pick(&self.invocations, dice) {
                    let mode = if dice.one_in(2) { "kill" } else { "killnowait" };
                    self.outbox.push_back(format!(r#"[69,{id},{{"mode":"{mode}"}}]"#));
                }
            }
        }
    }
}

/// What the programs of one run share.
#[derive(Clone)]
struct Shared {
    client: Client,
    /// Counts what has come of the programs: every step that an await makes possible.
    steps: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
}

impl Shared {
    fn step(&self) {
        self.steps.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts a program that runs, until it is over or dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn queue(dice: &mut Dice) -> Queue {
    let overflow = [Overflow::DropNewest, Overflow::DropOldest, Overflow::End][dice.below(3)];
    Queue::new().max_events(1 + dice.below(3)).overflow(overflow)
}

/// Lets the others run once.
async fn pause() {
    let mut is_first = true;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_first, false) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// One of the programs; each ends by itself, at the latest when the client is closed.
async fn program(shared: Shared, kind: usize, mut dice: Dice) {
    let client = shared.client.clone();
    // Two of these fill the queue to the socket.
    let large = "x".repeat(if dice.one_in(3) { 600_000 } else { 100 });
    match kind {
        0 => {
            for n in 0..3 {
                if let Ok(result) = client.call("com.example.p", (n,)).await {
                    assert_eq!(result.arg::<u64>(0).unwrap(), n, "the result of another call");
                }
                shared.step();
            }
        }
        1 => {
            let options = CallOptions::new().queue(queue(&mut dice));
            let Ok(mut parts) = client.call_progressive_with("com.example.p", (1,), options).await else { return };
            shared.step();
            let stop = parts.canceller();
            while parts.next().await.is_some() {
                shared.step();
                if dice.one_in(5) {
                    stop.cancel([CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait][dice.below(3)]);
                }
            }
            drop(parts.finish().await);
        }
        2 => {
            let options = CallOptions::new().queue(queue(&mut dice));
            let options = if dice.one_in(2) { options.receive_progress() } else { options };
            let streaming = client.call_streaming_with("com.example.p", (1,), options).await;
            let Ok((mut input, call)) = streaming else { return };
            for _ in 0..dice.below(4) {
                shared.step();
                if input.send(large.as_str()).await.is_err() {
                    break;
                }
            }
            drop(input.finish(2).await);
            shared.step();
            drop(call.finish().await);
        }
        3 => {
            for _ in 0..4 {
                drop(client.publish("com.example.t", large.as_str()).await);
                shared.step();
            }
        }
        4 => {
            for _ in 0..2 {
                drop(client.publish_acked("com.example.t", large.as_str()).await);
                shared.step();
            }
        }
        5 | 6 => {
            let options = SubscribeOptions::new().queue(queue(&mut dice));
            let topic = ["com.example.t", "com.example.topic"][dice.below(2)];
            let Ok(mut events) = client.subscribe_with(topic, options).await else { return };
            let mut last = 0;
            for _ in 0..dice.below(6) {
                shared.step();
                let Some(event) = events.next().await else { break };
                let number: u64 = event.arg(0).unwrap();
                assert!(number > last, "event {number} after {last}");
                last = number;
            }
            if dice.one_in(2) {
                drop(events.unsubscribe().await);
            }
        }
        7 => {
            let options = RegisterOptions::new().queue(queue(&mut dice));
            let Ok(mut calls) = client.register_with("com.example.p", options).await else { return };
            for _ in 0..dice.below(6) {
                shared.step();
                let Some(call) = calls.next().await else { break };
                let mut inputs = call.inputs();
                while inputs.next().await.is_some() {
                    shared.step();
                }
                drop(call.progress(large.as_str()).await);
                shared.step();
                if dice.one_in(2) {
                    call.cancelled().await;
                }
                drop(call.reply(()));
            }
            if dice.one_in(2) {
                drop(calls.unregister().await);
            }
        }
        8 => {
            let steps = shared.clone();
            let handler = move |call: WithInvocation<u64>| {
                let shared = steps.clone();
                async move {
                    shared.step();
                    call.invocation.progress(call.args).await?;
                    shared.step();
                    let mut inputs = call.invocation.inputs();
                    while inputs.next().await.is_some() {
                        shared.step();
                    }
                    Ok(shared.client.call("com.example.p", (1,)).await.is_ok())
                }
            };
            let options = RegisterOptions::new().parallel(2).queue(queue(&mut dice));
            let Ok(guard) = client.register_fn_with("com.example.p", options, handler).await else { return };
            drop(client.publish_acked("com.example.t", ()).await);
            shared.step();
            drop(guard.unregister().await);
        }
        9 => {
            let steps = shared.clone();
            let handler = move |_: u64| {
                let shared = steps.clone();
                async move {
                    shared.step();
                    pause().await;
                    drop(shared.client.publish("com.example.t", ()).await);
                    shared.step();
                    Ok(())
                }
            };
            let options = SubscribeOptions::new().concurrency(1 + dice.below(2)).queue(queue(&mut dice));
            let Ok(guard) = client.subscribe_fn_with("com.example.topic", options, handler).await else { return };
            drop(client.publish_acked("com.example.t", ()).await);
            shared.step();
            drop(guard.unsubscribe().await);
        }
        10 => {
            let mut events = client.connection_events();
            while events.next().await.is_some() {
                shared.step();
            }
        }
        11 => drop(client.joined().await),
        12 => drop(client.unsubscribe_all("com.example.t").await),
        13 => {
            pause().await;
            drop(if dice.one_in(2) { client.close().await } else { client.drain().await });
            shared.step();
            drop(client.connect().await);
        }
        _ => client.reconnect_now(),
    }
    shared.step();
}

/// A run of programs, by a seed.
struct Run {
    world: World,
    shared: Shared,
    router: Router,
    dice: Dice,
    /// Programs that the test may drop, with a switch that does.
    switches: Vec<Arc<Switch>>,
    opened: usize,
}

#[derive(Default)]
struct Switch {
    is_off: AtomicBool,
    waker: std::sync::Mutex<Option<Waker>>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let policy = OfflinePolicy::Wait;
        let config = Config::new("ws://router/ws", "realm1")
            .reconnect(ReconnectPolicy::loowy())
            .retry_initial_connect(true)
            .keep_alive(None)
            .request_timeout(Duration::from_secs(3))
            .call_timeout(Duration::from_secs(5))
            .offline(Offline::new().publishes(policy));
        let (mut world, client) = World::with(config);
        world.run_by_hand();
        let (steps, running) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let shared = Shared { client, steps, running };
        let router = Router::default();
        Self { world, shared, router, dice: Dice(seed), switches: Vec::new(), opened: 0 }
    }

    fn start(&mut self) {
        let kind = self.dice.below(15);
        // A client that is closed all the time does nothing else.
        let kind = if kind >= 12 && !self.dice.one_in(4) { kind - 12 } else { kind };
        let dice = Dice(self.dice.0 ^ 0x55);
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        let counted = Counted(Arc::clone(&self.shared.running));
        let mut program = Some(Box::pin(program(self.shared.clone(), kind, dice)));
        let switch = Arc::new(Switch::default());
        self.switches.push(Arc::clone(&switch));
        self.world.spawn(Box::pin(async move {
            let _counted = counted;
            poll_fn(move |cx| {
                *switch.waker.lock().unwrap() = Some(cx.waker().clone());
                if switch.is_off.load(Ordering::SeqCst) {
                    program = None;
                }
                program.as_mut().map_or(Poll::Ready(()), |program| program.as_mut().poll(cx))
            })
            .await;
        }));
    }

    /// Drops a program, wherever it waits.
    fn drop_one(&mut self) {
        // The others are over.
        self.switches.retain(|switch| Arc::strong_count(switch) > 1);
        if self.switches.is_empty() {
            return;
        }
        let index = self.dice.below(self.switches.len());
        let switch = self.switches.swap_remove(index);
        switch.is_off.store(true, Ordering::SeqCst);
        let waker = switch.waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The router reads, and transports open and end as their ends want it.
    fn exchange(&mut self) {
        while let Some(frame) = self.world.wire(|wire| wire.sent.pop_front()) {
            let Frame::Text(text) = frame else { panic!("no text") };
            // What is repeated has no meaning, and takes long to read.
            let head = text.windows(9).position(|window| window == b"xxxxxxxxx").unwrap_or(text.len());
            let frame = match text.get(..head) {
                Some(head) if head.len() < text.len() => [head, br#""]]"#].concat(),
                _ => text.to_vec(),
            };
            self.router.answer(&serde_json::from_slice(&frame).unwrap(), &mut self.dice);
        }
        let (opened, is_closed) = self.world.wire(|wire| (wire.opened, wire.closed.take().is_some()));
        if is_closed {
            self.world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
        }
        if opened > self.opened {
            self.opened = opened;
            self.world.renew_wire();
            self.router = Router { numbers: self.router.numbers, ..Router::default() };
            if self.dice.one_in(4) {
                self.world.refuse(TransportErrorKind::Connect);
            } else {
                self.world.accept();
            }
        }
    }

    fn deliver(&mut self) {
        let count = 1 + self.dice.below(3);
        for _ in 0..count {
            if let Some(frame) = self.router.outbox.pop_front() {
                self.world.send(&frame);
            }
        }
        if self.router.outbox.is_empty() && std::mem::take(&mut self.router.is_over) {
            self.world.cut(TransportErrorKind::Eof);
        }
    }

    /// Polls what is woken, one after the other, up to so many.
    fn settle(&mut self, polls: usize) -> bool {
        for _ in 0..polls {
            let dice = &mut self.dice;
            if !self.world.step(|count| dice.below(count)) {
                return true;
            }
        }
        false
    }

    /// Nothing is woken: then nothing that is polled has anything to do, either.
    fn assert_no_wakeup_is_lost(&mut self) {
        let steps = self.shared.steps.load(Ordering::SeqCst);
        let sent = self.world.wire(|wire| wire.sent.len());
        let progress = self.world.poke();
        assert_eq!(progress, 0, "a task that was not woken has something to do");
        assert_eq!(self.shared.steps.load(Ordering::SeqCst), steps, "a program that was not woken goes on");
        assert_eq!(self.world.wire(|wire| wire.sent.len()), sent, "the driver was not woken, and sends");
    }

    fn chance(&mut self) {
        match self.dice.below(20) {
            0..=3 => self.start(),
            4..=9 => self.deliver(),
            10..=13 => self.router.talk(&mut self.dice),
            14 => self.drop_one(),
            15 => {
                let millis = [1, 500, 2_000, 5_000][self.dice.below(4)];
                self.world.advance(Duration::from_millis(millis));
            }
            16 | 17 => self.world.block(),
            18 => {
                self.world.unblock();
                // Whose turn has come may be dropped before it knows.
                let polls = self.dice.below(4);
                self.settle(polls);
                for _ in 0..self.dice.below(4) {
                    self.drop_one();
                }
            }
            _ if self.dice.one_in(3) => self.world.cut(TransportErrorKind::Eof),
            _ => {}
        }
        self.exchange();
    }

    fn run(mut self, turns: usize) {
        for _ in 0..turns {
            self.chance();
            let polls = self.dice.below(12);
            if self.settle(polls) {
                self.assert_no_wakeup_is_lost();
            }
        }
        // Everything comes to its end.
        let closing = self.shared.client.close();
        self.world.spawn(Box::pin(async move { drop(closing.await) }));
        for _ in 0..12 {
            self.world.unblock();
            self.exchange();
            while !self.router.outbox.is_empty() || self.router.is_over {
                self.deliver();
            }
            assert!(self.settle(100_000), "it does not come to rest");
            self.world.advance(Duration::from_secs(10));
            // Programs that connect again are closed again.
            let closing = self.shared.client.close();
            self.world.spawn(Box::pin(async move { drop(closing.await) }));
        }
        assert!(self.settle(100_000), "it does not come to rest");
        self.assert_no_wakeup_is_lost();
        assert_eq!(self.shared.running.load(Ordering::SeqCst), 0, "programs that do not end");
        drop(self.shared);
        while self.world.step(|_| 0) {}
        self.world.advance(Duration::from_secs(10));
        while self.world.step(|_| 0) {}
        assert_eq!(self.world.tasks(), 0, "the driver or a task of a handler does not end");
    }
}

/// Says which seed has failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {}", self.0);
        }
    }
}

#[test]
fn no_wakeup_is_lost_and_everything_ends_whatever_is_polled_first() {
    for seed in 0..80 {
        let _seed = Seed(seed);
        Run::new(seed).run(120);
    }
}
