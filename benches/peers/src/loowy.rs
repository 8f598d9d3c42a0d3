//! Loowy: `wamp_proto` with its default limits.
//!
//! A frame arrives as [`Bytes`] that are shared already, which is how WebSocket libraries deliver it; a benchmark clones them in the measured part.

use bytes::Bytes;
use loowy_benches::Format;
use serde::{Deserialize, Serialize};
use wamp_proto::{
    Args, Call, CallOptions, CallResult, DecodeError, Event, EventDetails, IntoPayload, Limits,
    Message, Payload, PayloadCheck, ResultDetails,
};

/// What [`loowy_benches::Reading`] is to a subscriber who needs its text no longer than the frame.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BorrowedReading<'a> {
    /// The number of the reading.
    pub id: u64,
    /// The name of the sensor.
    pub sensor: &'a str,
    /// What it measured.
    pub value: f64,
    /// Whether the value is out of bounds.
    pub alarm: bool,
}

/// Decodes a frame.
///
/// # Errors
///
/// What wamp_proto reports.
#[inline]
pub fn decode(format: Format, frame: Bytes, check: PayloadCheck) -> Result<Message, DecodeError> {
    wamp_proto::decode(frame, ours(format), &Limits::new(), check)
}

/// Encodes a message.
///
/// # Errors
///
/// What wamp_proto reports, as text.
pub fn encode(format: Format, message: &Message) -> Result<Vec<u8>, String> {
    let mut frame = Vec::new();
    wamp_proto::encode(message, ours(format), &mut frame).map_err(|error| error.to_string())?;
    Ok(frame)
}

/// Encodes a message into a frame of its own, around its payload if nobody else has it: what a session does.
///
/// # Errors
///
/// What wamp_proto reports, as text.
pub fn encode_frame(format: Format, message: Message) -> Result<Bytes, String> {
    wamp_proto::encode_frame(message, ours(format)).map_err(|error| error.to_string())
}

/// Decodes the positional arguments of a message into the user's type, which may borrow from the frame.
///
/// # Errors
///
/// What wamp_proto reports, as text.
pub fn arguments_as<'a, T: Deserialize<'a>>(message: &'a Message) -> Result<T, String> {
    payload(message)?.args().map_err(|error| error.to_string())
}

/// Makes a message of the ids and the URI of `template` whose positional arguments are the user's sequence, encoded in a format.
///
/// # Errors
///
/// What wamp_proto reports, as text.
pub fn with_arguments<T: Serialize>(
    format: Format,
    template: &Message,
    arguments: T,
) -> Result<Message, String> {
    let payload = Args(arguments)
        .into_payload(ours(format))
        .map_err(|error| error.to_string())?;
    Ok(match template {
        Message::Event(event) => Event {
            subscription: event.subscription,
            publication: event.publication,
            details: EventDetails::default(),
            payload,
        }
        .into(),
        Message::Call(call) => Call {
            request: call.request,
            options: CallOptions::default(),
            procedure: call.procedure.clone(),
            payload,
        }
        .into(),
        Message::Result(result) => CallResult {
            request: result.request,
            details: ResultDetails::default(),
            payload,
        }
        .into(),
        _ => return Err("the message is not measured".to_owned()),
    })
}

fn payload(message: &Message) -> Result<&Payload, String> {
    match message {
        Message::Event(event) => Ok(&event.payload),
        Message::Call(call) => Ok(&call.payload),
        Message::Result(result) => Ok(&result.payload),
        _ => Err("the message is not measured".to_owned()),
    }
}

fn ours(format: Format) -> wamp_proto::Format {
    match format {
        Format::Json => wamp_proto::Format::Json,
        Format::MsgPack => wamp_proto::Format::MsgPack,
        Format::Cbor => wamp_proto::Format::Cbor,
    }
}
