//! Registrations of sessions at the router: patterns, sharing, disclosure, rerouting, revocation.

use wamp_session::proto::{Format, InvokePolicy, MatchPolicy, RegistrationId, Uri, UriRule};
use wamp_session::{
    CallOptions, InvocationEvent, RegisterOptions, RegistrationKey, RequestError, Response, SessionEvent, WampError,
};

use super::{World, payload, uri};

/// Sends REGISTER, and says what comes of it.
fn register(
    world: &mut World,
    callee: usize,
    procedure: &str,
    options: RegisterOptions,
) -> (RegistrationKey, Result<(), RequestError>) {
    let policies = [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard];
    let procedure = policies.iter().find_map(|policy| Uri::checked(procedure, UriRule::Loose, *policy).ok()).unwrap();
    let now = world.now;
    let key = world.session(callee).register(now, procedure, options).unwrap();
    match world.event(callee) {
        Some(SessionEvent::Registered { key: registered, result }) if registered == key => (key, result),
        event => panic!("{event:?}"),
    }
}

fn call(world: &mut World, caller: usize, procedure: &str, options: CallOptions) {
    let now = world.now;
    world.session(caller).call(now, uri(procedure), payload(procedure), options).unwrap();
}

fn invoked(world: &mut World, callee: usize) -> Option<InvocationEvent> {
    match world.event(callee) {
        Some(SessionEvent::Invocation(invocation)) => Some(invocation),
        None => None,
        event => panic!("{event:?}"),
    }
}

fn respond(world: &mut World, callee: usize, invocation: &InvocationEvent, response: Response) {
    let now = world.now;
    world.session(callee).respond(now, invocation.key, response).unwrap();
}

fn done(world: &mut World, caller: usize) -> Result<String, String> {
    match world.event(caller) {
        Some(SessionEvent::CallDone { result: Ok(outcome), .. }) => Ok(outcome.payload.arg(0).unwrap()),
        Some(SessionEvent::CallDone { result: Err(RequestError::Wamp(error)), .. }) => Err(error.uri().to_string()),
        event => panic!("{event:?}"),
    }
}

#[test]
fn pbr_02_and_04_calls_reach_the_best_of_several_patterns_with_what_was_called() {
    for format in Format::ALL {
        let mut world = World::new();
        let caller = world.join(Format::Json);
        let callees = [world.join(*format), world.join(*format), world.join(*format)];
        let patterns = [
            ("com.example.exact", MatchPolicy::Exact),
            ("com.example.", MatchPolicy::Prefix),
            ("com..name", MatchPolicy::Wildcard),
        ];
        let mut keys = Vec::new();
        for (callee, (procedure, policy)) in callees.into_iter().zip(patterns) {
            let (key, result) = register(&mut world, callee, procedure, RegisterOptions::new().match_policy(policy));
            result.unwrap();
            keys.push(key);
        }
        for (procedure, best) in
            [("com.example.exact", 0), ("com.example.name", 1), ("com.example.exact.more", 1), ("com.shop.name", 2)]
        {
            call(&mut world, caller, procedure, CallOptions::new());
            let invocation = invoked(&mut world, callees[best]).expect(procedure);
            assert_eq!((&*invocation.procedure, invocation.registration), (procedure, keys[best]));
            let answer = invocation.procedure.as_str().to_owned();
            respond(&mut world, callees[best], &invocation, Response::Result(payload(answer)));
            assert_eq!(done(&mut world, caller).unwrap(), procedure);
        }
        call(&mut world, caller, "com.shop.price", CallOptions::new());
        assert_eq!(done(&mut world, caller).unwrap_err(), "wamp.error.no_such_procedure");
    }
}

#[test]
fn shr_01_calls_are_shared_among_sessions() {
    let mut world = World::new();
    let caller = world.join(Format::Json);
    let callees = [world.join(Format::MsgPack), world.join(Format::Cbor)];
    for callee in callees {
        let options = RegisterOptions::new().invoke(InvokePolicy::RoundRobin);
        register(&mut world, callee, "com.example.p", options).1.unwrap();
    }
    for n in 0..4 {
        call(&mut world, caller, "com.example.p", CallOptions::new());
        assert!(invoked(&mut world, callees[n % 2]).is_some(), "call {n}");
        assert!(invoked(&mut world, callees[(n + 1) % 2]).is_none(), "call {n}");
    }
    // SHR-02
    let (_, refused) = register(&mut world, caller, "com.example.p", RegisterOptions::new());
    let Err(RequestError::Wamp(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.uri(), "wamp.error.procedure_already_exists");
}

#[test]
fn shr_03_two_handlers_of_one_session_share_one_registration() {
    let mut world = World::new();
    let (caller, callee) = (world.join(Format::Json), world.join(Format::Json));
    let options = || RegisterOptions::new().invoke(InvokePolicy::Last);
    let (first, result) = register(&mut world, callee, "com.example.p", options());
    result.unwrap();
    let (second, result) = register(&mut world, callee, "com.example.p", options());
    result.unwrap();
    let now = world.now;
    world.session(callee).unregister(now, first).unwrap();
    assert!(matches!(world.event(callee), Some(SessionEvent::Unregistered { key, result: Ok(()) }) if key == first));
    call(&mut world, caller, "com.example.p", CallOptions::new());
    assert_eq!(invoked(&mut world, callee).unwrap().registration, second);
    world.session(callee).unregister(now, second).unwrap();
    assert!(matches!(world.event(callee), Some(SessionEvent::Unregistered { key, result: Ok(()) }) if key == second));
    assert_eq!(world.router.registrations("realm1").count(), 0);
}

#[test]
fn shd_01_calls_with_one_key_reach_one_callee() {
    let mut world = World::new();
    let caller = world.join(Format::Json);
    let callees = [world.join(Format::Json), world.join(Format::Json), world.join(Format::Json)];
    for callee in callees {
        let options = RegisterOptions::new().invoke(InvokePolicy::RoundRobin);
        register(&mut world, callee, "com.example.p", options).1.unwrap();
    }
    let mut used = Vec::new();
    for key in ["alice", "bob", "carol", "dave", "erin", "frank"] {
        let mut shard = || {
            call(&mut world, caller, "com.example.p", CallOptions::new().runmode("partition").rkey(key));
            callees.into_iter().find(|callee| invoked(&mut world, *callee).is_some()).unwrap()
        };
        let first = shard();
        assert_eq!([shard(), shard()], [first; 2], "{key}");
        used.push(first);
    }
    used.sort_unstable();
    used.dedup();
    assert!(used.len() > 1);
}

#[test]
fn cid_03_who_calls_is_told_to_a_callee_that_asks() {
    let mut world = World::new();
    let (caller, callee) = (world.join(Format::Json), world.join(Format::MsgPack));
    register(&mut world, callee, "com.example.asks", RegisterOptions::new().disclose_caller()).1.unwrap();
    register(&mut world, callee, "com.example.p", RegisterOptions::new()).1.unwrap();
    let joined = |world: &World| world.router.sessions("realm1").next().unwrap().1;
    for (procedure, options, told) in [
        ("com.example.asks", CallOptions::new(), true),
        ("com.example.p", CallOptions::new(), false),
        ("com.example.p", CallOptions::new().disclose_me(), true),
    ] {
        call(&mut world, caller, procedure, options);
        let details = invoked(&mut world, callee).unwrap().details;
        assert_eq!(details.caller, told.then(|| joined(&world)), "{procedure}");
        assert_eq!(details.caller_authrole.as_deref(), told.then_some("guest"));
    }
}

#[test]
fn rer_01_and_02_a_call_goes_on_to_the_next_callee_until_nobody_is_left() {
    let mut world = World::new();
    let caller = world.join(Format::Json);
    let callees = [world.join(Format::Cbor), world.join(Format::Json)];
    for callee in callees {
        register(&mut world, callee, "com.example.p", RegisterOptions::new().invoke(InvokePolicy::First)).1.unwrap();
    }
    let decline = |world: &mut World, callee: usize| {
        let invocation = invoked(world, callee).unwrap();
        assert_eq!(invocation.payload.arg::<String>(0).unwrap(), "com.example.p");
        respond(world, callee, &invocation, Response::Error(WampError::new("wamp.error.unavailable").unwrap()));
    };
    call(&mut world, caller, "com.example.p", CallOptions::new());
    decline(&mut world, callees[0]);
    let invocation = invoked(&mut world, callees[1]).unwrap();
    respond(&mut world, callees[1], &invocation, Response::Result(payload("served")));
    assert_eq!(done(&mut world, caller).unwrap(), "served");

    call(&mut world, caller, "com.example.p", CallOptions::new());
    decline(&mut world, callees[0]);
    decline(&mut world, callees[1]);
    assert_eq!(done(&mut world, caller).unwrap_err(), "wamp.error.no_available_callee");
}

#[test]
fn rrv_02_a_revoked_registration_reaches_its_session_with_the_reason() {
    let mut world = World::new();
    let (caller, callee) = (world.join(Format::Json), world.join(Format::Cbor));
    let (key, result) = register(&mut world, callee, "com.example.p", RegisterOptions::new());
    result.unwrap();
    let now = world.now;
    assert!(world.router.revoke_registration(now, "realm1", RegistrationId::MIN, Some("maintenance")));
    match world.event(callee) {
        Some(SessionEvent::RegistrationRevoked { key: revoked, reason }) => {
            assert_eq!((revoked, reason.as_deref()), (key, Some("maintenance")));
        }
        event => panic!("{event:?}"),
    }
    call(&mut world, caller, "com.example.p", CallOptions::new());
    assert_eq!(done(&mut world, caller).unwrap_err(), "wamp.error.no_such_procedure");
}

#[test]
fn rrv_04_a_revocation_and_an_unregister_may_cross() {
    let mut world = World::new();
    let callee = world.join(Format::Json);
    let (key, result) = register(&mut world, callee, "com.example.p", RegisterOptions::new());
    result.unwrap();
    let now = world.now;
    assert!(world.router.revoke_registration(now, "realm1", RegistrationId::MIN, None));
    // The session has not heard of it yet.
    world.session(callee).unregister(now, key).unwrap();
    assert!(matches!(world.event(callee), Some(SessionEvent::Unregistered { result: Ok(()), .. })));
    assert!(world.event(callee).is_none());
    assert_eq!(world.router.stats().protocol_violations, 0);
}

#[test]
fn rrv_03_force_reregister_moves_a_procedure_from_session_to_session() {
    let mut world = World::new();
    let (caller, old, new) = (world.join(Format::Json), world.join(Format::Json), world.join(Format::MsgPack));
    let (lost, result) = register(&mut world, old, "com.example.p", RegisterOptions::new());
    result.unwrap();
    register(&mut world, new, "com.example.p", RegisterOptions::new().force_reregister()).1.unwrap();
    match world.event(old) {
        Some(SessionEvent::RegistrationRevoked { key, reason }) => {
            assert_eq!((key, reason.as_deref()), (lost, Some("wamp.error.unregistered")));
        }
        event => panic!("{event:?}"),
    }
    call(&mut world, caller, "com.example.p", CallOptions::new());
    assert!(invoked(&mut world, new).is_some());
}

#[test]
fn concurrency_of_crossbar_is_kept() {
    let mut world = World::new();
    let (caller, callee) = (world.join(Format::Json), world.join(Format::Json));
    register(&mut world, callee, "com.example.p", RegisterOptions::new().concurrency(1)).1.unwrap();
    call(&mut world, caller, "com.example.p", CallOptions::new());
    let first = invoked(&mut world, callee).unwrap();
    call(&mut world, caller, "com.example.p", CallOptions::new());
    assert_eq!(done(&mut world, caller).unwrap_err(), "crossbar.error.max_concurrency_reached");
    respond(&mut world, callee, &first, Response::Result(payload("done")));
    assert_eq!(done(&mut world, caller).unwrap(), "done");
    call(&mut world, caller, "com.example.p", CallOptions::new());
    assert!(invoked(&mut world, callee).is_some());
}
