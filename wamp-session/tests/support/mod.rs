//! A scripted router, a virtual clock, and a tap that checks every frame that a session sends.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

mod peer;
mod tap;

pub(crate) use self::peer::{FEATURELESS, Peer, WELCOME, config, payload, uri};
pub(crate) use self::tap::Tap;
