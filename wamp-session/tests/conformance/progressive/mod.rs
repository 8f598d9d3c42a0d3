//! Checklist sections 11.3 and 11.4: results in parts, and input in parts.

mod input;
mod results;

use wamp_session::proto::{IntoPayload, Payload};
use wamp_session::{
    CallKey, CallOptions, CallOutcome, CallPart, CommandError, InvocationEvent, Response, SessionEvent,
};

use crate::support::{Peer, payload, uri};

fn call(peer: &mut Peer, options: CallOptions) -> CallKey {
    peer.session.call(peer.now, uri("com.example.p"), Payload::new(), options).unwrap()
}

fn more(peer: &mut Peer, key: CallKey, input: impl IntoPayload, part: CallPart) -> Result<(), CommandError> {
    peer.session.call_more(peer.now, key, payload(input), part)
}

#[track_caller]
fn expect_progress(peer: &mut Peer, call: CallKey) -> CallOutcome {
    match peer.event() {
        SessionEvent::CallProgress { key, progress } if key == call => progress,
        event => panic!("{event:?}"),
    }
}

/// An invocation of a registration of this session.
fn invoked(peer: &mut Peer, invocation: &str) -> InvocationEvent {
    peer.registered("com.example.p", 200);
    peer.receive(invocation);
    peer.expect_invocation()
}

fn respond(peer: &mut Peer, invocation: &InvocationEvent, response: Response) -> Result<(), CommandError> {
    peer.session.respond(peer.now, invocation.key, response)
}

#[track_caller]
fn expect_input(peer: &mut Peer, invocation: &InvocationEvent) -> (u64, bool) {
    match peer.event() {
        SessionEvent::InvocationInput { key, payload, more } if key == invocation.key => {
            (payload.arg(0).unwrap(), more)
        }
        event => panic!("{event:?}"),
    }
}

#[test]
fn ord_08_parts_and_inputs_stay_in_their_order() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().receive_progress().progress());
    peer.sent();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true,"progress":true},[0]]"#);
    for n in 1..=100_u64 {
        more(&mut peer, key, n, CallPart::More).unwrap();
        respond(&mut peer, &invocation, Response::Progress(payload(n))).unwrap();
        peer.receive(&format!(r#"[50,1,{{"progress":true}},[{n}]]"#));
        peer.receive(&format!(r#"[68,7,200,{{"progress":true}},[{n}]]"#));
    }
    for n in 1..=100 {
        peer.expect_sent(&format!(r#"[48,1,{{"progress":true}},"com.example.p",[{n}]]"#));
        peer.expect_sent(&format!(r#"[70,7,{{"progress":true}},[{n}]]"#));
        assert_eq!(expect_progress(&mut peer, key).payload.arg::<u64>(0).unwrap(), n);
        assert_eq!(expect_input(&mut peer, &invocation), (n, true));
    }
}
