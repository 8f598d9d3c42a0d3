//! Testaments.

use wamp_session::proto::Value;
use wamp_session::router::{Permission, RealmConfig, RoleConfig, RouterLimits};

use super::{call, events, join, staffed, subscribe};
use crate::world::{World, config};

#[test]
fn tst_01_testaments_are_published_when_a_session_is_over() {
    let mut world = World::new(staffed());
    let (heir, _) = join(&mut world, Some("joe"));
    let topic = subscribe(&mut world, heir, 1, "com.example.gone");
    let (dying, _) = join(&mut world, None);
    let add = |world: &mut World, request, rest: &str| {
        call(world, dying, request, &format!(r#""wamp.session.add_testament",["com.example.gone",{rest}"#))
    };
    assert_eq!(add(&mut world, 1, r#"["one",1],{"k":true}]"#), "");
    assert_eq!(add(&mut world, 2, r#"["two"],{}],{"scope":"detached"}"#), "");
    assert_eq!(add(&mut world, 3, r#"["three"],{}],{"scope":"destroyed"}"#), "");
    assert_eq!(
        add(&mut world, 4, r#"["four"],{}],{"publish_options":{"eligible_authrole":["guest"],"acknowledge":true}}"#),
        ""
    );
    assert_eq!(add(&mut world, 5, r#"null,null],{"scope":null,"publish_options":null}"#), "");
    assert_eq!(world.take(heir), [""; 0], "not yet");
    world.router.handle_closed(world.now, dying);
    let published = world.take(heir);
    let payloads: Vec<&str> = published
        .iter()
        .map(|event| {
            let event = event.strip_prefix(&format!("[36,{topic},")).unwrap();
            event.split_once(",{}").unwrap().1
        })
        .collect();
    // Those of the detached scope come first, and the lists of the options hold.
    assert_eq!(payloads, [r#",["two"]]"#, r#",["one",1],{"k":true}]"#, r#",["three"]]"#, "]"]);
}

#[test]
fn tst_02_testaments_are_taken_back_by_scope() {
    let mut world = World::new(config());
    let (heir, _) = join(&mut world, None);
    subscribe(&mut world, heir, 1, "com.example.gone");
    for (scope, left) in
        [("", "detached"), (r#",[],{"scope":"destroyed"}"#, "detached"), (r#",[],{"scope":"detached"}"#, "destroyed")]
    {
        let (dying, _) = join(&mut world, None);
        for (request, scope) in [(1, "detached"), (2, "destroyed")] {
            let add =
                format!(r#""wamp.session.add_testament",["com.example.gone",["{scope}"],{{}}],{{"scope":"{scope}"}}"#);
            assert_eq!(call(&mut world, dying, request, &add), "");
        }
        assert_eq!(call(&mut world, dying, 3, &format!(r#""wamp.session.flush_testaments"{scope}"#)), "");
        world.send(dying, r#"[6,{},"wamp.close.close_realm"]"#);
        let published: Vec<_> = events(&mut world, heir).into_iter().map(|(_, args)| args).collect();
        assert_eq!(published, [[Value::from(left)]]);
    }
    let wrong = call(&mut world, heir, 2, r#""wamp.session.flush_testaments",[],{"scope":"forever"}"#);
    assert_eq!(wrong, r#""wamp.error.invalid_argument""#);
}

#[test]
fn tst_01_testaments_are_checked_when_they_are_added() {
    let guest = RoleConfig::new("guest")
        .allow(Permission::prefix("wamp.session.").unwrap().call())
        .allow(Permission::prefix("com.example.").unwrap().publish());
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").role(guest);
    let mut world = World::new(config().realm(realm));
    let (peer, _) = join(&mut world, None);
    for (request, (arguments, error)) in [
        (r#"["org.example.gone",[],{}]"#, "not_authorized"),
        (r#"["not a topic",[],{}]"#, "invalid_uri"),
        (r#"["com.example.gone","x",{}]"#, "invalid_argument"),
        (r#"["com.example.gone",[],[]]"#, "invalid_argument"),
        (r#"[5]"#, "invalid_argument"),
        (r#"[]"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"scope":"forever"}"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"publish_options":{"exclude_me":1}}"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"publish_options":7}"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"publish_options":{"ppt_scheme":"x_my"}}"#, "option_not_allowed"),
    ]
    .iter()
    .enumerate()
    {
        let add = format!(r#""wamp.session.add_testament",{arguments}"#);
        let answer = call(&mut world, peer, 1 + request as u64, &add);
        assert_eq!(answer, format!(r#""wamp.error.{error}""#), "{arguments}");
    }
    let mut world = World::new(config());
    let (peer, _) = join(&mut world, None);
    let reserved = call(&mut world, peer, 1, r#""wamp.session.add_testament",["wamp.session.on_join",[],{}]"#);
    assert_eq!(reserved, r#""wamp.error.invalid_uri""#);
}

#[test]
fn testaments_are_bounded_by_number_and_by_bytes() {
    let add = r#""wamp.session.add_testament",["com.example.gone",["0123456789"],{}]"#;
    let (unavailable, limits) = (r#""wamp.error.unavailable""#, RouterLimits::new());
    let mut world = World::new(config().limits(limits.max_testaments(2)));
    let (peer, _) = join(&mut world, None);
    assert_eq!(call(&mut world, peer, 1, add), "");
    assert_eq!(call(&mut world, peer, 2, &add.replace("{}]", r#"{}],{"scope":"detached"}"#)), "");
    assert_eq!(call(&mut world, peer, 3, add), unavailable);
    assert_eq!(call(&mut world, peer, 4, r#""wamp.session.flush_testaments""#), "");
    assert_eq!(call(&mut world, peer, 5, add), "");

    let mut world = World::new(config().limits(limits.max_testament_bytes(100)));
    let (peer, _) = join(&mut world, None);
    assert_eq!(call(&mut world, peer, 1, add), "");
    assert_eq!(call(&mut world, peer, 2, add), "");
    assert_eq!(call(&mut world, peer, 3, add), unavailable);
}

#[test]
fn testaments_are_not_retained_beyond_the_limit() {
    let mut world = World::new(config().limits(RouterLimits::new().max_retained(1)));
    let ((publisher, _), (dying, _)) = (join(&mut world, None), join(&mut world, None));
    world.send(publisher, r#"[16,1,{"retain":true},"com.example.other"]"#);
    let add = r#""wamp.session.add_testament",["com.example.gone",[],{}],{"publish_options":{"retain":true}}"#;
    assert_eq!(call(&mut world, dying, 1, add), "");
    world.send(publisher, r#"[32,2,{},"com.example.gone"]"#);
    world.take(publisher);
    world.router.handle_closed(world.now, dying);
    assert_eq!(events(&mut world, publisher).len(), 1, "it is published all the same");
    let (late, _) = join(&mut world, None);
    world.send(late, r#"[32,1,{"get_retained":true},"com.example.gone"]"#);
    assert!(world.one(late).starts_with("[33,"));
}

#[test]
fn tst_01_testaments_may_be_retained() {
    let mut world = World::new(config());
    let ((heir, _), (dying, _)) = (join(&mut world, None), join(&mut world, None));
    let add = r#""wamp.session.add_testament",["com.example.gone",["kept"],{}],{"publish_options":{"retain":true,"disclose_me":true}}"#;
    assert_eq!(call(&mut world, dying, 1, add), "");
    world.router.handle_closed(world.now, dying);
    world.send(heir, r#"[32,1,{"get_retained":true},"com.example.gone"]"#);
    let retained = &world.take(heir)[1];
    assert!(retained.contains(r#""retained":true"#) && retained.ends_with(r#",["kept"]]"#), "{retained}");
    assert!(retained.contains(r#""publisher_authrole":"guest""#), "{retained}");
}
