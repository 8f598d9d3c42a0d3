//! The features that are announced, and nothing that is not implemented (WAMP Advanced Profile, "Feature Announcement").

use wamp_proto::Role;

/// The features of a client.
pub(crate) const fn of_client(role: Role) -> &'static [&'static str] {
    match role {
        Role::Publisher => &["publisher_exclusion", "publisher_identification", "subscriber_blackwhite_listing"],
        Role::Subscriber => &[
            "pattern_based_subscription",
            "publication_trustlevels",
            "publisher_identification",
            "subscription_revocation",
        ],
        Role::Callee => &[
            "call_reroute",
            "call_trustlevels",
            "caller_identification",
            "pattern_based_registration",
            "registration_revocation",
            "shared_registration",
        ],
        Role::Caller | Role::Broker | Role::Dealer => &[],
    }
}

/// The features of the embeddable router.
#[cfg(feature = "router")]
pub(crate) const fn of_router(role: Role) -> &'static [&'static str] {
    match role {
        Role::Broker => &["publication_trustlevels", "publisher_exclusion", "publisher_identification"],
        Role::Dealer | Role::Caller | Role::Callee | Role::Publisher | Role::Subscriber => &[],
    }
}
