//! Two clients meet at a router: subscribe, publish, register, call, an application error, and a clean close.
//!
//! `cargo run -p loowy-tokio --features router --example quickstart` starts a router of its own on a loopback port;
//! `… --example quickstart -- ws://127.0.0.1:8080/ws realm1` uses one that is running, and lets everybody in.

use std::env;
use std::error::Error;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{Config, RequestError, WampError};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The router: the one that is named, or one of our own.
    let mut args = env::args().skip(1);
    let (url, realm, server) = match (args.next(), args.next()) {
        (Some(url), Some(realm)) => (url, realm, None),
        (None, _) => {
            let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
            let server = RouterServer::bind("127.0.0.1:0", config).await?;
            println!("router     serves realm1 at {}", server.url());
            (server.url(), "realm1".to_owned(), Some(server))
        }
        (Some(_), None) => return Err("usage: quickstart [URL REALM]".into()),
    };

    // Two sessions, each over a WebSocket of its own.
    let alice = loowy_tokio::connect(Config::new(url.as_str(), realm.as_str())).await?;
    let bob = loowy_tokio::connect(Config::new(url.as_str(), realm.as_str())).await?;
    if let (Some(alice), Some(bob)) = (alice.session(), bob.session()) {
        println!("joined     alice is session {}, bob is session {}", alice.session, bob.session);
    }

    // Alice subscribes to a topic. The subscription is a stream of events.
    let mut prices = alice.subscribe("com.example.price").await?;
    println!("subscribed alice, to com.example.price");

    // Bob publishes. A tuple becomes the positional arguments; `acked` waits for the router's word.
    let publication = bob.publish_acked("com.example.price", ("nuts", 2.5)).await?;
    println!("published  bob, nuts at 2.5: publication {publication}");

    // Alice takes the event, and its arguments as types of her own.
    let event = prices.next().await.ok_or("the subscription ended")?;
    let (product, price): (String, f64) = event.args()?;
    println!("event      alice hears that {product} cost {price}");

    // Bob registers a procedure. The handler takes its arguments as one tuple.
    let add = bob.register_fn("com.example.add2", |(a, b): (i64, i64)| async move { Ok(a + b) }).await?;
    println!("registered bob, com.example.add2");

    // Alice calls it.
    let sum: i64 = alice.call("com.example.add2", (2, 3)).await?.arg(0)?;
    println!("called     alice, com.example.add2(2, 3): {sum}");

    // A procedure that fails: its error has a URI and arguments, as a result has.
    let buy = bob
        .register_fn("com.example.buy", |(product, count): (String, u32)| async move {
            let error = WampError::new("com.example.error.out_of_stock")?;
            Err::<(), _>(error.payload((product, count - 1))?.into())
        })
        .await?;
    match alice.call("com.example.buy", ("nuts", 4)).await {
        Err(RequestError::Wamp(error)) => {
            let (product, left): (String, u32) = error.args()?;
            println!("failed     alice, com.example.buy: {}, only {left} {product} left", error.uri());
        }
        other => return Err(format!("expected an application error, got {other:?}").into()),
    }

    // Goodbye. Dropping the handles would do as well, but would not wait for the router.
    prices.unsubscribe().await?;
    add.unregister().await?;
    buy.unregister().await?;
    alice.close().await?;
    bob.close().await?;
    println!("closed     alice and bob");
    if let Some(server) = server {
        server.shutdown().await;
    }
    Ok(())
}
