//! The tap notices what it is there for (PV-23); each test feeds it what a broken session would send.

use wamp_session::{Action, Config, Frame, Session, Time};

use crate::support::Tap;

/// A tap whose session was welcomed, and the transport.
fn tap(sent: &[&str], received: &[&str]) -> (Tap, Vec<Action>) {
    let mut session = Session::new(Config::new("ws://127.0.0.1/", "realm1"));
    session.connect(Time::ZERO);
    let open = session.poll_action().unwrap();
    let id = session.transport().unwrap();
    let mut tap = Tap::default();
    tap.action(&open, "");
    tap.opened();
    for text in received {
        tap.received(text);
    }
    let actions = sent.iter().map(|text| Action::Send { id, frame: Frame::Text(text.as_bytes().to_vec().into()) });
    (tap, actions.collect())
}

fn send(frames: &[&str], then: &[&str], last: &[&str]) {
    let all: Vec<&str> = frames.iter().chain(last).copied().collect();
    let (mut tap, actions) = tap(&all, &[]);
    for (index, (action, text)) in actions.iter().zip(&all).enumerate() {
        if index == frames.len() {
            for text in then {
                tap.received(text);
            }
        }
        tap.action(action, text);
    }
}

const HELLO: &str = r#"[1,"realm1",{}]"#;
const WELCOME: &str = "[2,1,{}]";

#[test]
fn a_conforming_session_passes() {
    send(
        &[HELLO],
        &[WELCOME, "[68,7,1,{}]"],
        &[r#"[32,1,{},"a.b"]"#, "[70,7,{},[1]]", r#"[16,2,{},"a.b"]"#, r#"[6,{},"wamp.close.close_realm"]"#],
    );
}

#[test]
#[should_panic(expected = "before HELLO")]
fn a_message_before_hello_is_noticed() {
    send(&[], &[], &[r#"[32,1,{},"a.b"]"#]);
}

#[test]
#[should_panic(expected = "a second HELLO")]
fn a_second_hello_is_noticed() {
    send(&[HELLO], &[WELCOME], &[HELLO]);
}

#[test]
#[should_panic(expected = "before WELCOME")]
fn a_request_before_welcome_is_noticed() {
    send(&[HELLO], &[], &[r#"[32,1,{},"a.b"]"#]);
}

#[test]
#[should_panic(expected = "out of sequence")]
fn a_gap_in_the_request_ids_is_noticed() {
    send(&[HELLO], &[WELCOME], &[r#"[32,2,{},"a.b"]"#]);
}

#[test]
#[should_panic(expected = "answers no invocation")]
fn a_second_answer_is_noticed() {
    send(&[HELLO], &[WELCOME, "[68,7,1,{}]"], &["[70,7,{}]", r#"[8,68,7,{},"a.b"]"#]);
}

#[test]
#[should_panic(expected = "after the end of the session")]
fn a_message_after_goodbye_is_noticed() {
    send(&[HELLO], &[WELCOME], &[r#"[6,{},"wamp.close.close_realm"]"#, r#"[32,1,{},"a.b"]"#]);
}

#[test]
#[should_panic(expected = "wrong type")]
fn missing_options_are_noticed() {
    send(&[HELLO], &[WELCOME], &[r#"[32,1,null,"a.b"]"#]);
}

#[test]
#[should_panic(expected = "empty Arguments")]
fn empty_arguments_are_noticed() {
    send(&[HELLO], &[WELCOME], &[r#"[16,1,{},"a.b",[]]"#]);
}

#[test]
#[should_panic(expected = "not for a client")]
fn a_message_of_a_router_is_noticed() {
    send(&[HELLO], &[WELCOME], &["[17,1,1]"]);
}
