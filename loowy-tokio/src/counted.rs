//! A stream that counts what proves that the peer is there: signs of life below the WebSocket.

use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll};
use std::io::{self, IoSlice};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that counts the peer's signs of life, in bytes.
///
/// What is read counts, and so does what is written after a write had to wait: the operating system has room again only when the
/// peer has acknowledged something. What is written at once proves nothing, since it may stay in a buffer for ever.
pub(crate) struct Counted<S> {
    inner: S,
    signs: Arc<AtomicU64>,
    /// Whether the last write had to wait.
    is_full: bool,
}

impl<S> Counted<S> {
    pub(crate) fn new(inner: S) -> (Self, Arc<AtomicU64>) {
        let signs = Arc::new(AtomicU64::new(0));
        (Self { inner, signs: Arc::clone(&signs), is_full: false }, signs)
    }

    fn count(&self, bytes: usize) {
        self.signs.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn wrote(&mut self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Pending => self.is_full = true,
            Poll::Ready(Ok(bytes)) if self.is_full => {
                self.is_full = false;
                self.count(*bytes);
            }
            Poll::Ready(_) => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let bytes = buf.filled().len().saturating_sub(before);
        self.count(bytes);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.wrote(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
