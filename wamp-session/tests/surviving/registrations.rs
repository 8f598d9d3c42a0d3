//! Registrations from one session to the next: what stays wanted, and what is forgotten.

use wamp_session::{RequestError, TransportErrorKind};

use crate::support::{Peer, WELCOME};
use crate::{accept, config, cut_and_rejoin, expect_restored, joined};

#[test]
fn a_register_that_waited_for_the_join_and_has_no_answer_stays_wanted() {
    let mut peer = Peer::joining(config().retry_initial_connect(true));
    let registration = peer.register("com.example.p");
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_sent(r#"[64,1,{},"com.example.p"]"#);
    cut_and_rejoin(&mut peer);
    peer.expect_sent(r#"[64,1,{},"com.example.p"]"#);
    peer.receive("[65,1,13]");
    peer.expect_registered(registration).unwrap();
    assert!(expect_restored(&mut peer).is_empty());
    cut_and_rejoin(&mut peer);
    // The router may give it the id that it had.
    peer.expect_sent(r#"[64,1,{},"com.example.p"]"#);
    peer.receive("[65,1,13]");
    assert!(expect_restored(&mut peer).is_empty());
    peer.unregister(registration);
    peer.expect_sent("[66,2,13]");
}

#[test]
fn a_register_that_was_given_up_in_an_earlier_session_is_not_taken_over() {
    let mut peer = joined(config());
    let given_up = peer.register("com.example.p");
    peer.expect_sent(r#"[64,1,{},"com.example.p"]"#);
    peer.unregister(given_up);
    peer.expect_unregistered(given_up).unwrap();
    cut_and_rejoin(&mut peer);
    assert!(expect_restored(&mut peer).is_empty());
    // Request 1 is somebody else's now.
    let other = peer.register("com.example.other");
    let again = peer.register("com.example.p");
    peer.expect_sent(r#"[64,1,{},"com.example.other"]"#);
    peer.expect_sent(r#"[64,2,{},"com.example.p"]"#);
    peer.receive("[65,1,11]");
    peer.receive("[65,2,12]");
    peer.expect_registered(other).unwrap();
    peer.expect_registered(again).unwrap();
}

#[test]
fn another_run_knows_nothing_of_the_registrations_of_the_one_before() {
    let mut peer = joined(config());
    let given_up = peer.register("com.example.given.up");
    peer.sent();
    peer.unregister(given_up);
    peer.expect_unregistered(given_up).unwrap();
    peer.registered("com.example.p", 200);
    let asked = peer.register("com.example.asked");
    peer.sent();
    peer.close();
    assert!(matches!(peer.expect_registered(asked), Err(RequestError::Closed)));
    peer.sent();
    peer.end_transport(TransportErrorKind::Eof);
    peer.expect_closed();
    assert_eq!(peer.session.poll_timeout(), None);

    peer.connect();
    accept(&mut peer);
    let other = peer.register("com.example.p");
    let wanted_again = peer.register("com.example.given.up");
    peer.expect_sent(r#"[64,1,{},"com.example.p"]"#);
    peer.expect_sent(r#"[64,2,{},"com.example.given.up"]"#);
    peer.receive("[65,1,200]");
    peer.receive("[65,2,201]");
    peer.expect_registered(other).unwrap();
    peer.expect_registered(wanted_again).unwrap();
    peer.receive("[68,1,200,{}]");
    assert_eq!(peer.expect_invocation().registration, other);
    peer.unregister(other);
    peer.expect_sent("[66,3,200]");
}
