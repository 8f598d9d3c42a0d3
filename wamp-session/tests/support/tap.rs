//! What a router would check of a client: that the session never breaks the protocol itself (PV-23).

use std::collections::BTreeSet;

use serde_json::Value;
use wamp_session::{Action, TransportId};

/// The greatest id.
const MAX_ID: u64 = 9_007_199_254_740_992;

/// Looks at the actions of a session and at what its router says, and panics if the session breaks the protocol.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    transport: Option<TransportId>,
    opened: bool,
    hello: bool,
    welcomed: bool,
    over: bool,
    /// The features that the broker and the dealer announce.
    broker: Value,
    dealer: Value,
    challenges: usize,
    requests: u64,
    /// The calls whose input goes on, and those that were cancelled.
    streaming: BTreeSet<u64>,
    cancelled: BTreeSet<u64>,
    calls: BTreeSet<u64>,
    invocations: BTreeSet<u64>,
    /// The invocations whose callers take parts of the result.
    progressive: BTreeSet<u64>,
}

impl Tap {
    /// The session wants something done; `text` is the frame of a `Send`, as JSON.
    pub(crate) fn action(&mut self, action: &Action, text: &str) {
        match action {
            Action::OpenTransport { id, .. } => {
                assert!(self.transport.is_none(), "two transports at a time");
                *self = Self { transport: Some(*id), ..Self::default() };
            }
            Action::Send { id, .. } => {
                assert!(self.opened && self.transport == Some(*id), "a frame for a transport that is not open");
                let message: Value = serde_json::from_str(text).expect("JSON");
                self.sent(&message);
            }
            Action::Ping { id } => assert!(self.welcomed && self.transport == Some(*id), "a ping without a session"),
            Action::CloseTransport { id, .. } => {
                assert_eq!(self.transport, Some(*id), "the end of a transport that is not in use");
                self.over = true;
            }
            action => panic!("unknown action {action:?}"),
        }
    }

    /// The transport was opened.
    pub(crate) fn opened(&mut self) {
        self.opened = true;
    }

    /// The transport ended.
    pub(crate) fn ended(&mut self) {
        *self = Self::default();
    }

    /// The router says something.
    pub(crate) fn received(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<Value>(text) else { return };
        match message.get(0).and_then(Value::as_u64) {
            Some(2) if !self.welcomed => {
                let features =
                    |role| message.pointer(&format!("/2/roles/{role}/features")).cloned().unwrap_or_default();
                (self.broker, self.dealer) = (features("broker"), features("dealer"));
                self.welcomed = self.hello;
            }
            Some(3) => self.over = true,
            Some(4) => self.challenges += 1,
            Some(68) if self.welcomed => {
                let id = message.get(1).and_then(Value::as_u64);
                self.invocations.extend(id);
                let takes_parts = message.get(3).and_then(|details| details.get("receive_progress"));
                if takes_parts == Some(&Value::Bool(true)) {
                    self.progressive.extend(id);
                }
            }
            // No answer is wanted any more, and none may come.
            Some(69) if message.get(2).and_then(|options| options.get("mode")) == Some(&"killnowait".into()) => {
                if let Some(id) = message.get(1).and_then(Value::as_u64) {
                    self.invocations.remove(&id);
                }
            }
            _ => {}
        }
    }

    /// What would break the protocol at a router without the feature.
    fn check_announced(&self, code: u64, options: Option<&Value>, message: &Value) {
        let option = |key: &str| options.and_then(|options| options.get(key));
        let router = if code == 16 { &self.broker } else { &self.dealer };
        let announces = |feature: &str| router.get(feature) == Some(&Value::Bool(true));
        if matches!(code, 8 | 16 | 48 | 70) && option("ppt_scheme").is_some() {
            assert!(announces("payload_passthru_mode"), "{message} is sealed, and the router does not know of that");
        }
        assert!(code != 49 || announces("call_canceling"), "{message}, and the dealer does not know of that");
        if code == 48 && option("progress").is_some() {
            let is_known = announces("progressive_call_invocations");
            assert!(is_known, "{message} is part of a call, and the dealer does not know of that");
        }
    }

    fn sent(&mut self, message: &Value) {
        let list = message.as_array().unwrap_or_else(|| panic!("{message} is no list"));
        let code = list.first().and_then(Value::as_u64).unwrap_or_else(|| panic!("{message} has no type"));
        assert!(!self.over, "{message} after the end of the session");
        if self.hello {
            assert_ne!(code, 1, "a second HELLO");
            assert!(self.welcomed || matches!(code, 3 | 5), "{message} before WELCOME");
        } else {
            assert_eq!(code, 1, "{message} before HELLO");
        }
        let shape = match code {
            1 => "sd",
            3 => "ds",
            5 => "sd",
            6 => "ds",
            8 => "iids",
            16 => "ids",
            32 => "ids",
            34 => "ii",
            48 => "ids",
            49 => "id",
            64 => "ids",
            66 => "ii",
            70 => "id",
            _ => panic!("{message} is not for a client to send"),
        };
        let optional = if matches!(code, 8 | 16 | 48 | 70) { 2 } else { 0 };
        assert!((shape.len() + 1..=shape.len() + 1 + optional).contains(&list.len()), "{message} has a wrong length");
        for (element, kind) in list.iter().skip(1).zip(shape.chars()) {
            let fits = match kind {
                's' => element.is_string(),
                'd' => element.is_object(),
                _ => element.as_u64().is_some_and(|id| (1..=MAX_ID).contains(&id)),
            };
            assert!(fits, "{message}: {element} is of the wrong type");
        }
        let payload = list.get(shape.len() + 1..).unwrap_or_default();
        match payload {
            [] => {}
            [args] => assert!(args.as_array().is_some_and(|args| !args.is_empty()), "{message}: empty Arguments"),
            [args, kwargs, ..] => {
                assert!(args.is_array(), "{message}: Arguments");
                assert!(kwargs.as_object().is_some_and(|kwargs| !kwargs.is_empty()), "{message}: empty ArgumentsKw");
            }
        }
        self.check_announced(code, list.get(if code == 8 { 3 } else { 2 }), message);
        let number = |index: usize| list.get(index).and_then(Value::as_u64).unwrap_or_default();
        match code {
            1 => self.hello = true,
            3 | 6 => self.over = true,
            5 => {
                assert!(self.challenges > 0, "AUTHENTICATE without CHALLENGE");
                self.challenges -= 1;
            }
            8 => {
                assert_eq!(number(1), 68, "{message}: an ERROR of another type than INVOCATION");
                assert!(self.invocations.remove(&number(2)), "{message} answers no invocation");
            }
            70 if list.get(2).and_then(|options| options.get("progress")) == Some(&Value::Bool(true)) => {
                assert!(self.invocations.contains(&number(1)), "{message} is part of no result");
                assert!(self.progressive.contains(&number(1)), "{message}: nobody takes parts");
            }
            70 => assert!(self.invocations.remove(&number(1)), "{message} answers no invocation"),
            49 => {
                let mode = list.get(2).and_then(|options| options.get("mode")).and_then(Value::as_str);
                assert!(matches!(mode, Some("skip" | "kill" | "killnowait")), "{message} has no mode");
                assert!(self.calls.contains(&number(1)), "{message} cancels no call");
                assert!(self.cancelled.insert(number(1)), "{message} cancels twice");
                self.streaming.remove(&number(1));
            }
            48 => {
                let goes_on = list.get(2).and_then(|options| options.get("progress")) == Some(&Value::Bool(true));
                if self.streaming.contains(&number(1)) {
                    let options = list.get(2).and_then(Value::as_object).map_or(0, serde_json::Map::len);
                    assert_eq!(options, usize::from(goes_on), "{message} says more than once");
                } else {
                    self.requests += 1;
                    assert_eq!(number(1), self.requests, "{message} is out of sequence");
                    self.calls.insert(number(1));
                }
                if goes_on {
                    self.streaming.insert(number(1));
                } else {
                    self.streaming.remove(&number(1));
                }
            }
            _ => {
                self.requests += 1;
                assert_eq!(number(1), self.requests, "{message} is out of sequence");
            }
        }
    }
}
