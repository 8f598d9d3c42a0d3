//! The bounds of a router, each reached.

use std::time::Duration;

use wamp_session::proto::{Format, Limits};
use wamp_session::router::RouterLimits;

use crate::world::{HELLO, World, config};

fn world(limits: RouterLimits) -> World {
    World::new(config().limits(limits))
}

#[test]
fn peers_are_limited() {
    let mut world = world(RouterLimits::new().max_peers(2));
    let (first, _) = (world.client(), world.client());
    let third = world.greet(HELLO);
    assert_eq!(world.take(third), [""; 0]);
    assert_eq!(world.closed(third), Some((1013, "too many peers".to_owned())));
    world.router.handle_closed(world.now, first);
    world.client();
}

#[test]
fn messages_before_the_join_are_limited_more_narrowly() {
    let mut world = world(RouterLimits::new().max_hello_bytes(HELLO.len()));
    let peer = world.client();
    world.send(peer, &format!(r#"[16,1,{{}},"a.b",["{}"]]"#, "x".repeat(HELLO.len())));
    assert_eq!(world.closed(peer), None);
    let peer = world.greet(&HELLO.replace('{', "{ "));
    assert!(world.assert_violation(peer).contains("too long"));
    assert_eq!(world.router.peers(), 1);
}

#[test]
fn messages_are_limited_in_size_and_depth() {
    let limits = RouterLimits::new().message(Limits::new().max_message_bytes(100).max_depth(4));
    let mut world = world(limits);
    let peer = world.client();
    world.send(peer, &format!(r#"[16,1,{{}},"a.b",["{}"]]"#, "x".repeat(100 - 21)));
    world.send(peer, r#"[16,2,{},"a.b",[[[]]]]"#);
    assert_eq!(world.closed(peer), None);
    world.send(peer, r#"[16,3,{},"a.b",[[[[]]]]]"#);
    assert!(world.assert_violation(peer).contains("nest"));
    let peer = world.client();
    world.send(peer, &format!(r#"[16,1,{{}},"a.b",["{}"]]"#, "x".repeat(100)));
    assert!(world.assert_violation(peer).contains("more than 100"));
}

#[test]
fn subscriptions_are_limited() {
    let mut world = world(RouterLimits::new().max_subscriptions(1));
    let (one, other) = (world.client(), world.client());
    world.send(one, r#"[32,1,{},"a.b"]"#);
    world.send(one, r#"[32,2,{},"a.c"]"#);
    world.send(one, r#"[32,3,{},"a.b"]"#);
    assert_eq!(world.take(one), ["[33,1,1]", r#"[8,32,2,{},"wamp.error.unavailable"]"#, "[33,3,1]"]);
    world.send(other, r#"[32,1,{},"a.c"]"#);
    assert_eq!(world.take(other), ["[33,1,2]"]);
    world.send(one, "[34,4,1]");
    world.send(one, r#"[32,5,{},"a.c"]"#);
    assert_eq!(world.take(one), ["[35,4]", "[33,5,2]"]);
}

#[test]
fn registrations_are_limited() {
    let mut world = world(RouterLimits::new().max_registrations(1));
    let peer = world.client();
    world.send(peer, r#"[64,1,{},"a.b"]"#);
    world.send(peer, r#"[64,2,{},"a.c"]"#);
    world.send(peer, "[66,3,1]");
    world.send(peer, r#"[64,4,{},"a.c"]"#);
    assert_eq!(world.take(peer), ["[65,1,1]", r#"[8,64,2,{},"wamp.error.unavailable"]"#, "[67,3]", "[65,4,2]"]);
    // A part in a registration that it has is no other one.
    let peer = world.client();
    for request in 1..=2 {
        world.send(peer, &format!(r#"[64,{request},{{"invoke":"first"}},"a.d"]"#));
    }
    assert_eq!(world.take(peer), ["[65,1,3]", "[65,2,3]"]);
    // One in a registration that only others have is.
    let other = world.client();
    world.send(other, r#"[64,1,{"invoke":"first"},"a.e"]"#);
    assert_eq!(world.one(other), "[65,1,4]");
    world.send(peer, r#"[64,3,{"invoke":"first"},"a.e"]"#);
    assert_eq!(world.one(peer), r#"[8,64,3,{},"wamp.error.unavailable"]"#);
}

#[test]
fn unanswered_calls_are_limited() {
    let mut world = world(RouterLimits::new().max_calls(2));
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    for request in 1..=3 {
        world.send(caller, &format!(r#"[48,{request},{{}},"a.b"]"#));
    }
    assert_eq!(world.take(caller), [r#"[8,48,3,{},"wamp.error.unavailable"]"#]);
    assert_eq!(world.take(callee), ["[65,1,1]", "[68,1,1,{}]", "[68,2,1,{}]"]);
    // Callers that leave do not make room at the callee.
    world.router.handle_closed(world.now, caller);
    let caller = world.client();
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.unavailable"]"#]);
    world.send(callee, "[70,2,{}]");
    world.send(caller, r#"[48,2,{},"a.b"]"#);
    assert_eq!(world.take(callee), ["[68,3,1,{}]"]);
}

#[test]
fn a_peer_that_does_not_read_is_closed() {
    let mut world = world(RouterLimits::new().max_outbound_bytes(1000));
    let (publisher, slow, caller) = (world.client(), world.client(), world.client());
    world.send(slow, r#"[32,1,{},"a.b"]"#);
    world.send(slow, r#"[64,2,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    world.take(slow);
    world.router.handle_blocked(world.now, slow);
    let payload = "x".repeat(150);
    for request in 1..=5 {
        world.send(publisher, &format!(r#"[16,{request},{{}},"a.b",["{payload}"]]"#));
    }
    assert_eq!(world.take(slow), [""; 0]);
    assert_eq!(world.closed(slow), None);
    assert!((750..1000).contains(&world.router.outbound_bytes(slow)));
    world.send(publisher, &format!(r#"[16,6,{{}},"a.b",["{payload}"]]"#));
    assert_eq!(world.closed(slow), Some((1008, "the peer does not read what it is sent".to_owned())));
    assert_eq!(world.take(slow), [""; 0]);
    assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.canceled"]"#]);
    assert_eq!(world.tables(), [2, 0, 0, 0]);
}

#[test]
fn frames_that_are_not_taken_are_limited_however_small() {
    let mut world = world(RouterLimits::new().max_outbound_frames(3));
    let peer = world.client();
    world.router.handle_blocked(world.now, peer);
    for request in 1..=3 {
        world.send(peer, &format!("[34,{request},7]"));
    }
    assert_eq!(world.closed(peer), None);
    world.send(peer, "[34,4,7]");
    assert_eq!(world.close_code(peer), Some(1008));
    assert_eq!((world.take(peer), world.tables()), (vec![], [0; 4]));
}

#[test]
fn a_blocked_peer_gets_everything_later_and_in_order() {
    let mut world = world(RouterLimits::new());
    let (publisher, slow) = (world.client(), world.client());
    world.send(slow, r#"[32,1,{},"a.b"]"#);
    world.take(slow);
    world.router.handle_blocked(world.now, slow);
    for request in 1..=3 {
        world.send(publisher, &format!(r#"[16,{request},{{}},"a.b",[{request}]]"#));
    }
    assert_eq!(world.take(slow), [""; 0]);
    world.router.handle_writable(world.now, slow);
    let received = world.take(slow);
    assert_eq!(received.len(), 3);
    for (n, event) in received.iter().enumerate() {
        assert!(event.ends_with(&format!(",[{}]]", n + 1)), "{event}");
    }
    assert_eq!(world.router.outbound_bytes(slow), 0);
}

#[test]
fn deadlines_past_the_end_of_time_are_never() {
    let mut world = World::new(config().join_timeout(Duration::MAX).close_timeout(Duration::MAX));
    let peer = world.open(Format::Json);
    assert_eq!(world.router.poll_timeout(), None);
    world.send(peer, HELLO);
    world.router.shutdown(world.now);
    assert_eq!(world.router.poll_timeout(), None);
}

#[test]
fn answered_calls_make_room() {
    let mut world = world(RouterLimits::new().max_calls(1));
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    world.send(callee, "[70,1,{}]");
    world.send(caller, r#"[48,2,{},"a.b"]"#);
    world.send(callee, r#"[8,68,2,{},"a.c"]"#);
    world.send(caller, r#"[48,3,{},"a.b"]"#);
    let answers = ["[50,1,{}]", r#"[8,48,2,{},"a.c"]"#];
    assert_eq!(world.take(caller), answers);
    world.router.handle_closed(world.now, callee);
    assert_eq!(world.take(caller), [r#"[8,48,3,{},"wamp.error.canceled"]"#]);
    let callee = world.client();
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(caller, r#"[48,4,{},"a.b"]"#);
    assert_eq!(world.take(callee), ["[65,1,2]", "[68,1,2,{}]"]);
    world.send(caller, "[49,4,{}]");
    world.send(callee, "[70,1,{}]");
    world.send(caller, r#"[48,5,{},"a.b"]"#);
    assert_eq!(world.take(callee), ["[68,2,2,{}]"]);
}

#[test]
fn a_peer_that_is_being_closed_gets_nothing_more() {
    let mut world = world(RouterLimits::new().max_outbound_bytes(4000));
    let peer = world.client();
    let mut request = 0;
    while world.router.outbound_bytes(peer) <= 3985 {
        request += 1;
        world.send(peer, &format!(r#"[32,{request},{{}},"a.b"]"#));
    }
    // PUBLISHED is too much already, so that the EVENT does not follow.
    let options = r#"{"acknowledge":true,"exclude_me":false}"#;
    world.send(peer, &format!(r#"[16,{},{options},"a.b"]"#, request + 1));
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.close_code(peer), Some(1008));
}

#[test]
fn results_of_the_meta_api_are_limited_like_others() {
    let mut world = world(RouterLimits::new().message(Limits::new().max_message_bytes(300)));
    let peer = world.client();
    for n in 1..=100 {
        world.send(peer, &format!(r#"[32,{n},{{}},"a.t{n}"]"#));
    }
    world.take(peer);
    world.send(peer, r#"[48,101,{},"wamp.subscription.list"]"#);
    assert_eq!(world.one(peer), r#"[8,48,101,{},"wamp.error.payload_size_exceeded"]"#);
    world.send(peer, r#"[48,102,{},"wamp.session.count"]"#);
    assert_eq!(world.one(peer), "[50,102,{},[1]]");
}
