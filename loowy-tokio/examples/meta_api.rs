//! Who is there: a watcher lists the sessions of a realm, hears of those that come and go, looks at what they serve, and sends one away.
//!
//! `cargo run -p loowy-tokio --features router --example meta_api` starts a router of its own on a loopback port.

use std::error::Error;

use loowy_tokio::meta::Kill;
use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{CloseCause, Config, ConnectionEvent, MatchPolicy, ReconnectPolicy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let url = server.url();

    // Each procedure of the meta API is a method, and each of its topics a stream.
    let watcher = loowy_tokio::connect(Config::new(url.as_str(), "realm1")).await?;
    let meta = watcher.meta();
    let mut joining = meta.on_join().await?;
    let mut leaving = meta.on_leave().await?;
    println!("alone      {} session in the realm", meta.session_count().await?);

    // Somebody joins. He must not come back by himself when he is sent away.
    let guest = Config::new(url.as_str(), "realm1").reconnect(ReconnectPolicy::never());
    let guest = loowy_tokio::connect(guest).await?;
    let joined = joining.next().await.ok_or("the stream ended")??;
    println!("joined     {} as {}", joined.session, joined.authrole.as_deref().unwrap_or("nobody"));
    for session in meta.sessions().await? {
        let details = meta.session(session).await?;
        println!("listed     {session}, by {}", details.authmethod.as_deref().unwrap_or("no method"));
    }

    // What he serves.
    let add = guest.register_fn("com.example.add2", |(a, b): (i64, i64)| async move { Ok(a + b) }).await?;
    let id = meta.lookup_registration("com.example.add2", MatchPolicy::Exact).await?.ok_or("nobody serves it")?;
    let details = meta.registration(id).await?;
    println!("registered {} since {}", details.uri.ok_or("no URI")?, details.created.ok_or("no time")?);
    println!("callees    {:?}", meta.callees(id).await?);

    // He has to go. The reason and the message reach him in the GOODBYE.
    let mut ends = guest.connection_events();
    meta.kill_session(joined.session, Kill::new().message("closing time")).await?;
    while let Some(event) = ends.next().await {
        if let ConnectionEvent::Closed(cause) = event
            && let CloseCause::Goodbye(goodbye) = &*cause
        {
            println!("killed     {}: {}", goodbye.reason, goodbye.details.message.as_deref().unwrap_or_default());
        }
    }
    let left = leaving.next().await.ok_or("the stream ended")??;
    println!("left       {}, and with it what it served: {:?}", left.session, {
        meta.lookup_registration("com.example.add2", MatchPolicy::Exact).await?
    });

    drop((add, joining, leaving));
    watcher.close().await?;
    server.shutdown().await;
    Ok(())
}
