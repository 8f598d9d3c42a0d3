//! The rest of the meta API of Crossbar.io: registrations, subscriptions and histories.

use std::num::NonZeroU64;

use loowy_tokio::meta::{HistoryFilter, RegistrationChange, SubscriptionChange};
use loowy_tokio::{
    Client, InvokePolicy, MatchPolicy, MetaEvents, RegisterOptions, RegistrationId, SessionId, SubscribeOptions,
    SubscriptionId,
};

use crate::{FORMATS, Method, Router, join, own};

/// The next change of a registration: who was added or removed.
async fn at_registration(changes: &mut MetaEvents<RegistrationChange>, id: RegistrationId) -> Option<SessionId> {
    loop {
        let change = changes.next().await.unwrap().unwrap();
        if change.registration == id {
            return change.session;
        }
    }
}

/// The next change of a subscription: who was added or removed.
async fn at_subscription(changes: &mut MetaEvents<SubscriptionChange>, id: SubscriptionId) -> Option<SessionId> {
    loop {
        let change = changes.next().await.unwrap().unwrap();
        if change.subscription == id {
            return change.session;
        }
    }
}

fn id_of(client: &Client) -> SessionId {
    client.session().unwrap().session
}

#[tokio::test]
async fn registrations_are_looked_up_and_watched() {
    Router::Crossbar
        .run("registrations_are_looked_up_and_watched", |url| async move {
            for format in FORMATS {
                let client = join(&url, format, Method::Anonymous).await;
                let first = join(&url, format, Method::Anonymous).await;
                let second = join(&url, format, Method::Anonymous).await;
                let meta = client.meta();
                let mut creates = meta.on_registration_create().await.unwrap();
                let mut registers = meta.on_register().await.unwrap();
                let mut unregisters = meta.on_unregister().await.unwrap();
                let mut deletes = meta.on_registration_delete().await.unwrap();
                for policy in [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard] {
                    let base = own(&client, policy.as_str());
                    let procedure = if policy == MatchPolicy::Wildcard { format!("{base}..x") } else { base.clone() };
                    let called = if policy == MatchPolicy::Exact { base.clone() } else { format!("{base}.a.x") };
                    assert_eq!(meta.lookup_registration(procedure.as_str(), policy).await.unwrap(), None);
                    assert_eq!(meta.match_registration(called.as_str()).await.unwrap(), None);

                    let options = || RegisterOptions::new().match_policy(policy).invoke(InvokePolicy::RoundRobin);
                    let at_first = first.register_with(procedure.as_str(), options()).await.unwrap();
                    let created = loop {
                        let created = creates.next().await.unwrap().unwrap();
                        if created.details.uri.as_ref().is_some_and(|uri| *uri == procedure.as_str()) {
                            break created;
                        }
                    };
                    assert_eq!(created.session, id_of(&first));
                    let id = created.details.id;
                    assert_eq!(at_registration(&mut registers, id).await, Some(id_of(&first)));
                    let at_second = second.register_with(procedure.as_str(), options()).await.unwrap();
                    assert_eq!(at_registration(&mut registers, id).await, Some(id_of(&second)));

                    assert_eq!(meta.lookup_registration(procedure.as_str(), policy).await.unwrap(), Some(id));
                    assert_eq!(meta.match_registration(called.as_str()).await.unwrap(), Some(id));
                    let all = meta.registrations().await.unwrap();
                    assert_eq!(all.exact.contains(&id), policy == MatchPolicy::Exact);
                    assert_eq!(all.prefix.contains(&id), policy == MatchPolicy::Prefix);
                    assert_eq!(all.wildcard.contains(&id), policy == MatchPolicy::Wildcard);
                    let details = meta.registration(id).await.unwrap();
                    assert_eq!(details.uri.unwrap().as_str(), procedure);
                    assert_eq!((details.match_policy, details.invoke), (policy, Some(InvokePolicy::RoundRobin)));
                    assert!(details.created.is_some());
                    let mut callees = meta.callees(id).await.unwrap();
                    callees.sort();
                    let mut both = [id_of(&first), id_of(&second)];
                    both.sort();
                    assert_eq!(callees, both);
                    assert_eq!(meta.callee_count(id).await.unwrap(), 2);

                    at_first.unregister().await.unwrap();
                    assert_eq!(at_registration(&mut unregisters, id).await, Some(id_of(&first)));
                    assert_eq!(meta.callees(id).await.unwrap(), [id_of(&second)]);
                    at_second.unregister().await.unwrap();
                    assert_eq!(at_registration(&mut unregisters, id).await, Some(id_of(&second)));
                    assert_eq!(at_registration(&mut deletes, id).await, Some(id_of(&second)));
                    assert!(meta.registration(id).await.is_err());
                }
                // Crossbar.io does not say whose it was, once the session has ended.
                let procedure = own(&client, "watched");
                let _registration = first.register(procedure.as_str()).await.unwrap();
                let id = meta.lookup_registration(procedure.as_str(), MatchPolicy::Exact).await.unwrap().unwrap();
                first.close().await.unwrap();
                assert_eq!(at_registration(&mut deletes, id).await, None);
                second.close().await.unwrap();
                client.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn subscriptions_are_looked_up_and_watched() {
    Router::Crossbar
        .run("subscriptions_are_looked_up_and_watched", |url| async move {
            for format in FORMATS {
                let client = join(&url, format, Method::Anonymous).await;
                let first = join(&url, format, Method::Anonymous).await;
                let second = join(&url, format, Method::Anonymous).await;
                let meta = client.meta();
                let mut creates = meta.on_subscription_create().await.unwrap();
                let mut subscribes = meta.on_subscribe().await.unwrap();
                let mut unsubscribes = meta.on_unsubscribe().await.unwrap();
                let mut deletes = meta.on_subscription_delete().await.unwrap();
                for policy in [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard] {
                    let base = own(&client, policy.as_str());
                    let topic = if policy == MatchPolicy::Wildcard { format!("{base}..x") } else { base.clone() };
                    let published = if policy == MatchPolicy::Exact { base.clone() } else { format!("{base}.a.x") };
                    assert_eq!(meta.lookup_subscription(topic.as_str(), policy).await.unwrap(), None);
                    assert_eq!(meta.match_subscriptions(published.as_str()).await.unwrap(), []);

                    let options = || SubscribeOptions::new().match_policy(policy);
                    let at_first = first.subscribe_with(topic.as_str(), options()).await.unwrap();
                    let created = loop {
                        let created = creates.next().await.unwrap().unwrap();
                        if created.details.uri.as_ref().is_some_and(|uri| *uri == topic.as_str()) {
                            break created;
                        }
                    };
                    assert_eq!(created.session, id_of(&first));
                    let id = created.details.id;
                    assert_eq!(at_subscription(&mut subscribes, id).await, Some(id_of(&first)));
                    let at_second = second.subscribe_with(topic.as_str(), options()).await.unwrap();
                    assert_eq!(at_subscription(&mut subscribes, id).await, Some(id_of(&second)));

                    assert_eq!(meta.lookup_subscription(topic.as_str(), policy).await.unwrap(), Some(id));
                    assert_eq!(meta.match_subscriptions(published.as_str()).await.unwrap(), [id]);
                    let all = meta.subscriptions().await.unwrap();
                    assert_eq!(all.exact.contains(&id), policy == MatchPolicy::Exact);
                    assert_eq!(all.prefix.contains(&id), policy == MatchPolicy::Prefix);
                    assert!(all.wildcard.is_empty(), "Crossbar.io has learnt to list wildcards");
                    let details = meta.subscription(id).await.unwrap();
                    assert_eq!(details.uri.unwrap().as_str(), topic);
                    assert_eq!(details.match_policy, policy);
                    assert!(details.created.is_some());
                    let mut subscribers = meta.subscribers(id).await.unwrap();
                    subscribers.sort();
                    let mut both = [id_of(&first), id_of(&second)];
                    both.sort();
                    assert_eq!(subscribers, both);
                    assert_eq!(meta.subscriber_count(id).await.unwrap(), 2);

                    at_first.unsubscribe().await.unwrap();
                    assert_eq!(at_subscription(&mut unsubscribes, id).await, Some(id_of(&first)));
                    assert_eq!(meta.subscribers(id).await.unwrap(), [id_of(&second)]);
                    at_second.unsubscribe().await.unwrap();
                    assert_eq!(at_subscription(&mut unsubscribes, id).await, Some(id_of(&second)));
                    assert_eq!(at_subscription(&mut deletes, id).await, Some(id_of(&second)));
                    assert!(meta.subscription(id).await.is_err());
                }
                // Crossbar.io does not say whose it was, once the session has ended.
                let topic = own(&client, "watched");
                let _subscription = first.subscribe(topic.as_str()).await.unwrap();
                let id = meta.lookup_subscription(topic.as_str(), MatchPolicy::Exact).await.unwrap().unwrap();
                first.close().await.unwrap();
                assert_eq!(at_subscription(&mut deletes, id).await, None);
                second.close().await.unwrap();
                client.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn histories_give_the_last_events() {
    Router::Crossbar
        .run("histories_give_the_last_events", |url| async move {
            for format in FORMATS {
                let client = join(&url, format, Method::Anonymous).await;
                let receiver = join(&url, format, Method::Anonymous).await;
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
                client.close().await.unwrap();
            }
        })
        .await;
}
