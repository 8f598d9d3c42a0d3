//! Where a session stands between its opening and its end.

use std::sync::Arc;

use wamp_proto::Format;

use super::deadlines::DeadlineId;
use crate::{CloseCause, Joined, Left, Time, TransportId};

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
    /// The next attempt to join is waited for.
    Waiting(Pause, Option<DeadlineId>),
    /// The session is over, its transport is not.
    Closing(Closing),
    /// Both are over, and the application has not said whether another attempt follows.
    Undecided,
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
    /// The attempt that follows; without one the session will be closed.
    pub(super) retry: Option<Pause>,
    /// Whether the application has not said yet if an attempt follows.
    pub(super) undecided: bool,
    /// Whether to connect again once it is closed.
    pub(super) again: bool,
}

/// Until when the next attempt is put off, and what led to it.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    pub(super) left: Arc<Left>,
    pub(super) at: Option<Time>,
}

impl State {
    /// Whether nothing can be asked for, because there is no session and none will follow.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Closed | Self::Closing(Closing { retry: None, undecided: false, .. }))
    }

    /// The transport in use.
    pub(super) const fn transport(&self) -> Option<TransportId> {
        match self {
            Self::Closed | Self::Waiting(..) | Self::Undecided => None,
            Self::Opening { transport, .. } => Some(*transport),
            Self::Joining(joining) => Some(joining.transport),
            Self::Joined(established) => Some(established.transport),
            Self::Closing(closing) => Some(closing.transport),
        }
    }
}
