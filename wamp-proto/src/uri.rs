//! URIs of realms, topics, procedures and errors.

use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::error::shortened;

/// A URI that has been checked: realm, topic, procedure, error or pattern.
///
/// A cheaply cloned string. [`Uri::new`] applies the loose rule of the WAMP Basic Profile ("URIs"): components joined by
/// dots, none of them empty, without white space and `#`. Patterns and the strict rule have [`Uri::checked`].
///
/// ```
/// # use wamp_proto::{MatchPolicy, Uri, UriRule};
/// let topic = Uri::new("com.example.tick")?;
/// assert_eq!(topic, "com.example.tick");
/// assert!(Uri::new("com..tick").is_err());
/// assert!(Uri::checked("com..tick", UriRule::Loose, MatchPolicy::Wildcard).is_ok());
/// # Ok::<(), wamp_proto::InvalidUri>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(Arc<str>);

/// How strictly the components of a URI are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UriRule {
    /// Any characters but white space, `#` and the dot that separates components.
    #[default]
    Loose,
    /// Only `a` to `z`, digits and `_`.
    Strict,
}

/// How a subscription's topic or a registration's procedure is compared with the URI of an event or call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchPolicy {
    /// The URIs are equal.
    #[default]
    Exact,
    /// The URI starts with the pattern, character by character.
    Prefix,
    /// The URI has as many components as the pattern; empty components of the pattern match any.
    Wildcard,
}

impl MatchPolicy {
    /// The policy's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Wildcard => "wildcard",
        }
    }

    /// The policy of a name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Exact, Self::Prefix, Self::Wildcard].into_iter().find(|policy| policy.as_str() == name)
    }
}

/// The error of a string that is no URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{uri:?} is not a {rule} URI{form}: {wanted}", uri = shortened(uri), rule = self.rule_name(), form = self.form(), wanted = self.wanted())]
pub struct InvalidUri {
    uri: Arc<str>,
    rule: UriRule,
    policy: MatchPolicy,
}

impl InvalidUri {
    /// The string that was refused, all of it; the error's text leaves out the middle of a long one.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    fn rule_name(&self) -> &'static str {
        match self.rule {
            UriRule::Loose => "loose",
            UriRule::Strict => "strict",
        }
    }

    fn form(&self) -> &'static str {
        match self.policy {
            MatchPolicy::Exact => "",
            MatchPolicy::Prefix => " prefix",
            MatchPolicy::Wildcard => " wildcard pattern",
        }
    }

    fn wanted(&self) -> &'static str {
        match (self.rule, self.policy) {
            (UriRule::Loose, MatchPolicy::Wildcard) => "no white space and no '#' may be in it",
            (UriRule::Loose, _) => "no white space and no '#' may be in it, and no part between dots may be empty",
            (UriRule::Strict, MatchPolicy::Wildcard) => "only a-z, 0-9, '_' and dots may be in it",
            (UriRule::Strict, _) => "only a-z, 0-9, '_' and dots may be in it, and no part between dots may be empty",
        }
    }
}

impl Uri {
    /// Checks a URI by the loose rule.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if a component is empty or has white space or `#` in it.
    pub fn new(uri: impl Into<Arc<str>>) -> Result<Self, InvalidUri> {
        Self::checked(uri, UriRule::Loose, MatchPolicy::Exact)
    }

    /// Checks a URI or pattern by a rule.
    ///
    /// Empty components are allowed anywhere in a wildcard pattern, and at the end of a prefix.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if the string breaks the rule.
    pub fn checked(uri: impl Into<Arc<str>>, rule: UriRule, policy: MatchPolicy) -> Result<Self, InvalidUri> {
        let uri = uri.into();
        if is_valid(&uri, rule, policy) { Ok(Self(uri)) } else { Err(InvalidUri { uri, rule, policy }) }
    }

    /// Checks that a URI or pattern also keeps another rule.
    ///
    /// ```
    /// # use wamp_proto::{MatchPolicy, Uri, UriRule};
    /// let pattern = Uri::checked("com..tick", UriRule::Loose, MatchPolicy::Wildcard)?;
    /// assert!(pattern.check(UriRule::Loose, MatchPolicy::Exact).is_err());
    /// # Ok::<(), wamp_proto::InvalidUri>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if the URI breaks the rule.
    pub fn check(&self, rule: UriRule, policy: MatchPolicy) -> Result<(), InvalidUri> {
        if is_valid(&self.0, rule, policy) {
            Ok(())
        } else {
            Err(InvalidUri { uri: Arc::clone(&self.0), rule, policy })
        }
    }

    /// The URI as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the first component is `wamp`, which applications may call and subscribe to but not register or publish.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.split('.').next() == Some("wamp")
    }

    /// Whether this pattern matches a URI.
    ///
    /// ```
    /// # use wamp_proto::{MatchPolicy, Uri, UriRule};
    /// let pattern = Uri::checked("com..update", UriRule::Loose, MatchPolicy::Wildcard)?;
    /// assert!(pattern.matches("com.user.update", MatchPolicy::Wildcard));
    /// assert!(!pattern.matches("com.user.old.update", MatchPolicy::Wildcard));
    /// # Ok::<(), wamp_proto::InvalidUri>(())
    /// ```
    #[must_use]
    pub fn matches(&self, uri: &str, policy: MatchPolicy) -> bool {
        match policy {
            MatchPolicy::Exact => *self.0 == *uri,
            MatchPolicy::Prefix => uri.starts_with(&*self.0),
            MatchPolicy::Wildcard => {
                let mut theirs = uri.split('.');
                self.0.split('.').all(|ours| theirs.next().is_some_and(|their| ours.is_empty() || ours == their))
                    && theirs.next().is_none()
            }
        }
    }
}

fn is_valid(uri: &str, rule: UriRule, policy: MatchPolicy) -> bool {
    // As if a component had ended before the first one.
    let mut before = DOT;
    let (mut found, mut empty_components) = (0, 0);
    for byte in uri.bytes() {
        let class = CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
        found |= class;
        empty_components |= class & before & DOT;
        before = class;
    }
    let empty_is_allowed = match policy {
        MatchPolicy::Exact => empty_components | before & DOT == 0,
        MatchPolicy::Prefix => empty_components == 0,
        MatchPolicy::Wildcard => true,
    };
    let in_alphabet = match rule {
        UriRule::Loose => found & NOT_LOOSE == 0 && (found & NOT_ASCII == 0 || !uri.chars().any(is_excluded)),
        UriRule::Strict => found & NOT_STRICT == 0,
    };
    empty_is_allowed && in_alphabet
}

/// What a byte of a URI is: a dot, one that the loose or the strict rule excludes, a part of a longer character.
const DOT: u8 = 1;
const NOT_LOOSE: u8 = 2;
const NOT_STRICT: u8 = 4;
const NOT_ASCII: u8 = 8;

static CLASSES: [u8; 256] = {
    let mut classes = [NOT_ASCII | NOT_STRICT; 256];
    let (mut ascii, _) = classes.split_at_mut(128);
    let mut byte = 0;
    while let [class, rest @ ..] = ascii {
        *class = match byte {
            b'.' => DOT,
            b'0'..=b'9' | b'a'..=b'z' | b'_' => 0,
            _ if is_excluded(byte as char) => NOT_LOOSE | NOT_STRICT,
            _ => NOT_STRICT,
        };
        byte += 1;
        ascii = rest;
    }
    classes
};

/// White space, `#`, and the four separators U+001C to U+001F that other implementations count as white space.
const fn is_excluded(c: char) -> bool {
    c == '#' || c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

impl Deref for Uri {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Uri {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Uri {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Uri {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Uri {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({:?})", &*self.0)
    }
}

impl FromStr for Uri {
    type Err = InvalidUri;

    fn from_str(uri: &str) -> Result<Self, InvalidUri> {
        Self::new(uri)
    }
}

impl TryFrom<&str> for Uri {
    type Error = InvalidUri;

    fn try_from(uri: &str) -> Result<Self, InvalidUri> {
        Self::new(uri)
    }
}

impl TryFrom<String> for Uri {
    type Error = InvalidUri;

    fn try_from(uri: String) -> Result<Self, InvalidUri> {
        Self::new(uri)
    }
}

impl Serialize for Uri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Uri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Input, then loose, loose wildcard, prefix, strict, strict wildcard.
    const TABLE: &[(&str, [bool; 5])] = &[
        ("com.myapp.topic1", [true, true, true, true, true]),
        ("com", [true, true, true, true, true]),
        ("1.2", [true, true, true, true, true]),
        ("_x.y", [true, true, true, true, true]),
        ("wamp.error.x", [true, true, true, true, true]),
        ("", [false, true, true, false, true]),
        (".", [false, true, false, false, true]),
        ("..", [false, true, false, false, true]),
        (".com", [false, true, false, false, true]),
        ("com..topic", [false, true, false, false, true]),
        ("a.b.c..", [false, true, false, false, true]),
        ("com.", [false, true, true, false, true]),
        ("com.myapp.", [false, true, true, false, true]),
        ("com.My-App", [true, true, true, false, false]),
        ("com.üml", [true, true, true, false, false]),
        ("com.\u{200b}x", [true, true, true, false, false]),
        ("com.my app", [false; 5]),
        ("com.my#app", [false; 5]),
        (" ", [false; 5]),
        ("com.a\u{a0}b", [false; 5]),
        ("com.x\u{2028}y", [false; 5]),
        ("com.a\u{85}b", [false; 5]),
        ("com.a\u{1c}b", [false; 5]),
        ("com.myapp\n", [false; 5]),
    ];

    fn assert_column(column: usize, rule: UriRule, policy: MatchPolicy) {
        for (uri, expected) in TABLE {
            assert_eq!(Uri::checked(*uri, rule, policy).is_ok(), expected[column], "{uri:?} by {rule:?} {policy:?}");
        }
    }

    #[test]
    fn uri_02_loose_rule() {
        assert_column(0, UriRule::Loose, MatchPolicy::Exact);
    }

    #[test]
    fn uri_03_loose_rule_with_empty_components() {
        assert_column(1, UriRule::Loose, MatchPolicy::Wildcard);
    }

    #[test]
    fn uri_04_strict_rule() {
        assert_column(3, UriRule::Strict, MatchPolicy::Exact);
        assert_column(4, UriRule::Strict, MatchPolicy::Wildcard);
    }

    #[test]
    fn uri_05_only_the_last_component_of_a_prefix_may_be_empty() {
        assert_column(2, UriRule::Loose, MatchPolicy::Prefix);
    }

    /// Component by component, which is how the rules are worded.
    fn is_valid_by_components(uri: &str, rule: UriRule, policy: MatchPolicy) -> bool {
        let components: Vec<&str> = uri.split('.').collect();
        components.iter().enumerate().all(|(index, component)| {
            let empty_is_allowed = match policy {
                MatchPolicy::Exact => false,
                MatchPolicy::Prefix => index + 1 == components.len(),
                MatchPolicy::Wildcard => true,
            };
            let in_alphabet = match rule {
                UriRule::Loose => !component.chars().any(is_excluded),
                UriRule::Strict => component.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'_')),
            };
            in_alphabet && (empty_is_allowed || !component.is_empty())
        })
    }

    #[test]
    fn uri_01_every_short_uri_is_valid_if_its_components_are() {
        const ALPHABET: [char; 10] = ['.', 'a', '_', '9', 'A', '#', ' ', '\u{1c}', 'é', '\u{a0}'];
        let mut uris = vec![String::new()];
        let mut longest = 0..1;
        for _ in 0..4 {
            let longer: Vec<String> =
                uris[longest].iter().flat_map(|uri| ALPHABET.map(|c| format!("{uri}{c}"))).collect();
            longest = uris.len()..uris.len() + longer.len();
            uris.extend(longer);
        }
        assert_eq!(uris.len(), 11_111);
        for uri in &uris {
            for rule in [UriRule::Loose, UriRule::Strict] {
                for policy in [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard] {
                    let expected = is_valid_by_components(uri, rule, policy);
                    assert_eq!(is_valid(uri, rule, policy), expected, "{uri:?} by {rule:?} {policy:?}");
                }
            }
        }
    }

    #[test]
    fn uri_06_wamp_is_reserved() {
        assert!(Uri::new("wamp.foo").unwrap().is_reserved());
        assert!(Uri::new("wamp").unwrap().is_reserved());
        assert!(!Uri::new("wampx.foo").unwrap().is_reserved());
    }

    #[test]
    fn uri_10_the_rule_is_anchored_at_the_end() {
        assert!(Uri::new("com.myapp\n").is_err());
    }

    #[test]
    fn pbs_03_prefixes_match_characters_and_wildcards_components() {
        let prefix = Uri::checked("com.myapp.topic.emergency", UriRule::Loose, MatchPolicy::Prefix).unwrap();
        assert!(prefix.matches("com.myapp.topic.emergency-low", MatchPolicy::Prefix));
        assert!(!prefix.matches("com.myapp.topic", MatchPolicy::Prefix));
        let wildcard = Uri::checked("com.myapp..userevent", UriRule::Loose, MatchPolicy::Wildcard).unwrap();
        assert!(wildcard.matches("com.myapp.foo.userevent", MatchPolicy::Wildcard));
        assert!(!wildcard.matches("com.myapp.foo.bar.userevent", MatchPolicy::Wildcard));
        assert!(!wildcard.matches("com.myapp.userevent", MatchPolicy::Wildcard));
    }
}
