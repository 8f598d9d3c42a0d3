//! The sessions of Crossbar.io: who is there, who is killed, and what they leave behind.

use std::collections::BTreeMap;

use loowy_tokio::meta::{Kill, Testament, TestamentScope};
use loowy_tokio::{
    ArgsKwargs, Client, CloseCause, Config, ConnectionEvent, ConnectionEvents, MetaError, PublishOptions,
    ReconnectPolicy, RequestError, auth,
};

use crate::{FORMATS, Method, Router, config, join, own, ticket};

/// A session that ends when it is told to.
async fn mortal(config: Config) -> (Client, ConnectionEvents) {
    let client = loowy_tokio::connect(config.reconnect(ReconnectPolicy::never())).await.unwrap();
    let mut states = client.connection_events();
    assert!(matches!(states.next().await, Some(ConnectionEvent::Joined(_))));
    (client, states)
}

/// Waits until a session is told to end, with this message.
async fn told(states: &mut ConnectionEvents, message: Option<&str>) {
    let Some(ConnectionEvent::Closed(cause)) = states.next().await else { panic!("no end") };
    let CloseCause::Goodbye(goodbye) = &*cause else { panic!("{cause:?}") };
    assert!(goodbye.reason.as_str().starts_with("wamp.close."), "{}", goodbye.reason);
    assert_eq!(goodbye.details.message.as_deref(), message);
}

#[tokio::test]
async fn sessions_are_counted_listed_and_described() {
    Router::Crossbar
        .run("sessions_are_counted_listed_and_described", |url| async move {
            for format in FORMATS {
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
                assert_eq!(joined.authrole.as_deref(), Some("anonymous"));
                assert_eq!(joined.authmethod.as_deref(), Some("ticket"));
                assert!(meta.session_count().await.unwrap() >= 2);
                assert!(meta.session_count_of(["anonymous"]).await.unwrap() >= 2);
                assert_eq!(meta.session_count_of(["nobody"]).await.unwrap(), 0);
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
async fn sessions_that_are_killed_are_told() {
    Router::Crossbar
        .run("sessions_that_are_killed_are_told", |url| async move {
            for format in FORMATS {
                let killer = join(&url, format, Method::Anonymous).await;
                let meta = killer.meta();
                // An anonymous authid is that of one session.
                let (victim, mut states) = mortal(config(&url, format, Method::Anonymous)).await;
                let session = victim.session().unwrap().session;
                meta.kill_session(session, Kill::new().message("out")).await.unwrap();
                told(&mut states, Some("out")).await;
                assert!(meta.kill_session(session, Kill::new()).await.is_err());

                let (victim, mut states) = mortal(config(&url, format, Method::Anonymous)).await;
                let joined = victim.session().unwrap();
                let killed = meta.kill_by_authid(joined.details.authid.as_deref().unwrap(), Kill::new().message("you"));
                // Crossbar.io lists them.
                let killed = killed.await.unwrap();
                assert_eq!((killed.count, killed.sessions), (1, Some(vec![joined.session])));
                told(&mut states, Some("you")).await;

                let mortals =
                    config(&url, format, Method::Anonymous).authenticator(auth::Ticket::new("mayfly", "ticket4"));
                let (_first, mut first) = mortal(mortals.clone()).await;
                let (_second, mut second) = mortal(mortals).await;
                let killed = meta.kill_by_authrole("mortal", Kill::new().message("all of you")).await.unwrap();
                assert_eq!(killed.count, 2);
                told(&mut first, Some("all of you")).await;
                told(&mut second, Some("all of you")).await;
                assert_eq!(meta.kill_by_authrole("mortal", Kill::new()).await.unwrap().count, 0);
                killer.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn testaments_are_published_when_the_session_ends() {
    Router::Crossbar
        .run("testaments_are_published_when_the_session_ends", |url| async move {
            for format in FORMATS {
                let heir = join(&url, format, Method::Anonymous).await;
                let topic = own(&heir, "testament");
                let mut events = heir.subscribe(topic.as_str()).await.unwrap();
                for scope in [TestamentScope::Destroyed, TestamentScope::Detached] {
                    let other = match scope {
                        TestamentScope::Destroyed => TestamentScope::Detached,
                        _ => TestamentScope::Destroyed,
                    };
                    let testator = join(&url, format, Method::Anonymous).await;
                    let meta = testator.meta();
                    for (scope, words) in [(scope, ("farewell", 7)), (scope, ("once more", 8)), (other, ("flushed", 9))]
                    {
                        let testament = Testament::new().scope(scope);
                        meta.add_testament_with(topic.as_str(), words, testament).await.unwrap();
                    }
                    meta.flush_testaments(other).await.unwrap();
                    testator.close().await.unwrap();
                    for words in [("farewell", 7), ("once more", 8)] {
                        let (text, number): (String, u8) = events.next().await.unwrap().args().unwrap();
                        assert_eq!((text.as_str(), number), words);
                    }
                }
                heir.publish_acked_with(topic.as_str(), "nothing else", PublishOptions::new().exclude_me(false))
                    .await
                    .unwrap();
                assert_eq!(events.next().await.unwrap().arg::<String>(0).unwrap(), "nothing else");
                heir.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn testaments_have_options_of_their_own() {
    Router::Crossbar
        .run("testaments_have_options_of_their_own", |url| async move {
            for format in FORMATS {
                let heir = join(&url, format, Method::Anonymous).await;
                let other = ticket(&url, format, "quiet", "ticket3").await;
                let topic = own(&heir, "testament");
                let (mut at_heir, mut at_other) =
                    (heir.subscribe(topic.as_str()).await.unwrap(), other.subscribe(topic.as_str()).await.unwrap());
                let testator = join(&url, format, Method::Anonymous).await;
                let options = PublishOptions::new().exclude_authrole(["quiet"]);
                let words = ArgsKwargs(("farewell",), BTreeMap::from([("number", 7)]));
                let testament = Testament::new().options(options);
                testator.meta().add_testament_with(topic.as_str(), words, testament).await.unwrap();
                testator.close().await.unwrap();
                let event = at_heir.next().await.unwrap();
                assert_eq!(event.arg::<String>(0).unwrap(), "farewell");
                assert_eq!(
                    event.kwargs::<BTreeMap<String, u32>>().unwrap(),
                    BTreeMap::from([("number".to_owned(), 7)])
                );
                heir.publish_acked(topic.as_str(), "next").await.unwrap();
                assert_eq!(at_other.next().await.unwrap().arg::<String>(0).unwrap(), "next");
                heir.close().await.unwrap();
                other.close().await.unwrap();
            }
        })
        .await;
}
