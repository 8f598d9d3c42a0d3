//! WAMP v2 sessions: the state machines of both ends, without IO.
//!
//! [`Session`] is the client's end: caller, callee, publisher and subscriber. `router::Router` (feature `router`) is the other
//! end, for examples, tests, simulators and games. Neither reads a clock, opens a socket, draws entropy or starts a thread:
//! an adapter or your own loop tells them what happens and does what they ask. [`auth`] answers challenges.
//!
//! Which to take: `loowy-tokio` if you have tokio and a socket; [`Session`] if you have a loop, a game or a simulation of your own; `client`
//! if you write an adapter for another runtime.
//!
//! `client` (feature `client`) has handles for futures around a session, which tell the crate `tracing` what they do (feature `tracing`).
//!
//! Here both are in one loop, with nothing between them:
//!
//! ```
//! # #[cfg(not(all(feature = "router", feature = "json")))] fn main() {}
//! # #[cfg(all(feature = "router", feature = "json"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use wamp_session::proto::{Format, Uri};
//! use wamp_session::router::{RealmConfig, Router, RouterAction, RouterConfig};
//! use wamp_session::{Action, Config, Opened, Session, SessionEvent, SubscribeOptions, Time};
//!
//! let realm = RealmConfig::new("realm1")?.anonymous("guest");
//! let mut router = Router::new(RouterConfig::new([7; 32]).realm(realm));
//! let mut session = Session::new(Config::new("mem:", "realm1"));
//!
//! let now = Time::ZERO; // of the loop's own clock
//! session.connect(now);
//! let ticks = session.subscribe(now, Uri::new("com.example.tick")?, SubscribeOptions::new())?;
//!
//! let mut link = None;
//! loop {
//!     if let Some(action) = session.poll_action() {
//!         match (action, link) {
//!             (Action::OpenTransport { id, .. }, _) => {
//!                 link = Some((id, router.handle_opened(now, Format::Json)));
//!                 session.handle_opened(now, id, Opened::new(Some("wamp.2.json")));
//!             }
//!             (Action::Send { frame, .. }, Some((_, peer))) => router.handle_frame(now, peer, frame),
//!             (other, _) => panic!("{other:?}"),
//!         }
//!     } else if let (Some(RouterAction::Send { frame, .. }), Some((id, _))) = (router.poll_action(), link) {
//!         session.handle_frame(now, id, frame);
//!     } else {
//!         break;
//!     }
//! }
//! assert!(matches!(session.poll_event(), Some(SessionEvent::Joined(_))));
//! assert!(matches!(session.poll_event(), Some(SessionEvent::Subscribed { key, result: Ok(()) }) if key == ticks));
//! # Ok(())
//! # }
//! ```
//!
//! The example `game_loop` is a whole program of this kind, with links that break. Whoever drives a [`Session`] owes it four things: to carry
//! out its actions, to hand over what came with [`handle_frame`](Session::handle_frame), to call
//! [`handle_timeout`](Session::handle_timeout) at [`poll_timeout`](Session::poll_timeout) or more often, and to take its events. None of it fails.
//!
//! **Features**: `json`, `msgpack`, `cbor` and `cra` (WAMP-CRA), all on by default; `client`, `tungstenite` (its frames), `router`, `tracing`.

mod action;
pub mod auth;
mod causes;
#[cfg(feature = "client")]
pub mod client;
mod config;
mod error;
mod event;
mod features;
#[cfg(all(any(test, fuzzing), feature = "json"))]
#[doc(hidden)]
pub mod fuzz;
mod keep_alive;
mod key;
mod limits;
pub mod meta;
mod offline;
mod options;
pub mod passthru;
mod reconnect;
#[cfg(feature = "router")]
pub mod router;
mod said;
mod session;
mod time;
mod transport;
#[cfg(feature = "tungstenite")]
pub mod ws;

pub use wamp_proto as proto;

pub use crate::action::Action;
pub use crate::config::Config;
pub use crate::error::{
    AuthError, CloseCause, CommandError, ConfigError, ErrorKind, ProtocolViolation, RequestError, WampError,
};
pub use crate::event::{
    CallOutcome, CallPart, CloseReason, InvocationEnd, InvocationEvent, Joined, Left, NotRestored, PublishedEvent,
    Response, SessionEvent, Stats, Status, TimeoutReason,
};
pub use crate::features::Feature;
pub use crate::keep_alive::KeepAlive;
pub use crate::key::{CallKey, InvocationKey, PublishKey, RegistrationKey, SubscriptionKey};
pub use crate::limits::Limits;
pub use crate::offline::{Offline, OfflinePolicy};
pub use crate::options::{CallOptions, PublishOptions, RegisterOptions, SubscribeOptions};
pub use crate::reconnect::{Attempt, Decision, Jitter, ReconnectPolicy};
pub use crate::session::Session;
pub use crate::time::Time;
pub use crate::transport::{Frame, Opened, TransportError, TransportErrorKind, TransportId};
