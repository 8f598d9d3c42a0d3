//! What the clients need of a runtime: the seam between this crate and its adapters.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use crate::{Frame, Time, TransportError};

/// A future that runs by itself.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What [`Adapter::open`] returns.
pub type Opening<S> = Pin<Box<dyn Future<Output = Result<(S, Option<String>), TransportError>> + Send>>;

/// A clock, and a place for tasks to run.
pub trait Runtime: Send + Sync + 'static {
    /// The time, on a clock that never goes back.
    fn now(&self) -> Time;

    /// Runs a task beside the driver.
    ///
    /// Handlers and authenticators are run by it, so it must not run the task before it returns, nor on a thread on which the
    /// driver waits. It may be called from any thread.
    fn spawn(&self, task: Task);
}

/// A runtime with asynchronous sockets and timers: what a [`Driver`](super::Driver) needs.
pub trait Adapter: Runtime {
    /// The sockets that it opens.
    type Socket: Socket;

    /// Opens a transport, and says which of the subprotocols the server chose. To drop the future is to give up.
    fn open(&self, url: Arc<str>, subprotocols: Arc<[&'static str]>) -> Opening<Self::Socket>;

    /// The time of day, since whatever origin, on a clock that goes on while the machine sleeps; `None` if there is none.
    ///
    /// When it runs ahead of [`now`](Runtime::now) by more than 5 s, the machine has slept, and the driver probes the connection. It compares
    /// the two whenever it runs, at least every 5 s while a transport is open.
    fn time_of_day(&self) -> Option<Duration> {
        None
    }

    /// A future that is ready at an instant.
    fn sleep_until(&self, deadline: Time) -> Task;
}

/// What comes from a socket.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Received {
    /// A message.
    Frame(Frame),
    /// A sign of life that carries no message.
    Activity,
}

/// An open transport that carries messages; the one over a WebSocket is in `wamp_session::ws`, with the feature `tungstenite`.
///
/// A socket answers pings by itself, while it is polled for messages.
pub trait Socket: Send + Unpin + 'static {
    /// Takes the next thing received. An error, the peer's closing among them, is the last one.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, TransportError>>;

    /// Waits until the socket takes another message.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;

    /// Takes a message, after [`poll_ready`](Self::poll_ready).
    ///
    /// # Errors
    ///
    /// [`TransportError`] if the transport has ended.
    fn send(&mut self, frame: Frame) -> Result<(), TransportError>;

    /// Takes a ping, after [`poll_ready`](Self::poll_ready); without effect where there is no such thing.
    ///
    /// # Errors
    ///
    /// [`TransportError`] if the transport has ended.
    fn ping(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// A number that grows with every sign of life below the messages, as far as somebody counts them.
    ///
    /// Such signs are bytes that came from the peer, though they make no message yet, and bytes that could be written only
    /// because the peer had acknowledged others: during a long upload, nothing else is heard of it.
    fn signs_of_life(&self) -> u64 {
        0
    }

    /// Starts to close: nothing is sent any more but what was taken before.
    ///
    /// Flush it, and receive until there is an error. `reason` has at most 123 bytes, or is cut.
    fn close(&mut self, code: u16, reason: &str);

    /// Waits until everything is written, what the socket answers by itself included.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;
}
