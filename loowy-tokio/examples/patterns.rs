//! Procedures and topics that are patterns: one handler for many of them, and which of several a call goes to.
//!
//! `cargo run -p loowy-tokio --features router --example patterns`

use std::error::Error;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{Config, MatchPolicy, RegisterOptions, RequestError, SubscribeOptions, WithDetails};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let service = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;
    let user = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;

    // Three registrations that overlap. A pattern's handler asks which procedure was called.
    let mut guards = Vec::new();
    for (procedure, policy) in [
        ("com.shop.nuts.price", MatchPolicy::Exact),
        ("com.shop.nuts.", MatchPolicy::Prefix),
        ("com.shop..price", MatchPolicy::Wildcard),
    ] {
        let handler = move |call: WithDetails<()>| async move {
            Ok(format!("{:<8} {procedure:<20} serves {}", policy.as_str(), call.procedure))
        };
        let options = RegisterOptions::new().match_policy(policy);
        guards.push(service.register_fn_with(procedure, options, handler).await?);
    }
    for procedure in ["com.shop.nuts.price", "com.shop.nuts.weight", "com.shop.bolts.price", "com.shop.bolts.weight"] {
        match user.call(procedure, ()).await {
            Ok(result) => println!("{}", result.arg::<String>(0)?),
            Err(RequestError::Wamp(error)) => println!("nobody serves {procedure}: {}", error.uri()),
            Err(error) => return Err(error.into()),
        }
    }

    // A subscription to a pattern says of each event which topic it is of.
    let wildcard = SubscribeOptions::new().match_policy(MatchPolicy::Wildcard);
    let mut sold = service.subscribe_with("com.shop..sold", wildcard).await?;
    for topic in ["com.shop.nuts.sold", "com.shop.nuts.bought", "com.shop.bolts.sold"] {
        user.publish_acked(topic, 3).await?;
    }
    for _ in 0..2 {
        let Some(event) = sold.next().await else { return Err("the subscription is over".into()) };
        println!("{} of {}", event.arg::<u32>(0)?, event.topic());
    }

    user.close().await?;
    service.close().await?;
    server.shutdown().await;
    Ok(())
}
