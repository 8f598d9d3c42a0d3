//! Who gets which event.

use wamp_session::proto::Message;
use wamp_session::router::{Quirks, RealmConfig};

use super::{join, quirky, world};
use crate::world::{HELLO, World};

#[test]
fn rtr_14_an_empty_list_may_be_no_list() {
    for (quirks, events) in [(Quirks::none(), 0), (Quirks::none().empty_list_is_none(), 1)] {
        for list in ["eligible", "eligible_authid", "eligible_authrole"] {
            let mut world = world(quirks);
            let (publisher, subscriber) = (join(&mut world), join(&mut world));
            world.send(subscriber, r#"[32,1,{},"a.b"]"#);
            world.take(subscriber);
            world.send(publisher, &format!(r#"[16,1,{{"{list}":[]}},"a.b"]"#));
            assert_eq!(world.take(subscriber).len(), events, "{list}");
            world.send(publisher, r#"[16,2,{"eligible_authrole":["nobody"]},"a.b"]"#);
            assert_eq!(world.take(subscriber), [""; 0]);
        }
    }
}

#[test]
fn rtr_14_keys_of_events_may_be_ignored() {
    for (quirks, received) in [(Quirks::none(), 1), (Quirks::none().no_sharding(), 2)] {
        let mut world = world(quirks);
        let (publisher, nodes) = (join(&mut world), [(); 2].map(|()| join(&mut world)));
        for (peer, key) in nodes.iter().zip(["one", "other"]) {
            world.send(*peer, &format!(r#"[32,1,{{"nkey":"{key}"}},"a.b"]"#));
            world.take(*peer);
        }
        world.send(publisher, r#"[16,1,{"rkey":"k"},"a.b"]"#);
        assert_eq!(nodes.map(|peer| world.take(peer).len()).iter().sum::<usize>(), received);
    }
}

#[test]
fn rtr_14_published_may_come_after_the_event() {
    for (quirks, codes) in [(Quirks::none(), ["[17", "[36"]), (Quirks::none().published_last(), ["[36", "[17"])] {
        let mut world = world(quirks);
        let peer = join(&mut world);
        world.send(peer, r#"[32,1,{},"a.b"]"#);
        world.take(peer);
        world.send(peer, r#"[16,2,{"acknowledge":true,"exclude_me":false},"a.b"]"#);
        let received = world.take(peer);
        assert_eq!(received.len(), 2);
        assert!(received.iter().zip(codes).all(|(message, code)| message.starts_with(code)), "{received:?}");
    }
}

#[test]
fn rtr_14_a_router_may_retain_nothing() {
    let mut world = world(Quirks::none().no_retention());
    let (publisher, subscriber) = (join(&mut world), join(&mut world));
    world.send(publisher, r#"[16,1,{"retain":true},"a.b",[1]]"#);
    world.send(subscriber, r#"[32,1,{"get_retained":true},"a.b"]"#);
    assert_eq!(world.take(subscriber), ["[33,1,1]"]);
}

#[test]
fn rtr_14_a_retained_event_may_have_another_id_each_time() {
    for (quirks, is_same) in [(Quirks::none(), true), (Quirks::none().new_retained_ids(), false)] {
        let mut world = world(quirks);
        let publisher = join(&mut world);
        world.send(publisher, r#"[16,1,{"retain":true,"acknowledge":true},"a.b",[1]]"#);
        let Some(Message::Published(published)) = world.messages(publisher).pop() else { panic!("no PUBLISHED") };
        let mut ids = vec![published.publication];
        for _ in 0..2 {
            let subscriber = join(&mut world);
            world.send(subscriber, r#"[32,1,{"get_retained":true},"a.b"]"#);
            let Some(Message::Event(event)) = world.messages(subscriber).pop() else { panic!("no EVENT") };
            assert_eq!(event.details.retained, Some(true));
            ids.push(event.publication);
        }
        ids.dedup();
        assert_eq!(ids.len(), if is_same { 1 } else { 3 });
        let subscriber = join(&mut world);
        world.send(subscriber, r#"[32,1,{"get_retained":true,"match":"prefix"},"a."]"#);
        assert_eq!(world.take(subscriber).len(), if is_same { 2 } else { 1 }, "only for the topic itself");
    }
}

#[test]
fn rtr_14_publishers_may_be_disclosed_to_those_who_announce_it() {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    let mut world = World::new(quirky(Quirks::none().disclose_to_announced(), realm));
    let knowing = HELLO.replace(r#""subscriber":{}"#, r#""subscriber":{"features":{"publisher_identification":true}}"#);
    let [publisher, plain, knowing] = [HELLO, HELLO, &knowing].map(|hello| world.greet(hello));
    for peer in [plain, knowing] {
        world.send(peer, r#"[32,1,{},"a.b"]"#);
        world.take(peer);
    }
    world.send(publisher, r#"[16,1,{"disclose_me":true},"a.b"]"#);
    assert!(world.one(plain).ends_with(",{}]"));
    assert!(world.one(knowing).contains(r#""publisher_authrole":"guest""#));
}
