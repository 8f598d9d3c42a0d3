//! A result that comes in parts: a search tells each hit as soon as it is found, and at last how many there were.
//!
//! `cargo run -p loowy-tokio --features router --example progressive_results`

use std::error::Error;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{Config, WithInvocation};

const BOOKS: [&str; 5] = ["Rust in Practice", "Gardening", "Rust for Gamers", "Cooking", "Trust and Rust"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let library = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;
    let reader = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;

    // The handler sends parts, and its return value is the result. A caller that takes no parts gets only that.
    let search = library
        .register_fn("com.example.search", |call: WithInvocation<(String,)>| async move {
            let (word,) = call.args;
            let mut count = 0;
            for book in BOOKS.iter().filter(|book| book.contains(&word)) {
                call.invocation.progress(*book).await?;
                count += 1;
            }
            Ok(count)
        })
        .await?;

    // The caller takes the parts as a stream. It ends before the result, which may be of another kind.
    let mut hits = reader.call_progressive("com.example.search", ("Rust",)).await?;
    while let Some(hit) = hits.next().await {
        println!("found    {}", hit.arg::<String>(0)?);
    }
    let count: u64 = hits.finish().await?.arg(0)?;
    println!("result   {count} books");

    let count: u64 = reader.call("com.example.search", ("Cooking",)).await?.arg(0)?;
    println!("at once  {count} book, and no parts");

    search.unregister().await?;
    reader.close().await?;
    library.close().await?;
    server.shutdown().await;
    Ok(())
}
