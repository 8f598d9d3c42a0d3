//! Commands that wait for a join, in the order in which they were given.

use core::mem;
use core::time::Duration;
use std::collections::BTreeMap;

use wamp_proto::{CallOptions, Payload, PublishOptions, Uri};

use super::Session;
use super::discarded::Discards;
use super::subscriber::WantedKey;
use crate::{CallKey, CommandError, OfflinePolicy, PublishKey, RegistrationKey, Time};

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

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Self::Call { payload, .. } | Self::Publish { payload, .. } => payload.byte_len(),
            Self::Subscribe(_) | Self::Register(_) => 0,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Call { .. } => Kind::Call,
            Self::Publish { options, .. } if options.acknowledge == Some(true) => Kind::AckedPublish,
            Self::Publish { .. } => Kind::Publish,
            Self::Subscribe(_) => Kind::Subscribe,
            Self::Register(_) => Kind::Register,
        }
    }
}

/// What a bound of waiting commands applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Call,
    Publish,
    AckedPublish,
    Subscribe,
    Register,
}

/// The place of a command in the queue.
pub(super) type Place = u64;

/// The queue, from whose middle commands can be taken when they time out.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    next: Place,
    commands: BTreeMap<Place, Command>,
    counts: BTreeMap<Kind, usize>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, command: Command) -> Place {
        let place = self.next;
        self.next += 1;
        self.bytes += command.bytes();
        *self.counts.entry(command.kind()).or_default() += 1;
        self.commands.insert(place, command);
        place
    }

    pub(super) fn withdraw(&mut self, place: Place, discards: &mut Discards) {
        if let Some(command) = self.commands.remove(&place) {
            self.uncount(&command);
            discards.push(command);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Command> {
        let (_, command) = self.commands.pop_first()?;
        self.uncount(&command);
        Some(command)
    }

    fn uncount(&mut self, command: &Command) {
        self.bytes -= command.bytes();
        if let Some(count) = self.counts.get_mut(&command.kind()) {
            *count -= 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    fn count(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn clear(&mut self, discards: &mut Discards) {
        let gone = mem::replace(self, Self { next: self.next, ..Self::default() });
        if gone.len() > 0 {
            discards.push(gone);
        }
    }
}

impl Session {
    /// How long to wait for the answer to a command: as long as it says itself, else for the request timeout. `None` if it waits for a
    /// join without end, and the timeout begins with that.
    pub(super) fn patience(
        &self,
        kind: Kind,
        own: Option<Duration>,
        offline: Option<OfflinePolicy>,
        bytes: usize,
    ) -> Result<Option<Duration>, CommandError> {
        let limit =
            if self.is_joined() { Some(self.config.request_timeout) } else { self.check_wait(kind, offline, bytes)? };
        Ok(own.or(limit))
    }

    /// The instant after a timeout; `None` is never.
    pub(super) fn after(&self, timeout: Option<Duration>) -> Option<Time> {
        timeout.and_then(|timeout| self.now.checked_add(timeout))
    }

    /// Checks that a command may wait for a join, and says for how long, if not for its own timeout only.
    pub(super) fn check_wait(
        &self,
        kind: Kind,
        own: Option<OfflinePolicy>,
        bytes: usize,
    ) -> Result<Option<Duration>, CommandError> {
        let offline = &self.config.offline;
        let policy = own.unwrap_or(match kind {
            Kind::Call => offline.calls,
            Kind::Publish => offline.publishes,
            Kind::AckedPublish => offline.acked_publishes,
            Kind::Subscribe => offline.subscribes,
            Kind::Register => offline.registers,
        });
        let limit = match policy {
            OfflinePolicy::FailFast => return Err(CommandError::NotJoined),
            OfflinePolicy::Wait => None,
            OfflinePolicy::Buffer(limit) => Some(limit),
        };
        let has_room = bytes <= self.config.limits.waiting_bytes.saturating_sub(self.waiting.bytes);
        if !has_room || limit.is_some_and(|limit| self.waiting.count(kind) >= limit) {
            return Err(CommandError::BufferFull);
        }
        Ok(if limit.is_some() { None } else { Some(self.config.request_timeout) })
    }

    /// Sends what has waited for the join, in its order.
    pub(super) fn send_waiting(&mut self) {
        while let Some(command) = self.waiting.pop() {
            match command {
                Command::Call { key, procedure, options, payload, until } => {
                    self.discards.hold(&payload);
                    self.send_waiting_call(key, procedure, options, payload, until);
                }
                Command::Publish { key, topic, options, payload } => {
                    self.discards.hold(&payload);
                    self.send_waiting_publish(key, topic, options, payload);
                }
                Command::Subscribe(key) => self.send_waiting_subscribe(key),
                Command::Register(key) => self.send_waiting_register(key),
            }
        }
    }
}
