//! Loowy's methods of callers and callees.

use std::time::Duration;

use wamp_session::client::{RegistrationGuard, WithDetails, WithInvocation};
use wamp_session::proto::{Args, ArgsKwargs, CancelMode, Dict, InvokePolicy, Kwargs, MatchPolicy};
use wamp_session::{CallOptions, RegisterOptions, RequestError, WampError};

use super::{assert_is_that_error, config, error_to, joined};
use crate::world::World;

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
    world.send(&error_to(48, 2));
    assert_is_that_error(world.finish(call));
}

#[test]
fn method_call_takes_a_value_a_list_a_dictionary_or_both() {
    let (mut world, client) = joined(config());
    let dict = || Dict::from_iter([("k", 1)]);
    let mut calls = [
        (client.call("a.b", ()), r#"[48,1,{},"a.b"]"#),
        (client.call("a.b", "value"), r#"[48,2,{},"a.b",["value"]]"#),
        (client.call("a.b", Args(vec![1, 2])), r#"[48,3,{},"a.b",[1,2]]"#),
        (client.call("a.b", Kwargs(dict())), r#"[48,4,{},"a.b",[],{"k":1}]"#),
        (client.call("a.b", ArgsKwargs((1, 2), dict())), r#"[48,5,{},"a.b",[1,2],{"k":1}]"#),
    ];
    for (call, sent) in &mut calls {
        assert!(world.poll(call).is_pending());
        world.expect(sent);
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
fn option_timeout_ends_a_call_that_no_answer_comes_to() {
    let (mut world, client) = joined(config());
    let mut call = client.call_with("a.b", (), CallOptions::new().timeout(Duration::from_millis(2_500)));
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.advance(Duration::from_millis(2_499));
    assert!(world.poll(&mut call).is_pending());
    world.advance(Duration::from_millis(1));
    assert!(matches!(world.finish(call), Err(RequestError::Timeout { .. })));
}

/// The modes, and what they are called.
const MODES: [(CancelMode, &str); 3] =
    [(CancelMode::Skip, "skip"), (CancelMode::Kill, "kill"), (CancelMode::KillNoWait, "killnowait")];

#[test]
fn method_cancel_in_its_modes() {
    for (mode, text) in MODES {
        let (mut world, client) = joined(config());
        let mut call = client.call("a.b", ());
        assert!(world.poll(&mut call).is_pending());
        world.received();
        call.canceller().cancel(mode);
        world.expect(&format!(r#"[49,1,{{"mode":"{text}"}}]"#));
        if mode == CancelMode::Kill {
            // Only with kill the callee's answer is waited for.
            assert!(world.poll(&mut call).is_pending());
            world.send(&error_to(48, 1));
            assert_is_that_error(world.finish(call));
        } else {
            assert!(matches!(world.finish(call), Err(RequestError::Canceled)), "{text}");
        }
    }
}

#[test]
fn method_cancel_skips_by_default() {
    let (mut world, client) = joined(config());
    let mut call = client.call("a.b", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    call.canceller().cancel(CancelMode::default());
    world.expect(r#"[49,1,{"mode":"skip"}]"#);
}

#[test]
fn method_cancel_that_crosses_an_answer() {
    for (mode, text) in MODES {
        for answer in [r#"[50,1,{},["r"]]"#.to_owned(), error_to(48, 1)] {
            let (mut world, client) = joined(config());
            let mut call = client.call("a.b", ());
            assert!(world.poll(&mut call).is_pending());
            world.received();
            call.canceller().cancel(mode);
            world.expect(&format!(r#"[49,1,{{"mode":"{text}"}}]"#));
            world.send(&answer);
            let result = world.finish(call);
            match (mode, &result) {
                // What was under way arrives.
                (CancelMode::Kill, Ok(result)) => assert_eq!(result.arg::<String>(0).unwrap(), "r"),
                (CancelMode::Kill, Err(_)) => assert_is_that_error(result),
                (_, result) => assert!(matches!(result, Err(RequestError::Canceled)), "{text}"),
            }
            world.expect_nothing();
            assert!(client.session().is_some(), "{text}: a late answer does no harm");
        }
    }
}

#[test]
fn method_cancel_of_a_call_that_has_ended_sends_nothing() {
    for (mode, _) in MODES {
        let (mut world, client) = joined(config());
        let mut call = client.call("a.b", ());
        let stop = call.canceller();
        assert!(world.poll(&mut call).is_pending());
        world.received();
        world.send("[50,1,{}]");
        stop.cancel(mode);
        world.finish(call).expect("the result came before");
        stop.cancel(mode);
        world.expect_nothing();
    }
}

/// What is registered, once the router has confirmed it.
fn register(
    world: &mut World,
    register: impl Future<Output = Result<RegistrationGuard, RequestError>>,
) -> RegistrationGuard {
    let mut register = Box::pin(register);
    assert!(world.poll(&mut register).is_pending());
    world.expect(r#"[64,1,{},"a.b"]"#);
    world.send("[65,1,50]");
    world.finish(register).expect("onSuccess")
}

#[test]
fn methods_register_and_unregister() {
    let (mut world, client) = joined(config());
    let double = client.register_fn("a.b", |call: WithDetails<(u64,)>| async move {
        let details = [
            ("doubled", 1),
            ("receive_progress", u64::from(call.details.receive_progress == Some(true))),
            ("trustlevel", call.details.trustlevel.unwrap_or(0)),
        ];
        Ok(ArgsKwargs((call.args.0 * 2,), Dict::from_iter(details)))
    });
    let guard = register(&mut world, double);
    world.send(r#"[68,1,50,{"receive_progress":true,"trustlevel":7},[21]]"#);
    world.expect(r#"[70,1,{},[42],{"doubled":1,"receive_progress":1,"trustlevel":7}]"#);
    let mut unregister = guard.unregister();
    assert!(world.poll(&mut unregister).is_pending());
    world.expect("[66,2,50]");
    world.send("[67,2]");
    world.finish(unregister).expect("onSuccess");
}

#[test]
fn methods_register_and_unregister_on_error() {
    let (mut world, client) = joined(config());
    let mut refused = client.register("a.b");
    assert!(world.poll(&mut refused).is_pending());
    world.received();
    world.send(&error_to(64, 1));
    assert_is_that_error(world.finish(refused));

    let mut registration = client.register("a.b");
    assert!(world.poll(&mut registration).is_pending());
    world.received();
    world.send("[65,2,50]");
    let mut unregister = world.finish(registration).unwrap().unregister();
    assert!(world.poll(&mut unregister).is_pending());
    world.expect("[66,3,50]");
    world.send(&error_to(66, 3));
    assert_is_that_error(world.finish(unregister));
}

#[test]
fn method_register_results_are_nothing_a_value_or_both_kinds_of_arguments() {
    let (mut world, client) = joined(config());
    let guard = register(&mut world, client.register_fn("a.b", |(): ()| async { Ok(()) }));
    world.send("[68,1,50,{}]");
    world.expect("[70,1,{}]");
    drop((guard, client));

    let (mut world, client) = joined(config());
    let guard = register(&mut world, client.register_fn("a.b", |(): ()| async { Ok("value") }));
    world.send("[68,1,50,{}]");
    world.expect(r#"[70,1,{},["value"]]"#);
    drop((guard, client));

    let (mut world, client) = joined(config());
    let kwargs = || Kwargs(Dict::from_iter([("k", 1)]));
    let guard = register(&mut world, client.register_fn("a.b", move |(): ()| async move { Ok(kwargs()) }));
    world.send("[68,1,50,{}]");
    world.expect(r#"[70,1,{},[],{"k":1}]"#);
    drop(guard);
}

#[test]
fn method_register_errors_with_uri_details_and_arguments() {
    let (mut world, client) = joined(config());
    let fail = client.register_fn("a.b", |(a,): (u64,)| async move {
        if a == 0 {
            let kwargs = Dict::from_iter([("severity", 3)]);
            let error =
                WampError::new("com.example.zero")?.detail("_row", 5)?.payload(ArgsKwargs(("no zero",), kwargs))?;
            return Err(error.into());
        }
        // Any other error is told without its text, which may be none of the caller's business.
        Err::<(), _>(std::io::Error::other("the disk of db-3 is full").into())
    });
    let guard = register(&mut world, fail);
    world.send("[68,1,50,{},[0]]");
    world.expect(r#"[8,68,1,{"_row":5},"com.example.zero",["no zero"],{"severity":3}]"#);
    world.send("[68,2,50,{},[1]]");
    world.expect(r#"[8,68,2,{},"wamp.error.runtime_error"]"#);
    drop(guard);
}

#[test]
fn method_register_with_match_and_invoke() {
    let cases = [
        (RegisterOptions::new().match_policy(MatchPolicy::Prefix), r#"{"match":"prefix"}"#),
        (RegisterOptions::new().match_policy(MatchPolicy::Wildcard), r#"{"match":"wildcard"}"#),
        (RegisterOptions::new().invoke(InvokePolicy::Single), r#"{"invoke":"single"}"#),
        (RegisterOptions::new().invoke(InvokePolicy::RoundRobin), r#"{"invoke":"roundrobin"}"#),
        (RegisterOptions::new().invoke(InvokePolicy::Random), r#"{"invoke":"random"}"#),
        (RegisterOptions::new().invoke(InvokePolicy::First), r#"{"invoke":"first"}"#),
        (RegisterOptions::new().invoke(InvokePolicy::Last), r#"{"invoke":"last"}"#),
    ];
    for (options, sent) in cases {
        let (mut world, client) = joined(config());
        let mut register = client.register_with("a.b", options);
        assert!(world.poll(&mut register).is_pending());
        world.expect(&format!(r#"[64,1,{sent},"a.b"]"#));
    }
}

#[test]
fn method_register_and_results_in_parts() {
    let (mut world, client) = joined(config());
    let parts = client.register_fn("a.b", |call: WithInvocation<()>| async move {
        call.invocation.progress(ArgsKwargs((1,), Dict::from_iter([("done", false)]))).await?;
        Ok(ArgsKwargs((2,), Dict::from_iter([("done", true)])))
    });
    let guard = register(&mut world, parts);
    world.send(r#"[68,1,50,{"receive_progress":true}]"#);
    world.expect(r#"[70,1,{"progress":true},[1],{"done":false}]"#);
    world.expect(r#"[70,1,{},[2],{"done":true}]"#);
    // Who has not asked for parts gets none.
    world.send("[68,2,50,{}]");
    world.expect(r#"[70,2,{},[2],{"done":true}]"#);
    drop(guard);
}
