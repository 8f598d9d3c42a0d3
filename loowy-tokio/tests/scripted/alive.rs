//! Signs of life: while handlers and consumers are busy, writes are slow, or nothing comes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use loowy_tokio::{CloseCause, ConnectionEvent, KeepAlive, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, bounded};

#[tokio::test]
async fn ord_09_pings_are_answered_while_a_handler_is_busy() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        let release = Arc::new(Notify::new());
        let register = tokio::spawn({
            let (client, release) = (client.clone(), Arc::clone(&release));
            async move {
                let handler = move |is_slow: bool| {
                    let release = Arc::clone(&release);
                    async move {
                        if is_slow {
                            release.notified().await;
                        }
                        Ok(is_slow)
                    }
                };
                client.register_fn("com.example.p", handler).await
            }
        });
        peer.text().await;
        peer.send("[65,1,88]").await;
        let guard = register.await.unwrap().unwrap();
        peer.send("[68,5,88,{},[true]]").await;
        peer.0.send(Message::Ping(b"alive?".as_slice().into())).await.unwrap();
        assert!(matches!(peer.next().await, Some(Message::Pong(_))));
        // Nor do other invocations and the handles wait.
        peer.send("[68,6,88,{},[false]]").await;
        assert_eq!(peer.text().await, "[70,6,{},[false]]");
        client.publish("com.example.t", ()).await.unwrap();
        assert_eq!(peer.text().await, r#"[16,2,{},"com.example.t"]"#);
        release.notify_one();
        assert_eq!(peer.text().await, "[70,5,{},[true]]");
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn sub_07_a_consumer_that_does_not_read_delays_nothing() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        let subscribe = tokio::spawn({
            let client = client.clone();
            async move { client.subscribe("com.example.t").await }
        });
        peer.text().await;
        peer.send("[33,1,77]").await;
        let mut subscription = subscribe.await.unwrap().unwrap();
        for n in 1..=10_000 {
            peer.0.feed(Message::text(format!("[36,77,{n},{{}},[{n}]]"))).await.unwrap();
        }
        peer.0.send(Message::Ping(b"alive?".as_slice().into())).await.unwrap();
        assert!(matches!(peer.next().await, Some(Message::Pong(_))));
        assert_eq!(subscription.missed(), 10_000 - 1_024);
        assert_eq!(subscription.next().await.unwrap().arg::<u32>(0).unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_upload_is_not_silence() {
    bounded(async {
        let server = Server::bind().await;
        let second = Duration::from_secs(1);
        let alive = KeepAlive::new().interval(second).timeout(second * 2);
        let (peer, client) = server.join(server.config().keep_alive(alive)).await;
        let mut events = client.connection_events();
        let uploading = tokio::spawn(async move {
            let text = "x".repeat(64 << 10);
            while client.publish("com.example.t", (text.as_str(),)).await.is_ok() {}
        });
        // The peer takes what comes, and is too slow to get to the pings.
        let mut stream = peer.0.into_inner();
        let started = Instant::now();
        let reading = async {
            let mut buffer = vec![0; 64 << 10];
            while started.elapsed() < second * 5 {
                assert_ne!(stream.read(&mut buffer).await.unwrap(), 0, "the client has hung up");
                sleep(Duration::from_millis(5)).await;
            }
        };
        let lost = async {
            while let Some(event) = events.next().await {
                if let ConnectionEvent::Closed(cause) = event {
                    return cause;
                }
            }
            panic!("the events ended")
        };
        tokio::select! {
            () = reading => {}
            cause = lost => panic!("lost: {cause:?}"),
        }
        uploading.abort();
    })
    .await;
}

#[tokio::test]
async fn what_only_fills_buffers_is_no_sign_of_life() {
    bounded(async {
        let server = Server::bind().await;
        let alive = KeepAlive::new().interval(Duration::from_millis(300)).timeout(Duration::from_millis(300));
        // The peer does not poll its socket, so nothing answers the pings.
        let (_peer, client) = server.join(server.config().keep_alive(alive)).await;
        while client.publish("com.example.t", ()).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
        let cause = client.close().await.unwrap_err();
        let CloseCause::Transport(error) = cause else { panic!("{cause:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Silent);
    })
    .await;
}

#[tokio::test]
async fn a_part_of_a_frame_answers_a_ping() {
    bounded(async {
        let server = Server::bind().await;
        let alive = KeepAlive::new().interval(Duration::from_millis(200)).timeout(Duration::from_secs(60));
        let (peer, client) = server.join(server.config().keep_alive(alive)).await;
        let mut stream = peer.0.into_inner();
        for part in [b"\x81\x7e".as_slice(), b"\x01\0", b"[3"] {
            let mut ping = [0; 6];
            timeout(Duration::from_secs(5), stream.read_exact(&mut ping))
                .await
                .expect("it does not ping again")
                .unwrap();
            assert_eq!(ping[..2], *b"\x89\x80");
            stream.write_all(part).await.unwrap();
        }
        drop(client);
    })
    .await;
}
