//! The features of the Advanced Profile: what is announced, and what is done about a router that lacks one (WAMP Advanced Profile,
//! "Feature Announcement").

mod announced;
mod needed;

use core::fmt;

use wamp_proto::Role;

#[cfg(any(test, feature = "router"))]
pub(crate) use self::announced::announcement;
#[cfg(feature = "router")]
pub(crate) use self::announced::of_router;
pub(crate) use self::needed::Asked;

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident = $key:literal, [$($role:ident),*];)*) => {
        /// A feature of the WAMP Advanced Profile.
        ///
        /// A router says which it has when a session is joined ([`Joined::announces`](crate::Joined::announces)); a client says
        /// which it has in HELLO, and can be told to do without one ([`Config::without_feature`](crate::Config::without_feature)).
        ///
        /// **What a router lacks.** Some options change what an operation means, and a router that does not know them would do
        /// something else: they are refused with [`CommandError::NotSupported`](crate::CommandError::NotSupported), and nothing is sent.
        ///
        /// | option | feature | of the |
        /// |---|---|---|
        /// | any pattern of [`RegisterOptions`](crate::RegisterOptions) | `pattern_based_registration` | dealer |
        /// | any pattern of [`SubscribeOptions`](crate::SubscribeOptions) | `pattern_based_subscription` | broker |
        /// | who is `eligible` for an event, and who is excluded by a list | `subscriber_blackwhite_listing` | broker |
        /// | the keys of sharded registrations | `sharded_registration` | dealer |
        /// | the keys of sharded subscriptions | `shareded_subscriptions` | broker |
        /// | more input for a call that is under way | `progressive_call_invocations` | dealer |
        /// | payload passthru mode | `payload_passthru_mode` | dealer or broker |
        ///
        /// The last two would break the protocol. They are refused as well if WELCOME names no roles; the others are then sent, since
        /// nothing is known of the router.
        ///
        /// All else is sent whatever the router announces, because it does no harm, an error answers it, or routers are known that have
        /// the feature and do not say so: progressive results (one result comes), timeouts (the client keeps the time itself), disclosure,
        /// shared registration (`wamp.error.procedure_already_exists` comes), retained events (none is kept), `exclude_me`, and all
        /// procedures of the meta API, testaments and event history (`wamp.error.no_such_procedure` comes). A call that is cancelled at a
        /// dealer without `call_canceling` ends at the caller, and nothing is sent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Feature {
            $($(#[$doc])* $variant,)*
        }

        impl Feature {
            /// Every feature.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                }
            }

            /// The roles that announce it.
            #[must_use]
            pub const fn roles(self) -> &'static [Role] {
                match self {
                    $(Self::$variant => &[$(Role::$role),*],)*
                }
            }
        }
    };
}

features! {
    /// Results in parts.
    ProgressiveCallResults = "progressive_call_results", [Caller, Callee, Dealer];
    /// Calls in parts.
    ProgressiveCallInvocations = "progressive_call_invocations", [Caller, Callee, Dealer];
    /// Calls that the dealer ends after a while.
    CallTimeout = "call_timeout", [Callee, Dealer];
    /// Calls that the caller takes back.
    CallCanceling = "call_canceling", [Caller, Callee, Dealer];
    /// Callees that learn who calls.
    CallerIdentification = "caller_identification", [Caller, Callee, Dealer];
    /// Invocations that say how far the caller is trusted.
    CallTrustlevels = "call_trustlevels", [Callee, Dealer];
    /// Registrations of prefixes and wildcards.
    PatternBasedRegistration = "pattern_based_registration", [Callee, Dealer];
    /// Several callees of one procedure.
    SharedRegistration = "shared_registration", [Callee, Dealer];
    /// Several callees of one procedure, of which each has a part of the data.
    ShardedRegistration = "sharded_registration", [Caller, Callee, Dealer];
    /// Registrations that the dealer ends.
    RegistrationRevocation = "registration_revocation", [Callee, Dealer];
    /// Invocations that a callee declines and another one gets.
    CallReroute = "call_reroute", [Callee, Dealer];
    /// Procedures and topics about registrations.
    RegistrationMetaApi = "registration_meta_api", [Dealer];
    /// Procedures and topics about sessions.
    SessionMetaApi = "session_meta_api", [Dealer, Broker];
    /// Events that the router publishes when a session has ended.
    TestamentMetaApi = "testament_meta_api", [Dealer];
    /// Lists of those who may receive an event, and of those who may not.
    SubscriberBlackwhiteListing = "subscriber_blackwhite_listing", [Publisher, Broker];
    /// Publishers that receive their own events, or not.
    PublisherExclusion = "publisher_exclusion", [Publisher, Broker];
    /// Subscribers that learn who publishes.
    PublisherIdentification = "publisher_identification", [Publisher, Subscriber, Broker];
    /// Events that say how far the publisher is trusted.
    PublicationTrustlevels = "publication_trustlevels", [Subscriber, Broker];
    /// Subscriptions to prefixes and wildcards.
    PatternBasedSubscription = "pattern_based_subscription", [Subscriber, Broker];
    /// Several subscribers of one topic, of which each gets a part of the events; the name is misspelt in the specification.
    ShardedSubscriptions = "shareded_subscriptions", [Publisher, Subscriber, Broker];
    /// Events of the past.
    EventHistory = "event_history", [Broker];
    /// Events that later subscribers receive.
    EventRetention = "event_retention", [Broker];
    /// Subscriptions that the broker ends.
    SubscriptionRevocation = "subscription_revocation", [Subscriber, Broker];
    /// Procedures and topics about subscriptions.
    SubscriptionMetaApi = "subscription_meta_api", [Broker];
    /// Payloads that the router does not look at.
    PayloadPassthruMode = "payload_passthru_mode", [Caller, Callee, Dealer, Publisher, Subscriber, Broker];
    /// Descriptions of procedures, topics and errors; announced beside the features of the role.
    Reflection = "reflection", [Dealer, Broker];
}

impl Feature {
    /// The feature of a name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feature| feature.as_str() == name)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl AsRef<str> for Feature {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_are_unambiguous() {
        for feature in Feature::ALL {
            assert_eq!(Feature::from_name(feature.as_str()), Some(*feature));
        }
        assert_eq!(Feature::from_name("call_cancelling"), None);
    }
}
