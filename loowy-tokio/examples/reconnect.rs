//! A client that outlives its router: the subscription goes on, and what was missed is asked for when everything is back.
//!
//! `cargo run -p loowy-tokio --features router --example reconnect` starts a router on a loopback port, ends it and starts
//! another one there. A newsroom numbers its headlines; a reader hears them as events, and after an outage calls for those after the
//! last one it heard.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{Client, Config, ConnectionEvent, ConnectionEvents, Jitter, ReconnectPolicy, Subscription};
use tokio::time::{sleep, timeout};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HEADLINES: &str = "com.example.headlines";
const SINCE: &str = "com.example.headlines_since";

#[tokio::main]
async fn main() -> Result<()> {
    let server = serve("127.0.0.1:0".parse()?).await?;
    let address = server.local_addr();
    println!("router    serves realm1 at {}", server.url());

    // Both clients try again after about 100 ms, then 200 ms, 400 ms …, at most 1 s.
    let policy = ReconnectPolicy::new()
        .initial_delay(Duration::from_millis(100))
        .max_delay(Duration::from_secs(1))
        .jitter(Jitter::Fraction(0.3));
    let config = Config::new(server.url(), "realm1").reconnect(policy);
    let newsroom = loowy_tokio::connect(config.clone()).await?;
    let reader = loowy_tokio::connect(config).await?;

    // The newsroom keeps its headlines, and gives those after a number to whoever asks.
    let printed = Arc::new(Mutex::new(Vec::new()));
    let archive = Arc::clone(&printed);
    let guard = newsroom
        .register_fn(SINCE, move |(known,): (usize,)| {
            let all: Vec<String> = archive.lock().unwrap_or_else(PoisonError::into_inner).clone();
            async move { Ok(all.into_iter().skip(known).collect::<Vec<_>>()) }
        })
        .await?;
    let mut headlines = reader.subscribe(HEADLINES).await?;
    let (mut of_newsroom, mut of_reader) = (newsroom.connection_events(), reader.connection_events());
    let mut known = 0;

    print_headline(&newsroom, &printed, "nuts are cheap").await?;
    hear(&mut headlines, &mut known).await?;

    // The router goes away, and the news go on.
    server.shutdown().await;
    println!("router    is gone");
    left(&mut of_reader).await?;
    print_headline(&newsroom, &printed, "bolts are scarce").await?;
    print_headline(&newsroom, &printed, "nuts are gone").await?;

    // Another one takes its place. The newsroom's registration comes back with it, and so does the reader's subscription.
    let server = serve(address).await?;
    println!("router    is back");
    restored(&mut of_newsroom, "newsroom").await?;
    restored(&mut of_reader, "reader").await?;

    // Nobody sends events again: whoever must not miss any asks for them in this moment.
    let missed: Vec<String> = reader.call(SINCE, (known,)).await?.arg(0)?;
    for headline in &missed {
        known += 1;
        println!("reader    missed number {known}: {headline}");
    }
    if known != 3 {
        return Err(format!("the reader knows {known} headlines instead of 3").into());
    }

    // From here on they are events again, of the same subscription.
    print_headline(&newsroom, &printed, "bolts are back").await?;
    hear(&mut headlines, &mut known).await?;

    headlines.unsubscribe().await?;
    guard.unregister().await?;
    reader.close().await?;
    newsroom.close().await?;
    server.shutdown().await;
    println!("closed    everything");
    Ok(())
}

/// Starts a router; the port of the one before may take a moment to be free.
async fn serve(address: SocketAddr) -> Result<RouterServer> {
    for _ in 0..100 {
        let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
        match RouterServer::bind(address, config).await {
            Ok(server) => return Ok(server),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
    Err("the port does not get free".into())
}

/// Adds a headline, and publishes its number and text. Without a router the event is lost, and `publish` says so.
async fn print_headline(newsroom: &Client, printed: &Mutex<Vec<String>>, headline: &str) -> Result<()> {
    let number = {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        printed.push(headline.to_owned());
        printed.len()
    };
    match newsroom.publish(HEADLINES, (number, headline)).await {
        Ok(()) => println!("newsroom  publishes number {number}: {headline}"),
        Err(error) => println!("newsroom  cannot publish number {number}: {error}"),
    }
    Ok(())
}

/// Waits for the next headline.
async fn hear(headlines: &mut Subscription, known: &mut usize) -> Result<()> {
    let event = timeout(Duration::from_secs(5), headlines.next()).await?.ok_or("the subscription ended")?;
    let (number, headline): (usize, String) = event.args()?;
    *known = number;
    println!("reader    hears number {number}: {headline}");
    Ok(())
}

/// Waits until the reader has noticed that its session is over.
async fn left(events: &mut ConnectionEvents) -> Result<()> {
    loop {
        match timeout(Duration::from_secs(5), events.next()).await?.ok_or("no more events")? {
            ConnectionEvent::Left(left) => {
                let millis = left.retry_in.as_millis();
                println!("reader    left ({}), attempt {} in {millis} ms", left.cause, left.attempt);
                return Ok(());
            }
            ConnectionEvent::Closed(cause) => return Err(Box::new((*cause).clone())),
            _ => {}
        }
    }
}

/// Waits until everything of a client is back.
async fn restored(events: &mut ConnectionEvents, who: &str) -> Result<()> {
    loop {
        match timeout(Duration::from_secs(10), events.next()).await?.ok_or("no more events")? {
            ConnectionEvent::Restored { failed } if failed.is_empty() => {
                println!("{who:<9} has everything back");
                return Ok(());
            }
            ConnectionEvent::Restored { failed } => return Err(format!("{who} misses {failed:?}").into()),
            ConnectionEvent::Closed(cause) => return Err(Box::new((*cause).clone())),
            _ => {}
        }
    }
}
