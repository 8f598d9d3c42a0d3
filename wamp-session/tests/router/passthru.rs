//! Payloads that the router does not look at.

use wamp_session::proto::Format;

use crate::world::{World, config, registered};

const HELLO: &str = concat!(
    r#"[1,"realm1",{"roles":{"caller":{"features":{"payload_passthru_mode":true,"progressive_call_results":true,"#,
    r#""call_canceling":true}},"callee":{"features":{"payload_passthru_mode":true,"progressive_call_results":true,"#,
    r#""call_canceling":true}},"publisher":{"features":{"payload_passthru_mode":true}},"#,
    r#""subscriber":{"features":{"payload_passthru_mode":true}}}}]"#
);

const ATTRIBUTES: &str = r#"{"ppt_scheme":"x_y","ppt_serializer":"cbor","ppt_cipher":"c","ppt_keyid":"k"}"#;
const ITEM: &str = r#"["\u0000Yg=="]"#;

#[test]
fn rtr_09_attributes_and_payload_are_passed_on() {
    let mut world = World::new(config());
    let one = world.join_as(Format::Json, HELLO);
    let two = world.join_as(Format::Json, HELLO);
    world.send(two, r#"[64,1,{},"a.b"]"#);
    world.send(two, r#"[32,2,{},"a.b"]"#);
    world.drain();
    world.take(two);
    world.send(one, &format!(r#"[48,1,{ATTRIBUTES},"a.b",{ITEM}]"#));
    assert_eq!(world.one(two), format!("[68,1,1,{ATTRIBUTES},{ITEM}]"));
    world.send(two, &format!("[70,1,{ATTRIBUTES},{ITEM}]"));
    assert_eq!(world.one(one), format!("[50,1,{ATTRIBUTES},{ITEM}]"));
    world.send(one, r#"[48,2,{"receive_progress":true},"a.b"]"#);
    world.drain();
    world.take(two);
    world.send(two, r#"[70,2,{"progress":true,"ppt_scheme":"x_z"},["\u0000Yg=="]]"#);
    assert_eq!(world.one(one), r#"[50,2,{"progress":true,"ppt_scheme":"x_z"},["\u0000Yg=="]]"#);
    world.send(two, &format!(r#"[8,68,2,{ATTRIBUTES},"c.d",{ITEM}]"#));
    assert_eq!(world.one(one), format!(r#"[8,48,2,{ATTRIBUTES},"c.d",{ITEM}]"#));
    world.send(one, &format!(r#"[16,3,{ATTRIBUTES},"a.b",{ITEM}]"#));
    let event = world.one(two);
    assert!(event.starts_with("[36,") && event.ends_with(&format!(",{ATTRIBUTES},{ITEM}]")), "{event}");
}

#[test]
fn rtr_09_who_did_not_announce_it_breaks_the_protocol() {
    let mut world = World::new(config());
    let callee = world.client();
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    let caller = world.join_as(Format::Json, HELLO);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    world.drain();
    world.take(callee);
    for message in [format!(r#"[48,2,{ATTRIBUTES},"a.b",{ITEM}]"#), format!(r#"[16,2,{ATTRIBUTES},"a.b",{ITEM}]"#)] {
        let silent = world.client();
        world.send(silent, &message.replace(",2,", ",1,"));
        assert!(world.assert_violation(silent).ends_with("did not announce"), "{message}");
    }
    world.send(callee, &format!("[70,1,{ATTRIBUTES},{ITEM}]"));
    assert!(world.assert_violation(callee).ends_with("which the callee did not announce"));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.canceled"]"#);
}

#[test]
fn rtr_09_a_callee_without_the_feature_is_not_called() {
    let mut world = World::new(config());
    let (callee, caller) = (world.client(), world.join_as(Format::Json, HELLO));
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.take(callee);
    world.send(caller, &format!(r#"[48,1,{ATTRIBUTES},"a.b",{ITEM}]"#));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.feature_not_supported"]"#);
    assert!(world.take(callee).is_empty());
    world.send(caller, r#"[48,2,{},"a.b"]"#);
    assert_eq!(world.one(callee), "[68,1,1,{}]");
}

#[test]
fn rtr_09_a_caller_without_the_feature_gets_an_error_and_the_callee_hears_of_it() {
    let mut world = World::new(config());
    let (callee, caller) = (world.join_as(Format::Json, HELLO), world.client());
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    for request in 1..=2 {
        world.send(caller, &format!(r#"[48,{request},{{}},"a.b"]"#));
    }
    world.drain();
    world.take(callee);
    world.send(callee, &format!("[70,1,{ATTRIBUTES},{ITEM}]"));
    assert_eq!(world.one(callee), r#"[8,70,1,{},"wamp.error.feature_not_supported"]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.feature_not_supported"]"#);
    // Of an error the URI is passed on.
    world.send(callee, &format!(r#"[8,68,2,{ATTRIBUTES},"c.d",{ITEM}]"#));
    assert_eq!(world.one(caller), r#"[8,48,2,{},"c.d"]"#);
}

#[test]
fn rtr_09_a_sealed_part_ends_the_call_of_a_caller_without_the_feature() {
    let mut world = World::new(config());
    let (callee, caller) = (world.join_as(Format::Json, HELLO), world.featured());
    registered(&mut world, callee, "");
    world.send(caller, r#"[48,1,{"receive_progress":true},"a.b"]"#);
    assert_eq!(world.one(callee), r#"[68,1,1,{"receive_progress":true}]"#);
    let attributes = ATTRIBUTES.replacen('{', r#"{"progress":true,"#, 1);
    world.send(callee, &format!("[70,1,{attributes},{ITEM}]"));
    let refused = r#"[8,70,1,{},"wamp.error.feature_not_supported"]"#;
    assert_eq!(world.take(callee), [refused, r#"[69,1,{"mode":"killnowait"}]"#]);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.feature_not_supported"]"#);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn rtr_09_a_subscriber_without_the_feature_gets_the_event_all_the_same() {
    let mut world = World::new(config());
    let (subscriber, publisher) = (world.client(), world.join_as(Format::Json, HELLO));
    world.send(subscriber, r#"[32,1,{},"a.b"]"#);
    world.take(subscriber);
    world.send(publisher, &format!(r#"[16,1,{ATTRIBUTES},"a.b",{ITEM}]"#));
    assert!(world.one(subscriber).ends_with(&format!(",{ATTRIBUTES},{ITEM}]")));
}

#[test]
fn tst_01_a_testament_keeps_its_attributes() {
    let mut world = World::new(config());
    let (heir, dying) = (world.join_as(Format::Json, HELLO), world.join_as(Format::Json, HELLO));
    world.send(heir, r#"[32,1,{},"a.b"]"#);
    world.take(heir);
    let item = ITEM.strip_suffix(']').unwrap();
    world.send(
        dying,
        &format!(r#"[48,1,{{}},"wamp.session.add_testament",["a.b",{item}],{{}}],{{"publish_options":{ATTRIBUTES}}}]"#),
    );
    assert!(world.one(dying).starts_with("[50,1,{}"));
    world.router.handle_closed(world.now, dying);
    let event = world.one(heir);
    assert!(event.starts_with("[36,") && event.ends_with(&format!(",{ATTRIBUTES},{ITEM}]")), "{event}");
}
