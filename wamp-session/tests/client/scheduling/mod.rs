//! Random programs, polled in random order, over a network that is cut: no wakeup is lost, and everything comes to its end.

mod programs;
mod router;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use wamp_session::{Config, Frame, Offline, OfflinePolicy, ReconnectPolicy, TransportErrorKind};

use self::programs::{Counted, Shared, program};
use self::router::Router;
use crate::world::World;

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
