//! What both ends announce.

use wamp_proto::{Role, Roles};

use super::Feature;
use crate::{Config, Joined};

/// What callees must also have, since dealers disregard the feature otherwise.
const NEEDS_CALL_CANCELING: [Feature; 2] = [Feature::ProgressiveCallResults, Feature::ProgressiveCallInvocations];

/// The features that this client has. Nothing is announced that is not implemented.
pub(crate) const fn of_client(role: Role) -> &'static [Feature] {
    match role {
        Role::Publisher => &[
            Feature::PayloadPassthruMode,
            Feature::PublisherExclusion,
            Feature::PublisherIdentification,
            Feature::SubscriberBlackwhiteListing,
        ],
        Role::Subscriber => &[
            Feature::PatternBasedSubscription,
            Feature::PayloadPassthruMode,
            Feature::PublicationTrustlevels,
            Feature::PublisherIdentification,
            Feature::SubscriptionRevocation,
        ],
        Role::Caller => &[
            Feature::CallCanceling,
            Feature::CallerIdentification,
            Feature::PayloadPassthruMode,
            Feature::ProgressiveCallInvocations,
            Feature::ProgressiveCallResults,
        ],
        Role::Callee => &[
            Feature::CallCanceling,
            Feature::CallReroute,
            Feature::CallTimeout,
            Feature::CallTrustlevels,
            Feature::CallerIdentification,
            Feature::PatternBasedRegistration,
            Feature::PayloadPassthruMode,
            Feature::ProgressiveCallInvocations,
            Feature::ProgressiveCallResults,
            Feature::RegistrationRevocation,
            Feature::SharedRegistration,
        ],
        Role::Broker | Role::Dealer => &[],
    }
}

/// The features of the embeddable router.
#[cfg(feature = "router")]
pub(crate) const fn of_router(role: Role) -> &'static [Feature] {
    match role {
        Role::Broker => &[
            Feature::EventHistory,
            Feature::EventRetention,
            Feature::PatternBasedSubscription,
            Feature::PayloadPassthruMode,
            Feature::PublicationTrustlevels,
            Feature::PublisherExclusion,
            Feature::PublisherIdentification,
            Feature::SessionMetaApi,
            Feature::ShardedSubscriptions,
            Feature::SubscriberBlackwhiteListing,
            Feature::SubscriptionMetaApi,
            Feature::SubscriptionRevocation,
        ],
        Role::Dealer => &[
            Feature::CallCanceling,
            Feature::CallReroute,
            Feature::CallTimeout,
            Feature::CallTrustlevels,
            Feature::CallerIdentification,
            Feature::PatternBasedRegistration,
            Feature::PayloadPassthruMode,
            Feature::ProgressiveCallInvocations,
            Feature::ProgressiveCallResults,
            Feature::RegistrationMetaApi,
            Feature::RegistrationRevocation,
            Feature::SessionMetaApi,
            Feature::ShardedRegistration,
            Feature::SharedRegistration,
            Feature::TestamentMetaApi,
        ],
        Role::Caller | Role::Callee | Role::Publisher | Role::Subscriber => &[],
    }
}

/// An announcement of roles with their features.
pub(crate) fn announcement(roles: impl IntoIterator<Item = (Role, impl IntoIterator<Item = Feature>)>) -> Roles {
    roles.into_iter().fold(Roles::new(), |roles, (role, features)| {
        let features: Vec<&str> = features.into_iter().map(Feature::as_str).collect();
        roles.with(role, &features)
    })
}

impl Config {
    /// Does without a feature.
    ///
    /// It is not announced, and what needs it is refused with [`CommandError::Disabled`](crate::CommandError::Disabled).
    ///
    /// Callees with progressive results or invocations need [`Feature::CallCanceling`]; [`check`](Self::check) says so.
    ///
    /// ```
    /// # use wamp_session::{Config, Feature};
    /// # use wamp_session::proto::Role;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").without_feature(Feature::PublisherExclusion);
    /// assert!(!config.announces(Role::Publisher, Feature::PublisherExclusion));
    /// ```
    #[must_use]
    pub fn without_feature(mut self, feature: Feature) -> Self {
        if !self.disabled.contains(&feature) {
            self.disabled.push(feature);
        }
        self
    }

    /// Whether HELLO announces a feature for a role: it is implemented, the session has the role, and the feature is not switched off.
    #[must_use]
    pub fn announces(&self, role: Role, feature: Feature) -> bool {
        self.roles.contains(&role) && of_client(role).contains(&feature) && !self.disabled.contains(&feature)
    }

    /// The roles and features of HELLO.
    pub(crate) fn announcement(&self) -> Roles {
        let enabled = |role| of_client(role).iter().copied().filter(|feature| !self.disabled.contains(feature));
        announcement(self.roles.iter().map(|role| (*role, enabled(*role))))
    }

    /// Finds a feature of the callee without the one that it needs.
    pub(crate) fn without_call_canceling(&self) -> Option<Feature> {
        lacks_call_canceling(|feature| self.announces(Role::Callee, feature))
    }
}

impl Joined {
    /// Whether the router announces a feature, in one of the roles that have it.
    ///
    /// No is not never: Crossbar.io 26 has event history and call timeouts and does not announce them, and some routers announce
    /// nothing at all. [`Feature`] tells what is refused.
    ///
    /// ```
    /// # fn run(joined: &wamp_session::Joined) {
    /// use wamp_session::Feature;
    ///
    /// if joined.announces(Feature::EventRetention) {
    ///     println!("late subscribers receive the last event");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn announces(&self, feature: Feature) -> bool {
        feature.roles().iter().any(|role| self.router_announces(*role, feature))
    }
}

/// Finds a feature among those of a callee without the one that it needs.
fn lacks_call_canceling(has: impl Fn(Feature) -> bool) -> Option<Feature> {
    if has(Feature::CallCanceling) {
        return None;
    }
    NEEDS_CALL_CANCELING.into_iter().find(|feature| has(*feature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_announces_nothing_for_a_role_that_it_lacks() {
        let config = Config::new("ws://router/", "realm1");
        let (role, feature) = (Role::Callee, Feature::SharedRegistration);
        assert!(config.announces(role, feature));
        assert!(!config.roles([Role::Caller]).announces(role, feature));
    }

    #[test]
    fn only_features_of_the_role_are_announced() {
        let roles = [Role::Caller, Role::Callee, Role::Publisher, Role::Subscriber];
        for role in roles {
            for feature in of_client(role) {
                assert!(feature.roles().contains(&role), "{} {feature}", role.as_str());
            }
        }
        #[cfg(feature = "router")]
        for role in [Role::Broker, Role::Dealer] {
            for feature in of_router(role) {
                assert!(feature.roles().contains(&role), "{} {feature}", role.as_str());
            }
        }
    }

    #[test]
    fn fea_07_and_08_progress_needs_call_canceling() {
        for feature in NEEDS_CALL_CANCELING {
            assert_eq!(lacks_call_canceling(|has| has == feature), Some(feature));
            assert_eq!(lacks_call_canceling(|has| has == feature || has == Feature::CallCanceling), None);
        }
        assert_eq!(lacks_call_canceling(|has| has == Feature::CallTimeout), None);
    }
}
