//! Decodes a frame of JSON.

#![no_main]

use wamp_proto::{Format, fuzz};

libfuzzer_sys::fuzz_target!(|frame: &[u8]| fuzz::decode(Format::Json, frame));
