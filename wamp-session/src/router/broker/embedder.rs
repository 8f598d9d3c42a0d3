//! What the embedder of a router may ask of its brokers.

use wamp_proto::SubscriptionId;

use super::{HistoryError, HistoryFilter, HistoryPage, SubscriptionInfo};
use crate::Time;
use crate::router::{PeerId, Router};

impl Router {
    /// The subscriptions of a realm, each of a topic or pattern that at least one session subscribes to.
    pub fn subscriptions(&self, realm: &str) -> impl Iterator<Item = SubscriptionInfo<'_>> {
        self.realms.get(realm).into_iter().flat_map(|realm| realm.broker.subscriptions.iter())
    }

    /// The events that a realm remembers of a subscription ([`RealmConfig::history`](crate::router::RealmConfig::history)), whoever was to receive them.
    ///
    /// ```
    /// use wamp_session::proto::{Format, MatchPolicy};
    /// use wamp_session::router::{HistoryFilter, RealmConfig, Router, RouterConfig};
    /// use wamp_session::{Frame, Time};
    ///
    /// let realm = RealmConfig::new("realm1")?.anonymous("guest").history("com.example.", MatchPolicy::Prefix, 100)?;
    /// let mut router = Router::new(RouterConfig::new([7; 32]).realm(realm));
    /// let peer = router.handle_opened(Time::ZERO, Format::Json);
    /// for message in [
    ///     r#"[1,"realm1",{"roles":{"publisher":{},"subscriber":{}}}]"#,
    ///     r#"[32,1,{"match":"prefix"},"com.example."]"#,
    ///     r#"[16,2,{},"com.example.tick",["EURUSD",1.0625]]"#,
    /// ] {
    ///     router.handle_frame(Time::ZERO, peer, Frame::Text(message.into()));
    /// }
    /// let subscription = router.subscriptions("realm1").next().unwrap().id;
    /// let page = router.history("realm1", subscription, &HistoryFilter::new().limit(10))?;
    /// assert_eq!(page.events[0].topic, "com.example.tick");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HistoryError`] if the realm keeps no history of it, or the filter names a publication that is not there (any more).
    pub fn history(
        &self,
        realm: &str,
        subscription: SubscriptionId,
        filter: &HistoryFilter,
    ) -> Result<HistoryPage, HistoryError> {
        let realm = self.realms.get(realm).ok_or(HistoryError::Unavailable)?;
        realm.broker.history(&self.peers, subscription, filter, None)
    }

    /// Ends a subscription for all its subscribers, and says whether it was there.
    ///
    /// Subscribers that have announced `subscription_revocation` are told, with the reason: a URI or words. (WAMP Advanced Profile,
    /// "Subscription Revocation".)
    ///
    /// ```
    /// # use wamp_session::Time;
    /// # use wamp_session::router::Router;
    /// # fn run(router: &mut Router, now: Time) {
    /// let ticks = router.subscriptions("realm1").find(|subscription| *subscription.topic == "com.example.tick");
    /// if let Some(id) = ticks.map(|subscription| subscription.id) {
    ///     router.revoke_subscription(now, "realm1", id, Some("the market is closed"));
    /// }
    /// # }
    /// ```
    pub fn revoke_subscription(
        &mut self,
        now: Time,
        realm: &str,
        subscription: SubscriptionId,
        reason: Option<&str>,
    ) -> bool {
        self.advance(now);
        let Some(realm) = self.realms.get_mut(realm) else { return false };
        let subscribers = realm.broker.subscriptions.info(subscription).map(|it| it.subscribers.clone());
        for subscriber in subscribers.iter().flatten() {
            realm.broker.revoke(&mut self.peers, *subscriber, subscription, reason);
        }
        self.settle();
        subscribers.is_some()
    }

    /// Ends a subscription for one of its subscribers, who is no longer authorized, say; says whether it was one.
    ///
    /// It is told as with [`revoke_subscription`](Self::revoke_subscription); the others go on.
    ///
    /// ```
    /// # use wamp_session::Time;
    /// # use wamp_session::router::{PeerId, Router};
    /// # fn run(router: &mut Router, now: Time, subscriber: PeerId) {
    /// let theirs = router.subscriptions("realm1").find(|subscription| subscription.subscribers.contains(&subscriber));
    /// if let Some(id) = theirs.map(|subscription| subscription.id) {
    ///     router.revoke_subscription_of(now, subscriber, id, None);
    /// }
    /// # }
    /// ```
    pub fn revoke_subscription_of(
        &mut self,
        now: Time,
        subscriber: PeerId,
        subscription: SubscriptionId,
        reason: Option<&str>,
    ) -> bool {
        self.advance(now);
        let Some(member) = self.peers.member(subscriber) else { return false };
        let Some(realm) = self.realms.get_mut(&member.realm) else { return false };
        let revoked = realm.broker.revoke(&mut self.peers, subscriber, subscription, reason);
        self.settle();
        revoked
    }
}
