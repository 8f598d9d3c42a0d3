//! What can go wrong with a session and with what it is asked to do.

use core::error::Error;
use std::sync::Arc;

use wamp_proto::{
    Abort, DecodeError, EncodeError, ErrorDetails, Format, Goodbye, IntoPayload, InvalidUri, Payload, PayloadError,
    Role, Uri, Value,
};

use crate::options::own_key;
use crate::passthru::{Attributes as _, Passthru, PassthruError};
use crate::said::{failed, said, shown};
use crate::{Feature, TransportError};

/// An error that came as an ERROR message, or that is to become one: a URI, arguments and details.
///
/// ```
/// # use wamp_session::WampError;
/// let error = WampError::new("com.example.error.no_stock")?.payload(("nuts", 3))?;
/// assert_eq!(error.uri(), "com.example.error.no_stock");
/// assert_eq!(error.args::<(String, u32)>()?, ("nuts".to_owned(), 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is shown as its URI, and its first argument in parentheses if that is a text, which most callees and routers mean for people:
/// `com.example.error.no_stock (only 3 are left)`. At most 200 characters of it are shown, those that would end a line or steer a
/// terminal escaped, and nothing of what was sealed in payload passthru mode. The text is the peer's: do not trust it, and log the
/// [`uri`](Self::uri) alone where it could name what a log must not have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", failed(.uri, .details, .payload))]
pub struct WampError {
    pub(crate) uri: Uri,
    /// In a box, because errors are returned by value.
    pub(crate) details: Box<ErrorDetails>,
    pub(crate) payload: Payload,
}

/// Why a command was refused at once: always the caller's own mistake.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The key names nothing that the session keeps (any more).
    #[error("the key names nothing that the session keeps")]
    UnknownKey,
    /// The session is closed, or was never connected: call `connect` first.
    #[error("the session is closed; connect it first")]
    Closed,
    /// The session is not joined, and this command does not wait for a join.
    #[error("the session is not joined")]
    NotJoined,
    /// The session is not joined, and as many commands wait for a join as may.
    #[error("no more commands may wait for the session to be joined")]
    BufferFull,
    /// The URI does not fit what it is used for.
    #[error(transparent)]
    InvalidUri(#[from] InvalidUri),
    /// URIs starting with `wamp.` may be called and subscribed to, not registered or published to.
    #[error("URIs starting with \"wamp.\" are reserved")]
    ReservedUri,
    /// The session's configuration does not have the role that the command needs.
    #[error("the session does not have the role {}", .0.as_str())]
    NoRole(Role),
    /// The router does not have the role that the command needs.
    #[error("the router does not have the role {}", .0.as_str())]
    RouterLacks(Role),
    /// The feature that the command needs was switched off ([`Config::without_feature`](crate::Config::without_feature)).
    #[error("the feature {0} is switched off")]
    Disabled(Feature),
    /// The router does not announce the feature that the command needs: see [`Feature`].
    #[error("the router does not announce the feature {0}")]
    NotSupported(Feature),
    /// An option's key is neither known nor of a form that own keys have (`_abc`, `x_abc`).
    #[error("{0:?} is neither an option that can be set like this, nor an own one, which look like _abc or x_abc")]
    InvalidOption(String),
    /// A call with the run mode `partition` needs a routing key ([`CallOptions::rkey`](crate::CallOptions::rkey)).
    #[error("the run mode \"partition\" needs a routing key")]
    NoRoutingKey,
    /// The call takes no more input: it has ended, was cancelled, or its last input was sent.
    #[error("the call takes no more input")]
    InputClosed,
    /// The invocation was cancelled, so that parts of its result are not wanted any more.
    #[error("the invocation was cancelled")]
    Interrupted,
    /// Too many requests are under way.
    #[error("too many requests are under way")]
    TooMany,
    /// The payload cannot be sealed for payload passthru mode.
    #[error("the payload cannot be sealed")]
    Passthru(#[from] PassthruError),
    /// The payload cannot be sent in the session's format.
    #[error("the payload cannot be encoded")]
    Encode(#[from] EncodeError),
    /// The message would be longer than the limit.
    #[error("the message has {size} bytes, more than {limit}")]
    TooLarge {
        /// The size of the message, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}

/// Why a request that was accepted did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The router or the callee answered with an ERROR.
    #[error("the request was answered with an error")]
    Wamp(#[from] WampError),
    /// The command was refused when the session was joined.
    #[error("the request could not be sent")]
    Command(#[from] CommandError),
    /// The answer came in payload passthru mode and cannot be opened.
    #[error("the answer cannot be opened")]
    Passthru(#[from] PassthruError),
    /// Time was up, by the client's own clock: no answer came, or the request had waited in vain for the session to be joined
    /// ([`OfflinePolicy`](crate::OfflinePolicy)). A dealer's or callee's timeout is a [`Wamp`](Self::Wamp) error of the kind
    /// [`ErrorKind::Timeout`].
    #[error("{}", late(*.sent))]
    Timeout {
        /// Whether a request id had been assigned: if so, the router may have seen the request and acted on it. If not, it was
        /// never sent.
        sent: bool,
    },
    /// The call was cancelled on this side, and its result is not waited for. A cancelled call that the callee has answered fails with
    /// a [`Wamp`](Self::Wamp) error, mostly of the kind [`ErrorKind::Canceled`], or succeeds.
    #[error("the call was cancelled")]
    Canceled,
    /// The session ended before the answer, and not by the application: the transport was lost, the router closed or aborted the
    /// session or broke the protocol, or the session was not joined at all.
    #[error("the connection was lost")]
    Disconnected {
        /// Whether a request id had been assigned: if so, the router may have seen the request and acted on it.
        sent: bool,
    },
    /// The application closed the session before the answer.
    #[error("the session was closed")]
    Closed,
}

/// Why a session is not joined.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseCause {
    /// The application closed it, and the router agreed, was silent for the close timeout, or was gone already.
    #[error("the session was closed by the application")]
    Application,
    /// The router said GOODBYE.
    #[error("the router closed the session: {}", said(&.0.reason, .0.details.message.as_deref()))]
    Goodbye(Arc<Goodbye>),
    /// The router said ABORT.
    #[error("the router aborted the session: {}", said(&.0.reason, .0.details.message.as_deref()))]
    Abort(Arc<Abort>),
    /// The transport could not be opened, or ended.
    #[error("the transport failed")]
    Transport(#[source] TransportError),
    /// The router broke the protocol.
    #[error("the router broke the protocol")]
    ProtocolViolation(#[source] ProtocolViolation),
    /// The session was not joined in time.
    #[error("the session was not joined in time")]
    JoinTimeout,
    /// The client could not answer the router's challenge.
    #[error("the challenge could not be answered")]
    Authentication(#[source] AuthError),
    /// The configuration cannot be used.
    #[error("the configuration cannot be used")]
    Config(#[source] ConfigError),
}

/// How the router broke the protocol.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolViolation {
    /// A frame was no message.
    #[error("a frame is no message")]
    Decode(#[source] DecodeError),
    /// A frame was binary where the format is text, or the reverse.
    #[error("a frame is of the wrong kind for {0}")]
    WrongFrame(Format),
    /// A message came in a state in which it may not.
    #[error("{message} received {state}")]
    Unexpected {
        /// The message.
        message: wamp_proto::MessageType,
        /// When it came, in words.
        state: &'static str,
    },
    /// A message came that the specification does not allow, for the reason given.
    #[error("{message}: {reason}")]
    Invalid {
        /// The message.
        message: wamp_proto::MessageType,
        /// What is wrong with it, in words.
        reason: &'static str,
    },
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The realm is no URI.
    #[error("the realm is no URI")]
    Realm(#[source] InvalidUri),
    /// There is no router to connect to.
    #[error("there is no URL to connect to")]
    NoUrl,
    /// No format is offered.
    #[error("no format is offered")]
    NoFormat,
    /// The session has no role.
    #[error("the session has none of the roles caller, callee, publisher and subscriber")]
    NoRole,
    /// A callee has a feature that needs [`Feature::CallCanceling`], which is switched off.
    #[error("the callee's feature {0} needs call_canceling, which is switched off")]
    NoCallCanceling(Feature),
    /// The key of an own attribute of HELLO is of no form that own keys have (`_abc`, `x_abc`), or its value of none that the format has.
    #[error("{0:?} is no attribute of one's own")]
    HelloDetail(String),
    /// An authentication method needs an authid.
    #[error("the authentication method {0} needs an authid")]
    NoAuthId(String),
    /// Authenticators name different authids, and a HELLO has only one.
    #[error("the authenticators name different authids")]
    AuthIds,
}

/// Why a challenge could not be answered.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The router asked for a method that was not offered.
    #[error("the router asked for the method \"{}\", which was not offered", shown(.0))]
    NotOffered(String),
    /// The challenge lacks something, or it is not what the method defines.
    #[error("the challenge is malformed: {0}")]
    Malformed(&'static str),
    /// The challenge asks for more work than the limits allow.
    #[error("the challenge asks for more work than allowed: {0}")]
    TooCostly(&'static str),
    /// The authenticator failed by itself.
    #[error("the authenticator failed")]
    Other(#[source] Arc<dyn Error + Send + Sync>),
}

/// What a timeout means.
const fn late(sent: bool) -> &'static str {
    if sent { "no answer came in time" } else { "the session was not joined in time, and the request was never sent" }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $($uri:literal)|+;)*) => {
        /// What the URI of an error means, if the specification, or a router that is widely used, defines it.
        ///
        /// ```
        /// # use wamp_session::{ErrorKind, WampError};
        /// let error = WampError::new("wamp.error.canceled")?;
        /// assert_eq!(error.kind(), ErrorKind::Canceled);
        /// assert_eq!(WampError::new("com.example.error.no_stock")?.kind(), ErrorKind::Other);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
            /// Any other: an application's own.
            Other,
        }

        impl ErrorKind {
            /// The kind of a URI.
            #[must_use]
            pub fn of(uri: &str) -> Self {
                match uri {
                    $($($uri)|+ => Self::$kind,)*
                    _ => Self::Other,
                }
            }

            /// The URI, of several the one that the specification has; `None` for [`Other`](Self::Other).
            #[must_use]
            pub const fn uri(self) -> Option<&'static str> {
                match self {
                    $(Self::$kind => Some(first(&[$($uri),+])),)*
                    Self::Other => None,
                }
            }
        }
    };
}

const fn first(uris: &[&'static str]) -> &'static str {
    match uris.first() {
        Some(uri) => uri,
        None => "",
    }
}

kinds! {
    /// A URI breaks the router's rules.
    InvalidUri = "wamp.error.invalid_uri";
    /// Nobody has registered the procedure.
    NoSuchProcedure = "wamp.error.no_such_procedure";
    /// The procedure is registered already, maybe to be shared by another policy.
    ProcedureAlreadyExists =
        "wamp.error.procedure_already_exists" | "wamp.error.procedure_exists_with_different_invocation_policy";
    /// The registration is none (any more).
    NoSuchRegistration = "wamp.error.no_such_registration";
    /// The subscription is none (any more).
    NoSuchSubscription = "wamp.error.no_such_subscription";
    /// The callee, or the router, does not take the arguments.
    InvalidArgument = "wamp.error.invalid_argument";
    /// The session may not do this.
    NotAuthorized = "wamp.error.not_authorized";
    /// Whether the session may do this could not be found out.
    AuthorizationFailed = "wamp.error.authorization_failed";
    /// The realm is none.
    NoSuchRealm = "wamp.error.no_such_realm";
    /// The session is none (any more).
    NoSuchSession = "wamp.error.no_such_session";
    /// The call was cancelled, or its callee has left.
    Canceled = "wamp.error.canceled" | "wamp.error.cancelled";
    /// The dealer's or the callee's time for the call is over.
    Timeout = "wamp.error.timeout";
    /// The callee cannot serve, now or at all.
    Unavailable = "wamp.error.unavailable";
    /// All callees of the procedure have declined.
    NoAvailableCallee = "wamp.error.no_available_callee";
    /// No callee may serve this call.
    NoEligibleCallee = "wamp.error.no_eligible_callee";
    /// The router, or the other client, does not have the feature.
    FeatureNotSupported = "wamp.error.feature_not_supported";
    /// The router does not allow an option.
    OptionNotAllowed = "wamp.error.option_not_allowed";
    /// The router does not disclose who calls or publishes.
    DiscloseMeDisallowed = "wamp.error.option_disallowed.disclose_me" | "wamp.error.disclose_me.not_allowed";
    /// The payload is too large for the other side.
    PayloadSizeExceeded = "wamp.error.payload_size_exceeded";
    /// The payload cannot be encoded or decoded.
    InvalidPayload = "wamp.error.invalid_payload";
    /// The callee failed, and does not say how; the URI is what Autobahn and this library use.
    RuntimeError = "wamp.error.runtime_error";
    /// The router could not reach another part of itself.
    NetworkFailure = "wamp.error.network_failure";
}

impl WampError {
    /// Makes an error without arguments.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if the URI is none.
    pub fn new(uri: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Ok(Self::from_uri(Uri::new(uri.as_ref())?))
    }

    /// Makes an error without arguments.
    #[must_use]
    pub fn from_uri(uri: Uri) -> Self {
        Self { uri, details: Box::default(), payload: Payload::new() }
    }

    /// Sets the arguments.
    ///
    /// They are encoded at once, in a binary format if one is compiled in, since those carry every value, and transcoded when the
    /// error is sent in another format.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the arguments cannot be encoded.
    pub fn payload(mut self, payload: impl IntoPayload) -> Result<Self, EncodeError> {
        let binary = Format::ALL.iter().copied().find(|format| format.is_binary());
        if let Some(format) = binary.or(Format::ALL.first().copied()) {
            self.payload = payload.into_payload(format)?;
        }
        Ok(self)
    }

    /// Adds a detail of one's own.
    ///
    /// Not every router passes it on: Crossbar.io does not.
    ///
    /// ```
    /// # use wamp_session::WampError;
    /// let error = WampError::new("com.example.error.no_stock")?.detail("_shelf", 7)?;
    /// assert_eq!(error.details().extra.get("_shelf").and_then(|shelf| shelf.as_u64()), Some(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::InvalidOption`] unless the key is of one of the forms `_abc` and `x_abc`, lower case, digits and underscores.
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Result<Self, CommandError> {
        self.details.extra.insert(own_key(key)?, value);
        Ok(self)
    }

    /// Says how the arguments are to be read, which have been sealed (`ppt_…`).
    ///
    /// It is for who drives a [`Session`](crate::Session): clients seal what they send by themselves.
    ///
    /// ```
    /// # use wamp_session::passthru::Passthru;
    /// # use wamp_session::proto::Payload;
    /// # use wamp_session::WampError;
    /// # fn run(sealed: Payload, attributes: &Passthru) -> Result<(), Box<dyn std::error::Error>> {
    /// let error = WampError::new("com.example.error.no_stock")?.payload(sealed)?.passthru(attributes);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn passthru(mut self, passthru: &Passthru) -> Self {
        self.details.set_passthru(passthru);
        self
    }

    /// The error's URI.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What the URI means, if it is a known one.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::of(&self.uri)
    }

    /// The details.
    #[must_use]
    pub fn details(&self) -> &ErrorDetails {
        &self.details
    }

    /// The arguments, undecoded.
    #[must_use]
    pub const fn raw(&self) -> &Payload {
        &self.payload
    }

    /// Decodes the positional arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn args<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.payload.args()
    }

    /// Decodes one positional argument, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, or it does not fit the type.
    pub fn arg<'a, T: serde::Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        self.payload.arg(index)
    }

    /// Decodes the keyword arguments into a map or struct.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn kwargs<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.payload.kwargs()
    }
}
