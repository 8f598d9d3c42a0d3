//! xconn, a router that announces no feature.

use loowy_tokio::{
    CancelMode, CommandError, Config, Feature, Format, MatchPolicy, PublishOptions, RegisterOptions, RequestError,
    SubscribeOptions, auth,
};

use super::{FORMATS, Method, Router, basic, join, matrix, own, refusal};

matrix! {
    Xconn
    json_anonymous: Json Anonymous;
    json_ticket: Json Ticket;
    json_wampcra: Json Cra;
    msgpack_anonymous: MsgPack Anonymous;
    msgpack_ticket: MsgPack Ticket;
    msgpack_wampcra: MsgPack Cra;
    cbor_anonymous: Cbor Anonymous;
    cbor_ticket: Cbor Ticket;
    cbor_wampcra: Cbor Cra;
}

#[tokio::test]
async fn values_cross_formats_unchanged() {
    // It ends the session of one that is to get bytes in JSON.
    let test = |url| basic::values(url, &[Format::MsgPack, Format::Cbor]);
    Router::Xconn.run("values_cross_formats_unchanged", test).await;
}

#[tokio::test]
async fn large_messages_pass_in_both_directions() {
    Router::Xconn.run("large_messages_pass_in_both_directions", basic::large_messages).await;
}

#[tokio::test]
async fn integers_keep_their_64_bits_in_json() {
    Router::Xconn.run("integers_keep_their_64_bits_in_json", basic::large_integers).await;
}

#[tokio::test]
async fn realms_are_apart() {
    Router::Xconn.run("realms_are_apart", basic::realms).await;
}

#[tokio::test]
async fn who_may_not_join_is_told() {
    Router::Xconn
        .run("who_may_not_join_is_told", |url| async move {
            for format in FORMATS {
                let peter = Config::new(url.as_str(), "realm1").formats([format]);
                let (reason, _) = refusal(peter.clone().authenticator(auth::Ticket::new("peter", "wrong"))).await;
                assert_eq!(reason, "wamp.error.authentication_failed");
                let (reason, _) = refusal(peter.authenticator(auth::Cra::new("peter", "wrong"))).await;
                assert_eq!(reason, "wamp.error.authentication_failed");
            }
        })
        .await;
}

#[tokio::test]
async fn sixteen_callers_at_once_get_their_own_results() {
    Router::Xconn.run("sixteen_callers_at_once_get_their_own_results", basic::many_callers).await;
}

#[tokio::test]
async fn results_come_in_parts() {
    Router::Xconn.run("results_come_in_parts", basic::progressive_results).await;
}

#[tokio::test]
async fn no_feature_is_announced_and_what_needs_one_is_refused() {
    Router::Xconn
        .run("no_feature_is_announced_and_what_needs_one_is_refused", |url| async move {
            let client = join(&url, Format::Json, Method::Anonymous).await;
            let session = client.session().unwrap();
            for feature in Feature::ALL {
                assert!(!session.announces(*feature), "{feature}");
            }
            let refused = |error: RequestError, feature| {
                let expected = CommandError::NotSupported(feature);
                assert!(matches!(&error, RequestError::Command(error) if *error == expected), "{error:?}");
            };
            let topic = own(&client, "topic");
            let options = SubscribeOptions::new().match_policy(MatchPolicy::Prefix);
            let error = client.subscribe_with(topic.as_str(), options).await.unwrap_err();
            refused(error, Feature::PatternBasedSubscription);
            let options = RegisterOptions::new().match_policy(MatchPolicy::Wildcard);
            let error = client.register_with(topic.as_str(), options).await.unwrap_err();
            refused(error, Feature::PatternBasedRegistration);
            let options = PublishOptions::new().eligible_authid(["peter"]);
            let error = client.publish_acked_with(topic.as_str(), (), options).await.unwrap_err();
            refused(error, Feature::SubscriberBlackwhiteListing);
            let error = client.call_streaming(topic.as_str(), ()).await.unwrap_err();
            refused(error, Feature::ProgressiveCallInvocations);
            // The meta API is not there, and that is the router's to say.
            assert!(client.meta().session_count().await.is_err());
            client.close().await.unwrap();
        })
        .await;
}

#[tokio::test]
async fn a_cancelled_call_ends_at_the_caller_alone() {
    Router::Xconn
        .run("a_cancelled_call_ends_at_the_caller_alone", |url| async move {
            let callee = join(&url, Format::Cbor, Method::Anonymous).await;
            let caller = join(&url, Format::MsgPack, Method::Anonymous).await;
            let procedure = own(&callee, "slow");
            let mut calls = callee.register(procedure.as_str()).await.unwrap();
            for mode in [CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait] {
                let call = caller.call(procedure.as_str(), ());
                let stop = call.canceller();
                let waiting = tokio::spawn(call);
                let invocation = calls.next().await.unwrap();
                stop.cancel(mode);
                assert!(matches!(waiting.await.unwrap().unwrap_err(), RequestError::Canceled));
                // Nobody told the callee; its answer is dropped at the caller.
                assert!(!invocation.is_cancelled());
                invocation.reply("late").unwrap();
            }
            let waiting = tokio::spawn(caller.call(procedure.as_str(), ()));
            calls.next().await.unwrap().reply("well").unwrap();
            assert_eq!(waiting.await.unwrap().unwrap().arg::<String>(0).unwrap(), "well");
        })
        .await;
}

#[tokio::test]
async fn publishers_get_their_own_events() {
    Router::Xconn
        .run("publishers_get_their_own_events", |url| async move {
            let client = join(&url, Format::MsgPack, Method::Anonymous).await;
            let topic = own(&client, "own");
            let mut events = client.subscribe(topic.as_str()).await.unwrap();
            client.publish_acked(topic.as_str(), "mine").await.unwrap();
            assert_eq!(events.next().await.unwrap().arg::<String>(0).unwrap(), "mine");
            client.close().await.unwrap();
        })
        .await;
}
