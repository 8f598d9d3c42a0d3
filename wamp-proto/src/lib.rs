//! WAMP v2 messages and their serializers: a strict, fast codec that does no IO.

mod codec;
mod error;
mod format;
mod id;
mod limits;
mod message;
mod payload;
mod serial;
mod uri;
mod value;

#[cfg(feature = "cbor")]
mod cbor;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "msgpack")]
mod msgpack;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;

#[cfg(not(any(feature = "json", feature = "msgpack", feature = "cbor")))]
compile_error!("wamp-proto needs at least one format: enable the feature `json`, `msgpack` or `cbor`");

pub use crate::codec::{decode, encode};
pub use crate::error::{
    DecodeError, DecodeErrorKind, Element, EncodeError, EncodeErrorKind, Kind, Length, PayloadError,
};
pub use crate::format::Format;
pub use crate::id::{InvalidId, MAX_ID, PublicationId, RegistrationId, RequestId, SessionId, SubscriptionId};
pub use crate::limits::{Limits, PayloadCheck};
pub use crate::message::{
    Abort, AbortDetails, Authenticate, Call, CallOptions, CallResult, Cancel, CancelMode, CancelOptions, Challenge,
    Error, ErrorDetails, Event, EventDetails, Goodbye, GoodbyeDetails, Hello, HelloDetails, Interrupt,
    InterruptOptions, Invocation, InvocationDetails, InvokePolicy, Message, MessageType, Publish, PublishOptions,
    Published, Register, RegisterOptions, Registered, ResultDetails, Role, Roles, Subscribe, SubscribeOptions,
    Subscribed, Unregister, Unregistered, UnregisteredDetails, Unsubscribe, Unsubscribed, UnsubscribedDetails, Welcome,
    WelcomeDetails, Yield, YieldOptions,
};
pub use crate::payload::{Args, ArgsKwargs, FromPayload, IntoPayload, Kwargs, Payload};
pub use crate::uri::{InvalidUri, MatchPolicy, Uri, UriRule};
pub use crate::value::{Dict, Value};
