//! The meta API of Crossbar.io: sessions, subscriptions, registrations, testaments and histories.

use std::num::NonZeroU64;

use loowy_tokio::meta::{HistoryFilter, Kill, TestamentScope};
use loowy_tokio::{
    CloseCause, ConnectionEvent, Format, MatchPolicy, MetaError, ReconnectPolicy, RequestError, SubscribeOptions,
};

use crate::{Method, Router, config, join, own};

#[tokio::test]
async fn sessions_are_counted_listed_and_described() {
    Router::Crossbar
        .run("sessions_are_counted_listed_and_described", |url| async move {
            for format in [Format::Json, Format::MsgPack, Format::Cbor] {
                let client = join(&url, format, Method::Anonymous).await;
                let meta = client.meta();
                let mut joins = meta.on_join().await.unwrap();
                let mut leaves = meta.on_leave().await.unwrap();
                let other = join(&url, format, Method::Ticket).await;
                let session = other.session().unwrap().session;
                let joined = loop {
                    let details = joins.next().await.unwrap().unwrap();
                    if details.session == session {
                        break details;
                    }
                };
                assert_eq!(joined.authid.as_deref(), Some("peter"));
                assert!(meta.session_count().await.unwrap() >= 2);
                assert!(meta.sessions().await.unwrap().contains(&session));
                assert!(meta.sessions_of(["anonymous"]).await.unwrap().contains(&session));
                assert!(!meta.sessions_of(["quiet"]).await.unwrap().contains(&session));
                let details = meta.session(session).await.unwrap();
                assert_eq!(details.authid.as_deref(), Some("peter"));
                assert_eq!(details.authrole.as_deref(), Some("anonymous"));
                other.close().await.unwrap();
                loop {
                    if leaves.next().await.unwrap().unwrap().session == session {
                        break;
                    }
                }
                // Crossbar.io 26 fails on a session that has just gone with `wamp.error.runtime_error`.
                let gone = meta.session(session).await.unwrap_err();
                assert!(matches!(gone, MetaError::Request(RequestError::Wamp(_))), "{gone:?}");
                client.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn a_session_that_is_killed_is_told() {
    Router::Crossbar
        .run("a_session_that_is_killed_is_told", |url| async move {
            let killer = join(&url, Format::Json, Method::Anonymous).await;
            let config = config(&url, Format::Cbor, Method::Anonymous).reconnect(ReconnectPolicy::never());
            let victim = loowy_tokio::connect(config).await.unwrap();
            let mut states = victim.connection_events();
            assert!(matches!(states.next().await, Some(ConnectionEvent::Joined(_))));
            let session = victim.session().unwrap().session;
            let kill = Kill::new().message("out");
            killer.meta().kill_session(session, kill).await.unwrap();
            let Some(ConnectionEvent::Closed(cause)) = states.next().await else { panic!("no end") };
            let CloseCause::Goodbye(goodbye) = &*cause else { panic!("{cause:?}") };
            assert!(goodbye.reason.as_str().starts_with("wamp.close."), "{}", goodbye.reason);
            assert_eq!(goodbye.details.message.as_deref(), Some("out"));
            assert!(killer.meta().kill_session(session, Kill::new()).await.is_err());
        })
        .await;
}

#[tokio::test]
async fn registrations_are_looked_up_and_watched() {
    Router::Crossbar
        .run("registrations_are_looked_up_and_watched", |url| async move {
            let client = join(&url, Format::MsgPack, Method::Anonymous).await;
            let other = join(&url, Format::Json, Method::Anonymous).await;
            let meta = client.meta();
            let procedure = own(&client, "watched");
            let mut creates = meta.on_registration_create().await.unwrap();
            let mut deletes = meta.on_registration_delete().await.unwrap();
            assert_eq!(meta.lookup_registration(procedure.as_str(), MatchPolicy::Exact).await.unwrap(), None);
            let guard = other.register(procedure.as_str()).await.unwrap();
            let created = loop {
                let created = creates.next().await.unwrap().unwrap();
                if created.details.uri.as_ref().is_some_and(|uri| *uri == procedure.as_str()) {
                    break created;
                }
            };
            assert_eq!(created.session, other.session().unwrap().session);
            let id = meta.lookup_registration(procedure.as_str(), MatchPolicy::Exact).await.unwrap().unwrap();
            assert_eq!(created.details.id, id);
            assert_eq!(meta.match_registration(procedure.as_str()).await.unwrap(), Some(id));
            assert!(meta.registrations().await.unwrap().exact.contains(&id));
            let details = meta.registration(id).await.unwrap();
            assert_eq!(details.uri.unwrap().as_str(), procedure);
            assert_eq!(meta.callees(id).await.unwrap(), [created.session]);
            assert_eq!(meta.callee_count(id).await.unwrap(), 1);
            guard.unregister().await.unwrap();
            while deletes.next().await.unwrap().unwrap().registration != id {}
            // Crossbar.io does not say whose it was, once the session has ended.
            let _guard = other.register(procedure.as_str()).await.unwrap();
            let id = meta.lookup_registration(procedure.as_str(), MatchPolicy::Exact).await.unwrap().unwrap();
            other.close().await.unwrap();
            let gone = loop {
                let change = deletes.next().await.unwrap().unwrap();
                if change.registration == id {
                    break change;
                }
            };
            assert_eq!(gone.session, None);
        })
        .await;
}

#[tokio::test]
async fn subscriptions_are_looked_up_and_watched() {
    Router::Crossbar
        .run("subscriptions_are_looked_up_and_watched", |url| async move {
            let client = join(&url, Format::Cbor, Method::Anonymous).await;
            let other = join(&url, Format::MsgPack, Method::Anonymous).await;
            let meta = client.meta();
            let topic = own(&client, "watched");
            let mut creates = meta.on_subscription_create().await.unwrap();
            let mut deletes = meta.on_subscription_delete().await.unwrap();
            assert_eq!(meta.lookup_subscription(topic.as_str(), MatchPolicy::Exact).await.unwrap(), None);
            assert_eq!(meta.match_subscriptions(topic.as_str()).await.unwrap(), []);
            let subscription = other.subscribe(topic.as_str()).await.unwrap();
            let created = loop {
                let created = creates.next().await.unwrap().unwrap();
                if created.details.uri.as_ref().is_some_and(|uri| *uri == topic.as_str()) {
                    break created;
                }
            };
            let id = meta.lookup_subscription(topic.as_str(), MatchPolicy::Exact).await.unwrap().unwrap();
            assert_eq!(created.details.id, id);
            assert_eq!(meta.match_subscriptions(topic.as_str()).await.unwrap(), [id]);
            assert!(meta.subscriptions().await.unwrap().exact.contains(&id));
            assert_eq!(meta.subscribers(id).await.unwrap(), [other.session().unwrap().session]);
            assert_eq!(meta.subscriber_count(id).await.unwrap(), 1);
            subscription.unsubscribe().await.unwrap();
            while deletes.next().await.unwrap().unwrap().subscription != id {}
            let _subscription = other.subscribe(topic.as_str()).await.unwrap();
            let id = meta.lookup_subscription(topic.as_str(), MatchPolicy::Exact).await.unwrap().unwrap();
            other.close().await.unwrap();
            let gone = loop {
                let change = deletes.next().await.unwrap().unwrap();
                if change.subscription == id {
                    break change;
                }
            };
            assert_eq!(gone.session, None);
        })
        .await;
}

#[tokio::test]
async fn testaments_are_published_when_the_session_ends() {
    Router::Crossbar
        .run("testaments_are_published_when_the_session_ends", |url| async move {
            for format in [Format::Json, Format::MsgPack, Format::Cbor] {
                let heir = join(&url, format, Method::Anonymous).await;
                let topic = own(&heir, "testament");
                let mut events = heir.subscribe(topic.as_str()).await.unwrap();
                let flushed = join(&url, format, Method::Anonymous).await;
                flushed.meta().add_testament(topic.as_str(), "flushed").await.unwrap();
                flushed.meta().flush_testaments(TestamentScope::Destroyed).await.unwrap();
                flushed.close().await.unwrap();
                let testator = join(&url, format, Method::Anonymous).await;
                testator.meta().add_testament(topic.as_str(), ("farewell", 7)).await.unwrap();
                testator.close().await.unwrap();
                let event = events.next().await.unwrap();
                assert_eq!(event.args::<(String, u8)>().unwrap(), ("farewell".to_owned(), 7));
                heir.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn histories_give_the_last_events() {
    Router::Crossbar
        .run("histories_give_the_last_events", |url| async move {
            let client = join(&url, Format::MsgPack, Method::Anonymous).await;
            let receiver = join(&url, Format::Json, Method::Anonymous).await;
            let meta = client.meta();
            for (topic, pattern, policy) in [
                ("com.history.exact", "com.history.exact", MatchPolicy::Exact),
                ("com.history.prefix.one", "com.history.prefix.", MatchPolicy::Prefix),
            ] {
                // Crossbar.io remembers only what somebody has received by the same subscription.
                let options = SubscribeOptions::new().match_policy(policy);
                let mut events = receiver.subscribe_with(pattern, options).await.unwrap();
                let mut publications = Vec::new();
                for number in 0..3_u32 {
                    publications.push(client.publish_acked(topic, ("kept", number)).await.unwrap());
                }
                for publication in &publications {
                    assert_eq!(events.next().await.unwrap().publication(), *publication);
                }
                let id = meta.lookup_subscription(pattern, policy).await.unwrap().unwrap();
                let filter = HistoryFilter::new().limit(NonZeroU64::new(2).unwrap());
                let history = meta.get_events(id, filter).await.unwrap();
                // The newest comes first.
                let found: Vec<_> = history.events.iter().map(|event| event.publication.unwrap()).collect();
                assert_eq!(found, [publications[2], publications[1]]);
                assert_eq!(history.events[0].args::<(String, u32)>().unwrap(), ("kept".to_owned(), 2));
            }
        })
        .await;
}
