//! Checklist sections 10.1 to 10.3, the session's part; what the methods compute is tested beside them.

use core::time::Duration;
use std::sync::Arc;

use wamp_session::auth::{Answer, Authenticator, Cra, Ticket};
use wamp_session::proto::{Challenge, Dict};
use wamp_session::{
    AuthError, CloseCause, CommandError, ConfigError, Opened, RequestError, SessionEvent, TransportErrorKind,
};

use super::features::ROLES;
use crate::support::{Peer, WELCOME, config};

/// A session that has sent a HELLO with these methods.
fn offering(methods: &[&str], authid: &str) -> (Peer, String) {
    let mut peer = Peer::new(config());
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")).authmethods(methods.iter().copied()).authid(authid));
    let hello = peer.sent();
    (peer, hello)
}

#[track_caller]
fn challenged(peer: &mut Peer) -> Challenge {
    match peer.event() {
        SessionEvent::Challenge { transport, challenge } => {
            assert_eq!(transport, peer.transport());
            challenge
        }
        event => panic!("{event:?}"),
    }
}

fn answer(peer: &mut Peer, answer: Result<Answer, AuthError>) {
    let id = peer.transport();
    peer.session.authenticate(peer.now, id, answer).unwrap();
}

#[test]
fn aut_01_hello_says_how_the_client_authenticates() {
    let (_, hello) = offering(&["wampcra", "ticket"], "joe");
    assert_eq!(hello, format!(r#"[1,"realm1",{{{ROLES},"authmethods":["wampcra","ticket"],"authid":"joe"}}]"#));
    let mut peer = Peer::new(config());
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")).authmethods(["own"]).authextra(Dict::from_iter([("nonce", "abc")])));
    peer.expect_sent(&format!(r#"[1,"realm1",{{{ROLES},"authmethods":["own"],"authextra":{{"nonce":"abc"}}}}]"#));
    let mut peer = Peer::new(config());
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")).authextra(Dict::new()));
    peer.expect_sent(&format!(r#"[1,"realm1",{{{ROLES}}}]"#));
}

#[test]
fn aut_02_methods_are_offered_in_the_order_of_preference_and_no_others() {
    let (_, hello) = offering(&["ticket", "wampcra"], "joe");
    assert!(hello.contains(r#""authmethods":["ticket","wampcra"]"#), "{hello}");
}

#[test]
fn aut_03_a_challenge_is_answered() {
    let (mut peer, _) = offering(&["own"], "joe");
    peer.receive(r#"[4,"own",{"hint":5}]"#);
    let challenge = challenged(&mut peer);
    assert_eq!(challenge.extra.get("hint").and_then(|hint| hint.as_u64()), Some(5));
    peer.expect_silence();
    let mut own = Answer::new("signature");
    own.extra = Dict::from_iter([("more", 1)]);
    answer(&mut peer, Ok(own));
    peer.expect_sent(r#"[5,"signature",{"more":1}]"#);
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_usable();
}

#[test]
fn aut_04_a_challenge_of_a_method_that_was_not_offered_gets_no_secret() {
    for methods in [&["wampcra"][..], &[]] {
        let (mut peer, _) = offering(methods, "joe");
        peer.receive(r#"[4,"ticket",{}]"#);
        peer.expect_no_event();
        let abort = peer.sent();
        assert!(abort.ends_with(r#","wamp.error.cannot_authenticate"]"#), "{abort}");
        peer.expect_close(1000);
        let late = peer.session.authenticate(peer.now, peer.transport(), Ok(Answer::new("secret")));
        assert!(matches!(late, Err(CommandError::UnknownKey)));
        peer.expect_silence();
        peer.end_transport(TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        assert!(matches!(&*cause, CloseCause::Authentication(AuthError::NotOffered(_))), "{cause:?}");
    }
}

#[test]
fn aut_05_there_may_be_several_rounds() {
    let (mut peer, _) = offering(&["ticket", "wampcra"], "peter");
    peer.receive(r#"[4,"ticket",{}]"#);
    let first = Ticket::new("peter", "secret!!!").answer_to(&challenged(&mut peer));
    answer(&mut peer, first);
    peer.expect_sent(r#"[5,"secret!!!",{}]"#);
    peer.receive(r#"[4,"wampcra",{"challenge":"{\"nonce\":1}"}]"#);
    let second = Cra::new("peter", "secret1").answer_to(&challenged(&mut peer));
    answer(&mut peer, second);
    let authenticate = peer.sent();
    assert!(authenticate.starts_with(r#"[5,""#) && authenticate.ends_with(r#"=",{}]"#), "{authenticate}");
    peer.receive(WELCOME);
    peer.expect_joined();
}

#[test]
fn aut_05_a_round_begins_after_the_last_one() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    peer.receive(r#"[4,"ticket",{}]"#);
    challenged(&mut peer);
    peer.receive(r#"[4,"ticket",{}]"#);
    peer.expect_violation();
}

#[test]
fn aut_06_a_router_may_welcome_at_once() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    peer.receive(r#"[2,1,{"authmethod":"anonymous"}]"#);
    assert_eq!(peer.expect_joined().details.authmethod.as_deref(), Some("anonymous"));
    peer.expect_usable();
}

#[test]
fn aut_07_a_refusal_is_an_abort_with_its_reason() {
    for reason in ["wamp.error.authentication_denied", "wamp.error.not_authorized", "wamp.error.authentication_failed"]
    {
        let (mut peer, _) = offering(&["ticket"], "joe");
        peer.receive(r#"[4,"ticket",{}]"#);
        challenged(&mut peer);
        answer(&mut peer, Ok(Answer::new("wrong")));
        peer.sent();
        peer.receive(&format!(r#"[3,{{"message":"no"}},"{reason}"]"#));
        peer.expect_close(1000);
        peer.end_transport(TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        assert!(matches!(&*cause, CloseCause::Abort(abort) if abort.reason == reason), "{cause:?}");
    }
}

#[test]
fn aut_08_the_router_says_who_the_client_is() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    peer.receive(concat!(
        r#"[2,1,{"authid":"joe@example.com","authrole":"user","authmethod":"ticket","authprovider":"static","#,
        r#""authextra":{"a":1},"realm":"realm1"}]"#
    ));
    let details = peer.expect_joined().details.clone();
    assert_eq!(details.authid.as_deref(), Some("joe@example.com"));
    assert_eq!(details.authrole.as_deref(), Some("user"));
    assert_eq!(details.authmethod.as_deref(), Some("ticket"));
    assert_eq!(details.authprovider.as_deref(), Some("static"));
    assert!(details.authextra.is_some());
}

#[test]
fn aut_09_a_challenge_that_is_never_answered_ends_at_the_timeout() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    peer.receive(r#"[4,"ticket",{}]"#);
    challenged(&mut peer);
    peer.wait(Duration::from_secs(10));
    assert!(peer.sent().starts_with("[3,"));
    peer.expect_close(1000);
    let late = peer.session.authenticate(peer.now, peer.transport(), Ok(Answer::new("late")));
    assert!(matches!(late, Err(CommandError::UnknownKey)));
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::JoinTimeout));
}

#[test]
fn aut_09_a_transport_lost_during_a_challenge_ends_the_attempt_at_once() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    peer.receive(r#"[4,"ticket",{}]"#);
    challenged(&mut peer);
    let transport = peer.transport();
    let call = peer.call("com.example.procedure");
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Disconnected { sent: false })));
    peer.expect_closed();
    let late = peer.session.authenticate(peer.now, transport, Ok(Answer::new("late")));
    assert!(matches!(late, Err(CommandError::UnknownKey)));
}

#[test]
fn aut_09_an_answer_for_another_transport_is_refused() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    let first = peer.transport();
    peer.end_transport(TransportErrorKind::Eof);
    peer.expect_closed();
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")).authmethods(["ticket"]).authid("joe"));
    peer.sent();
    peer.receive(r#"[4,"ticket",{}]"#);
    challenged(&mut peer);
    let late = peer.session.authenticate(peer.now, first, Ok(Answer::new("for the first")));
    assert!(matches!(late, Err(CommandError::UnknownKey)));
    peer.expect_silence();
}

#[test]
fn aut_09_a_failing_authenticator_aborts() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    peer.receive(r#"[4,"ticket",{}]"#);
    challenged(&mut peer);
    let source = std::io::Error::other("the keyring says: s3cret");
    answer(&mut peer, Err(AuthError::Other(Arc::new(source))));
    peer.expect_sent(r#"[3,{"message":"the authenticator failed"},"wamp.error.cannot_authenticate"]"#);
    peer.expect_close(1000);
    peer.end_transport(TransportErrorKind::Eof);
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Authentication(AuthError::Other(_))), "{cause:?}");
}

#[test]
fn aut_10_secrets_are_not_printed() {
    let mut peer = Peer::new(config().authenticator(Ticket::new("joe", "s3cret")));
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")).authmethods(["ticket"]).authid("joe"));
    peer.sent();
    peer.receive(r#"[4,"ticket",{}]"#);
    let event = peer.session.poll_event();
    let id = peer.transport();
    peer.session.authenticate(peer.now, id, Ok(Answer::new("s3cret"))).unwrap();
    let action = peer.session.poll_action();
    for text in [format!("{:?}", peer.session), format!("{event:?}"), format!("{action:?}")] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn aut_11_an_anonymous_hello_names_no_method() {
    let mut peer = Peer::new(config());
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.expect_sent(&format!(r#"[1,"realm1",{{{ROLES}}}]"#));
}

#[test]
fn tic_01_and_cra_01_an_authid_is_needed() {
    for method in ["ticket", "wampcra"] {
        let mut peer = Peer::new(config());
        peer.connect();
        peer.open(Opened::new(Some("wamp.2.json")).authmethods([method]));
        peer.expect_close(1000);
        peer.end_transport(TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        assert!(matches!(&*cause, CloseCause::Config(ConfigError::NoAuthId(of)) if of == method), "{cause:?}");
    }
}

#[test]
fn tic_02_the_ticket_is_sent_as_it_is() {
    let ticket = Ticket::new("joe", "secret!!!");
    assert_eq!(ticket.method(), "ticket");
    let (mut peer, hello) = offering(&["ticket"], "joe");
    assert_eq!(hello, format!(r#"[1,"realm1",{{{ROLES},"authmethods":["ticket"],"authid":"joe"}}]"#));
    peer.receive(r#"[4,"ticket",{}]"#);
    let signed = ticket.answer_to(&challenged(&mut peer));
    answer(&mut peer, signed);
    peer.expect_sent(r#"[5,"secret!!!",{}]"#);
    peer.receive(WELCOME);
    peer.expect_joined();
}

#[test]
fn tic_03_a_ticket_may_have_any_characters() {
    let (mut peer, _) = offering(&["ticket"], "joe");
    peer.receive(r#"[4,"ticket",{}]"#);
    let signed = Ticket::new("joe", "pässwörd\u{1F511}").answer_to(&challenged(&mut peer));
    answer(&mut peer, signed);
    peer.expect_sent("[5,\"pässwörd\u{1F511}\",{}]");
}

#[test]
fn cra_02_the_challenge_is_signed_byte_for_byte() {
    let (mut peer, _) = offering(&["wampcra"], "peter");
    peer.receive(concat!(
        r#"[4,"wampcra",{"challenge":"{\"nonce\": \"LHRTC9zeOIrt_9U3\", \"authprovider\": \"userdb\", \"authid\": \"peter\", "#,
        r#"\"timestamp\": \"2014-06-22T16:36:25.448Z\", \"authrole\": \"user\", \"authmethod\": \"wampcra\", "#,
        r#"\"session\": 3251278072152162}"}]"#
    ));
    let signed = Cra::new("peter", "secret1").answer_to(&challenged(&mut peer));
    answer(&mut peer, signed);
    peer.expect_sent(r#"[5,"vb/MUq65p6Xs4P09HfsDI4VmI8HWO3whf0vNe4IdogQ=",{}]"#);
}

#[test]
fn cra_05_a_malformed_challenge_aborts() {
    for extra in [
        "{}",
        r#"{"challenge":5}"#,
        r#"{"challenge":"c","salt":"s","keylen":32,"iterations":0}"#,
        r#"{"challenge":"c","salt":"s","keylen":0,"iterations":1000}"#,
    ] {
        let (mut peer, _) = offering(&["wampcra"], "peter");
        peer.receive(&format!(r#"[4,"wampcra",{extra}]"#));
        let signed = Cra::new("peter", "secret1").answer_to(&challenged(&mut peer));
        assert!(signed.is_err(), "{extra}");
        answer(&mut peer, signed);
        assert!(peer.sent().ends_with(r#","wamp.error.cannot_authenticate"]"#));
        peer.expect_close(1000);
    }
}

#[test]
fn aux_02_what_is_not_authorized_fails_and_the_session_stays() {
    for error in ["not_authorized", "authorization_denied", "authorization_failed", "authorization_required"] {
        let error = format!("wamp.error.{error}");
        let mut peer = Peer::joined();
        let refused = |result: Result<(), RequestError>| {
            let Err(RequestError::Wamp(refusal)) = result else { panic!("{error}: {result:?}") };
            assert_eq!(refusal.uri(), error.as_str());
        };
        let register = peer.register("com.example.p");
        peer.receive(&format!(r#"[8,64,1,{{}},"{error}"]"#));
        refused(peer.expect_registered(register));
        let call = peer.call("com.example.p");
        peer.receive(&format!(r#"[8,48,2,{{}},"{error}"]"#));
        refused(peer.expect_call_done(call).map(drop));
        let subscription = peer.subscribe("com.example.t");
        peer.receive(&format!(r#"[8,32,3,{{}},"{error}"]"#));
        refused(peer.expect_subscribed(subscription));
        let publication = peer.publish_acked("com.example.t");
        peer.receive(&format!(r#"[8,16,4,{{}},"{error}"]"#));
        refused(peer.expect_publish_done(publication).map(drop));
        peer.expect_no_event();
        for _ in 0..4 {
            peer.sent();
        }
        peer.expect_usable();
    }
}
