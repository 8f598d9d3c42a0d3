//! Clients and the embedded router with faults on the wire between them: bytes one by one, delays, connections that are half closed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

use std::net::SocketAddr;
use std::time::Duration;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{CloseCause, Config, ConnectionEvent, Format, KeepAlive, ReconnectPolicy, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Nothing here takes longer, on a machine that has other things to do as well.
const DEADLINE: Duration = Duration::from_secs(60);

/// What happens to the bytes of one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// Each byte is written by itself, and the reader gets to run before the next.
    OneByOne,
    /// Each piece comes so much later, in pieces of 97 bytes.
    Late(Duration),
    /// The direction ends, and the other one stays open.
    HalfClosed,
}

/// A wire between a client and a router, with a fault for each direction.
struct Wire {
    address: SocketAddr,
    up: watch::Sender<Fault>,
    down: watch::Sender<Fault>,
}

impl Wire {
    async fn to(server: &RouterServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, router) = (listener.local_addr().unwrap(), server.local_addr());
        let (up, up_fault) = watch::channel(Fault::None);
        let (down, down_fault) = watch::channel(Fault::None);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let router = TcpStream::connect(router).await.unwrap();
                client.set_nodelay(true).unwrap();
                router.set_nodelay(true).unwrap();
                let ((from_client, to_client), (from_router, to_router)) = (client.into_split(), router.into_split());
                tokio::spawn(carry(from_client, to_router, up_fault.clone()));
                tokio::spawn(carry(from_router, to_client, down_fault.clone()));
            }
        });
        Self { address, up, down }
    }

    fn config(&self, format: Format) -> Config {
        let url = format!("ws://{}/ws", self.address);
        Config::new(url, "realm1").formats([format]).reconnect(ReconnectPolicy::never())
    }

    fn set(&self, fault: Fault) {
        self.up.send_replace(fault);
        self.down.send_replace(fault);
    }
}

/// Carries bytes with the fault of the moment, until the direction ends.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut fault: watch::Receiver<Fault>) {
    let mut bytes = [0; 4096];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            changed = fault.changed() => {
                if changed.is_err() || *fault.borrow() == Fault::HalfClosed {
                    break;
                }
                continue;
            }
        };
        if read == 0 {
            break;
        }
        let present = *fault.borrow();
        let size = match present {
            Fault::OneByOne => 1,
            Fault::Late(_) => 97,
            Fault::None | Fault::HalfClosed => read,
        };
        for piece in bytes[..read].chunks(size) {
            if let Fault::Late(late) = present {
                sleep(late).await;
            }
            if to.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
    let _ = to.shutdown().await;
    // The peer may still read what it is sent; this end stays until it is gone.
    while from.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

async fn serve() -> RouterServer {
    let config = router::config().unwrap().realm(RealmConfig::new("realm1").unwrap().anonymous("guest"));
    RouterServer::bind("127.0.0.1:0", config).await.unwrap()
}

/// Runs a test that must end.
async fn bounded<T>(test: impl Future<Output = T>) -> T {
    timeout(DEADLINE, test).await.expect("the test did not end in time")
}

/// Calls and events in each format, over a wire with a fault.
async fn everything_arrives(fault: Fault) {
    let server = serve().await;
    let wire = Wire::to(&server).await;
    for format in [Format::Json, Format::MsgPack, Format::Cbor] {
        let callee = loowy_tokio::connect(wire.config(format)).await.unwrap();
        let caller = loowy_tokio::connect(wire.config(format)).await.unwrap();
        // The WebSocket's handshake is not to come in this way: tungstenite takes that for an attack.
        wire.set(fault);
        let _echo = callee.register_fn("com.example.echo", |text: String| async move { Ok(text) }).await.unwrap();
        let mut events = caller.subscribe("com.example.topic").await.unwrap();
        // Lengths with each kind of WebSocket header but the longest.
        for length in [0, 1, 125, 126, 700] {
            let text = "ü".repeat(length);
            let result = caller.call("com.example.echo", &text).await.unwrap();
            assert_eq!(result.arg::<String>(0).unwrap(), text);
            callee.publish_acked("com.example.topic", &text).await.unwrap();
            assert_eq!(events.next().await.unwrap().arg::<String>(0).unwrap(), text);
        }
        caller.close().await.unwrap();
        callee.close().await.unwrap();
        wire.set(Fault::None);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn rtr_13_bytes_that_come_one_by_one_make_the_same_messages() {
    bounded(everything_arrives(Fault::OneByOne)).await;
}

#[tokio::test]
async fn rtr_13_pieces_that_come_late_make_the_same_messages() {
    bounded(everything_arrives(Fault::Late(Duration::from_millis(1)))).await;
}

#[tokio::test]
async fn rtr_13_a_client_that_hears_nothing_more_has_lost_its_session() {
    bounded(async {
        let server = serve().await;
        let wire = Wire::to(&server).await;
        let client = loowy_tokio::connect(wire.config(Format::Json)).await.unwrap();
        let mut states = client.connection_events();
        assert!(matches!(states.next().await, Some(ConnectionEvent::Joined(_))));
        wire.down.send_replace(Fault::HalfClosed);
        let Some(ConnectionEvent::Closed(cause)) = states.next().await else { panic!("no end") };
        let CloseCause::Transport(error) = &*cause else { panic!("{cause:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Eof);
    })
    .await;
}

#[tokio::test]
async fn rtr_13_a_router_that_hears_nothing_more_ends_the_session_and_says_so() {
    bounded(async {
        let server = serve().await;
        let wire = Wire::to(&server).await;
        let victim = loowy_tokio::connect(wire.config(Format::Json).keep_alive(None::<KeepAlive>)).await.unwrap();
        let _guard = victim.register_fn("com.example.p", |(): ()| async { Ok(()) }).await.unwrap();
        let other = loowy_tokio::connect(Config::new(server.url(), "realm1")).await.unwrap();
        let mut leaves = other.meta().on_leave().await.unwrap();
        let session = victim.session().unwrap().session;
        let mut states = victim.connection_events();
        assert!(matches!(states.next().await, Some(ConnectionEvent::Joined(_))));
        wire.up.send_replace(Fault::HalfClosed);
        assert_eq!(leaves.next().await.unwrap().unwrap().session, session);
        assert!(other.call("com.example.p", ()).await.is_err());
        assert!(matches!(states.next().await, Some(ConnectionEvent::Closed(_))));
    })
    .await;
}
