//! The broker of a realm: who subscribes to which topic (WAMP Basic Profile, "Publish and Subscribe").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wamp_proto::{
    Event, EventDetails, Format, MatchPolicy, MessageType, Publish, PublishOptions, Published, Subscribe, Subscribed,
    SubscriptionId, Unsubscribe, Unsubscribed, Uri,
};

use super::ids::Ids;
use super::peer::Peers;
use super::{Disclosure, PeerId, RealmConfig, Violation, refuse};
use crate::Frame;

#[derive(Default)]
pub(super) struct Broker {
    topics: BTreeMap<Uri, SubscriptionId>,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    subscribers: BTreeMap<PeerId, BTreeSet<SubscriptionId>>,
    /// Events that the format of a subscriber could not carry.
    pub(super) dropped_events: u64,
}

struct Subscription {
    topic: Uri,
    subscribers: BTreeSet<PeerId>,
}

impl Broker {
    pub(super) fn subscribe(&mut self, peers: &mut Peers, ids: &mut Ids, subscriber: PeerId, subscribe: &Subscribe) {
        let Subscribe { request, options, topic } = subscribe;
        let refuse = |peers: &mut Peers, error| refuse(peers, subscriber, MessageType::Subscribe, *request, error);
        if options.match_policy.unwrap_or_default() != MatchPolicy::Exact || options.get_retained == Some(true) {
            return refuse(peers, "wamp.error.option_not_allowed");
        }
        let of_subscriber = self.subscribers.entry(subscriber).or_default();
        let known = self.topics.get(topic).copied();
        let is_new = known.is_none_or(|id| !of_subscriber.contains(&id));
        if is_new && of_subscriber.len() >= peers.limits.subscriptions {
            return refuse(peers, "wamp.error.unavailable");
        }
        let id = known.unwrap_or_else(|| ids.subscription());
        of_subscriber.insert(id);
        self.topics.insert(topic.clone(), id);
        let subscription = self.subscriptions.entry(id);
        let subscription =
            subscription.or_insert_with(|| Subscription { topic: topic.clone(), subscribers: BTreeSet::new() });
        subscription.subscribers.insert(subscriber);
        peers.send(subscriber, &Subscribed { request: *request, subscription: id }.into());
    }

    pub(super) fn unsubscribe(&mut self, peers: &mut Peers, subscriber: PeerId, unsubscribe: &Unsubscribe) {
        let Unsubscribe { request, subscription } = *unsubscribe;
        let held = self.subscribers.get_mut(&subscriber).is_some_and(|held| held.remove(&subscription));
        if !held {
            let error = "wamp.error.no_such_subscription";
            return refuse(peers, subscriber, MessageType::Unsubscribe, request, error);
        }
        self.detach(subscriber, subscription);
        peers.send(subscriber, &Unsubscribed { request: Some(request), details: None }.into());
    }

    /// Acknowledges and delivers an event.
    pub(super) fn publish(
        &mut self,
        config: &RealmConfig,
        peers: &mut Peers,
        ids: &mut Ids,
        publisher: PeerId,
        publish: Publish,
    ) -> Result<(), Violation> {
        let Publish { request, options, topic, payload } = publish;
        if options.ppt_scheme.is_some() {
            return Err(Violation::new("PUBLISH uses payload passthru mode, which the broker does not announce"));
        }
        let acknowledge = options.acknowledge == Some(true);
        if let Some(error) = refusal(config, &topic, &options) {
            if acknowledge {
                refuse(peers, publisher, MessageType::Publish, request, error);
            }
            return Ok(());
        }
        let publication = ids.publication();
        if acknowledge {
            peers.send(publisher, &Published { request, publication }.into());
        }
        let Some(subscription) = self.topics.get(&topic) else { return Ok(()) };
        let Some(Subscription { subscribers, .. }) = self.subscriptions.get(subscription) else { return Ok(()) };
        let details = details_of(config, peers, publisher, &options);
        let event = Event { subscription: *subscription, publication, details, payload }.into();
        // All subscribers of one format get the same frame.
        let mut frames: BTreeMap<Format, Option<Frame>> = BTreeMap::new();
        let exclude_me = options.exclude_me != Some(false);
        for subscriber in subscribers.iter().copied().filter(|subscriber| !exclude_me || *subscriber != publisher) {
            let Some(format) = peers.get(subscriber).map(|peer| peer.format) else { continue };
            let frame = frames.entry(format).or_insert_with(|| peers.frame(format, &event).ok());
            match frame {
                Some(frame) => peers.send_frame(subscriber, frame.clone()),
                None => self.dropped_events += 1,
            }
        }
        Ok(())
    }

    /// Ends the subscriptions of a session.
    pub(super) fn leave(&mut self, subscriber: PeerId) {
        for subscription in self.subscribers.remove(&subscriber).unwrap_or_default() {
            self.detach(subscriber, subscription);
        }
    }

    /// The topics that somebody subscribes to, and how many sessions do.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&Uri, usize)> {
        self.subscriptions.values().map(|subscription| (&subscription.topic, subscription.subscribers.len()))
    }

    /// Takes a subscriber out of a subscription, which ends with the last one.
    fn detach(&mut self, subscriber: PeerId, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.subscribers.remove(&subscriber);
        if subscription.subscribers.is_empty()
            && let Some(ended) = self.subscriptions.remove(&id)
        {
            self.topics.remove(&ended.topic);
        }
    }
}

/// Why an event is not published, if it is not: better nobody than the wrong ones.
fn refusal(config: &RealmConfig, topic: &Uri, options: &PublishOptions) -> Option<&'static str> {
    if topic.is_reserved() {
        return Some("wamp.error.invalid_uri");
    }
    if options.disclose_me == Some(true) && config.disclosure == Disclosure::Denied {
        return Some("wamp.error.option_disallowed.disclose_me");
    }
    let selects = options.exclude.is_some()
        || options.exclude_authid.is_some()
        || options.exclude_authrole.is_some()
        || options.eligible.is_some()
        || options.eligible_authid.is_some()
        || options.eligible_authrole.is_some();
    (selects || options.retain == Some(true)).then_some("wamp.error.option_not_allowed")
}

/// What subscribers are told of an event.
fn details_of(config: &RealmConfig, peers: &Peers, publisher: PeerId, options: &PublishOptions) -> EventDetails {
    let mut details = EventDetails::default();
    let Some(member) = peers.member(publisher) else { return details };
    let is_disclosed = match config.disclosure {
        Disclosure::OnRequest => options.disclose_me == Some(true),
        Disclosure::Always => true,
        Disclosure::Denied => false,
    };
    if is_disclosed {
        details.publisher = Some(member.session);
        details.publisher_authid = Some(Arc::clone(&member.authid));
        details.publisher_authrole = Some(Arc::clone(&member.authrole));
    }
    details.trustlevel = config.trustlevels.get(&member.authrole).copied();
    details
}
