//! The broker of a realm: who subscribes to which topic, and what is published (WAMP Basic Profile, "Publish and Subscribe").

mod audience;
mod embedder;
mod history;
mod publication;
mod retained;
mod subscriptions;

use std::collections::BTreeMap;
use std::sync::Arc;

use wamp_proto::{
    Args, Event, EventDetails, Format, IntoPayload, MatchPolicy, Message, MessageType, Payload, Publish, Published,
    Role, Subscribe, Subscribed, SubscriptionId, Unsubscribe, Unsubscribed, UnsubscribedDetails, Uri, Value,
};

use self::audience::Audience;
use self::history::History;
pub use self::history::{HistoryError, HistoryEvent, HistoryFilter, HistoryPage};
use self::publication::Publication;
use self::retained::Retained;
pub use self::subscriptions::SubscriptionInfo;
use self::subscriptions::Subscriptions;
use super::ids::Ids;
use super::peer::{Member, Peers};
use super::{Disclosure, PeerId, RealmConfig, Violation, passthru, refuse, shards, uri};
use crate::passthru::Attributes as _;
use crate::{Feature, Frame};

pub(super) struct Broker {
    pub(super) subscriptions: Subscriptions,
    retained: Retained,
    history: History,
    /// Events that the format of a subscriber could not carry.
    pub(super) dropped_events: u64,
}

impl Broker {
    pub(super) fn new(config: &RealmConfig) -> Self {
        Self {
            subscriptions: Subscriptions::default(),
            retained: Retained::default(),
            history: History::new(&config.histories),
            dropped_events: 0,
        }
    }

    pub(super) fn subscribe(&mut self, peers: &mut Peers, ids: &mut Ids, subscriber: PeerId, subscribe: &Subscribe) {
        let Subscribe { request, options, topic } = subscribe;
        let refuse = |peers: &mut Peers, error| refuse(peers, subscriber, MessageType::Subscribe, *request, error);
        let policy = options.match_policy.unwrap_or_default();
        let id = self.history.id_of(ids, topic, policy);
        let new_id = || id.unwrap_or_else(|| ids.subscription());
        let Some(subscription) = self.subscriptions.add(peers, new_id, subscriber, topic, options) else {
            return refuse(peers, "wamp.error.unavailable");
        };
        peers.send(subscriber, &Subscribed { request: *request, subscription }.into());
        if options.get_retained == Some(true) {
            self.send_retained(peers, ids, subscriber, subscription);
        }
    }

    /// Sends a subscriber the events that are kept and that it may receive.
    fn send_retained(&mut self, peers: &mut Peers, ids: &mut Ids, subscriber: PeerId, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get(id) else { return };
        let is_node = subscription.is_node(subscriber);
        let are_new = peers.quirks.has_new_retained_ids();
        if are_new && subscription.policy != MatchPolicy::Exact {
            return;
        }
        for publication in self.retained.matching(&subscription.topic, subscription.policy) {
            let node = if is_node { subscription.node_for(peers, publication) } else { None };
            if !subscription.receives(peers, publication, node, subscriber) {
                continue;
            }
            let mut details = publication.details_for(subscription.policy);
            details.retained = Some(true);
            let payload = publication.payload.clone();
            let publication = if are_new { ids.publication() } else { publication.id };
            let event = Event { subscription: id, publication, details, payload };
            if peers.forward(subscriber, &event.into()).is_err() {
                self.dropped_events += 1;
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, peers: &mut Peers, subscriber: PeerId, unsubscribe: &Unsubscribe) {
        let Unsubscribe { request, subscription } = *unsubscribe;
        if !self.subscriptions.remove(subscriber, subscription) {
            let error = "wamp.error.no_such_subscription";
            return refuse(peers, subscriber, MessageType::Unsubscribe, request, error);
        }
        peers.send(subscriber, &Unsubscribed { request: Some(request), details: None }.into());
    }

    /// Ends a subscription for a subscriber, tells it if it understands that, and says whether it was one.
    fn revoke(
        &mut self,
        peers: &mut Peers,
        subscriber: PeerId,
        subscription: SubscriptionId,
        reason: Option<&str>,
    ) -> bool {
        let was_held = self.subscriptions.remove(subscriber, subscription);
        if was_held && peers.announces(subscriber, Role::Subscriber, Feature::SubscriptionRevocation) {
            let mut details = UnsubscribedDetails::default();
            details.subscription = Some(subscription);
            details.reason = reason.map(Into::into);
            peers.send(subscriber, &Unsubscribed { request: None, details: Some(details) }.into());
        }
        was_held
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
        let Publish { request, mut options, topic, payload } = publish;
        let passthru = passthru::sent_by(peers, publisher, Role::Publisher, MessageType::Publish, &options)?;
        let acknowledge = options.acknowledge == Some(true);
        let wants_disclosure = options.disclose_me == Some(true);
        let retain = options.retain == Some(true);
        let audience = Audience::take(publisher, &mut options);
        let key = options.rkey.as_deref().map(shards::hash);
        let member = peers.member(publisher);
        let mut details = member.map(|member| details_of(config, member, wants_disclosure)).unwrap_or_default();
        // Who subscribes without the feature finds out by itself.
        passthru::forward(passthru.as_ref(), &mut details);
        let publication = Publication { id: ids.publication(), topic, details, payload, audience, key };
        let error = if publication.topic.is_reserved() && !peers.quirks.has_open_reserved() {
            Some("wamp.error.invalid_uri")
        } else if wants_disclosure
            && member.is_some_and(|member| config.disclosure_of(&member.authrole) == Disclosure::Denied)
        {
            Some("wamp.error.option_disallowed.disclose_me")
        } else if retain && !self.retained.has_room(&peers.limits, &publication) {
            Some("wamp.error.unavailable")
        } else {
            None
        };
        if let Some(error) = error {
            if acknowledge {
                refuse(peers, publisher, MessageType::Publish, request, error);
            }
            return Ok(());
        }
        let published = acknowledge.then(|| Message::from(Published { request, publication: publication.id }));
        let (first, last) = if peers.quirks.has_published_last() { (None, published) } else { (published, None) };
        if let Some(published) = first {
            peers.send(publisher, &published);
        }
        self.deliver(peers, &publication);
        if let Some(published) = last {
            peers.send(publisher, &published);
        }
        self.keep(peers, publication, retain);
        Ok(())
    }

    /// Keeps an event for later subscribers, and in the histories of its topic.
    fn keep(&mut self, peers: &Peers, publication: Publication, retain: bool) {
        if !retain && !self.history.wants(&publication.topic) {
            return;
        }
        let publication = Arc::new(publication.detach());
        self.history.record(peers.limits.history_bytes, peers.unix_now(), &publication);
        if retain {
            self.retained.keep(publication);
        }
    }

    /// The subscription of a topic or pattern that somebody subscribes to, or whose history is kept.
    pub(super) fn lookup(&mut self, ids: &mut Ids, topic: &Uri, policy: MatchPolicy) -> Option<SubscriptionId> {
        self.subscriptions.find(topic, policy).or_else(|| self.history.id_of(ids, topic, policy))
    }

    /// The topic or pattern of such a subscription.
    pub(super) fn topic_of(&self, id: SubscriptionId) -> Option<(&Uri, MatchPolicy)> {
        let subscribed = self.subscriptions.info(id).map(|info| (info.topic, info.match_policy));
        subscribed.or_else(|| self.history.topic_of(id))
    }

    /// The events of a history that a session may see, all if it is nobody's in particular.
    pub(super) fn history(
        &self,
        peers: &Peers,
        subscription: SubscriptionId,
        filter: &HistoryFilter,
        for_whom: Option<PeerId>,
    ) -> Result<HistoryPage, HistoryError> {
        self.history.events(subscription, filter, |publication| match for_whom {
            None => true,
            Some(peer) => publication.audience.admits(peers, peer),
        })
    }

    /// Publishes an event of a session that is over.
    pub(super) fn publish_for(
        &mut self,
        config: &RealmConfig,
        peers: &mut Peers,
        ids: &mut Ids,
        publisher: PeerId,
        member: &Member,
        publish: Publish,
    ) {
        let Publish { mut options, topic, payload, .. } = publish;
        let mut details = details_of(config, member, options.disclose_me == Some(true));
        passthru::forward(options.passthru().as_ref(), &mut details);
        let audience = Audience::take(publisher, &mut options);
        let key = options.rkey.as_deref().map(shards::hash);
        let publication = Publication { id: ids.publication(), topic, details, payload, audience, key };
        let retain = options.retain == Some(true) && self.retained.has_room(&peers.limits, &publication);
        self.deliver(peers, &publication);
        self.keep(peers, publication, retain);
    }

    /// Publishes an event of the router's own, if somebody subscribes to it.
    pub(super) fn announce(
        &mut self,
        peers: &mut Peers,
        ids: &mut Ids,
        topic: &'static str,
        args: impl FnOnce() -> Vec<Value>,
    ) {
        let topic = uri(topic);
        if self.subscriptions.matching(&topic).next().is_none() {
            return;
        }
        // A binary format carries every text; it is transcoded for the others.
        let format = Format::ALL.iter().copied().find(|format| format.is_binary()).or(Format::ALL.first().copied());
        let payload = format.and_then(|format| Args(args()).into_payload(format).ok());
        let Some(payload) = payload else { return };
        let (details, audience) = (EventDetails::default(), Audience::default());
        self.deliver(peers, &Publication { id: ids.publication(), topic, details, payload, audience, key: None });
    }

    /// Sends an event to those who subscribe to its topic.
    ///
    /// It is encoded once for each subscription and format, and its payload at most once for each format.
    pub(super) fn deliver(&mut self, peers: &mut Peers, publication: &Publication) {
        let Publication { id, topic, payload, .. } = publication;
        let is_for_announced = peers.quirks.has_disclose_to_announced();
        let mut payloads: BTreeMap<Format, Option<Payload>> = BTreeMap::new();
        for (subscription, subscribed) in self.subscriptions.matching(topic) {
            let mut frames: BTreeMap<(Format, bool), Option<Frame>> = BTreeMap::new();
            let node = subscribed.node_for(peers, publication);
            for subscriber in subscribed.subscribers.iter().copied() {
                let Some(format) = peers.get(subscriber).map(|peer| peer.format) else { continue };
                if !subscribed.receives(peers, publication, node, subscriber) {
                    continue;
                }
                let is_disclosed = !is_for_announced
                    || peers.announces(subscriber, Role::Subscriber, Feature::PublisherIdentification);
                let frame = frames.entry((format, is_disclosed)).or_insert_with(|| {
                    let payload = payloads.entry(format).or_insert_with(|| payload.transcode(format).ok()).clone()?;
                    let mut details = publication.details_for(subscribed.policy);
                    if !is_disclosed {
                        (details.publisher, details.publisher_authid, details.publisher_authrole) = (None, None, None);
                    }
                    peers.frame(format, &Event { subscription, publication: *id, details, payload }.into()).ok()
                });
                match frame {
                    Some(frame) => peers.send_frame(subscriber, frame.clone()),
                    None => self.dropped_events += 1,
                }
            }
        }
    }

    /// Ends the subscriptions of a session.
    pub(super) fn leave(&mut self, subscriber: PeerId) {
        self.subscriptions.leave(subscriber);
    }
}

/// What subscribers are told of an event, whatever they subscribe to.
fn details_of(config: &RealmConfig, member: &Member, wants_disclosure: bool) -> EventDetails {
    let mut details = EventDetails::default();
    let is_disclosed = match config.disclosure_of(&member.authrole) {
        Disclosure::OnRequest => wants_disclosure,
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
