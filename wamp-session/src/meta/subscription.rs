//! Subscriptions (WAMP Advanced Profile, "Subscriptions Meta API").

use std::sync::Arc;

use wamp_proto::{Dict, MatchPolicy, Payload, PayloadError, SessionId, SubscriptionId, Uri};

use super::read::{self, Entry};
use super::request::Request;
use super::topic::Topic;

/// `wamp.subscription.on_create`: a session has subscribed to a topic that nobody had subscribed to.
pub const ON_SUBSCRIPTION_CREATE: Topic<SubscriptionCreated> =
    Topic::new("wamp.subscription.on_create", SubscriptionCreated::read);

/// `wamp.subscription.on_subscribe`: a session was added to a subscription, after its creation if it is new.
pub const ON_SUBSCRIBE: Topic<SubscriptionChange> =
    Topic::new("wamp.subscription.on_subscribe", SubscriptionChange::read);

/// `wamp.subscription.on_unsubscribe`: a session was removed from a subscription.
pub const ON_UNSUBSCRIBE: Topic<SubscriptionChange> =
    Topic::new("wamp.subscription.on_unsubscribe", SubscriptionChange::read);

/// `wamp.subscription.on_delete`: a subscription has ended, after its last session was removed.
pub const ON_SUBSCRIPTION_DELETE: Topic<SubscriptionChange> =
    Topic::new("wamp.subscription.on_delete", SubscriptionChange::read);

/// What a router tells of a subscription.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SubscriptionDetails {
    /// The subscription.
    pub id: SubscriptionId,
    /// When it was made, an ISO 8601 text.
    pub created: Option<Arc<str>>,
    /// The topic or the pattern.
    pub uri: Option<Uri>,
    /// How topics are compared with it.
    pub match_policy: MatchPolicy,
    /// Everything else that the router tells.
    pub extra: Dict,
}

/// The subscriptions of a realm, by how topics are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscriptions {
    /// Those to one topic each.
    pub exact: Vec<SubscriptionId>,
    /// Those to a prefix.
    pub prefix: Vec<SubscriptionId>,
    /// Those to a wildcard pattern.
    pub wildcard: Vec<SubscriptionId>,
}

/// A subscription that was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SubscriptionCreated {
    /// The session that subscribed.
    pub session: SessionId,
    /// The subscription.
    pub details: SubscriptionDetails,
}

/// A subscription that changed, or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionChange {
    /// The session that was added or removed, `None` if the router does not say: Crossbar.io where the session has ended.
    pub session: Option<SessionId>,
    /// The subscription.
    pub subscription: SubscriptionId,
}

/// `wamp.subscription.list`: the subscriptions of the realm.
pub fn subscriptions() -> Request<Subscriptions> {
    Request::new("wamp.subscription.list", [], |payload| {
        let [exact, prefix, wildcard] = read::lists(payload)?;
        Ok(Subscriptions { exact, prefix, wildcard })
    })
}

/// `wamp.subscription.lookup`: the subscription that was made to this topic or pattern with this policy.
pub fn lookup_subscription(topic: &Uri, policy: MatchPolicy) -> Request<Option<SubscriptionId>> {
    Request::new("wamp.subscription.lookup", read::lookup(topic, policy), read::found)
}

/// `wamp.subscription.match`: all subscriptions that get the events of a topic.
pub fn match_subscriptions(topic: &Uri) -> Request<Vec<SubscriptionId>> {
    Request::new("wamp.subscription.match", [topic.as_str().into()], read::id_list)
}

/// `wamp.subscription.get`: the details of a subscription; `wamp.error.no_such_subscription` if there is none.
pub fn subscription(subscription: SubscriptionId) -> Request<SubscriptionDetails> {
    Request::new("wamp.subscription.get", [subscription.get().into()], |payload| {
        read::details_at(read::args(payload)?, 0, SubscriptionDetails::read)
    })
}

/// `wamp.subscription.list_subscribers`: the sessions of a subscription; `wamp.error.no_such_subscription` if there is none.
pub fn subscribers(subscription: SubscriptionId) -> Request<Vec<SessionId>> {
    Request::new("wamp.subscription.list_subscribers", [subscription.get().into()], read::id_list)
}

/// `wamp.subscription.count_subscribers`: how many sessions a subscription has.
///
/// `wamp.error.no_such_subscription` if there is none.
///
/// nexus has it under a misspelt name, the request's [`alias`](Request::alias).
pub fn subscriber_count(subscription: SubscriptionId) -> Request<u64> {
    Request::new("wamp.subscription.count_subscribers", [subscription.get().into()], read::count)
        .alias_of("wamp.subscription.count_suscribers")
}

impl SubscriptionDetails {
    fn read(mut extra: Dict, path: &str) -> Result<Self, PayloadError> {
        let Entry { id, created, uri, match_policy } = Entry::take(&mut extra, path)?;
        Ok(Self { id, created, uri, match_policy, extra })
    }
}

impl SubscriptionCreated {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        let (session, details) = read::created(payload, SubscriptionDetails::read)?;
        Ok(Self { session, details })
    }
}

impl SubscriptionChange {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        let (session, subscription) = read::changed(payload)?;
        Ok(Self { session, subscription })
    }
}
