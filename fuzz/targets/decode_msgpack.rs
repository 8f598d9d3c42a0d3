//! Decodes a frame of MessagePack.

#![no_main]

use wamp_proto::{Format, fuzz};

libfuzzer_sys::fuzz_target!(|frame: &[u8]| fuzz::decode(Format::MsgPack, frame));
