//! Calls at routers of each kind.

use core::time::Duration;

use wamp_session::proto::{CancelMode, Format, InvokePolicy, MatchPolicy};
use wamp_session::{
    CallKey, CallOptions, CallPart, CloseReason, CommandError, ErrorKind, Feature, InvocationEvent, RegisterOptions,
    RequestError, Response, SessionEvent,
};

use super::{each, registered};
use crate::{World, payload, uri};

fn call(world: &mut World, caller: usize, options: CallOptions) -> CallKey {
    let now = world.now;
    world.session(caller).call(now, uri("com.example.p"), payload(1), options).unwrap()
}

#[track_caller]
fn invoked(world: &mut World, callee: usize) -> InvocationEvent {
    match world.event(callee) {
        Some(SessionEvent::Invocation(invocation)) => invocation,
        event => panic!("{event:?}"),
    }
}

/// How a call ends; nothing else happens at the caller, then or afterwards.
#[track_caller]
fn ends(world: &mut World, caller: usize, call: CallKey) -> Result<u64, RequestError> {
    let Some(SessionEvent::CallDone { key, result }) = world.event(caller) else { panic!("no end") };
    assert_eq!(key, call);
    let more = world.event(caller);
    assert!(more.is_none(), "{more:?}");
    result.map(|outcome| outcome.payload.arg(0).unwrap())
}

/// A caller and a callee of `com.example.p`.
fn pair(world: &mut World) -> (usize, usize) {
    let (caller, callee) = (world.join(Format::Json), world.join(Format::Json));
    registered(world, callee, "com.example.p");
    (caller, callee)
}

/// Checks that the router has no complaint, and that both are still there.
#[track_caller]
fn expect_peace(world: &mut World, profile: &str) {
    world.run();
    assert_eq!(world.router.stats().protocol_violations, 0, "{profile}");
    assert!(world.clients.iter().all(|client| client.link.is_some()), "{profile}");
}

#[test]
fn rtr_14_a_call_that_is_killed_ends_once_whatever_its_callee_answers() {
    each(|world, profile| {
        let (caller, callee) = pair(world);
        let key = call(world, caller, CallOptions::new());
        let invocation = invoked(world, callee);
        let now = world.now;
        world.session(caller).cancel(now, key, CancelMode::Kill).unwrap();
        world.run();
        // The result crosses the INTERRUPT.
        let _ = world.session(callee).respond(now, invocation.key, Response::Result(payload(7)));
        let result = ends(world, caller, key);
        match profile {
            "none" | "nexus" => assert_eq!(result.unwrap(), 7),
            "crossbar" => {
                assert!(matches!(result, Err(RequestError::Wamp(error)) if error.kind() == ErrorKind::Canceled));
            }
            _ => assert!(matches!(result, Err(RequestError::Canceled))),
        }
        expect_peace(world, profile);
    });
}

#[test]
fn rtr_14_progress_that_nobody_asked_for_changes_nothing() {
    each(|world, profile| {
        let (caller, callee) = pair(world);
        let key = call(world, caller, CallOptions::new());
        let invocation = invoked(world, callee);
        let now = world.now;
        let _ = world.session(callee).respond(now, invocation.key, Response::Progress(payload(1)));
        world.session(callee).respond(now, invocation.key, Response::Result(payload(2))).unwrap();
        assert_eq!(ends(world, caller, key).unwrap(), 2, "{profile}");
        expect_peace(world, profile);
    });
}

#[test]
fn rtr_14_progressive_results_arrive_everywhere() {
    each(|world, profile| {
        let (caller, callee) = pair(world);
        let key = call(world, caller, CallOptions::new().receive_progress());
        let invocation = invoked(world, callee);
        let now = world.now;
        for n in 0..3 {
            world.session(callee).respond(now, invocation.key, Response::Progress(payload(n))).unwrap();
        }
        world.session(callee).respond(now, invocation.key, Response::Result(payload(3))).unwrap();
        for n in 0..3 {
            let Some(SessionEvent::CallProgress { progress, .. }) = world.event(caller) else { panic!("{profile}") };
            assert_eq!(progress.payload.arg::<u64>(0).unwrap(), n);
        }
        assert_eq!(ends(world, caller, key).unwrap(), 3);
        expect_peace(world, profile);
    });
}

#[test]
fn rtr_14_a_callee_streams_on_when_its_caller_has_left() {
    each(|world, profile| {
        let (caller, callee) = pair(world);
        call(world, caller, CallOptions::new().receive_progress());
        let invocation = invoked(world, callee);
        let now = world.now;
        world.session(callee).respond(now, invocation.key, Response::Progress(payload(0))).unwrap();
        world.run();
        world.session(caller).close(now, CloseReason::CloseRealm);
        // Before it hears of that, if it does.
        for n in 1..4 {
            let _ = world.session(callee).respond(now, invocation.key, Response::Progress(payload(n)));
        }
        world.run();
        let _ = world.session(callee).respond(now, invocation.key, Response::Result(payload(4)));
        while let Some(event) = world.event(callee) {
            assert!(!matches!(event, SessionEvent::Closed(_) | SessionEvent::Left(_)), "{profile}: {event:?}");
        }
        assert_eq!(world.router.stats().protocol_violations, 0, "{profile}");
        // It serves on.
        let caller = world.join(Format::Json);
        let key = call(world, caller, CallOptions::new());
        let invocation = invoked(world, callee);
        world.session(callee).respond(now, invocation.key, Response::Result(payload(9))).unwrap();
        assert_eq!(ends(world, caller, key).unwrap(), 9, "{profile}");
    });
}

#[test]
fn rtr_14_a_call_ends_in_its_time_if_its_callee_leaves() {
    each(|world, profile| {
        let (caller, callee) = pair(world);
        let key = call(world, caller, CallOptions::new().timeout(Duration::from_secs(3)));
        invoked(world, callee);
        let now = world.now;
        world.session(callee).close(now, CloseReason::CloseRealm);
        world.run();
        if profile == "minimal" {
            let early = world.event(caller);
            assert!(early.is_none(), "{early:?}");
            world.now = now.checked_add(Duration::from_secs(3)).unwrap();
            let now = world.now;
            world.session(caller).handle_timeout(now);
            assert!(matches!(ends(world, caller, key), Err(RequestError::Timeout { .. })));
        } else {
            let error = ends(world, caller, key).unwrap_err();
            assert!(matches!(error, RequestError::Wamp(error) if error.kind() == ErrorKind::Canceled), "{profile}");
        }
        assert_eq!(world.router.stats().protocol_violations, 0, "{profile}");
    });
}

#[test]
fn rtr_14_a_session_that_calls_itself_and_closes_hears_of_each_end_once() {
    each(|world, profile| {
        let client = world.join(Format::Json);
        registered(world, client, "com.example.p");
        call(world, client, CallOptions::new());
        invoked(world, client);
        let now = world.now;
        world.session(client).close(now, CloseReason::CloseRealm);
        let mut events = Vec::new();
        while let Some(event) = world.event(client) {
            events.push(event);
        }
        let done = events.iter().filter(|event| matches!(event, SessionEvent::CallDone { .. })).count();
        assert_eq!(done, 1, "{profile}: {events:?}");
        assert!(matches!(events.last(), Some(SessionEvent::Closed(_))), "{profile}: {events:?}");
        assert_eq!((world.router.peers(), world.session(client).poll_timeout()), (0, None), "{profile}");
    });
}

#[test]
fn rtr_14_input_that_comes_too_late_is_no_second_call_for_the_caller() {
    each(|world, profile| {
        let (caller, callee) = pair(world);
        let has_input = matches!(profile, "none" | "nexus");
        let now = world.now;
        let options = CallOptions::new().progress();
        let begun = world.session(caller).call(now, uri("com.example.p"), payload(1), options);
        if !has_input {
            let lacks = CommandError::NotSupported(Feature::ProgressiveCallInvocations);
            assert_eq!(begun, Err(lacks), "{profile}");
            return;
        }
        let key = begun.unwrap();
        let invocation = invoked(world, callee);
        world.session(callee).respond(now, invocation.key, Response::Result(payload(7))).unwrap();
        // It crosses the result.
        world.session(caller).call_more(now, key, payload(2), CallPart::More).unwrap();
        assert_eq!(ends(world, caller, key).unwrap(), 7, "{profile}");
        if let Some(SessionEvent::Invocation(second)) = world.event(callee) {
            assert_eq!(profile, "nexus");
            world.session(callee).respond(now, second.key, Response::Result(payload(8))).unwrap();
        }
        let more = world.event(caller);
        assert!(more.is_none(), "{profile}: {more:?}");
        expect_peace(world, profile);
    });
}

#[test]
fn rtr_14_callees_share_a_procedure_or_learn_that_they_cannot() {
    each(|world, profile| {
        let [one, other] = [(); 2].map(|()| world.join(Format::Json));
        let now = world.now;
        let mut register = |client: usize, policy| {
            let options = RegisterOptions::new().invoke(policy);
            world.session(client).register(now, uri("com.example.p"), options).unwrap();
            match world.event(client) {
                Some(SessionEvent::Registered { result, .. }) => result,
                event => panic!("{profile}: {event:?}"),
            }
        };
        register(one, InvokePolicy::RoundRobin).unwrap();
        let kind = |result: Result<(), RequestError>| match result {
            Ok(()) => None,
            Err(RequestError::Wamp(error)) => Some(error.kind()),
            Err(error) => panic!("{profile}: {error:?}"),
        };
        let conflict = Some(ErrorKind::ProcedureAlreadyExists);
        assert_eq!(kind(register(other, InvokePolicy::Last)), conflict, "{profile}");
        let same = kind(register(other, InvokePolicy::RoundRobin));
        assert_eq!(same, conflict.filter(|_| profile == "minimal"), "{profile}");
    });
}

#[test]
fn rtr_14_a_callee_that_loses_its_procedure_is_told() {
    each(|world, profile| {
        let [loser, winner] = [(); 2].map(|()| world.join(Format::Json));
        registered(world, loser, "com.example.p");
        let now = world.now;
        let options = RegisterOptions::new().force_reregister();
        world.session(winner).register(now, uri("com.example.p"), options).unwrap();
        let Some(SessionEvent::Registered { result, .. }) = world.event(winner) else { panic!("{profile}") };
        let told = world.event(loser);
        if profile == "minimal" {
            assert!(result.is_err() && told.is_none());
        } else {
            assert!(result.is_ok(), "{profile}");
            assert!(matches!(told, Some(SessionEvent::RegistrationRevoked { .. })), "{profile}: {told:?}");
        }
        expect_peace(world, profile);
    });
}

#[test]
fn rtr_14_patterns_are_had_or_refused_before_they_mislead() {
    each(|world, profile| {
        let client = world.join(Format::Json);
        let now = world.now;
        let options = RegisterOptions::new().match_policy(MatchPolicy::Prefix);
        let pattern =
            wamp_session::proto::Uri::checked("com.example.", Default::default(), MatchPolicy::Prefix).unwrap();
        let registered = world.session(client).register(now, pattern, options);
        if profile == "minimal" {
            assert_eq!(registered.err(), Some(CommandError::NotSupported(Feature::PatternBasedRegistration)));
        } else {
            assert!(matches!(world.event(client), Some(SessionEvent::Registered { result: Ok(()), .. })), "{profile}");
        }
    });
}

#[test]
fn rtr_14_callers_are_known_where_the_router_tells() {
    each(|world, profile| {
        let (caller, callee) = pair(world);
        call(world, caller, CallOptions::new().disclose_me());
        let invocation = invoked(world, callee);
        assert_eq!(invocation.details.caller.is_some(), matches!(profile, "none" | "nexus"), "{profile}");
    });
}
