//! The authentication methods, against the vectors and items of the checklist.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wamp_session::auth::{Anonymous, Answer, Authenticator, Offer, Signer, Ticket};
use wamp_session::proto::{Challenge, Dict, Value};
use wamp_session::{AuthError, Config, ConfigError};

fn challenge(method: &str, extra: Dict) -> Challenge {
    Challenge { method: method.into(), extra }
}

/// The output of a future that is ready at once.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

fn config() -> Config {
    Config::new("ws://127.0.0.1:8080/ws", "realm1")
}

#[test]
fn tic_01_ticket_needs_an_authid() {
    let offer = ready(Ticket::new("joe", "secret!!!").offer()).unwrap();
    assert_eq!(offer.authid.as_deref(), Some("joe"));
    assert_eq!(offer.authextra, Dict::new());
    assert_eq!(Ticket::new("joe", "secret!!!").method(), "ticket");
    assert_eq!(config().authenticator(Ticket::new("joe", "secret!!!")).check(), Ok(()));
    let refused = config().authenticator(Ticket::new("", "secret!!!")).check();
    assert_eq!(refused, Err(ConfigError::NoAuthId("ticket".into())));
}

#[test]
fn tic_02_the_ticket_is_the_signature() {
    let ticket = Ticket::new("joe", "secret!!!");
    let asked = challenge("ticket", Dict::new());
    for answer in [ticket.answer_to(&asked), ready(ticket.answer(&asked))] {
        let answer = answer.unwrap();
        assert_eq!(&*answer.signature, "secret!!!");
        assert_eq!(answer.extra, Dict::new());
    }
}

#[test]
fn tic_03_a_ticket_is_not_only_ascii() {
    let answer = Ticket::new("joe", "pässwörd\u{1F511}").answer_to(&challenge("ticket", Dict::new())).unwrap();
    assert_eq!(&*answer.signature, "pässwörd\u{1F511}");
}

#[test]
fn aut_04_a_ticket_is_not_told_to_another_method() {
    let refused = Ticket::new("joe", "secret!!!").answer_to(&challenge("wampcra", Dict::new()));
    assert!(matches!(refused, Err(AuthError::NotOffered(method)) if method == "wampcra"));
}

#[test]
fn authenticators_with_different_authids_are_refused() {
    let config = config().authenticator(Ticket::new("joe", "1")).authenticator(Anonymous);
    assert_eq!(config.check(), Ok(()));
    assert_eq!(config.clone().authenticator(Ticket::new("joe", "2")).check(), Ok(()));
    assert_eq!(config.authenticator(Ticket::new("peter", "2")).check(), Err(ConfigError::AuthIds));
}

#[test]
fn an_external_signer_may_do_without_an_authid() {
    let sign = |_: Challenge| async { Ok(Answer::new("ff")) };
    let signer = Signer::new("cryptosign", "", sign).authextra(Dict::from_iter([("pubkey", "00")]));
    assert_eq!(ready(signer.offer()).unwrap().authid, None);
    assert_eq!(ready(signer.offer()).unwrap().authextra.get("pubkey"), Some(&Value::from("00")));
    assert_eq!(config().authenticator(signer).check(), Ok(()));
    let refused = config().authenticator(Signer::new("wampcra", "", sign)).check();
    assert_eq!(refused, Err(ConfigError::NoAuthId("wampcra".into())));
}

#[test]
fn anonymous_says_nothing_and_answers_nothing() {
    assert_eq!(ready(Anonymous.offer()).unwrap(), Offer::default());
    let refused = ready(Anonymous.answer(&challenge("anonymous", Dict::new())));
    assert!(matches!(refused, Err(AuthError::Malformed(_))));
}

#[cfg(feature = "cra")]
mod cra {
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Sha256;
    use wamp_session::auth::{Cra, cra};

    use super::*;

    const CHALLENGE: &str = r#"{"nonce": "LHRTC9zeOIrt_9U3", "authprovider": "userdb", "authid": "peter", "timestamp": "2014-06-22T16:36:25.448Z", "authrole": "user", "authmethod": "wampcra", "session": 3251278072152162}"#;
    const SPACED: &str = r#"{ "nonce":"LHRTC9zeOIrt_9U3", "authprovider":"userdb", "authid":"peter", "timestamp":"2014-06-22T16:36:25.448Z", "authrole":"user", "authmethod":"wampcra", "session":3251278072152162 }"#;

    fn plain(text: &str) -> Dict {
        Dict::from_iter([("challenge", text)])
    }

    fn salted(text: &str, keylen: u64, iterations: u64) -> Dict {
        let mut extra = plain(text);
        extra.insert("salt", "salt123");
        extra.insert("keylen", keylen);
        extra.insert("iterations", iterations);
        extra
    }

    fn signature(secret: &str, extra: Dict) -> Result<String, AuthError> {
        let answer = Cra::new("peter", secret).answer_to(&challenge("wampcra", extra))?;
        assert_eq!(answer.extra, Dict::new());
        Ok(answer.signature.as_ref().to_owned())
    }

    #[test]
    fn cra_01_wampcra_needs_an_authid() {
        let cra = Cra::new("peter", "secret1");
        assert_eq!(cra.method(), "wampcra");
        let offer = ready(cra.offer()).unwrap();
        assert_eq!((offer.authid.as_deref(), offer.authextra), (Some("peter"), Dict::new()));
        assert_eq!(config().authenticator(cra).check(), Ok(()));
        let refused = config().authenticator(Cra::new("", "secret1")).check();
        assert_eq!(refused, Err(ConfigError::NoAuthId("wampcra".into())));
    }

    #[test]
    fn cra_02_the_challenge_is_signed_byte_for_byte() {
        assert_eq!(signature("secret1", plain(CHALLENGE)).unwrap(), "vb/MUq65p6Xs4P09HfsDI4VmI8HWO3whf0vNe4IdogQ=");
        assert_eq!(signature("pässwörd", plain(CHALLENGE)).unwrap(), "klpc+GUXCv7p3gHppJO3O4gnb7Zoc4EROznQSpYj/Kc=");
        assert_eq!(signature("secret", plain(SPACED)).unwrap(), "NWktSrMd4ItBSAKYEwvu1bTY7G/sSyjKbz+pNP9c04A=");
        let odd = "{\"b\":  1,\"a\":\"\\u00e4 ä\",\"a\":2}\n";
        assert_eq!(signature("secret1", plain(odd)).unwrap(), cra::sign("secret1", odd));
        let cra = Cra::new("peter", "secret1");
        let asked = challenge("wampcra", plain(CHALLENGE));
        assert_eq!(ready(cra.answer(&asked)).unwrap(), cra.answer_to(&asked).unwrap());
    }

    #[test]
    fn cra_03_a_salted_secret_signs_with_the_text_of_the_derived_key() {
        let key = cra::derive_key("secret1", "salt123", 1000, 32).unwrap();
        assert_eq!(key, "64xfzBvZhGDT7PB0bQwDeI8/WR1M9x6Cw5dt0yP9koc=");
        let signed = signature("secret1", salted(CHALLENGE, 32, 1000)).unwrap();
        assert_eq!(signed, "gir1mSx+deCDUV7wRM5SGIn/+R/ClqLZuH4m7FJeBVI=");
        assert_eq!(cra::sign(&key, CHALLENGE), signed);

        assert_eq!(cra::derive_key("secret1", "salt123", 100, 16).unwrap(), "prq7+YkJ1/KlW1X0YczMHw==");
        let signed = signature("secret1", salted(CHALLENGE, 16, 100)).unwrap();
        assert_eq!(signed, "KSjvsv81QFaEUgPoW6k5ylRnmH3ycgMy3TgOMtWr0UQ=");

        let key = cra::derive_key("password", "salt123", 1000, 32).unwrap();
        assert_eq!(key, "XX9AIwVx2pYcnIAm+U69vjdUImcvNehHD5atN4rwDb0=");
        let signed = signature("password", salted(SPACED, 32, 1000)).unwrap();
        assert_eq!(signed, "hk/2riA2JqydfL5wLoicrYfAt8uNeP6nikk9kqDhsnM=");
    }

    #[test]
    fn cra_03_the_raw_derived_key_does_not_sign() {
        // What a client signs that forgets that the key is the text of the derived one.
        let mut key = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(b"secret1", b"salt123", 1000, &mut key);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(CHALLENGE.as_bytes());
        let wrong = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(wrong, "r5BFAFn5zKbTuko2xRfgkA6OoWLXh4Fb35lD+Tvvv08=");
        assert_ne!(signature("secret1", salted(CHALLENGE, 32, 1000)).unwrap(), wrong);
    }

    #[test]
    fn cra_04_iterations_and_keylen_have_defaults() {
        let mut extra = plain(CHALLENGE);
        extra.insert("salt", "salt123");
        assert_eq!(signature("secret1", extra.clone()).unwrap(), "gir1mSx+deCDUV7wRM5SGIn/+R/ClqLZuH4m7FJeBVI=");
        extra.insert("iterations", Value::Null);
        extra.insert("keylen", Value::Null);
        assert_eq!(signature("secret1", extra).unwrap(), "gir1mSx+deCDUV7wRM5SGIn/+R/ClqLZuH4m7FJeBVI=");
    }

    #[test]
    fn cra_05_a_malformed_challenge_is_an_error() {
        let with = |key: &str, value: Value| {
            let mut extra = salted(CHALLENGE, 32, 1000);
            extra.insert(key, value);
            extra
        };
        let malformed = [
            Dict::new(),
            with("challenge", Value::from(5)),
            with("challenge", Value::Null),
            with("salt", Value::from(5)),
            with("iterations", Value::from(0)),
            with("iterations", Value::from(-1)),
            with("iterations", Value::from("1000")),
            with("keylen", Value::from(0)),
            with("keylen", Value::from(-32)),
            with("keylen", Value::from(32.0)),
        ];
        for extra in malformed {
            let refused = signature("secret1", extra.clone());
            assert!(matches!(refused, Err(AuthError::Malformed(_))), "{extra:?}: {refused:?}");
        }
        let other = Cra::new("peter", "secret1").answer_to(&challenge("ticket", plain(CHALLENGE)));
        assert!(matches!(other, Err(AuthError::NotOffered(_))));
    }

    #[test]
    fn cra_05_an_external_signer_gets_the_challenge() {
        let signer = Signer::new("wampcra", "peter", |challenge: Challenge| async move {
            let text = challenge.extra.get("challenge").and_then(Value::as_str).map(ToOwned::to_owned);
            Ok(Answer::new(cra::sign("secret1", &text.unwrap())))
        });
        let answer = ready(signer.answer(&challenge("wampcra", plain(CHALLENGE)))).unwrap();
        assert_eq!(&*answer.signature, "vb/MUq65p6Xs4P09HfsDI4VmI8HWO3whf0vNe4IdogQ=");
    }

    #[test]
    fn a_router_cannot_ask_for_any_amount_of_work() {
        let costly = [(32, 1_000_001), (33, 500_001), (1025, 1), (u64::MAX, 1), (1024, 31_251), (32, u64::MAX)];
        for (keylen, iterations) in costly {
            let refused = signature("secret1", salted(CHALLENGE, keylen, iterations));
            assert!(matches!(refused, Err(AuthError::TooCostly(_))), "{keylen} bytes, {iterations} iterations");
        }
        assert!(signature("secret1", salted(CHALLENGE, 1024, 10)).is_ok());
        assert!(matches!(cra::derive_key("secret1", "", 0, 32), Err(AuthError::Malformed(_))));
        assert!(matches!(cra::derive_key("secret1", "", 1, 0), Err(AuthError::Malformed(_))));
    }

    #[test]
    fn aut_10_secrets_are_not_printed() {
        let (ticket, cra) = (Ticket::new("joe", "s3cr3t"), Cra::new("joe", "s3cr3t"));
        let answer = ticket.answer_to(&challenge("ticket", Dict::new())).unwrap();
        let config = config().authenticator(ticket.clone()).authenticator(cra.clone()).call_timeout(Duration::MAX);
        let signer = Signer::new("ticket", "joe", |_| async { Ok(Answer::new("s3cr3t")) });
        let printed = format!("{ticket:?} {ticket:#?} {cra:?} {cra:#?} {answer:?} {config:#?} {signer:?}");
        assert!(printed.contains("joe"));
        assert!(!printed.contains("s3cr3t"), "{printed}");
    }
}
