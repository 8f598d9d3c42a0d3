//! WAMP v2 sessions: the state machines of both ends, without IO.

mod action;
pub mod auth;
#[cfg(feature = "client")]
pub mod client;
mod config;
mod error;
mod event;
mod key;
mod limits;
mod options;
#[cfg(feature = "router")]
pub mod router;
mod session;
mod time;
mod transport;
#[cfg(feature = "tungstenite")]
pub mod ws;

pub use wamp_proto as proto;

pub use crate::action::Action;
pub use crate::config::Config;
pub use crate::error::{AuthError, CloseCause, CommandError, ConfigError, ProtocolViolation, RequestError, WampError};
pub use crate::event::{
    CallOutcome, CloseReason, InvocationEvent, Joined, PublishedEvent, Response, SessionEvent, Stats, Status,
    TimeoutReason,
};
pub use crate::key::{CallKey, InvocationKey, PublishKey, RegistrationKey, SubscriptionKey};
pub use crate::limits::Limits;
pub use crate::options::{CallOptions, PublishOptions, RegisterOptions, SubscribeOptions};
pub use crate::session::Session;
pub use crate::time::Time;
pub use crate::transport::{Frame, Opened, TransportError, TransportErrorKind, TransportId};
