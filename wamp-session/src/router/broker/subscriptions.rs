//! The subscriptions of a realm: one for each topic and policy, shared by its subscribers.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use wamp_proto::{MatchPolicy, SubscriptionId, Uri};

use crate::router::PeerId;
use crate::router::patterns::Patterns;
use crate::router::peer::Peers;

#[derive(Default)]
pub(in crate::router) struct Subscriptions {
    topics: Patterns<SubscriptionId>,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    subscribers: BTreeMap<PeerId, BTreeSet<SubscriptionId>>,
}

pub(super) struct Subscription {
    topic: Uri,
    pub(super) policy: MatchPolicy,
    created: Duration,
    pub(super) subscribers: BTreeSet<PeerId>,
}

/// A subscription at a router: a topic or pattern, and who subscribes to it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SubscriptionInfo<'a> {
    /// The id that its subscribers know it by.
    pub id: SubscriptionId,
    /// The topic or pattern.
    pub topic: &'a Uri,
    /// How topics are compared with it.
    pub match_policy: MatchPolicy,
    /// When its first subscriber came, since 1970-01-01T00:00:00Z.
    pub created: Duration,
    /// Who subscribes to it.
    pub subscribers: &'a BTreeSet<PeerId>,
}

impl Subscriptions {
    /// Adds a subscriber to the subscription of a topic, which begins with the first one; `None` if it has too many.
    pub(super) fn add(
        &mut self,
        peers: &Peers,
        new_id: impl FnOnce() -> SubscriptionId,
        subscriber: PeerId,
        topic: &Uri,
        policy: MatchPolicy,
    ) -> Option<SubscriptionId> {
        let held = self.subscribers.entry(subscriber).or_default();
        let known = self.topics.get(topic, policy);
        let is_new = known.is_none_or(|id| !held.contains(&id));
        if is_new && held.len() >= peers.limits.subscriptions {
            return None;
        }
        let id = known.unwrap_or_else(new_id);
        held.insert(id);
        if known.is_none() {
            self.topics.insert(topic.clone(), policy, id);
        }
        let subscription = self.subscriptions.entry(id).or_insert_with(|| Subscription {
            topic: topic.clone(),
            policy,
            created: peers.unix_now(),
            subscribers: BTreeSet::new(),
        });
        subscription.subscribers.insert(subscriber);
        Some(id)
    }

    /// Takes a subscriber out of a subscription, and says whether it was in it.
    pub(super) fn remove(&mut self, subscriber: PeerId, id: SubscriptionId) -> bool {
        let held = self.subscribers.get_mut(&subscriber).is_some_and(|held| held.remove(&id));
        if held {
            self.detach(subscriber, id);
        }
        held
    }

    /// Takes a subscriber out of all subscriptions.
    pub(super) fn leave(&mut self, subscriber: PeerId) {
        for id in self.subscribers.remove(&subscriber).unwrap_or_default() {
            self.detach(subscriber, id);
        }
    }

    /// The subscriptions whose topic or pattern matches a topic.
    pub(super) fn matching<'a>(
        &'a self,
        topic: &'a Uri,
    ) -> impl Iterator<Item = (SubscriptionId, &'a Subscription)> + 'a {
        self.topics.matching(topic).filter_map(|id| Some((id, self.subscriptions.get(&id)?)))
    }

    /// All subscriptions.
    pub(in crate::router) fn iter(&self) -> impl Iterator<Item = SubscriptionInfo<'_>> {
        self.subscriptions.iter().map(|(id, Subscription { topic, policy, created, subscribers })| SubscriptionInfo {
            id: *id,
            topic,
            match_policy: *policy,
            created: *created,
            subscribers,
        })
    }

    /// Takes a subscriber out of a subscription, which ends with the last one.
    fn detach(&mut self, subscriber: PeerId, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.subscribers.remove(&subscriber);
        if subscription.subscribers.is_empty()
            && let Some(ended) = self.subscriptions.remove(&id)
        {
            self.topics.remove(&ended.topic, ended.policy);
        }
    }
}
