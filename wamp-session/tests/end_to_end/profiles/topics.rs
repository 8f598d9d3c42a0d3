//! Topics at routers of each kind.

use wamp_session::proto::Format;
use wamp_session::{CommandError, Feature, PublishOptions, SessionEvent, SubscribeOptions};

use super::each;
use crate::{World, payload, uri};

fn subscribed(world: &mut World, client: usize, options: SubscribeOptions) {
    let now = world.now;
    world.session(client).subscribe(now, uri("com.example.tick"), options).unwrap();
    assert!(matches!(world.event(client), Some(SessionEvent::Subscribed { result: Ok(()), .. })));
}

#[test]
fn rtr_14_an_empty_list_is_sent_as_it_is() {
    each(|world, profile| {
        let [publisher, subscriber] = [(); 2].map(|()| world.join(Format::Json));
        subscribed(world, subscriber, SubscribeOptions::new());
        let (now, nobody) = (world.now, PublishOptions::new().eligible([]));
        let published = world.session(publisher).publish(now, uri("com.example.tick"), payload(1), nobody);
        if profile == "minimal" {
            assert_eq!(published.err(), Some(CommandError::NotSupported(Feature::SubscriberBlackwhiteListing)));
            return;
        }
        let is_delivered = world.event(subscriber).is_some();
        assert_eq!(is_delivered, profile != "none", "{profile} takes it for no list");
    });
}

#[test]
fn rtr_14_the_own_event_and_the_acknowledgement_come_in_either_order() {
    each(|world, profile| {
        let client = world.join(Format::Json);
        subscribed(world, client, SubscribeOptions::new());
        let (now, options) = (world.now, PublishOptions::new().exclude_me(false));
        let key = world.session(client).publish_acked(now, uri("com.example.tick"), payload(1), options).unwrap();
        let (mut acked, mut told) = (Vec::new(), Vec::new());
        while let Some(event) = world.event(client) {
            match event {
                SessionEvent::PublishDone { key: done, result } => {
                    assert_eq!(done, key);
                    acked.push(result.unwrap());
                }
                SessionEvent::Published(event) => told.push(event.publication),
                event => panic!("{profile}: {event:?}"),
            }
        }
        assert_eq!((acked.len(), &told), (1, &acked), "{profile}");
    });
}

#[test]
fn rtr_14_retained_events_come_or_do_not() {
    each(|world, profile| {
        let [publisher, subscriber] = [(); 2].map(|()| world.join(Format::Json));
        let (now, options) = (world.now, PublishOptions::new().retain());
        let key = world.session(publisher).publish_acked(now, uri("com.example.tick"), payload(1), options).unwrap();
        let Some(SessionEvent::PublishDone { key: done, result: Ok(id) }) = world.event(publisher) else {
            panic!("{profile}")
        };
        assert_eq!(done, key);
        subscribed(world, subscriber, SubscribeOptions::new().get_retained());
        match (world.event(subscriber), profile) {
            (Some(SessionEvent::Published(event)), "none" | "crossbar") => {
                assert_eq!(event.details.retained, Some(true));
                assert_eq!(event.publication == id, profile == "none", "an id of its own at {profile}");
            }
            (None, "nexus" | "minimal") => {}
            (event, _) => panic!("{profile}: {event:?}"),
        }
    });
}
