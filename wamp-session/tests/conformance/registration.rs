//! Checklist sections 11.7 to 11.13: how a callee registers, and what an invocation says of its call.

use wamp_session::proto::{InvokePolicy, MatchPolicy, Uri, UriRule};
use wamp_session::{
    CommandError, ErrorKind, Feature, InvocationEvent, RegisterOptions, RegistrationKey, RequestError, Response,
    SessionEvent, WampError,
};

use super::features::hello;
use crate::support::{Peer, WELCOME, config, uri};

fn pattern(text: &str, policy: MatchPolicy) -> Uri {
    Uri::checked(text, UriRule::Loose, policy).unwrap()
}

fn register(peer: &mut Peer, procedure: Uri, options: RegisterOptions) -> RegistrationKey {
    peer.session.register(peer.now, procedure, options).unwrap()
}

/// The invocation of a frame, of a session that has registered `com.example.procedure` as 200.
fn invoked(frame: &str) -> InvocationEvent {
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 200);
    peer.receive(frame);
    peer.expect_invocation()
}

fn assert_announced(feature: &str) {
    let hello: serde_json::Value = serde_json::from_str(&hello(config())).unwrap();
    assert_eq!(hello[2]["roles"]["callee"]["features"][feature], true, "{hello}");
}

#[test]
fn rer_01_a_callee_that_cannot_serve_says_unavailable() {
    assert_announced("call_reroute");
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 200);
    peer.receive("[68,7,200,{}]");
    let invocation = peer.expect_invocation();
    let unavailable = WampError::new("wamp.error.unavailable").unwrap();
    peer.session.respond(peer.now, invocation.key, Response::Error(unavailable)).unwrap();
    peer.expect_sent(r#"[8,68,7,{},"wamp.error.unavailable"]"#);
}

#[test]
fn rer_02_a_caller_learns_that_no_callee_is_available() {
    for reason in ["wamp.error.no_available_callee", "wamp.error.unavailable"] {
        let mut peer = Peer::joined();
        let call = peer.call("com.example.procedure");
        peer.sent();
        peer.receive(&format!(r#"[8,48,1,{{}},"{reason}"]"#));
        let error = peer.expect_call_done(call).unwrap_err();
        assert!(matches!(error, RequestError::Wamp(error) if error.uri() == reason));
    }
}

#[test]
fn cid_01_a_callee_announces_caller_identification() {
    assert_announced("caller_identification");
}

#[test]
fn cid_03_who_calls_is_said_with_the_invocation() {
    let frame = r#"[68,1,200,{"caller":3335656,"caller_authid":"joe","caller_authrole":"user"}]"#;
    let details = invoked(frame).details;
    assert_eq!(details.caller.map(|caller| caller.get()), Some(3_335_656));
    assert_eq!(details.caller_authid.as_deref(), Some("joe"));
    assert_eq!(details.caller_authrole.as_deref(), Some("user"));
    let details = invoked("[68,1,200,{}]").details;
    assert_eq!((details.caller, details.caller_authid, details.caller_authrole), (None, None, None));
}

#[test]
fn cid_04_a_callee_asks_who_calls() {
    let mut peer = Peer::joined();
    register(&mut peer, uri("com.maypp.add2"), RegisterOptions::new().disclose_caller());
    peer.expect_sent(r#"[64,1,{"disclose_caller":true},"com.maypp.add2"]"#);
}

#[test]
fn ctl_01_the_trust_level_of_a_call_is_said_with_the_invocation() {
    assert_announced("call_trustlevels");
    let invocation = invoked(r#"[68,6131533,200,{"trustlevel":2},["Hello, world!"]]"#);
    assert_eq!(invocation.details.trustlevel, Some(2));
    assert_eq!(invocation.payload.arg::<&str>(0).unwrap(), "Hello, world!");
    assert_eq!(invoked("[68,1,200,{\"trustlevel\":0}]").details.trustlevel, Some(0));
    assert_eq!(invoked("[68,1,200,{}]").details.trustlevel, None);
}

#[test]
fn tmo_03_a_callee_asks_for_the_timeouts_of_calls() {
    let mut peer = Peer::joined();
    register(&mut peer, uri("a.b"), RegisterOptions::new().forward_timeout());
    peer.expect_sent(r#"[64,1,{"forward_timeout":true},"a.b"]"#);
}

#[test]
fn pbr_01_a_procedure_is_registered_as_a_pattern() {
    assert_announced("pattern_based_registration");
    let mut peer = Peer::joined();
    for (request, policy, name, procedure) in [
        (1, MatchPolicy::Exact, "exact", "com.myapp.procedure1"),
        (2, MatchPolicy::Prefix, "prefix", "com.myapp."),
        (3, MatchPolicy::Wildcard, "wildcard", "com.myapp..myprocedure1"),
    ] {
        let options = RegisterOptions::new().match_policy(policy);
        register(&mut peer, pattern(procedure, policy), options);
        peer.expect_sent(&format!(r#"[64,{request},{{"match":"{name}"}},"{procedure}"]"#));
    }
}

#[test]
fn pbr_01_a_pattern_is_registered_as_nothing_else() {
    let mut peer = Peer::joined();
    for (policy, procedure) in [
        (MatchPolicy::Exact, pattern("com..procedure", MatchPolicy::Wildcard)),
        (MatchPolicy::Exact, pattern("com.", MatchPolicy::Prefix)),
        (MatchPolicy::Prefix, pattern("com..procedure", MatchPolicy::Wildcard)),
    ] {
        let options = RegisterOptions::new().match_policy(policy);
        let refused = peer.session.register(peer.now, procedure, options);
        assert!(matches!(refused, Err(CommandError::InvalidUri(_))), "{refused:?}");
    }
    peer.expect_usable();
}

#[test]
fn pbr_02_the_procedure_that_was_called_comes_with_the_invocation() {
    let mut peer = Peer::joined();
    let options = RegisterOptions::new().match_policy(MatchPolicy::Wildcard);
    let key = register(&mut peer, pattern("com.myapp..proc1", MatchPolicy::Wildcard), options);
    peer.sent();
    peer.receive("[65,1,200]");
    peer.expect_registered(key).unwrap();
    peer.receive(r#"[68,6131533,200,{"procedure":"com.myapp.procedure.proc1"},["Hello, world!"]]"#);
    assert_eq!(peer.expect_invocation().procedure, "com.myapp.procedure.proc1");
    peer.registered("com.myapp.exact", 201);
    peer.receive("[68,6131534,201,{}]");
    assert_eq!(peer.expect_invocation().procedure, "com.myapp.exact");
}

#[test]
fn pbr_03_one_uri_with_two_policies_is_two_registrations() {
    let mut peer = Peer::joined();
    let exact = peer.registered("a.b", 200);
    let options = RegisterOptions::new().match_policy(MatchPolicy::Prefix);
    let prefix = register(&mut peer, pattern("a.b", MatchPolicy::Prefix), options);
    peer.expect_sent(r#"[64,2,{"match":"prefix"},"a.b"]"#);
    peer.receive("[65,2,201]");
    peer.expect_registered(prefix).unwrap();
    peer.receive(r#"[68,1,201,{"procedure":"a.bc"}]"#);
    peer.receive("[68,2,200,{}]");
    assert_eq!(peer.expect_invocation().registration, prefix);
    assert_eq!(peer.expect_invocation().registration, exact);
    peer.unregister(exact);
    peer.expect_sent("[66,3,200]");
    peer.receive("[67,3]");
    peer.expect_unregistered(exact).unwrap();
    peer.receive(r#"[68,3,201,{"procedure":"a.b"}]"#);
    assert_eq!(peer.expect_invocation().registration, prefix);
}

#[test]
fn shr_01_a_registration_is_shared_by_a_policy() {
    assert_announced("shared_registration");
    let mut peer = Peer::joined();
    for (request, policy, name) in [
        (1, InvokePolicy::Single, "single"),
        (2, InvokePolicy::RoundRobin, "roundrobin"),
        (3, InvokePolicy::Random, "random"),
        (4, InvokePolicy::First, "first"),
        (5, InvokePolicy::Last, "last"),
    ] {
        register(&mut peer, uri("a.b"), RegisterOptions::new().invoke(policy));
        peer.expect_sent(&format!(r#"[64,{request},{{"invoke":"{name}"}},"a.b"]"#));
    }
}

#[test]
fn shr_02_a_policy_that_differs_is_refused() {
    for reason in
        ["wamp.error.procedure_already_exists", "wamp.error.procedure_exists_with_different_invocation_policy"]
    {
        let mut peer = Peer::joined();
        let key = register(&mut peer, uri("a.b"), RegisterOptions::new().invoke(InvokePolicy::First));
        peer.sent();
        peer.receive(&format!(r#"[8,64,1,{{}},"{reason}"]"#));
        let Err(RequestError::Wamp(error)) = peer.expect_registered(key) else { panic!("no error") };
        assert_eq!((error.uri().as_str(), error.kind()), (reason, ErrorKind::ProcedureAlreadyExists));
        peer.expect_usable();
    }
}

#[test]
fn shr_03_two_registrations_of_one_shared_procedure_have_one_id() {
    let mut peer = Peer::joined();
    let options = || RegisterOptions::new().invoke(InvokePolicy::RoundRobin);
    let first = register(&mut peer, uri("a.b"), options());
    let second = register(&mut peer, uri("a.b"), options());
    peer.sent();
    peer.sent();
    peer.receive("[65,1,200]");
    peer.receive("[65,2,200]");
    peer.expect_registered(first).unwrap();
    peer.expect_registered(second).unwrap();
    peer.receive("[68,1,200,{}]");
    assert_eq!(peer.expect_invocation().registration, first);
    // The router knows of one: only the last one ends it.
    peer.unregister(first);
    peer.expect_unregistered(first).unwrap();
    peer.expect_silence();
    peer.receive("[68,2,200,{}]");
    assert_eq!(peer.expect_invocation().registration, second);
    peer.unregister(second);
    peer.expect_sent("[66,3,200]");
}

#[test]
fn rrv_01_a_callee_announces_that_registrations_may_be_revoked() {
    assert_announced("registration_revocation");
}

#[test]
fn rrv_03_a_revocation_counts_also_without_the_feature() {
    for reason in ["wamp.error.unregistered", "moving endpoint to other callee"] {
        let mut peer = Peer::joined_with(config().without_feature(Feature::RegistrationRevocation), WELCOME);
        let registration = peer.registered("com.example.procedure", 200);
        peer.receive(&format!(r#"[67,0,{{"registration":200,"reason":"{reason}"}}]"#));
        match peer.event() {
            SessionEvent::RegistrationRevoked { key, reason: told } => {
                assert_eq!((key, told.as_deref()), (registration, Some(reason)));
            }
            event => panic!("{event:?}"),
        }
        peer.receive("[68,1,200,{}]");
        peer.expect_sent(r#"[8,68,1,{},"wamp.error.no_such_registration"]"#);
        peer.expect_usable();
    }
}

#[test]
fn options_of_crossbar_are_typed() {
    let mut peer = Peer::joined();
    let options = RegisterOptions::new().concurrency(4).force_reregister();
    register(&mut peer, uri("a.b"), options);
    peer.expect_sent(r#"[64,1,{"concurrency":4,"force_reregister":true},"a.b"]"#);
    register(&mut peer, uri("a.c"), RegisterOptions::new().concurrency(0));
    peer.expect_sent(r#"[64,2,{"concurrency":1},"a.c"]"#);
}
