//! Input that is sent in parts: an average is asked for while the numbers are still being measured, and is told after each of them.
//!
//! `cargo run -p loowy-tokio --features router --example progressive_invocations`

use std::error::Error;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{CallOptions, Config, WithInvocation};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let office = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;
    let station = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;

    // The handler is called with the first input, and takes what follows from a stream.
    let average = office
        .register_fn("com.example.average", |call: WithInvocation<(f64,)>| async move {
            let (mut sum,) = call.args;
            let mut count = 1.0;
            let mut inputs = call.invocation.inputs();
            while let Some(input) = inputs.next().await {
                sum += input.arg::<f64>(0)?;
                count += 1.0;
                call.invocation.progress(sum / count).await?;
            }
            Ok(sum / count)
        })
        .await?;

    // The caller has a sink for the input and a stream for the parts of the result.
    let options = CallOptions::new().receive_progress();
    let (mut input, mut averages) = station.call_streaming_with("com.example.average", (20.0,), options).await?;
    println!("sent     20");
    for measured in [21.0, 25.0] {
        input.send((measured,)).await?;
        println!("sent     {measured}");
        if let Some(part) = averages.next().await {
            println!("so far   {}", part.arg::<f64>(0)?);
        }
    }
    input.finish((22.0,)).await?;
    println!("sent     22, the last one");
    println!("average  {}", averages.finish().await?.arg::<f64>(0)?);

    average.unregister().await?;
    station.close().await?;
    office.close().await?;
    server.shutdown().await;
    Ok(())
}
