//! What a router asks of its embedder.

use core::fmt;
use std::sync::Arc;

use crate::Frame;

/// The router's name of one transport, from its opening to its end; no other transport of the router ever has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub(super) u64);

impl PeerId {
    /// The name as a number, for logs: peers count from 1 in the order in which they came.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({})", self.0)
    }
}

/// Something for the embedder of a router to do.
///
/// Frames to one peer come in the order in which they are to be sent. No order holds between peers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RouterAction {
    /// Send a frame.
    Send {
        /// To whom.
        peer: PeerId,
        /// The frame; frames of one event to several peers share their bytes.
        frame: Frame,
    },
    /// Close the transport, after the frames before. The router has forgotten the peer: further news of it are ignored.
    Close {
        /// Whose transport.
        peer: PeerId,
        /// The WebSocket close code, such as 1000.
        code: u16,
        /// The reason to put in the close frame, at most 123 bytes.
        reason: Arc<str>,
    },
}
