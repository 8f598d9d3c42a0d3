//! PUBLISH and its acknowledgement (WAMP Basic Profile, "Publishing and Events").

use std::collections::BTreeMap;

use wamp_proto::{Message, Payload, PayloadCheck, PublicationId, Publish, RequestId, Role, Uri, decode};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::requests::{Request, check_exact};
use super::waiting::{Command, Kind, Place};
use crate::features::Asked;
use crate::{CommandError, Frame, PublishKey, PublishOptions, RequestError, SessionEvent, Time};

/// A publication that waits: for its acknowledgement, or for a join.
#[derive(Debug)]
pub(super) struct Publication {
    stage: Stage,
    deadline: Option<DeadlineId>,
    /// Whether its timeout begins with the join.
    buffered: bool,
    told: Told,
}

/// How the end of a publication is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It is acknowledged.
    Acknowledged,
    /// It is over when it is sent.
    Sent,
    /// It is over when it is sent, and if it is lost it is counted.
    Counted,
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
    /// A frame that an action gave out was not written, and will not be, because its transport has ended or is about to.
    ///
    /// If it is a publication without acknowledgement, it counts as lost ([`Stats::lost_publishes`](crate::Stats::lost_publishes), and the next
    /// [`Left`](crate::Left)): say so before [`handle_closed`](Self::handle_closed), so that it is told with the session that lost it. Everything
    /// else ends by itself. Frames that were written, even if only into a buffer, may have arrived: they are not unsent.
    pub fn handle_unsent(&mut self, now: Time, frame: Frame) {
        self.advance(now);
        let (Frame::Text(bytes) | Frame::Binary(bytes)) = frame;
        // Only the head is looked at.
        let message = decode(bytes, self.format(), &self.config.limits.message, PayloadCheck::OnDecode);
        if let Ok(Message::Publish(publish)) = message
            && publish.options.acknowledge != Some(true)
        {
            self.count_lost(1);
        }
    }

    pub(super) fn send_publish(
        &mut self,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<Option<PublishKey>, CommandError> {
        self.check_topic(&topic)?;
        if self.state.is_over() {
            return Err(CommandError::Closed);
        }
        if self.is_joined() {
            let options = options.wire;
            self.request(None, |request| Publish { request, options, topic, payload }.into())?;
            return Ok(None);
        }
        self.config.check_features(Asked::Publish(&options.wire))?;
        let limit = self.check_wait(Kind::Publish, options.offline, payload.byte_len())?;
        self.check_room()?;
        let told = if limit.is_some() { Told::Sent } else { Told::Counted };
        let key = PublishKey(self.next_key());
        let deadline = self.deadlines.set(self.after(options.timeout.or(limit)), Deadline::Publish(key));
        let mut options = options.wire;
        options.acknowledge = None;
        let stage = Stage::Waiting(self.waiting.push(Command::Publish { key, topic, options, payload }));
        self.publications.insert(key, Publication { stage, deadline, buffered: false, told });
        Ok((told == Told::Sent).then_some(key))
    }

    pub(super) fn begin_publish(
        &mut self,
        topic: Uri,
        payload: Payload,
        options: PublishOptions,
    ) -> Result<PublishKey, CommandError> {
        self.check_topic(&topic)?;
        self.check_room()?;
        self.config.check_features(Asked::Publish(&options.wire))?;
        let timeout = self.patience(Kind::AckedPublish, options.timeout, options.offline, payload.byte_len())?;
        let key = PublishKey(self.next_key());
        let mut options = options.wire;
        options.acknowledge = Some(true);
        let stage = if self.is_joined() {
            let request = Some(Request::Publish(key));
            Stage::Sent(self.request(request, |request| Publish { request, options, topic, payload }.into())?)
        } else {
            Stage::Waiting(self.waiting.push(Command::Publish { key, topic, options, payload }))
        };
        let deadline = self.deadlines.set(self.after(timeout), Deadline::Publish(key));
        let (buffered, told) = (timeout.is_none(), Told::Acknowledged);
        self.publications.insert(key, Publication { stage, deadline, buffered, told });
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
        let Some(Publication { told, .. }) = self.publications.get(&key) else { return };
        let told = *told;
        let request = (told == Told::Acknowledged).then_some(Request::Publish(key));
        match self.request(request, |request| Publish { request, options, topic, payload }.into()) {
            Ok(request) if told == Told::Acknowledged => {
                let until = self.now.checked_add(self.config.request_timeout);
                if let Some(publication) = self.publications.get_mut(&key) {
                    publication.stage = Stage::Sent(request);
                    if core::mem::take(&mut publication.buffered) {
                        publication.deadline = self.deadlines.set(until, Deadline::Publish(key));
                    }
                }
            }
            Ok(_) => {
                if let Some(publication) = self.publications.remove(&key) {
                    self.deadlines.cancel(publication.deadline);
                    if told == Told::Sent {
                        self.events.push(SessionEvent::PublishSent { key, result: Ok(()) });
                    }
                }
            }
            Err(error) => self.publish_failed(key, error.into()),
        }
    }

    /// The broker has acknowledged a publication.
    pub(super) fn published(&mut self, key: PublishKey, publication: PublicationId) {
        if let Some(waiting) = self.publications.remove(&key) {
            self.deadlines.cancel(waiting.deadline);
            self.events.push(SessionEvent::PublishDone { key, result: Ok(publication) });
        }
    }

    /// Ends a publication that was lost, refused or given up.
    pub(super) fn publish_failed(&mut self, key: PublishKey, error: RequestError) {
        if let Some(publication) = self.publications.remove(&key) {
            self.deadlines.cancel(publication.deadline);
            self.tell_failed(key, publication.told, error);
        }
    }

    fn tell_failed(&mut self, key: PublishKey, told: Told, error: RequestError) {
        match told {
            Told::Acknowledged => self.events.push(SessionEvent::PublishDone { key, result: Err(error) }),
            Told::Sent => self.events.push(SessionEvent::PublishSent { key, result: Err(error) }),
            Told::Counted => self.count_lost(1),
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
        let Some(Publication { told, stage, .. }) = self.publications.get(&key) else { return };
        let (told, sent) = (*told, stage.sent());
        self.withdraw_publish(key);
        self.tell_failed(key, told, RequestError::Timeout { sent });
    }

    /// Ends the publications that were sent; the others go on waiting for a join.
    pub(super) fn lose_publications(&mut self, error: fn(bool) -> RequestError) {
        let sent: Vec<PublishKey> =
            self.publications.iter().filter(|(_, publication)| publication.stage.sent()).map(|(key, _)| *key).collect();
        for key in sent {
            self.publish_failed(key, error(true));
        }
    }

    pub(super) fn end_publications(&mut self, error: fn(bool) -> RequestError) {
        for (key, publication) in core::mem::take(&mut self.publications) {
            self.deadlines.cancel(publication.deadline);
            self.tell_failed(key, publication.told, error(publication.stage.sent()));
        }
    }

    pub(super) fn withdraw_stage(&mut self, stage: Stage) {
        match stage {
            Stage::Waiting(place) => self.waiting.withdraw(place, &mut self.discards),
            Stage::Sent(request) => {
                self.requests.forget(request);
            }
        }
    }
}
