//! Roles and the features that are announced for them.

use crate::codec::attribute::Attribute;
use crate::codec::read::Read;
use crate::codec::write::Write;
use crate::error::{DecodeErrorKind, Fault, Kind};
use crate::{Dict, EncodeErrorKind, Value};

/// The feature that is announced beside the others.
const BESIDE: &str = "reflection";

/// A role of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Calls procedures.
    Caller,
    /// Registers procedures and serves them.
    Callee,
    /// Publishes events.
    Publisher,
    /// Subscribes to topics.
    Subscriber,
    /// Routes events: half of a router.
    Broker,
    /// Routes calls: the other half.
    Dealer,
}

impl Role {
    /// The role's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Publisher => "publisher",
            Self::Subscriber => "subscriber",
            Self::Broker => "broker",
            Self::Dealer => "dealer",
        }
    }
}

/// The roles of a HELLO or WELCOME, with the features announced for each (WAMP Basic Profile, "Role and Feature Announcement").
///
/// ```
/// # use wamp_proto::{Role, Roles};
/// let roles = Roles::new().with(Role::Broker, &["publisher_exclusion"]).with(Role::Dealer, &[]);
/// assert!(roles.has(Role::Dealer));
/// assert!(roles.announces(Role::Broker, "publisher_exclusion"));
/// assert!(!roles.announces(Role::Dealer, "call_canceling"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles(Dict);

impl Roles {
    /// Makes an announcement of no roles.
    #[must_use]
    pub const fn new() -> Self {
        Self(Dict::new())
    }

    /// Adds a role with its features; a role without features is an empty dict.
    #[must_use]
    pub fn with(mut self, role: Role, features: &[&str]) -> Self {
        let mut attributes = Dict::new();
        if !features.is_empty() {
            attributes.insert("features", Dict::from_iter(features.iter().map(|feature| (*feature, true))));
        }
        self.0.insert(role.as_str(), attributes);
        self
    }

    /// Whether the role is announced.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.0.contains_key(role.as_str())
    }

    /// Whether a feature of the role is announced, as the boolean `true` and nothing else.
    ///
    /// `reflection` is an attribute of the role itself.
    #[must_use]
    pub fn announces(&self, role: Role, feature: &str) -> bool {
        let announced = self.0.get(role.as_str()).and_then(|role| {
            let attributes = role.as_dict()?;
            let features = if feature == BESIDE { attributes } else { attributes.get("features")?.as_dict()? };
            features.get(feature)?.as_bool()
        });
        announced.unwrap_or(false)
    }

    /// The announcement as it is on the wire, with what this crate does not know.
    #[must_use]
    pub const fn as_dict(&self) -> &Dict {
        &self.0
    }

    /// Whether no role is announced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Attribute for Roles {
    fn read<'a, R: Read<'a>>(reader: &mut R, bytes: &'a [u8], depth: u8) -> Result<Self, Fault> {
        let _ = reader.kind()?;
        let start = reader.offset();
        let roles = Dict::read(reader, bytes, depth)?;
        let wrong = |expected, value: &Value| {
            Fault::new(start, DecodeErrorKind::WrongType { expected, found: Kind::of(value) })
        };
        for (_, role) in roles.iter() {
            let Some(attributes) = role.as_dict() else { return Err(wrong("a dict for each role", role)) };
            if let Some(features) = attributes.get("features")
                && features.as_dict().is_none()
            {
                return Err(wrong("a dict of features", features));
            }
        }
        Ok(Self(roles))
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        self.0.write(writer)
    }
}
