//! The driver: a future that moves frames between the session and its socket.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use super::link::Link;
use super::runtime::{Adapter, Opening, Received, Socket, Task};
use crate::{Action, Frame, Time, TransportError, TransportErrorKind, TransportId};

/// How many bytes of frames are taken from the session, or from the socket, before they are passed on.
const BATCH: usize = 64 << 10;

/// How long a socket that is of no use any more may take to write what is left.
const LINGER: Duration = Duration::from_secs(1);

/// How much the time of day runs ahead when the machine has slept.
const SLEPT: Duration = Duration::from_secs(5);

/// How often the clocks are compared while a transport is open.
const WATCH: Duration = Duration::from_secs(5);

/// Drives one client: opens its transport, writes, reads, and keeps its time.
///
/// It has to be polled for the client to do anything; the adapters spawn it. It ends when the last live handle is gone and the
/// session is closed. Dropping it ends the client: everything that waits fails.
///
/// What is queued while it does not run goes out together, in one flush; a lone message goes out at once. It reads also while
/// writing is blocked.
#[must_use = "futures do nothing unless they are polled"]
pub struct Driver<A: Adapter> {
    link: Link,
    adapter: Arc<A>,
    phase: Phase<A::Socket>,
    /// Actions that have been taken from the session.
    actions: VecDeque<Action>,
    frames: Vec<Frame>,
    unflushed: bool,
    /// Why nothing can be written any more, and until when to read what the peer said before.
    broken: Option<(TransportError, Time)>,
    alarm: Option<(Time, Task)>,
    lingering: Option<(A::Socket, Time)>,
    /// The signs of life that the present socket had counted.
    signs: u64,
    /// Both clocks at the last poll.
    clocks: Option<(Time, Duration)>,
}

enum Phase<S> {
    Idle,
    Opening(TransportId, Opening<S>),
    Open(TransportId, S),
    /// A close frame was sent.
    Closing(TransportId, S),
}

impl<A: Adapter> Driver<A> {
    pub(crate) const fn new(link: Link, adapter: Arc<A>) -> Self {
        Self {
            link,
            adapter,
            phase: Phase::Idle,
            actions: VecDeque::new(),
            frames: Vec::new(),
            unflushed: false,
            broken: None,
            alarm: None,
            lingering: None,
            signs: 0,
            clocks: None,
        }
    }

    /// Polls the transport that is being opened, and says whether something happened.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> bool {
        let Phase::Opening(id, opening) = &mut self.phase else { return false };
        let id = *id;
        let Poll::Ready(opened) = opening.as_mut().poll(cx) else { return false };
        match opened {
            Ok((socket, subprotocol)) => {
                self.signs = socket.signs_of_life();
                self.phase = Phase::Open(id, socket);
                self.link.opened(id, subprotocol.as_deref());
            }
            Err(error) => {
                self.phase = Phase::Idle;
                self.link.closed(id, error);
            }
        }
        true
    }

    /// Carries actions out as far as the socket takes them, and says whether something happened.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        loop {
            // A frame waits in the queue until the socket is ready for it.
            if let (Some(Action::Send { id, .. } | Action::Ping { id }), Phase::Open(open, socket)) =
                (self.actions.front(), &mut self.phase)
                && id == open
                && self.broken.is_none()
            {
                match socket.poll_ready(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => {
                        self.fail_writing(error);
                        return true;
                    }
                    Poll::Pending => return progress,
                }
            }
            let Some(action) = self.actions.pop_front() else { break };
            progress = true;
            match (action, &mut self.phase) {
                (Action::OpenTransport { id, url, subprotocols }, _) => {
                    self.phase = Phase::Opening(id, self.adapter.open(url, subprotocols));
                    self.poll_open(cx);
                }
                (Action::Send { id, frame }, Phase::Open(open, socket)) if id == *open && self.broken.is_none() => {
                    self.unflushed = true;
                    if let Err(error) = socket.send(frame) {
                        self.fail_writing(error);
                        return true;
                    }
                }
                (Action::Ping { id }, Phase::Open(open, socket)) if id == *open && self.broken.is_none() => {
                    self.unflushed = true;
                    if let Err(error) = socket.ping() {
                        self.fail_writing(error);
                        return true;
                    }
                }
                (Action::CloseTransport { id, code, reason }, Phase::Open(open, _)) if id == *open => {
                    if let Phase::Open(id, mut socket) = core::mem::replace(&mut self.phase, Phase::Idle) {
                        socket.close(code, &reason);
                        self.unflushed = self.broken.is_none();
                        self.phase = Phase::Closing(id, socket);
                    }
                }
                (Action::CloseTransport { id, .. }, Phase::Opening(opening, _)) if id == *opening => {
                    self.phase = Phase::Idle;
                    self.link.closed(id, TransportError::new(TransportErrorKind::Eof));
                }
                // Of a transport that is gone, or takes nothing any more.
                _ => {}
            }
        }
        if self.unflushed
            && let Phase::Open(_, socket) | Phase::Closing(_, socket) = &mut self.phase
        {
            match socket.poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => {
                    self.fail_writing(error);
                    return true;
                }
                Poll::Pending => {}
            }
        }
        progress
    }

    /// Reads a batch of frames, and says whether something happened.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> bool {
        let (Phase::Open(id, socket) | Phase::Closing(id, socket)) = &mut self.phase else { return false };
        let id = *id;
        let mut bytes = 0_usize;
        let end = loop {
            if bytes >= BATCH {
                break None;
            }
            match socket.poll_receive(cx) {
                Poll::Ready(Ok(Received::Frame(frame))) => {
                    // Frames without bytes count as well.
                    bytes = bytes.saturating_add(frame.bytes().len().max(64));
                    self.frames.push(frame);
                }
                Poll::Ready(Ok(Received::Activity)) => bytes = bytes.saturating_add(64),
                Poll::Ready(Err(error)) => break Some(error),
                Poll::Pending => break None,
            }
        };
        let signs = socket.signs_of_life();
        // A part of a frame is progress as well: it moves the session's deadline.
        let progress = bytes > 0 || signs != self.signs;
        self.signs = signs;
        if !self.frames.is_empty() {
            self.link.received(id, &mut self.frames);
        } else if progress {
            self.link.activity(id);
        }
        match end {
            Some(error) => {
                self.fail(error);
                true
            }
            None => progress,
        }
    }

    /// Tells the session when writing has shown that the peer is there, and says whether it has.
    fn notice_life(&mut self) -> bool {
        let (Phase::Open(id, socket) | Phase::Closing(id, socket)) = &self.phase else { return false };
        let signs = socket.signs_of_life();
        if signs == core::mem::replace(&mut self.signs, signs) {
            return false;
        }
        self.link.activity(*id);
        true
    }

    /// Nothing can be written any more. The peer may have said why before, so what it sent is read first, until that ends too.
    fn fail_writing(&mut self, error: TransportError) {
        self.unflushed = false;
        match self.link.now().checked_add(LINGER) {
            Some(until) => self.broken = Some((error, until)),
            None => self.fail(error),
        }
    }

    /// Gives up a socket whose reading does not end although its writing has, and says whether it did.
    fn expire_broken(&mut self) -> bool {
        let now = self.link.now();
        let Some((error, _)) = self.broken.take_if(|(_, until)| now >= *until) else { return false };
        self.fail(error);
        true
    }

    /// The transport has ended.
    fn fail(&mut self, error: TransportError) {
        if let Some(id) = self.retire() {
            self.link.closed(id, error);
        }
    }

    /// Gives up the socket; what it still has to write, such as the answer to a close frame, it may write beside the driver's work.
    fn retire(&mut self) -> Option<TransportId> {
        self.unflushed = false;
        self.broken = None;
        match core::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => None,
            Phase::Opening(id, _) => Some(id),
            Phase::Open(id, socket) | Phase::Closing(id, socket) => {
                self.link.unsent(id, &mut self.actions);
                let until = self.link.now().checked_add(LINGER);
                self.lingering = until.map(|until| (socket, until));
                Some(id)
            }
        }
    }

    /// A machine that has slept does not know how long; its peer may have given it up.
    fn notice_sleep(&mut self) {
        let Some(time_of_day) = self.adapter.time_of_day() else { return };
        let now = self.link.now();
        if let Some((then, time_of_day_then)) = self.clocks.replace((now, time_of_day))
            && time_of_day.saturating_sub(time_of_day_then) > now.since(then).saturating_add(SLEPT)
        {
            self.link.probe();
        }
    }

    fn poll_lingering(&mut self, cx: &mut Context<'_>) {
        if let Some((socket, until)) = &mut self.lingering
            && (socket.poll_flush(cx).is_ready() || self.link.now() >= *until)
        {
            self.lingering = None;
        }
    }

    /// Keeps an alarm that rings at the deadline or before, and says whether it rang.
    fn poll_alarm(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> bool {
        let lingering = self.lingering.as_ref().map(|(_, until)| *until);
        let broken = self.broken.as_ref().map(|(_, until)| *until);
        // Nothing else may be due for long after the machine has woken up.
        let watch = match &self.phase {
            Phase::Open(..) => self.clocks.and_then(|(then, _)| then.checked_add(WATCH)),
            Phase::Idle | Phase::Opening(..) | Phase::Closing(..) => None,
        };
        let wanted = deadline.into_iter().chain(lingering).chain(broken).chain(watch).min();
        let Some(wanted) = wanted else { return false };
        // One that rings too early is kept, and set anew when it has rung: most deadlines are met, and only move on.
        let (_, alarm) = match &mut self.alarm {
            Some(alarm) if alarm.0 <= wanted => alarm,
            alarm => alarm.insert((wanted, self.adapter.sleep_until(wanted))),
        };
        if alarm.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.alarm = None;
        self.link.timed_out();
        true
    }
}

impl<A: Adapter> Future for Driver<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.link.attend(cx.waker());
        this.notice_sleep();
        loop {
            let room = if this.actions.is_empty() { BATCH } else { 0 };
            let turn = this.link.turn(&mut this.actions, room);
            let mut progress = this.poll_open(cx);
            progress |= this.poll_write(cx);
            progress |= this.notice_life();
            progress |= this.poll_read(cx);
            progress |= this.expire_broken();
            let current = match &this.phase {
                Phase::Idle => None,
                Phase::Opening(id, _) | Phase::Open(id, _) | Phase::Closing(id, _) => Some(*id),
            };
            // A new transport shows in `turn` no later than the action that opens it.
            if !progress && current.is_some() && current != turn.transport {
                this.retire();
                progress = true;
            }
            this.poll_lingering(cx);
            progress |= this.poll_alarm(cx, turn.deadline);
            if !progress {
                if turn.over && this.lingering.is_none() && this.actions.is_empty() {
                    return Poll::Ready(());
                }
                return Poll::Pending;
            }
        }
    }
}

impl<A: Adapter> fmt::Debug for Driver<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
