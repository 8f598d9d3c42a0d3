//! Runtime-neutral handles of a session, and their driver: what the adapters share.
//!
//! An adapter such as `loowy-tokio` implements [`Adapter`] (open a transport, sleep, spawn, tell the time), calls [`start`], and
//! spawns the [`Driver`]. A driver that blocks uses a [`Link`] ([`start_linked`]).
//!
//! **Threads.** All handles are `Send`, and [`Client`] is `Sync`; they lock one mutex for as long as the session takes to accept a
//! command, and never while they wait or run somebody else's code. Handlers and authenticators run in tasks of their own.
//!
//! **Order.** Request ids and the order on the wire are those of the first polls. Events of one subscription come in the order
//! of the wire, and so do invocations; handlers are called in that order and then run beside each other.
//!
//! **Lifetime.** Clients, subscriptions, registrations and futures that have not ended keep the client alive. When the last one is
//! dropped, the session says GOODBYE.
//!
//! **A lost connection** is made again, when the configuration's policy says so
//! ([`Config::reconnect`](crate::Config::reconnect)). What is under way fails with
//! [`RequestError::Disconnected`](crate::RequestError::Disconnected) and is never sent twice; what is asked for meanwhile waits, within its
//! timeout. Subscriptions and registrations go on in the next session, with their options; [`ConnectionEvents`] tells of it, and when
//! it is time to catch up. When the policy gives up, the client is closed.
//!
//! **Tracing.** With the feature `tracing`, clients tell the crate of that name what they do; without it, they have no cost of it. The
//! target `wamp_session::client` has what is joined, left and closed (info), that the router broke the protocol (warn), and each
//! decision (debug): deadlines, attempts to join, what is settled without an answer, ignored, dropped or not restored.
//! `wamp_session::wire` has each frame (trace): its transport, direction, message type, request id, size and format. All lies in the span
//! `client` with the realm, and while it is joined in its span `session` with the session's id. Payloads, topics, procedures, tickets,
//! signatures and URLs are never among the fields. The subscriber is called under no lock. The book's page "What is logged" has every
//! message and field.

mod auth;
mod backlog;
mod callee;
mod caller;
mod config;
mod connection;
mod contained;
mod dispatch;
mod driver;
#[cfg(all(test, feature = "json"))]
mod dropping;
mod event;
mod handler;
mod inputs;
mod into_uri;
mod invocation;
mod link;
mod listener;
#[cfg(all(test, feature = "json"))]
mod locked;
mod meta;
mod passthru;
mod progressive;
mod publisher;
mod queue;
mod runtime;
mod shared;
mod subscriber;
#[cfg(all(test, feature = "json"))]
mod tables;
mod trace;
mod work;
#[cfg(all(test, feature = "json"))]
mod world;

use core::fmt;
use core::future::Future;
use std::sync::Arc;

use wamp_proto::{IntoPayload, Uri};

pub use self::backlog::SubscriptionEnd;
pub use self::callee::{
    NextInvocation, Register, RegisterFn, Registration, RegistrationEnd, RegistrationGuard, Unregister,
};
pub use self::caller::{Call, CallResult, Canceller};
pub use self::config::LiveConfig;
pub use self::connection::{Close, ConnectionEvent, ConnectionEvents, NextConnectionEvent, WhenJoined};
pub use self::driver::Driver;
pub use self::event::{Event, FromEvent};
pub(crate) use self::handler::HandlerErrorHook;
use self::handler::Serve;
pub use self::handler::{FromInvocation, HandlerError, HandlerFailure, WithDetails, WithInvocation};
pub use self::inputs::{Input, Inputs, NextInput};
pub use self::into_uri::IntoUri;
pub use self::invocation::{Cancelled, Invocation, OngoingInvocation, SendProgress};
pub use self::link::{Link, Turn};
pub use self::listener::{SubscribeFn, SubscriptionGuard};
pub use self::meta::{Meta, MetaCall, MetaError, MetaEvents, MetaSubscribe, NextMetaEvent};
pub use self::progressive::{
    CallInput, CallProgressive, CallStreaming, FinishCall, FinishInput, NextPart, ProgressiveCall, SendInput,
};
pub use self::publisher::{Publish, PublishAcked};
pub use self::queue::{Overflow, Queue};
pub use self::runtime::{Adapter, Opening, Received, Runtime, Socket, Task};
use self::shared::Shared;
pub use self::subscriber::{NextEvent, Subscribe, Subscription, Unsubscribe, UnsubscribeAll};
use crate::passthru::Attributes;
use crate::{CallOptions, CommandError, Config, Joined, RegisterOptions, Session, Stats, Status};

/// Makes a client that is connecting, and its driver.
///
/// The driver has to be spawned; nothing happens before it runs. Random seeds are the adapter's to set
/// ([`Config::default_seed`]).
///
/// ```
/// use wamp_session::Config;
/// use wamp_session::client::{Adapter, Client, Runtime, start};
///
/// fn connect<A: Adapter + Clone>(adapter: A, seed: u64, config: Config) -> Client {
///     let (client, driver) = start(config.default_seed(seed), adapter.clone());
///     adapter.spawn(Box::pin(driver));
///     client
/// }
/// ```
pub fn start<A: Adapter>(config: Config, adapter: A) -> (Client, Driver<A>) {
    let adapter = Arc::new(adapter);
    let (client, link) = start_linked(config, Arc::clone(&adapter) as Arc<dyn Runtime>);
    (client, Driver::new(link, adapter))
}

/// Makes a client that is connecting, for a driver without futures: see [`Link`].
pub fn start_linked(config: Config, runtime: Arc<dyn Runtime>) -> (Client, Link) {
    let shared = Arc::new(Shared::new(Session::new(config), runtime));
    shared.command(|state, now, _| state.session.connect(now));
    let client = Client(Arc::new(Live { shared: Arc::clone(&shared) }));
    (client, Link::new(shared))
}

/// A handle of a session: subscribes, publishes, calls and registers.
///
/// Clones are cheap, and name the same session. Everything takes `&self`, and may be called from any thread and from inside
/// handlers. Futures are lazy: nothing is sent before they are polled.
///
/// Topics and procedures are given as text or as a [`Uri`]; payloads as anything that is [`IntoPayload`].
#[derive(Clone)]
pub struct Client(Arc<Live>);

/// A live handle; when the last one is dropped, the session closes.
pub(crate) struct Live {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.command(|state, now, _| state.abandon(now));
    }
}

impl Client {
    /// Calls a procedure, and waits for its result.
    ///
    /// It waits as long as the session lasts, unless there is a [call timeout](crate::Config::call_timeout). The result is not
    /// decoded before it is asked ([`CallResult`]). (WAMP Basic Profile, "Calling and Invocations".)
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::RequestError;
    ///
    /// match client.call("com.example.add2", (2, 3)).await {
    ///     Ok(result) => println!("{}", result.arg::<i64>(0)?),
    ///     Err(RequestError::Wamp(error)) => println!("the callee answered {}", error.uri()),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError::Wamp`](crate::RequestError::Wamp) if the callee or the router answered with an error, another
    /// [`RequestError`](crate::RequestError) if no answer came.
    pub fn call(&self, procedure: impl IntoUri, payload: impl IntoPayload) -> Call {
        self.call_with(procedure, payload, CallOptions::new())
    }

    /// Calls a procedure, with options.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use wamp_session::CallOptions;
    ///
    /// let options = CallOptions::new().timeout(Duration::from_secs(3)).disclose_me();
    /// let sum: i64 = client.call_with("com.example.add2", (2, 3), options).await?.arg(0)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_with(&self, procedure: impl IntoUri, payload: impl IntoPayload, mut options: CallOptions) -> Call {
        let request = self
            .prepare(procedure, payload, &mut options.wire)
            .map(|(procedure, payload)| (procedure, payload, options.without_more_input()));
        Call::new(self.live(), request)
    }

    /// Registers a procedure, whose invocations come as a stream.
    ///
    /// It waits for the router's answer, at most the request timeout. (WAMP Basic Profile, "Registering and Unregistering".)
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut calls = client.register("com.example.add2").await?;
    /// while let Some(call) = calls.next().await {
    ///     let (a, b): (i64, i64) = call.args()?;
    ///     call.reply(a + b)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`](crate::RequestError) if the router refused or did not answer in time, or the session ended.
    pub fn register(&self, procedure: impl IntoUri) -> Register {
        self.register_with(procedure, RegisterOptions::new())
    }

    /// Registers a procedure or a pattern with options, whose invocations come as a stream.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::RegisterOptions;
    /// use wamp_session::proto::MatchPolicy;
    ///
    /// let prefix = RegisterOptions::new().match_policy(MatchPolicy::Prefix);
    /// let mut calls = client.register_with("com.example.shop.", prefix).await?;
    /// while let Some(call) = calls.next().await {
    ///     let called = call.procedure().as_str().to_owned();
    ///     call.reply(called)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    pub fn register_with(&self, procedure: impl IntoUri, options: RegisterOptions) -> Register {
        let procedure = procedure.into_pattern(options.policy()).map_err(CommandError::InvalidUri);
        Register::new(self.live(), procedure.map(|procedure| (procedure, options)))
    }

    /// Registers a procedure that a handler serves, until the guard is dropped.
    ///
    /// The handler takes one argument that says what it wants of the invocation ([`FromInvocation`]): a tuple takes the Arguments,
    /// any other type the first of them, [`Kwargs`](wamp_proto::Kwargs) the ArgumentsKw. If they do not fit, the caller gets
    /// `wamp.error.invalid_argument` and the handler is not called. What it returns becomes the result. An error becomes an ERROR
    /// ([`HandlerError`]), a panic `wamp.error.runtime_error`.
    ///
    /// The handler is called for each invocation in turn; what it returns runs in a task of its own, beside the others. It is
    /// dropped when the call is cancelled, its time is over, or the session ends; the caller gets `wamp.error.canceled` if the dealer waits
    /// for an answer. At most 1,024 run beside each other ([`RegisterOptions::parallel`]); then up to 1,024 invocations of
    /// 16 MiB wait ([`RegisterOptions::queue`]), and more are answered with `wamp.error.unavailable`.
    ///
    /// Errors that the caller does not see, and panics, are told to the configuration's hook ([`Config::on_handler_error`]).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let guard = client.register_fn("com.example.mul", |(a, b): (i64, i64)| async move { Ok(a * b) }).await?;
    /// // It serves calls until then.
    /// guard.unregister().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    pub fn register_fn<A, F, Fut, R>(&self, procedure: impl IntoUri, handler: F) -> RegisterFn
    where
        A: FromInvocation,
        F: FnMut(A) -> Fut + Send + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
        R: IntoPayload,
    {
        self.register_fn_with(procedure, RegisterOptions::new(), handler)
    }

    /// Registers a procedure or a pattern that a handler serves, with options.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::RegisterOptions;
    /// use wamp_session::client::WithDetails;
    /// use wamp_session::proto::MatchPolicy;
    ///
    /// let wildcard = RegisterOptions::new().match_policy(MatchPolicy::Wildcard);
    /// let handler = |call: WithDetails<()>| async move { Ok(call.procedure.as_str().to_owned()) };
    /// let guard = client.register_fn_with("com.example..name", wildcard, handler).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    pub fn register_fn_with<A, F, Fut, R>(
        &self,
        procedure: impl IntoUri,
        options: RegisterOptions,
        handler: F,
    ) -> RegisterFn
    where
        A: FromInvocation,
        F: FnMut(A) -> Fut + Send + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
        R: IntoPayload,
    {
        let procedure = procedure.into_pattern(options.policy()).map_err(CommandError::InvalidUri);
        RegisterFn::new(self.live(), procedure.map(|procedure| (procedure, options)), Serve::new(handler))
    }

    /// Where the session stands.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::Status;
    ///
    /// if let Status::Waiting { left, .. } = client.status() {
    ///     println!("lost ({}); attempt {} follows", left.cause, left.attempt);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.shared.look(|state, _| state.session.status())
    }

    /// The session that is joined: its id, what the router said of itself and of the client; `None` while there is none.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::Feature;
    ///
    /// if let Some(joined) = client.session() {
    ///     println!("session {}, testaments: {}", joined.session, joined.announces(Feature::TestamentMetaApi));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> Option<Arc<Joined>> {
        match self.status() {
            Status::Joined(joined) => Some(joined),
            _ => None,
        }
    }

    /// The configuration, of which the reconnect policy, the call timeout and the authenticators can be replaced while the client lives.
    ///
    /// ```no_run
    /// # fn run(client: &wamp_session::client::Client, ticket: &str) -> Result<(), wamp_session::ConfigError> {
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use wamp_session::auth;
    ///
    /// client.config().set_call_timeout(Duration::from_secs(3));
    /// client.config().set_authenticators([Arc::new(auth::Ticket::new("joe", ticket)) as _])?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn config(&self) -> LiveConfig<'_> {
        LiveConfig::new(self)
    }

    /// What the session has counted since the client was made, in all sessions.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} publications were lost", client.stats().lost_publishes);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.shared.look(|state, _| state.session.stats())
    }

    /// Makes the next attempt to join now, if the client waits for it: the network is back, say.
    ///
    /// A client that is joined, connecting or closed is left alone.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.reconnect_now();
    /// client.joined().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reconnect_now(&self) {
        self.0.shared.command(|state, now, _| state.session.reconnect_now(now));
    }

    /// Finds out whether the router still lives, if the session is joined: the network has changed, say.
    ///
    /// A ping goes out now. If nothing comes within the [keep-alive's timeout](crate::KeepAlive::timeout), 10 s if it is switched off, the
    /// session is lost.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.probe();
    /// # Ok(())
    /// # }
    /// ```
    pub fn probe(&self) {
        self.0.shared.command(|state, now, _| state.session.probe(now));
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.0)
    }

    /// Encodes outside the lock, in the format that the session probably has when it is sent.
    fn prepare(
        &self,
        uri: impl IntoUri,
        payload: impl IntoPayload,
        options: &mut impl Attributes,
    ) -> Result<(Uri, wamp_proto::Payload), CommandError> {
        let uri = uri.into_uri()?;
        let payload = payload.into_payload(self.0.shared.format())?;
        Ok((uri, self.0.shared.seal(options, payload)?))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("status", &self.status()).finish_non_exhaustive()
    }
}
