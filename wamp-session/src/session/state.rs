//! Where a session stands between its opening and its end.

use std::sync::Arc;

use wamp_proto::Format;

use super::deadlines::DeadlineId;
use crate::{CloseCause, Joined, TransportId};

/// The state of a session.
#[derive(Debug)]
pub(super) enum State {
    /// No run is under way.
    Closed,
    /// A transport is being opened.
    Opening { transport: TransportId, deadline: Option<DeadlineId> },
    /// HELLO was sent.
    Joining(Joining),
    /// WELCOME was received.
    Joined(Established),
    /// The session is over, its transport is not.
    Closing(Closing),
}

#[derive(Debug)]
pub(super) struct Joining {
    pub(super) transport: TransportId,
    pub(super) format: Format,
    /// The authentication methods of the HELLO.
    pub(super) offered: Vec<Arc<str>>,
    /// Whether a CHALLENGE waits for its answer.
    pub(super) challenged: bool,
    pub(super) deadline: Option<DeadlineId>,
}

#[derive(Clone, Debug)]
pub(super) struct Established {
    pub(super) transport: TransportId,
    pub(super) format: Format,
    pub(super) joined: Arc<Joined>,
}

#[derive(Debug)]
pub(super) struct Closing {
    pub(super) transport: TransportId,
    pub(super) cause: CloseCause,
    /// The format, while the router's GOODBYE is waited for; else only the end of the transport is.
    pub(super) goodbye: Option<Format>,
    pub(super) deadline: Option<DeadlineId>,
    /// Whether to connect again afterwards.
    pub(super) again: bool,
}

impl State {
    /// The transport in use.
    pub(super) const fn transport(&self) -> Option<TransportId> {
        match self {
            Self::Closed => None,
            Self::Opening { transport, .. } => Some(*transport),
            Self::Joining(joining) => Some(joining.transport),
            Self::Joined(established) => Some(established.transport),
            Self::Closing(closing) => Some(closing.transport),
        }
    }
}
