//! What a router refuses on a rejoin, or does not answer.

use core::time::Duration;

use wamp_session::{CommandError, NotRestored, RequestError};

use crate::{accept, config, cut, cut_and_rejoin, expect_restored, joined, rejoin, with_both};

#[test]
fn a_subscribe_without_an_answer_stays_wanted_and_its_timeout_withdraws_it() {
    let mut peer = joined(config());
    let topic = peer.subscribe("com.example.t");
    let procedure = peer.register("com.example.p");
    let left = cut(&mut peer);
    peer.skip_sent(2);
    rejoin(&mut peer, &left);
    peer.expect_sent(r#"[32,1,{},"com.example.t"]"#);
    peer.expect_sent(r#"[64,2,{},"com.example.p"]"#);
    peer.receive("[33,1,11]");
    peer.expect_subscribed(topic).unwrap();
    // 10 s after the command, not after the rejoin; and an answer that is too late is undone.
    peer.wait(Duration::from_secs(9));
    assert!(matches!(peer.expect_registered(procedure), Err(RequestError::Timeout { sent: true })));
    assert!(expect_restored(&mut peer).is_empty());
    peer.receive("[65,2,12]");
    peer.expect_sent("[66,3,12]");
}

#[test]
fn a_timeout_between_the_sessions_withdraws_what_was_not_confirmed() {
    let mut peer = joined(config());
    let topic = peer.subscribe("com.example.t");
    peer.sent();
    cut(&mut peer);
    peer.wait(Duration::from_secs(1));
    peer.wait(Duration::from_secs(9));
    assert!(matches!(peer.expect_subscribed(topic), Err(RequestError::Timeout { sent: true })));
    accept(&mut peer);
    peer.expect_silence();
}

#[test]
fn need_10_what_is_refused_on_the_rejoin_is_told_on_its_own_handle_and_in_restored() {
    let mut peer = joined(config());
    let topic = peer.subscribed("com.example.t", 11);
    let other = peer.subscribed("com.example.u", 13);
    let procedure = peer.registered("com.example.p", 12);
    cut_and_rejoin(&mut peer);
    peer.skip_sent(3);
    peer.receive("[8,32,1,{},\"wamp.error.not_authorized\"]");
    assert!(matches!(peer.expect_subscribed(topic), Err(RequestError::Wamp(_))));
    peer.receive("[8,64,3,{},\"wamp.error.not_authorized\"]");
    assert!(matches!(peer.expect_registered(procedure), Err(RequestError::Wamp(_))));
    peer.receive("[33,2,913]");
    let failed = expect_restored(&mut peer);
    assert!(
        matches!(&failed[0], NotRestored::Subscription { key, topic: name, .. } if *key == topic && name == "com.example.t")
    );
    assert!(matches!(&failed[1], NotRestored::Registration { key, retrying: false, .. } if *key == procedure));
    assert_eq!(failed.len(), 2);
    assert!(matches!(peer.session.unsubscribe(peer.now, topic), Err(CommandError::UnknownKey)));
    peer.receive("[36,913,1,{}]");
    assert_eq!(peer.expect_published().key, other);
    // The next rejoin asks for what is left.
    cut_and_rejoin(&mut peer);
    peer.expect_sent(r#"[32,1,{},"com.example.u"]"#);
    peer.expect_silence();
}

#[test]
fn need_10_procedure_already_exists_is_retried_with_backoff_until_the_orphan_is_gone() {
    const EXISTS: &str = "wamp.error.procedure_already_exists";
    let mut peer = joined(config());
    let procedure = peer.registered("com.example.p", 12);
    let other = peer.registered("com.example.q", 13);
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    peer.receive("[65,2,913]");
    peer.receive(&format!("[8,64,1,{{}},\"{EXISTS}\"]"));
    let failed = expect_restored(&mut peer);
    assert!(matches!(&failed[..], [NotRestored::Registration { key, retrying: true, .. }] if *key == procedure));
    for (request, seconds) in [(3, 1), (4, 2), (5, 4)] {
        peer.wait(Duration::from_secs(seconds) - Duration::from_millis(1));
        peer.expect_silence();
        peer.wait(Duration::from_millis(1));
        peer.expect_sent(&format!("[64,{request},{{}},\"com.example.p\"]"));
        if request < 5 {
            peer.receive(&format!("[8,64,{request},{{}},\"{EXISTS}\"]"));
            peer.expect_no_event();
        }
    }
    peer.receive("[65,5,912]");
    peer.expect_registered(procedure).unwrap();
    peer.receive("[68,1,912,{}]");
    assert_eq!(peer.expect_invocation().registration, procedure);
    peer.receive("[68,2,913,{}]");
    assert_eq!(peer.expect_invocation().registration, other);
}

#[test]
fn a_registration_that_is_retried_can_be_given_up_and_survives_the_next_cut() {
    const REFUSED: &str = "[8,64,1,{},\"wamp.error.procedure_already_exists\"]";
    let mut peer = joined(config());
    let procedure = peer.registered("com.example.p", 12);
    cut_and_rejoin(&mut peer);
    peer.sent();
    peer.receive(REFUSED);
    expect_restored(&mut peer);
    cut_and_rejoin(&mut peer);
    peer.expect_sent(r#"[64,1,{},"com.example.p"]"#);
    peer.receive(REFUSED);
    expect_restored(&mut peer);
    // Its delays begin anew.
    peer.wait(Duration::from_secs(1));
    peer.expect_sent(r#"[64,2,{},"com.example.p"]"#);
    peer.receive(&REFUSED.replace(",1,", ",2,"));
    peer.unregister(procedure);
    peer.expect_unregistered(procedure).unwrap();
    peer.wait(Duration::from_secs(100));
    peer.expect_silence();
    peer.expect_no_event();
}

#[test]
fn a_first_registration_that_exists_already_is_refused_at_once() {
    let mut peer = joined(config());
    let procedure = peer.register("com.example.p");
    peer.sent();
    peer.receive("[8,64,1,{},\"wamp.error.procedure_already_exists\"]");
    assert!(matches!(peer.expect_registered(procedure), Err(RequestError::Wamp(_))));
}

#[test]
fn need_33_restored_comes_after_the_request_timeout_if_the_router_does_not_answer() {
    let (mut peer, topic, procedure) = with_both();
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    peer.wait(Duration::from_secs(10));
    let failed = expect_restored(&mut peer);
    assert_eq!(failed.len(), 2);
    assert!(matches!(
        &failed[1],
        NotRestored::Registration { error: RequestError::Timeout { sent: true }, retrying: true, .. }
    ));
    // A late answer is as good, and told.
    peer.receive("[33,1,911]");
    peer.expect_subscribed(topic).unwrap();
    peer.receive("[65,2,912]");
    peer.expect_registered(procedure).unwrap();
    peer.expect_no_event();
    peer.receive("[36,911,1,{}]");
    assert_eq!(peer.expect_published().key, topic);
    // In time, it is told by `Restored` alone.
    cut_and_rejoin(&mut peer);
    peer.skip_sent(2);
    peer.receive("[33,1,21]");
    peer.receive("[65,2,22]");
    assert!(expect_restored(&mut peer).is_empty());
    peer.expect_no_event();
}
