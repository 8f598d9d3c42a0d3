//! A router that does as it likes.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::Dice;

const WELCOME: &str = concat!(
    r#"[2,7,{"roles":{"broker":{},"dealer":{"features":{"call_canceling":true,"progressive_call_invocations":true,"#,
    r#""progressive_call_results":true}}}}]"#
);

/// A router that answers most of what it is asked, in its order, and sends what nobody asked for.
#[derive(Default)]
pub(super) struct Router {
    pub(super) outbox: VecDeque<String>,
    pub(super) subscriptions: BTreeSet<u64>,
    pub(super) registrations: BTreeSet<u64>,
    pub(super) invocations: BTreeSet<u64>,
    pub(super) calls: BTreeSet<u64>,
    /// Input that goes on.
    pub(super) inputs: BTreeSet<u64>,
    pub(super) numbers: u64,
    pub(super) is_over: bool,
}

impl Router {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn answer(&mut self, frame: &Value, dice: &mut Dice) {
        let id = frame[1].as_u64().unwrap_or_default();
        if frame[0] != 1 && frame[0] != 6 && dice.one_in(12) {
            // Some requests are never answered.
            return;
        }
        match frame[0].as_u64().unwrap() {
            1 => self.outbox.push_back(WELCOME.to_owned()),
            3 => self.is_over = true,
            6 => {
                self.outbox.push_back(r#"[6,{},"wamp.close.goodbye_and_out"]"#.to_owned());
                self.is_over = true;
            }
            16 if frame[2]["acknowledge"] == true => self.outbox.push_back(format!("[17,{id},1]")),
            32 => {
                let topic = frame[3].as_str().unwrap().len() as u64;
                self.subscriptions.insert(topic);
                self.outbox.push_back(format!("[33,{id},{topic}]"));
            }
            34 => {
                self.subscriptions.remove(&frame[2].as_u64().unwrap());
                self.outbox.push_back(format!("[35,{id}]"));
            }
            64 => {
                let registration = self.number();
                self.registrations.insert(registration);
                self.outbox.push_back(format!("[65,{id},{registration}]"));
            }
            66 => {
                self.registrations.remove(&frame[2].as_u64().unwrap());
                self.outbox.push_back(format!("[67,{id}]"));
            }
            48 => self.call(id, frame, dice),
            49 if self.calls.remove(&id) => self.outbox.push_back(format!(r#"[8,48,{id},{{}},"wamp.error.canceled"]"#)),
            70 if frame[2]["progress"] != true => drop(self.invocations.remove(&id)),
            8 => drop(self.invocations.remove(&frame[2].as_u64().unwrap())),
            _ => {}
        }
    }

    fn call(&mut self, id: u64, frame: &Value, dice: &mut Dice) {
        self.calls.insert(id);
        if frame[2]["receive_progress"] == true {
            for n in 0..dice.below(4) {
                self.outbox.push_back(format!(r#"[50,{id},{{"progress":true}},[{n}]]"#));
            }
        }
        if frame[2]["progress"] == true && !dice.one_in(8) {
            return;
        }
        self.calls.remove(&id);
        self.outbox.push_back(if dice.one_in(4) {
            format!(r#"[8,48,{id},{{}},"com.example.error"]"#)
        } else {
            json!([50, id, {}, frame[4]]).to_string()
        });
    }

    /// Sends something that nobody asked for.
    pub(super) fn talk(&mut self, dice: &mut Dice) {
        let number = self.number();
        let pick = |set: &BTreeSet<u64>, dice: &mut Dice| {
            let count = set.len();
            (count > 0).then(|| *set.iter().nth(dice.below(count)).unwrap())
        };
        match dice.below(4) {
            0 | 1 => {
                if let Some(id) = pick(&self.subscriptions, dice) {
                    self.outbox.push_back(format!("[36,{id},{number},{{}},[{number}]]"));
                }
            }
            2 => {
                if let Some(id) = pick(&self.registrations, dice) {
                    self.invocations.insert(number);
                    let progress = dice.one_in(3);
                    if progress {
                        self.inputs.insert(number);
                    }
                    let details = json!({"progress": progress, "receive_progress": dice.one_in(2)});
                    self.outbox.push_back(json!([68, number, id, details, [number]]).to_string());
                }
            }
            _ => {
                if let Some(id) = pick(&self.inputs, dice) {
                    let more = dice.one_in(2);
                    if !more {
                        self.inputs.remove(&id);
                    }
                    self.outbox.push_back(json!([68, id, 1, {"progress": more}, [number]]).to_string());
                } else if let Some(id) = pick(&self.invocations, dice) {
                    let mode = if dice.one_in(2) { "kill" } else { "killnowait" };
                    self.outbox.push_back(format!(r#"[69,{id},{{"mode":"{mode}"}}]"#));
                }
            }
        }
    }
}
