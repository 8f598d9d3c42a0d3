//! The subscriptions of a realm: one for each topic and policy, shared by its subscribers.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wamp_proto::{MatchPolicy, SubscribeOptions, SubscriptionId, Uri};

use super::publication::Publication;
use crate::router::PeerId;
use crate::router::meta::{Change, News};
use crate::router::patterns::Patterns;
use crate::router::peer::Peers;
use crate::router::shards;

#[derive(Default)]
pub(in crate::router) struct Subscriptions {
    topics: Patterns<SubscriptionId>,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    subscribers: BTreeMap<PeerId, BTreeSet<SubscriptionId>>,
    /// What the meta API has not told yet; it does not tell of its own topics.
    pub(in crate::router) news: Vec<News<SubscriptionId>>,
}

pub(in crate::router) struct Subscription {
    pub(super) topic: Uri,
    pub(super) policy: MatchPolicy,
    created: Duration,
    pub(super) subscribers: BTreeSet<PeerId>,
    /// The keys of those who share its events with others, with their hashes.
    nodes: BTreeMap<PeerId, (Arc<str>, u64)>,
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
        options: &SubscribeOptions,
    ) -> Option<SubscriptionId> {
        let policy = options.match_policy.unwrap_or_default();
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
            nodes: BTreeMap::new(),
        });
        match &options.nkey {
            Some(node) => subscription.nodes.insert(subscriber, (Arc::clone(node), shards::hash(node))),
            None => subscription.nodes.remove(&subscriber),
        };
        if subscription.subscribers.insert(subscriber) && !topic.is_reserved() {
            if known.is_none() {
                self.news.push(News { change: Change::Created, peer: subscriber, id });
            }
            self.news.push(News { change: Change::Added, peer: subscriber, id });
        }
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

    /// The subscriptions whose topic or pattern matches a topic: of the router's own topics only those whose pattern is of them, so that
    /// who wants everything of the application's is not told of himself.
    pub(in crate::router) fn matching<'a>(
        &'a self,
        topic: &'a Uri,
    ) -> impl Iterator<Item = (SubscriptionId, &'a Subscription)> + 'a {
        let is_reserved = topic.is_reserved();
        let found = self.topics.matching(topic).filter_map(|id| Some((id, self.subscriptions.get(&id)?)));
        found.filter(move |(_, subscription)| !is_reserved || subscription.topic.is_reserved())
    }

    /// All subscriptions.
    pub(in crate::router) fn iter(&self) -> impl Iterator<Item = SubscriptionInfo<'_>> {
        self.subscriptions.iter().map(|(id, subscription)| subscription.info(*id))
    }

    /// One subscription.
    pub(in crate::router) fn info(&self, id: SubscriptionId) -> Option<SubscriptionInfo<'_>> {
        self.subscriptions.get(&id).map(|subscription| subscription.info(id))
    }

    pub(super) fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.subscriptions.get(&id)
    }

    /// The subscription of a topic or pattern.
    pub(in crate::router) fn find(&self, topic: &Uri, policy: MatchPolicy) -> Option<SubscriptionId> {
        self.topics.get(topic, policy)
    }

    /// Takes a subscriber out of a subscription, which ends with the last one.
    fn detach(&mut self, subscriber: PeerId, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.nodes.remove(&subscriber);
        let is_told = subscription.subscribers.remove(&subscriber) && !subscription.topic.is_reserved();
        if is_told {
            self.news.push(News { change: Change::Removed, peer: subscriber, id });
        }
        if subscription.subscribers.is_empty()
            && let Some(ended) = self.subscriptions.remove(&id)
        {
            self.topics.remove(&ended.topic, ended.policy);
            if is_told {
                self.news.push(News { change: Change::Deleted, peer: subscriber, id });
            }
        }
    }
}

impl Subscription {
    /// Whether a subscriber has a key, by which it shares events with others.
    pub(super) fn is_node(&self, subscriber: PeerId) -> bool {
        self.nodes.contains_key(&subscriber)
    }

    /// The node that gets an event: one of those whom its publisher admits, if it has a key and there are any.
    pub(super) fn node_for<'a>(&'a self, peers: &Peers, publication: &Publication) -> Option<&'a str> {
        let key = publication.key.filter(|_| !self.nodes.is_empty())?;
        let nodes = self.nodes.iter().filter(|(subscriber, _)| publication.audience.admits(peers, **subscriber));
        // Of two that want it alike, the name decides.
        let nodes = nodes.map(|(_, (node, hash))| (shards::weight(*hash, key), &**node));
        nodes.max().map(|(_, node)| node)
    }

    /// Whether a subscriber receives an event that a node gets: who has no key of his own receives all.
    pub(super) fn receives(
        &self,
        peers: &Peers,
        publication: &Publication,
        node: Option<&str>,
        subscriber: PeerId,
    ) -> bool {
        let is_part = match (self.nodes.get(&subscriber), node) {
            (Some((own, _)), Some(node)) => **own == *node,
            _ => true,
        };
        is_part && publication.audience.admits(peers, subscriber)
    }

    const fn info(&self, id: SubscriptionId) -> SubscriptionInfo<'_> {
        let Self { topic, policy, created, subscribers, nodes: _ } = self;
        SubscriptionInfo { id, topic, match_policy: *policy, created: *created, subscribers }
    }
}
