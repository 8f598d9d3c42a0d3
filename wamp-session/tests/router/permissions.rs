//! What roles may do.

use wamp_session::proto::Format;
use wamp_session::router::{Disclosure, PeerId, Permission, RealmConfig, RoleConfig, RouterConfig, User};

use crate::world::{World, config};

/// A realm in which guests may do little, and the role `backend` everything.
fn guarded() -> RouterConfig {
    let guest = RoleConfig::new("guest")
        .allow(Permission::prefix("com.example.public.").unwrap().call().subscribe())
        .allow(Permission::exact("com.example.chat").unwrap().publish())
        .allow(Permission::wildcard("com..announce").unwrap().register())
        .allow(Permission::exact("wamp.session.count").unwrap().call());
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").role(guest);
    config().realm(realm.user(User::ticket("joe", "t1ck3t").role("backend")))
}

fn backend(world: &mut World) -> PeerId {
    let peer = world.open(Format::Json);
    let roles = r#"{"caller":{},"callee":{},"publisher":{},"subscriber":{}}"#;
    world.send(peer, &format!(r#"[1,"realm1",{{"roles":{roles},"authmethods":["ticket"],"authid":"joe"}}]"#));
    world.send(peer, r#"[5,"t1ck3t",{}]"#);
    assert!(world.take(peer)[1].starts_with("[2,"));
    peer
}

#[test]
fn a_role_may_only_do_what_is_allowed() {
    let mut world = World::new(guarded());
    let (guest, backend) = (world.client(), backend(&mut world));
    world.send(backend, r#"[64,1,{},"com.example.public.add"]"#);
    world.send(backend, r#"[64,2,{},"com.example.private.add"]"#);
    world.take(backend);

    world.send(guest, r#"[48,1,{},"com.example.public.add"]"#);
    assert!(world.one(backend).starts_with("[68,1,"));
    world.send(guest, r#"[48,2,{},"com.example.private.add"]"#);
    assert_eq!(world.take(backend), [""; 0], "the callee hears nothing of it");
    world.send(guest, r#"[48,3,{},"com.example.unknown"]"#);
    world.send(guest, r#"[64,4,{},"com.example.public.mine"]"#);
    world.send(guest, r#"[32,5,{},"com.example.chat"]"#);
    world.send(guest, r#"[16,6,{"acknowledge":true},"com.example.public.news"]"#);
    assert_eq!(
        world.take(guest),
        [
            r#"[8,48,2,{},"wamp.error.not_authorized"]"#,
            r#"[8,48,3,{},"wamp.error.not_authorized"]"#,
            r#"[8,64,4,{},"wamp.error.not_authorized"]"#,
            r#"[8,32,5,{},"wamp.error.not_authorized"]"#,
            r#"[8,16,6,{},"wamp.error.not_authorized"]"#,
        ]
    );
    // Each permission is for one thing.
    world.send(guest, r#"[48,7,{},"com.example.chat"]"#);
    world.send(guest, r#"[48,8,{},"com.example.announce"]"#);
    let refused = [7, 8].map(|request| format!(r#"[8,48,{request},{{}},"wamp.error.not_authorized"]"#));
    assert_eq!(world.take(guest), refused);
    world.send(guest, r#"[32,9,{},"com.example.public.news"]"#);
    world.send(guest, r#"[64,10,{},"com.example.announce"]"#);
    world.send(guest, r#"[16,11,{"acknowledge":true},"com.example.chat"]"#);
    let allowed = world.take(guest);
    assert!(allowed[0].starts_with("[33,9,") && allowed[1].starts_with("[65,10,") && allowed[2].starts_with("[17,11,"));
}

#[test]
fn a_pattern_needs_a_permission_for_all_that_it_matches() {
    let mut world = World::new(guarded());
    let guest = world.client();
    world.send(guest, r#"[64,1,{"match":"prefix"},"com.example.announce"]"#);
    world.send(guest, r#"[64,2,{"match":"wildcard"},"com.example.announce"]"#);
    world.send(guest, r#"[32,3,{"match":"prefix"},"com.example.public."]"#);
    world.send(guest, r#"[32,4,{"match":"wildcard"},"com..public.news"]"#);
    let answers = world.take(guest);
    assert_eq!(answers[0], r#"[8,64,1,{},"wamp.error.not_authorized"]"#);
    assert!(answers[1].starts_with("[65,2,") && answers[2].starts_with("[33,3,"), "{answers:?}");
    assert_eq!(answers[3], r#"[8,32,4,{},"wamp.error.not_authorized"]"#);
    let status = RoleConfig::new("guest").allow(Permission::exact("com.example.status").unwrap().subscribe());
    let mut world = World::new(config().realm(RealmConfig::new("realm1").unwrap().anonymous("guest").role(status)));
    let guest = world.client();
    world.send(guest, r#"[32,1,{"match":"prefix"},"com.example.status"]"#);
    assert_eq!(world.one(guest), r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
    world.send(guest, r#"[32,2,{},"com.example.status"]"#);
    assert!(world.one(guest).starts_with("[33,2,"));
}

#[test]
fn a_publication_that_is_not_allowed_reaches_nobody() {
    let mut world = World::new(guarded());
    let (guest, backend) = (world.client(), backend(&mut world));
    world.send(backend, r#"[32,1,{},"com.example.public.news"]"#);
    world.send(backend, r#"[32,2,{},"com.example.chat"]"#);
    world.take(backend);
    world.send(guest, r#"[16,1,{},"com.example.public.news"]"#);
    assert_eq!((world.take(guest), world.take(backend)), (vec![], vec![]));
    world.send(guest, r#"[16,2,{},"com.example.chat"]"#);
    assert!(world.one(backend).starts_with("[36,"));
}

#[test]
fn roles_that_are_not_configured_may_do_everything() {
    let mut world = World::new(guarded());
    let backend = backend(&mut world);
    world.send(backend, r#"[64,1,{},"com.example.anything"]"#);
    world.send(backend, r#"[32,2,{},"com.example.anything"]"#);
    world.send(backend, r#"[16,3,{"acknowledge":true},"com.example.anything"]"#);
    world.send(backend, r#"[48,4,{},"com.example.anything"]"#);
    let allowed = world.take(backend);
    assert_eq!(allowed.len(), 4);
    assert!(allowed.iter().all(|message| !message.starts_with("[8,")), "{allowed:?}");
}

#[test]
fn a_refused_request_counts_as_one() {
    let mut world = World::new(guarded());
    let guest = world.client();
    world.send(guest, r#"[16,1,{},"com.example.other"]"#);
    world.send(guest, r#"[16,2,{"acknowledge":true},"com.example.chat"]"#);
    assert!(world.one(guest).starts_with("[17,2,"));
}

#[test]
fn a_role_may_be_disclosed_otherwise_than_its_realm() {
    for (of_realm, of_role) in
        [(Disclosure::Denied, Disclosure::OnRequest), (Disclosure::OnRequest, Disclosure::Denied)]
    {
        let guest = RoleConfig::new("guest").allow(Permission::everywhere().all()).disclosure(of_role);
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").role(guest).disclosure(of_realm);
        let mut world = World::new(config().realm(realm.user(User::ticket("joe", "t1ck3t").role("backend"))));
        let (guest, backend) = (world.client(), backend(&mut world));
        world.send(backend, r#"[64,1,{},"com.example.add"]"#);
        world.send(backend, r#"[32,2,{},"com.example.topic"]"#);
        world.send(guest, r#"[64,1,{},"com.example.sub"]"#);
        world.take(backend);
        world.take(guest);
        world.send(guest, r#"[48,2,{"disclose_me":true},"com.example.add"]"#);
        world.send(guest, r#"[16,3,{"disclose_me":true,"acknowledge":true},"com.example.topic"]"#);
        world.send(backend, r#"[48,3,{"disclose_me":true},"com.example.sub"]"#);
        let (of_guest, of_backend) = (world.take(guest), world.take(backend));
        let refused = r#""wamp.error.option_disallowed.disclose_me""#;
        if of_role == Disclosure::Denied {
            assert!(of_guest[0].contains(refused) && of_guest[1].contains(refused), "{of_guest:?}");
            assert!(of_guest[2].contains(r#""caller_authid":"joe""#), "{of_guest:?}");
        } else {
            assert!(of_backend[0].contains(r#""caller_authrole":"guest""#), "{of_backend:?}");
            assert!(of_backend[1].contains(r#""publisher_authrole":"guest""#), "{of_backend:?}");
            assert!(of_backend[2].contains(refused), "{of_backend:?}");
        }
    }
}

#[test]
fn a_caller_that_is_not_to_be_disclosed_is_not_disclosed_to_callees_that_ask() {
    let guest = RoleConfig::new("guest").allow(Permission::everywhere().all()).disclosure(Disclosure::Denied);
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").role(guest);
    let mut world = World::new(config().realm(realm.user(User::ticket("joe", "t1ck3t").role("backend"))));
    let (guest, backend) = (world.client(), backend(&mut world));
    world.send(backend, r#"[64,1,{"disclose_caller":true},"com.example.add"]"#);
    world.take(backend);
    world.send(guest, r#"[48,1,{},"com.example.add"]"#);
    assert_eq!(world.one(backend).split_once(",{").unwrap().1, "}]");
}
