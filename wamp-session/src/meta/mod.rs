//! The meta API: what a router tells of its sessions, registrations and subscriptions, testaments and event history (WAMP
//! Advanced Profile, "Session Meta API", "Registration Meta API", "Subscriptions Meta API", "Session Testament" and "Event History").
//!
//! Here are the requests and the topics as plain values: a [`Request`] knows its procedure and its arguments and reads the result, a
//! [`Topic`] reads its events. Whoever drives a [`Session`](crate::Session) himself uses them with `call` and `subscribe`. The
//! module `client` (feature `client`) has a method for each: `client.meta()`.
//!
//! ```
//! use wamp_session::proto::{IntoPayload, SessionId};
//! use wamp_session::{CallOptions, Config, Session, Time, meta};
//! # use wamp_session::proto::Format;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (mut session, now) = (Session::new(Config::new("mem:", "realm1")), Time::ZERO);
//! # session.connect(now);
//! let request = meta::session(SessionId::new(4711)?);
//! let payload = request.payload(Format::ALL[0])?;
//! let key = session.call(now, request.procedure(), payload, CallOptions::new())?;
//! // Later, from `SessionEvent::CallDone { key, result: Ok(outcome) }`: request.result(&outcome.payload)?
//! # let result = [("session", 4711)].into_iter().collect::<std::collections::BTreeMap<_, _>>().into_payload(Format::ALL[0])?;
//! let details = request.result(&result)?;
//! assert_eq!(details.session.get(), 4711);
//! # Ok(())
//! # }
//! ```
//!
//! # What the router has
//!
//! [`Joined::announces`](crate::Joined::announces) tells, by [`Feature::SessionMetaApi`](crate::Feature::SessionMetaApi) and its like. No is not
//! never, which is why nothing is refused here: a router that lacks a procedure answers `wamp.error.no_such_procedure`.
//!
//! # What routers really answer
//!
//! Results and events are read in all the shapes that routers in use give them: a miss as null, as 0 or as no result; a count or the list
//! itself; lists of ids that are null; details that lack keys or have more, which are kept; `wamp.session.on_leave` with one argument or
//! three; the history as Arguments or as one list, with the keys of the specification, of Crossbar.io or of nexus.

mod history;
mod read;
mod registration;
mod request;
mod session;
mod subscription;
mod testament;
mod topic;

#[cfg(feature = "router")]
pub(crate) use self::read::number;

pub use self::history::{History, HistoryFilter, StoredEvent, get_events};
pub use self::registration::{
    ON_REGISTER, ON_REGISTRATION_CREATE, ON_REGISTRATION_DELETE, ON_UNREGISTER, RegistrationChange,
    RegistrationCreated, RegistrationDetails, Registrations, callee_count, callees, lookup_registration,
    match_registration, registration, registrations,
};
pub use self::request::Request;
pub use self::session::{
    Kill, Killed, ON_JOIN, ON_LEAVE, SessionDetails, SessionLeft, kill_all, kill_by_authid, kill_by_authrole,
    kill_session, session, session_count, session_count_of, sessions, sessions_of,
};
pub use self::subscription::{
    ON_SUBSCRIBE, ON_SUBSCRIPTION_CREATE, ON_SUBSCRIPTION_DELETE, ON_UNSUBSCRIBE, SubscriptionChange,
    SubscriptionCreated, SubscriptionDetails, Subscriptions, lookup_subscription, match_subscriptions,
    subscriber_count, subscribers, subscription, subscriptions,
};
pub use self::testament::{Testament, TestamentScope, add_testament, flush_testaments};
pub use self::topic::Topic;
