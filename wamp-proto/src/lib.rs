//! WAMP v2 messages and their serializers: a strict, fast codec that does no IO.
//!
//! [`decode`] makes a [`Message`] of a frame, [`encode`] a frame of a message, in JSON, MessagePack or CBOR ([`Format`]). Each type of
//! message is a struct, its options and details are typed fields, and attributes that the specification does not name are kept in `extra`.
//!
//! ```
//! # #[cfg(not(feature = "json"))] fn main() {}
//! # #[cfg(feature = "json")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use wamp_proto::{CallResult, Format, IntoPayload, Limits, Message, PayloadCheck, ResultDetails, decode, encode};
//!
//! let frame = br#"[48,7,{},"com.example.add2",[2,3]]"#.as_slice();
//! let Message::Call(call) = decode(frame.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt)? else {
//!     return Err("not a call".into());
//! };
//! let (a, b): (i64, i64) = call.payload.args()?;
//!
//! let payload = (a + b).into_payload(Format::Json)?;
//! let result = CallResult { request: call.request, details: ResultDetails::default(), payload };
//! let mut frame = Vec::new();
//! encode(&result.into(), Format::Json, &mut frame)?;
//! assert_eq!(frame, b"[50,7,{},[5]]");
//! # Ok(())
//! # }
//! ```
//!
//! **Payloads** stay the bytes that came ([`Payload`]): they are decoded into your types when you ask, forwarded as they are to a session of
//! the same format, and transcoded, without loss, for one of another. Whatever implements serde's traits can be sent and received; [`Value`] is
//! for those who have no type.
//!
//! **Frames of strangers** are what it is made for. No bytes make it panic or recurse, and [`Limits`] bound the size and the depth of
//! what is decoded; every error says at which byte and in which element. So a fuzz target is this:
//!
//! ```
//! # #[cfg(not(feature = "json"))] fn main() {}
//! use wamp_proto::{Format, Limits, PayloadCheck, decode, encode};
//!
//! /// The body of cargo-fuzz's `fuzz_target!(|data: &[u8]| …)`.
//! fn round_trip(data: &[u8]) {
//!     for format in Format::ALL {
//!         let check = |frame| decode(frame, *format, &Limits::new(), PayloadCheck::OnReceipt);
//!         let Ok(message) = check(data.to_vec().into()) else { continue };
//!         let mut frame = Vec::new();
//!         encode(&message, *format, &mut frame).expect("what was decoded can be encoded");
//!         assert_eq!(check(frame.into()).as_ref(), Ok(&message));
//!     }
//! }
//! # #[cfg(feature = "json")]
//! # fn main() {
//!
//! round_trip(br#"[50,7,{},[5]]"#);
//! round_trip(b"\x93\x00");
//! # }
//! ```
//!
//! The specification is the [WAMP protocol](https://wamp-proto.org/spec.html), Basic and Advanced Profile. **Features**: `json`, `msgpack` and
//! `cbor`, all on by default; at least one is needed.

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

pub use crate::codec::{decode, encode, encode_frame};
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
