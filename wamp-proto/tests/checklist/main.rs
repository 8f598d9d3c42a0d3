//! The checklist of the WAMP specification, as far as it concerns a codec: each test is named after its item.

#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod hostile;
mod ids;
mod limits;
mod messages;
mod passthru;
mod payloads;
mod rows;
mod serializers;
mod uris;
mod wire;
