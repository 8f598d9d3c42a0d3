//! Untyped trees of the formats' own crates: what decoding costs where nobody knows WAMP.

use loowy_benches::Format;

/// Holds a decoded frame.
#[derive(Debug)]
pub enum Generic {
    /// A `serde_json::Value`.
    Json(serde_json::Value),
    /// An `rmpv::Value`.
    MsgPack(rmpv::Value),
    /// A `ciborium::Value`.
    Cbor(ciborium::Value),
}

/// Decodes a frame into the tree of its format.
///
/// # Errors
///
/// What the format's crate reports, as text.
pub fn decode(format: Format, mut frame: &[u8]) -> Result<Generic, String> {
    match format {
        Format::Json => serde_json::from_slice(frame)
            .map(Generic::Json)
            .map_err(|error| error.to_string()),
        Format::MsgPack => rmpv::decode::read_value(&mut frame)
            .map(Generic::MsgPack)
            .map_err(|error| error.to_string()),
        Format::Cbor => ciborium::from_reader(frame)
            .map(Generic::Cbor)
            .map_err(|error| error.to_string()),
    }
}

/// Encodes a tree in its format.
///
/// # Errors
///
/// What the format's crate reports, as text.
pub fn encode(tree: &Generic) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    match tree {
        Generic::Json(value) => {
            serde_json::to_writer(&mut out, value).map_err(|error| error.to_string())?
        }
        Generic::MsgPack(value) => {
            rmpv::encode::write_value(&mut out, value).map_err(|error| error.to_string())?
        }
        Generic::Cbor(value) => {
            ciborium::into_writer(value, &mut out).map_err(|error| error.to_string())?
        }
    }
    Ok(out)
}
