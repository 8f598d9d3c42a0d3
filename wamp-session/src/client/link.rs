//! The driver's side of a client, without futures: what every driver is made of.

use core::fmt;
use core::task::Waker;
use std::collections::VecDeque;
use std::sync::Arc;

use super::auth;
use super::shared::Shared;
use super::trace;
use crate::{Action, Frame, Time, TransportError, TransportErrorKind, TransportId};

/// The driver's side of a client: takes what is to be done with the transport, and tells what happened to it.
///
/// [`Driver`](super::Driver) does that with futures; a driver that blocks uses the link itself, in a loop: [`attend`](Self::attend),
/// [`turn`](Self::turn), do what it says, wait for the socket, the deadline or the waker.
///
/// Dropping it ends the client: everything that waits fails.
///
/// ```
/// use std::collections::VecDeque;
/// use std::task::Waker;
/// use wamp_session::client::Link;
/// use wamp_session::{Action, Frame, Time, TransportError, TransportId};
///
/// /// Whatever carries messages. `wait` returns when something came, when the waker was woken, and at the deadline.
/// trait Transport {
///     fn open(&mut self, id: TransportId, url: &str, subprotocols: &[&str]);
///     fn send(&mut self, frame: Frame);
///     fn ping(&mut self);
///     fn close(&mut self, code: u16, reason: &str);
///     fn wait(&mut self, deadline: Option<Time>) -> Option<(TransportId, News)>;
/// }
///
/// enum News {
///     Opened(Option<String>),
///     Received(Frame),
///     Closed(TransportError),
/// }
///
/// fn drive(link: &Link, transport: &mut impl Transport, waker: &Waker) {
///     let mut actions = VecDeque::new();
///     loop {
///         link.attend(waker);
///         let turn = link.turn(&mut actions, 64 << 10);
///         if turn.over {
///             return;
///         }
///         for action in actions.drain(..) {
///             match action {
///                 Action::OpenTransport { id, url, subprotocols } => transport.open(id, &url, &subprotocols),
///                 Action::Send { frame, .. } => transport.send(frame),
///                 Action::Ping { .. } => transport.ping(),
///                 Action::CloseTransport { code, reason, .. } => transport.close(code, &reason),
///                 _ => {}
///             }
///         }
///         match transport.wait(turn.deadline) {
///             Some((id, News::Opened(subprotocol))) => link.opened(id, subprotocol.as_deref()),
///             Some((id, News::Received(frame))) => link.received(id, &mut vec![frame]),
///             Some((id, News::Closed(why))) => link.closed(id, why),
///             None => link.timed_out(),
///         }
///     }
/// }
/// ```
#[must_use = "dropping the link ends the client"]
pub struct Link {
    shared: Arc<Shared>,
}

/// What a driver has to know before it waits.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Turn {
    /// When to call [`Link::timed_out`], at the latest.
    pub deadline: Option<Time>,
    /// The transport that the session uses; any other is to be dropped.
    pub transport: Option<TransportId>,
    /// Whether nothing is left to do, ever.
    pub over: bool,
}

impl Link {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Registers whom to wake when a handle has done something; it is woken once.
    ///
    /// Register first, then take a [`turn`](Self::turn): what is done in between is not lost.
    pub fn attend(&self, waker: &Waker) {
        let mut waker = Some(waker.clone());
        self.shared.look(|state, _| state.set_driver(&mut waker));
    }

    /// Takes actions until they hold `max_bytes` of frames or none is left, and says when to come again.
    ///
    /// What has been taken no longer counts for the publishers that wait for room: take no more than the socket is about to take.
    pub fn turn(&self, actions: &mut VecDeque<Action>, max_bytes: usize) -> Turn {
        let before = actions.len();
        let turn = self.shared.look(|state, effects| {
            let mut bytes = 0_usize;
            while bytes < max_bytes {
                let Some(action) = state.session.poll_action() else { break };
                if let Action::Send { frame, .. } = &action {
                    bytes = bytes.saturating_add(frame.bytes().len());
                }
                actions.push_back(action);
            }
            state.offer_room(effects);
            Turn { deadline: state.deadline(), transport: state.session.transport(), over: state.is_over() }
        });
        trace::taken(&self.shared, actions, before);
        turn
    }

    /// A transport was opened. The authenticators are asked, beside the driver, before the session goes on.
    pub fn opened(&self, id: TransportId, subprotocol: Option<&str>) {
        trace::opened(&self.shared, id, subprotocol);
        auth::offer(&self.shared, id, subprotocol);
    }

    /// Frames were received, in this order; they are taken out.
    pub fn received(&self, id: TransportId, frames: &mut Vec<Frame>) {
        trace::received(&self.shared, id, frames);
        self.shared.input(|state, now, _| {
            for frame in &*frames {
                state.session.handle_frame(now, id, frame.clone());
            }
        });
        // Only now, since whoever has received them may want to know when they are dropped.
        frames.clear();
    }

    /// Something came from the peer that is no frame, or not a whole one yet.
    pub fn activity(&self, id: TransportId) {
        self.shared.input(|state, now, _| state.session.handle_activity(now, id));
    }

    /// The machine has slept: finds out whether the peer still lives.
    pub fn probe(&self) {
        self.shared.input(|state, now, _| state.session.probe(now));
    }

    /// Says that what was taken for a transport and is not written will not be.
    ///
    /// Its frames are taken out of the actions, and the publications without acknowledgement among them count as lost.
    ///
    /// Call it before [`closed`](Self::closed), so that they are told with the session that lost them.
    pub fn unsent(&self, id: TransportId, actions: &mut VecDeque<Action>) {
        let mut frames = Vec::new();
        actions.retain(|action| match action {
            Action::Send { id: of, frame } if *of == id => {
                frames.push(frame.clone());
                false
            }
            _ => true,
        });
        if !frames.is_empty() {
            trace::unsent(&self.shared, id, frames.len());
            self.shared.input(|state, now, _| {
                for frame in frames {
                    state.session.handle_unsent(now, frame);
                }
            });
        }
    }

    /// A transport could not be opened, or ended.
    pub fn closed(&self, id: TransportId, why: TransportError) {
        trace::closed(&self.shared, id, &why);
        // What the session drops is not the last of it, since the lock is no place for that.
        let kept = why.clone();
        self.shared.input(|state, now, _| state.session.handle_closed(now, id, why));
        drop(kept);
    }

    /// Time has passed: to be called at the [deadline](Turn::deadline), or more often.
    pub fn timed_out(&self) {
        self.shared.input(|state, now, effects| {
            effects.told.due(&state.session, now);
            state.session.handle_timeout(now);
        });
    }

    /// The runtime's time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.shared.now()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let waker = self.shared.input(|state, now, _| {
            state.is_dead = true;
            state.session.close(now, crate::CloseReason::CloseRealm);
            if let Some(id) = state.session.transport() {
                state.session.handle_closed(now, id, TransportError::new(TransportErrorKind::Eof));
            }
            let mut waker = None;
            state.set_driver(&mut waker);
            waker
        });
        drop(waker);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
