//! SUBSCRIBE, UNSUBSCRIBE and EVENT (WAMP Basic Profile, "Subscribing and Unsubscribing").
//!
//! What is wanted and what the router has are two tables. Local subscriptions to one topic with the same options share one
//! [`Wanted`], which is asked for once; a Wanted that stands has a router's id, which it may share with others. UNSUBSCRIBE would end
//! the id for all of them: it goes out when nobody wants the id any more, and not while an answer to a SUBSCRIBE of the same
//! topic is outstanding, which could bring the same id.

use std::collections::BTreeMap;
use std::sync::Arc;

use wamp_proto::{
    Event, EventDetails, MessageType, Role, Subscribe, Subscribed, SubscriptionId, Unsubscribe, Uri, UriRule,
};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::rejoining::Replayed;
use super::requests::Request;
use super::waiting::{Command, Kind, Place};
use crate::features::Asked;
use crate::{
    CommandError, NotRestored, PublishedEvent, RequestError, SessionEvent, SubscribeOptions, SubscriptionKey, WampError,
};

/// The name of a [`Wanted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WantedKey(u64);

/// A topic with options that local subscriptions want.
#[derive(Debug)]
struct Wanted {
    topic: Uri,
    options: wamp_proto::SubscribeOptions,
    stage: Stage,
    /// The local subscriptions, in the order in which they were made.
    members: Vec<SubscriptionKey>,
    /// Whether `Restored` named it, so that its return is to be told.
    missed: bool,
    /// Until when an answer is waited for that nobody wants any more.
    deadline: Option<DeadlineId>,
}

impl Wanted {
    fn wants_retained(&self) -> bool {
        self.options.get_retained == Some(true)
    }
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Waiting(Place),
    Asked,
    /// It was asked for, and nobody wants it any more: the answer may never come, so that nobody shares it or waits for it.
    GivenUp,
    Standing(SubscriptionId),
    /// It was asked for in a session that is over.
    Lost,
}

/// A local subscription.
#[derive(Debug)]
struct Local {
    wanted: WantedKey,
    /// Until when it waits to be confirmed.
    deadline: Option<DeadlineId>,
    /// Whether its timeout begins with the join.
    buffered: bool,
    /// Whether a SUBSCRIBE for it was sent, in this session or one before.
    sent: bool,
    confirmed: bool,
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    locals: BTreeMap<SubscriptionKey, Local>,
    wanted: BTreeMap<WantedKey, Wanted>,
    by_topic: BTreeMap<Uri, Vec<WantedKey>>,
    by_id: BTreeMap<SubscriptionId, Vec<WantedKey>>,
    /// The details of most EVENTs.
    no_details: Arc<EventDetails>,
}

impl Subscriptions {
    /// The topic with these options, if it is wanted already. Who wants the retained event asks by itself: it comes only with the
    /// answer. Nobody shares what was given up.
    fn find(&self, topic: &Uri, options: &wamp_proto::SubscribeOptions) -> Option<WantedKey> {
        if options.get_retained == Some(true) {
            return None;
        }
        let same = |key: &&WantedKey| {
            let wanted = self.wanted.get(key).filter(|wanted| !matches!(wanted.stage, Stage::GivenUp));
            wanted.is_some_and(|wanted| wanted.options == *options)
        };
        self.by_topic.get(topic)?.iter().find(same).copied()
    }

    fn insert(&mut self, key: WantedKey, wanted: Wanted) {
        self.by_topic.entry(wanted.topic.clone()).or_default().push(key);
        self.wanted.insert(key, wanted);
    }

    fn remove(&mut self, key: WantedKey) -> Option<Wanted> {
        let wanted = self.wanted.remove(&key)?;
        if let Some(keys) = self.by_topic.get_mut(&wanted.topic) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_topic.remove(&wanted.topic);
            }
        }
        if let Stage::Standing(id) = wanted.stage
            && let Some(keys) = self.by_id.get_mut(&id)
        {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_id.remove(&id);
            }
        }
        Some(wanted)
    }

    /// Whether a SUBSCRIBE of the topic waits for its answer.
    fn is_asked(&self, topic: &Uri) -> bool {
        self.by_topic.get(topic).is_some_and(|keys| {
            keys.iter().any(|key| matches!(self.wanted.get(key), Some(Wanted { stage: Stage::Asked, .. })))
        })
    }

    /// Forgets what nobody wants of an id, and says whether nobody wants the id any more.
    fn release(&mut self, id: SubscriptionId) -> bool {
        let Some(keys) = self.by_id.get(&id) else { return false };
        let (idle, busy): (Vec<WantedKey>, Vec<WantedKey>) =
            keys.iter().partition(|key| self.wanted.get(key).is_none_or(|wanted| wanted.members.is_empty()));
        let is_asked = idle.iter().any(|key| self.wanted.get(key).is_some_and(|wanted| self.is_asked(&wanted.topic)));
        if is_asked && busy.is_empty() {
            return false;
        }
        for key in idle {
            self.remove(key);
        }
        busy.is_empty()
    }
}

impl Session {
    pub(super) fn begin_subscribe(
        &mut self,
        topic: Uri,
        options: SubscribeOptions,
    ) -> Result<SubscriptionKey, CommandError> {
        self.check_role(Role::Subscriber)?;
        topic.check(UriRule::Loose, options.policy())?;
        self.check_room()?;
        let SubscribeOptions { wire: options, timeout, offline, .. } = options;
        self.config.check_features(Asked::Subscribe(&options))?;
        let timeout = self.patience(Kind::Subscribe, timeout, offline, 0)?;
        let wanted = match self.subscriptions.find(&topic, &options) {
            Some(wanted) => wanted,
            None => self.want(topic, options)?,
        };
        let key = SubscriptionKey(self.next_key());
        let Some(entry) = self.subscriptions.wanted.get_mut(&wanted) else { return Err(CommandError::UnknownKey) };
        entry.members.push(key);
        self.deadlines.cancel(entry.deadline.take());
        let (sent, confirmed) = match entry.stage {
            Stage::Waiting(_) | Stage::Lost => (false, false),
            Stage::Asked | Stage::GivenUp => (true, false),
            Stage::Standing(_) => (true, true),
        };
        let deadline = if confirmed {
            self.events.push(SessionEvent::Subscribed { key, result: Ok(()) });
            None
        } else {
            self.deadlines.set(self.after(timeout), Deadline::Subscribe(key))
        };
        let buffered = timeout.is_none() && !confirmed;
        self.subscriptions.locals.insert(key, Local { wanted, deadline, buffered, sent, confirmed });
        Ok(key)
    }

    fn want(&mut self, topic: Uri, options: wamp_proto::SubscribeOptions) -> Result<WantedKey, CommandError> {
        let key = WantedKey(self.next_key());
        let stage = if self.is_joined() {
            self.send_subscribe(key, topic.clone(), options.clone())?;
            Stage::Asked
        } else {
            Stage::Waiting(self.waiting.push(Command::Subscribe(key)))
        };
        let members = Vec::new();
        self.subscriptions.insert(key, Wanted { topic, options, stage, members, missed: false, deadline: None });
        Ok(key)
    }

    fn send_subscribe(
        &mut self,
        key: WantedKey,
        topic: Uri,
        options: wamp_proto::SubscribeOptions,
    ) -> Result<(), CommandError> {
        self.request(Some(Request::Subscribe(key)), |request| Subscribe { request, options, topic }.into()).map(|_| ())
    }

    /// Sends a SUBSCRIBE that has waited for the join.
    pub(super) fn send_waiting_subscribe(&mut self, key: WantedKey) {
        let Some(wanted) = self.subscriptions.wanted.get(&key) else { return };
        let (topic, options) = (wanted.topic.clone(), wanted.options.clone());
        match self.send_subscribe(key, topic, options) {
            Ok(()) => {
                let until = self.now.checked_add(self.config.request_timeout);
                let Some(wanted) = self.subscriptions.wanted.get_mut(&key) else { return };
                wanted.stage = Stage::Asked;
                for key in &wanted.members {
                    let Some(local) = self.subscriptions.locals.get_mut(key) else { continue };
                    local.sent = true;
                    if core::mem::take(&mut local.buffered) {
                        local.deadline = self.deadlines.set(until, Deadline::Subscribe(*key));
                    }
                }
            }
            Err(error) => self.not_subscribed(key, &error.into()),
        }
    }

    pub(super) fn subscribed(&mut self, Subscribed { request, subscription }: Subscribed) {
        let Some(Request::Subscribe(key)) = self.requests.answered(request, MessageType::Subscribe) else {
            self.stats.unknown_answers += 1;
            return;
        };
        let Some(wanted) = self.subscriptions.wanted.get_mut(&key) else { return };
        wanted.stage = Stage::Standing(subscription);
        self.deadlines.cancel(wanted.deadline.take());
        let is_late = core::mem::take(&mut wanted.missed);
        for member in &wanted.members {
            let Some(local) = self.subscriptions.locals.get_mut(member) else { continue };
            self.deadlines.cancel(local.deadline.take());
            let event = SessionEvent::Subscribed { key: *member, result: Ok(()) };
            if !core::mem::replace(&mut local.confirmed, true) {
                self.events.push(event);
            } else if is_late {
                self.events.push_change(event);
            }
        }
        let topic = wanted.topic.clone();
        self.subscriptions.by_id.entry(subscription).or_default().push(key);
        self.release_topic(&topic);
        self.replay_answered(Replayed::Subscription(key));
    }

    /// A SUBSCRIBE was refused.
    pub(super) fn not_subscribed(&mut self, key: WantedKey, error: &RequestError) {
        let replayed = Replayed::Subscription(key);
        let was_replayed = self.is_replayed(replayed);
        let Some(wanted) = self.subscriptions.remove(key) else { return };
        self.deadlines.cancel(wanted.deadline);
        for key in wanted.members {
            if was_replayed {
                let topic = wanted.topic.clone();
                self.not_restored(NotRestored::Subscription { key, topic, error: error.clone() });
            }
            if let Some(local) = self.subscriptions.locals.remove(&key) {
                self.deadlines.cancel(local.deadline);
            }
            self.events.push(SessionEvent::Subscribed { key, result: Err(error.clone()) });
        }
        self.release_topic(&wanted.topic);
        self.replay_answered(replayed);
    }

    /// Sends the UNSUBSCRIBEs that have waited for the answer to a SUBSCRIBE of the topic.
    fn release_topic(&mut self, topic: &Uri) {
        let Some(keys) = self.subscriptions.by_topic.get(topic) else { return };
        let idle: Vec<SubscriptionId> = keys
            .iter()
            .filter_map(|key| match self.subscriptions.wanted.get(key) {
                Some(Wanted { stage: Stage::Standing(id), members, .. }) if members.is_empty() => Some(*id),
                _ => None,
            })
            .collect();
        for id in idle {
            if self.subscriptions.release(id) {
                self.send_unsubscribe(id, None);
            }
        }
    }

    pub(super) fn begin_unsubscribe(&mut self, key: SubscriptionKey) -> Result<(), CommandError> {
        let Some(local) = self.subscriptions.locals.remove(&key) else { return Err(CommandError::UnknownKey) };
        self.deadlines.cancel(local.deadline);
        let asked = match self.leave(local.wanted, key) {
            Some(id) => self.send_unsubscribe(id, Some(key)),
            None => false,
        };
        if !asked {
            self.events.push(SessionEvent::Unsubscribed { key, result: Ok(()) });
        }
        Ok(())
    }

    /// Takes a local subscription out of what is wanted; returns the id that is to be unsubscribed from, if there is one.
    fn leave(&mut self, key: WantedKey, member: SubscriptionKey) -> Option<SubscriptionId> {
        let wanted = self.subscriptions.wanted.get_mut(&key)?;
        wanted.members.retain(|other| *other != member);
        if !wanted.members.is_empty() {
            return None;
        }
        match wanted.stage {
            Stage::Waiting(place) => {
                self.waiting.withdraw(place, &mut self.discards);
                self.subscriptions.remove(key);
                None
            }
            Stage::Lost => {
                self.subscriptions.remove(key);
                None
            }
            // When the answer comes it is undone, unless somebody wants it again by then. It may never come.
            Stage::Asked => {
                let until = self.now.checked_add(self.config.request_timeout);
                wanted.deadline = self.deadlines.set(until, Deadline::GiveUp(key));
                None
            }
            Stage::GivenUp => None,
            Stage::Standing(id) => self.subscriptions.release(id).then_some(id),
        }
    }

    /// Sends UNSUBSCRIBE, and says whether an answer is waited for.
    fn send_unsubscribe(&mut self, subscription: SubscriptionId, key: Option<SubscriptionKey>) -> bool {
        let request = Some(Request::Unsubscribe(key, None));
        match self.request(request, |request| Unsubscribe { request, subscription }.into()) {
            Ok(request) => {
                self.limit_withdrawal(request, key.is_some());
                true
            }
            Err(_) => false,
        }
    }

    /// An UNSUBSCRIBE was answered, or will not be.
    pub(super) fn unsubscribed(&mut self, key: Option<SubscriptionKey>, result: Result<(), RequestError>) {
        if let Some(key) = key {
            let result = match result {
                Err(RequestError::Wamp(error)) if is_gone(&error, "wamp.error.no_such_subscription") => Ok(()),
                result => result,
            };
            self.events.push(SessionEvent::Unsubscribed { key, result });
        }
    }

    /// The router revokes a subscription.
    pub(super) fn subscription_revoked(&mut self, id: SubscriptionId, reason: Option<Arc<str>>) {
        for key in self.subscriptions.by_id.get(&id).cloned().unwrap_or_default() {
            let Some(wanted) = self.subscriptions.remove(key) else { continue };
            for key in wanted.members {
                self.subscriptions.locals.remove(&key);
                self.events.push(SessionEvent::SubscriptionRevoked { key, reason: reason.clone() });
            }
        }
    }

    pub(super) fn subscribe_timed_out(&mut self, key: SubscriptionKey) {
        if let Some(local) = self.subscriptions.locals.remove(&key) {
            self.leave(local.wanted, key);
            self.events.push(SessionEvent::Subscribed { key, result: Err(RequestError::Timeout { sent: local.sent }) });
            self.give_up(local.wanted);
        }
    }

    /// Waits no more for the answer to a SUBSCRIBE that nobody wants, and lets nobody else wait for it.
    pub(super) fn give_up(&mut self, key: WantedKey) {
        let Some(wanted) = self.subscriptions.wanted.get_mut(&key) else { return };
        if wanted.members.is_empty()
            && let Stage::Asked = wanted.stage
        {
            wanted.stage = Stage::GivenUp;
            self.deadlines.cancel(wanted.deadline.take());
            let topic = wanted.topic.clone();
            self.release_topic(&topic);
        }
    }

    /// An EVENT: once for each local subscription that shares its id, but a retained one for the last that asked for it.
    pub(super) fn event(&mut self, Event { subscription, publication, details, payload }: Event) {
        let Some(keys) = self.subscriptions.by_id.get(&subscription) else {
            self.stats.unknown_events += 1;
            return;
        };
        let details = if details == *self.subscriptions.no_details {
            Arc::clone(&self.subscriptions.no_details)
        } else {
            Arc::new(details)
        };
        // Retained events follow the answer to the SUBSCRIBE that wants them, and are not for those who were there before.
        let wants_retained =
            |key: &&WantedKey| self.subscriptions.wanted.get(key).is_some_and(|wanted| wanted.wants_retained());
        let keys = match keys.iter().rposition(|key| details.retained == Some(true) && wants_retained(&key)) {
            Some(last) => keys.get(last..=last).unwrap_or_default(),
            None => keys,
        };
        for wanted in keys.iter().filter_map(|key| self.subscriptions.wanted.get(key)) {
            for key in &wanted.members {
                let event = PublishedEvent {
                    key: *key,
                    topic: details.topic.as_ref().unwrap_or(&wanted.topic).clone(),
                    publication,
                    details: Arc::clone(&details),
                    payload: payload.clone(),
                };
                if !self.events.push_unasked(SessionEvent::Published(event), &self.config.limits) {
                    self.stats.dropped_events += 1;
                }
            }
        }
    }

    /// Keeps what is wanted for the next session.
    pub(super) fn suspend_subscriptions(&mut self) {
        let subscriptions = &mut self.subscriptions;
        subscriptions.by_id.clear();
        let idle: Vec<WantedKey> =
            subscriptions.wanted.iter().filter(|(_, wanted)| wanted.members.is_empty()).map(|(key, _)| *key).collect();
        for key in idle {
            let deadline = subscriptions.remove(key).and_then(|wanted| wanted.deadline);
            self.deadlines.cancel(deadline);
        }
        for wanted in subscriptions.wanted.values_mut() {
            if let Stage::Asked | Stage::GivenUp | Stage::Standing(_) = wanted.stage {
                wanted.stage = Stage::Lost;
            }
        }
    }

    /// Sends what was kept for this session.
    pub(super) fn replay_subscriptions(&mut self) {
        let lost = |wanted: &Wanted| matches!(wanted.stage, Stage::Lost);
        let keys: Vec<WantedKey> =
            self.subscriptions.wanted.iter().filter(|(_, wanted)| lost(wanted)).map(|(key, _)| *key).collect();
        for key in keys {
            self.replayed(Replayed::Subscription(key));
            self.send_waiting_subscribe(key);
        }
    }

    /// Names the subscriptions for which no answer has come in time.
    pub(super) fn unanswered_subscription(&mut self, key: WantedKey, failed: &mut Vec<NotRestored>) {
        let Some(wanted) = self.subscriptions.wanted.get_mut(&key) else { return };
        wanted.missed = true;
        failed.extend(wanted.members.iter().map(|key| NotRestored::Subscription {
            key: *key,
            topic: wanted.topic.clone(),
            error: RequestError::Timeout { sent: true },
        }));
    }

    pub(super) fn end_subscriptions(&mut self, error: fn(bool) -> RequestError) {
        let Subscriptions { locals, wanted, no_details, .. } = core::mem::take(&mut self.subscriptions);
        self.subscriptions.no_details = no_details;
        for wanted in wanted.values() {
            self.deadlines.cancel(wanted.deadline);
        }
        for (key, local) in locals {
            self.deadlines.cancel(local.deadline);
            if !local.confirmed {
                self.events.push(SessionEvent::Subscribed { key, result: Err(error(local.sent)) });
            }
        }
    }
}

/// Whether an error says that what was to be ended does not exist, which is what was wanted.
pub(super) fn is_gone(error: &WampError, uri: &str) -> bool {
    error.uri == uri
}
