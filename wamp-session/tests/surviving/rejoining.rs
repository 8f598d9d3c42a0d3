//! What comes back after a rejoin, what ends, and what is said of it.

use core::time::Duration;

use wamp_session::proto::{InvokePolicy, MatchPolicy, Payload, Uri, UriRule};
use wamp_session::{
    CommandError, PublishOptions, RegisterOptions, RequestError, Response, SessionEvent, SubscribeOptions,
    TransportErrorKind,
};

use crate::support::{Peer, payload, uri};
use crate::{config, cut, cut_and_rejoin, expect_left, expect_restored, joined, rejoin, with_both};

fn pattern(uri: &str) -> Uri {
    let policy = if uri.ends_with('.') { MatchPolicy::Prefix } else { MatchPolicy::Wildcard };
    Uri::checked(uri, UriRule::Loose, policy).unwrap()
}

#[test]
fn need_01_and_rob_04_subscriptions_and_registrations_come_back_with_all_their_options_in_one_round_trip() {
    let mut peer = joined(config());
    let plain = peer.subscribed("com.example.a", 11);
    let options = SubscribeOptions::new().option("_marked", true).unwrap();
    let marked = peer.subscribed_with(uri("com.example.b"), options, 12);
    let options = RegisterOptions::new().option("x_shard", 3_u64).unwrap();
    let procedure = peer.registered_with(uri("com.example.p"), options, 13);
    let gone = peer.subscribed("com.example.gone", 14);
    peer.unsubscribe(gone);
    peer.sent();
    peer.receive("[35,5]");
    peer.expect_unsubscribed(gone).unwrap();

    cut_and_rejoin(&mut peer);
    // All at once, from request 1, and nothing of what was ended before.
    peer.expect_sent(r#"[32,1,{},"com.example.a"]"#);
    peer.expect_sent(r#"[32,2,{"_marked":true},"com.example.b"]"#);
    peer.expect_sent(r#"[64,3,{"x_shard":3},"com.example.p"]"#);
    peer.expect_silence();
    peer.receive("[33,2,112]");
    peer.receive("[65,3,113]");
    peer.expect_no_event();
    peer.receive("[33,1,111]");
    assert!(expect_restored(&mut peer).is_empty());
    peer.expect_no_event();

    // The handles are the same.
    peer.receive("[36,112,1,{}]");
    assert_eq!(peer.expect_published().key, marked);
    peer.receive("[36,111,2,{}]");
    assert_eq!(peer.expect_published().key, plain);
    peer.receive("[68,9,113,{}]");
    let invocation = peer.expect_invocation();
    assert_eq!(invocation.registration, procedure);
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,9,{}]");
}

#[test]
fn need_01_subscriptions_and_registrations_come_back_with_every_option_that_they_were_made_with() {
    // Whoever announces nothing is taken to have everything.
    let mut peer = joined(config());
    let welcome = r#"[2,7814135,{"roles":{"broker":{"features":{"pattern_based_subscription":true,
        "event_retention":true}},"dealer":{"features":{"pattern_based_registration":true,"shared_registration":true,
        "caller_identification":true}}}}]"#;
    peer.close();
    peer.sent();
    peer.end_transport(TransportErrorKind::Eof);
    peer.expect_closed();
    let accept = |peer: &mut Peer| {
        peer.open(wamp_session::Opened::new(Some("wamp.2.json")));
        peer.sent();
        peer.receive(welcome);
        peer.expect_joined();
    };
    peer.connect();
    accept(&mut peer);
    let options = SubscribeOptions::new().match_policy(MatchPolicy::Wildcard).get_retained();
    let options = options.option("_own", 1_u64).unwrap();
    let topic = peer.session.subscribe(peer.now, pattern("com..tick"), options).unwrap();
    let options = RegisterOptions::new().match_policy(MatchPolicy::Prefix).invoke(InvokePolicy::RoundRobin);
    let options = options.disclose_caller().concurrency(3).force_reregister().option("x_own", "a").unwrap();
    let procedure = peer.session.register(peer.now, pattern("com.example."), options).unwrap();
    let (first, second) = (peer.sent(), peer.sent());
    for option in [r#""match":"wildcard""#, r#""get_retained":true"#, r#""_own":1"#] {
        assert!(first.contains(option), "{first}");
    }
    for option in [
        r#""match":"prefix""#,
        r#""invoke":"roundrobin""#,
        r#""disclose_caller":true"#,
        r#""concurrency":3"#,
        r#""force_reregister":true"#,
        r#""x_own":"a""#,
    ] {
        assert!(second.contains(option), "{second}");
    }
    peer.receive("[33,1,11]");
    peer.receive("[65,2,12]");
    peer.expect_subscribed(topic).unwrap();
    peer.expect_registered(procedure).unwrap();
    for _ in 0..3 {
        let left = cut(&mut peer);
        peer.wait(left.retry_in);
        accept(&mut peer);
        assert_eq!([peer.sent(), peer.sent()], [first.clone(), second.clone()]);
        peer.receive("[33,1,111]");
        peer.receive("[65,2,112]");
        assert!(expect_restored(&mut peer).is_empty());
    }
}

#[test]
fn need_33_restored_follows_each_rejoin_also_with_nothing_to_restore_and_never_the_first_join() {
    let mut peer = joined(config());
    peer.expect_no_event();
    cut_and_rejoin(&mut peer);
    assert!(expect_restored(&mut peer).is_empty());
    peer.expect_no_event();
}

#[test]
fn need_02_what_is_in_flight_ends_at_once_and_is_never_sent_again() {
    let (mut peer, topic, procedure) = with_both();
    let call = peer.call("com.example.slow");
    let publication = peer.publish_acked("com.example.t");
    peer.unsubscribe(topic);
    peer.unregister(procedure);
    peer.skip_sent(4);
    peer.end_transport(TransportErrorKind::Eof);
    let lost = |result: Result<(), RequestError>| matches!(result, Err(RequestError::Disconnected { sent: true }));
    assert!(lost(peer.expect_call_done(call).map(|_| ())));
    assert!(lost(peer.expect_publish_done(publication).map(|_| ())));
    assert!(lost(peer.expect_unsubscribed(topic)));
    assert!(lost(peer.expect_unregistered(procedure)));
    let left = expect_left(&mut peer);
    peer.expect_no_event();
    assert_eq!(peer.session.poll_timeout().map(|(at, _)| at), peer.now.checked_add(left.retry_in), "nothing waits");
    rejoin(&mut peer, &left);
    peer.expect_silence();
}

#[test]
fn commands_of_the_meantime_wait_for_the_next_session_in_their_order() {
    let mut peer = joined(config());
    let left = cut(&mut peer);
    let call = peer.call("com.example.add2");
    let publication = peer.publish_acked("com.example.t");
    let topic = peer.subscribe("com.example.t");
    let procedure = peer.register("com.example.p");
    let refused = peer.session.publish(peer.now, uri("com.example.t"), Payload::new(), PublishOptions::new());
    assert!(matches!(refused, Err(CommandError::NotJoined)));
    rejoin(&mut peer, &left);
    peer.expect_sent(r#"[48,1,{},"com.example.add2"]"#);
    peer.expect_sent(r#"[16,2,{"acknowledge":true},"com.example.t"]"#);
    peer.expect_sent(r#"[32,3,{},"com.example.t"]"#);
    peer.expect_sent(r#"[64,4,{},"com.example.p"]"#);
    assert!(expect_restored(&mut peer).is_empty());
    peer.receive("[50,1,{},[5]]");
    peer.receive("[17,2,99]");
    peer.receive("[33,3,11]");
    peer.receive("[65,4,12]");
    peer.expect_call_done(call).unwrap();
    peer.expect_publish_done(publication).unwrap();
    peer.expect_subscribed(topic).unwrap();
    peer.expect_registered(procedure).unwrap();
}

#[test]
fn what_waits_for_a_join_waits_10_s_at_most() {
    let mut peer = joined(config());
    let call = {
        cut(&mut peer);
        peer.call("com.example.add2")
    };
    let topic = peer.subscribe("com.example.t");
    peer.wait(Duration::from_millis(9_999));
    peer.expect_no_event();
    peer.wait(Duration::from_millis(1));
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Timeout { sent: false })));
    assert!(matches!(peer.expect_subscribed(topic), Err(RequestError::Timeout { sent: false })));
}

#[test]
fn need_16_and_rob_04_a_key_of_an_earlier_session_unsubscribes_the_present_id_once() {
    let (mut peer, topic, procedure) = with_both();
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    peer.receive("[33,1,911]");
    peer.receive("[65,2,912]");
    expect_restored(&mut peer);
    peer.unsubscribe(topic);
    peer.unregister(procedure);
    peer.expect_sent("[34,3,911]");
    peer.expect_sent("[66,4,912]");
    peer.expect_silence();
    assert!(matches!(peer.session.unsubscribe(peer.now, topic), Err(CommandError::UnknownKey)));
    peer.receive("[8,34,3,{},\"wamp.error.no_such_subscription\"]");
    peer.receive("[8,66,4,{},\"wamp.error.no_such_registration\"]");
    peer.expect_unsubscribed(topic).unwrap();
    peer.expect_unregistered(procedure).unwrap();
}

#[test]
fn unsubscribing_and_unregistering_between_the_sessions_succeeds_and_nothing_is_sent_again() {
    let (mut peer, topic, procedure) = with_both();
    let left = cut(&mut peer);
    peer.unsubscribe(topic);
    peer.unregister(procedure);
    peer.expect_unsubscribed(topic).unwrap();
    peer.expect_unregistered(procedure).unwrap();
    rejoin(&mut peer, &left);
    peer.expect_silence();
    assert!(expect_restored(&mut peer).is_empty());
}

#[test]
fn unsubscribing_while_it_is_sent_again_is_undone_at_the_router() {
    let (mut peer, topic, procedure) = with_both();
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    peer.unsubscribe(topic);
    peer.unregister(procedure);
    peer.expect_unsubscribed(topic).unwrap();
    peer.expect_unregistered(procedure).unwrap();
    peer.receive("[33,1,911]");
    peer.expect_sent("[34,3,911]");
    assert!(expect_restored(&mut peer).is_empty());
    peer.receive("[65,2,912]");
    peer.expect_sent("[66,4,912]");
}

#[test]
fn rob_04_invocations_of_a_session_that_is_over_are_forgotten() {
    let mut peer = joined(config());
    let procedure = peer.registered("com.example.p", 12);
    peer.receive("[68,1,12,{}]");
    let invocation = peer.expect_invocation();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(peer.event(), SessionEvent::InvocationEnded { key, .. } if key == invocation.key));
    let left = expect_left(&mut peer);
    let answer = |peer: &mut Peer| peer.session.respond(peer.now, invocation.key, Response::Result(payload((1,))));
    assert!(matches!(answer(&mut peer), Err(CommandError::UnknownKey)));
    rejoin(&mut peer, &left);
    peer.sent();
    peer.receive("[65,1,99]");
    expect_restored(&mut peer);
    assert!(matches!(answer(&mut peer), Err(CommandError::UnknownKey)));
    peer.expect_silence();
    peer.receive("[68,1,99,{}]");
    assert_eq!(peer.expect_invocation().registration, procedure);
}

#[test]
fn queued_publications_that_are_lost_are_counted() {
    let mut peer = joined(config());
    // Not by the peer, which takes every action at once.
    let session = &mut peer.session;
    for _ in 0..3 {
        session.publish(peer.now, uri("com.example.t"), Payload::new(), PublishOptions::new()).unwrap();
    }
    let sent = session.poll_action();
    assert!(sent.is_some());
    let id = session.transport().unwrap();
    session.handle_closed(peer.now, id, wamp_session::TransportError::new(TransportErrorKind::Eof));
    assert_eq!(expect_left(&mut peer).lost_publishes, 2);
    assert_eq!(peer.session.stats().lost_publishes, 2);
}

#[test]
fn what_a_transport_that_does_not_end_has_not_taken_is_counted_as_lost() {
    let mut peer = joined(config());
    // Not by the peer, which takes every action at once.
    let (session, now) = (&mut peer.session, wamp_session::Time::from_secs(5));
    session.publish(wamp_session::Time::ZERO, uri("com.example.t"), payload((1,)), PublishOptions::new()).unwrap();
    session.close(wamp_session::Time::ZERO, wamp_session::CloseReason::CloseRealm);
    session.handle_timeout(now);
    assert_eq!(session.stats().lost_publishes, 1);
    assert!(matches!(session.poll_event(), Some(SessionEvent::Closed(_))));
}

#[test]
fn need_25_an_event_and_an_invocation_right_behind_their_confirmation_are_delivered() {
    let (mut peer, topic, procedure) = with_both();
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    for frame in ["[33,1,911]", "[36,911,1,{}]", "[65,2,912]", "[68,1,912,{}]"] {
        peer.receive(frame);
    }
    assert_eq!(peer.expect_published().key, topic);
    assert!(expect_restored(&mut peer).is_empty());
    assert_eq!(peer.expect_invocation().registration, procedure);
}

#[test]
fn need_01_ten_thousand_subscriptions_and_registrations_come_back_in_one_round_trip() {
    let mut peer = joined(config());
    for number in 0..5_000_u64 {
        peer.subscribed(&format!("com.example.t{number}"), 2 * number + 1);
        peer.registered(&format!("com.example.p{number}"), 2 * number + 2);
    }
    cut_and_rejoin(&mut peer);
    let mut answers = Vec::new();
    for request in 1..=10_000_u64 {
        let sent = peer.sent();
        let answer = if sent.starts_with("[32,") { 33 } else { 65 };
        assert!(sent.starts_with(&format!("[{},{request},", answer - 1)), "{sent}");
        answers.push(format!("[{answer},{request},{request}]"));
    }
    peer.expect_silence();
    for answer in answers {
        peer.receive(&answer);
    }
    assert!(expect_restored(&mut peer).is_empty());
    peer.expect_silence();
}

#[test]
fn local_subscriptions_that_share_one_at_the_router_do_so_after_a_rejoin() {
    let mut peer = joined(config());
    let first = peer.subscribed("com.example.t", 11);
    let second = peer.subscribe("com.example.t");
    peer.expect_subscribed(second).unwrap();
    let left = cut(&mut peer);
    let third = peer.subscribe("com.example.t");
    rejoin(&mut peer, &left);
    peer.expect_sent(r#"[32,1,{},"com.example.t"]"#);
    peer.expect_silence();
    peer.receive("[33,1,911]");
    peer.expect_subscribed(third).unwrap();
    expect_restored(&mut peer);
    peer.receive("[36,911,1,{}]");
    for key in [first, second, third] {
        assert_eq!(peer.expect_published().key, key);
    }
}

#[test]
fn need_20_request_ids_count_from_1_in_each_session() {
    let mut peer = joined(config());
    for _ in 0..2 {
        for id in 1..=3 {
            peer.call("com.example.p");
            assert_eq!(peer.sent_request(48), id);
        }
        peer.end_transport(TransportErrorKind::Eof);
        for _ in 1..=3 {
            assert!(matches!(peer.event(), SessionEvent::CallDone { .. }));
        }
        let left = expect_left(&mut peer);
        rejoin(&mut peer, &left);
        expect_restored(&mut peer);
    }
    peer.call("com.example.p");
    assert_eq!(peer.sent_request(48), 1);
    // As some routers write it.
    peer.receive("[50,1.0,{}]");
    assert!(matches!(peer.event(), SessionEvent::CallDone { result: Ok(_), .. }));
}

#[test]
fn need_33_the_wait_for_the_answers_begins_anew_with_each_session() {
    let (mut peer, ..) = with_both();
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    peer.wait(Duration::from_secs(5));
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    // The answers of the first one were due at this time.
    peer.wait(Duration::from_secs(9));
    peer.expect_no_event();
    peer.wait(Duration::from_secs(1));
    assert_eq!(expect_restored(&mut peer).len(), 2);
}

#[test]
fn need_33_nothing_is_restored_after_the_application_has_closed() {
    let (mut peer, ..) = with_both();
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    peer.close();
    peer.end_transport(TransportErrorKind::Eof);
    peer.expect_closed();
    assert_eq!(peer.session.poll_timeout(), None);
    peer.wait(Duration::from_secs(10));
    peer.expect_no_event();
}
