//! Feeds a session with frames, time and commands.

#![no_main]

use wamp_session::fuzz;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::session(input);
});
