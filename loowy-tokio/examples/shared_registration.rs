//! Several callees of one procedure: by turns, one that is full or declines, and one that takes over.
//!
//! `cargo run -p loowy-tokio --features router --example shared_registration`

use std::error::Error;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{
    Client, Config, InvokePolicy, RegisterOptions, RegistrationEnd, RegistrationGuard, RequestError, WampError,
};

/// A worker that serves `com.example.resize`, or declines what it is asked.
async fn work(
    client: &Client,
    name: &'static str,
    is_busy: bool,
    options: RegisterOptions,
) -> Result<RegistrationGuard, RequestError> {
    let handler = move |picture: String| async move {
        if is_busy {
            // The router gives the call to another one, and the caller never hears of it.
            Err(WampError::new("wamp.error.unavailable")?)?;
        }
        Ok(format!("{picture} resized by {name}"))
    };
    client.register_fn_with("com.example.resize", options, handler).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let config = Config::new(server.url(), "realm1");
    let caller = loowy_tokio::connect(config.clone()).await?;
    let (ann, bob) = (loowy_tokio::connect(config.clone()).await?, loowy_tokio::connect(config.clone()).await?);
    let (cid, dan) = (loowy_tokio::connect(config.clone()).await?, loowy_tokio::connect(config).await?);

    // All of them ask for the same policy. The second one has no time, so that its turns go to the third.
    let shared = || RegisterOptions::new().invoke(InvokePolicy::RoundRobin);
    let guard_of_ann = work(&ann, "Ann", false, shared()).await?;
    let _guard_of_bob = work(&bob, "Bob", true, shared()).await?;
    let guard_of_cid = work(&cid, "Cid", false, shared()).await?;
    for picture in ["one", "two", "three", "four"] {
        println!("{}", caller.call("com.example.resize", picture).await?.arg::<String>(0)?);
    }

    // When one leaves, the others go on.
    guard_of_cid.unregister().await?;
    cid.close().await?;
    println!("{}", caller.call("com.example.resize", "five").await?.arg::<String>(0)?);

    // Another policy is refused, unless the procedure is taken away from those who have it.
    match work(&dan, "Dan", false, RegisterOptions::new()).await {
        Err(RequestError::Wamp(error)) => println!("Dan is refused: {}", error.uri()),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("the procedure was free".into()),
    }
    let _guard_of_dan = work(&dan, "Dan", false, RegisterOptions::new().force_reregister()).await?;
    println!("{}", caller.call("com.example.resize", "six").await?.arg::<String>(0)?);
    // What the router has told Ann before, she knows when it answers her.
    ann.call("wamp.session.count", ()).await?;
    if let Some(RegistrationEnd::Revoked(reason)) = guard_of_ann.end() {
        println!("Ann has lost the procedure: {}", reason.as_deref().unwrap_or("no reason given"));
    }

    caller.close().await?;
    server.shutdown().await;
    Ok(())
}
