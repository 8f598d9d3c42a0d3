//! What the Loowy for Lua offers: tests for each of its options and methods, named after it.

mod methods;
mod options;
mod publish_subscribe;
mod rpc;

use std::time::Duration;

use wamp_session::client::{Client, Subscription};
use wamp_session::proto::Dict;
use wamp_session::{Config, RequestError};

use crate::world::{WELCOME, World};

fn config() -> Config {
    Config::new("ws://router/ws", "realm1").agent(None).keep_alive(None)
}

/// A client of this configuration, reconnect policy included, that has joined.
fn joined(config: Config) -> (World, Client) {
    let (mut world, client) = World::with(config);
    accept(&mut world);
    (world, client)
}

/// Lets the router accept the client; returns its HELLO.
fn accept(world: &mut World) -> String {
    world.accept();
    let hello = world.received();
    world.send(WELCOME);
    hello
}

/// A subscription to `com.example.t` that the router confirms, where it is asked, with the id 71.
fn subscribe(world: &mut World, client: &Client, ask: Option<u64>) -> Subscription {
    let mut subscribe = client.subscribe("com.example.t");
    assert!(world.poll(&mut subscribe).is_pending());
    match ask {
        Some(request) => {
            world.expect(&format!(r#"[32,{request},{{}},"com.example.t"]"#));
            world.send(&format!("[33,{request},71]"));
        }
        None => world.expect_nothing(),
    }
    world.finish(subscribe).expect("onSuccess")
}

/// An ERROR with everything that one can have.
fn error_to(kind: u64, request: u64) -> String {
    format!(r#"[8,{kind},{request},{{"_row":5}},"com.example.no",["e"],{{"k":1}}]"#)
}

/// What `onError` gets of it: the URI, the details and both kinds of arguments.
#[track_caller]
fn assert_is_that_error<T>(result: Result<T, RequestError>) {
    let Err(RequestError::Wamp(error)) = result else { panic!("onError") };
    assert_eq!(error.uri(), "com.example.no");
    assert_eq!(error.details().extra, Dict::from_iter([("_row", 5)]));
    assert_eq!(error.args::<(String,)>().unwrap(), ("e".to_owned(),));
    assert_eq!(error.kwargs::<Dict>().unwrap(), Dict::from_iter([("k", 1)]));
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
