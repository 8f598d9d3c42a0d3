//! The messages of a subscriber.

use std::sync::Arc;

use crate::codec::attribute::attributes;
use crate::{MatchPolicy, Payload, PublicationId, RequestId, SessionId, SubscriptionId, Uri};

/// SUBSCRIBE `[32, Request, Options, Topic]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Subscribe {
    pub request: RequestId,
    pub options: SubscribeOptions,
    pub topic: Uri,
}

/// SUBSCRIBED `[33, SUBSCRIBE.Request, Subscription]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Subscribed {
    pub request: RequestId,
    pub subscription: SubscriptionId,
}

/// UNSUBSCRIBE `[34, Request, SUBSCRIBED.Subscription]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Unsubscribe {
    pub request: RequestId,
    pub subscription: SubscriptionId,
}

/// UNSUBSCRIBED `[35, UNSUBSCRIBE.Request]`, or `[35, 0, Details]` when the broker revokes a subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsubscribed {
    /// The request; `None`, 0 on the wire, for a revocation.
    pub request: Option<RequestId>,
    /// Present in a revocation. Some routers add it to their answers, too.
    pub details: Option<UnsubscribedDetails>,
}

/// EVENT `[36, SUBSCRIBED.Subscription, PUBLISHED.Publication, Details (, Arguments (, ArgumentsKw))]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Event {
    pub subscription: SubscriptionId,
    pub publication: PublicationId,
    pub details: EventDetails,
    pub payload: Payload,
}

attributes! {
    /// The Options of a SUBSCRIBE.
    SubscribeOptions {
        /// How topics are compared; absent means exactly.
        match_policy: MatchPolicy = "match",
        /// Whether the broker sends the event that it retains, if there is one.
        get_retained: bool = "get_retained",
        /// The key of a sharded subscription.
        nkey: Arc<str> = "nkey",
    }

    /// The Details of an UNSUBSCRIBED that revokes a subscription.
    UnsubscribedDetails {
        /// The subscription that is revoked.
        subscription: SubscriptionId = "subscription",
        /// Why, as a URI or in words.
        reason: Arc<str> = "reason",
    }

    /// The Details of an EVENT.
    EventDetails {
        /// The session that published.
        publisher: SessionId = "publisher",
        /// The publisher's authid.
        publisher_authid: Arc<str> = "publisher_authid",
        /// The publisher's authrole.
        publisher_authrole: Arc<str> = "publisher_authrole",
        /// The topic that was published to, with a subscription to a pattern.
        topic: Uri = "topic",
        /// How far the broker trusts the publisher.
        trustlevel: u64 = "trustlevel",
        /// Whether the event comes from the broker's store.
        retained: bool = "retained",
        /// Payload passthru mode: the scheme.
        ppt_scheme: Arc<str> = "ppt_scheme",
        /// Payload passthru mode: the serializer.
        ppt_serializer: Arc<str> = "ppt_serializer",
        /// Payload passthru mode: the cipher.
        ppt_cipher: Arc<str> = "ppt_cipher",
        /// Payload passthru mode: the key.
        ppt_keyid: Arc<str> = "ppt_keyid",
    }
}
