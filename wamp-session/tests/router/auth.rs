//! Ticket and WAMP-CRA, with the clients' own objects (RTR-11).

use std::time::Duration;

use wamp_session::AuthError;
use wamp_session::auth::{Answer, Cra, Ticket, cra};
use wamp_session::proto::{
    Authenticate, Challenge, Format, Limits, Message, PayloadCheck, Value, Welcome, decode, encode,
};
use wamp_session::router::{PeerId, RealmConfig, RouterConfig, User};

use crate::world::{World, config};

fn world() -> World {
    let realm = RealmConfig::new("realm1")
        .unwrap()
        .user(User::ticket("joe", "secret!!!"))
        .user(User::wampcra("peter", "secret1").role("admin"))
        .user(User::wampcra_salted("anna", "pässwörd", "salt123", 100, 16).unwrap())
        .user(User::ticket("both", "t1ck3t"))
        .user(User::wampcra("both", "s3cr3t"));
    World::new(config().realm(realm))
}

fn hello(methods: &str, authid: &str) -> String {
    format!(r#"[1,"realm1",{{"roles":{{"caller":{{}}}},"authmethods":[{methods}],"authid":"{authid}"}}]"#)
}

fn challenge(world: &mut World, peer: PeerId) -> Challenge {
    let mut received = world.messages(peer);
    let Some(Message::Challenge(challenge)) = received.pop() else { panic!("no CHALLENGE") };
    assert!(received.is_empty());
    challenge
}

fn authenticate(world: &mut World, peer: PeerId, answer: Answer) {
    let mut frame = Vec::new();
    let message = Authenticate { signature: answer.signature, extra: answer.extra };
    encode(&message.into(), Format::Json, &mut frame).unwrap();
    world.send(peer, &String::from_utf8(frame).unwrap());
}

/// Joins with an object that answers the challenge.
fn join(method: &str, authid: &str, answer: impl Fn(&Challenge) -> Result<Answer, AuthError>) -> Option<Welcome> {
    let mut world = world();
    let peer = world.greet(&hello(&format!(r#""{method}""#), authid));
    let challenge = challenge(&mut world, peer);
    assert_eq!(&*challenge.method, method);
    authenticate(&mut world, peer, answer(&challenge).unwrap());
    match world.messages(peer).remove(0) {
        Message::Welcome(welcome) => Some(welcome),
        Message::Abort(abort) => {
            assert_eq!(abort.reason, "wamp.error.authentication_denied");
            assert_eq!(world.close_code(peer), Some(1000));
            assert_eq!(world.router.peers(), 0);
            None
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rtr_11_a_ticket_opens_a_session() {
    let ticket = Ticket::new("joe", "secret!!!");
    let details = join("ticket", "joe", |challenge| ticket.answer_to(challenge)).unwrap().details;
    assert_eq!(details.authid.as_deref(), Some("joe"));
    assert_eq!(details.authrole.as_deref(), Some("user"));
    assert_eq!(details.authmethod.as_deref(), Some("ticket"));
    assert_eq!(details.authprovider.as_deref(), Some("static"));
}

#[test]
fn rtr_11_a_wrong_ticket_is_denied() {
    for (authid, ticket) in [("joe", "secret"), ("joe", ""), ("joe", "secret!!!!"), ("nobody", "secret!!!"), ("", "")] {
        let ticket = Ticket::new(authid, ticket);
        assert!(join("ticket", authid, |challenge| ticket.answer_to(challenge)).is_none());
    }
}

#[test]
fn rtr_11_wampcra_opens_a_session() {
    let cra = Cra::new("peter", "secret1");
    let details = join("wampcra", "peter", |challenge| cra.answer_to(challenge)).unwrap().details;
    assert_eq!(details.authid.as_deref(), Some("peter"));
    assert_eq!(details.authrole.as_deref(), Some("admin"));
    assert_eq!(details.authmethod.as_deref(), Some("wampcra"));
}

#[test]
fn rtr_11_salted_wampcra_opens_a_session() {
    let cra = Cra::new("anna", "pässwörd");
    let details = join("wampcra", "anna", |challenge| {
        assert_eq!(challenge.extra.get("salt"), Some(&Value::from("salt123")));
        assert_eq!(challenge.extra.get("iterations"), Some(&Value::from(100)));
        assert_eq!(challenge.extra.get("keylen"), Some(&Value::from(16)));
        cra.answer_to(challenge)
    });
    assert_eq!(details.unwrap().details.authid.as_deref(), Some("anna"));
}

#[test]
fn rtr_11_a_wrong_secret_is_denied() {
    for (authid, secret) in [("peter", "secret2"), ("anna", "password"), ("nobody", "secret1")] {
        let cra = Cra::new(authid, secret);
        assert!(join("wampcra", authid, |challenge| cra.answer_to(challenge)).is_none());
    }
    // A salted secret does not sign as a plain one does.
    let plain = |challenge: &Challenge| {
        let text = challenge.extra.get("challenge").and_then(Value::as_str).unwrap();
        Ok(Answer::new(cra::sign("pässwörd", text)))
    };
    assert!(join("wampcra", "anna", plain).is_none());
}

#[test]
fn the_challenge_says_whom_it_is_for() {
    let mut world = world();
    world.advance(Duration::from_secs(2));
    let peer = world.greet(&hello(r#""wampcra""#, "peter"));
    let asked = challenge(&mut world, peer);
    let text = asked.extra.get("challenge").and_then(Value::as_str).unwrap();
    // As a message of its own, so that the codec reads it.
    let frame = format!(r#"[4,"",{text}]"#);
    let message = decode(frame.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
    let Message::Challenge(Challenge { extra, .. }) = message else { panic!("no dict") };
    assert_eq!(extra.get("authid"), Some(&Value::from("peter")));
    assert_eq!(extra.get("authrole"), Some(&Value::from("admin")));
    assert_eq!(extra.get("authmethod"), Some(&Value::from("wampcra")));
    assert_eq!(extra.get("authprovider"), Some(&Value::from("static")));
    assert_eq!(extra.get("timestamp"), Some(&Value::from("2014-06-22T16:36:27.448Z")));
    assert_eq!(extra.get("nonce").and_then(Value::as_str).map(str::len), Some(24));
    authenticate(&mut world, peer, Cra::new("peter", "secret1").answer_to(&asked).unwrap());
    let Message::Welcome(welcome) = world.messages(peer).remove(0) else { panic!("no WELCOME") };
    assert_eq!(extra.get("session"), Some(&Value::from(welcome.session.get())));
}

#[test]
fn an_authid_cannot_forge_the_text_of_its_challenge() {
    let authid = "x\",\"authrole\":\"admin\\\u{1}ä";
    let realm = RealmConfig::new("realm1").unwrap().user(User::wampcra(authid, "s"));
    let mut world = World::new(config().realm(realm));
    let peer = world.greet(&hello(r#""wampcra""#, r#"x\",\"authrole\":\"admin\\\u0001ä"#));
    let asked = challenge(&mut world, peer);
    let text = asked.extra.get("challenge").and_then(Value::as_str).unwrap();
    let frame = format!(r#"[4,"",{text}]"#);
    let message = decode(frame.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
    let Message::Challenge(Challenge { extra, .. }) = message else { panic!("no dict") };
    assert_eq!(extra.get("authid"), Some(&Value::from(authid)));
    assert_eq!(extra.get("authrole"), Some(&Value::from("user")));
}

#[test]
fn a_signature_is_good_for_one_challenge() {
    let mut world = world();
    let mut ask = || {
        let peer = world.greet(&hello(r#""wampcra""#, "peter"));
        let asked = challenge(&mut world, peer);
        (peer, Cra::new("peter", "secret1").answer_to(&asked).unwrap())
    };
    let ((first, _), (_, of_second)) = (ask(), ask());
    authenticate(&mut world, first, of_second);
    assert!(world.one(first).ends_with(r#","wamp.error.authentication_denied"]"#));
}

#[test]
fn the_preferred_method_that_the_user_has_is_challenged() {
    for (offered, authid, chosen) in [
        (r#""ticket","wampcra""#, "both", "ticket"),
        (r#""wampcra","ticket""#, "both", "wampcra"),
        (r#""ticket","wampcra""#, "peter", "wampcra"),
        (r#""wampcra","ticket""#, "joe", "ticket"),
        (r#""cryptosign","ticket""#, "joe", "ticket"),
        (r#""wampcra","ticket""#, "nobody", "wampcra"),
        (r#""wampcra""#, "joe", "wampcra"),
    ] {
        let mut world = world();
        let peer = world.greet(&hello(offered, authid));
        assert_eq!(&*challenge(&mut world, peer).method, chosen, "{authid} offers {offered}");
    }
}

#[test]
fn a_realm_of_users_is_closed_to_others() {
    let mut world = world();
    for details in [
        r#"{"roles":{"caller":{}}}"#,
        r#"{"roles":{"caller":{}},"authmethods":[],"authid":"joe"}"#,
        r#"{"roles":{"caller":{}},"authmethods":["anonymous"]}"#,
        r#"{"roles":{"caller":{}},"authmethods":["ticket"]}"#,
        r#"{"roles":{"caller":{}},"authmethods":["scram"],"authid":"joe"}"#,
    ] {
        let peer = world.greet(&format!(r#"[1,"realm1",{details}]"#));
        assert!(world.one(peer).ends_with(r#","wamp.error.no_matching_auth_method"]"#), "{details}");
    }
}

#[test]
fn a_challenged_peer_authenticates_or_aborts() {
    let mut world = world();
    for message in [r#"[48,1,{},"a.b"]"#, r#"[6,{},"a.b"]"#, r#"[1,"realm1",{"roles":{"caller":{}}}]"#, "[]"] {
        let peer = world.greet(&hello(r#""ticket""#, "joe"));
        challenge(&mut world, peer);
        world.send(peer, message);
        world.assert_violation(peer);
    }
    let peer = world.greet(&hello(r#""ticket""#, "joe"));
    challenge(&mut world, peer);
    world.send(peer, r#"[3,{},"wamp.error.cannot_authenticate"]"#);
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.close_code(peer), Some(1000));
}

#[test]
fn an_answer_that_does_not_come_ends_the_attempt() {
    let mut world = world();
    let peer = world.greet(&hello(r#""ticket""#, "joe"));
    challenge(&mut world, peer);
    world.advance(Duration::from_secs(10));
    assert!(world.one(peer).ends_with(r#","wamp.error.authentication_failed"]"#));
    assert_eq!(world.close_code(peer), Some(1000));
}

#[test]
fn aut_10_users_and_seeds_are_not_printed() {
    let salted = User::wampcra_salted("anna", "s3cr3t", "salt123", 10, 32).unwrap();
    let realm = RealmConfig::new("realm1").unwrap().user(User::ticket("joe", "s3cr3t")).user(salted.clone());
    let config = RouterConfig::new([237; 32]).realm(realm.clone());
    let key = cra::derive_key("s3cr3t", "salt123", 10, 32).unwrap();
    let mut world = World::new(config.clone());
    let peer = world.greet(&hello(r#""ticket""#, "joe"));
    challenge(&mut world, peer);
    let printed = format!("{salted:?} {realm:#?} {config:#?} {:#?}", world.router);
    assert!(printed.contains("realm1"));
    for secret in ["s3cr3t", key.as_str(), "joe", "anna", "salt123", "237"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
