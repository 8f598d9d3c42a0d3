//! The broker of a realm: who subscribes to which topic, and what is published (WAMP Basic Profile, "Publish and Subscribe").

mod audience;
mod subscriptions;

use std::collections::BTreeMap;
use std::sync::Arc;

use wamp_proto::{
    Event, EventDetails, Format, MatchPolicy, MessageType, Payload, PublicationId, Publish, Published, Subscribe,
    Subscribed, Unsubscribe, Unsubscribed, Uri,
};

use self::audience::Audience;
pub use self::subscriptions::SubscriptionInfo;
use self::subscriptions::{Subscription, Subscriptions};
use super::ids::Ids;
use super::peer::Peers;
use super::{Disclosure, PeerId, RealmConfig, Violation, refuse};
use crate::Frame;

#[derive(Default)]
pub(super) struct Broker {
    pub(super) subscriptions: Subscriptions,
    /// Events that the format of a subscriber could not carry.
    pub(super) dropped_events: u64,
}

/// An event on its way to the subscribers.
pub(super) struct Publication {
    pub(super) id: PublicationId,
    pub(super) topic: Uri,
    /// What every subscriber is told of it.
    pub(super) details: EventDetails,
    pub(super) payload: Payload,
    pub(super) audience: Audience,
}

impl Broker {
    pub(super) fn subscribe(&mut self, peers: &mut Peers, ids: &mut Ids, subscriber: PeerId, subscribe: &Subscribe) {
        let Subscribe { request, options, topic } = subscribe;
        let refuse = |peers: &mut Peers, error| refuse(peers, subscriber, MessageType::Subscribe, *request, error);
        if options.get_retained == Some(true) {
            return refuse(peers, "wamp.error.option_not_allowed");
        }
        let policy = options.match_policy.unwrap_or_default();
        let Some(subscription) = self.subscriptions.add(peers, ids, subscriber, topic, policy) else {
            return refuse(peers, "wamp.error.unavailable");
        };
        peers.send(subscriber, &Subscribed { request: *request, subscription }.into());
    }

    pub(super) fn unsubscribe(&mut self, peers: &mut Peers, subscriber: PeerId, unsubscribe: &Unsubscribe) {
        let Unsubscribe { request, subscription } = *unsubscribe;
        if !self.subscriptions.remove(subscriber, subscription) {
            let error = "wamp.error.no_such_subscription";
            return refuse(peers, subscriber, MessageType::Unsubscribe, request, error);
        }
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
        let Publish { request, mut options, topic, payload } = publish;
        if options.ppt_scheme.is_some() {
            return Err(Violation::new("PUBLISH uses payload passthru mode, which the broker does not announce"));
        }
        let acknowledge = options.acknowledge == Some(true);
        let wants_disclosure = options.disclose_me == Some(true);
        let error = if topic.is_reserved() {
            Some("wamp.error.invalid_uri")
        } else if wants_disclosure && config.disclosure == Disclosure::Denied {
            Some("wamp.error.option_disallowed.disclose_me")
        } else if options.retain == Some(true) {
            Some("wamp.error.option_not_allowed")
        } else {
            None
        };
        if let Some(error) = error {
            if acknowledge {
                refuse(peers, publisher, MessageType::Publish, request, error);
            }
            return Ok(());
        }
        let id = ids.publication();
        if acknowledge {
            peers.send(publisher, &Published { request, publication: id }.into());
        }
        let details = details_of(config, peers, publisher, wants_disclosure);
        let audience = Audience::take(publisher, &mut options);
        self.deliver(peers, &Publication { id, topic, details, payload, audience });
        Ok(())
    }

    /// Sends an event to those who subscribe to its topic.
    ///
    /// It is encoded once for each subscription and format, and its payload at most once for each format.
    pub(super) fn deliver(&mut self, peers: &mut Peers, publication: &Publication) {
        let Publication { id, topic, details, payload, audience } = publication;
        let mut payloads: BTreeMap<Format, Option<Payload>> = BTreeMap::new();
        for (subscription, Subscription { policy, subscribers, .. }) in self.subscriptions.matching(topic) {
            let mut frames: BTreeMap<Format, Option<Frame>> = BTreeMap::new();
            for subscriber in subscribers.iter().copied() {
                let Some(member) = peers.member(subscriber) else { continue };
                let Some(format) = peers.get(subscriber).map(|peer| peer.format) else { continue };
                if !audience.admits(subscriber, member) {
                    continue;
                }
                let frame = frames.entry(format).or_insert_with(|| {
                    let payload = payloads.entry(format).or_insert_with(|| payload.transcode(format).ok()).clone()?;
                    let details = details_for(*policy, topic, details);
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
fn details_of(config: &RealmConfig, peers: &Peers, publisher: PeerId, wants_disclosure: bool) -> EventDetails {
    let mut details = EventDetails::default();
    let Some(member) = peers.member(publisher) else { return details };
    let is_disclosed = match config.disclosure {
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

/// What the subscribers of one subscription are told: those of a pattern do not know the topic.
fn details_for(policy: MatchPolicy, topic: &Uri, details: &EventDetails) -> EventDetails {
    let mut details = details.clone();
    if policy != MatchPolicy::Exact {
        details.topic = Some(topic.clone());
    }
    details
}
