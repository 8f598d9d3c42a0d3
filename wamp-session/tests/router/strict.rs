//! What a client may not send (RTR-02).

use wamp_session::Frame;
use wamp_session::proto::Format;

use crate::world::{HELLO, World, config};

/// A client that has sent `message` after joining.
fn violation(message: &str) -> String {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, message);
    let text = world.assert_violation(peer);
    assert_eq!(world.tables(), [0; 4]);
    assert_eq!(world.router.stats().protocol_violations, 1);
    text
}

#[test]
fn rtr_02_a_gap_in_request_ids_is_a_protocol_violation() {
    assert_eq!(violation(r#"[48,2,{},"a.b"]"#), "CALL has the request id 2 instead of 1");
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[32,1,{},"a.b"]"#);
    world.send(peer, r#"[32,1,{},"a.c"]"#);
    assert_eq!(world.assert_violation(peer), "SUBSCRIBE has the request id 1 instead of 2");
}

#[test]
fn rtr_02_request_ids_count_over_all_types() {
    let mut world = World::new(config());
    let peer = world.client();
    let requests = [
        r#"[16,1,{},"a.b"]"#,
        r#"[48,2,{},"a.b"]"#,
        r#"[32,3,{},"a.b"]"#,
        r#"[64,4,{},"a.b"]"#,
        "[34,5,1]",
        "[66,6,2]",
        r#"[16,7,{"acknowledge":true},"a.b"]"#,
    ];
    for request in requests {
        world.send(peer, request);
    }
    assert!(world.take(peer).pop().unwrap().starts_with("[17,7,"));
    assert_eq!(world.closed(peer), None);
}

#[test]
fn msg_019_messages_that_only_a_client_receives_are_protocol_violations() {
    let messages = [
        r#"[2,1,{"roles":{}}]"#,
        r#"[4,"ticket",{}]"#,
        "[17,1,1]",
        "[33,1,1]",
        "[35,1]",
        "[36,1,1,{}]",
        "[50,1,{}]",
        "[65,1,1]",
        "[67,1]",
        "[68,1,1,{}]",
        "[69,1,{}]",
    ];
    for message in messages {
        assert!(violation(message).ends_with("received after the session was established"), "{message}");
    }
    assert_eq!(violation(r#"[5,"x",{}]"#), "AUTHENTICATE received after the session was established");
}

#[test]
fn msg_020_messages_of_a_role_that_was_not_announced_are_protocol_violations() {
    let messages = [
        ("publisher", r#"[16,1,{},"a.b"]"#),
        ("subscriber", r#"[32,1,{},"a.b"]"#),
        ("subscriber", "[34,1,1]"),
        ("caller", r#"[48,1,{},"a.b"]"#),
        ("caller", "[49,1,{}]"),
        ("callee", r#"[64,1,{},"a.b"]"#),
        ("callee", "[66,1,1]"),
        ("callee", "[70,1,{}]"),
        ("callee", r#"[8,68,1,{},"a.b"]"#),
    ];
    for (role, message) in messages {
        let mut world = World::new(config());
        let hello = HELLO.replace(&format!(r#""{role}":{{}}"#), r#""x":{}"#);
        let peer = world.greet(&hello);
        world.take(peer);
        world.send(peer, message);
        assert!(world.assert_violation(peer).ends_with(&format!("without the role {role}")));
    }
}

#[test]
fn rtr_02_malformed_messages_are_protocol_violations() {
    let frames = [
        "",
        "[",
        "[]",
        "{}",
        "5",
        "null",
        r#"["1","realm1",{}]"#,
        "[7,1]",
        "[255,1]",
        "[337,1]",
        "[48]",
        "[48,1,{}]",
        r#"[48,1,{},"a.b",[],{},1]"#,
        r#"[48,0,{},"a.b"]"#,
        r#"[48,9007199254740993,{},"a.b"]"#,
        r#"[48,"1",{},"a.b"]"#,
        r#"[48,1,[],"a.b"]"#,
        r#"[48,1,{},5]"#,
        r#"[48,1,{},"a.b",{}]"#,
        r#"[48,1,{},"a.b",[],[]]"#,
        r#"[48,1,{},"a.b",[1,]]"#,
        r#"[16,1,{"acknowledge":1},"a.b"]"#,
        r#"[16,1,{"eligible":["x"]},"a.b"]"#,
        r#"[32,1,{"match":"regex"},"a.b"]"#,
        r#"[64,1,{"invoke":"any"},"a.b"]"#,
        r#"[6,{},"a b"]"#,
    ];
    for frame in frames {
        violation(frame);
    }
}

#[test]
fn rtr_02_a_frame_of_the_wrong_kind_is_a_protocol_violation() {
    let mut world = World::new(config());
    let peer = world.open(Format::Json);
    world.send_frame(peer, Frame::Binary(HELLO.into()));
    assert!(world.assert_violation(peer).contains("wrong kind"));
}

#[test]
fn rtr_02_incorrect_uris_are_answered_with_an_error() {
    let mut world = World::new(config());
    let peer = world.client();
    let requests = [
        (16, r#"[16,1,{"acknowledge":true},"a..b"]"#),
        (32, r#"[32,2,{},"a b"]"#),
        (48, r##"[48,3,{},"a#b",["x"]]"##),
        (64, r#"[64,4,{},""]"#),
        (32, r#"[32,5,{"match":"prefix"},"a..b"]"#),
    ];
    for (n, (code, request)) in requests.iter().enumerate() {
        world.send(peer, request);
        assert_eq!(world.one(peer), format!(r#"[8,{code},{},{{}},"wamp.error.invalid_uri"]"#, n + 1));
    }
    world.send(peer, r#"[48,7,{},"a..b"]"#);
    assert_eq!(world.assert_violation(peer), "CALL has the request id 7 instead of 6");
}

#[test]
fn rtr_02_an_incorrect_topic_of_an_unacknowledged_event_is_counted_and_not_answered() {
    for options in ["{}", r#"{"acknowledge":false}"#, r#"{"exclude_me":false}"#] {
        let mut world = World::new(config());
        let peer = world.client();
        world.send(peer, &format!(r#"[16,1,{options},"not a topic",["x"]]"#));
        world.send(peer, r#"[16,2,{"acknowledge":true},"not a topic"]"#);
        assert_eq!(world.one(peer), r#"[8,16,2,{},"wamp.error.invalid_uri"]"#, "{options}");
        assert_eq!(world.closed(peer), None);
    }
}

#[test]
fn rtr_02_only_pending_invocations_are_answered() {
    assert!(violation("[70,1,{}]").contains("no invocation"));
    assert!(violation(r#"[8,68,1,{},"a.b"]"#).contains("no invocation"));
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"com.example.a"]"#);
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.send(callee, "[70,1,{}]");
    world.take(callee);
    world.send(callee, "[70,1,{}]");
    world.assert_violation(callee);
    assert_eq!(world.take(caller), ["[50,1,{}]"]);
}

#[test]
fn rtr_02_an_error_answers_an_invocation_and_nothing_else() {
    for code in [48, 16, 32, 64, 70, 1] {
        let mut world = World::new(config());
        let (caller, callee) = (world.client(), world.client());
        world.send(callee, r#"[64,1,{},"com.example.a"]"#);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.drain();
        world.send(callee, &format!(r#"[8,{code},1,{{}},"a.b"]"#));
        world.assert_violation(callee);
        assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.canceled"]"#]);
    }
}

#[test]
fn pv_17_features_that_are_not_announced_are_protocol_violations() {
    let messages = [
        r#"[48,1,{"progress":true},"a.b"]"#,
        r#"[48,1,{"ppt_scheme":"x_y"},"a.b",["x"]]"#,
        r#"[16,1,{"ppt_scheme":"x_y"},"a.b",["x"]]"#,
        r#"[70,1,{"ppt_scheme":"x_y"},["x"]]"#,
        r#"[8,68,1,{"ppt_scheme":"x_y"},"a.b",["x"]]"#,
    ];
    for message in messages {
        let text = violation(message);
        assert!(text.ends_with("does not announce") || text.ends_with("did not announce"), "{message}: {text}");
    }
}

#[test]
fn the_session_is_over_with_the_violation() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"com.example.a"]"#);
    world.send(callee, r#"[32,2,{},"com.example.a"]"#);
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.drain();
    world.send(callee, "[]");
    assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.canceled"]"#]);
    assert_eq!(world.tables(), [1, 0, 0, 0]);
}
