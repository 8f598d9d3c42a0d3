//! The queue of actions, and the frames in it.

use std::collections::VecDeque;
use std::sync::Arc;

use wamp_proto::{Format, Message, encode_frame};

use crate::{Action, CommandError, Frame, TransportId};

/// Actions that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    queue: VecDeque<Queued>,
    bytes: usize,
    refusals: usize,
}

#[derive(Debug)]
struct Queued {
    action: Action,
    kind: Kind,
}

/// What an action is, as far as it matters to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Other,
    /// A frame that the peer made the session send by itself.
    Refusal,
    /// A PUBLISH that nobody answers.
    Publish,
}

impl Outbound {
    pub(super) fn push(&mut self, action: Action) {
        self.queue.push_back(Queued { action, kind: Kind::Other });
    }

    pub(super) fn send(&mut self, id: TransportId, frame: Frame) {
        self.bytes += frame.bytes().len();
        self.push(Action::Send { id, frame });
    }

    /// Queues a PUBLISH that nobody answers.
    pub(super) fn publish(&mut self, id: TransportId, frame: Frame) {
        self.bytes += frame.bytes().len();
        self.queue.push_back(Queued { action: Action::Send { id, frame }, kind: Kind::Publish });
    }

    /// Queues the refusal of an INVOCATION, unless too many wait already.
    pub(super) fn refuse(&mut self, id: TransportId, frame: Frame, limit: usize) {
        if self.refusals < limit {
            self.bytes += frame.bytes().len();
            self.refusals += 1;
            self.queue.push_back(Queued { action: Action::Send { id, frame }, kind: Kind::Refusal });
        }
    }

    pub(super) fn pop(&mut self) -> Option<Action> {
        let queued = self.queue.pop_front()?;
        self.uncount(&queued);
        Some(queued.action)
    }

    fn uncount(&mut self, queued: &Queued) {
        if let Action::Send { frame, .. } = &queued.action {
            self.bytes -= frame.bytes().len();
        }
        self.refusals -= usize::from(queued.kind == Kind::Refusal);
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops every action of a transport that has ended, and says how many unacknowledged publications were among them.
    pub(super) fn forget(&mut self, ended: TransportId) -> u64 {
        self.retain(|action| transport_of(action) != ended)
    }

    /// Drops the actions of a transport that is given up; if it was opened, the action that closes it stays. Says how many
    /// unacknowledged publications are lost.
    pub(super) fn abandon(&mut self, given_up: TransportId) -> u64 {
        let unopened =
            self.queue.iter().any(|queued| matches!(queued.action, Action::OpenTransport { id, .. } if id == given_up));
        self.retain(|action| {
            transport_of(action) != given_up || (!unopened && matches!(action, Action::CloseTransport { .. }))
        })
    }

    fn retain(&mut self, keep: impl Fn(&Action) -> bool) -> u64 {
        let mut lost = 0;
        for queued in core::mem::take(&mut self.queue) {
            if keep(&queued.action) {
                self.queue.push_back(queued);
            } else {
                lost += u64::from(queued.kind == Kind::Publish);
                self.uncount(&queued);
            }
        }
        lost
    }
}

const fn transport_of(action: &Action) -> TransportId {
    match action {
        Action::OpenTransport { id, .. }
        | Action::Send { id, .. }
        | Action::Ping { id }
        | Action::CloseTransport { id, .. } => *id,
    }
}

/// Encodes a message into a frame, of at most `limit` bytes.
pub(super) fn frame(message: Message, format: Format, limit: usize) -> Result<Frame, CommandError> {
    let bytes = encode_frame(message, format)?;
    if bytes.len() > limit {
        return Err(CommandError::TooLarge { size: bytes.len(), limit });
    }
    Ok(if format.is_binary() { Frame::Binary(bytes) } else { Frame::Text(bytes) })
}

/// Cuts a text to what fits into the reason of a WebSocket close frame.
pub(super) fn close_reason(text: &str) -> Arc<str> {
    text.get(..text.floor_char_boundary(123)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn send(id: u64) -> (TransportId, Frame) {
        (TransportId(id), Frame::Text(Bytes::from_static(b"[70,1,{}]")))
    }

    fn open(id: u64) -> Action {
        Action::OpenTransport { id: TransportId(id), url: "".into(), subprotocols: Arc::new([]) }
    }

    fn close(id: u64) -> Action {
        Action::CloseTransport { id: TransportId(id), code: 1000, reason: "".into() }
    }

    #[test]
    fn the_bytes_of_dropped_frames_do_not_count() {
        let mut outbound = Outbound::default();
        let (id, frame) = send(1);
        outbound.send(id, frame.clone());
        outbound.refuse(id, frame, 1);
        assert_eq!(outbound.bytes(), 18);
        outbound.forget(id);
        assert_eq!(outbound.bytes(), 0);
        assert!(outbound.pop().is_none());
    }

    #[test]
    fn refusals_are_bounded_and_the_bound_is_of_those_that_wait() {
        let mut outbound = Outbound::default();
        let (id, frame) = send(1);
        for _ in 0..3 {
            outbound.refuse(id, frame.clone(), 2);
        }
        assert_eq!(outbound.queue.len(), 2);
        assert!(outbound.pop().is_some());
        outbound.refuse(id, frame, 2);
        assert_eq!(outbound.queue.len(), 2);
    }

    #[test]
    fn a_transport_that_is_given_up_is_closed_if_it_was_opened() {
        let mut outbound = Outbound::default();
        let (id, frame) = send(1);
        outbound.send(id, frame);
        outbound.push(close(1));
        outbound.abandon(id);
        assert!(matches!(outbound.pop(), Some(Action::CloseTransport { .. })));
        outbound.push(open(1));
        outbound.push(close(1));
        outbound.abandon(id);
        assert!(outbound.pop().is_none());
    }

    #[test]
    fn close_reasons_fit_into_a_close_frame() {
        assert_eq!(close_reason("short"), "short".into());
        assert_eq!(close_reason(&"ü".repeat(100)).len(), 122);
    }
}
