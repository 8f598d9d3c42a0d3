//! The world of one client: its tasks run when told, on a runtime made by hand.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use wamp_session::client::{Client, Invocation, Received, Registration, Task, start};
use wamp_session::{Config, Frame, ReconnectPolicy, RegisterOptions, TransportError, TransportErrorKind};

pub(crate) use crate::runtime::Fails;
use crate::runtime::{Hand, Inner, Wire};

/// What `poll` of a future needs, and whether it was woken.
#[derive(Default)]
pub(crate) struct Flag {
    woken: AtomicBool,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
    }
}

struct Running {
    task: Pin<Box<dyn Future<Output = ()> + Send>>,
    flag: Arc<Flag>,
    is_driver: bool,
}

/// The world of one client.
pub(crate) struct World {
    inner: Arc<Inner>,
    tasks: Vec<Running>,
    /// Whether tasks run only when the test picks them.
    by_hand: bool,
    pub(crate) driver_polls: usize,
}

pub(crate) const WELCOME: &str = concat!(
    r#"[2,7814135,{"roles":{"broker":{"features":{"pattern_based_subscription":true,"payload_passthru_mode":true,"#,
    r#""shareded_subscriptions":true,"subscriber_blackwhite_listing":true}},"dealer":{"features":{"#,
    r#""call_canceling":true,"pattern_based_registration":true,"payload_passthru_mode":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true,"sharded_registration":true}}}}]"#
);

impl World {
    /// A client that is connecting; when its session ends, so does the client, and nobody pings.
    pub(crate) fn new(config: Config) -> (Self, Client) {
        Self::with(config.reconnect(ReconnectPolicy::never()).keep_alive(None))
    }

    /// A client that is connecting, with its configuration as it is.
    pub(crate) fn with(config: Config) -> (Self, Client) {
        let inner = Arc::new(Inner::default());
        let (client, driver) = start(config, Hand(Arc::clone(&inner)));
        let mut world = Self { inner, tasks: Vec::new(), by_hand: false, driver_polls: 0 };
        world.add(Box::pin(driver), true);
        world.run();
        (world, client)
    }

    /// A client that has joined, over JSON.
    pub(crate) fn joined() -> (Self, Client) {
        Self::joined_with(Config::new("ws://router/ws", "realm1").agent(None))
    }

    pub(crate) fn joined_with(config: Config) -> (Self, Client) {
        let (mut world, client) = Self::new(config);
        world.accept();
        assert!(world.received().starts_with("[1,"));
        world.send(WELCOME);
        assert!(client.session().is_some());
        (world, client)
    }

    /// A client that has joined, its registration with the id 88, and an invocation of it.
    pub(crate) fn invoked(frame: &str) -> (Self, Registration, Invocation) {
        let (mut world, client) = Self::joined();
        let mut registration = world.registered(&client, RegisterOptions::new());
        world.send(frame);
        let call = world.finish(registration.next()).unwrap();
        (world, registration, call)
    }

    /// A registration of `com.example.p`, with the id 88.
    pub(crate) fn registered(&mut self, client: &Client, options: RegisterOptions) -> Registration {
        let mut register = client.register_with("com.example.p", options);
        assert!(self.poll(&mut register).is_pending());
        self.received();
        self.send("[65,1,88]");
        self.finish(register).unwrap()
    }

    /// Lets the transport open, with JSON.
    pub(crate) fn accept(&mut self) {
        self.accept_as("wamp.2.json");
    }

    /// Lets the transport open, with the subprotocol that the router has chosen.
    pub(crate) fn accept_as(&mut self, subprotocol: &str) {
        let waker = self.wire(|wire| {
            wire.accept = Some(Ok(Some(subprotocol.to_owned())));
            wire.opening.take()
        });
        wake(waker);
        self.run();
    }

    pub(crate) fn refuse(&mut self, kind: TransportErrorKind) {
        let waker = self.wire(|wire| {
            wire.accept = Some(Err(kind));
            wire.opening.take()
        });
        wake(waker);
        self.run();
    }

    fn add(&mut self, task: Task, is_driver: bool) {
        let flag = Arc::new(Flag::default());
        flag.woken.store(true, Ordering::SeqCst);
        self.tasks.push(Running { task, flag, is_driver });
    }

    fn adopt(&mut self) {
        let spawned = std::mem::take(&mut *self.inner.spawned.lock().unwrap());
        for task in spawned {
            self.add(task, false);
        }
    }

    /// From now on, tasks run only when the test picks them.
    pub(crate) fn run_by_hand(&mut self) {
        self.by_hand = true;
    }

    /// Adds a task of the test's.
    pub(crate) fn spawn(&mut self, task: Task) {
        self.add(task, false);
    }

    /// Polls one of the tasks that have been woken, which `pick` chooses among so many; `false` if there is none.
    pub(crate) fn step(&mut self, pick: impl FnOnce(usize) -> usize) -> bool {
        self.adopt();
        let is_woken = |(_, running): &(usize, &Running)| running.flag.woken.load(Ordering::SeqCst);
        let woken: Vec<usize> = self.tasks.iter().enumerate().filter(is_woken).map(|(index, _)| index).collect();
        if woken.is_empty() {
            return false;
        }
        let index = woken[pick(woken.len())];
        self.poll_task(index);
        true
    }

    /// Polls every task, though none has been woken; says how many were ready or want to be polled again.
    pub(crate) fn poke(&mut self) -> usize {
        let before = self.tasks.len();
        for index in (0..before).rev() {
            self.poll_task(index);
        }
        let woken = self.tasks.iter().filter(|running| running.flag.woken.load(Ordering::SeqCst)).count();
        before - self.tasks.len() + woken
    }

    fn poll_task(&mut self, index: usize) {
        let running = &mut self.tasks[index];
        running.flag.woken.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&running.flag));
        if running.task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            drop(self.tasks.remove(index));
        }
    }

    /// Lets the next transport begin with nothing of those before.
    pub(crate) fn renew_wire(&mut self) {
        self.wire(|wire| {
            wire.inbound.clear();
            wire.sent.clear();
            wire.closed = None;
            wire.is_blocked = false;
        });
    }

    /// Runs what has been woken, until nothing is.
    pub(crate) fn run(&mut self) {
        while !self.by_hand {
            self.adopt();
            let mut progress = false;
            let mut index = 0;
            while let Some(running) = self.tasks.get_mut(index) {
                index += 1;
                if running.flag.woken.swap(false, Ordering::SeqCst) {
                    progress = true;
                    self.driver_polls += usize::from(running.is_driver);
                    let waker = Waker::from(Arc::clone(&running.flag));
                    if running.task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                        index -= 1;
                        drop(self.tasks.remove(index));
                    }
                }
            }
            if !progress && self.inner.spawned.lock().unwrap().is_empty() {
                return;
            }
        }
    }

    /// Runs until a future is ready.
    #[track_caller]
    pub(crate) fn finish<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            let flag = Arc::new(Flag::default());
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&flag))))
            {
                return output;
            }
            self.run();
            assert!(flag.woken.load(Ordering::SeqCst), "the future waits for something that does not come");
        }
    }

    /// Polls a future once, and then runs what has been woken by it.
    pub(crate) fn poll<F: Future + Unpin>(&mut self, future: &mut F) -> Poll<F::Output> {
        let polled = Pin::new(future).poll(&mut Context::from_waker(Waker::noop()));
        self.run();
        polled
    }

    /// Whether something wakes the task that waits for a future.
    #[track_caller]
    pub(crate) fn wakes<F: Future + Unpin>(&mut self, future: &mut F, something: impl FnOnce(&mut Self)) -> bool {
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        assert!(Pin::new(future).poll(&mut Context::from_waker(&waker)).is_pending());
        self.run();
        assert!(!flag.woken.load(Ordering::SeqCst), "nothing has happened yet");
        something(self);
        self.run();
        flag.woken.load(Ordering::SeqCst)
    }

    pub(crate) fn is_driver_running(&self) -> bool {
        self.tasks.iter().any(|running| running.is_driver)
    }

    pub(crate) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Ends the driver as a runtime that shuts down would.
    pub(crate) fn drop_driver(&mut self) {
        self.tasks.retain(|running| !running.is_driver);
    }

    /// Ends everything but the driver, as a runtime might.
    pub(crate) fn drop_tasks(&mut self) {
        self.run();
        self.tasks.retain(|running| running.is_driver);
    }

    pub(crate) fn wire<T>(&self, f: impl FnOnce(&mut Wire) -> T) -> T {
        f(&mut self.inner.wire.lock().unwrap())
    }

    /// The next frame that the client has sent.
    #[track_caller]
    pub(crate) fn received(&mut self) -> String {
        self.run();
        match self.wire(|wire| wire.sent.pop_front()) {
            Some(Frame::Text(text)) => String::from_utf8(text.to_vec()).unwrap(),
            other => panic!("expected a text frame, found {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, frame: &str) {
        assert_eq!(self.received(), frame);
    }

    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        self.run();
        // Asserted outside of the lock, which the sockets need to be dropped.
        let sent: Vec<Frame> = self.wire(|wire| wire.sent.iter().cloned().collect());
        assert!(sent.is_empty(), "{sent:?}");
    }

    /// Sends frames to the client, together.
    pub(crate) fn send_all<'a>(&mut self, frames: impl IntoIterator<Item = &'a str>) {
        let waker = self.wire(|wire| {
            for frame in frames {
                let frame = Frame::Text(frame.as_bytes().to_vec().into());
                wire.inbound.push_back(Ok(Received::Frame(frame)));
            }
            wire.reader.take()
        });
        wake(waker);
        self.run();
    }

    pub(crate) fn send(&mut self, frame: &str) {
        self.send_all([frame]);
    }

    pub(crate) fn send_frame(&mut self, frame: Frame) {
        let waker = self.wire(|wire| {
            wire.inbound.push_back(Ok(Received::Frame(frame)));
            wire.reader.take()
        });
        wake(waker);
        self.run();
    }

    /// The transport ends.
    pub(crate) fn cut(&mut self, kind: TransportErrorKind) {
        let waker = self.wire(|wire| {
            wire.inbound.push_back(Err(TransportError::new(kind)));
            wire.reader.take()
        });
        wake(waker);
        self.run();
    }

    pub(crate) fn block(&mut self) {
        self.wire(|wire| wire.is_blocked = true);
    }

    pub(crate) fn unblock(&mut self) {
        let waker = self.wire(|wire| {
            wire.is_blocked = false;
            wire.writer.take()
        });
        wake(waker);
        self.run();
    }

    /// The router agrees to close.
    pub(crate) fn agree_to_close(&mut self) {
        self.send(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
        self.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    }

    /// Sets the time of day, so many seconds ahead of the clock.
    pub(crate) fn set_time_of_day(&mut self, ahead: u64) {
        *self.inner.ahead.lock().unwrap() = Some(ahead);
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        let now = self.inner.clock.fetch_add(nanos, Ordering::SeqCst) + nanos;
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut *self.inner.sleepers.lock().unwrap())
            .into_iter()
            .partition(|sleeper| sleeper.deadline.as_nanos() <= now);
        *self.inner.sleepers.lock().unwrap() = rest;
        for sleeper in due {
            sleeper.waker.wake();
        }
        self.run();
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Registers a handler of `com.example.p`, with the id 88; the macro spares the tests the types.
macro_rules! serve {
    ($world:ident, $client:ident, $handler:expr) => {
        crate::world::serve!($world, $client, wamp_session::RegisterOptions::new(), $handler)
    };
    ($world:ident, $client:ident, $options:expr, $handler:expr) => {{
        let mut register = $client.register_fn_with("com.example.p", $options, $handler);
        assert!($world.poll(&mut register).is_pending());
        $world.received();
        $world.send("[65,1,88]");
        $world.finish(register).unwrap()
    }};
}
pub(crate) use serve;
