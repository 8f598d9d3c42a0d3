//! The life of a call, from one session over the router to another.

use core::time::Duration;

use wamp_session::proto::{ArgsKwargs, CancelMode, Format, Kwargs};
use wamp_session::{
    CallKey, CallOptions, CallPart, CommandError, Config, ErrorKind, InvocationEnd, InvocationEvent, RegisterOptions,
    RequestError, Response, SessionEvent, WampError,
};

use super::{World, payload, uri};

/// A caller and a callee that has registered `com.example.p`, of two formats.
fn pair(options: RegisterOptions) -> (World, usize, usize) {
    let mut world = World::new();
    let (caller, callee) = (world.join(Format::Json), world.join(Format::Cbor));
    let now = world.now;
    world.session(callee).register(now, uri("com.example.p"), options).unwrap();
    assert!(matches!(world.event(callee), Some(SessionEvent::Registered { result: Ok(()), .. })));
    (world, caller, callee)
}

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

fn respond(world: &mut World, callee: usize, invocation: &InvocationEvent, response: Response) {
    let now = world.now;
    world.session(callee).respond(now, invocation.key, response).unwrap();
}

#[track_caller]
fn expect_done(world: &mut World, caller: usize, call: CallKey) -> Result<u64, RequestError> {
    match world.event(caller) {
        Some(SessionEvent::CallDone { key, result }) if key == call => {
            result.map(|result| result.payload.arg(0).unwrap())
        }
        event => panic!("{event:?}"),
    }
}

fn wait(world: &mut World, duration: Duration) {
    world.run();
    world.now = world.now.checked_add(duration).unwrap();
    let now = world.now;
    for client in &mut world.clients {
        client.session.handle_timeout(now);
    }
    world.router.handle_timeout(now);
}

/// Checks that neither end has anything to complain of.
#[track_caller]
fn expect_peace(world: &mut World) {
    for client in 0..world.clients.len() {
        let event = world.event(client);
        assert!(event.is_none(), "{event:?}");
        assert_eq!(world.session(client).stats().unknown_answers, 0);
    }
    assert_eq!(world.router.stats().protocol_violations, 0);
}

#[test]
fn pcr_03_and_ord_08_parts_of_a_result_arrive_in_their_order() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let key = call(&mut world, caller, CallOptions::new().receive_progress());
    let invocation = invoked(&mut world, callee);
    assert_eq!(invocation.details.receive_progress, Some(true));
    for n in 0..100_u64 {
        respond(&mut world, callee, &invocation, Response::Progress(payload(n)));
    }
    respond(&mut world, callee, &invocation, Response::Result(payload(100)));
    for n in 0..100 {
        match world.event(caller) {
            Some(SessionEvent::CallProgress { progress, .. }) => {
                assert_eq!(progress.payload.arg::<u64>(0).unwrap(), n);
            }
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(expect_done(&mut world, caller, key).unwrap(), 100);
    expect_peace(&mut world);
}

#[test]
fn pcr_07_a_caller_that_takes_no_parts_gets_none() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let key = call(&mut world, caller, CallOptions::new());
    let invocation = invoked(&mut world, callee);
    respond(&mut world, callee, &invocation, Response::Progress(payload(1)));
    respond(&mut world, callee, &invocation, Response::Result(payload(2)));
    assert_eq!(expect_done(&mut world, caller, key).unwrap(), 2);
    expect_peace(&mut world);
}

#[test]
fn pci_07_input_in_parts_arrives_at_one_invocation() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let key = call(&mut world, caller, CallOptions::new().progress().receive_progress());
    let now = world.now;
    for (n, part) in [(2, CallPart::More), (3, CallPart::Last)] {
        world.session(caller).call_more(now, key, payload(n), part).unwrap();
    }
    let invocation = invoked(&mut world, callee);
    let mut sum = invocation.payload.arg::<u64>(0).unwrap();
    for last in [false, true] {
        match world.event(callee) {
            Some(SessionEvent::InvocationInput { key, payload, more }) => {
                assert_eq!((key, more), (invocation.key, !last));
                sum += payload.arg::<u64>(0).unwrap();
            }
            event => panic!("{event:?}"),
        }
    }
    respond(&mut world, callee, &invocation, Response::Result(payload(sum)));
    assert_eq!(expect_done(&mut world, caller, key).unwrap(), 6);
    expect_peace(&mut world);
}

#[test]
fn pci_05_and_09_an_answer_may_cross_more_input() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let key = call(&mut world, caller, CallOptions::new().progress());
    let invocation = invoked(&mut world, callee);
    // Both are under way at the same time.
    let now = world.now;
    respond(&mut world, callee, &invocation, Response::Result(payload(7)));
    world.session(caller).call_more(now, key, payload(2), CallPart::More).unwrap();
    assert_eq!(expect_done(&mut world, caller, key).unwrap(), 7);
    let closed = world.session(caller).call_more(now, key, payload(3), CallPart::Last);
    assert!(matches!(closed, Err(CommandError::InputClosed)));
    assert!(world.event(callee).is_none());
    assert_eq!(world.router.stats().protocol_violations, 0);
}

#[test]
fn can_03_a_kill_ends_with_what_the_callee_answers() {
    for is_ready in [false, true] {
        let (mut world, caller, callee) = pair(RegisterOptions::new());
        let key = call(&mut world, caller, CallOptions::new());
        let invocation = invoked(&mut world, callee);
        let now = world.now;
        world.session(caller).cancel(now, key, CancelMode::Kill).unwrap();
        match world.event(callee) {
            Some(SessionEvent::Interrupted { key, .. }) => assert_eq!(key, invocation.key),
            event => panic!("{event:?}"),
        }
        if is_ready {
            respond(&mut world, callee, &invocation, Response::Result(payload(5)));
            assert_eq!(expect_done(&mut world, caller, key).unwrap(), 5);
        } else {
            let canceled = WampError::new("wamp.error.canceled").unwrap();
            respond(&mut world, callee, &invocation, Response::Error(canceled));
            let Err(RequestError::Wamp(error)) = expect_done(&mut world, caller, key) else { panic!("no error") };
            assert_eq!(error.kind(), ErrorKind::Canceled);
        }
        expect_peace(&mut world);
    }
}

#[test]
fn can_03_skip_and_killnowait_end_the_call_at_once_and_only_one_of_them_the_invocation() {
    for (mode, interrupts) in [(CancelMode::Skip, false), (CancelMode::KillNoWait, true)] {
        let (mut world, caller, callee) = pair(RegisterOptions::new());
        let key = call(&mut world, caller, CallOptions::new());
        let invocation = invoked(&mut world, callee);
        let now = world.now;
        world.session(caller).cancel(now, key, mode).unwrap();
        assert!(matches!(world.session(caller).poll_event(), Some(SessionEvent::CallDone { .. })));
        let event = world.event(callee);
        let answer = world.session(callee).respond(now, invocation.key, Response::Result(payload(1)));
        if interrupts {
            let why = InvocationEnd::Interrupted(None);
            assert!(
                matches!(&event, Some(SessionEvent::InvocationEnded { why: InvocationEnd::Interrupted(_), .. })),
                "{event:?}, not {why:?}"
            );
            assert!(matches!(answer, Err(CommandError::UnknownKey)));
        } else {
            assert!(event.is_none(), "{event:?}");
            answer.unwrap();
        }
        // The dealer's own answer to the CANCEL comes late, and does no harm.
        assert!(world.event(caller).is_none());
        assert_eq!(world.router.stats().protocol_violations, 0);
    }
}

#[test]
fn need_18_an_answer_that_crosses_the_cancel_is_harmless() {
    for mode in [CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait] {
        let (mut world, caller, callee) = pair(RegisterOptions::new());
        let key = call(&mut world, caller, CallOptions::new());
        let invocation = invoked(&mut world, callee);
        // Both are under way at the same time.
        let now = world.now;
        world.session(caller).cancel(now, key, mode).unwrap();
        respond(&mut world, callee, &invocation, Response::Result(payload(5)));
        world.run();
        let ends = std::iter::from_fn(|| world.session(caller).poll_event()).count();
        assert_eq!(ends, 1, "{mode:?}");
        while world.session(callee).poll_event().is_some() {}
        // Both ends, and the router, are well.
        let again = call(&mut world, caller, CallOptions::new());
        let invocation = invoked(&mut world, callee);
        respond(&mut world, callee, &invocation, Response::Result(payload(6)));
        assert_eq!(expect_done(&mut world, caller, again).unwrap(), 6);
        assert_eq!(world.router.stats().protocol_violations, 0);
    }
}

#[test]
fn cle_08_the_invocation_of_a_caller_that_leaves_ends() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    call(&mut world, caller, CallOptions::new());
    let invocation = invoked(&mut world, callee);
    let now = world.now;
    world.session(caller).close(now, wamp_session::CloseReason::CloseRealm);
    match world.event(callee) {
        Some(SessionEvent::InvocationEnded { key, why: InvocationEnd::Interrupted(_) }) => {
            assert_eq!(key, invocation.key);
        }
        event => panic!("{event:?}"),
    }
    assert_eq!(world.router.stats().protocol_violations, 0);
}

#[test]
fn tmo_02_and_05_a_call_whose_time_is_over_ends_at_both_ends() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let key = call(&mut world, caller, CallOptions::new().timeout(Duration::from_secs(2)));
    invoked(&mut world, callee);
    wait(&mut world, Duration::from_secs(2));
    assert!(matches!(expect_done(&mut world, caller, key), Err(RequestError::Timeout { .. })));
    assert!(matches!(world.event(callee), Some(SessionEvent::InvocationEnded { .. })));
    assert!(world.event(caller).is_none());
    assert_eq!(world.router.stats().protocol_violations, 0);
}

#[test]
fn tmo_04_a_forwarded_timeout_is_the_callees() {
    let (mut world, caller, callee) = pair(RegisterOptions::new().forward_timeout());
    let key = call(&mut world, caller, CallOptions::new().timeout(Duration::from_millis(1_500)));
    let invocation = invoked(&mut world, callee);
    assert_eq!(invocation.details.timeout, Some(1_500));
    // The callee's clock alone goes on.
    let later = world.now.checked_add(Duration::from_millis(1_500)).unwrap();
    world.session(callee).handle_timeout(later);
    assert!(matches!(
        world.session(callee).poll_event(),
        Some(SessionEvent::InvocationEnded { why: InvocationEnd::Timeout, .. })
    ));
    let Err(RequestError::Wamp(error)) = expect_done(&mut world, caller, key) else { panic!("no error") };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    expect_peace(&mut world);
}

#[test]
fn pcr_12_parts_in_time_put_the_timeout_off_everywhere() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let options = CallOptions::new().receive_progress().timeout(Duration::from_secs(2));
    let key = call(&mut world, caller, options);
    let invocation = invoked(&mut world, callee);
    for _ in 0..4 {
        wait(&mut world, Duration::from_millis(1_500));
        respond(&mut world, callee, &invocation, Response::Progress(payload(0)));
        assert!(matches!(world.event(caller), Some(SessionEvent::CallProgress { .. })));
    }
    respond(&mut world, callee, &invocation, Response::Result(payload(9)));
    assert_eq!(expect_done(&mut world, caller, key).unwrap(), 9);
    expect_peace(&mut world);
}

#[test]
fn a_callee_without_call_canceling_is_not_interrupted() {
    let mut world = World::new();
    let caller = world.join(Format::Json);
    let off = [
        wamp_session::Feature::CallCanceling,
        wamp_session::Feature::ProgressiveCallResults,
        wamp_session::Feature::ProgressiveCallInvocations,
    ];
    let config = off.into_iter().fold(Config::new("mem:", "realm1"), Config::without_feature);
    let callee = world.connect(config, None);
    assert!(matches!(world.event(callee), Some(SessionEvent::Joined(_))));
    let now = world.now;
    world.session(callee).register(now, uri("com.example.p"), RegisterOptions::new()).unwrap();
    assert!(matches!(world.event(callee), Some(SessionEvent::Registered { result: Ok(()), .. })));
    let key = call(&mut world, caller, CallOptions::new());
    let invocation = invoked(&mut world, callee);
    world.session(caller).cancel(now, key, CancelMode::Kill).unwrap();
    assert!(world.event(callee).is_none());
    respond(&mut world, callee, &invocation, Response::Result(payload(1)));
    world.run();
    let ends = std::iter::from_fn(|| world.session(caller).poll_event()).count();
    assert_eq!(ends, 1);
    assert_eq!(world.router.stats().protocol_violations, 0);
}

#[test]
fn need_14_an_error_arrives_with_all_that_its_callee_gave_it() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let kwargs = || std::collections::BTreeMap::from([("left", 3)]);
    let error = || WampError::new("com.example.error.no_stock").unwrap();
    for (error, args) in [
        (error(), None),
        (error().payload(("nuts", 4)).unwrap(), Some(("nuts".to_owned(), 4))),
        (error().payload(ArgsKwargs(("nuts", 4), kwargs())).unwrap(), Some(("nuts".to_owned(), 4))),
    ] {
        let has_kwargs = error.raw().raw_kwargs().unwrap().is_some();
        let key = call(&mut world, caller, CallOptions::new());
        let invocation = invoked(&mut world, callee);
        respond(&mut world, callee, &invocation, Response::Error(error));
        let Err(RequestError::Wamp(error)) = expect_done(&mut world, caller, key) else { panic!("no error") };
        assert_eq!(error.uri(), "com.example.error.no_stock");
        assert_eq!(error.args::<(String, u32)>().ok(), args);
        let left = error.kwargs::<std::collections::BTreeMap<String, u32>>().unwrap_or_default();
        assert_eq!(left.get("left").copied(), has_kwargs.then_some(3));
    }
    expect_peace(&mut world);
}

#[test]
fn need_38_arguments_keep_their_shape_on_the_way() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let now = world.now;
    let kwargs = Kwargs(std::collections::BTreeMap::from([("k", 1)]));
    for (arguments, shape) in
        [(payload(()), (false, false)), (payload((1,)), (true, false)), (payload(kwargs), (false, true))]
    {
        let key = world.session(caller).call(now, uri("com.example.p"), arguments.clone(), CallOptions::new()).unwrap();
        let invocation = invoked(&mut world, callee);
        let values = invocation.payload.args::<Vec<u32>>().unwrap_or_default();
        assert_eq!((!values.is_empty(), invocation.payload.raw_kwargs().unwrap().is_some()), shape);
        let one = payload(1);
        respond(&mut world, callee, &invocation, Response::Result(one));
        assert_eq!(expect_done(&mut world, caller, key).unwrap(), 1);
    }
    expect_peace(&mut world);
}

#[test]
fn cal_07_a_call_in_parts_is_canceled_when_its_callee_is_gone() {
    let (mut world, caller, callee) = pair(RegisterOptions::new());
    let key = call(&mut world, caller, CallOptions::new().progress().receive_progress());
    let invocation = invoked(&mut world, callee);
    respond(&mut world, callee, &invocation, Response::Progress(payload(1)));
    assert!(matches!(world.event(caller), Some(SessionEvent::CallProgress { .. })));
    let now = world.now;
    world.session(callee).close(now, wamp_session::CloseReason::CloseRealm);
    // Its input is on its way meanwhile.
    world.session(caller).call_more(now, key, payload(2), CallPart::More).unwrap();
    let Err(RequestError::Wamp(error)) = expect_done(&mut world, caller, key) else { panic!("no error") };
    assert_eq!(error.kind(), ErrorKind::Canceled);
    let closed = world.session(caller).call_more(now, key, payload(3), CallPart::Last);
    assert!(matches!(closed, Err(CommandError::InputClosed)));
    assert!(world.event(caller).is_none());
    assert_eq!(world.router.stats().protocol_violations, 0);
}

#[test]
fn rrv_03_invocations_that_run_outlive_the_registration_that_is_taken_away() {
    let (mut world, caller, old) = pair(RegisterOptions::new());
    let new = world.join(Format::MsgPack);
    let key = call(&mut world, caller, CallOptions::new().receive_progress());
    let invocation = invoked(&mut world, old);
    let now = world.now;
    world.session(new).register(now, uri("com.example.p"), RegisterOptions::new().force_reregister()).unwrap();
    assert!(matches!(world.event(new), Some(SessionEvent::Registered { result: Ok(()), .. })));
    assert!(matches!(world.event(old), Some(SessionEvent::RegistrationRevoked { .. })));
    respond(&mut world, old, &invocation, Response::Progress(payload(1)));
    assert!(matches!(world.event(caller), Some(SessionEvent::CallProgress { .. })));
    respond(&mut world, old, &invocation, Response::Result(payload(2)));
    assert_eq!(expect_done(&mut world, caller, key).unwrap(), 2);
    // The next one is the new callee's.
    call(&mut world, caller, CallOptions::new());
    invoked(&mut world, new);
    assert!(world.event(old).is_none());
    expect_peace(&mut world);
}

#[test]
fn tmo_02_a_result_may_cross_the_timeouts_of_both_ends() {
    for is_dealer_first in [true, false] {
        let (mut world, caller, callee) = pair(RegisterOptions::new());
        let key = call(&mut world, caller, CallOptions::new().timeout(Duration::from_secs(2)));
        let invocation = invoked(&mut world, callee);
        world.now = world.now.checked_add(Duration::from_secs(2)).unwrap();
        let now = world.now;
        // The answer is under way when the one clock or the other strikes.
        respond(&mut world, callee, &invocation, Response::Result(payload(1)));
        if is_dealer_first {
            world.router.handle_timeout(now);
        } else {
            world.session(caller).handle_timeout(now);
        }
        match expect_done(&mut world, caller, key) {
            Err(RequestError::Wamp(error)) if is_dealer_first => assert_eq!(error.kind(), ErrorKind::Timeout),
            Err(RequestError::Timeout { .. }) if !is_dealer_first => {}
            end => panic!("{end:?}"),
        }
        while world.event(callee).is_some() {}
        assert!(world.event(caller).is_none());
        let again = call(&mut world, caller, CallOptions::new());
        let invocation = invoked(&mut world, callee);
        respond(&mut world, callee, &invocation, Response::Result(payload(6)));
        assert_eq!(expect_done(&mut world, caller, again).unwrap(), 6);
        assert_eq!(world.router.stats().protocol_violations, 0);
    }
}
