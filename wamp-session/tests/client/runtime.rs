//! A runtime made by hand: a clock that is set, and sockets in memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wamp_session::client::{Adapter, Opening, Received, Runtime, Socket, Task};
use wamp_session::{Frame, Time, TransportError, TransportErrorKind};

/// Where writing to the transport fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    Ready,
    Send,
    Ping,
    Flush,
}

/// One end of the network, in the hands of the test.
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) opened: usize,
    /// The subprotocols that were offered at the last opening.
    pub(crate) offered: Vec<&'static str>,
    /// What the next opening gives, once it is set.
    pub(crate) accept: Option<Result<Option<String>, TransportErrorKind>>,
    pub(crate) opening: Option<Waker>,
    pub(crate) inbound: VecDeque<Result<Received, TransportError>>,
    pub(crate) reader: Option<Waker>,
    pub(crate) sent: VecDeque<Frame>,
    /// How many frames were not read yet, and how many were sent, after each that was read or sent.
    pub(crate) order: Vec<(usize, usize)>,
    /// How long it takes to read a frame.
    pub(crate) pace: Duration,
    pub(crate) flushes: usize,
    pub(crate) pings: usize,
    pub(crate) is_blocked: bool,
    /// Where writing fails.
    pub(crate) fails: Option<Fails>,
    pub(crate) writer: Option<Waker>,
    pub(crate) closed: Option<(u16, String)>,
    pub(crate) is_dropped: bool,
}

impl Wire {
    fn note(&mut self) {
        self.order.push((self.inbound.len(), self.sent.len()));
    }
}

pub(crate) struct Sleeper {
    pub(crate) deadline: Time,
    pub(crate) waker: Waker,
}

/// What the client and the test share.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) clock: AtomicU64,
    /// What the time of day is ahead of the clock, in seconds, if there is a time of day.
    pub(crate) ahead: Mutex<Option<u64>>,
    pub(crate) spawned: Mutex<Vec<Task>>,
    pub(crate) sleepers: Mutex<Vec<Sleeper>>,
    pub(crate) wire: Mutex<Wire>,
}

/// What the client gets of the world.
#[derive(Clone)]
pub(crate) struct Hand(pub(crate) Arc<Inner>);

impl Runtime for Hand {
    fn now(&self) -> Time {
        Time::from_nanos(self.0.clock.load(Ordering::SeqCst))
    }

    fn spawn(&self, task: Task) {
        self.0.spawned.lock().unwrap().push(task);
    }
}

impl Adapter for Hand {
    type Socket = MemorySocket;

    fn open(&self, _: Arc<str>, subprotocols: Arc<[&'static str]>) -> Opening<MemorySocket> {
        let inner = Arc::clone(&self.0);
        {
            let mut wire = inner.wire.lock().unwrap();
            wire.opened += 1;
            wire.offered = subprotocols.to_vec();
        }
        Box::pin(std::future::poll_fn(move |cx| {
            let mut wire = inner.wire.lock().unwrap();
            match wire.accept.take() {
                Some(Ok(subprotocol)) => Poll::Ready(Ok((MemorySocket(Arc::clone(&inner)), subprotocol))),
                Some(Err(kind)) => Poll::Ready(Err(TransportError::new(kind))),
                None => {
                    wire.opening = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        }))
    }

    fn time_of_day(&self) -> Option<Duration> {
        let ahead = Duration::from_secs((*self.0.ahead.lock().unwrap())?);
        Some(ahead + Duration::from_nanos(self.0.clock.load(Ordering::SeqCst)))
    }

    fn sleep_until(&self, deadline: Time) -> Task {
        let inner = Arc::clone(&self.0);
        Box::pin(std::future::poll_fn(move |cx| {
            if inner.clock.load(Ordering::SeqCst) >= deadline.as_nanos() {
                return Poll::Ready(());
            }
            inner.sleepers.lock().unwrap().push(Sleeper { deadline, waker: cx.waker().clone() });
            Poll::Pending
        }))
    }
}

pub(crate) struct MemorySocket(Arc<Inner>);

impl Socket for MemorySocket {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, TransportError>> {
        let mut wire = self.0.wire.lock().unwrap();
        match wire.inbound.pop_front() {
            Some(received) => {
                wire.note();
                let nanos = u64::try_from(wire.pace.as_nanos()).unwrap();
                self.0.clock.fetch_add(nanos, Ordering::SeqCst);
                Poll::Ready(received)
            }
            None => {
                wire.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.check(Fails::Ready)?;
        let mut wire = self.0.wire.lock().unwrap();
        if wire.is_blocked {
            wire.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, frame: Frame) -> Result<(), TransportError> {
        self.check(Fails::Send)?;
        let mut wire = self.0.wire.lock().unwrap();
        wire.sent.push_back(frame);
        wire.note();
        Ok(())
    }

    fn ping(&mut self) -> Result<(), TransportError> {
        self.check(Fails::Ping)?;
        self.0.wire.lock().unwrap().pings += 1;
        Ok(())
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.0.wire.lock().unwrap().closed = Some((code, reason.to_owned()));
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.check(Fails::Flush)?;
        let ready = self.poll_ready(cx);
        if ready.is_ready() {
            self.0.wire.lock().unwrap().flushes += 1;
        }
        ready
    }
}

impl MemorySocket {
    fn check(&self, what: Fails) -> Result<(), TransportError> {
        let fails = self.0.wire.lock().unwrap().fails == Some(what);
        if fails { Err(TransportError::new(TransportErrorKind::Io)) } else { Ok(()) }
    }
}

impl Drop for MemorySocket {
    fn drop(&mut self) {
        self.0.wire.lock().unwrap().is_dropped = true;
    }
}
