//! Calls that are not waited for any longer: cancelled in each mode, by a timeout, and by dropping them.
//!
//! `cargo run -p loowy-tokio --features router --example cancel`

use std::error::Error;
use std::time::Duration;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{CallOptions, CancelMode, Config, InvocationEnd, RequestError};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let callee = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;
    let caller = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;

    // A callee that never finishes by itself, and says when it is told to stop. A handler of `register_fn` would just be dropped.
    let mut calls = callee.register("com.example.slow").await?;
    let (started, mut has_started) = tokio::sync::mpsc::channel(1);
    let (stopped, mut has_stopped) = tokio::sync::mpsc::channel(1);
    let serving = tokio::spawn(async move {
        while let Some(call) = calls.next().await {
            let _ = started.send(()).await;
            call.cancelled().await;
            let why = match call.end() {
                Some(InvocationEnd::Interrupted(_)) if call.has_ended() => "it is to stop, and not to answer",
                Some(InvocationEnd::Interrupted(_)) => "it is to stop, and to answer",
                _ => "it is over",
            };
            let _ = stopped.send(why).await;
            // Dropping the invocation answers `wamp.error.canceled`, if an answer is waited for.
        }
    });

    // `kill` waits for what the callee answers, `killnowait` does not. (`skip` would not even tell the callee.)
    for mode in [CancelMode::Kill, CancelMode::KillNoWait] {
        let slow = caller.call("com.example.slow", ());
        let stop = slow.canceller();
        let waiting = tokio::spawn(slow);
        has_started.recv().await;
        stop.cancel(mode);
        match waiting.await? {
            Err(RequestError::Wamp(error)) => println!("{:<10} the caller gets {}", mode.as_str(), error.uri()),
            Err(error) => println!("{:<10} the caller gets: {error}", mode.as_str()),
            Ok(_) => return Err("the call was not cancelled".into()),
        }
        println!("{:<10} the callee hears that {}", "", has_stopped.recv().await.unwrap_or("nothing"));
    }

    // A timeout is the caller's own, and cancels the call as well.
    let options = CallOptions::new().timeout(Duration::from_millis(50));
    match caller.call_with("com.example.slow", (), options).await {
        Err(error) => println!("{:<10} the caller gets: {}", "timeout", reason(&error)),
        Ok(_) => return Err("the call had no timeout".into()),
    }
    has_started.recv().await;
    println!("{:<10} the callee hears that {}", "", has_stopped.recv().await.unwrap_or("nothing"));

    // And so does dropping it, unless the options say otherwise.
    let mut dropped = Box::pin(caller.call("com.example.slow", ()));
    tokio::select! {
        _ = &mut dropped => return Err("the call has ended".into()),
        _ = has_started.recv() => drop(dropped),
    }
    println!("{:<10} the callee hears that {}", "dropped", has_stopped.recv().await.unwrap_or("nothing"));

    caller.close().await?;
    callee.close().await?;
    serving.await?;
    server.shutdown().await;
    Ok(())
}

/// What happened, whoever noticed it first: the client's clock or the dealer's.
fn reason(error: &RequestError) -> String {
    match error {
        RequestError::Wamp(error) => error.uri().to_string(),
        error => error.to_string(),
    }
}
