//! What only Crossbar.io has.

mod calls;
mod meta;
mod pubsub;
mod rpc;
mod sessions;
mod ways;

use loowy_tokio::auth::{self, Answer, AuthFuture, Authenticator, Offer};
use loowy_tokio::{AuthError, Challenge, Config, Format};

use super::{FORMATS, Method, Router, basic, matrix, refusal, ticket, wamp_error};

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
    let test = |url| basic::values(url, &FORMATS);
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

#[tokio::test]
async fn a_wrong_password_is_refused() {
    Router::Crossbar
        .run("a_wrong_password_is_refused", |url| async move {
            for format in FORMATS {
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

/// A method that no router has.
struct Nothing;

impl Authenticator for Nothing {
    fn method(&self) -> &str {
        "nosuch"
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        Box::pin(async { Ok(Offer::default()) })
    }

    fn answer<'a>(&'a self, _challenge: &'a Challenge) -> AuthFuture<'a, Answer> {
        Box::pin(async { Err(AuthError::Malformed("nobody asks")) })
    }
}

#[tokio::test]
async fn the_first_method_decides() {
    Router::Crossbar
        .run("the_first_method_decides", |url| async move {
            // It would let peter in by the second one, did it get as far.
            let config = Config::new(url.as_str(), "realm1");
            let config = config.authenticator(Nothing).authenticator(auth::Ticket::new("peter", "ticket1"));
            let (reason, message) = refusal(config).await;
            assert_eq!(reason, "wamp.error.not_authorized");
            assert!(message.unwrap().contains("nosuch"));
        })
        .await;
}

#[tokio::test]
async fn integers_keep_their_64_bits_in_json() {
    Router::Crossbar.run("integers_keep_their_64_bits_in_json", basic::large_integers).await;
}

#[tokio::test]
async fn realms_are_apart() {
    Router::Crossbar.run("realms_are_apart", basic::realms).await;
}

#[tokio::test]
async fn an_unknown_realm_is_refused() {
    Router::Crossbar
        .run("an_unknown_realm_is_refused", |url| async move {
            for format in FORMATS {
                let (reason, message) = refusal(Config::new(url.as_str(), "no.such.realm").formats([format])).await;
                assert_eq!(reason, "wamp.error.no_such_realm");
                assert!(message.is_some());
            }
        })
        .await;
}

#[tokio::test]
async fn what_a_role_may_not_do_is_refused() {
    Router::Crossbar
        .run("what_a_role_may_not_do_is_refused", |url| async move {
            for format in FORMATS {
                let client = ticket(&url, format, "limited", "ticket2").await;
                let refused = [
                    client.publish_acked("com.private.topic", ()).await.unwrap_err(),
                    client.publish_acked("com.public.topic", ()).await.unwrap_err(),
                    client.subscribe("com.private.topic").await.unwrap_err(),
                    client.call("com.private.procedure", ()).await.unwrap_err(),
                    client.register("com.public.procedure").await.unwrap_err(),
                ];
                for error in refused {
                    assert_eq!(wamp_error(error).uri(), "wamp.error.not_authorized");
                }
                // Nobody is told that it was refused, and nobody gets it.
                let peter = ticket(&url, format, "peter", "ticket1").await;
                let mut events = client.subscribe("com.public.topic").await.unwrap();
                client.publish("com.public.topic", "refused").await.unwrap();
                let error = wamp_error(client.call("com.public.procedure", ()).await.unwrap_err());
                assert_eq!(error.uri(), "wamp.error.no_such_procedure");
                peter.publish_acked("com.public.topic", "allowed").await.unwrap();
                assert_eq!(events.next().await.unwrap().arg::<String>(0).unwrap(), "allowed");
                client.close().await.unwrap();
                peter.close().await.unwrap();
            }
        })
        .await;
}
