//! The queue of events, bounded where the peer fills it.

use std::collections::VecDeque;
use std::sync::Arc;

use wamp_proto::Payload;

use crate::{InvocationEvent, Left, Limits, SessionEvent};

/// Events that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// With each event the bytes that it was counted with: a payload may count otherwise once it has been looked at.
    queue: VecDeque<(SessionEvent, usize)>,
    /// EVENTs, progressive results and inputs of invocations: what a peer can send without end.
    unasked: usize,
    invocations: usize,
    bytes: usize,
    answers: usize,
    /// Events that tell of the session itself.
    changes: usize,
}

impl Inbound {
    /// Queues an event that always has room: there is at most one for each command or unanswered invocation, and few
    /// for each session, of which `push_left` bounds the number.
    pub(super) fn push(&mut self, event: SessionEvent) {
        self.answers += usize::from(is_answer(&event));
        self.changes += usize::from(is_change(&event));
        self.queue.push_back((event, 0));
    }

    /// Queues what tells that the session is over. If too much waits that tells of those before, it takes the place of that.
    pub(super) fn push_left(&mut self, mut left: Arc<Left>, limits: &Limits) {
        if self.changes >= limits.changes {
            let mut lost_publishes = left.lost_publishes;
            self.queue.retain(|(event, _)| {
                if let SessionEvent::Left(unread) = event {
                    lost_publishes = lost_publishes.saturating_add(unread.lost_publishes);
                }
                !is_change(event)
            });
            self.changes = 0;
            Arc::make_mut(&mut left).lost_publishes = lost_publishes;
        }
        self.push(SessionEvent::Left(left));
    }

    /// Queues an EVENT, a progressive result or an input of an invocation if there is room, and says whether there was.
    pub(super) fn push_unasked(&mut self, event: SessionEvent, limits: &Limits) -> bool {
        let bytes = unasked(&event).map_or(0, Payload::byte_len);
        if self.unasked >= limits.events || bytes > limits.event_bytes.saturating_sub(self.bytes) {
            return false;
        }
        self.unasked += 1;
        self.bytes += bytes;
        self.queue.push_back((event, bytes));
        true
    }

    /// Queues an INVOCATION if there is room, and says whether there was.
    pub(super) fn push_invocation(&mut self, event: InvocationEvent, limits: &Limits) -> bool {
        let bytes = event.payload.byte_len();
        // Those that have ended meanwhile wait as well.
        if self.invocations >= limits.invocations || bytes > limits.event_bytes.saturating_sub(self.bytes) {
            return false;
        }
        self.invocations += 1;
        self.bytes += bytes;
        self.queue.push_back((SessionEvent::Invocation(event), bytes));
        true
    }

    pub(super) fn pop(&mut self) -> Option<SessionEvent> {
        let (event, bytes) = self.queue.pop_front()?;
        self.unasked -= usize::from(unasked(&event).is_some());
        self.invocations -= usize::from(matches!(event, SessionEvent::Invocation(_)));
        self.bytes -= bytes;
        self.answers -= usize::from(is_answer(&event));
        self.changes -= usize::from(is_change(&event));
        Some(event)
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

/// Whether it is of no interest once a later session is over.
const fn is_change(event: &SessionEvent) -> bool {
    matches!(
        event,
        SessionEvent::Joined(_)
            | SessionEvent::Left(_)
            | SessionEvent::Restored { .. }
            | SessionEvent::Challenge { .. }
    )
}

/// The payload of an event of which a peer can cause any number.
const fn unasked(event: &SessionEvent) -> Option<&Payload> {
    match event {
        SessionEvent::Published(event) => Some(&event.payload),
        SessionEvent::CallProgress { progress, .. } => Some(&progress.payload),
        SessionEvent::InvocationInput { payload, .. } => Some(payload),
        _ => None,
    }
}

const fn is_answer(event: &SessionEvent) -> bool {
    matches!(
        event,
        SessionEvent::CallDone { .. }
            | SessionEvent::PublishDone { .. }
            | SessionEvent::PublishSent { .. }
            | SessionEvent::Subscribed { .. }
            | SessionEvent::Registered { .. }
    )
}
