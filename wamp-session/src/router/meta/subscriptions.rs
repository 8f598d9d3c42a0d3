//! `wamp.subscription.…`: who subscribes to what.

use wamp_proto::{Dict, MatchPolicy, SubscriptionId, Uri, Value};

use super::super::timestamp::rfc3339;
use super::super::{Router, SubscriptionInfo};
use super::{Answer, Query, Reply, ids, pattern};

impl Router {
    pub(super) fn list_subscriptions(&self, query: &Query) -> Answer {
        let of =
            |policy| ids(self.of_realm(&query.realm).filter(|info| info.match_policy == policy).map(|info| info.id));
        let policies = [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard];
        Ok(Reply::new(Dict::from_iter(policies.map(|policy| (policy.as_str(), of(policy))))))
    }

    /// Finds a subscription; one whose history is kept is there even if nobody subscribes.
    pub(super) fn lookup_subscription(&mut self, query: &Query) -> Answer {
        let (topic, policy) = pattern(query)?;
        let Some(realm) = self.realms.get_mut(&query.realm) else { return Ok(Reply::new(Value::Null)) };
        let found = realm.broker.lookup(&mut self.ids, &topic, policy);
        Ok(self.found(found))
    }

    pub(super) fn match_subscriptions(&self, query: &Query) -> Answer {
        let topic = Uri::new(query.text(0)?).map_err(|_| "wamp.error.invalid_uri")?;
        let Some(realm) = self.realms.get(&query.realm) else { return Ok(Reply::new(Value::Null)) };
        let found: Vec<_> = realm.broker.subscriptions.matching(&topic).map(|(id, _)| id).collect();
        Ok(Reply::new(if found.is_empty() { Value::Null } else { ids(found) }))
    }

    pub(super) fn get_subscription(&self, query: &Query) -> Answer {
        self.named(query).map(|info| Reply::new(details(&info)))
    }

    pub(super) fn list_subscribers(&self, query: &Query) -> Answer {
        let info = self.named(query)?;
        let members = info.subscribers.iter().filter_map(|peer| self.peers.member(*peer));
        Ok(Reply::new(ids(members.map(|member| member.session))))
    }

    pub(super) fn count_subscribers(&self, query: &Query) -> Answer {
        self.named(query).map(|info| Reply::new(info.subscribers.len() as u64))
    }

    /// What is told of a subscription.
    pub(super) fn subscription_details(&self, realm: &Uri, id: SubscriptionId) -> Option<Value> {
        self.realms.get(realm)?.broker.subscriptions.info(id).map(|info| details(&info).into())
    }

    /// The subscription that the caller names.
    fn named(&self, query: &Query) -> Result<SubscriptionInfo<'_>, &'static str> {
        let id = SubscriptionId::new(query.number(0)?).ok();
        let realm = self.realms.get(&query.realm);
        id.and_then(|id| realm?.broker.subscriptions.info(id)).ok_or("wamp.error.no_such_subscription")
    }

    fn of_realm(&self, realm: &Uri) -> impl Iterator<Item = SubscriptionInfo<'_>> {
        self.realms.get(realm).into_iter().flat_map(|realm| realm.broker.subscriptions.iter())
    }
}

fn details(info: &SubscriptionInfo<'_>) -> Dict {
    Dict::from_iter([
        ("id", Value::U64(info.id.get())),
        ("created", rfc3339(info.created).into()),
        ("uri", info.topic.as_str().into()),
        ("match", info.match_policy.as_str().into()),
    ])
}
