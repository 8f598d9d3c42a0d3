//! Every cause, to retry or to end: the table in the docs is the one in the code.

use wamp_session::proto::{Abort, AbortDetails, Format, Goodbye, GoodbyeDetails, Payload, Uri};
use wamp_session::{
    AuthError, CloseCause, ConfigError, ProtocolViolation, SessionEvent, TransportError, TransportErrorKind,
};

use crate::support::Peer;
use crate::{config, expect_left};

const TABLE: &str = include_str!("../../../docs/causes.md");

fn transport(kind: TransportErrorKind) -> CloseCause {
    CloseCause::Transport(TransportError::new(kind))
}

fn closed(code: Option<u16>) -> CloseCause {
    transport(TransportErrorKind::Closed { code, reason: String::new() })
}

fn cause(text: &str) -> CloseCause {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim_matches('`');
    match (kind, rest) {
        ("application", _) => CloseCause::Application,
        ("goodbye", reason) => {
            let (details, reason) = (GoodbyeDetails::default(), Uri::new(reason).unwrap());
            CloseCause::Goodbye(Goodbye { details, reason }.into())
        }
        ("abort", reason) => {
            let (details, reason) = (AbortDetails::default(), Uri::new(reason).unwrap());
            CloseCause::Abort(Abort { details, reason, payload: Payload::new() }.into())
        }
        ("close", "without a code") => closed(None),
        ("close", code) => closed(Some(code.parse().unwrap())),
        ("http", status) => transport(TransportErrorKind::Http(status.parse().unwrap())),
        ("transport", kind) => transport(match kind {
            "url" => TransportErrorKind::Url,
            "dns" => TransportErrorKind::Dns,
            "connect" => TransportErrorKind::Connect,
            "tls" => TransportErrorKind::Tls,
            "handshake" => TransportErrorKind::Handshake,
            "subprotocol" => TransportErrorKind::Subprotocol,
            "eof" => TransportErrorKind::Eof,
            "protocol" => TransportErrorKind::Protocol,
            "too_large" => TransportErrorKind::TooLarge,
            "io" => TransportErrorKind::Io,
            "silent" => TransportErrorKind::Silent,
            kind => panic!("unknown transport error {kind}"),
        }),
        ("protocol", _) => CloseCause::ProtocolViolation(ProtocolViolation::WrongFrame(Format::Json)),
        ("join", _) => CloseCause::JoinTimeout,
        ("challenge", _) => CloseCause::Authentication(AuthError::Malformed("nothing in it")),
        ("authenticator", _) => CloseCause::Authentication(AuthError::Other(std::sync::Arc::new(std::fmt::Error))),
        ("configuration", _) => CloseCause::Config(ConfigError::NoUrl),
        _ => panic!("unknown cause {text}"),
    }
}

fn rows() -> Vec<(&'static str, bool)> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.filter(|(cause, _)| *cause != "cause")
        .map(|(cause, decision)| match decision {
            "retry" => (cause, true),
            "end" => (cause, false),
            decision => panic!("{cause}: {decision}"),
        })
        .collect()
}

#[test]
fn need_07_every_cause_in_the_docs_is_retried_or_ends_as_they_say() {
    let rows = rows();
    assert!(rows.len() > 60, "only {} rows were found", rows.len());
    for (text, retried) in rows {
        assert_eq!(cause(text).is_retried(), retried, "{text}");
    }
}

#[test]
fn need_07_a_lost_session_follows_the_table() {
    for (text, retried) in rows() {
        let mut peer = crate::joined(config());
        match cause(text) {
            CloseCause::Goodbye(goodbye) => peer.receive(&format!("[6,{{}},\"{}\"]", goodbye.reason)),
            CloseCause::Abort(abort) => peer.receive(&format!("[3,{{}},\"{}\"]", abort.reason)),
            CloseCause::Transport(error) => {
                let id = peer.transport();
                peer.session.handle_closed(peer.now, id, error);
            }
            _ => continue,
        }
        if retried {
            assert_eq!(expect_left(&mut peer).attempt, 1, "{text}");
        } else {
            if peer.session.transport().is_some() {
                peer.end_transport(TransportErrorKind::Eof);
            }
            assert!(matches!(peer.event(), SessionEvent::Closed(_)), "{text}");
        }
    }
}

#[test]
fn need_07_refused_credentials_end_the_client_on_a_rejoin_as_well() {
    let mut peer: Peer = crate::joined(config());
    let left = crate::cut(&mut peer);
    peer.wait(left.retry_in);
    peer.open(wamp_session::Opened::new(Some("wamp.2.json")));
    peer.sent();
    peer.receive("[3,{},\"wamp.error.not_authorized\"]");
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Abort(_)));
}
