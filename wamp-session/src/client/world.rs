//! A client whose router and clock are in the hands of a unit test.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Client, Invocation, Link, Registration, Runtime, Subscription, Task, start_linked};
use crate::{Action, Config, Frame, ReconnectPolicy, Time, TransportId};

pub(super) const WELCOME: &str = concat!(
    r#"[2,1,{"roles":{"broker":{},"dealer":{"features":{"call_canceling":true,"call_timeout":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true}}}}]"#
);

#[derive(Default)]
pub(super) struct Clock {
    nanos: AtomicU64,
    tasks: Mutex<Vec<Task>>,
}

impl Clock {
    fn tasks(&self) -> MutexGuard<'_, Vec<Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for Clock {
    fn now(&self) -> Time {
        Time::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    fn spawn(&self, task: Task) {
        self.tasks().push(task);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // They hold the client, which holds the runtime.
        let tasks = core::mem::take(&mut *self.clock.tasks());
        drop(tasks);
    }
}

/// A client, and its router in the hands of the test.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) link: Link,
    clock: Arc<Clock>,
    pub(super) transport: TransportId,
}

impl World {
    /// A client that has joined.
    pub(super) fn new() -> Self {
        let config = Config::new("ws://router/ws", "realm1").reconnect(ReconnectPolicy::loowy()).keep_alive(None);
        let world = Self::connecting(config);
        world.join();
        world
    }

    /// A client whose transport is being opened.
    pub(super) fn connecting(config: Config) -> Self {
        let clock = Arc::new(Clock::default());
        let (client, link) = start_linked(config, Arc::clone(&clock) as Arc<dyn Runtime>);
        let transport = opening(&link).unwrap_or_else(|| panic!("nothing to open"));
        Self { client, link, clock, transport }
    }

    pub(super) fn join(&self) {
        self.link.opened(self.transport, Some("wamp.2.json"));
        self.receive(WELCOME);
        self.drain();
    }

    /// Lets the next attempt to join begin, when it is time.
    pub(super) fn reopen(&mut self) {
        self.advance(60);
        self.renew();
    }

    /// Goes on with the transport that is to be opened, if there is one.
    pub(super) fn renew(&mut self) {
        if let Some(transport) = opening(&self.link) {
            self.transport = transport;
        }
    }

    /// Polls once what was spawned.
    pub(super) fn run(&self) {
        let mut tasks = core::mem::take(&mut *self.clock.tasks());
        tasks.retain_mut(|task| poll(task.as_mut()).is_pending());
        self.clock.tasks().extend(tasks);
    }

    pub(super) fn receive(&self, frame: &str) {
        self.link.received(self.transport, &mut vec![Frame::Text(frame.as_bytes().to_vec().into())]);
    }

    /// Takes what is to be sent.
    pub(super) fn drain(&self) {
        drop(self.sent());
    }

    /// Takes what is to be sent, and says it.
    pub(super) fn sent(&self) -> Vec<String> {
        let mut actions = VecDeque::new();
        self.link.turn(&mut actions, usize::MAX);
        let text = |action| match action {
            Action::Send { frame, .. } => Some(String::from_utf8_lossy(frame.bytes()).into_owned()),
            _ => None,
        };
        actions.into_iter().filter_map(text).collect()
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.nanos.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
        self.link.timed_out();
    }

    pub(super) fn under_way(&self) -> Vec<(&'static str, usize)> {
        self.client.0.shared.look(|state, _| state.under_way())
    }

    #[track_caller]
    pub(super) fn assert_still(&self, what: &str) {
        assert_eq!(self.under_way(), [], "after: {what}");
    }

    pub(super) fn subscribed(&self) -> Subscription {
        let mut subscribe = pin!(self.client.subscribe("com.example.t"));
        assert!(poll(subscribe.as_mut()).is_pending());
        self.receive("[33,1,77]");
        ready(subscribe)
    }

    pub(super) fn registered(&self) -> Registration {
        let mut register = pin!(self.client.register("com.example.p"));
        assert!(poll(register.as_mut()).is_pending());
        self.receive("[65,1,88]");
        ready(register)
    }

    pub(super) fn invoked(&self, registration: &mut Registration, details: &str) -> Invocation {
        self.receive(&format!("[68,1,88,{details}]"));
        ready(pin!(registration.next()))
    }
}

pub(super) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The transport that is to be opened.
fn opening(link: &Link) -> Option<TransportId> {
    let mut actions = VecDeque::new();
    link.turn(&mut actions, usize::MAX);
    actions.into_iter().find_map(|action| if let Action::OpenTransport { id, .. } = action { Some(id) } else { None })
}

/// The output of a future that has all that it needs.
#[track_caller]
pub(super) fn ready<F: Future>(future: Pin<&mut F>) -> <F::Output as Unwrap>::Value
where
    F::Output: Unwrap,
{
    let Poll::Ready(output) = poll(future) else { panic!("it should be ready") };
    output.unwrapped()
}

pub(super) trait Unwrap {
    type Value;
    fn unwrapped(self) -> Self::Value;
}

impl<T, E: core::fmt::Debug> Unwrap for Result<T, E> {
    type Value = T;
    #[track_caller]
    fn unwrapped(self) -> T {
        self.unwrap_or_else(|error| panic!("{error:?}"))
    }
}

impl<T> Unwrap for Option<T> {
    type Value = T;
    #[track_caller]
    fn unwrapped(self) -> T {
        self.unwrap_or_else(|| panic!("there is one more"))
    }
}
