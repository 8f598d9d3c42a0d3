//! Sharded subscriptions: events with a key are shared among the subscribers that have one.

use std::collections::BTreeMap;

use wamp_session::router::PeerId;

use crate::world::{World, config};

const KEYS: std::ops::Range<u32> = 0..40;

/// A session that subscribes to `a.b`, with options.
fn subscriber(world: &mut World, options: &str) -> PeerId {
    let peer = world.client();
    subscribe(world, peer, 1, options);
    peer
}

fn subscribe(world: &mut World, peer: PeerId, request: u32, options: &str) {
    world.send(peer, &format!(r#"[32,{request},{{{options}}},"a.b"]"#));
    assert_eq!(world.one(peer), format!("[33,{request},1]"));
}

/// Publishes an event for each key, and says which of the nodes got which: exactly one of them each.
fn shares(world: &mut World, publisher: PeerId, requests: &mut u32, nodes: &[PeerId]) -> BTreeMap<u32, PeerId> {
    let mut shares = BTreeMap::new();
    for key in KEYS {
        *requests += 1;
        world.send(publisher, &format!(r#"[16,{requests},{{"rkey":"sn{key}"}},"a.b",[{key}]]"#));
        for node in nodes {
            for event in world.take(*node) {
                assert!(event.ends_with(&format!(",{{}},[{key}]]")), "{event}");
                assert_eq!(shares.insert(key, *node), None, "one node has it");
            }
        }
        assert!(shares.contains_key(&key), "some node has it");
    }
    shares
}

#[test]
fn ssu_01_events_of_one_key_go_to_one_node() {
    let mut world = World::new(config());
    let publisher = world.client();
    let nodes = ["EU-1", "EU-2", "US-1"].map(|key| subscriber(&mut world, &format!(r#""nkey":"{key}""#)));
    let plain = subscriber(&mut world, "");
    let mut requests = 0;
    let first = shares(&mut world, publisher, &mut requests, &nodes);
    for node in nodes {
        assert!(first.values().any(|other| *other == node), "each has a share");
    }
    assert_eq!(world.take(plain).len(), KEYS.len(), "who has no key gets everything");
    assert_eq!(shares(&mut world, publisher, &mut requests, &nodes), first, "the same key goes to the same node");
    world.take(plain);

    // An event without a key is everybody's.
    world.send(publisher, &format!(r#"[16,{},{{}},"a.b"]"#, requests + 1));
    for peer in [nodes[0], nodes[1], nodes[2], plain] {
        assert_eq!(world.take(peer).len(), 1);
    }
}

#[test]
fn ssu_01_a_node_that_comes_or_goes_moves_only_its_own_events() {
    let mut world = World::new(config());
    let publisher = world.client();
    let [one, two, three] = ["1", "2", "3"].map(|key| subscriber(&mut world, &format!(r#""nkey":"{key}""#)));
    let mut requests = 0;
    let before = shares(&mut world, publisher, &mut requests, &[one, two, three]);
    world.send(three, "[34,2,1]");
    world.take(three);
    let without = shares(&mut world, publisher, &mut requests, &[one, two, three]);
    for (key, node) in &before {
        assert_eq!(without[key] == *node, *node != three, "{key}");
    }
    subscribe(&mut world, three, 3, r#""nkey":"3""#);
    assert_eq!(shares(&mut world, publisher, &mut requests, &[one, two, three]), before);

    // Who subscribes again without a key shares no longer, and what it had goes to the others.
    subscribe(&mut world, three, 4, "");
    assert_eq!(shares(&mut world, publisher, &mut requests, &[one, two]), without);
    assert_eq!(world.take(three).len(), KEYS.len());
    world.drain();
    world.router.handle_closed(world.now, two);
    let alone = shares(&mut world, publisher, &mut requests, &[one]);
    assert_eq!(alone.len(), KEYS.len());
}

#[test]
fn ssu_01_a_node_may_be_of_several_sessions() {
    let mut world = World::new(config());
    let publisher = world.client();
    let [one, same, other] = ["1", "1", "2"].map(|key| subscriber(&mut world, &format!(r#""nkey":"{key}""#)));
    for key in KEYS {
        world.send(publisher, &format!(r#"[16,{},{{"rkey":"sn{key}"}},"a.b"]"#, key + 1));
        let got = [one, same, other].map(|peer| world.take(peer).len());
        assert!(matches!(got, [1, 1, 0] | [0, 0, 1]), "{got:?}");
    }
}

#[test]
fn ssu_01_and_bwl_01_a_node_that_may_not_have_it_is_passed_over() {
    let mut world = World::new(config());
    let publisher = subscriber(&mut world, r#""nkey":"1""#);
    let other = subscriber(&mut world, r#""nkey":"2""#);
    for key in KEYS {
        world.send(publisher, &format!(r#"[16,{},{{"rkey":"sn{key}"}},"a.b"]"#, key + 2));
        assert_eq!([publisher, other].map(|peer| world.take(peer).len()), [0, 1], "no event of one's own");
    }
}

#[test]
fn ssu_01_and_ret_01_each_node_gets_the_retained_events_of_its_share() {
    let mut world = World::new(config());
    let publisher = world.client();
    let nodes = ["1", "2"].map(|key| subscriber(&mut world, &format!(r#""nkey":"{key}""#)));
    for key in KEYS {
        let options = format!(r#"{{"retain":true,"rkey":"sn{key}"}}"#);
        world.send(publisher, &format!(r#"[16,{},{options},"a.b",[{key}]]"#, key + 1));
        let got = nodes.map(|node| !world.take(node).is_empty());
        let again = [(0, "1"), (1, "2")].map(|(place, node)| {
            let request = key + 2;
            world.send(nodes[place], &format!(r#"[32,{request},{{"get_retained":true,"nkey":"{node}"}},"a.b"]"#));
            let answer = world.take(nodes[place]);
            assert_eq!(answer[0], format!("[33,{request},1]"));
            answer.len() == 2 && answer[1].ends_with(&format!(r#",{{"retained":true}},[{key}]]"#))
        });
        assert_eq!(got, again);
        assert_ne!(got[0], got[1]);
    }
}

#[test]
fn ssu_01_and_tst_01_a_testament_with_a_key_goes_to_one_node() {
    let mut world = World::new(config());
    let nodes = ["1", "2"].map(|key| subscriber(&mut world, &format!(r#""nkey":"{key}""#)));
    for key in KEYS {
        let dying = world.client();
        let options = format!(r#"{{"publish_options":{{"rkey":"sn{key}"}}}}"#);
        world.send(dying, &format!(r#"[48,1,{{}},"wamp.session.add_testament",["a.b",[],{{}}],{options}]"#));
        assert_eq!(world.one(dying), "[50,1,{}]");
        world.router.handle_closed(world.now, dying);
        assert_eq!(nodes.map(|node| world.take(node).len()).into_iter().sum::<usize>(), 1);
    }
}
