//! What is done about a router, or a configuration, that lacks a feature.

use wamp_proto::{
    CallOptions, ErrorDetails, MatchPolicy, Message, PublishOptions, RegisterOptions, Role, SubscribeOptions,
    YieldOptions,
};

use super::Feature;
use crate::passthru::PassthruError;
use crate::{CommandError, Config, Joined};

impl Feature {
    /// Whether its use is a violation of the protocol if the router does not announce it.
    const fn must_be_announced(self) -> bool {
        matches!(self, Self::ProgressiveCallInvocations | Self::PayloadPassthruMode)
    }
}

impl Config {
    /// Checks that a feature is not switched off, and that it is announced if it has to be.
    fn check_enabled(&self, role: Role, feature: Feature) -> Result<(), CommandError> {
        let silent = feature.must_be_announced() && !self.announces(role, feature);
        if silent || self.disabled.contains(&feature) { Err(CommandError::Disabled(feature)) } else { Ok(()) }
    }

    /// Checks that what a message asks for is not switched off here.
    pub(crate) fn check_features_of(&self, message: &Message) -> Result<(), CommandError> {
        Asked::of(message).map_or(Ok(()), |asked| self.check_features(asked))
    }

    /// Checks that what is asked for is not switched off here.
    pub(crate) fn check_features(&self, asked: Asked<'_>) -> Result<(), CommandError> {
        asked.each_need(|role, _, feature| self.check_enabled(role, feature))
    }
}

impl Joined {
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
        let need = |asked: Asked<'_>| asked.each_need(|_, router, feature| self.check_feature(router, feature));
        Asked::of(message).map_or(Ok(()), need)
    }
}

/// What a message asks of both ends.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    Call(&'a CallOptions),
    Register(&'a RegisterOptions),
    Publish(&'a PublishOptions),
    Subscribe(&'a SubscribeOptions),
    Yield(&'a YieldOptions),
    Error(&'a ErrorDetails),
}

impl<'a> Asked<'a> {
    fn of(message: &'a Message) -> Option<Self> {
        Some(match message {
            Message::Call(message) => Self::Call(&message.options),
            Message::Register(message) => Self::Register(&message.options),
            Message::Publish(message) => Self::Publish(&message.options),
            Message::Subscribe(message) => Self::Subscribe(&message.options),
            Message::Yield(message) => Self::Yield(&message.options),
            Message::Error(message) => Self::Error(&message.details),
            _ => return None,
        })
    }

    /// Checks each feature without which a message would not mean what it says, with the roles that have to have it: of the client and
    /// of the router.
    fn each_need(self, check: impl Fn(Role, Role, Feature) -> Result<(), CommandError>) -> Result<(), CommandError> {
        let need =
            |needed: bool, roles: (Role, Role), feature| if needed { check(roles.0, roles.1, feature) } else { Ok(()) };
        match self {
            Self::Call(CallOptions { progress, rkey, runmode, ppt_scheme, .. }) => {
                let roles = (Role::Caller, Role::Dealer);
                need(progress.is_some(), roles, Feature::ProgressiveCallInvocations)?;
                need(rkey.is_some() || runmode.is_some(), roles, Feature::ShardedRegistration)?;
                need(names_scheme(ppt_scheme.as_deref())?, roles, Feature::PayloadPassthruMode)
            }
            Self::Register(options) => {
                let roles = (Role::Callee, Role::Dealer);
                need(is_pattern(options.match_policy), roles, Feature::PatternBasedRegistration)
            }
            Self::Publish(options) => {
                let roles = (Role::Publisher, Role::Broker);
                need(lists(options), roles, Feature::SubscriberBlackwhiteListing)?;
                need(options.rkey.is_some(), roles, Feature::ShardedSubscriptions)?;
                need(names_scheme(options.ppt_scheme.as_deref())?, roles, Feature::PayloadPassthruMode)
            }
            Self::Subscribe(options) => {
                let roles = (Role::Subscriber, Role::Broker);
                need(is_pattern(options.match_policy), roles, Feature::PatternBasedSubscription)?;
                need(options.nkey.is_some(), roles, Feature::ShardedSubscriptions)
            }
            Self::Yield(YieldOptions { ppt_scheme, .. }) | Self::Error(ErrorDetails { ppt_scheme, .. }) => {
                let sealed = names_scheme(ppt_scheme.as_deref())?;
                need(sealed, (Role::Callee, Role::Dealer), Feature::PayloadPassthruMode)
            }
        }
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
    use wamp_proto::{Format, Limits, PayloadCheck, Roles, SessionId, WelcomeDetails, decode};

    use super::*;
    use crate::features::announcement;

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
        let page = include_str!("../../../docs/features.md");
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
}
