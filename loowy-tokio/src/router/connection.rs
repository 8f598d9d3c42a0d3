//! One client of the router: a task that moves frames.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::{Sleep, sleep};
use wamp_session::Frame;
use wamp_session::client::{Received, Socket as _};
use wamp_session::proto::Format;
use wamp_session::router::{PeerId, RouterAction};

use super::Socket;
use super::hub::Hub;

/// Bytes of frames that are read before they are passed on.
const BATCH: usize = 64 << 10;

/// How long a connection may take to end that the router has closed: what was sent before, and the closing handshake.
const CLOSING: Duration = Duration::from_secs(5);

/// Moves frames between the router and one client, until the client is gone.
pub(super) struct Connection {
    hub: Arc<Hub>,
    peer: PeerId,
    socket: Socket,
    actions: VecDeque<RouterAction>,
    frames: Vec<Frame>,
    unflushed: bool,
    /// Until when it may last, once the router has closed it.
    closing: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(hub: Arc<Hub>, socket: Socket, format: Format) -> Self {
        let peer = hub.opened(format);
        Self { hub, peer, socket, actions: VecDeque::new(), frames: Vec::new(), unflushed: false, closing: None }
    }

    /// Writes what the socket takes; ready when the transport has ended.
    fn poll_write(&mut self, cx: &mut Context<'_>, progress: &mut bool) -> Poll<()> {
        while let Some(action) = self.actions.front() {
            if let RouterAction::Send { .. } = action {
                match self.socket.poll_ready(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
            *progress = true;
            match self.actions.pop_front() {
                Some(RouterAction::Send { frame, .. }) => {
                    self.unflushed = true;
                    if self.socket.send(frame).is_err() {
                        return Poll::Ready(());
                    }
                }
                Some(RouterAction::Close { code, reason, .. }) => {
                    self.socket.close(code, &reason);
                    self.unflushed = true;
                }
                _ => {}
            }
        }
        if self.unflushed {
            match self.socket.poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Reads a batch; ready when the transport has ended.
    fn poll_read(&mut self, cx: &mut Context<'_>, progress: &mut bool) -> Poll<()> {
        let mut bytes = 0_usize;
        let ended = loop {
            if bytes >= BATCH {
                break false;
            }
            match self.socket.poll_receive(cx) {
                Poll::Ready(Ok(Received::Frame(frame))) => {
                    bytes = bytes.saturating_add(frame.bytes().len().max(64));
                    self.frames.push(frame);
                }
                Poll::Ready(Ok(_)) => bytes = bytes.saturating_add(64),
                Poll::Ready(Err(_)) => break true,
                Poll::Pending => break false,
            }
        };
        *progress |= bytes > 0;
        if !self.frames.is_empty() {
            self.hub.received(self.peer, &mut self.frames);
        }
        if ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            let mut progress = false;
            if this.hub.take(this.peer, cx.waker(), &mut this.actions) {
                // The peer may never take what waits before the close message, nor answer it.
                let closing = this.closing.get_or_insert_with(|| Box::pin(sleep(CLOSING)));
                if closing.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
            }
            if this.poll_write(cx, &mut progress).is_ready() || this.poll_read(cx, &mut progress).is_ready() {
                // The answer to a close frame is written as far as the socket takes it at once.
                let _ = this.socket.poll_flush(cx);
                return Poll::Ready(());
            }
            if !progress {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.hub.closed(self.peer);
    }
}
