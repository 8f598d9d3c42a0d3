//! What a client keeps of the invocations that it has not answered.

use core::task::Waker;
use std::collections::{BTreeMap, VecDeque};

use wamp_proto::{InvocationDetails, Payload, Uri};

use super::queue::{self, Queue};
use super::shared::Effects;
use crate::{InvocationEnd, InvocationEvent, InvocationKey};

/// How many inputs of one invocation may wait to be taken; with more it is answered with `wamp.error.unavailable`.
const INPUTS: Queue = Queue::new();

#[derive(Debug)]
pub(crate) struct InvocationParts {
    pub(super) key: InvocationKey,
    pub(super) procedure: Uri,
    pub(super) details: InvocationDetails,
    pub(super) payload: Payload,
}

/// What the client keeps of an invocation, from its arrival until nobody has it any more.
#[derive(Debug)]
pub(crate) struct Work {
    /// Whether somebody has taken it out of its inbox.
    taken: bool,
    /// Why it has ended or is to end, if it does without the application.
    pub(super) end: Option<InvocationEnd>,
    /// Whether it is still to be answered.
    pub(super) is_open: bool,
    /// Whether more input may come, and what has come.
    pub(super) more: bool,
    pub(super) inputs: VecDeque<Payload>,
    pub(super) bytes: usize,
    /// The task that serves it.
    pub(super) server: Option<Waker>,
    /// The tasks that wait for input, and for the end.
    pub(super) readers: BTreeMap<u64, Waker>,
    pub(super) watchers: BTreeMap<u64, Waker>,
}

impl From<InvocationEvent> for InvocationParts {
    fn from(event: InvocationEvent) -> Self {
        Self { key: event.key, procedure: event.procedure, details: event.details, payload: event.payload }
    }
}

impl InvocationParts {
    pub(crate) const fn key(&self) -> InvocationKey {
        self.key
    }

    pub(crate) fn byte_len(&self) -> usize {
        self.payload.byte_len()
    }

    pub(crate) const fn payload_mut(&mut self) -> &mut Payload {
        &mut self.payload
    }

    pub(crate) fn work(&self) -> Work {
        Work {
            taken: false,
            end: None,
            is_open: true,
            more: self.details.progress == Some(true),
            inputs: VecDeque::new(),
            bytes: 0,
            server: None,
            readers: BTreeMap::new(),
            watchers: BTreeMap::new(),
        }
    }

    /// Marks it as taken, if it is still to be answered; else it is forgotten.
    pub(crate) fn take(&self, invocations: &mut BTreeMap<InvocationKey, Work>, effects: &mut Effects) -> bool {
        match invocations.get_mut(&self.key) {
            Some(work) if work.is_open => {
                work.taken = true;
                true
            }
            _ => {
                if let Some(work) = invocations.remove(&self.key) {
                    work.forget(effects);
                }
                false
            }
        }
    }
}

impl Work {
    /// Whether it is still to be answered.
    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Queues more input; `false` if there is no room.
    pub(crate) fn push(&mut self, mut payload: Payload, more: bool, effects: &mut Effects) -> bool {
        self.more = more;
        if !INPUTS.takes(self.inputs.len(), self.bytes, payload.byte_len()) {
            return false;
        }
        if !self.inputs.is_empty() || self.readers.is_empty() {
            queue::waiting(&mut payload);
        }
        self.bytes = self.bytes.saturating_add(payload.byte_len());
        self.inputs.push_back(payload);
        // Any of them may take it, and one that is dropped instead must not be the only one that knows.
        effects.wake_all(&mut self.readers);
        true
    }

    /// The call was cancelled; `true` if nobody has the invocation yet, so that it can be answered at once.
    pub(crate) fn interrupt(&mut self, why: InvocationEnd, effects: &mut Effects) -> bool {
        self.end.get_or_insert(why);
        self.wake(effects);
        !self.taken
    }

    /// It is not to be answered any more.
    pub(crate) fn close(&mut self, why: InvocationEnd, effects: &mut Effects) {
        self.is_open = false;
        self.interrupt(why, effects);
    }

    fn wake(&mut self, effects: &mut Effects) {
        for input in self.inputs.drain(..) {
            effects.discard_payload(input);
        }
        self.bytes = 0;
        self.more = false;
        effects.wake(self.server.take());
        effects.wake_all(&mut self.readers);
        effects.wake_all(&mut self.watchers);
    }

    /// Lets it go; whoever waits for it, finds out that it is gone.
    pub(crate) fn forget(mut self, effects: &mut Effects) {
        effects.discard(self.server.take());
        self.wake(effects);
    }
}
