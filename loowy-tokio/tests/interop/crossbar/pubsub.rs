//! The broker of Crossbar.io: whom it sends which events, and what it says of them.

use loowy_tokio::passthru::Passthru;
use loowy_tokio::{
    Client, CommandError, Feature, Format, MatchPolicy, PublishOptions, SubscribeOptions, Subscription, SubscriptionEnd,
};
use tokio::sync::mpsc;

use crate::{FORMATS, Method, Router, command_error, join, own, ticket};

async fn pattern(client: &Client, topic: &str, policy: MatchPolicy) -> Subscription {
    client.subscribe_with(topic, SubscribeOptions::new().match_policy(policy)).await.unwrap()
}

/// The text of the next event.
async fn text(events: &mut Subscription) -> String {
    events.next().await.unwrap().arg(0).unwrap()
}

#[tokio::test]
async fn publishers_get_their_own_events_when_they_ask_for_them() {
    Router::Crossbar
        .run("publishers_get_their_own_events_when_they_ask_for_them", |url| async move {
            for format in FORMATS {
                let client = join(&url, format, Method::Anonymous).await;
                let topic = own(&client, "own");
                let mut events = client.subscribe(topic.as_str()).await.unwrap();
                client.publish_acked(topic.as_str(), "excluded").await.unwrap();
                let options = PublishOptions::new().exclude_me(false);
                client.publish_acked_with(topic.as_str(), "included", options).await.unwrap();
                assert_eq!(text(&mut events).await, "included");
                client.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn lists_keep_events_from_some() {
    Router::Crossbar
        .run("lists_keep_events_from_some", |url| async move {
            for format in FORMATS {
                let publisher = join(&url, format, Method::Anonymous).await;
                let anonymous = join(&url, Format::Cbor, Method::Anonymous).await;
                let peter = ticket(&url, format, "peter", "ticket1").await;
                let quiet = ticket(&url, format, "quiet", "ticket3").await;
                let topic = own(&publisher, "lists");
                let mut at_anonymous = anonymous.subscribe(topic.as_str()).await.unwrap();
                let mut at_peter = peter.subscribe(topic.as_str()).await.unwrap();
                let mut at_quiet = quiet.subscribe(topic.as_str()).await.unwrap();
                let peters_session = peter.session().unwrap().session;

                let options = PublishOptions::new;
                // Who gets it: anonymous, peter, quiet.
                for (name, options, gets) in [
                    ("all", options(), [true, true, true]),
                    ("exclude", options().exclude([peters_session]), [true, false, true]),
                    ("exclude_authid", options().exclude_authid(["peter"]), [true, false, true]),
                    ("exclude_authrole", options().exclude_authrole(["quiet"]), [true, true, false]),
                    ("eligible", options().eligible([peters_session]), [false, true, false]),
                    ("eligible_authid", options().eligible_authid(["quiet"]), [false, false, true]),
                    ("eligible_authrole", options().eligible_authrole(["anonymous"]), [true, true, false]),
                    (
                        "eligible and exclude",
                        options().eligible_authrole(["anonymous"]).exclude_authid(["peter"]),
                        [true, false, false],
                    ),
                ] {
                    publisher.publish_acked_with(topic.as_str(), name, options).await.unwrap();
                    publisher.publish_acked(topic.as_str(), "next").await.unwrap();
                    for (events, gets) in [&mut at_anonymous, &mut at_peter, &mut at_quiet].into_iter().zip(gets) {
                        if gets {
                            assert_eq!(text(events).await, name);
                        }
                        assert_eq!(text(events).await, "next", "{name}");
                    }
                }
                for client in [publisher, anonymous, peter, quiet] {
                    client.close().await.unwrap();
                }
            }
        })
        .await;
}

#[tokio::test]
async fn prefixes_and_wildcards_match_and_the_topic_comes_along() {
    Router::Crossbar
        .run("prefixes_and_wildcards_match_and_the_topic_comes_along", |url| async move {
            for format in FORMATS {
                let publisher = join(&url, format, Method::Anonymous).await;
                let subscriber = join(&url, format, Method::Anonymous).await;
                let base = own(&publisher, "patterns");
                let topic = format!("{base}.one.two");
                let mut exact = subscriber.subscribe(topic.as_str()).await.unwrap();
                // One URI, two policies: two subscriptions.
                let mut prefix = pattern(&subscriber, &topic, MatchPolicy::Prefix).await;
                let mut characters = pattern(&subscriber, &format!("{base}.o"), MatchPolicy::Prefix).await;
                let mut wildcard = pattern(&subscriber, &format!("{base}..two"), MatchPolicy::Wildcard).await;

                let publication = publisher.publish_acked(topic.as_str(), format.to_string()).await.unwrap();
                for events in [&mut exact, &mut prefix, &mut characters, &mut wildcard] {
                    let event = events.next().await.unwrap();
                    assert_eq!(event.publication(), publication);
                    assert_eq!(event.topic(), topic.as_str());
                    assert_eq!(event.arg::<String>(0).unwrap(), format.to_string());
                }
                let other = format!("{base}.other.two");
                publisher.publish_acked(other.as_str(), ()).await.unwrap();
                assert_eq!(characters.next().await.unwrap().topic(), other.as_str());
                assert_eq!(wildcard.next().await.unwrap().topic(), other.as_str());
                let longer = format!("{topic}.three");
                publisher.publish_acked(longer.as_str(), ()).await.unwrap();
                assert_eq!(prefix.next().await.unwrap().topic(), longer.as_str());
                publisher.publish_acked(topic.as_str(), "last").await.unwrap();
                // Neither the other topic nor the longer one came here.
                assert_eq!(text(&mut exact).await, "last");
                assert_eq!(text(&mut wildcard).await, "last");
                subscriber.close().await.unwrap();
                publisher.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn subscribers_learn_who_publishes_as_the_role_says() {
    Router::Crossbar
        .run("subscribers_learn_who_publishes_as_the_role_says", |url| async move {
            for format in FORMATS {
                let subscriber = join(&url, format, Method::Anonymous).await;
                let peter = ticket(&url, format, "peter", "ticket1").await;
                let quiet = ticket(&url, format, "quiet", "ticket3").await;
                let topic = own(&subscriber, "disclosed");
                let mut events = subscriber.subscribe(topic.as_str()).await.unwrap();
                peter.publish_acked(topic.as_str(), ()).await.unwrap();
                let event = events.next().await.unwrap();
                assert_eq!(event.publisher(), Some(peter.session().unwrap().session));
                assert_eq!(event.publisher_authid(), Some("peter"));
                assert_eq!(event.publisher_authrole(), Some("anonymous"));
                // Roles alone decide: what the publisher wants is not asked.
                let options = PublishOptions::new().disclose_me();
                quiet.publish_acked_with(topic.as_str(), (), options).await.unwrap();
                let event = events.next().await.unwrap();
                assert_eq!((event.publisher(), event.publisher_authid()), (None, None));
                for client in [subscriber, peter, quiet] {
                    client.close().await.unwrap();
                }
            }
        })
        .await;
}

#[tokio::test]
async fn retained_events_come_first() {
    Router::Crossbar
        .run("retained_events_come_first", |url| async move {
            for format in FORMATS {
                let publisher = join(&url, format, Method::Anonymous).await;
                let topic = own(&publisher, "retained");
                // Crossbar.io keeps an event only while somebody subscribes.
                let keeper = publisher.subscribe(topic.as_str()).await.unwrap();
                let retain = PublishOptions::new().retain();
                publisher.publish_acked_with(topic.as_str(), ("kept", 1), retain).await.unwrap();
                publisher.publish_acked(topic.as_str(), "not kept").await.unwrap();

                let late = join(&url, format, Method::Anonymous).await;
                let options = SubscribeOptions::new().get_retained();
                let mut events = late.subscribe_with(topic.as_str(), options).await.unwrap();
                let event = events.next().await.unwrap();
                assert!(event.is_retained());
                assert_eq!(event.args::<(String, u8)>().unwrap(), ("kept".to_owned(), 1));
                publisher.publish_acked(topic.as_str(), "live").await.unwrap();
                let event = events.next().await.unwrap();
                assert!(!event.is_retained());
                assert_eq!(event.arg::<String>(0).unwrap(), "live");

                // One that does not ask for it gets only what comes.
                let mut plain = late.subscribe(own(&publisher, "plain")).await.unwrap();
                publisher.publish_acked(own(&publisher, "plain"), "live").await.unwrap();
                assert_eq!(text(&mut plain).await, "live");
                drop(keeper);
                late.close().await.unwrap();
                publisher.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn several_subscriptions_to_a_topic_are_independent() {
    Router::Crossbar
        .run("several_subscriptions_to_a_topic_are_independent", |url| async move {
            let publisher = join(&url, Format::Cbor, Method::Anonymous).await;
            let client = join(&url, Format::Cbor, Method::Anonymous).await;
            let topic = own(&client, "several");
            let mut first = client.subscribe(topic.as_str()).await.unwrap();
            let mut second = client.subscribe(topic.as_str()).await.unwrap();
            publisher.publish_acked(topic.as_str(), "both").await.unwrap();
            assert_eq!(text(&mut first).await, "both");
            assert_eq!(text(&mut second).await, "both");
            first.unsubscribe().await.unwrap();
            publisher.publish_acked(topic.as_str(), "one").await.unwrap();
            assert_eq!(text(&mut second).await, "one");
            client.unsubscribe_all(topic.as_str()).await.unwrap();
            assert!(second.next().await.is_none());
            assert!(matches!(second.end(), Some(SubscriptionEnd::Unsubscribed)), "{:?}", second.end());
            let mut again = client.subscribe(topic.as_str()).await.unwrap();
            publisher.publish_acked(topic.as_str(), "again").await.unwrap();
            assert_eq!(text(&mut again).await, "again");
        })
        .await;
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

#[tokio::test]
async fn publications_that_it_refuses_are_refused_locally() {
    Router::Crossbar
        .run("publications_that_it_refuses_are_refused_locally", |url| async move {
            let client = join(&url, Format::Json, Method::Anonymous).await;
            let error = client.publish_acked("wamp.session.on_join", ()).await.unwrap_err();
            assert_eq!(command_error(error), CommandError::ReservedUri);
            let options = PublishOptions::new().passthru(Passthru::new("mqtt").serializer("cbor"));
            let error = client.publish_acked_with(own(&client, "sealed"), (), options).await.unwrap_err();
            assert_eq!(command_error(error), CommandError::NotSupported(Feature::PayloadPassthruMode));
            client.close().await.unwrap();
        })
        .await;
}
