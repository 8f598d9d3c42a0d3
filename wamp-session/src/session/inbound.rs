//! The queue of events, bounded where the peer fills it.

use std::collections::VecDeque;

use crate::{InvocationEvent, Limits, PublishedEvent, SessionEvent};

/// Events that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// With each event the bytes that it was counted with: a payload may count otherwise once it has been looked at.
    queue: VecDeque<(SessionEvent, usize)>,
    published: usize,
    bytes: usize,
    answers: usize,
}

impl Inbound {
    /// Queues an event that always has room: there is at most one for each command, session or unanswered invocation.
    pub(super) fn push(&mut self, event: SessionEvent) {
        self.answers += usize::from(is_answer(&event));
        self.queue.push_back((event, 0));
    }

    /// Queues an EVENT if there is room, and says whether there was.
    pub(super) fn push_published(&mut self, event: PublishedEvent, limits: &Limits) -> bool {
        let bytes = event.payload.byte_len();
        if self.published >= limits.events || bytes > limits.event_bytes.saturating_sub(self.bytes) {
            return false;
        }
        self.published += 1;
        self.bytes += bytes;
        self.queue.push_back((SessionEvent::Published(event), bytes));
        true
    }

    /// Queues an INVOCATION if there is room, and says whether there was.
    pub(super) fn push_invocation(&mut self, event: InvocationEvent, limits: &Limits) -> bool {
        let bytes = event.payload.byte_len();
        if bytes > limits.event_bytes.saturating_sub(self.bytes) {
            return false;
        }
        self.bytes += bytes;
        self.queue.push_back((SessionEvent::Invocation(event), bytes));
        true
    }

    pub(super) fn pop(&mut self) -> Option<SessionEvent> {
        let (event, bytes) = self.queue.pop_front()?;
        self.published -= usize::from(matches!(event, SessionEvent::Published(_)));
        self.bytes -= bytes;
        self.answers -= usize::from(is_answer(&event));
        Some(event)
    }

    /// How many events wait that end a request.
    pub(super) const fn answers(&self) -> usize {
        self.answers
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
