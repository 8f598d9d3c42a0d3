//! What only Crossbar.io has.

mod calls;
mod meta;
mod pubsub;
mod rpc;

use loowy_tokio::{CloseCause, Config, Format, auth};

use super::{Method, Router, basic, matrix, wamp_error};

matrix! {
    Crossbar
    json_anonymous: Json Anonymous;
    json_ticket: Json Ticket;
    json_wampcra: Json Cra;
    json_wampcra_salted: Json SaltedCra;
    msgpack_anonymous: MsgPack Anonymous;
    msgpack_ticket: MsgPack Ticket;
    msgpack_wampcra: MsgPack Cra;
    msgpack_wampcra_salted: MsgPack SaltedCra;
    cbor_anonymous: Cbor Anonymous;
    cbor_ticket: Cbor Ticket;
    cbor_wampcra: Cbor Cra;
    cbor_wampcra_salted: Cbor SaltedCra;
}

#[tokio::test]
async fn values_cross_formats_unchanged() {
    let test = |url| basic::values(url, &[Format::Json, Format::MsgPack, Format::Cbor]);
    Router::Crossbar.run("values_cross_formats_unchanged", test).await;
}

#[tokio::test]
async fn large_messages_pass_in_both_directions() {
    Router::Crossbar.run("large_messages_pass_in_both_directions", basic::large_messages).await;
}

#[tokio::test]
async fn sixteen_callers_at_once_get_their_own_results() {
    Router::Crossbar.run("sixteen_callers_at_once_get_their_own_results", basic::many_callers).await;
}

#[tokio::test]
async fn several_methods_are_offered_in_their_order() {
    Router::Crossbar
        .run("several_methods_are_offered_in_their_order", |url| async move {
            let config = Config::new(url, "realm1")
                .authenticator(auth::Cra::new("peter", "secret1"))
                .authenticator(auth::Ticket::new("peter", "ticket1"));
            let client = loowy_tokio::connect(config).await.unwrap();
            let session = client.session().unwrap();
            assert_eq!(session.details.authmethod.as_deref(), Some("wampcra"));
            client.close().await.unwrap();
        })
        .await;
}

/// What the router says when it refuses to let somebody join.
async fn refusal(config: Config) -> (String, Option<String>) {
    match loowy_tokio::connect(config).await.unwrap_err() {
        CloseCause::Abort(abort) => (abort.reason.to_string(), abort.details.message.as_deref().map(str::to_owned)),
        cause => panic!("expected an ABORT, got {cause:?}"),
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    Router::Crossbar
        .run("a_wrong_password_is_refused", |url| async move {
            for format in [Format::Json, Format::MsgPack, Format::Cbor] {
                let config = Config::new(url.as_str(), "realm1").formats([format]);
                let (reason, _) = refusal(config.clone().authenticator(auth::Ticket::new("peter", "wrong"))).await;
                assert_eq!(reason, "wamp.error.not_authorized");
                let (reason, _) = refusal(config.clone().authenticator(auth::Cra::new("peter", "wrong"))).await;
                assert_eq!(reason, "wamp.error.not_authorized");
                let (reason, _) = refusal(config.authenticator(auth::Cra::new("peter-salted", "wrong"))).await;
                assert_eq!(reason, "wamp.error.not_authorized");
            }
        })
        .await;
}

#[tokio::test]
async fn an_unknown_realm_is_refused() {
    Router::Crossbar
        .run("an_unknown_realm_is_refused", |url| async move {
            let (reason, message) = refusal(Config::new(url, "no.such.realm")).await;
            assert_eq!(reason, "wamp.error.no_such_realm");
            assert!(message.is_some());
        })
        .await;
}

#[tokio::test]
async fn what_a_role_may_not_do_is_refused() {
    Router::Crossbar
        .run("what_a_role_may_not_do_is_refused", |url| async move {
            let config = Config::new(url, "realm1").authenticator(auth::Ticket::new("limited", "ticket2"));
            let client = loowy_tokio::connect(config).await.unwrap();
            let error = wamp_error(client.publish_acked("com.private.topic", ()).await.unwrap_err());
            assert_eq!(error.uri(), "wamp.error.not_authorized");
            let error = wamp_error(client.subscribe("com.private.topic").await.unwrap_err());
            assert_eq!(error.uri(), "wamp.error.not_authorized");
            let subscription = client.subscribe("com.public.topic").await.unwrap();
            drop(subscription);
            client.close().await.unwrap();
        })
        .await;
}
