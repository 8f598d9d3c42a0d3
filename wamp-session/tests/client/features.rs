//! What a router does not announce, at the handles: each row of the page about features (need 41, FEA-05).

use std::collections::BTreeSet;
use std::future::Future;

use wamp_session::client::Client;
use wamp_session::passthru::Passthru;
use wamp_session::proto::{InvokePolicy, MatchPolicy, SessionId};
use wamp_session::{
    CallOptions, CommandError, Config, Feature, PublishOptions, RegisterOptions, RequestError, SubscribeOptions,
};

use crate::world::World;

const FEATURELESS: &str = r#"[2,7814135,{"roles":{"broker":{},"dealer":{}}}]"#;
const NO_ROLES: &str = "[2,7814135,{}]";

/// The option of each row, its feature, and what is done without it.
fn rows() -> Vec<(&'static str, Feature, &'static str)> {
    let page = include_str!("../../../docs/features.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        (cells[1], Feature::from_name(cells[2]).unwrap(), cells[4])
    })
    .collect()
}

fn joined(config: Config, welcome: &str) -> (World, Client) {
    let (mut world, client) = World::new(config.agent(None));
    world.accept();
    world.received();
    world.send(welcome);
    (world, client)
}

fn config() -> Config {
    Config::new("ws://router/ws", "realm1").passthru_codec("x_plain", wamp_session::passthru::Plain)
}

fn plain() -> Passthru {
    Passthru::new("x_plain").serializer("json")
}

/// What has become of a request: the error with which it was refused at once, or the frame that was sent.
fn outcome<T>(
    world: &mut World,
    request: impl Future<Output = Result<T, RequestError>>,
) -> Result<String, CommandError> {
    let mut request = Box::pin(request);
    match world.poll(&mut request) {
        std::task::Poll::Ready(Err(RequestError::Command(error))) => {
            world.expect_nothing();
            Err(error)
        }
        std::task::Poll::Ready(Err(error)) => panic!("{error:?}"),
        std::task::Poll::Ready(Ok(_)) | std::task::Poll::Pending => Ok(world.received()),
    }
}

/// Uses the option of a row.
fn using(world: &mut World, client: &Client, option: &str) -> Result<String, CommandError> {
    let none = [] as [&str; 0];
    let (call, publish) = (CallOptions::new(), PublishOptions::new());
    let (register, subscribe) = (RegisterOptions::new(), SubscribeOptions::new());
    let (message, key) = option.split_once('.').unwrap();
    match message {
        "CALL" => {
            let call = match key {
                "Options.progress" => return outcome(world, client.call_streaming("a.b", ())),
                "Options.ppt_scheme" => call.passthru(plain()),
                "Options.rkey" => call.rkey("k"),
                "Options.runmode" => call.runmode("all"),
                "Options.receive_progress" => {
                    return outcome(world, client.call_progressive("a.b", ()));
                }
                "Options.timeout" => call.timeout(std::time::Duration::from_secs(1)),
                "Options.disclose_me" => call.disclose_me(),
                other => panic!("{other}"),
            };
            outcome(world, client.call_with("a.b", (), call.cancel_on_drop(None)))
        }
        "REGISTER" => {
            let register = match key {
                "Options.match" => register.match_policy(MatchPolicy::Prefix),
                "Options.invoke" => register.invoke(InvokePolicy::RoundRobin),
                "Options.disclose_caller" => register.disclose_caller(),
                "Options.forward_timeout" => register.forward_timeout(),
                other => panic!("{other}"),
            };
            outcome(world, client.register_with("a.b", register))
        }
        "PUBLISH" => {
            let publish = match key {
                "Options.ppt_scheme" => publish.passthru(plain()),
                "Options.exclude" => publish.exclude([] as [SessionId; 0]),
                "Options.exclude_authid" => publish.exclude_authid(none),
                "Options.exclude_authrole" => publish.exclude_authrole(none),
                "Options.eligible" => publish.eligible([] as [SessionId; 0]),
                "Options.eligible_authid" => publish.eligible_authid(none),
                "Options.eligible_authrole" => publish.eligible_authrole(none),
                "Options.rkey" => publish.rkey("k"),
                "Options.exclude_me" => publish.exclude_me(false),
                "Options.disclose_me" => publish.disclose_me(),
                "Options.retain" => publish.retain(),
                other => panic!("{other}"),
            };
            let acked = outcome(world, client.publish_acked_with("a.b", (), publish.clone()));
            let sent = outcome(world, client.publish_with("a.b", (), publish));
            assert_eq!(acked.as_ref().err(), sent.as_ref().err(), "{option}");
            sent
        }
        "SUBSCRIBE" => {
            let subscribe = match key {
                "Options.match" => subscribe.match_policy(MatchPolicy::Wildcard),
                "Options.nkey" => subscribe.nkey("k"),
                "Options.get_retained" => subscribe.get_retained(),
                other => panic!("{other}"),
            };
            outcome(world, client.subscribe_with("a.b", subscribe))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn need_41_and_fea_05_each_option_that_a_router_lacks_is_refused_or_sent_as_the_page_says() {
    let rows = rows();
    let options: BTreeSet<&str> = rows.iter().map(|(option, ..)| *option).collect();
    assert_eq!((options.len(), rows.len()), (27, 27));
    // What answers an invocation is told to the callee by its own test.
    for (option, feature, decision) in
        rows.into_iter().filter(|(option, ..)| !option.contains("YIELD.") && !option.contains("ERROR."))
    {
        let key = option.rsplit('.').next().unwrap();
        for (welcome, sent) in [(FEATURELESS, decision == "sent"), (NO_ROLES, decision != "always refused")] {
            let (mut world, client) = joined(config(), welcome);
            match using(&mut world, &client, option) {
                Ok(frame) => assert!(sent && frame.contains(&format!(r#""{key}":"#)), "{option} {welcome} {frame}"),
                Err(error) => assert!(!sent && error == CommandError::NotSupported(feature), "{option} {error:?}"),
            }
        }
        // It is not switched off for others by being switched off here, and the router need not be asked.
        let (mut world, client) = joined(config().without_feature(feature), crate::world::WELCOME);
        let off = using(&mut world, &client, option);
        let disabled = (decision != "sent").then_some(CommandError::Disabled(feature));
        assert_eq!(off.err(), disabled, "{option}");
    }
}
