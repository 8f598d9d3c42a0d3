//! A WAMP v2 client for tokio.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use loowy_tokio::Config;
//!
//! let client = loowy_tokio::connect(Config::new("ws://127.0.0.1:8080/ws", "realm1")).await?;
//!
//! let mut ticks = client.subscribe("com.example.tick").await?;
//! client.publish("com.example.chat", ("hello", 42)).await?;
//! let sum: i64 = client.call("com.example.add2", (2, 3)).await?.arg(0)?;
//! let guard = client.register_fn("com.example.mul", |(a, b): (i64, i64)| async move { Ok(a * b) }).await?;
//! while let Some(event) = ticks.next().await {
//!     let (symbol, price): (String, f64) = event.args()?;
//!     println!("{symbol}: {price}");
//! }
//! client.close().await?;
//! # drop((sum, guard));
//! # Ok(())
//! # }
//! ```
//!
//! [`connect`] makes a [`Client`]: a cheap handle that can be cloned and used from anywhere. A task of its own moves the
//! messages; nothing has to be polled for it. [`Config`] holds the realm, the formats, the authentication, limits and timeouts.
//! This crate knows `ws://` so far.
//!
//! **Cancel safety.** Every future is lazy: nothing is sent before it is polled. What dropping it later means is said at each:
//! a call is cancelled, a subscription or registration is withdrawn, the streams' `next` loses nothing.
//!
//! **Drop.** Dropping a [`Subscription`] or [`SubscriptionGuard`] unsubscribes, dropping a [`Registration`] or [`RegistrationGuard`] unregisters, dropping an
//! unanswered [`Invocation`] answers it with an error. When the last client, subscription, registration and future is gone, the session
//! closes.
//!
//! **Order.** The order on the wire is that of the first polls. Events of one subscription come in order, to handlers as well; invocations run beside each
//! other.
//!
//! **Threads.** All handles are `Send`, and [`Client`] is `Sync`. Handlers run as tasks of the runtime in which `connect` was called, never
//! in the task that reads, so a slow handler stops nothing but itself. One that blocks its thread blocks a worker of the runtime, as
//! any task does: use `tokio::task::spawn_blocking`. Handles can be used outside of the runtime.
//!
//! **Lost connections** are made again ([`ReconnectPolicy`]): subscriptions and registrations go on in the next session, requests under way
//! fail and are never sent twice, and [`connection_events`](Client::connection_events) tells of it.
//!
//! **Features.** `json`, `msgpack` and `cbor` are the formats and `cra` is WAMP-CRA, all by default. `router` adds a server for the
//! embedded router. `tracing` tells the crate of that name what clients do: what is joined, left and closed, and each decision, under
//! the target `wamp_session::client`, and each frame, without its content, under `wamp_session::wire` at the level trace.

mod connector;
mod counted;
#[cfg(feature = "router")]
pub mod router;

pub use wamp_session::client::{
    Call, CallInput, CallProgressive, CallResult, CallStreaming, Cancelled, Canceller, Client, Close, ConnectionEvent,
    ConnectionEvents, Event, FinishCall, FinishInput, FromEvent, FromInvocation, HandlerError, HandlerFailure, Input,
    Inputs, IntoUri, Invocation, LiveConfig, Meta, MetaCall, MetaError, MetaEvents, MetaSubscribe, NextConnectionEvent,
    NextEvent, NextInput, NextInvocation, NextMetaEvent, NextPart, OngoingInvocation, Overflow, ProgressiveCall,
    Publish, PublishAcked, Queue, Register, RegisterFn, Registration, RegistrationEnd, RegistrationGuard, SendInput,
    SendProgress, Subscribe, SubscribeFn, Subscription, SubscriptionEnd, SubscriptionGuard, Unregister, Unsubscribe,
    UnsubscribeAll, WhenJoined, WithDetails, WithInvocation,
};
pub use wamp_session::proto::Limits as MessageLimits;
pub use wamp_session::proto::{
    Args, ArgsKwargs, CancelMode, Challenge, Dict, EncodeError, EventDetails, Format, FromPayload, IntoPayload,
    InvalidUri, InvocationDetails, InvokePolicy, Kwargs, MatchPolicy, Payload, PayloadCheck, PayloadError,
    PublicationId, RegistrationId, ResultDetails, Role, SessionId, SubscriptionId, Uri, Value,
};
pub use wamp_session::{
    Attempt, AuthError, CallOptions, CloseCause, CommandError, Config, ConfigError, Decision, ErrorKind, Feature,
    InvocationEnd, Jitter, Joined, KeepAlive, Left, Limits, NotRestored, Offline, OfflinePolicy, ProtocolViolation,
    PublishOptions, ReconnectPolicy, RegisterOptions, RequestError, Stats, Status, SubscribeOptions, TransportError,
    TransportErrorKind, WampError, auth, meta, passthru,
};

pub use crate::connector::{Connect, Connector, connect};

#[cfg(doctest)]
mod book {
    //! The README and the book's pages that have code, compiled with the tests.

    macro_rules! pages {
        ($($page:ident = $path:literal;)*) => {$(
            #[doc = include_str!(concat!("../../", $path))]
            struct $page;
        )*};
    }

    pages! {
        Readme = "README.md";
        GettingStarted = "docs/getting-started.md";
        PublishSubscribe = "docs/publish-subscribe.md";
        Rpc = "docs/rpc.md";
        Authentication = "docs/authentication.md";
        Errors = "docs/errors.md";
        Surviving = "docs/surviving.md";
        Features = "docs/features.md";
        Logging = "docs/logging.md";
        ComingFromLoowy = "docs/coming-from-loowy.md";
    }

    #[cfg(feature = "router")]
    pages! {
        Testing = "docs/testing.md";
    }
}
