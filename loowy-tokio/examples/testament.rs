//! A last will: an event that the router publishes when a session is over, however it ends.
//!
//! `cargo run -p loowy-tokio --features router --example testament` starts a router of its own on a loopback port.

use std::error::Error;

use loowy_tokio::meta::TestamentScope;
use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{Config, PublishOptions, ReconnectPolicy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let url = server.url();

    let heir = loowy_tokio::connect(Config::new(url.as_str(), "realm1")).await?;
    let mut gone = heir.subscribe("com.example.sensor.gone").await?;

    // A sensor leaves word before anything can happen to it. The testament belongs to the session: add it again after each reconnect.
    let sensor = Config::new(url.as_str(), "realm1").reconnect(ReconnectPolicy::never());
    let sensor = loowy_tokio::connect(sensor).await?;
    sensor.meta().add_testament("com.example.sensor.gone", ("boiler", 93.5)).await?;
    println!("added      the boiler's testament");

    // It ends, and the router speaks for it.
    sensor.close().await?;
    let event = gone.next().await.ok_or("the subscription ended")?;
    let (name, last): (String, f64) = event.args()?;
    println!("published  {name} is gone; its last value was {last}");

    // One that shuts down in good order takes its testament back.
    let sensor = Config::new(url.as_str(), "realm1").reconnect(ReconnectPolicy::never());
    let sensor = loowy_tokio::connect(sensor).await?;
    sensor.meta().add_testament("com.example.sensor.gone", ("pump", 1.0)).await?;
    sensor.meta().flush_testaments(TestamentScope::Destroyed).await?;
    sensor.close().await?;
    let mine = PublishOptions::new().exclude_me(false);
    heir.publish_with("com.example.sensor.gone", "nobody", mine).await?;
    let next: String = gone.next().await.ok_or("the subscription ended")?.arg(0)?;
    println!("flushed    the pump's testament: the next that was gone is {next}");

    drop(gone);
    heir.close().await?;
    server.shutdown().await;
    Ok(())
}
