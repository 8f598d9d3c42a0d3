//! Commands that wait for a join, in the order in which they were given.

use std::collections::BTreeMap;

use wamp_proto::{CallOptions, Payload, PublishOptions, Uri};

use super::Session;
use super::subscriber::WantedKey;
use crate::{CallKey, PublishKey, RegistrationKey, Time};

/// A command that waits for a join.
#[derive(Debug)]
pub(super) enum Command {
    Call {
        key: CallKey,
        procedure: Uri,
        options: CallOptions,
        payload: Payload,
        /// When the call itself times out, which may be later than the wait for a join.
        until: Option<Time>,
    },
    Publish {
        key: PublishKey,
        topic: Uri,
        options: PublishOptions,
        payload: Payload,
    },
    Subscribe(WantedKey),
    Register(RegistrationKey),
}

/// The place of a command in the queue.
pub(super) type Place = u64;

/// The queue, from whose middle commands can be taken when they time out.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    next: Place,
    commands: BTreeMap<Place, Command>,
}

impl Waiting {
    pub(super) fn push(&mut self, command: Command) -> Place {
        let place = self.next;
        self.next += 1;
        self.commands.insert(place, command);
        place
    }

    pub(super) fn withdraw(&mut self, place: Place) {
        self.commands.remove(&place);
    }

    pub(super) fn pop(&mut self) -> Option<Command> {
        self.commands.pop_first().map(|(_, command)| command)
    }

    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(super) fn clear(&mut self) {
        self.commands.clear();
    }
}

impl Session {
    /// Sends what has waited for the join, in its order.
    pub(super) fn send_waiting(&mut self) {
        while let Some(command) = self.waiting.pop() {
            match command {
                Command::Call { key, procedure, options, payload, until } => {
                    self.send_waiting_call(key, procedure, options, payload, until);
                }
                Command::Publish { key, topic, options, payload } => {
                    self.send_waiting_publish(key, topic, options, payload);
                }
                Command::Subscribe(key) => self.send_waiting_subscribe(key),
                Command::Register(key) => self.send_waiting_register(key),
            }
        }
    }
}
