//! Skips a value and decodes it; the first byte picks the format.

#![no_main]

use wamp_proto::fuzz;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::skip_differential(input));
