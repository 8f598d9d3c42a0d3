//! The client against live routers: set `LOOWY_CROSSBAR` or `LOOWY_XCONN` to the URL of the WebSocket of one, as `.ci/routers/with`
//! does. The tests of a router that is not there are skipped.
//!
//! A test that really ran prints `interop ran: ROUTER::NAME`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod basic;
mod crossbar;
mod xconn;

use std::env;
use std::future::Future;
use std::time::Duration;

use loowy_tokio::{Client, CloseCause, CommandError, Config, Format, RequestError, WampError, auth};
use tokio::time::timeout;

/// Nothing here takes longer, on a machine that has other things to do as well.
const DEADLINE: Duration = Duration::from_secs(60);

const FORMATS: [Format; 3] = [Format::Json, Format::MsgPack, Format::Cbor];

/// How a client proves who it is; the users are the same at each router.
#[derive(Clone, Copy)]
enum Method {
    Anonymous,
    Ticket,
    Cra,
    SaltedCra,
}

/// A live router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Router {
    Crossbar,
    Xconn,
}

impl Router {
    const fn name(self) -> &'static str {
        match self {
            Self::Crossbar => "crossbar",
            Self::Xconn => "xconn",
        }
    }

    /// Runs a test against the router, if it is there.
    async fn run<F: Future<Output = ()>>(self, name: &str, test: impl FnOnce(String) -> F) {
        let variable = format!("LOOWY_{}", self.name().to_uppercase());
        match env::var(&variable) {
            Ok(url) => {
                timeout(DEADLINE, test(url)).await.expect("the test did not end in time");
                println!("interop ran: {}::{name}", self.name());
            }
            Err(_) => println!("skipped: {variable} is not set"),
        }
    }
}

fn config(url: &str, format: Format, method: Method) -> Config {
    let config = Config::new(url, "realm1").formats([format]);
    match method {
        Method::Anonymous => config,
        Method::Ticket => config.authenticator(auth::Ticket::new("peter", "ticket1")),
        Method::Cra => config.authenticator(auth::Cra::new("peter", "secret1")),
        Method::SaltedCra => config.authenticator(auth::Cra::new("peter-salted", "secret1")),
    }
}

async fn join(url: &str, format: Format, method: Method) -> Client {
    loowy_tokio::connect(config(url, format, method)).await.unwrap()
}

/// Joins as a user who has a ticket.
async fn ticket(url: &str, format: Format, authid: &str, ticket: &str) -> Client {
    let config = config(url, format, Method::Anonymous).authenticator(auth::Ticket::new(authid, ticket));
    loowy_tokio::connect(config).await.unwrap()
}

/// What the router says when it refuses to let somebody join: the reason and a message.
async fn refusal(config: Config) -> (String, Option<String>) {
    match loowy_tokio::connect(config).await.unwrap_err() {
        CloseCause::Abort(abort) => (abort.reason.to_string(), abort.details.message.as_deref().map(str::to_owned)),
        cause => panic!("expected an ABORT, got {cause:?}"),
    }
}

/// A URI that no other test uses.
fn own(client: &Client, name: &str) -> String {
    format!("com.loowy.s{}.{name}", client.session().unwrap().session)
}

fn wamp_error(error: RequestError) -> WampError {
    match error {
        RequestError::Wamp(error) => error,
        error => panic!("expected an ERROR, got {error:?}"),
    }
}

fn command_error(error: RequestError) -> CommandError {
    match error {
        RequestError::Command(error) => error,
        error => panic!("expected a refusal by the client, got {error:?}"),
    }
}

/// A test for each, of what is named, in a format and with a method.
macro_rules! matrix {
    ($router:ident $($name:ident: $format:ident $method:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let test = |url| crate::basic::profile(Router::$router, url, Format::$format, Method::$method);
            Router::$router.run(stringify!($name), test).await;
        }
    )*};
}
use matrix;
