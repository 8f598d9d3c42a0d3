//! What was missed: a client that comes late asks the router for the events before, page by page.
//!
//! `cargo run -p loowy-tokio --features router --example event_history` starts a router of its own on a loopback port.

use std::error::Error;
use std::num::NonZeroU64;

use loowy_tokio::meta::HistoryFilter;
use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{Config, MatchPolicy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The router remembers the last hundred events of all topics that start so.
    let realm = RealmConfig::new("realm1")?.anonymous("guest");
    let realm = realm.history("com.example.price.", MatchPolicy::Prefix, 100)?;
    let server = RouterServer::bind("127.0.0.1:0", router::config()?.realm(realm)).await?;
    let url = server.url();

    let market = loowy_tokio::connect(Config::new(url.as_str(), "realm1")).await?;
    for (product, price) in [("nuts", 2.5), ("figs", 4.0), ("nuts", 2.4), ("nuts", 2.6), ("figs", 3.9)] {
        market.publish_acked(format!("com.example.price.{product}"), (product, price)).await?;
    }
    println!("published  five prices, which nobody heard");

    // A history is that of a subscription, which is looked up by its topic or pattern.
    let late = loowy_tokio::connect(Config::new(url.as_str(), "realm1")).await?;
    let meta = late.meta();
    let id = meta.lookup_subscription("com.example.price.", MatchPolicy::Prefix).await?.ok_or("no history")?;

    // Timestamps may be equal and jump: pages are told apart by publications.
    let limit = NonZeroU64::new(2).ok_or("0")?;
    let mut filter = HistoryFilter::new();
    loop {
        let page = meta.get_events(id, filter.limit(limit)).await?;
        let Some(last) = page.events.last().and_then(|event| event.publication) else { break };
        for event in &page.events {
            let (product, price): (String, f64) = event.args()?;
            println!("page       {product} cost {price}");
        }
        filter = HistoryFilter::new().after_publication(last);
    }

    // Only one topic of the pattern, the youngest event first.
    let newest = HistoryFilter::new().topic(&"com.example.price.nuts".try_into()?).reverse().limit(NonZeroU64::MIN);
    for event in meta.get_events(id, newest).await?.events {
        let (product, price): (String, f64) = event.args()?;
        println!("newest     {product} cost {price}");
    }

    market.close().await?;
    late.close().await?;
    server.shutdown().await;
    Ok(())
}
