//! The router that the connections share, and their queues.

use core::task::Waker;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use wamp_session::proto::Format;
use wamp_session::router::{PeerId, Router, RouterAction, RouterConfig, RouterStats};
use wamp_session::{Frame, Time};

/// Bytes of frames in a connection's queue above which the router keeps what comes.
const FULL: usize = 64 << 10;

/// The router, and what waits for each connection.
pub(super) struct Hub {
    state: Mutex<State>,
    origin: Instant,
    /// Wakes the task that keeps the time, when the next deadline may have changed.
    clock: Notify,
}

struct State {
    router: Router,
    queues: BTreeMap<PeerId, Queue>,
    deadline: Option<Time>,
}

#[derive(Default)]
struct Queue {
    actions: VecDeque<RouterAction>,
    bytes: usize,
    is_blocked: bool,
    /// Whether the router has closed the connection.
    is_closing: bool,
    waker: Option<Waker>,
}

impl Hub {
    pub(super) fn new(config: RouterConfig) -> Self {
        let state = State { router: Router::new(config), queues: BTreeMap::new(), deadline: None };
        Self { state: Mutex::new(state), origin: Instant::now(), clock: Notify::new() }
    }

    pub(super) fn choose_format<'a>(&self, offered: impl IntoIterator<Item = &'a str>) -> Option<Format> {
        self.lock().router.choose_format(offered)
    }

    pub(super) fn stats(&self) -> RouterStats {
        self.lock().router.stats()
    }

    pub(super) fn opened(&self, format: Format) -> PeerId {
        self.input(|state, now| {
            let peer = state.router.handle_opened(now, format);
            state.queues.insert(peer, Queue::default());
            peer
        })
    }

    pub(super) fn received(&self, peer: PeerId, frames: &mut Vec<Frame>) {
        self.input(|state, now| {
            for frame in frames.drain(..) {
                state.router.handle_frame(now, peer, frame);
            }
        });
    }

    /// A connection has ended, and takes nothing any more.
    pub(super) fn closed(&self, peer: PeerId) {
        let gone = self.input(|state, now| {
            state.router.handle_closed(now, peer);
            state.queues.remove(&peer)
        });
        drop(gone);
    }

    /// Has the router do something of its embedder's own accord.
    pub(super) fn command<T>(&self, f: impl FnOnce(&mut Router, Time) -> T) -> T {
        self.input(|state, now| f(&mut state.router, now))
    }

    pub(super) fn shutdown(&self) {
        self.input(|state, now| state.router.shutdown(now));
    }

    /// Registers whom to wake when there is something for a connection, and takes what there is if it has nothing left. Says
    /// whether the router has closed the connection, which may be behind what its peer does not take.
    pub(super) fn take(&self, peer: PeerId, waker: &Waker, actions: &mut VecDeque<RouterAction>) -> bool {
        let mut waker = Some(waker.clone());
        let (is_writable, is_closing) = {
            let mut state = self.lock();
            let Some(queue) = state.queues.get_mut(&peer) else { return false };
            core::mem::swap(&mut queue.waker, &mut waker);
            let is_writable = actions.is_empty() && core::mem::take(&mut queue.is_blocked);
            if actions.is_empty() {
                core::mem::swap(&mut queue.actions, actions);
                queue.bytes = 0;
            }
            (is_writable, queue.is_closing)
        };
        if is_writable {
            self.input(|state, now| state.router.handle_writable(now, peer));
        }
        is_closing
    }

    /// Serves the router's deadlines, for ever.
    pub(super) async fn keep_time(self: Arc<Self>) {
        loop {
            let deadline = self.lock().deadline;
            let changed = self.clock.notified();
            match deadline.and_then(|deadline| self.origin.checked_add(deadline.since(Time::ZERO))) {
                Some(at) => {
                    if tokio::time::timeout_at(at, changed).await.is_err() {
                        self.input(|state, now| state.router.handle_timeout(now));
                    }
                }
                None => changed.await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the router something, and gives everybody what comes of it.
    fn input<T>(&self, f: impl FnOnce(&mut State, Time) -> T) -> T {
        let now = Time::ZERO.checked_add(self.origin.elapsed()).unwrap_or(Time::ZERO);
        let (result, wakers, is_new) = {
            let mut state = self.lock();
            let result = f(&mut state, now);
            let wakers = state.distribute(now);
            let deadline = state.router.poll_timeout();
            let is_new = deadline != core::mem::replace(&mut state.deadline, deadline);
            (result, wakers, is_new)
        };
        for waker in wakers {
            waker.wake();
        }
        if is_new {
            self.clock.notify_one();
        }
        result
    }
}

impl State {
    /// Puts the router's actions into the queues, and returns whom to wake.
    fn distribute(&mut self, now: Time) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(action) = self.router.poll_action() {
            let (peer, bytes) = match &action {
                RouterAction::Send { peer, frame } => (*peer, frame.bytes().len()),
                RouterAction::Close { peer, .. } => (*peer, 0),
                _ => continue,
            };
            // The connection may have ended before its peer has.
            let Some(queue) = self.queues.get_mut(&peer) else { continue };
            queue.is_closing |= matches!(action, RouterAction::Close { .. });
            queue.actions.push_back(action);
            queue.bytes = queue.bytes.saturating_add(bytes);
            wakers.extend(queue.waker.take());
            if queue.bytes >= FULL && !queue.is_blocked {
                queue.is_blocked = true;
                self.router.handle_blocked(now, peer);
            }
        }
        wakers
    }
}
