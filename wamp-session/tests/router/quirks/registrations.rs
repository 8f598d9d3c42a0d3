//! Who serves what.

use wamp_session::router::Quirks;

use super::{join, world};

#[test]
fn rtr_14_another_invocation_policy_may_have_an_error_of_its_own() {
    let conflict = "procedure_exists_with_different_invocation_policy";
    for (quirks, error) in
        [(Quirks::none(), "procedure_already_exists"), (Quirks::none().name_policy_conflicts(), conflict)]
    {
        let mut world = world(quirks);
        let (one, other) = (join(&mut world), join(&mut world));
        world.send(one, r#"[64,1,{"invoke":"last"},"a.b"]"#);
        world.send(one, r#"[64,2,{},"a.c"]"#);
        for options in [r#"{"invoke":"first"}"#, "{}"] {
            let request = if options == "{}" { 2 } else { 1 };
            world.send(other, &format!(r#"[64,{request},{options},"a.b"]"#));
            assert_eq!(world.one(other), format!(r#"[8,64,{request},{{}},"wamp.error.{error}"]"#));
        }
        world.send(other, r#"[64,3,{"invoke":"last"},"a.c"]"#);
        assert_eq!(world.one(other), r#"[8,64,3,{},"wamp.error.procedure_already_exists"]"#);
    }
}

#[test]
fn rtr_14_a_procedure_may_have_one_callee_only() {
    let mut world = world(Quirks::none().no_shared_registrations());
    let (one, other) = (join(&mut world), join(&mut world));
    world.send(one, r#"[64,1,{"invoke":"roundrobin","concurrency":1},"a.b"]"#);
    world.take(one);
    let options = [r#"{"invoke":"roundrobin"}"#, r#"{"force_reregister":true}"#];
    for (request, options) in (1..).zip(options) {
        world.send(other, &format!(r#"[64,{request},{options},"a.b"]"#));
        assert_eq!(world.one(other), format!(r#"[8,64,{request},{{}},"wamp.error.procedure_already_exists"]"#));
    }
    for request in 3..=4 {
        world.send(other, &format!(r#"[48,{request},{{}},"a.b"]"#));
    }
    assert_eq!(world.take(one).len(), 2, "more calls than its concurrency, and nothing else");
}

#[test]
fn rtr_14_callees_may_be_told_of_revocations_that_they_do_not_know() {
    for (quirks, told) in [(Quirks::none(), 0), (Quirks::none().tell_revocations(), 1)] {
        let mut world = world(quirks);
        let (loser, winner) = (join(&mut world), join(&mut world));
        world.send(loser, r#"[64,1,{},"a.b"]"#);
        world.take(loser);
        world.send(winner, r#"[64,1,{"force_reregister":true},"a.b"]"#);
        assert_eq!(world.one(winner), "[65,1,2]");
        let expected = r#"[67,0,{"registration":1,"reason":"wamp.error.unregistered"}]"#;
        assert_eq!(world.take(loser), vec![expected; told]);
    }
}

#[test]
fn rtr_14_patterns_may_be_compared_by_their_length() {
    let (prefix, wildcard) = ("prefix", "wildcard");
    let called = |quirks, patterns: &[(&str, &str)], procedure: &str| {
        let mut world = world(quirks);
        let caller = join(&mut world);
        for (policy, pattern) in patterns {
            let callee = join(&mut world);
            world.send(callee, &format!(r#"[64,1,{{"match":"{policy}"}},"{pattern}"]"#));
        }
        world.send(caller, &format!(r#"[48,1,{{}},"wamp.registration.match",["{procedure}"]]"#));
        world.one(caller)
    };
    for (patterns, by_components, by_length) in [
        // By components, a prefix that ends within one, or that is empty, comes after the wildcards.
        ([(prefix, "com.ex"), (wildcard, "com...")], 2, 1),
        ([(prefix, ""), (wildcard, "com.example..")], 2, 1),
        ([(prefix, "com."), (prefix, "com.example")], 2, 2),
        // By components, the wildcard wins whose gap comes later.
        ([(wildcard, "com.example.."), (wildcard, ".example.sample.x")], 1, 2),
    ] {
        for (quirks, id) in [(Quirks::none(), by_components), (Quirks::none().longest_pattern(), by_length)] {
            assert_eq!(
                called(quirks, &patterns, "com.example.sample.x"),
                format!("[50,1,{{}},[{id}]]"),
                "{patterns:?}"
            );
        }
    }
}

#[test]
fn rtr_14_a_router_may_have_no_patterns() {
    let mut world = world(Quirks::none().no_patterns());
    let (one, other) = (join(&mut world), join(&mut world));
    world.send(one, r#"[64,1,{"match":"prefix"},"com.example."]"#);
    world.send(one, r#"[64,2,{"match":"wildcard"},"com..b"]"#);
    world.send(one, r#"[32,3,{"match":"prefix"},"com.example"]"#);
    world.send(one, r#"[32,4,{},"com.example"]"#);
    assert_eq!(world.take(one), ["[65,1,1]", "[65,2,2]", "[33,3,3]", "[33,4,3]"]);
    world.send(other, r#"[48,1,{},"com.example.a"]"#);
    world.send(other, r#"[48,2,{},"com.a.b"]"#);
    let error = |request| format!(r#"[8,48,{request},{{}},"wamp.error.no_such_procedure"]"#);
    assert_eq!(world.take(other), [error(1), error(2)]);
    world.send(other, r#"[16,3,{},"com.example.a"]"#);
    world.send(other, r#"[16,4,{},"com.example",[1]]"#);
    let event = world.one(one);
    assert!(event.ends_with(",{},[1]]"), "{event}");
}

#[test]
fn rtr_14_reserved_uris_may_be_anybodys() {
    let mut world = world(Quirks::none().open_reserved().no_meta_api());
    let (one, other) = (join(&mut world), join(&mut world));
    world.send(one, r#"[64,1,{},"wamp.session.count"]"#);
    world.send(one, r#"[32,2,{},"wamp.session.on_join"]"#);
    assert_eq!(world.take(one), ["[65,1,1]", "[33,2,2]"]);
    world.send(other, r#"[48,1,{},"wamp.session.count"]"#);
    assert_eq!(world.one(one), "[68,1,1,{}]");
    world.send(other, r#"[16,2,{"acknowledge":true},"wamp.session.on_join",[1]]"#);
    assert!(world.one(other).starts_with("[17,2,"));
    assert!(world.one(one).ends_with(",{},[1]]"));
    world.send(other, r#"[48,3,{},"wamp.session.list"]"#);
    assert_eq!(world.one(other), r#"[8,48,3,{},"wamp.error.no_such_procedure"]"#);
}
