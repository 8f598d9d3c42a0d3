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
            // A task that has used up its budget waits as well, for nobody.
            Poll::Pending => self.is_full |= tokio::task::coop::has_budget_remaining(),
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

#[cfg(all(test, feature = "json"))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
mod tests {
    use core::future::pending;
    use core::time::Duration;
    use std::sync::Mutex;

    use bytes::Bytes;
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split};
    use tokio::time::{Instant, sleep, timeout};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;
    use wamp_session::client::{Adapter, Client, Opening, Runtime, Task, start};
    use wamp_session::ws::{self, WebSocket};
    use wamp_session::{CloseCause, Config, KeepAlive, ReconnectPolicy, Time, TransportErrorKind};

    use super::*;

    /// Bytes that the link carries in a second.
    const RATE: usize = 100_000;

    /// Gives the client one end of a link, in tokio's paused time.
    struct Wired {
        origin: Instant,
        stream: Mutex<Option<DuplexStream>>,
    }

    impl Runtime for Wired {
        fn now(&self) -> Time {
            Time::ZERO.checked_add(self.origin.elapsed()).unwrap()
        }

        fn spawn(&self, task: Task) {
            tokio::spawn(task);
        }
    }

    impl Adapter for Wired {
        type Socket = WebSocket<WebSocketStream<Counted<DuplexStream>>>;

        fn open(&self, _: Arc<str>, _: Arc<[&'static str]>) -> Opening<Self::Socket> {
            let stream = self.stream.lock().unwrap().take().unwrap();
            Box::pin(async move {
                let (stream, signs) = Counted::new(stream);
                let config = ws::config(Config::new("ws:", "realm1").message_limits());
                let socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await;
                Ok((WebSocket::new(socket).counting(signs), Some("wamp.2.json".to_owned())))
            })
        }

        fn sleep_until(&self, deadline: Time) -> Task {
            Box::pin(tokio::time::sleep_until(self.origin + deadline.since(Time::ZERO)))
        }
    }

    /// Carries bytes from one end of the link to the other, a tenth of a second's worth at a time.
    async fn carry(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
        let mut buffer = vec![0; RATE / 10];
        while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
            sleep(Duration::from_micros(bytes as u64 * 1_000_000 / RATE as u64)).await;
            if to.write_all(&buffer[..bytes]).await.is_err() {
                break;
            }
        }
    }

    /// A client that has joined over a slow link, with the default keep-alive, and the router's end.
    async fn joined() -> (Client, WebSocketStream<DuplexStream>) {
        let (client, near) = duplex(64 << 10);
        let (far, router) = duplex(64 << 10);
        let ((near_read, near_write), (far_read, far_write)) = (split(near), split(far));
        tokio::spawn(carry(near_read, far_write));
        tokio::spawn(carry(far_read, near_write));
        let wired = Wired { origin: Instant::now(), stream: Mutex::new(Some(client)) };
        let config = Config::new("ws:", "realm1").reconnect(ReconnectPolicy::never()).keep_alive(KeepAlive::new());
        let (client, driver) = start(config, wired);
        tokio::spawn(driver);
        let config = ws::config(Config::new("ws:", "realm1").message_limits());
        let mut router = WebSocketStream::from_raw_socket(router, Role::Server, Some(config)).await;
        router.next().await.unwrap().unwrap();
        let welcome = Message::text(r#"[2,1,{"roles":{"broker":{},"dealer":{}}}]"#);
        router.send(welcome).await.unwrap();
        client.joined().await.unwrap();
        (client, router)
    }

    /// Almost 16 MiB, the limit of a message.
    fn large() -> String {
        "x".repeat((16 << 20) - 1_000)
    }

    #[tokio::test(start_paused = true)]
    async fn need_03_a_message_of_16_mib_that_arrives_over_a_slow_link_does_not_lose_the_connection() {
        let (client, mut router) = joined().await;
        let subscribing = tokio::spawn({
            let client = client.clone();
            async move { client.subscribe("com.example.t").await }
        });
        router.next().await.unwrap().unwrap();
        router.send(Message::text("[33,1,7]")).await.unwrap();
        let mut subscription = subscribing.await.unwrap().unwrap();
        let started = Instant::now();
        tokio::spawn(async move {
            let event = Bytes::from(format!("[36,7,1,{{}},[\"{}\"]]", large()));
            router.send(Message::Text(event.try_into().unwrap())).await.unwrap();
            // The router answers pings, when it gets to them.
            while let Some(Ok(_)) = router.next().await {}
        });
        let event = timeout(Duration::from_secs(3_600), subscription.next()).await.expect("it never comes");
        let event = event.expect("the connection was lost");
        assert_eq!(event.payload().byte_len(), large().len() + 4);
        assert!(started.elapsed() > Duration::from_secs(160), "it took {:?}", started.elapsed());
        sleep(Duration::from_secs(100)).await;
        assert!(client.session().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn need_03_a_message_of_16_mib_that_is_sent_over_a_slow_link_does_not_lose_the_connection() {
        let (client, mut router) = joined().await;
        let started = Instant::now();
        client.publish("com.example.t", large()).await.unwrap();
        let hour = Duration::from_secs(3_600);
        while !timeout(hour, router.next()).await.expect("it never comes").expect("the link ended").unwrap().is_text() {
        }
        assert!(started.elapsed() > Duration::from_secs(160), "it took {:?}", started.elapsed());
        assert!(client.session().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn need_03_a_silent_peer_is_lost_after_the_interval_and_the_timeout() {
        let (client, router) = joined().await;
        let started = Instant::now();
        let mut events = client.connection_events();
        events.next().await;
        // It stands, and nothing reads it.
        tokio::spawn(async move {
            let _router = router;
            pending::<()>().await;
        });
        let Some(wamp_session::client::ConnectionEvent::Closed(cause)) = events.next().await else { panic!() };
        let CloseCause::Transport(error) = &*cause else { panic!("{cause:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Silent);
        let elapsed = started.elapsed();
        assert!((29..=31).contains(&elapsed.as_secs()), "{elapsed:?}");
    }

    #[tokio::test]
    async fn a_write_that_waits_only_for_the_budget_of_its_task_is_no_sign_of_life() {
        // Far more than is written: the peer need not take anything.
        let (stream, _peer) = duplex(10_000);
        let (mut stream, signs) = Counted::new(stream);
        let mut waits = 0;
        for _ in 0..2_000 {
            let write = core::future::poll_fn(|cx| {
                let written = Pin::new(&mut stream).poll_write(cx, &[0]);
                waits += u32::from(written.is_pending());
                written
            });
            assert_eq!(write.await.unwrap(), 1);
        }
        assert!(waits > 0, "the budget was never used up");
        assert_eq!(signs.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn only_what_had_to_wait_counts_when_it_is_written() {
        let (stream, mut peer) = duplex(10);
        let (mut stream, signs) = Counted::new(stream);
        let count = || signs.load(Ordering::Relaxed);
        stream.write_all(&[0; 10]).await.unwrap();
        assert_eq!(count(), 0, "a buffer takes it, whoever lives");
        let mut cx = Context::from_waker(core::task::Waker::noop());
        assert!(Pin::new(&mut stream).poll_write(&mut cx, &[0; 5]).is_pending());
        peer.read_exact(&mut [0; 4]).await.unwrap();
        assert!(matches!(Pin::new(&mut stream).poll_write(&mut cx, &[0; 5]), Poll::Ready(Ok(4))));
        assert_eq!(count(), 4);
        peer.read_exact(&mut [0; 10]).await.unwrap();
        stream.write_all(&[0; 5]).await.unwrap();
        assert_eq!(count(), 4, "there was room");
        peer.write_all(&[0; 3]).await.unwrap();
        stream.read_exact(&mut [0; 3]).await.unwrap();
        assert_eq!(count(), 7, "what is read counts");
    }
}
