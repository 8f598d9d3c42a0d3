//! What a session asks of its embedder.

use std::sync::Arc;

use crate::{Frame, TransportId};

/// Something for the embedder to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Open a transport, then call `handle_opened` or `handle_closed` with its id.
    OpenTransport {
        /// The transport's name from now on.
        id: TransportId,
        /// The URL to connect to.
        url: Arc<str>,
        /// The WebSocket subprotocols to offer, the preferred one first.
        subprotocols: Arc<[&'static str]>,
    },
    /// Send a frame.
    Send {
        /// The transport.
        id: TransportId,
        /// The frame.
        frame: Frame,
    },
    /// Send a ping, the transport's own kind; where it has none, do nothing. Whatever comes from the peer is an answer.
    Ping {
        /// The transport.
        id: TransportId,
    },
    /// Close the transport, after the frames before, then call `handle_closed` with its id; or drop it while it is being opened.
    ///
    /// If closing takes longer than the close timeout, or the peer is silent, the session goes on without the transport.
    CloseTransport {
        /// The transport.
        id: TransportId,
        /// The WebSocket close code: 1000 after GOODBYE and ABORT, also when the router broke WAMP's protocol; 1001 if the peer is silent;
        /// 1002 if the server chose no subprotocol that was offered; 1009 after a message over the limit.
        code: u16,
        /// The reason to put in the close frame, at most 123 bytes.
        reason: Arc<str>,
    },
}
