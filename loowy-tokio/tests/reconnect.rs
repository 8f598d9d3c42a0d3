//! Handles that survive a router that goes away and comes back, over real sockets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

use std::time::Duration;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{
    Client, Config, ConnectionEvent, ConnectionEvents, Jitter, ReconnectPolicy, RequestError, Status, SubscriptionEnd,
};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

async fn serve(address: &str) -> RouterServer {
    let config = router::config().unwrap().realm(RealmConfig::new("realm1").unwrap().anonymous("guest"));
    RouterServer::bind(address, config).await.unwrap()
}

fn config(server: &RouterServer) -> Config {
    let policy = ReconnectPolicy::new().initial_delay(Duration::from_millis(50)).jitter(Jitter::Fraction(0.5));
    Config::new(server.url(), "realm1").reconnect(policy)
}

async fn next(events: &mut ConnectionEvents) -> ConnectionEvent {
    timeout(PATIENCE, events.next()).await.unwrap().unwrap()
}

/// Waits until everything is back, and says whether it all is.
async fn restored(events: &mut ConnectionEvents) -> bool {
    loop {
        match next(events).await {
            ConnectionEvent::Restored { failed } => return failed.is_empty(),
            ConnectionEvent::Closed(cause) => panic!("{cause:?}"),
            _ => {}
        }
    }
}

async fn add(client: &Client) -> i64 {
    let sum = timeout(PATIENCE, client.call("com.example.add2", (2, 3))).await.unwrap().unwrap();
    sum.arg(0).unwrap()
}

#[tokio::test]
async fn subscriptions_and_registrations_survive_routers_that_restart() {
    let mut server = serve("127.0.0.1:0").await;
    let address = server.local_addr().to_string();
    let alice = loowy_tokio::connect(config(&server)).await.unwrap();
    let bob = loowy_tokio::connect(config(&server)).await.unwrap();
    let mut ticks = alice.subscribe("com.example.tick").await.unwrap();
    let guard = alice.register_fn("com.example.add2", |(a, b): (i64, i64)| async move { Ok(a + b) }).await.unwrap();
    let mut news = [alice.connection_events(), bob.connection_events()];
    for round in 0..4_i64 {
        bob.publish_acked("com.example.tick", (round,)).await.unwrap();
        let event = timeout(PATIENCE, ticks.next()).await.unwrap().unwrap();
        assert_eq!(event.arg::<i64>(0).unwrap(), round);
        assert_eq!(add(&bob).await, 5);
        // Once without a word, once with GOODBYE.
        if round % 2 == 0 {
            drop(server)
        } else {
            server.shutdown().await
        }
        server = loop {
            let config = router::config().unwrap().realm(RealmConfig::new("realm1").unwrap().anonymous("guest"));
            match RouterServer::bind(&*address, config).await {
                Ok(server) => break server,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        for events in &mut news {
            assert!(restored(events).await);
        }
    }
    assert_eq!(add(&bob).await, 5);
    assert!(guard.end().is_none() && ticks.end().is_none());
    assert_eq!(server.stats().protocol_violations, 0);
    alice.close().await.unwrap();
    bob.close().await.unwrap();
    assert!(matches!(ticks.end(), Some(SubscriptionEnd::Closed(_))));
}

#[tokio::test]
async fn a_call_under_way_ends_with_the_connection_and_the_next_one_waits_for_the_router() {
    let server = serve("127.0.0.1:0").await;
    let address = server.local_addr().to_string();
    let client = loowy_tokio::connect(config(&server)).await.unwrap();
    let mut registration = client.register("com.example.never").await.unwrap();
    let mut events = client.connection_events();
    assert!(matches!(next(&mut events).await, ConnectionEvent::Joined(_)));
    let call = tokio::spawn(client.call("com.example.never", ()));
    let invocation = timeout(PATIENCE, registration.next()).await.unwrap().unwrap();
    drop(server);
    let lost = timeout(PATIENCE, call).await.unwrap().unwrap();
    assert!(matches!(lost, Err(RequestError::Disconnected { sent: true })), "{lost:?}");
    assert!(invocation.has_ended());
    let ConnectionEvent::Left(left) = next(&mut events).await else { panic!() };
    assert_eq!(left.attempt, 1);
    assert!(client.publish("com.example.lost", ()).await.is_err());
    let waiting = tokio::spawn(client.publish_acked("com.example.kept", ()));
    let _server = serve(&address).await;
    client.reconnect_now();
    timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
    assert!(matches!(client.status(), Status::Joined(_)));
}

#[tokio::test]
async fn close_ends_at_once_while_the_router_is_away() {
    let server = serve("127.0.0.1:0").await;
    let client = loowy_tokio::connect(config(&server)).await.unwrap();
    let mut events = client.connection_events();
    drop(server);
    loop {
        if let ConnectionEvent::Left(_) = next(&mut events).await {
            break;
        }
    }
    let (one, two) = tokio::join!(client.close(), client.drain());
    one.unwrap();
    two.unwrap();
    assert!(matches!(next(&mut events).await, ConnectionEvent::Left(_) | ConnectionEvent::Closed(_)));
}

#[tokio::test]
async fn a_first_join_that_fails_is_told_at_once() {
    let server = serve("127.0.0.1:0").await;
    let config = config(&server);
    drop(server);
    let failed = timeout(PATIENCE, loowy_tokio::connect(config)).await.unwrap();
    assert!(failed.is_err());
}
