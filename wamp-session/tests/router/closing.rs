//! GOODBYE in both directions, shutdown, and peers that do not answer.

use std::time::Duration;

use wamp_session::proto::{Format, Uri};

use crate::world::{HELLO, World, config};

const SHUTDOWN: &str = r#"[6,{"message":"the router shuts down"},"wamp.close.system_shutdown"]"#;

#[test]
fn rtr_10_goodbye_is_answered_and_the_transport_closed() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[32,1,{},"a.b"]"#);
    world.take(peer);
    world.send(peer, r#"[6,{},"wamp.close.close_realm"]"#);
    assert_eq!(world.tables(), [0; 4]);
    world.send(peer, r#"[16,2,{},"a.b"]"#);
    assert_eq!(world.take(peer), [r#"[6,{},"wamp.close.goodbye_and_out"]"#]);
    assert_eq!(world.closed(peer), Some((1000, "wamp.close.goodbye_and_out".to_owned())));
    assert_eq!(world.router.peers(), 0);
}

#[test]
fn a_reason_that_is_too_long_for_a_close_frame_is_cut() {
    let mut world = World::new(config());
    let peer = world.open(Format::Json);
    let reason = Uri::new("é".repeat(100)).unwrap();
    world.router.close(world.now, peer, reason);
    assert_eq!(world.closed(peer), Some((1001, "é".repeat(61))));
    assert!(world.one(peer).contains(&"é".repeat(100)), "but not the ABORT");
}

#[test]
fn rtr_10_shutdown_says_goodbye_to_all_and_waits_for_their_answer() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    let waiting = world.open(Format::Json);
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    world.drain();
    world.take(callee);
    world.router.shutdown(world.now);
    assert_eq!(world.tables(), [0; 4]);
    assert_eq!(world.take(caller), [SHUTDOWN]);
    assert_eq!(world.take(callee), [SHUTDOWN]);
    assert_eq!(world.take(waiting), [SHUTDOWN.replacen("[6", "[3", 1)]);
    assert_eq!(world.close_code(waiting), Some(1001));
    assert_eq!(world.closed(caller), None);
    // What was on its way is ignored, even if it is nonsense.
    world.send(callee, "[70,1,{}]");
    world.send(callee, "[]");
    world.send(callee, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.close_code(callee), Some(1000));
    assert_eq!(world.router.poll_timeout(), Some(wamp_session::Time::from_secs(5)));
    world.advance(Duration::from_secs(5));
    assert_eq!(world.take(caller), [""; 0]);
    assert_eq!(world.close_code(caller), Some(1000));
    assert_eq!(world.router.peers(), 0);
    let late = world.greet(HELLO);
    assert_eq!(world.take(late), [""; 0]);
    assert_eq!(world.close_code(late), Some(1001));
}

#[test]
fn rtr_10_one_session_can_be_ended() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    world.drain();
    world.take(callee);
    world.router.close(world.now, callee, Uri::new("wamp.close.killed").unwrap());
    assert_eq!(world.take(callee), [r#"[6,{},"wamp.close.killed"]"#]);
    assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.canceled"]"#]);
    assert_eq!(world.tables(), [1, 0, 0, 0]);
    world.router.close(world.now, callee, Uri::new("wamp.close.killed").unwrap());
    assert_eq!(world.take(callee), [""; 0]);
    world.send(callee, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    assert_eq!(world.close_code(callee), Some(1000));
}

#[test]
fn ses_13_crossing_goodbyes_end_the_session_once() {
    let mut world = World::new(config());
    let peer = world.client();
    world.router.shutdown(world.now);
    world.send(peer, r#"[6,{},"wamp.close.close_realm"]"#);
    assert_eq!(world.take(peer), [SHUTDOWN]);
    assert_eq!(world.close_code(peer), Some(1000));
}

#[test]
fn a_transport_that_ends_leaves_nothing_behind() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[64,1,{},"a.b"]"#);
    world.send(peer, r#"[32,2,{},"a.b"]"#);
    world.send(peer, r#"[48,3,{},"a.b"]"#);
    world.router.handle_closed(world.now, peer);
    assert_eq!(world.tables(), [0; 4]);
    assert_eq!(world.router.peers(), 0);
    assert_eq!(world.take(peer), [""; 0], "actions of a transport that has ended");
}

#[test]
fn a_peer_that_does_not_take_its_last_frames_is_closed() {
    let mut world = World::new(config());
    let peer = world.client();
    world.router.handle_blocked(world.now, peer);
    world.send(peer, "[]");
    assert_eq!(world.closed(peer), None, "the ABORT goes first");
    world.advance(Duration::from_secs(5));
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.close_code(peer), Some(1002));
}
