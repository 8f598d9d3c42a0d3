//! Testaments: events that the router publishes when a session is over (WAMP Advanced Profile, "Session Testament").

use std::sync::Arc;

use wamp_proto::{Dict, EncodeError, Format, IntoPayload, SessionId, Uri, Value};

use super::request::Request;
use crate::PublishOptions;

/// When a testament is published.
///
/// Routers without session resumption do both when the session is over, those of [`Detached`](Self::Detached) first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TestamentScope {
    /// When the session is destroyed.
    #[default]
    Destroyed,
    /// When the session is detached from its transport.
    Detached,
}

/// How a testament is published.
///
/// ```
/// # use wamp_session::meta::{Testament, TestamentScope};
/// # use wamp_session::PublishOptions;
/// let how = Testament::new().scope(TestamentScope::Detached).options(PublishOptions::new().retain());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Testament {
    scope: Option<TestamentScope>,
    pub(crate) options: PublishOptions,
}

/// `wamp.session.add_testament`: has the router publish an event when the caller's session is over.
///
/// Routers differ in what they answer, which is ignored. In payload passthru mode the payload is one that
/// [`Codecs::seal`](crate::passthru::Codecs::seal) has sealed, with the attributes of the options.
///
/// # Errors
///
/// [`EncodeError`] if the payload cannot be encoded, in the format given.
pub fn add_testament(
    topic: &Uri,
    payload: impl IntoPayload,
    testament: &Testament,
    format: Format,
) -> Result<Request<()>, EncodeError> {
    let payload = payload.into_payload(format)?;
    let (args, kwargs): (Vec<Value>, Dict) = (payload.args()?, payload.kwargs()?);
    let mut how = Dict::new();
    let options = dict_of(&testament.options.wire);
    if !options.is_empty() {
        how.insert("publish_options", options);
    }
    if let Some(scope) = testament.scope {
        how.insert("scope", scope.as_str());
    }
    let args = [topic.as_str().into(), args.into(), kwargs.into()];
    Ok(Request::new("wamp.session.add_testament", args, |_| Ok(())).kwargs(how))
}

/// `wamp.session.flush_testaments`: takes back the testaments of one scope.
pub fn flush_testaments(scope: TestamentScope) -> Request<()> {
    let scope = Dict::from_iter([("scope", scope.as_str())]);
    Request::new("wamp.session.flush_testaments", [], |_| Ok(())).kwargs(scope)
}

impl TestamentScope {
    /// The scope's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Destroyed => "destroyed",
            Self::Detached => "detached",
        }
    }
}

impl Testament {
    /// Makes a testament that is published without options, when the session is destroyed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets when it is published.
    #[must_use]
    pub const fn scope(mut self, scope: TestamentScope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Sets the options of its publication; those that concern an answer mean nothing here.
    #[must_use]
    pub fn options(mut self, options: PublishOptions) -> Self {
        self.options = options;
        self
    }
}

/// Options as a value, as they are on the wire.
fn dict_of(options: &wamp_proto::PublishOptions) -> Dict {
    let mut dict = options.extra.clone();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            dict.insert(key, value);
        }
    };
    let texts = |list: &[Arc<str>]| Value::from(list.iter().map(|text| &**text).collect::<Vec<_>>());
    let ids = |list: &[SessionId]| Value::from(list.iter().map(|id| id.get()).collect::<Vec<_>>());
    set("exclude_me", options.exclude_me.map(Into::into));
    set("disclose_me", options.disclose_me.map(Into::into));
    set("retain", options.retain.map(Into::into));
    set("exclude", options.exclude.as_deref().map(ids));
    set("exclude_authid", options.exclude_authid.as_deref().map(texts));
    set("exclude_authrole", options.exclude_authrole.as_deref().map(texts));
    set("eligible", options.eligible.as_deref().map(ids));
    set("eligible_authid", options.eligible_authid.as_deref().map(texts));
    set("eligible_authrole", options.eligible_authrole.as_deref().map(texts));
    set("rkey", options.rkey.as_deref().map(Into::into));
    set("ppt_scheme", options.ppt_scheme.as_deref().map(Into::into));
    set("ppt_serializer", options.ppt_serializer.as_deref().map(Into::into));
    set("ppt_cipher", options.ppt_cipher.as_deref().map(Into::into));
    set("ppt_keyid", options.ppt_keyid.as_deref().map(Into::into));
    dict
}
