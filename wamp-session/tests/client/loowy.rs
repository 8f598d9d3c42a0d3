//! What the Loowy for Lua offers, one test for each of its options and methods, named after it.

use std::sync::Arc;
use std::time::Duration;

use wamp_session::auth::{self, Authenticator};
use wamp_session::client::{ConnectionEvent, Subscription, WithInvocation};
use wamp_session::proto::{Args, ArgsKwargs, CancelMode, Dict, Format, InvokePolicy, Kwargs, MatchPolicy, SessionId};
use wamp_session::{
    CallOptions, CloseCause, Config, ConfigError, PublishOptions, ReconnectPolicy, RegisterOptions, RequestError,
    SubscribeOptions, TransportErrorKind, WampError,
};

use crate::world::{WELCOME, World};

fn config() -> Config {
    Config::new("ws://router/ws", "realm1").agent(None).keep_alive(None)
}

/// A client of this configuration, reconnect policy included, that has joined.
fn joined(config: Config) -> (World, wamp_session::client::Client) {
    let (mut world, client) = World::with(config);
    accept(&mut world);
    (world, client)
}

fn accept(world: &mut World) -> String {
    world.accept();
    let hello = world.received();
    world.send(WELCOME);
    hello
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn option_auto_reconnect() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy()));
    world.cut(TransportErrorKind::Eof);
    assert!(client.session().is_none());
    world.advance(seconds(2));
    accept(&mut world);
    assert!(client.session().is_some());

    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::never()));
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(world.finish(client.joined()), Err(CloseCause::Transport(_))));
}

#[test]
fn option_auto_reconnect_at_the_first_connect() {
    let policy = config().reconnect(ReconnectPolicy::loowy()).retry_initial_connect(true);
    let (mut world, client) = World::with(policy);
    world.refuse(TransportErrorKind::Connect);
    world.advance(seconds(2));
    accept(&mut world);
    assert!(client.session().is_some());
}

#[test]
fn option_reconnect_interval() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy()));
    for attempt in 1..=3 {
        world.cut(TransportErrorKind::Eof);
        world.advance(Duration::from_millis(1_999));
        assert_eq!(world.wire(|wire| wire.opened), attempt);
        world.advance(Duration::from_millis(1));
        assert_eq!(world.wire(|wire| wire.opened), attempt + 1);
        accept(&mut world);
    }
    drop(client);
}

#[test]
fn option_max_retries() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy().max_attempts(Some(2))));
    world.cut(TransportErrorKind::Eof);
    for _ in 0..2 {
        world.advance(seconds(2));
        world.refuse(TransportErrorKind::Connect);
    }
    assert!(matches!(world.finish(client.joined()), Err(CloseCause::Transport(_))));
    world.advance(seconds(100));
    assert_eq!(world.wire(|wire| wire.opened), 3);
}

#[test]
fn option_transport_encoding() {
    let (mut world, client) = World::with(config().formats([Format::MsgPack, Format::Json]));
    world.accept();
    world.received();
    world.send(WELCOME);
    assert_eq!(client.session().unwrap().format, Format::Json, "the router has chosen");
    let (world, client) = World::with(config().formats([Format::MsgPack]));
    assert_eq!(client.config().snapshot().check(), Ok(()));
    drop((world, client));
}

#[test]
fn option_realm() {
    let (mut world, client) = World::with(config());
    assert!(accept(&mut world).starts_with(r#"[1,"realm1",{"#));
    assert_eq!(&*client.config().realm(), "realm1");
}

#[test]
fn option_hello_custom_details() {
    let (mut world, client) = World::with(config().hello_detail("_build", 4711).hello_detail("x_lang", "rust"));
    let hello = accept(&mut world);
    assert!(hello.ends_with(r#","_build":4711,"x_lang":"rust"}]"#), "{hello}");
    drop(client);
}

#[test]
fn msg_012_custom_details_have_keys_of_their_own() {
    for key in ["authid", "roles", "_ab", "x_", "MyKey", ""] {
        let wrong = config().hello_detail(key, true);
        assert_eq!(wrong.check(), Err(ConfigError::HelloDetail(key.to_owned())), "{key}");
    }
    // What a format does not have closes the client, and says which it was.
    let (mut world, client) = World::new(config().hello_detail("_fine", 1).hello_detail("_nan", f64::NAN));
    world.accept();
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    let Err(CloseCause::Config(error)) = world.finish(client.joined()) else { panic!() };
    assert_eq!(error, ConfigError::HelloDetail("_nan".to_owned()));
}

#[test]
fn options_authid_authmethods_and_on_challenge() {
    let ticket = auth::Ticket::new("joe", "secret!!!");
    let (mut world, client) = World::with(config().authenticator(ticket));
    world.accept();
    let hello = world.received();
    assert!(hello.contains(r#""authmethods":["ticket"],"authid":"joe""#), "{hello}");
    world.send(r#"[4,"ticket",{}]"#);
    world.expect(r#"[5,"secret!!!",{}]"#);
    world.send(WELCOME);
    assert!(client.session().is_some());
}

#[test]
fn options_on_connect_on_reconnect_on_reconnect_success_on_close_and_on_error() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy().max_attempts(Some(1))));
    let mut events = client.connection_events();
    let ConnectionEvent::Joined(joined) = world.finish(events.next()).unwrap() else { panic!("onConnect") };
    assert_eq!(joined.session.get(), 7_814_135);
    world.cut(TransportErrorKind::Eof);
    let ConnectionEvent::Left(left) = world.finish(events.next()).unwrap() else { panic!("onReconnect") };
    assert_eq!((left.attempt, left.retry_in), (1, seconds(2)));
    world.advance(seconds(2));
    accept(&mut world);
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(_))));
    let restored = world.finish(events.next());
    assert!(matches!(restored, Some(ConnectionEvent::Restored { failed }) if failed.is_empty()), "onReconnectSuccess");
    world.send(r#"[3,{},"wamp.error.not_authorized"]"#);
    world.cut(TransportErrorKind::Eof);
    let closed = world.finish(events.next()).unwrap();
    assert!(matches!(closed, ConnectionEvent::Closed(cause) if matches!(*cause, CloseCause::Abort(_))), "onClose");
    assert!(world.finish(events.next()).is_none());
}

#[test]
fn method_options() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::never()).call_timeout(seconds(9)));
    assert_eq!(client.config().call_timeout(), Some(seconds(9)));

    // The call timeout, of calls made from now on.
    client.config().set_call_timeout(seconds(3));
    assert_eq!(client.config().call_timeout(), Some(seconds(3)));
    let mut call = client.call("com.example.slow", ());
    assert!(world.poll(&mut call).is_pending());
    world.advance(Duration::from_millis(2_999));
    assert!(world.poll(&mut call).is_pending());
    world.advance(Duration::from_millis(1));
    assert!(matches!(world.finish(call), Err(RequestError::Timeout)));

    // The policy, from the next loss on.
    client.config().set_reconnect(ReconnectPolicy::loowy());
    world.cut(TransportErrorKind::Eof);
    world.advance(seconds(2));
    accept(&mut world);
    assert!(client.session().is_some());
    client.config().set_reconnect(ReconnectPolicy::never());
    world.cut(TransportErrorKind::Eof);
    assert!(world.finish(client.joined()).is_err());
}

#[test]
fn method_options_replaces_authenticators() {
    let old = auth::Ticket::new("joe", "old");
    let (mut world, client) = World::with(config().reconnect(ReconnectPolicy::loowy()).authenticator(old));
    world.accept();
    assert!(world.received().contains(r#""authid":"joe""#));
    world.send(WELCOME);
    let new: Arc<dyn Authenticator> = Arc::new(auth::Ticket::new("mary", "new"));
    client.config().set_authenticators([Arc::clone(&new)]).unwrap();
    assert_eq!(client.config().authenticators().len(), 1);
    world.cut(TransportErrorKind::Eof);
    world.advance(seconds(2));
    world.accept();
    assert!(world.received().contains(r#""authid":"mary""#));
    world.send(r#"[4,"ticket",{}]"#);
    world.expect(r#"[5,"new",{}]"#);

    // Those that cannot be used together replace none.
    let third: Arc<dyn Authenticator> = Arc::new(auth::Ticket::new("third", "x"));
    assert_eq!(client.config().set_authenticators([new, third]), Err(ConfigError::AuthIds));
    assert_eq!(client.config().authenticators()[0].authid(), Some("mary"));
}

#[test]
fn method_get_op_status_is_the_result_of_each_operation() {
    let (mut world, client) = joined(config());
    let mut publish = client.publish_acked("com.example.t", ());
    assert!(world.poll(&mut publish).is_pending());
    world.received();
    world.send(r#"[8,16,1,{},"wamp.error.not_authorized"]"#);
    let Err(RequestError::Wamp(error)) = world.finish(publish) else { panic!() };
    assert_eq!(error.uri(), "wamp.error.not_authorized");
}

#[test]
fn method_get_session_id() {
    let (world, client) = joined(config());
    assert_eq!(client.session().unwrap().session.get(), 7_814_135);
    drop(world);
}

#[test]
fn methods_connect_and_disconnect() {
    let (mut world, client) = joined(config());
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.expect(r#"[6,{},"wamp.close.close_realm"]"#);
    world.agree_to_close();
    world.finish(close).unwrap();
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    accept(&mut world);
    assert!(world.finish(again).is_ok());
}

#[test]
fn method_abort_is_close_before_the_join() {
    let (mut world, client) = World::with(config());
    world.accept();
    assert!(world.received().starts_with("[1,"));
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    let abort = world.received();
    assert!(abort.starts_with("[3,{"), "{abort}");

    let (mut world, client) = World::with(config());
    world.accept();
    assert!(world.received().starts_with("[1,"));
    drop(client);
    let abort = world.received();
    assert!(abort.starts_with("[3,{"), "{abort}");
}

#[test]
fn methods_subscribe_and_unsubscribe() {
    let (mut world, client) = joined(config());
    for (policy, options) in [
        (MatchPolicy::Exact, "{}"),
        (MatchPolicy::Prefix, r#"{"match":"prefix"}"#),
        (MatchPolicy::Wildcard, r#"{"match":"wildcard"}"#),
    ] {
        let mut with = SubscribeOptions::new();
        if policy != MatchPolicy::Exact {
            with = with.match_policy(policy);
        }
        let mut subscribe = client.subscribe_with("com.example.t", with);
        assert!(world.poll(&mut subscribe).is_pending());
        let request: serde_json::Value = serde_json::from_str(&world.received()).unwrap();
        assert_eq!(request[2].to_string(), options);
        let id = request[1].as_u64().unwrap();
        world.send(&format!("[33,{id},{}]", id + 70));
        let mut subscription = world.finish(subscribe).expect("onSuccess");
        world.send(&format!(r#"[36,{},1,{{"topic":"com.example.t"}},["a"],{{"k":1}}]"#, id + 70));
        let event = world.finish(subscription.next()).expect("onEvent");
        assert_eq!(event.args::<(String,)>().unwrap(), ("a".to_owned(),));
        let mut unsubscribe = subscription.unsubscribe();
        assert!(world.poll(&mut unsubscribe).is_pending());
        let sent: serde_json::Value = serde_json::from_str(&world.received()).unwrap();
        assert_eq!(sent[2].as_u64(), Some(id + 70));
        world.send(&format!("[35,{}]", sent[1]));
        world.finish(unsubscribe).unwrap();
    }
    let mut refused = client.subscribe("com.example.t");
    assert!(world.poll(&mut refused).is_pending());
    world.received();
    world.send(r#"[8,32,7,{},"wamp.error.not_authorized"]"#);
    assert!(matches!(world.finish(refused), Err(RequestError::Wamp(_))), "onError");
}

#[test]
fn method_publish_takes_a_value_a_list_a_dictionary_or_both() {
    let (mut world, client) = joined(config());
    let dict = || Dict::from_iter([("k", 1)]);
    world.finish(client.publish("a.b", "value")).unwrap();
    world.expect(r#"[16,1,{},"a.b",["value"]]"#);
    world.finish(client.publish("a.b", Args(vec![1, 2]))).unwrap();
    world.expect(r#"[16,2,{},"a.b",[1,2]]"#);
    world.finish(client.publish("a.b", Kwargs(dict()))).unwrap();
    world.expect(r#"[16,3,{},"a.b",[],{"k":1}]"#);
    world.finish(client.publish("a.b", ArgsKwargs((1, 2), dict()))).unwrap();
    world.expect(r#"[16,4,{},"a.b",[1,2],{"k":1}]"#);
    world.finish(client.publish("a.b", ())).unwrap();
    world.expect(r#"[16,5,{},"a.b"]"#);
}

#[test]
fn method_publish_with_its_options() {
    let (mut world, client) = joined(config());
    let session = SessionId::new(5).unwrap();
    let options = PublishOptions::new()
        .exclude_me(false)
        .disclose_me()
        .exclude([session])
        .exclude_authid(["a"])
        .exclude_authrole(["b"])
        .eligible([session])
        .eligible_authid(["c"])
        .eligible_authrole(["d"]);
    let mut publish = client.publish_acked_with("a.b", (), options);
    assert!(world.poll(&mut publish).is_pending());
    world.expect(concat!(
        r#"[16,1,{"acknowledge":true,"exclude_me":false,"disclose_me":true,"exclude":[5],"exclude_authid":["a"],"#,
        r#""exclude_authrole":["b"],"eligible":[5],"eligible_authid":["c"],"eligible_authrole":["d"]},"a.b"]"#
    ));
    world.send("[17,1,99]");
    assert_eq!(world.finish(publish).expect("onSuccess").get(), 99);
}

#[test]
fn method_call_and_its_results() {
    let (mut world, client) = joined(config());
    let mut call = client.call_with("a.b", Args([1, 2]), CallOptions::new());
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,1,{},"a.b",[1,2]]"#);
    world.send(r#"[50,1,{},["r"],{"k":1}]"#);
    let result = world.finish(call).expect("onSuccess");
    assert_eq!(result.args::<(String,)>().unwrap(), ("r".to_owned(),));
    assert_eq!(result.kwargs::<Dict>().unwrap(), Dict::from_iter([("k", 1)]));

    let mut call = client.call("a.b", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.send(r#"[8,48,2,{"callee":4},"com.example.failed",["e"],{"k":2}]"#);
    let Err(RequestError::Wamp(error)) = world.finish(call) else { panic!("onError") };
    assert_eq!(error.uri(), "com.example.failed");
    assert_eq!(error.details().callee.unwrap().get(), 4);
    assert_eq!(error.args::<(String,)>().unwrap(), ("e".to_owned(),));
    assert_eq!(error.kwargs::<Dict>().unwrap(), Dict::from_iter([("k", 2)]));
}

#[test]
fn methods_register_and_unregister() {
    let (mut world, client) = joined(config());
    let mut register = client.register_fn("a.b", |(a,): (u64,)| async move {
        if a == 0 {
            let kwargs = Dict::from_iter([("severity", 3)]);
            let error =
                WampError::new("com.example.zero")?.detail("_row", 5)?.payload(ArgsKwargs(("no zero",), kwargs))?;
            return Err(error.into());
        }
        Ok(ArgsKwargs((a * 2,), Dict::from_iter([("doubled", true)])))
    });
    assert!(world.poll(&mut register).is_pending());
    world.expect(r#"[64,1,{},"a.b"]"#);
    world.send("[65,1,50]");
    let guard = world.finish(register).expect("onSuccess");
    world.send("[68,1,50,{},[21]]");
    world.expect(r#"[70,1,{},[42],{"doubled":true}]"#);
    world.send("[68,2,50,{},[0]]");
    world.expect(r#"[8,68,2,{"_row":5},"com.example.zero",["no zero"],{"severity":3}]"#);
    let mut unregister = guard.unregister();
    assert!(world.poll(&mut unregister).is_pending());
    world.expect("[66,2,50]");
    world.send("[67,2]");
    world.finish(unregister).unwrap();
}

#[test]
fn method_unsubscribe_of_all_handlers() {
    let (mut world, client) = joined(config());
    let mut kept: Vec<Subscription> = Vec::new();
    for request in 1..=2 {
        let mut subscribe = client.subscribe("com.example.t");
        assert!(world.poll(&mut subscribe).is_pending());
        if request == 1 {
            world.expect(r#"[32,1,{},"com.example.t"]"#);
            world.send("[33,1,71]");
        }
        std::mem::forget(world.finish(subscribe).unwrap());
    }
    let mut all = client.unsubscribe_all("com.example.t");
    assert!(world.poll(&mut all).is_pending());
    world.expect("[34,2,71]");
    world.send("[35,2]");
    world.finish(all).unwrap();
    for subscription in &mut kept {
        assert!(world.finish(subscription.next()).is_none());
    }
}

#[test]
fn method_call_with_its_options() {
    let (mut world, client) = joined(config());
    let options = CallOptions::new().disclose_me().timeout(Duration::from_millis(2_500));
    let mut call = world.finish(client.call_progressive_with("a.b", (), options)).unwrap();
    let sent: serde_json::Value = serde_json::from_str(&world.received()).unwrap();
    // Milliseconds, as the specification has it, and not Loowy's seconds.
    assert_eq!(sent[2], serde_json::json!({"disclose_me": true, "receive_progress": true, "timeout": 2500}));
    world.send(r#"[50,1,{"progress":true},[1]]"#);
    world.send(r#"[50,1,{},["all"]]"#);
    assert_eq!(world.finish(call.next()).expect("a part").arg::<u8>(0).unwrap(), 1);
    assert!(world.finish(call.next()).is_none());
    assert_eq!(world.finish(call.finish()).unwrap().arg::<String>(0).unwrap(), "all");
}

#[test]
fn method_cancel_in_its_modes() {
    for mode in [CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait] {
        let (mut world, client) = joined(config());
        let mut call = client.call("a.b", ());
        assert!(world.poll(&mut call).is_pending());
        world.received();
        call.canceller().cancel(mode);
        let text = match mode {
            CancelMode::Skip => "skip",
            CancelMode::Kill => "kill",
            _ => "killnowait",
        };
        world.expect(&format!(r#"[49,1,{{"mode":"{text}"}}]"#));
        // Only with kill the callee's answer is waited for.
        assert_eq!(world.poll(&mut call).is_pending(), mode == CancelMode::Kill, "{text}");
    }
    let (mut world, client) = joined(config());
    let mut call = client.call("a.b", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    call.canceller().cancel(CancelMode::default());
    world.expect(r#"[49,1,{"mode":"skip"}]"#);
}

#[test]
fn method_register_with_match_and_invoke() {
    let (mut world, client) = joined(config());
    let mut request = 0;
    let mut sent_for = |options: RegisterOptions| {
        request += 1;
        let mut register = client.register_with("a.b", options);
        assert!(world.poll(&mut register).is_pending());
        let sent: serde_json::Value = serde_json::from_str(&world.received()).unwrap();
        world.send(&format!("[65,{request},{}]", 50 + request));
        // Kept, so that no UNREGISTER comes between.
        std::mem::forget(world.finish(register).unwrap());
        sent[2].clone()
    };
    for (policy, text) in [(MatchPolicy::Prefix, "prefix"), (MatchPolicy::Wildcard, "wildcard")] {
        let options = RegisterOptions::new().match_policy(policy);
        assert_eq!(sent_for(options), serde_json::json!({ "match": text }));
    }
    for (policy, text) in [
        (InvokePolicy::Single, "single"),
        (InvokePolicy::RoundRobin, "roundrobin"),
        (InvokePolicy::Random, "random"),
        (InvokePolicy::First, "first"),
        (InvokePolicy::Last, "last"),
    ] {
        assert_eq!(sent_for(RegisterOptions::new().invoke(policy)), serde_json::json!({ "invoke": text }));
    }
}

#[test]
fn method_register_and_results_in_parts() {
    let (mut world, client) = joined(config());
    let mut register = client.register_fn("a.b", |call: WithInvocation<()>| async move {
        call.invocation.progress(ArgsKwargs((1,), Dict::from_iter([("done", false)]))).await?;
        Ok(ArgsKwargs((2,), Dict::from_iter([("done", true)])))
    });
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let guard = world.finish(register).unwrap();
    world.send(r#"[68,1,50,{"receive_progress":true}]"#);
    world.expect(r#"[70,1,{"progress":true},[1],{"done":false}]"#);
    world.expect(r#"[70,1,{},[2],{"done":true}]"#);
    drop(guard);
}
