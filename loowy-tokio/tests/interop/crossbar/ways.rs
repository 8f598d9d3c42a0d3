//! The other ways in at Crossbar.io: who must prove who he is, short messages, impatient pings, and frames in pieces.

use std::time::Duration;

use loowy_tokio::{CloseCause, ConnectionEvent, Format, Jitter, ReconnectPolicy, RequestError, TransportErrorKind};
use tokio::time::timeout;

use crate::{FORMATS, Method, Router, basic, config, join, own, refusal};

/// The URL of another way in.
fn way(url: &str, name: &str) -> String {
    format!("{}/{name}", url.strip_suffix("/ws").unwrap())
}

#[tokio::test]
async fn nobody_is_let_in_without_a_name() {
    Router::Crossbar
        .run("nobody_is_let_in_without_a_name", |url| async move {
            let url = way(&url, "noanon");
            for format in FORMATS {
                let (reason, _) = refusal(config(&url, format, Method::Anonymous)).await;
                assert!(reason.starts_with("wamp.error."), "{reason}");
                for method in [Method::Ticket, Method::Cra, Method::SaltedCra] {
                    join(&url, format, method).await.close().await.unwrap();
                }
            }
        })
        .await;
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_session_and_the_next_goes_on() {
    Router::Crossbar
        .run("a_message_that_is_too_long_ends_the_session_and_the_next_goes_on", |url| async move {
            let url = way(&url, "small");
            for format in FORMATS {
                let soon = ReconnectPolicy::new().initial_delay(Duration::from_millis(10)).jitter(Jitter::None);
                let client =
                    loowy_tokio::connect(config(&url, format, Method::Anonymous).reconnect(soon)).await.unwrap();
                let mut states = client.connection_events();
                assert!(matches!(states.next().await, Some(ConnectionEvent::Joined(_))));
                let procedure = own(&client, "length");
                let guard =
                    client.register_fn(procedure.as_str(), |text: String| async move { Ok(text.len()) }).await.unwrap();
                let result = client.call(procedure.as_str(), "x".repeat(3_000)).await.unwrap();
                assert_eq!(result.arg::<usize>(0).unwrap(), 3_000);

                let error = client.call(procedure.as_str(), "x".repeat(5_000)).await.unwrap_err();
                assert!(matches!(error, RequestError::Disconnected { sent: true }), "{error:?}");
                let Some(ConnectionEvent::Left(left)) = states.next().await else { panic!("no end") };
                let CloseCause::Transport(cause) = &left.cause else { panic!("{left:?}") };
                assert!(matches!(cause.kind(), TransportErrorKind::Closed { code: Some(1009), .. }), "{cause:?}");
                loop {
                    match states.next().await.unwrap() {
                        ConnectionEvent::Restored { failed } => break assert!(failed.is_empty(), "{failed:?}"),
                        ConnectionEvent::Joined(_) => {}
                        event => panic!("{event:?}"),
                    }
                }
                let result = client.call(procedure.as_str(), "short").await.unwrap();
                assert_eq!(result.arg::<usize>(0).unwrap(), 5);
                drop(guard);
                client.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn pings_are_answered_while_nothing_else_happens() {
    Router::Crossbar
        .run("pings_are_answered_while_nothing_else_happens", |url| async move {
            // It pings every second, and waits no longer than that for the answer.
            let quiet = config(&way(&url, "fastping"), Format::Cbor, Method::Anonymous).keep_alive(None);
            let client = loowy_tokio::connect(quiet.reconnect(ReconnectPolicy::never())).await.unwrap();
            let mut states = client.connection_events();
            assert!(matches!(states.next().await, Some(ConnectionEvent::Joined(_))));
            let end = timeout(Duration::from_secs(4), states.next()).await;
            assert!(end.is_err(), "{end:?}");
            client.call("wamp.session.count", ()).await.unwrap();
            client.close().await.unwrap();
        })
        .await;
}

#[tokio::test]
async fn messages_come_in_pieces() {
    Router::Crossbar
        .run("messages_come_in_pieces", |url| async move {
            let url = way(&url, "frag");
            for format in FORMATS {
                let client = join(&url, format, Method::Anonymous).await;
                let procedure = own(&client, "echo");
                let echo =
                    client.register_fn(procedure.as_str(), |text: String| async move { Ok(text) }).await.unwrap();
                // Pieces end within characters.
                for text in ["short".to_owned(), "aäöü😀".repeat(4_000)] {
                    let result = client.call(procedure.as_str(), text.as_str()).await.unwrap();
                    assert_eq!(result.arg::<String>(0).unwrap(), text);
                }
                drop(echo);
                client.close().await.unwrap();
                basic::profile(Router::Crossbar, url.clone(), format, Method::Ticket).await;
            }
        })
        .await;
}
