//! The queue of events, bounded where the peer fills it.

use std::collections::VecDeque;
use std::sync::Arc;

use wamp_proto::Payload;

use crate::{InvocationEvent, Left, Limits, SessionEvent};

/// Events that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    queue: VecDeque<Queued>,
    /// How many there are of a kind.
    unasked: usize,
    invocations: usize,
    answers: usize,
    changes: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Queued {
    event: SessionEvent,
    kind: Kind,
    /// What it was counted with: a payload may count otherwise once it has been looked at.
    bytes: usize,
}

/// What an event is, as far as it matters to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Other,
    /// EVENTs, progressive results and inputs of invocations: what a peer can send without end.
    Unasked,
    Invocation,
    /// The one answer to a command.
    Answer,
    /// What tells of a session, and is of no interest once a later one is over.
    Change,
}

impl Inbound {
    /// Queues an event that always has room: there is at most one for each command or unanswered invocation, and few
    /// for each session, of which `push_left` bounds the number.
    pub(super) fn push(&mut self, event: SessionEvent) {
        let kind = kind_of(&event);
        self.queue(event, kind, 0);
    }

    /// Queues an event that tells of the present session only, whatever its kind is else.
    pub(super) fn push_change(&mut self, event: SessionEvent) {
        self.queue(event, Kind::Change, 0);
    }

    /// Queues what tells that the session is over. If too much waits that tells of those before, it takes the place of that.
    pub(super) fn push_left(&mut self, mut left: Arc<Left>, limits: &Limits) {
        if self.changes >= limits.changes {
            let mut lost_publishes = left.lost_publishes;
            self.queue.retain(|queued| {
                if let SessionEvent::Left(unread) = &queued.event {
                    lost_publishes = lost_publishes.saturating_add(unread.lost_publishes);
                }
                queued.kind != Kind::Change
            });
            self.changes = 0;
            Arc::make_mut(&mut left).lost_publishes = lost_publishes;
        }
        self.push(SessionEvent::Left(left));
    }

    /// Queues an EVENT, a progressive result or an input of an invocation if there is room, and says whether there was.
    pub(super) fn push_unasked(&mut self, event: SessionEvent, limits: &Limits) -> bool {
        let bytes = payload_of(&event).map_or(0, Payload::byte_len);
        let has_room = self.unasked < limits.events && self.has_room_for(bytes, limits);
        if has_room {
            self.queue(event, Kind::Unasked, bytes);
        }
        has_room
    }

    /// Queues an INVOCATION if there is room, and says whether there was.
    pub(super) fn push_invocation(&mut self, event: InvocationEvent, limits: &Limits) -> bool {
        let bytes = event.payload.byte_len();
        // Those that have ended meanwhile wait as well.
        let has_room = self.invocations < limits.invocations && self.has_room_for(bytes, limits);
        if has_room {
            self.queue(SessionEvent::Invocation(event), Kind::Invocation, bytes);
        }
        has_room
    }

    const fn has_room_for(&self, bytes: usize, limits: &Limits) -> bool {
        bytes <= limits.event_bytes.saturating_sub(self.bytes)
    }

    fn queue(&mut self, event: SessionEvent, kind: Kind, bytes: usize) {
        if let Some(count) = self.count(kind) {
            *count += 1;
        }
        self.bytes += bytes;
        self.queue.push_back(Queued { event, kind, bytes });
    }

    pub(super) fn pop(&mut self) -> Option<SessionEvent> {
        let Queued { event, kind, bytes } = self.queue.pop_front()?;
        if let Some(count) = self.count(kind) {
            *count -= 1;
        }
        self.bytes -= bytes;
        Some(event)
    }

    const fn count(&mut self, kind: Kind) -> Option<&mut usize> {
        match kind {
            Kind::Other => None,
            Kind::Unasked => Some(&mut self.unasked),
            Kind::Invocation => Some(&mut self.invocations),
            Kind::Answer => Some(&mut self.answers),
            Kind::Change => Some(&mut self.changes),
        }
    }

    /// Whether there is room for EVENTs and INVOCATIONs.
    pub(super) const fn has_room(&self, limits: &Limits) -> bool {
        self.unasked < limits.events && self.bytes < limits.event_bytes
    }

    /// How many events wait that end a request.
    pub(super) const fn answers(&self) -> usize {
        self.answers
    }
}

/// The kind of an event that always has room.
const fn kind_of(event: &SessionEvent) -> Kind {
    match event {
        SessionEvent::Joined(_)
        | SessionEvent::Left(_)
        | SessionEvent::Restored { .. }
        | SessionEvent::Challenge { .. } => Kind::Change,
        SessionEvent::CallDone { .. }
        | SessionEvent::PublishDone { .. }
        | SessionEvent::PublishSent { .. }
        | SessionEvent::Subscribed { .. }
        | SessionEvent::Registered { .. } => Kind::Answer,
        _ => Kind::Other,
    }
}

/// The payload of an event of which a peer can cause any number.
const fn payload_of(event: &SessionEvent) -> Option<&Payload> {
    match event {
        SessionEvent::Published(event) => Some(&event.payload),
        SessionEvent::CallProgress { progress, .. } => Some(&progress.payload),
        SessionEvent::InvocationInput { payload, .. } => Some(payload),
        _ => None,
    }
}
