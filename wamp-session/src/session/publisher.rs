//! PUBLISH and its acknowledgement (WAMP Basic Profile, "Publishing and Events").

use std::collections::BTreeMap;

use wamp_proto::{Payload, PublicationId, Publish, RequestId, Role, Uri};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::requests::{Request, check_exact};
use super::state::State;
use super::waiting::{Command, Place};
use crate::{CommandError, PublishKey, PublishOptions, RequestError, SessionEvent};

/// An acknowledged publication that waits.
#[derive(Debug)]
pub(super) struct Publication {
    stage: Stage,
    deadline: Option<DeadlineId>,
}

/// Where a request stands that is over with its answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Waiting(Place),
    Sent(RequestId),
}

impl Stage {
    pub(super) const fn sent(self) -> bool {
        matches!(self, Self::Sent(_))
    }
}

pub(super) type Publications = BTreeMap<PublishKey, Publication>;

impl Session {
    pub(super) fn send_publish(
        &mut self,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<(), CommandError> {
        self.check_topic(&topic)?;
        match &self.state {
            state if state.is_over() => return Err(CommandError::Closed),
            State::Joined(_) => {}
            State::Closed | State::Opening { .. } | State::Joining(_) | State::Waiting(..) | State::Closing(_) => {
                return Err(CommandError::NotJoined);
            }
        }
        let options = options.wire;
        self.request(None, |request| Publish { request, options, topic, payload }.into()).map(|_| ())
    }

    pub(super) fn begin_publish(
        &mut self,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<PublishKey, CommandError> {
        self.check_topic(&topic)?;
        self.check_room()?;
        let key = PublishKey(self.next_key());
        let until = self.now.checked_add(options.timeout.unwrap_or(self.config.request_timeout));
        let mut options = options.wire;
        options.acknowledge = Some(true);
        let stage = if self.is_joined() {
            let request = Some(Request::Publish(key));
            Stage::Sent(self.request(request, |request| Publish { request, options, topic, payload }.into())?)
        } else {
            Stage::Waiting(self.waiting.push(Command::Publish { key, topic, options, payload }))
        };
        let deadline = self.deadlines.set(until, Deadline::Publish(key));
        self.publications.insert(key, Publication { stage, deadline });
        Ok(key)
    }

    fn check_topic(&self, topic: &Uri) -> Result<(), CommandError> {
        self.check_role(Role::Publisher)?;
        check_exact(topic)?;
        if topic.is_reserved() { Err(CommandError::ReservedUri) } else { Ok(()) }
    }

    /// Sends a publication that has waited for the join.
    pub(super) fn send_waiting_publish(
        &mut self,
        key: PublishKey,
        topic: Uri,
        options: wamp_proto::PublishOptions,
        payload: Payload,
    ) {
        let request = Some(Request::Publish(key));
        match self.request(request, |request| Publish { request, options, topic, payload }.into()) {
            Ok(request) => {
                if let Some(publication) = self.publications.get_mut(&key) {
                    publication.stage = Stage::Sent(request);
                }
            }
            Err(error) => self.publish_done(key, Err(error.into())),
        }
    }

    /// Ends a publication with its one event.
    pub(super) fn publish_done(&mut self, key: PublishKey, result: Result<PublicationId, RequestError>) {
        if let Some(publication) = self.publications.remove(&key) {
            self.deadlines.cancel(publication.deadline);
            self.events.push(SessionEvent::PublishDone { key, result });
        }
    }

    /// Takes a publication back: an answer to it is ignored.
    pub(super) fn withdraw_publish(&mut self, key: PublishKey) -> bool {
        let Some(publication) = self.publications.remove(&key) else { return false };
        self.deadlines.cancel(publication.deadline);
        self.withdraw_stage(publication.stage);
        true
    }

    pub(super) fn publish_timed_out(&mut self, key: PublishKey) {
        if self.withdraw_publish(key) {
            self.events.push(SessionEvent::PublishDone { key, result: Err(RequestError::Timeout) });
        }
    }

    /// Ends the publications that were sent; the others go on waiting for a join.
    pub(super) fn lose_publications(&mut self, error: fn(bool) -> RequestError) {
        let sent: Vec<PublishKey> =
            self.publications.iter().filter(|(_, publication)| publication.stage.sent()).map(|(key, _)| *key).collect();
        for key in sent {
            self.publish_done(key, Err(error(true)));
        }
    }

    pub(super) fn end_publications(&mut self, error: fn(bool) -> RequestError) {
        for (key, publication) in core::mem::take(&mut self.publications) {
            self.deadlines.cancel(publication.deadline);
            self.events.push(SessionEvent::PublishDone { key, result: Err(error(publication.stage.sent())) });
        }
    }

    pub(super) fn withdraw_stage(&mut self, stage: Stage) {
        match stage {
            Stage::Waiting(place) => self.waiting.withdraw(place),
            Stage::Sent(request) => {
                self.requests.forget(request);
            }
        }
    }
}
