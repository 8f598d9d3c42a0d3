//! What a session has done with, and does not drop itself.
//!
//! Payloads and causes can hold what is somebody else's, whose `Drop` is somebody else's code. A client must not run it
//! under its lock, so it asks for these things and drops them later.

use core::fmt;

use wamp_proto::Payload;

use super::Session;

/// Something that is only to be dropped.
pub(crate) type Discarded = Box<dyn Send>;

/// What is to be dropped later, if somebody has asked for it.
#[derive(Default)]
pub(super) struct Discards(Option<Vec<Discarded>>);

impl Discards {
    /// Keeps something to be dropped later; unless somebody takes these things, it is dropped now.
    pub(super) fn push(&mut self, gone: impl Send + 'static) {
        if let Some(kept) = &mut self.0 {
            kept.push(Box::new(gone));
        }
    }

    /// Holds on to a payload that is to be sent, unless its bytes are its own: those can become the frame where they lie.
    pub(super) fn hold(&mut self, payload: &Payload) {
        if !payload.is_own() {
            self.push(payload.clone());
        }
    }
}

impl Session {
    /// From now on, what may hold somebody else's values is not dropped but kept for [`take_discarded`](Self::take_discarded).
    #[cfg(feature = "client")]
    pub(crate) fn keep_discarded(&mut self) {
        self.discards.0 = Some(Vec::new());
    }

    /// Takes what is to be dropped.
    #[cfg(feature = "client")]
    pub(crate) fn take_discarded(&mut self) -> Vec<Discarded> {
        self.discards.0.as_mut().map(core::mem::take).unwrap_or_default()
    }
}

impl fmt::Debug for Discards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discards").finish_non_exhaustive()
    }
}
