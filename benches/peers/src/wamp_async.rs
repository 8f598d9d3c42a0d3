//! wamp_async 0.3.1.
//!
//! Its serializers (`JsonSerializer`, `MsgPackSerializer`) and its message enum `Msg` are private, and the only public way to them is a client on a
//! socket. [`Msg`] here makes the same calls in the same order instead: `serde_json::from_slice` / `to_vec` and `from_slice` / `to_vec` of rmp-serde
//! 0.15, the versions that wamp_async itself is built with, over a visitor that asks `deserialize_seq` for a message code as `WampInteger` and then
//! for each field as the public type that wamp_async declares for it (`WampId`, `WampDict`, `WampUri`, `Option<WampArgs>`,
//! `Option<WampKwArgs>`). The work is that of these types, which are wamp_async's own. Only the messages that are measured exist here; wamp_async
//! matches the same integer against 22 codes.
//!
//! The conversion to the user's type is public and called as it is: `try_from_args`, `try_into_args`. CBOR and binary data are not supported
//! (payload values are `serde_json::Value`).

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
};
use wamp_async::{WampArgs, WampDict, WampId, WampInteger, WampKwArgs, WampUri};

const EVENT: WampInteger = 36;
const CALL: WampInteger = 48;
const RESULT: WampInteger = 50;

/// Stands for wamp_async's private message enum: same fields, same types.
#[derive(Debug)]
pub enum Msg {
    /// EVENT.
    Event {
        /// Subscription id.
        subscription: WampId,
        /// Publication id.
        publication: WampId,
        /// Details.
        details: WampDict,
        /// Positional arguments.
        arguments: Option<WampArgs>,
        /// Keyword arguments.
        arguments_kw: Option<WampKwArgs>,
    },
    /// CALL.
    Call {
        /// Request id.
        request: WampId,
        /// Options.
        options: WampDict,
        /// Procedure.
        procedure: WampUri,
        /// Positional arguments.
        arguments: Option<WampArgs>,
        /// Keyword arguments.
        arguments_kw: Option<WampKwArgs>,
    },
    /// RESULT.
    Result {
        /// Request id.
        request: WampId,
        /// Details.
        details: WampDict,
        /// Positional arguments.
        arguments: Option<WampArgs>,
        /// Keyword arguments.
        arguments_kw: Option<WampKwArgs>,
    },
}

impl Msg {
    fn into_arguments(self) -> WampArgs {
        match self {
            Self::Event { arguments, .. }
            | Self::Call { arguments, .. }
            | Self::Result { arguments, .. } => arguments.unwrap_or_default(),
        }
    }
}

impl<'de> Deserialize<'de> for Msg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(MsgVisitor)
    }
}

struct MsgVisitor;

impl<'de> Visitor<'de> for MsgVisitor {
    type Value = Msg;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a WAMP message")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Msg, A::Error> {
        match next(&mut fields, "code")? {
            EVENT => Ok(Msg::Event {
                subscription: next(&mut fields, "subscription")?,
                publication: next(&mut fields, "publication")?,
                details: next(&mut fields, "details")?,
                arguments: fields.next_element()?.unwrap_or(None),
                arguments_kw: fields.next_element()?.unwrap_or(None),
            }),
            CALL => Ok(Msg::Call {
                request: next(&mut fields, "request")?,
                options: next(&mut fields, "options")?,
                procedure: next(&mut fields, "procedure")?,
                arguments: fields.next_element()?.unwrap_or(None),
                arguments_kw: fields.next_element()?.unwrap_or(None),
            }),
            RESULT => Ok(Msg::Result {
                request: next(&mut fields, "request")?,
                details: next(&mut fields, "details")?,
                arguments: fields.next_element()?.unwrap_or(None),
                arguments_kw: fields.next_element()?.unwrap_or(None),
            }),
            code => Err(A::Error::custom(format_args!(
                "message {code} is not measured"
            ))),
        }
    }
}

fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    fields: &mut A,
    name: &'static str,
) -> Result<T, A::Error> {
    fields
        .next_element()?
        .ok_or_else(|| A::Error::missing_field(name))
}

impl Serialize for Msg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Tuples, as wamp_async writes them: the arguments are left out when absent, and empty before keyword arguments.
        let none = WampArgs::new();
        match self {
            Self::Event {
                subscription,
                publication,
                details,
                arguments,
                arguments_kw,
            } => match (arguments, arguments_kw) {
                (args, Some(kwargs)) => {
                    let args = args.as_ref().unwrap_or(&none);
                    (EVENT, subscription, publication, details, args, kwargs).serialize(serializer)
                }
                (Some(args), None) => {
                    (EVENT, subscription, publication, details, args).serialize(serializer)
                }
                (None, None) => (EVENT, subscription, publication, details).serialize(serializer),
            },
            Self::Call {
                request,
                options,
                procedure,
                arguments,
                arguments_kw,
            } => match (arguments, arguments_kw) {
                (args, Some(kwargs)) => {
                    let args = args.as_ref().unwrap_or(&none);
                    (CALL, request, options, procedure, args, kwargs).serialize(serializer)
                }
                (Some(args), None) => {
                    (CALL, request, options, procedure, args).serialize(serializer)
                }
                (None, None) => (CALL, request, options, procedure).serialize(serializer),
            },
            Self::Result {
                request,
                details,
                arguments,
                arguments_kw,
            } => match (arguments, arguments_kw) {
                (args, Some(kwargs)) => {
                    let args = args.as_ref().unwrap_or(&none);
                    (RESULT, request, details, args, kwargs).serialize(serializer)
                }
                (Some(args), None) => (RESULT, request, details, args).serialize(serializer),
                (None, None) => (RESULT, request, details).serialize(serializer),
            },
        }
    }
}

/// Decodes a JSON frame.
///
/// # Errors
///
/// What serde_json reports, as text, which is how wamp_async reports it.
pub fn decode_json(frame: &[u8]) -> Result<Msg, String> {
    serde_json::from_slice(frame).map_err(|error| error.to_string())
}

/// Decodes a MessagePack frame.
///
/// # Errors
///
/// What rmp-serde reports, as text; for each frame with binary data too.
pub fn decode_msgpack(frame: &[u8]) -> Result<Msg, String> {
    rmp_serde_015::from_slice(frame).map_err(|error| error.to_string())
}

/// Encodes a message as JSON.
///
/// # Errors
///
/// What serde_json reports, as text.
pub fn encode_json(message: &Msg) -> Result<Vec<u8>, String> {
    serde_json::to_vec(message).map_err(|error| error.to_string())
}

/// Encodes a message as MessagePack.
///
/// # Errors
///
/// What rmp-serde reports, as text.
pub fn encode_msgpack(message: &Msg) -> Result<Vec<u8>, String> {
    rmp_serde_015::to_vec(message).map_err(|error| error.to_string())
}

/// Converts the positional arguments of a message to the user's type.
///
/// # Errors
///
/// What `wamp_async::try_from_args` reports, as text.
pub fn arguments_as<T: DeserializeOwned>(message: Msg) -> Result<T, String> {
    wamp_async::try_from_args(message.into_arguments()).map_err(|error| error.to_string())
}

/// Makes an EVENT of the ids of `template` whose positional arguments are the user's value.
///
/// # Errors
///
/// What `wamp_async::try_into_args` reports, as text, and a template that is no EVENT.
pub fn event_with_arguments<T: Serialize>(template: &Msg, arguments: T) -> Result<Msg, String> {
    let Msg::Event {
        subscription,
        publication,
        ..
    } = template
    else {
        return Err("the template is no EVENT".to_owned());
    };
    let arguments = wamp_async::try_into_args(arguments).map_err(|error| error.to_string())?;
    Ok(Msg::Event {
        subscription: *subscription,
        publication: *publication,
        details: WampDict::new(),
        arguments: Some(arguments),
        arguments_kw: None,
    })
}
