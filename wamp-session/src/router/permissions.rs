//! What the sessions of a role may do (WAMP Basic Profile, "Authorization").

use std::sync::Arc;

use wamp_proto::{InvalidUri, MatchPolicy, Message, MessageType, RequestId, Uri, UriRule};

use super::Disclosure;

/// What the sessions of one role may do in a realm.
///
/// Everything that no [`Permission`] allows is denied: the request is answered with ERROR `wamp.error.not_authorized`, and a
/// publication that is not to be acknowledged reaches nobody. Meta procedures and topics (`wamp.…`) are no exception. Roles without such a
/// configuration may do everything.
///
/// ```
/// use wamp_session::router::{Disclosure, Permission, RealmConfig, RoleConfig};
///
/// let guest = RoleConfig::new("guest")
///     .allow(Permission::prefix("com.example.public.")?.call().subscribe())
///     .allow(Permission::exact("com.example.chat")?.publish())
///     .disclosure(Disclosure::Denied);
/// let realm = RealmConfig::new("realm1")?.anonymous("guest").role(guest);
/// # Ok::<(), wamp_session::proto::InvalidUri>(())
/// ```
#[derive(Clone, Debug)]
pub struct RoleConfig {
    pub(super) name: Arc<str>,
    permissions: Vec<Permission>,
    pub(super) disclosure: Option<Disclosure>,
}

/// The topics and procedures that a pattern matches, and what may be done with them: nothing, before it is said.
///
/// Permissions only add up; none takes back what another gives. A subscription or registration of a pattern is allowed if one
/// permission alone matches everything that the pattern matches.
///
/// ```
/// # use wamp_session::router::{Permission, RoleConfig};
/// let backend = RoleConfig::new("backend")
///     .allow(Permission::everywhere().call().subscribe())
///     .allow(Permission::wildcard("com.example..update")?.publish())
///     .allow(Permission::exact("com.example.add2")?.register())
///     .allow(Permission::prefix("com.example.backend.")?.all());
/// # Ok::<(), wamp_session::proto::InvalidUri>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    pattern: Uri,
    policy: MatchPolicy,
    call: bool,
    register: bool,
    publish: bool,
    subscribe: bool,
}

/// What a message asks the router for.
pub(super) struct Wish<'a> {
    pub(super) kind: MessageType,
    pub(super) request: RequestId,
    uri: &'a Uri,
    policy: MatchPolicy,
    /// Whether an answer is due if it is refused.
    pub(super) is_answered: bool,
}

impl RoleConfig {
    /// Makes a role whose sessions may do nothing yet.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), permissions: Vec::new(), disclosure: None }
    }

    /// Adds a permission to those before.
    #[must_use]
    pub fn allow(mut self, permission: Permission) -> Self {
        self.permissions.push(permission);
        self
    }

    /// Sets whether others are told who of this role publishes and calls.
    ///
    /// Otherwise that is what the [realm](super::RealmConfig::disclosure) says of everybody.
    #[must_use]
    pub const fn disclosure(mut self, disclosure: Disclosure) -> Self {
        self.disclosure = Some(disclosure);
        self
    }

    pub(super) fn may_subscribe(&self, topic: &Uri, policy: MatchPolicy) -> bool {
        self.permissions.iter().any(|permission| permission.subscribe && permission.covers(topic, policy))
    }

    pub(super) fn allows(&self, wish: &Wish<'_>) -> bool {
        self.permissions.iter().any(|permission| {
            let is_named = match wish.kind {
                MessageType::Call => permission.call,
                MessageType::Register => permission.register,
                MessageType::Publish => permission.publish,
                MessageType::Subscribe => permission.subscribe,
                _ => false,
            };
            is_named && permission.covers(wish.uri, wish.policy)
        })
    }
}

impl Permission {
    /// Makes a permission for all topics and procedures.
    #[must_use]
    pub fn everywhere() -> Self {
        #[expect(clippy::expect_used, reason = "the empty prefix is a pattern")]
        Self::prefix("").expect("a pattern")
    }

    /// Makes a permission for one topic or procedure.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if it is no URI.
    pub fn exact(uri: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::new(uri.as_ref(), MatchPolicy::Exact)
    }

    /// Makes a permission for the topics and procedures that start with a prefix.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if it is no prefix.
    pub fn prefix(prefix: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::new(prefix.as_ref(), MatchPolicy::Prefix)
    }

    /// Makes a permission for the topics and procedures that a wildcard pattern matches, such as `com.example..update`.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if it is no pattern.
    pub fn wildcard(pattern: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::new(pattern.as_ref(), MatchPolicy::Wildcard)
    }

    fn new(pattern: &str, policy: MatchPolicy) -> Result<Self, InvalidUri> {
        let pattern = Uri::checked(pattern, UriRule::Loose, policy)?;
        Ok(Self { pattern, policy, call: false, register: false, publish: false, subscribe: false })
    }

    /// Allows to call, and to cancel.
    #[must_use]
    pub const fn call(mut self) -> Self {
        self.call = true;
        self
    }

    /// Allows to register.
    #[must_use]
    pub const fn register(mut self) -> Self {
        self.register = true;
        self
    }

    /// Allows to publish.
    #[must_use]
    pub const fn publish(mut self) -> Self {
        self.publish = true;
        self
    }

    /// Allows to subscribe.
    #[must_use]
    pub const fn subscribe(mut self) -> Self {
        self.subscribe = true;
        self
    }

    /// Allows all of it.
    #[must_use]
    pub const fn all(self) -> Self {
        self.call().register().publish().subscribe()
    }

    /// Whether this pattern matches everything that another one does.
    fn covers(&self, other: &Uri, policy: MatchPolicy) -> bool {
        match (self.policy, policy) {
            (_, MatchPolicy::Exact) => self.pattern.matches(other, self.policy),
            (MatchPolicy::Prefix, MatchPolicy::Prefix) => other.starts_with(&*self.pattern),
            // Of what a wildcard pattern matches, only what is before its first gap is known.
            (MatchPolicy::Prefix, MatchPolicy::Wildcard) => {
                let mut known = 0;
                for component in other.split('.') {
                    if component.is_empty() {
                        break;
                    }
                    known += component.len() + 1;
                }
                other.get(..known.min(other.len())).is_some_and(|known| known.starts_with(&*self.pattern))
            }
            // The gaps of the other one are empty components, which match only gaps.
            (MatchPolicy::Exact | MatchPolicy::Wildcard, MatchPolicy::Wildcard) => {
                self.pattern.matches(other, self.policy)
            }
            (MatchPolicy::Exact | MatchPolicy::Wildcard, MatchPolicy::Prefix) => false,
        }
    }
}

/// What a message of a client asks for, if it needs a permission.
pub(super) fn wish(message: &Message) -> Option<Wish<'_>> {
    let kind = message.message_type();
    let exact = MatchPolicy::Exact;
    Some(match message {
        Message::Call(call) => {
            Wish { kind, request: call.request, uri: &call.procedure, policy: exact, is_answered: true }
        }
        Message::Publish(publish) => Wish {
            kind,
            request: publish.request,
            uri: &publish.topic,
            policy: exact,
            is_answered: publish.options.acknowledge == Some(true),
        },
        Message::Register(register) => Wish {
            kind,
            request: register.request,
            uri: &register.procedure,
            policy: register.options.match_policy.unwrap_or_default(),
            is_answered: true,
        },
        Message::Subscribe(subscribe) => Wish {
            kind,
            request: subscribe.request,
            uri: &subscribe.topic,
            policy: subscribe.options.match_policy.unwrap_or_default(),
            is_answered: true,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_covered_if_all_that_it_matches_is() {
        let (exact, prefix, wildcard) = (MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard);
        for (ours, our_policy, theirs, policy, covered) in [
            ("a.b", exact, "a.b", exact, true),
            ("a.b", exact, "a.b.c", exact, false),
            ("a.b", exact, "a.b", wildcard, true),
            ("a.b", exact, "a.", wildcard, false),
            ("a.b", exact, "a.b", prefix, false),
            ("", prefix, "a", exact, true),
            ("", prefix, "", prefix, true),
            ("", prefix, "..", wildcard, true),
            ("a.", prefix, "a.b", exact, true),
            ("a.", prefix, "ab", exact, false),
            ("a.", prefix, "a.", prefix, true),
            ("a.", prefix, "a", prefix, false),
            ("a.", prefix, "", prefix, false),
            ("a.", prefix, "a..c", wildcard, true),
            ("a.b", prefix, "a..c", wildcard, false),
            ("a.", prefix, "a", wildcard, false),
            ("a.b", prefix, "a.b", wildcard, true),
            ("a.", prefix, ".b", wildcard, false),
            ("a..c", wildcard, "a.b.c", exact, true),
            ("a..c", wildcard, "a.b.d", exact, false),
            ("a..c", wildcard, "a..c", wildcard, true),
            ("a..c", wildcard, "a.b.c", wildcard, true),
            ("a..c", wildcard, "a..", wildcard, false),
            ("a.b.c", wildcard, "a..c", wildcard, false),
            ("..", wildcard, "a..c", wildcard, true),
            ("a..c", wildcard, "a.b.c", prefix, false),
        ] {
            let permission = Permission::new(ours, our_policy).unwrap();
            let other = Uri::checked(theirs, UriRule::Loose, policy).unwrap();
            assert_eq!(permission.covers(&other, policy), covered, "{ours} {our_policy:?} {theirs} {policy:?}");
        }
    }
}
