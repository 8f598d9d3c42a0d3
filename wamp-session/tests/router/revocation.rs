//! Subscriptions that the embedder ends.

use wamp_session::proto::SubscriptionId;
use wamp_session::router::PeerId;

use crate::world::{World, config};

const KNOWING: &str =
    r#"[1,"realm1",{"roles":{"subscriber":{"features":{"subscription_revocation":true}},"publisher":{}}}]"#;

/// Two subscribers that understand a revocation and one that does not.
fn subscribed() -> (World, [PeerId; 3], SubscriptionId) {
    let mut world = World::new(config());
    let peers = [world.greet(KNOWING), world.greet(KNOWING), world.client()];
    for peer in peers {
        world.take(peer);
        world.send(peer, r#"[32,1,{"match":"prefix"},"a."]"#);
        assert_eq!(world.one(peer), "[33,1,1]");
    }
    (world, peers, SubscriptionId::new(1).unwrap())
}

#[test]
fn srv_02_a_revoked_subscription_ends_for_all_and_those_who_understand_are_told() {
    let (mut world, [one, two, ignorant], id) = subscribed();
    assert!(world.router.revoke_subscription(world.now, "realm1", id, Some("wamp.close.killed")));
    let revoked = r#"[35,0,{"subscription":1,"reason":"wamp.close.killed"}]"#;
    assert_eq!(world.take(one), [revoked]);
    assert_eq!(world.take(two), [revoked]);
    assert_eq!(world.take(ignorant), [""; 0]);
    assert_eq!(world.tables(), [3, 0, 0, 0]);
    world.send(ignorant, r#"[16,2,{"exclude_me":false},"a.b"]"#);
    world.send(one, "[34,2,1]");
    assert_eq!(world.take(one), [r#"[8,34,2,{},"wamp.error.no_such_subscription"]"#]);
    assert_eq!((world.take(two), world.take(ignorant)), (Vec::<String>::new(), Vec::new()));
    assert!(!world.router.revoke_subscription(world.now, "realm1", id, None), "it is gone");
    assert!(!world.router.revoke_subscription(world.now, "realm9", id, None));
    world.send(one, r#"[32,3,{"match":"prefix"},"a."]"#);
    assert_eq!(world.one(one), "[33,3,2]");
}

#[test]
fn srv_02_a_subscription_is_revoked_for_one_of_its_subscribers() {
    let (mut world, [one, two, _], id) = subscribed();
    assert!(world.router.revoke_subscription_of(world.now, one, id, None));
    assert_eq!(world.take(one), [r#"[35,0,{"subscription":1}]"#]);
    world.send(one, r#"[16,2,{"exclude_me":false},"a.b"]"#);
    assert_eq!(world.take(one), [""; 0]);
    assert_eq!(world.take(two).len(), 1);
    assert!(!world.router.revoke_subscription_of(world.now, one, id, None));
    world.router.handle_closed(world.now, two);
    assert!(!world.router.revoke_subscription_of(world.now, two, id, None));
}
