//! Errors of an application: made by a callee with a URI and arguments, told apart by a caller; and those that a caller is not to see.
//!
//! `cargo run -p loowy-tokio --features router --example errors`

use std::error::Error;

use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{Config, ErrorKind, HandlerError, HandlerFailure, RequestError, WampError};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let shop = Config::new(server.url(), "realm1").on_handler_error(|procedure, failure| {
        // Here a service would log. What is returned, the caller would get instead of `wamp.error.runtime_error`.
        match failure {
            HandlerFailure::Error(error) => println!("(log)      {procedure} failed: {error}"),
            HandlerFailure::Arguments(error) => {
                println!("(log)      {procedure} was called with something else: {error}")
            }
            HandlerFailure::Panic(text) => {
                println!("(log)      {procedure} panicked: {}", text.as_deref().unwrap_or("?"))
            }
            other => println!("(log)      {procedure}: {other}"),
        }
        None
    });
    let shop = loowy_tokio::connect(shop).await?;
    let customer = loowy_tokio::connect(Config::new(server.url(), "realm1")).await?;

    let buy = shop
        .register_fn("com.example.buy", |(product, count): (String, u32)| async move {
            match product.as_str() {
                // An error of the application: it goes to the caller as it is.
                "nuts" if count > 3 => Err(WampError::new("com.example.error.no_stock")?.payload((product, 3))?)?,
                "nuts" => Ok::<_, HandlerError>(count * 2),
                // Any other error: the caller learns that something went wrong, and no more.
                _ => Err(std::io::Error::other(format!("table {product} is missing in /var/db/shop")))?,
            }
        })
        .await?;

    for (product, count) in [("nuts", 2), ("nuts", 4), ("bolts", 1)] {
        match customer.call("com.example.buy", (product, count)).await {
            Ok(price) => println!("{count} {product:<8} cost {}", price.arg::<u32>(0)?),
            Err(RequestError::Wamp(error)) if error.uri() == "com.example.error.no_stock" => {
                let (product, left): (String, u32) = error.args()?;
                println!("{count} {product:<8} are too many, {left} are left");
            }
            Err(RequestError::Wamp(error)) => println!("{count} {product:<8} failed: {}", error.uri()),
            Err(error) => return Err(error.into()),
        }
    }

    // Arguments that do not fit, and a procedure that nobody has: errors of a known kind.
    for (procedure, arguments) in [("com.example.buy", ("nuts", "many")), ("com.example.sell", ("nuts", "4"))] {
        match customer.call(procedure, arguments).await {
            Err(RequestError::Wamp(error)) => match error.kind() {
                ErrorKind::InvalidArgument => println!("{procedure} does not take {arguments:?}"),
                ErrorKind::NoSuchProcedure => println!("{procedure} is no procedure"),
                kind => return Err(format!("{kind:?} was not expected").into()),
            },
            other => return Err(format!("an error was expected, not {other:?}").into()),
        }
    }

    buy.unregister().await?;
    customer.close().await?;
    shop.close().await?;
    server.shutdown().await;
    Ok(())
}
