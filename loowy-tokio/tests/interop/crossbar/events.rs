//! Publish and subscribe, with what the Advanced Profile adds.

use loowy_tokio::{Event, Format, MatchPolicy, PublishOptions, SubscribeOptions, Subscription};
use tokio::sync::mpsc;

use crate::{Method, Router, join, own};

/// What a subscription has got until an event with the text `end` comes.
async fn until_end(subscription: &mut Subscription) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = subscription.next().await.unwrap();
        if event.arg::<String>(0).is_ok_and(|text| text == "end") {
            return events;
        }
        events.push(event);
    }
}

#[tokio::test]
async fn patterns_match_and_the_topic_comes_with_the_event() {
    let test = |url: String| async move {
        let (alice, bob) =
            (join(&url, Format::Json, Method::Anonymous).await, join(&url, Format::Cbor, Method::Anonymous).await);
        let topic = own(&alice, "order.created");
        let options = |policy| SubscribeOptions::new().match_policy(policy);
        let mut exact = alice.subscribe(topic.as_str()).await.unwrap();
        let prefix = topic.strip_suffix(".created").unwrap();
        let mut prefix = alice.subscribe_with(prefix, options(MatchPolicy::Prefix)).await.unwrap();
        let wildcard = topic.replace(".order.", "..");
        let mut wildcard = alice.subscribe_with(wildcard, options(MatchPolicy::Wildcard)).await.unwrap();
        bob.publish_acked(topic.as_str(), 1).await.unwrap();
        let other = topic.replace(".order.", ".offer.");
        bob.publish_acked(other.as_str(), 2).await.unwrap();
        bob.publish_acked(topic.as_str(), "end").await.unwrap();
        for (subscription, topics) in [
            (&mut exact, vec![topic.as_str()]),
            (&mut prefix, vec![topic.as_str()]),
            (&mut wildcard, vec![topic.as_str(), other.as_str()]),
        ] {
            let events = until_end(subscription).await;
            assert_eq!(events.iter().map(|event| event.topic().as_str()).collect::<Vec<_>>(), topics);
        }
        alice.unsubscribe_all(topic.as_str()).await.unwrap();
        assert!(exact.next().await.is_none() && prefix.end().is_none());
    };
    Router::Crossbar.run("patterns_match_and_the_topic_comes_with_the_event", test).await;
}

#[tokio::test]
async fn lists_say_who_receives_an_event() {
    let test = |url: String| async move {
        let publisher = join(&url, Format::Json, Method::Anonymous).await;
        let anonymous = join(&url, Format::MsgPack, Method::Anonymous).await;
        let peter = join(&url, Format::Cbor, Method::Ticket).await;
        let topic = own(&publisher, "topic");
        let mut subscriptions = Vec::new();
        for client in [&anonymous, &peter] {
            subscriptions.push(client.subscribe(topic.as_str()).await.unwrap());
        }
        let session = anonymous.session().unwrap().session;
        let options = PublishOptions::new;
        let none = [] as [&str; 0];
        for (name, options) in [
            ("eligible", options().eligible([session])),
            ("exclude", options().exclude([session])),
            ("eligible_authid", options().eligible_authid(["peter"])),
            ("exclude_authid", options().exclude_authid(["peter"])),
            ("eligible_authrole", options().eligible_authrole(["nobody"])),
            ("exclude_authrole", options().exclude_authrole(["anonymous"])),
            ("nobody is eligible", options().eligible_authid(none)),
            ("end", options()),
        ] {
            publisher.publish_acked_with(topic.as_str(), name, options).await.unwrap();
        }
        let mut received = Vec::new();
        for subscription in &mut subscriptions {
            let events = until_end(subscription).await;
            received.push(events.iter().map(|event| event.arg::<String>(0).unwrap()).collect::<Vec<_>>());
        }
        // Crossbar.io takes an empty list for none.
        assert_eq!(received[0], ["eligible", "exclude_authid", "nobody is eligible"]);
        assert_eq!(received[1], ["exclude", "eligible_authid", "nobody is eligible"]);
    };
    Router::Crossbar.run("lists_say_who_receives_an_event", test).await;
}

#[tokio::test]
async fn publishers_are_disclosed_and_may_receive_their_own_events() {
    let test = |url: String| async move {
        let alice = join(&url, Format::Json, Method::Ticket).await;
        let topic = own(&alice, "topic");
        let mut own = alice.subscribe(topic.as_str()).await.unwrap();
        alice.publish_acked(topic.as_str(), "not to itself").await.unwrap();
        let options = PublishOptions::new().exclude_me(false).disclose_me();
        let publication = alice.publish_acked_with(topic.as_str(), "to itself", options.clone()).await.unwrap();
        alice.publish_with(topic.as_str(), "end", options).await.unwrap();
        let events = until_end(&mut own).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].publication(), publication);
        assert_eq!(events[0].publisher(), Some(alice.session().unwrap().session));
        assert_eq!((events[0].publisher_authid(), events[0].publisher_authrole()), (Some("peter"), Some("anonymous")));
    };
    Router::Crossbar.run("publishers_are_disclosed_and_may_receive_their_own_events", test).await;
}

#[tokio::test]
async fn retained_events_come_to_those_who_ask() {
    let test = |url: String| async move {
        let alice = join(&url, Format::Json, Method::Anonymous).await;
        let bob = join(&url, Format::MsgPack, Method::Anonymous).await;
        let topic = own(&alice, "topic");
        bob.publish_acked_with(topic.as_str(), "first", PublishOptions::new().retain()).await.unwrap();
        bob.publish_acked_with(topic.as_str(), "last", PublishOptions::new().retain()).await.unwrap();
        let mut plain = alice.subscribe(topic.as_str()).await.unwrap();
        for _ in 0..2 {
            let options = SubscribeOptions::new().get_retained();
            let mut retained = alice.subscribe_with(topic.as_str(), options).await.unwrap();
            let event = retained.next().await.unwrap();
            assert!(event.is_retained());
            assert_eq!(event.arg::<String>(0).unwrap(), "last");
        }
        bob.publish_acked(topic.as_str(), "end").await.unwrap();
        assert!(until_end(&mut plain).await.is_empty(), "who did not ask does not get it");
    };
    Router::Crossbar.run("retained_events_come_to_those_who_ask", test).await;
}

#[tokio::test]
async fn a_handler_gets_events_in_order_and_may_use_the_client() {
    let test = |url: String| async move {
        let alice = join(&url, Format::Cbor, Method::Anonymous).await;
        let bob = join(&url, Format::Json, Method::Anonymous).await;
        let (topic, echo) = (own(&alice, "topic"), own(&alice, "echo"));
        let procedure = alice.register_fn(echo.as_str(), |n: u32| async move { Ok(n) }).await.unwrap();
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let inner = alice.clone();
        let guard = alice
            .subscribe_fn(topic.as_str(), move |n: u32| {
                let (client, sender, echo) = (inner.clone(), sender.clone(), echo.clone());
                async move {
                    sender.send(client.call(echo, n).await?.arg::<u32>(0)?)?;
                    Ok(())
                }
            })
            .await
            .unwrap();
        for n in 0..100 {
            bob.publish(topic.as_str(), n).await.unwrap();
        }
        for n in 0..100 {
            assert_eq!(receiver.recv().await, Some(n));
        }
        assert_eq!((guard.missed(), guard.failures()), (0, 0));
        guard.unsubscribe().await.unwrap();
        drop(procedure);
    };
    Router::Crossbar.run("a_handler_gets_events_in_order_and_may_use_the_client", test).await;
}
