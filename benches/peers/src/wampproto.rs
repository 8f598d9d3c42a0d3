//! wampproto 0.1.0.
//!
//! Its serializers are public and called as they are. They take the frame by value, so a benchmark clones it outside the measured part. A message
//! keeps its arguments as `wampproto::messages::types::Value`; the crate has no conversion to the user's type, so nothing typed is measured. Binary
//! data in JSON is a plain text for it on the way in, and an error on the way out.

use loowy_benches::Format;
use wampproto::{
    messages::message::Message,
    serializers::{
        cbor::CBORSerializer, json::JSONSerializer, msgpack::MsgPackSerializer,
        serializer::Serializer,
    },
};

/// Returns the serializer of a format.
pub fn serializer(format: Format) -> Box<dyn Serializer> {
    match format {
        Format::Json => Box::new(JSONSerializer {}),
        Format::MsgPack => Box::new(MsgPackSerializer {}),
        Format::Cbor => Box::new(CBORSerializer {}),
    }
}

/// Decodes a frame.
///
/// # Errors
///
/// What wampproto reports, as text.
pub fn decode(serializer: &dyn Serializer, frame: Vec<u8>) -> Result<Box<dyn Message>, String> {
    serializer.deserialize(frame).map_err(|error| error.message)
}

/// Encodes a message.
///
/// # Errors
///
/// What wampproto reports, as text.
pub fn encode(serializer: &dyn Serializer, message: &dyn Message) -> Result<Vec<u8>, String> {
    serializer.serialize(message).map_err(|error| error.message)
}
