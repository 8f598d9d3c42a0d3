//! Registrations: patterns, sharing, disclosure, revocation.

use std::time::Duration;

use wamp_session::Time;
use wamp_session::proto::{InvokePolicy, MatchPolicy, RegistrationId};
use wamp_session::router::{Disclosure, PeerId, RealmConfig, RouterConfig, User};

use crate::world::{World, config};

fn register(world: &mut World, peer: PeerId, request: u64, options: &str, procedure: &str) -> String {
    world.send(peer, &format!(r#"[64,{request},{{{options}}},"{procedure}"]"#));
    world.one(peer)
}

/// Callees that share a procedure by a policy.
fn sharing(world: &mut World, policy: &str, count: usize) -> Vec<PeerId> {
    let callees: Vec<_> = (0..count).map(|_| world.featured()).collect();
    for callee in &callees {
        assert_eq!(register(world, *callee, 1, &format!(r#""invoke":"{policy}""#), "a.b"), "[65,1,1]");
    }
    callees
}

/// Calls `a.b`, and says which of the callees is invoked.
fn invoked(world: &mut World, caller: PeerId, request: u64, options: &str, callees: &[PeerId]) -> Option<usize> {
    world.send(caller, &format!(r#"[48,{request},{{{options}}},"a.b"]"#));
    let got: Vec<usize> = (0..callees.len()).filter(|n| !world.take(callees[*n]).is_empty()).collect();
    assert!(got.len() <= 1, "{got:?}");
    got.first().copied()
}

#[test]
fn pbr_04_a_call_goes_to_the_best_match() {
    let registrations = [
        ("exact", "a1.b2.c3.d4.e55"),
        ("prefix", "a1.b2.c3"),
        ("prefix", "a1.b2.c3.d4"),
        ("wildcard", "a1.b2..d4.e5"),
        ("wildcard", "a1.b2.c33..e5"),
        ("wildcard", "a1.b2..d4.e5..g7"),
        ("wildcard", "a1.b2..d4..f6.g7"),
    ];
    let calls = [
        ("a1.b2.c3.d4.e55", Some(1)),
        ("a1.b2.c3.d98.e74", Some(2)),
        ("a1.b2.c3.d4.e325", Some(3)),
        ("a1.b2.c55.d4.e5", Some(4)),
        ("a1.b2.c33.d4.e5", Some(5)),
        ("a1.b2.c88.d4.e5.f6.g7", Some(6)),
        ("a2.b2.c2.d2.e2", None),
        // Characters, not components.
        ("a1.b2.c3-d4", Some(2)),
        ("a1.b2.c", None),
        ("a1.b2.c88.d4.e6.f6.g7", Some(7)),
        ("a1.b2.c88.d4.e6", None),
    ];
    // In whatever order they come.
    for turn in 0..registrations.len() {
        let mut world = World::new(config());
        let (caller, callee) = (world.client(), world.client());
        let mut ids = [0; 7];
        for n in 0..registrations.len() {
            let place = (n + turn) % registrations.len();
            let (policy, procedure) = registrations[place];
            let options = format!(r#""match":"{policy}""#);
            let (request, id) = (n as u64 + 1, n + 1);
            assert_eq!(register(&mut world, callee, request, &options, procedure), format!("[65,{request},{id}]"));
            ids[place] = id;
        }
        let mut invocation = 0;
        for (n, (procedure, expected)) in calls.iter().enumerate() {
            let request = n + 1;
            world.send(caller, &format!(r#"[48,{request},{{}},"{procedure}"]"#));
            let Some(expected) = expected else {
                assert_eq!(world.one(caller), format!(r#"[8,48,{request},{{}},"wamp.error.no_such_procedure"]"#));
                continue;
            };
            invocation += 1;
            let details = if *expected == 1 { String::new() } else { format!(r#""procedure":"{procedure}""#) };
            let id = ids[expected - 1];
            assert_eq!(world.one(callee), format!("[68,{invocation},{id},{{{details}}}]"), "{procedure}");
        }
    }
}

#[test]
fn pbr_03_one_uri_with_different_policies_is_different_registrations() {
    let mut world = World::new(config());
    let (one, other) = (world.client(), world.client());
    assert_eq!(register(&mut world, one, 1, r#""match":"exact""#, "a.b"), "[65,1,1]");
    assert_eq!(register(&mut world, other, 1, r#""match":"prefix""#, "a.b"), "[65,1,2]");
    assert_eq!(register(&mut world, other, 2, r#""match":"wildcard""#, "a.b"), "[65,2,3]");
    let exists = r#"[8,64,3,{},"wamp.error.procedure_already_exists"]"#;
    assert_eq!(register(&mut world, other, 3, r#""match":"prefix""#, "a.b"), exists);
    world.send(one, "[66,2,1]");
    world.take(one);
    world.send(one, r#"[48,3,{},"a.b"]"#);
    assert_eq!(world.one(other), r#"[68,1,2,{"procedure":"a.b"}]"#);
    world.send(other, "[66,4,2]");
    world.take(other);
    world.send(one, r#"[48,4,{},"a.b"]"#);
    assert_eq!(world.one(other), r#"[68,2,3,{"procedure":"a.b"}]"#);
}

#[test]
fn no_pattern_serves_the_procedures_of_the_router() {
    let mut world = World::new(config());
    let peer = world.client();
    for (request, options, procedure) in
        [(1, r#""match":"prefix""#, ""), (2, r#""match":"prefix""#, "w"), (3, r#""match":"wildcard""#, "..")]
    {
        assert_eq!(register(&mut world, peer, request, options, procedure), format!("[65,{request},{request}]"));
    }
    world.send(peer, r#"[48,4,{},"wamp.session.none"]"#);
    assert_eq!(world.one(peer), r#"[8,48,4,{},"wamp.error.no_such_procedure"]"#);
    let refused = r#"[8,64,5,{},"wamp.error.invalid_uri"]"#;
    assert_eq!(register(&mut world, peer, 5, r#""match":"wildcard""#, "wamp..x"), refused);
    world.send(peer, r#"[48,6,{},"wampish"]"#);
    assert_eq!(world.one(peer), r#"[68,1,2,{"procedure":"wampish"}]"#);
    world.send(peer, r#"[48,7,{},"wamp.registration.match",["wamp.session.none"]]"#);
    assert_eq!(world.one(peer), "[50,7,{},[null]]");
    world.send(peer, r#"[48,8,{},"wamp.registration.match",["wampish"]]"#);
    assert_eq!(world.one(peer), "[50,8,{},[2]]");
}

#[test]
fn shr_01_roundrobin_takes_turns() {
    let mut world = World::new(config());
    let callees = sharing(&mut world, "roundrobin", 3);
    let caller = world.client();
    let turns: Vec<_> = (1..=7).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
    // Who leaves is passed over, and nobody loses his turn.
    world.router.handle_closed(world.now, callees[0]);
    world.take(caller);
    let turns: Vec<_> = (8..=10).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect();
    assert_eq!(turns, [1, 2, 1]);
    world.send(callees[2], "[66,2,1]");
    world.take(callees[2]);
    let turns: Vec<_> = (11..=12).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect();
    assert_eq!(turns, [1, 1]);
}

#[test]
fn shr_01_first_and_last_are_hot_standby() {
    for (policy, order) in [("first", [0, 1, 2]), ("last", [2, 1, 0])] {
        let mut world = World::new(config());
        let callees = sharing(&mut world, policy, 3);
        let caller = world.client();
        let mut request = 0;
        for expected in order {
            for _ in 0..2 {
                request += 1;
                assert_eq!(invoked(&mut world, caller, request, "", &callees), Some(expected), "{policy}");
            }
            world.router.handle_closed(world.now, callees[expected]);
            world.take(caller);
        }
        assert_eq!(invoked(&mut world, caller, request + 1, "", &callees), None);
        assert!(world.one(caller).ends_with(r#""wamp.error.no_such_procedure"]"#));
    }
}

#[test]
fn shr_01_random_reaches_everybody_and_depends_on_the_seed() {
    let run = |seed| {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        let mut world = World::new(RouterConfig::new([1; 32]).seed(seed).realm(realm));
        let callees = sharing(&mut world, "random", 3);
        let caller = world.client();
        (1..=300).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect::<Vec<_>>()
    };
    let picked = run(1);
    for callee in 0..3 {
        let count = picked.iter().filter(|n| **n == callee).count();
        assert!((70..130).contains(&count), "{count} of 300 calls at {callee}");
    }
    assert_eq!(picked, run(1));
    assert_ne!(picked, run(2));
}

#[test]
fn shr_02_all_callees_must_ask_for_the_same_policy() {
    for first in ["single", "roundrobin", "random", "first", "last"] {
        for second in ["single", "roundrobin", "random", "first", "last"] {
            let mut world = World::new(config());
            let (one, other) = (world.client(), world.client());
            register(&mut world, one, 1, &format!(r#""invoke":"{first}""#), "a.b");
            let answer = register(&mut world, other, 1, &format!(r#""invoke":"{second}""#), "a.b");
            if first == second && first != "single" {
                assert_eq!(answer, "[65,1,1]");
            } else {
                assert_eq!(answer, r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#, "{first} {second}");
            }
        }
    }
    // The first one decides anew when all have gone.
    let mut world = World::new(config());
    let (one, other) = (world.client(), world.client());
    register(&mut world, one, 1, r#""invoke":"first""#, "a.b");
    world.send(one, "[66,2,1]");
    assert_eq!(register(&mut world, other, 1, r#""invoke":"last""#, "a.b"), "[65,1,2]");
}

#[test]
fn shr_03_a_session_has_one_part_in_a_shared_registration() {
    let mut world = World::new(config());
    let callees = sharing(&mut world, "roundrobin", 2);
    assert_eq!(register(&mut world, callees[0], 2, r#""invoke":"roundrobin""#, "a.b"), "[65,2,1]");
    let caller = world.client();
    let turns: Vec<_> = (1..=4).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect();
    assert_eq!(turns, [0, 1, 0, 1]);
    world.send(callees[0], "[66,3,1]");
    assert_eq!(world.one(callees[0]), "[67,3]");
    world.send(callees[0], "[66,4,1]");
    assert_eq!(world.one(callees[0]), r#"[8,66,4,{},"wamp.error.no_such_registration"]"#);
    assert_eq!(invoked(&mut world, caller, 5, "", &callees), Some(1));
    // It may come back.
    assert_eq!(register(&mut world, callees[0], 5, r#""invoke":"roundrobin""#, "a.b"), "[65,5,1]");
    let mut turns: Vec<_> = (6..=9).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect();
    turns.sort_unstable();
    assert_eq!(turns, [0, 0, 1, 1]);
}

#[test]
fn shd_01_a_partitioned_call_needs_a_key_and_sticks_to_it() {
    let mut world = World::new(config());
    let callees = sharing(&mut world, "roundrobin", 4);
    let caller = world.client();
    world.send(caller, r#"[48,1,{"runmode":"partition"},"a.b"]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.invalid_argument"]"#);
    world.send(caller, r#"[48,2,{"runmode":"all"},"a.b"]"#);
    assert_eq!(world.one(caller), r#"[8,48,2,{},"wamp.error.option_not_allowed"]"#);
    let mut request = 2;
    let mut shards = Vec::new();
    for key in ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"] {
        let options = format!(r#""runmode":"partition","rkey":"{key}""#);
        let mut shard = || {
            request += 1;
            invoked(&mut world, caller, request, &options, &callees).unwrap()
        };
        let first = shard();
        assert_eq!([shard(), shard()], [first; 2], "{key}");
        shards.push(first);
    }
    shards.sort_unstable();
    shards.dedup();
    assert!(shards.len() > 2, "only {shards:?}");
    // A key alone says nothing.
    let turns: Vec<_> =
        (27..=30).map(|n| invoked(&mut world, caller, n, r#""rkey":"alice""#, &callees).unwrap()).collect();
    assert_eq!(turns, [0, 1, 2, 3]);
}

#[test]
fn rrv_02_a_revoked_registration_is_over_and_its_callees_are_told() {
    let mut world = World::new(config());
    let callees = sharing(&mut world, "roundrobin", 2);
    let caller = world.client();
    invoked(&mut world, caller, 1, "", &callees);
    let id = RegistrationId::MIN;
    let (now, reason) = (world.now, Some("moving endpoint to other callee"));
    assert!(world.router.revoke_registration(now, "realm1", id, reason));
    assert!(!world.router.revoke_registration(now, "realm1", id, reason));
    assert!(!world.router.revoke_registration(now, "realm2", id, reason));
    for callee in &callees {
        let revoked = r#"[67,0,{"registration":1,"reason":"moving endpoint to other callee"}]"#;
        assert_eq!(world.one(*callee), revoked);
    }
    // What was under way is answered.
    world.send(callees[0], "[70,1,{},[1]]");
    assert_eq!(world.one(caller), "[50,1,{},[1]]");
    world.send(caller, r#"[48,2,{},"a.b"]"#);
    assert_eq!(world.one(caller), r#"[8,48,2,{},"wamp.error.no_such_procedure"]"#);
    world.send(callees[0], "[66,2,1]");
    assert_eq!(world.one(callees[0]), r#"[8,66,2,{},"wamp.error.no_such_registration"]"#);
    assert_eq!(world.tables(), [3, 0, 0, 0]);
}

#[test]
fn rrv_02_one_of_several_callees_may_lose_its_part() {
    let mut world = World::new(config());
    let callees = sharing(&mut world, "first", 2);
    let (caller, watcher) = (world.client(), world.client());
    world.send(watcher, r#"[32,1,{},"wamp.registration.on_unregister"]"#);
    world.take(watcher);
    let (now, id) = (world.now, RegistrationId::MIN);
    assert!(world.router.revoke_registration_of(now, callees[0], id, Some("too slow")));
    assert_eq!(world.take(watcher).len(), 1, "the meta API tells of it at once");
    assert_eq!(world.one(callees[0]), r#"[67,0,{"registration":1,"reason":"too slow"}]"#);
    assert!(!world.router.revoke_registration_of(now, callees[0], id, None));
    assert!(!world.router.revoke_registration_of(now, caller, id, None));
    assert_eq!(invoked(&mut world, caller, 1, "", &callees), Some(1));
    assert!(world.router.revoke_registration_of(now, callees[1], id, None));
    assert_eq!(world.tables(), [4, 1, 0, 1]);
}

#[test]
fn rrv_02_a_reason_may_be_missing() {
    let mut world = World::new(config());
    let callee = world.featured();
    register(&mut world, callee, 1, "", "a.b");
    world.router.revoke_registration(world.now, "realm1", RegistrationId::MIN, None);
    assert_eq!(world.one(callee), r#"[67,0,{"registration":1}]"#);
}

#[test]
fn rrv_01_a_callee_that_does_not_know_revocation_is_not_told() {
    let mut world = World::new(config());
    let callee = world.without("registration_revocation");
    register(&mut world, callee, 1, "", "a.b");
    assert!(world.router.revoke_registration(world.now, "realm1", RegistrationId::MIN, None));
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.tables(), [1, 0, 0, 0]);
}

#[test]
fn rrv_03_force_reregister_takes_a_procedure_away() {
    let mut world = World::new(config());
    let losers = sharing(&mut world, "roundrobin", 2);
    let winner = world.featured();
    assert_eq!(register(&mut world, winner, 1, r#""force_reregister":true"#, "a.b"), "[65,1,2]");
    for loser in &losers {
        assert_eq!(world.one(*loser), r#"[67,0,{"registration":1,"reason":"wamp.error.unregistered"}]"#);
    }
    assert_eq!(invoked(&mut world, losers[0], 2, "", &[winner]), Some(0));
    // Nothing is taken away by whoever is refused, and where nothing is there is nothing to take.
    let refused = r#"[8,64,3,{},"wamp.error.invalid_argument"]"#;
    assert_eq!(register(&mut world, losers[0], 3, r#""force_reregister":true,"concurrency":0"#, "a.b"), refused);
    assert_eq!(register(&mut world, losers[0], 4, r#""force_reregister":true"#, "a.c"), "[65,4,3]");
    assert_eq!(world.take(winner), [""; 0]);
    // Even from oneself.
    world.send(winner, r#"[64,2,{"force_reregister":true},"a.b"]"#);
    let revoked = r#"[67,0,{"registration":2,"reason":"wamp.error.unregistered"}]"#;
    assert_eq!(world.take(winner), [revoked, "[65,2,4]"]);
}

#[test]
fn concurrency_moves_calls_to_other_callees_and_then_refuses_them() {
    let mut world = World::new(config());
    let (one, other, caller) = (world.client(), world.client(), world.client());
    let options = |n| format!(r#""invoke":"first","concurrency":{n}"#);
    register(&mut world, one, 1, &options(2), "a.b");
    register(&mut world, other, 1, &options(1), "a.b");
    let callees = [one, other];
    let turns: Vec<_> = (1..=3).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect();
    assert_eq!(turns, [0, 0, 1]);
    assert_eq!(invoked(&mut world, caller, 4, "", &callees), None);
    assert_eq!(world.one(caller), r#"[8,48,4,{},"crossbar.error.max_concurrency_reached"]"#);
    // Another registration of the callee is another matter.
    register(&mut world, other, 2, r#""concurrency":1"#, "a.c");
    world.send(caller, r#"[48,5,{},"a.c"]"#);
    assert_eq!(world.one(other), "[68,2,2,{}]");
    // An answer makes room, whoever has left.
    world.send(other, "[70,1,{}]");
    world.take(caller);
    assert_eq!(invoked(&mut world, caller, 6, "", &callees), Some(1));
    world.router.handle_closed(world.now, caller);
    let caller = world.client();
    assert_eq!(invoked(&mut world, caller, 1, "", &callees), None, "the callees know of no end");
    world.send(one, "[70,2,{}]");
    assert_eq!(invoked(&mut world, caller, 2, "", &callees), Some(0));
    assert_eq!(invoked(&mut world, caller, 3, "", &callees), None, "one answer makes room for one call");
}

#[test]
fn concurrency_holds_with_every_policy() {
    for policy in ["roundrobin", "random", "first", "last"] {
        let mut world = World::new(config());
        let callees: Vec<_> = (0..5).map(|_| world.client()).collect();
        for callee in &callees {
            let options = format!(r#""invoke":"{policy}","concurrency":1"#);
            assert_eq!(register(&mut world, *callee, 1, &options, "a.b"), "[65,1,1]");
        }
        let caller = world.client();
        for round in 0..4_u64 {
            let first = round * 6 + 1;
            let mut busy: Vec<_> =
                (first..first + 5).map(|n| invoked(&mut world, caller, n, "", &callees).unwrap()).collect();
            busy.sort_unstable();
            assert_eq!(busy, [0, 1, 2, 3, 4], "{policy}");
            assert_eq!(invoked(&mut world, caller, first + 5, "", &callees), None);
            let refused = format!(r#"[8,48,{},{{}},"crossbar.error.max_concurrency_reached"]"#, first + 5);
            assert_eq!(world.one(caller), refused);
            for callee in &callees {
                world.send(*callee, &format!("[70,{},{{}}]", round + 1));
            }
            assert_eq!(world.take(caller).len(), 5);
        }
    }
}

#[test]
fn shd_01_a_shard_that_is_busy_or_declines_is_not_replaced() {
    let mut world = World::new(config());
    let callees: Vec<_> = (0..3).map(|_| world.featured()).collect();
    for callee in &callees {
        let options = r#""invoke":"roundrobin","concurrency":1"#;
        assert_eq!(register(&mut world, *callee, 1, options, "a.b"), "[65,1,1]");
    }
    let caller = world.client();
    let alice = r#""runmode":"partition","rkey":"alice""#;
    let shard = invoked(&mut world, caller, 1, alice, &callees).unwrap();
    assert_eq!(invoked(&mut world, caller, 2, alice, &callees), None);
    assert_eq!(world.one(caller), r#"[8,48,2,{},"crossbar.error.max_concurrency_reached"]"#);
    world.send(callees[shard], r#"[8,68,1,{},"wamp.error.unavailable"]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.unavailable"]"#);
    assert!(callees.iter().all(|callee| world.take(*callee).is_empty()));
    assert_eq!(invoked(&mut world, caller, 3, alice, &callees), Some(shard));
}

#[test]
fn cid_03_who_calls_is_told_if_the_caller_or_the_callee_asks() {
    for (of_call, of_registration, told) in [
        ("", "", false),
        (r#""disclose_me":true"#, "", true),
        (r#""disclose_me":false"#, "", false),
        ("", r#""disclose_caller":true"#, true),
        (r#""disclose_me":false"#, r#""disclose_caller":true"#, true),
    ] {
        let mut world = World::new(config());
        let (caller, callee) = (world.client(), world.client());
        register(&mut world, callee, 1, of_registration, "a.b");
        world.send(caller, &format!(r#"[48,1,{{{of_call}}},"a.b"]"#));
        let (_, session) = world.router.sessions("realm1").find(|(peer, _)| *peer == caller).unwrap();
        let details = format!(r#""caller":{session},"caller_authid":"anonymous-{session}","caller_authrole":"guest""#);
        let details = if told { details } else { String::new() };
        assert_eq!(world.one(callee), format!("[68,1,1,{{{details}}}]"));
    }
}

#[test]
fn cid_03_a_realm_may_tell_always_or_never() {
    let realm = |disclosure| {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").disclosure(disclosure);
        World::new(RouterConfig::new([7; 32]).realm(realm))
    };
    let mut world = realm(Disclosure::Always);
    let (caller, callee) = (world.client(), world.client());
    register(&mut world, callee, 1, "", "a.b");
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    assert!(world.one(callee).starts_with(r#"[68,1,1,{"caller":"#));

    let mut world = realm(Disclosure::Denied);
    let (caller, callee) = (world.client(), world.client());
    let refused = r#"[8,64,1,{},"wamp.error.option_disallowed.disclose_me"]"#;
    assert_eq!(register(&mut world, callee, 1, r#""disclose_caller":true"#, "a.b"), refused);
    assert_eq!(register(&mut world, callee, 2, "", "a.b"), "[65,2,1]");
    world.send(caller, r#"[48,1,{"disclose_me":true},"a.b"]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.option_disallowed.disclose_me"]"#);
    world.send(caller, r#"[48,2,{},"a.b"]"#);
    assert_eq!(world.one(callee), "[68,1,1,{}]");
}

#[test]
fn ctl_01_the_trust_level_of_the_callers_role_is_told() {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").user(User::ticket("joe", "t").role("staff"));
    let mut world = World::new(RouterConfig::new([7; 32]).realm(realm.trustlevel("staff", 3)));
    let (guest, callee) = (world.client(), world.client());
    let hello = r#"[1,"realm1",{"roles":{"caller":{}},"authmethods":["ticket"],"authid":"joe"}]"#;
    let staff = world.greet(hello);
    world.send(staff, r#"[5,"t",{}]"#);
    world.take(staff);
    register(&mut world, callee, 1, "", "a.b");
    for (caller, details) in [(staff, r#""trustlevel":3"#), (guest, "")] {
        world.send(caller, r#"[48,1,{},"a.b"]"#);
        assert!(world.one(callee).ends_with(&format!(",1,{{{details}}}]")));
    }
}

#[test]
fn what_is_registered_can_be_looked_at() {
    let mut world = World::new(config());
    world.advance(Duration::from_millis(1500));
    let callees = sharing(&mut world, "last", 2);
    world.advance(Duration::from_secs(1));
    register(&mut world, callees[0], 2, r#""match":"prefix""#, "c.");
    let seen: Vec<_> = world.router.registrations("realm1").collect();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].id.get(), seen[0].procedure.as_str()), (1, "a.b"));
    assert_eq!((seen[0].match_policy, seen[0].invoke), (MatchPolicy::Exact, InvokePolicy::Last));
    assert_eq!((seen[0].created, seen[0].callees), (Duration::from_millis(1_403_454_986_948), &callees[..]));
    assert_eq!((seen[1].id.get(), seen[1].procedure.as_str()), (2, "c."));
    assert_eq!((seen[1].match_policy, seen[1].invoke), (MatchPolicy::Prefix, InvokePolicy::Single));
    assert_eq!(seen[1].created, Duration::from_millis(1_403_454_987_948));
    assert_eq!(world.router.registrations("realm2").count(), 0);
    assert!(world.now > Time::ZERO);
}
