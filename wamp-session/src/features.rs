//! The features of the Advanced Profile: what is announced, and what is done about a router that lacks one (WAMP Advanced Profile,
//! "Feature Announcement").

use core::fmt;

use wamp_proto::{CallOptions, MatchPolicy, Message, PublishOptions, Role, Roles};

use crate::passthru::PassthruError;
use crate::{CommandError, Config, Joined};

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

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident = $key:literal, [$($role:ident),*];)*) => {
        /// A feature of the WAMP Advanced Profile.
        ///
        /// A router says which it has when a session is joined ([`Joined::announces`]); a client says which it has in HELLO, and can be
        /// told to do without one ([`Config::without_feature`]).
        ///
        /// **What a router lacks.** Some options change what an operation means, and a router that does not know them would do
        /// something else: they are refused with [`CommandError::NotSupported`], and nothing is sent.
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

/// What callees must also have, since dealers disregard the feature otherwise.
const NEEDS_CALL_CANCELING: [Feature; 2] = [Feature::ProgressiveCallResults, Feature::ProgressiveCallInvocations];

impl Feature {
    /// The feature of a name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feature| feature.as_str() == name)
    }

    /// Whether its use is a violation of the protocol if the router does not announce it.
    const fn must_be_announced(self) -> bool {
        matches!(self, Self::ProgressiveCallInvocations | Self::PayloadPassthruMode)
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

/// An announcement of roles with their features.
pub(crate) fn announcement(roles: impl IntoIterator<Item = (Role, impl IntoIterator<Item = Feature>)>) -> Roles {
    roles.into_iter().fold(Roles::new(), |roles, (role, features)| {
        let features: Vec<&str> = features.into_iter().map(Feature::as_str).collect();
        roles.with(role, &features)
    })
}

impl Config {
    /// Does without a feature: it is not announced, and what needs it is refused with [`CommandError::Disabled`].
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

    /// Checks that a feature is not switched off, and that it is announced if it has to be.
    fn check_enabled(&self, role: Role, feature: Feature) -> Result<(), CommandError> {
        let silent = feature.must_be_announced() && !self.announces(role, feature);
        if silent || self.disabled.contains(&feature) { Err(CommandError::Disabled(feature)) } else { Ok(()) }
    }

    /// Checks that what is asked for is not switched off here.
    pub(crate) fn check_features_of(&self, message: &Message) -> Result<(), CommandError> {
        each_need(message, |role, _, feature| self.check_enabled(role, feature))
    }
}

/// Finds a feature among those of a callee without the one that it needs.
fn lacks_call_canceling(has: impl Fn(Feature) -> bool) -> Option<Feature> {
    if has(Feature::CallCanceling) {
        return None;
    }
    NEEDS_CALL_CANCELING.into_iter().find(|feature| has(*feature))
}

impl Joined {
    /// Whether the router announces a feature, in one of the roles that have it.
    ///
    /// No is not never: Crossbar.io 26 has event history and call timeouts and does not announce them, and some routers announce
    /// nothing at all. [`Feature`] tells what is refused.
    ///
    /// ```no_run
    /// # fn run(client: &wamp_session::client::Client) {
    /// use wamp_session::Feature;
    ///
    /// if client.session().is_some_and(|joined| joined.announces(Feature::EventRetention)) {
    ///     println!("late subscribers receive the last event");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn announces(&self, feature: Feature) -> bool {
        feature.roles().iter().any(|role| self.router_announces(*role, feature))
    }

    /// Checks that the router has a feature, as far as that is known.
    pub(crate) fn check_feature(&self, role: Role, feature: Feature) -> Result<(), CommandError> {
        let unknown = self.details.roles.is_none() && !feature.must_be_announced();
        if unknown || self.router_announces(role, feature) { Ok(()) } else { Err(CommandError::NotSupported(feature)) }
    }

    /// Checks that the router may send payloads that it does not look at, as far as that is known.
    pub(crate) fn check_router_passthru(&self, role: Role) -> Result<(), CommandError> {
        if self.details.roles.is_none() { Ok(()) } else { self.check_feature(role, Feature::PayloadPassthruMode) }
    }

    /// Checks that the router understands what a message asks for.
    pub(crate) fn check_features_of(&self, message: &Message) -> Result<(), CommandError> {
        each_need(message, |_, router, feature| self.check_feature(router, feature))
    }
}

/// Checks each feature without which a message would not mean what it says, with the roles that have to have it: of the client and of
/// the router.
fn each_need(
    message: &Message,
    check: impl Fn(Role, Role, Feature) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let need =
        |needed: bool, roles: (Role, Role), feature| if needed { check(roles.0, roles.1, feature) } else { Ok(()) };
    match message {
        Message::Call(message) => {
            let roles = (Role::Caller, Role::Dealer);
            let CallOptions { progress, rkey, runmode, ppt_scheme, .. } = &message.options;
            need(progress.is_some(), roles, Feature::ProgressiveCallInvocations)?;
            need(rkey.is_some() || runmode.is_some(), roles, Feature::ShardedRegistration)?;
            need(names_scheme(ppt_scheme.as_deref())?, roles, Feature::PayloadPassthruMode)
        }
        Message::Register(message) => {
            let roles = (Role::Callee, Role::Dealer);
            need(is_pattern(message.options.match_policy), roles, Feature::PatternBasedRegistration)
        }
        Message::Publish(message) => {
            let roles = (Role::Publisher, Role::Broker);
            let options = &message.options;
            need(lists(options), roles, Feature::SubscriberBlackwhiteListing)?;
            need(options.rkey.is_some(), roles, Feature::ShardedSubscriptions)?;
            need(names_scheme(options.ppt_scheme.as_deref())?, roles, Feature::PayloadPassthruMode)
        }
        Message::Subscribe(message) => {
            let roles = (Role::Subscriber, Role::Broker);
            let options = &message.options;
            need(is_pattern(options.match_policy), roles, Feature::PatternBasedSubscription)?;
            need(options.nkey.is_some(), roles, Feature::ShardedSubscriptions)
        }
        Message::Yield(message) => {
            let sealed = names_scheme(message.options.ppt_scheme.as_deref())?;
            need(sealed, (Role::Callee, Role::Dealer), Feature::PayloadPassthruMode)
        }
        Message::Error(message) => {
            let sealed = names_scheme(message.details.ppt_scheme.as_deref())?;
            need(sealed, (Role::Callee, Role::Dealer), Feature::PayloadPassthruMode)
        }
        _ => Ok(()),
    }
}

/// Whether a scheme of payload passthru mode is named. An empty one would have the payload travel as it is.
fn names_scheme(scheme: Option<&str>) -> Result<bool, CommandError> {
    match scheme {
        Some("") => Err(CommandError::Passthru(PassthruError::Attribute("ppt_scheme"))),
        scheme => Ok(scheme.is_some()),
    }
}

fn is_pattern(policy: Option<MatchPolicy>) -> bool {
    policy.is_some_and(|policy| policy != MatchPolicy::Exact)
}

/// Whether an event is kept from some by a list.
fn lists(options: &PublishOptions) -> bool {
    let PublishOptions {
        exclude, exclude_authid, exclude_authrole, eligible, eligible_authid, eligible_authrole, ..
    } = options;
    exclude.is_some()
        || exclude_authid.is_some()
        || exclude_authrole.is_some()
        || eligible.is_some()
        || eligible_authid.is_some()
        || eligible_authrole.is_some()
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use wamp_proto::{Format, Limits, PayloadCheck, SessionId, WelcomeDetails, decode};

    use super::*;

    fn message(json: &str) -> Message {
        decode(json.to_owned().into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).expect(json)
    }

    fn joined(roles: Option<Roles>) -> Joined {
        let mut details = WelcomeDetails::default();
        details.roles = roles;
        Joined { session: SessionId::MIN, details, format: Format::Json }
    }

    /// A message with one option, as a row of the page names it.
    fn with_option(option: &str) -> Message {
        let (message_type, key) = option.split_once('.').expect(option);
        let key = key.rsplit_once('.').expect(option).1;
        let value = match key {
            "exclude" | "eligible" | "exclude_authid" | "exclude_authrole" | "eligible_authid"
            | "eligible_authrole" => "[]",
            "match" => r#""prefix""#,
            "invoke" => r#""roundrobin""#,
            "timeout" => "100",
            "rkey" | "nkey" | "runmode" | "ppt_scheme" => r#""x_text""#,
            _ => "true",
        };
        let options = format!(r#"{{"{key}":{value}}}"#);
        message(&match message_type {
            "CALL" => format!(r#"[48,1,{options},"a.b"]"#),
            "YIELD" => format!("[70,1,{options}]"),
            "ERROR" => format!(r#"[8,68,1,{options},"a.b"]"#),
            "REGISTER" => format!(r#"[64,1,{options},"a.b"]"#),
            "PUBLISH" => format!(r#"[16,1,{options},"a.b"]"#),
            "SUBSCRIBE" => format!(r#"[32,1,{options},"a.b"]"#),
            other => panic!("{other}"),
        })
    }

    #[test]
    fn fea_05_the_page_says_what_is_refused() {
        let page = include_str!("../../docs/features.md");
        let mut rows = 0;
        for row in page.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            let [_, option, feature, role, decision, ..] = cells[..] else { panic!("{row}") };
            let feature = Feature::from_name(feature).expect(row);
            let role = *feature.roles().iter().find(|known| known.as_str() == role).expect(row);
            let message = with_option(option);
            let everything =
                announcement([Role::Broker, Role::Dealer].map(|role| (role, Feature::ALL.iter().copied())));
            assert_eq!(joined(Some(everything)).check_features_of(&message), Ok(()), "{row}");
            let just_this = announcement([(role, [feature])]);
            assert_eq!(joined(Some(just_this)).check_features_of(&message), Ok(()), "{row}");

            let refused = Err(CommandError::NotSupported(feature));
            let (lacking, unknown) = match decision {
                "always refused" => (refused.clone(), refused.clone()),
                "refused" => (refused.clone(), Ok(())),
                "sent" => (Ok(()), Ok(())),
                other => panic!("{other}"),
            };
            let none = announcement([(Role::Broker, []), (Role::Dealer, [])]);
            assert_eq!(joined(Some(none)).check_features_of(&message), lacking, "{row}");
            assert_eq!(joined(None).check_features_of(&message), unknown, "{row}");

            let off = Config::new("ws://router/", "realm1").without_feature(feature);
            let disabled = if decision == "sent" { Ok(()) } else { Err(CommandError::Disabled(feature)) };
            assert_eq!(off.check_features_of(&message), disabled, "{row}");
            rows += 1;
        }
        assert!(rows > 20, "only {rows} rows were found");
    }

    #[test]
    fn exact_matches_need_no_feature() {
        let joined = joined(Some(announcement([(Role::Broker, []), (Role::Dealer, [])])));
        for exact in [r#"[64,1,{"match":"exact"},"a.b"]"#, r#"[32,1,{"match":"exact"},"a.b"]"#, r#"[48,1,{},"a.b"]"#] {
            assert_eq!(joined.check_features_of(&message(exact)), Ok(()));
        }
    }

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

    #[test]
    fn names_on_the_wire_are_unambiguous() {
        for feature in Feature::ALL {
            assert_eq!(Feature::from_name(feature.as_str()), Some(*feature));
        }
        assert_eq!(Feature::from_name("call_cancelling"), None);
    }
}
