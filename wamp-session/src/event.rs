//! What a session tells its embedder.

use core::time::Duration;
use std::sync::Arc;

use wamp_proto::{
    Challenge, EventDetails, Format, InvocationDetails, Payload, PublicationId, ResultDetails, Role, SessionId, Uri,
    WelcomeDetails,
};

use crate::passthru::Passthru;
use crate::{
    CallKey, CloseCause, InvocationKey, PublishKey, RegistrationKey, RequestError, SubscriptionKey, Time, TransportId,
    WampError,
};

/// Something that happened in a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The session is joined. What is kept from the one before is asked for anew from now on.
    Joined(Arc<Joined>),
    /// The session, or an attempt to join, is over, and another attempt follows.
    Left(Arc<Left>),
    /// What was subscribed to and registered before is so again, but for what is named.
    ///
    /// It follows each `Joined` but the first of a run, also if there was nothing to ask for, when the last answer has come, or after the
    /// request timeout.
    Restored {
        /// What is not back, or not yet.
        failed: Vec<NotRestored>,
    },
    /// The router asks the client to authenticate: answer with `authenticate`.
    Challenge {
        /// The transport on which it asks.
        transport: TransportId,
        /// What it asks.
        challenge: Challenge,
    },
    /// The session is over, and its transport, too: the last event until the next `connect`.
    ///
    /// Each `connect` that starts something is followed by exactly one. What had been subscribed to and registered ends with
    /// the session, without further events. No session is joined again after it by itself.
    Closed(Arc<CloseCause>),
    /// A subscription was confirmed, or refused and is gone.
    ///
    /// One that was confirmed gets another one of these if it is refused when its session is joined again, or if it is back only after
    /// it was reported as not restored.
    Subscribed {
        /// The subscription.
        key: SubscriptionKey,
        /// Whether it stands.
        result: Result<(), RequestError>,
    },
    /// A subscription has ended at its owner's wish.
    Unsubscribed {
        /// The subscription, whose key is now unknown.
        key: SubscriptionKey,
        /// Whether the router confirmed it, where it had to be asked.
        result: Result<(), RequestError>,
    },
    /// The router ended a subscription; nothing is to be answered (WAMP Advanced Profile, "Subscription Revocation").
    SubscriptionRevoked {
        /// The subscription, whose key is now unknown.
        key: SubscriptionKey,
        /// Why, as a URI or in words.
        reason: Option<Arc<str>>,
    },
    /// An EVENT came, for one local subscription.
    ///
    /// Those that nobody takes are bounded ([`Limits::max_events`](crate::Limits::max_events)): over the limit the new ones are dropped and
    /// counted in [`Stats::dropped_events`].
    Published(PublishedEvent),
    /// An acknowledged publication has ended.
    PublishDone {
        /// The publication, whose key is now unknown.
        key: PublishKey,
        /// The id that the broker gave it.
        result: Result<PublicationId, RequestError>,
    },
    /// A publication without acknowledgement, which has waited for a join, was sent, or will not be.
    ///
    /// It follows only where [`publish`](crate::Session::publish) returned a key.
    PublishSent {
        /// The publication, whose key is now unknown.
        key: PublishKey,
        /// Whether it has been given to the transport.
        result: Result<(), RequestError>,
    },
    /// A part of a call's result came; more follow, and then [`CallDone`](Self::CallDone) (WAMP Advanced Profile, "Progressive Call
    /// Results").
    ///
    /// Only calls that ask for it get these ([`CallOptions::receive_progress`](crate::CallOptions::receive_progress)). Those that nobody
    /// takes are bounded as EVENTs are ([`Limits::max_events`](crate::Limits::max_events)); over the limit the new ones are dropped and
    /// counted in [`Stats::dropped_progress`].
    CallProgress {
        /// The call.
        key: CallKey,
        /// The part.
        progress: CallOutcome,
    },
    /// A call has ended.
    CallDone {
        /// The call, whose key is now unknown.
        key: CallKey,
        /// Its result.
        result: Result<CallOutcome, RequestError>,
    },
    /// A registration was confirmed, or refused and is gone.
    ///
    /// One that was confirmed gets another one of these if it is refused when its session is joined again, or if it is back only after it was
    /// reported as not restored.
    Registered {
        /// The registration.
        key: RegistrationKey,
        /// Whether it stands.
        result: Result<(), RequestError>,
    },
    /// A registration has ended at its owner's wish.
    Unregistered {
        /// The registration, whose key is now unknown.
        key: RegistrationKey,
        /// Whether the router confirmed it.
        result: Result<(), RequestError>,
    },
    /// The router ended a registration, as Crossbar.io does to one whose procedure another callee takes over; nothing is to be answered.
    RegistrationRevoked {
        /// The registration, whose key is now unknown.
        key: RegistrationKey,
        /// Why, as a URI or in words.
        reason: Option<Arc<str>>,
    },
    /// Somebody calls a procedure of this client: answer with `respond`.
    Invocation(InvocationEvent),
    /// More input came for an invocation whose details say `progress`, or whose last input said that more follows (WAMP Advanced
    /// Profile, "Progressive Call Invocations").
    ///
    /// Those that nobody takes are bounded as EVENTs are. An input cannot be left out: over the limit the invocation ends with
    /// [`InvocationEnd::Overflow`].
    InvocationInput {
        /// The invocation.
        key: InvocationKey,
        /// The arguments.
        payload: Payload,
        /// Whether more input follows.
        more: bool,
    },
    /// The caller, or the dealer, wants an invocation to end, and the dealer waits for the answer (WAMP Advanced Profile, "Call
    /// Canceling").
    ///
    /// Answer with `respond` all the same: with the error `wamp.error.canceled`, or with the result if it is there. Progressive
    /// results are refused from now on.
    Interrupted {
        /// The invocation.
        key: InvocationKey,
        /// Why, as a URI; some routers say it.
        reason: Option<Arc<str>>,
    },
    /// An invocation has ended without an answer of the application, and needs none any more.
    InvocationEnded {
        /// The invocation, whose key is now unknown.
        key: InvocationKey,
        /// Why.
        why: InvocationEnd,
    },
}

/// A session that has been joined.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Joined {
    /// The id that the router gave the session.
    pub session: SessionId,
    /// What the router says of itself and of the client.
    pub details: WelcomeDetails,
    /// The format that was negotiated.
    pub format: Format,
}

impl Joined {
    /// Whether the router has a role.
    #[must_use]
    pub fn router_has(&self, role: Role) -> bool {
        self.details.roles.as_ref().is_some_and(|roles| roles.has(role))
    }

    /// Whether the router announces a feature of a role.
    #[must_use]
    pub fn router_announces(&self, role: Role, feature: impl AsRef<str>) -> bool {
        self.details.roles.as_ref().is_some_and(|roles| roles.announces(role, feature.as_ref()))
    }
}

/// A session, or an attempt to join, that is over, and the attempt that follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Left {
    /// Why it is over.
    pub cause: CloseCause,
    /// The session's id, if it was joined.
    pub session: Option<SessionId>,
    /// The number of the attempt that follows, counted from 1 since the last session that stood long enough.
    pub attempt: u32,
    /// How long from now that attempt is made, if the old transport has ended by then.
    pub retry_in: Duration,
    /// How many publications without acknowledgement were accepted and are known to be lost: their frames were never written. Those that
    /// were written, even if only into a buffer, may have arrived; only an acknowledgement tells.
    pub lost_publishes: u64,
}

/// A subscription or registration that did not come back with the session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotRestored {
    /// A subscription.
    Subscription {
        /// The subscription.
        key: SubscriptionKey,
        /// Its topic.
        topic: Uri,
        /// Why: it was refused and is gone, or there is no answer yet.
        error: RequestError,
    },
    /// A registration.
    Registration {
        /// The registration.
        key: RegistrationKey,
        /// Its procedure.
        procedure: Uri,
        /// Why.
        error: RequestError,
        /// Whether it is not given up: the procedure may still belong to the session before, and is asked for again.
        retrying: bool,
    },
}

/// An event of a topic, for one subscription.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PublishedEvent {
    /// The local subscription.
    pub key: SubscriptionKey,
    /// The topic that was published to.
    pub topic: Uri,
    /// The publication: the same for each subscription that gets it.
    pub publication: PublicationId,
    /// What the broker says of the event.
    pub details: Arc<EventDetails>,
    /// The arguments.
    pub payload: Payload,
}

/// Whether more input of a call follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPart {
    /// More follows.
    More,
    /// It is the last one.
    Last,
}

/// The result of a call, or a part of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallOutcome {
    /// What the dealer says of the result.
    pub details: ResultDetails,
    /// The arguments.
    pub payload: Payload,
}

/// A call of a procedure of this client.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InvocationEvent {
    /// The name by which it is answered.
    pub key: InvocationKey,
    /// The registration.
    pub registration: RegistrationKey,
    /// The procedure that was called.
    pub procedure: Uri,
    /// What the dealer says of the call.
    pub details: InvocationDetails,
    /// The arguments.
    pub payload: Payload,
}

/// Why an invocation needs no answer any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvocationEnd {
    /// Its session is over.
    SessionOver,
    /// The call was cancelled, or its caller has gone; the reason is a URI, which some routers give. Nothing is sent.
    Interrupted(Option<Arc<str>>),
    /// The time that its details gave is over; the caller gets `wamp.error.timeout`.
    Timeout,
    /// An input could not be taken: it was over the limits, or illegible. The caller gets `wamp.error.unavailable`, or an error that says
    /// what is wrong with it.
    Overflow,
}

/// What is sent for an invocation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Response {
    /// A part of the result, sent as YIELD with `progress`, if the caller takes parts; else it is left out. The invocation goes on.
    Progress(Payload),
    /// A result, sent as YIELD.
    Result(Payload),
    /// A part of the result whose payload has been sealed ([`Codecs::seal`](crate::passthru::Codecs::seal)).
    SealedProgress(Passthru, Payload),
    /// A result whose payload has been sealed.
    SealedResult(Passthru, Payload),
    /// An error, sent as ERROR.
    Error(WampError),
}

/// Where a session stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Status {
    /// Nothing is under way: it was never connected, or it is closed.
    Closed,
    /// A transport is being opened, or the router has not answered HELLO yet.
    Connecting,
    /// Joined.
    Joined(Arc<Joined>),
    /// Lost, or not joined; the next attempt is made in a while.
    Waiting {
        /// Why the last session or attempt is over, and which attempt follows.
        left: Arc<Left>,
        /// When it follows, if the old transport has ended by then.
        retry_at: Time,
    },
    /// GOODBYE or ABORT has been sent, or the transport is being closed.
    Closing,
}

/// Why the session wants to be woken at its next deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeoutReason {
    /// Joining takes too long.
    Join,
    /// Closing takes too long.
    Close,
    /// A request or a call waits too long, or an invocation runs too long.
    Request,
    /// Another attempt to join, or to register, is due.
    Reconnect,
    /// The peer has been silent for a while.
    KeepAlive,
}

/// Why the application closes a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// `wamp.close.close_realm`: the client leaves the realm.
    #[default]
    CloseRealm,
    /// `wamp.close.system_shutdown`: the client shuts down.
    SystemShutdown,
    /// Another URI.
    Other(Uri),
}

/// Counts of what a session has seen, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Answers to requests that nobody waits for (any more).
    pub unknown_answers: u64,
    /// EVENTs of subscriptions that are unknown (by now).
    pub unknown_events: u64,
    /// EVENTs that were dropped because nobody took the ones before, or because the topic in their details is no URI.
    pub dropped_events: u64,
    /// EVENTs that were dropped because their payload is sealed in a way that the session does not take: payload passthru mode is switched
    /// off, or they come in the mode before it. Those that a client's codec cannot open count at their
    /// subscription instead.
    pub undecodable_events: u64,
    /// Progressive results that were dropped because nobody took what came before.
    pub dropped_progress: u64,
    /// INVOCATIONs that were refused over the limit.
    pub refused_invocations: u64,
    /// Publications without acknowledgement that were accepted and are known to be lost.
    pub lost_publishes: u64,
}
