//! The meta API for clients: a method for each procedure and topic of [`meta`](crate::meta).

mod call;
mod events;

use wamp_proto::{IntoPayload, MatchPolicy, PayloadError, RegistrationId, SessionId, SubscriptionId};

pub use self::call::MetaCall;
pub use self::events::{MetaEvents, MetaSubscribe, NextMetaEvent};
use super::{Client, IntoUri};
use crate::meta::{
    self, History, HistoryFilter, Kill, Killed, RegistrationChange, RegistrationCreated, RegistrationDetails,
    Registrations, Request, SessionDetails, SessionLeft, SubscriptionChange, SubscriptionCreated, SubscriptionDetails,
    Subscriptions, Testament, TestamentScope, Topic,
};
use crate::{CallOptions, CommandError, RequestError};

/// The meta API of the router; see [`Client::meta`].
///
/// Each call is sent whether the router announces that part of the API or not, since routers have more than they announce;
/// one that lacks it answers `wamp.error.no_such_procedure`. [`Joined::announces`](crate::Joined::announces) tells beforehand.
///
/// The calls fail as any [call](Client::call) does, and with [`MetaError::Result`] if the result cannot be read; what stands under "Errors"
/// comes beside that, from the router. Nothing is sent before the futures are polled.
#[derive(Clone, Debug)]
pub struct Meta {
    client: Client,
    options: CallOptions,
}

/// Why a call of the meta API failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// The router answered with an error, or there was no answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The router's result has none of the shapes that are known.
    #[error("the result of the meta procedure cannot be read")]
    Result(#[source] PayloadError),
}

impl Client {
    /// The meta API of the router: its sessions, registrations and subscriptions, testaments, event history.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let meta = client.meta();
    /// let mut leaving = meta.on_leave().await?;
    /// for session in meta.sessions().await? {
    ///     println!("{:?}", meta.session(session).await?);
    /// }
    /// while let Some(left) = leaving.next().await {
    ///     println!("{} has left", left?.session);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn meta(&self) -> Meta {
        Meta { client: self.clone(), options: CallOptions::new() }
    }
}

impl Meta {
    /// Sets the options of the calls that follow, such as their timeout; subscriptions have none.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use wamp_session::CallOptions;
    ///
    /// let meta = client.meta().options(CallOptions::new().timeout(Duration::from_secs(3)));
    /// println!("{} sessions", meta.session_count().await?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Sends a request that was made by a function of [`meta`](crate::meta).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::meta;
    ///
    /// let count = client.meta().call(meta::session_count()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`MetaError`] as all the calls here.
    pub fn call<R>(&self, request: Request<R>) -> MetaCall<R> {
        self.call_for(Ok(request))
    }

    fn call_for<R>(&self, request: Result<Request<R>, CommandError>) -> MetaCall<R> {
        MetaCall::new(self.clone(), request)
    }

    /// Subscribes to a topic of [`meta`](crate::meta).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::meta;
    ///
    /// let mut joining = client.meta().subscribe(meta::ON_JOIN).await?;
    /// while let Some(joined) = joining.next().await {
    ///     println!("{} has joined", joined?.session);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`] as [`Client::subscribe`].
    pub fn subscribe<E>(&self, topic: Topic<E>) -> MetaSubscribe<E> {
        MetaSubscribe::new(self.client.subscribe(topic.topic()), topic)
    }

    /// How many sessions there are in the realm (`wamp.session.count`).
    pub fn session_count(&self) -> MetaCall<u64> {
        self.call(meta::session_count())
    }

    /// How many sessions there are in the realm with one of these authroles (`wamp.session.count`).
    pub fn session_count_of<'a>(&self, authroles: impl IntoIterator<Item = &'a str>) -> MetaCall<u64> {
        self.call(meta::session_count_of(authroles))
    }

    /// The sessions of the realm (`wamp.session.list`).
    pub fn sessions(&self) -> MetaCall<Vec<SessionId>> {
        self.call(meta::sessions())
    }

    /// The sessions of the realm with one of these authroles (`wamp.session.list`).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// for session in client.meta().sessions_of(["backend", "admin"]).await? {
    ///     println!("{session}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn sessions_of<'a>(&self, authroles: impl IntoIterator<Item = &'a str>) -> MetaCall<Vec<SessionId>> {
        self.call(meta::sessions_of(authroles))
    }

    /// The details of a session (`wamp.session.get`).
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_session` if there is none.
    pub fn session(&self, session: SessionId) -> MetaCall<SessionDetails> {
        self.call(meta::session(session))
    }

    /// Ends another session (`wamp.session.kill`).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::meta::Kill;
    ///
    /// let killed = client.meta().kill_by_authid("mallory", Kill::new().message("you know why")).await?;
    /// println!("ended {} sessions", killed.count);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_session` if there is none, or it is the caller's own; `wamp.error.invalid_uri` for a reason that the
    /// router does not take.
    pub fn kill_session(&self, session: SessionId, kill: Kill) -> MetaCall<()> {
        self.call(meta::kill_session(session, &kill))
    }

    /// Ends the sessions with an authid (`wamp.session.kill_by_authid`), by the specification except this one.
    ///
    /// # Errors
    ///
    /// `wamp.error.invalid_uri` for a reason that the router does not take.
    pub fn kill_by_authid(&self, authid: &str, kill: Kill) -> MetaCall<Killed> {
        self.call(meta::kill_by_authid(authid, &kill))
    }

    /// Ends the sessions with an authrole (`wamp.session.kill_by_authrole`), by the specification except this one.
    ///
    /// # Errors
    ///
    /// As [`kill_by_authid`](Self::kill_by_authid).
    pub fn kill_by_authrole(&self, authrole: &str, kill: Kill) -> MetaCall<Killed> {
        self.call(meta::kill_by_authrole(authrole, &kill))
    }

    /// Ends all sessions of the realm but this one (`wamp.session.kill_all`).
    ///
    /// By the specification their end is not told, and their testaments are not published.
    ///
    /// # Errors
    ///
    /// As [`kill_by_authid`](Self::kill_by_authid).
    pub fn kill_all(&self, kill: Kill) -> MetaCall<Killed> {
        self.call(meta::kill_all(&kill))
    }

    /// A stream of the sessions that join the realm (`wamp.session.on_join`).
    pub fn on_join(&self) -> MetaSubscribe<SessionDetails> {
        self.subscribe(meta::ON_JOIN)
    }

    /// A stream of the sessions that leave the realm (`wamp.session.on_leave`).
    pub fn on_leave(&self) -> MetaSubscribe<SessionLeft> {
        self.subscribe(meta::ON_LEAVE)
    }

    /// The registrations of the realm (`wamp.registration.list`).
    pub fn registrations(&self) -> MetaCall<Registrations> {
        self.call(meta::registrations())
    }

    /// The registration that was made with this procedure or pattern and policy (`wamp.registration.lookup`).
    pub fn lookup_registration(
        &self,
        procedure: impl IntoUri,
        policy: MatchPolicy,
    ) -> MetaCall<Option<RegistrationId>> {
        let procedure = procedure.into_pattern(policy).map_err(CommandError::InvalidUri);
        self.call_for(procedure.map(|procedure| meta::lookup_registration(&procedure, policy)))
    }

    /// The registration that a call of a procedure goes to (`wamp.registration.match`).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let meta = client.meta();
    /// if let Some(id) = meta.match_registration("com.example.add2").await? {
    ///     let details = meta.registration(id).await?;
    ///     println!("{:?} is served by {:?}", details.uri, meta.callees(id).await?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn match_registration(&self, procedure: impl IntoUri) -> MetaCall<Option<RegistrationId>> {
        let procedure = procedure.into_uri().map_err(CommandError::InvalidUri);
        self.call_for(procedure.map(|procedure| meta::match_registration(&procedure)))
    }

    /// The details of a registration (`wamp.registration.get`).
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_registration` if there is none.
    pub fn registration(&self, registration: RegistrationId) -> MetaCall<RegistrationDetails> {
        self.call(meta::registration(registration))
    }

    /// The sessions of a registration (`wamp.registration.list_callees`).
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_registration` if there is none.
    pub fn callees(&self, registration: RegistrationId) -> MetaCall<Vec<SessionId>> {
        self.call(meta::callees(registration))
    }

    /// How many sessions a registration has (`wamp.registration.count_callees`).
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_registration` if there is none.
    pub fn callee_count(&self, registration: RegistrationId) -> MetaCall<u64> {
        self.call(meta::callee_count(registration))
    }

    /// A stream of registrations that are made (`wamp.registration.on_create`).
    pub fn on_registration_create(&self) -> MetaSubscribe<RegistrationCreated> {
        self.subscribe(meta::ON_REGISTRATION_CREATE)
    }

    /// A stream of sessions that are added to registrations (`wamp.registration.on_register`).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut registering = client.meta().on_register().await?;
    /// while let Some(change) = registering.next().await {
    ///     let change = change?;
    ///     println!("{:?} serves {}", change.session, change.registration);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_register(&self) -> MetaSubscribe<RegistrationChange> {
        self.subscribe(meta::ON_REGISTER)
    }

    /// A stream of sessions that are removed from registrations (`wamp.registration.on_unregister`).
    pub fn on_unregister(&self) -> MetaSubscribe<RegistrationChange> {
        self.subscribe(meta::ON_UNREGISTER)
    }

    /// A stream of registrations that end (`wamp.registration.on_delete`).
    pub fn on_registration_delete(&self) -> MetaSubscribe<RegistrationChange> {
        self.subscribe(meta::ON_REGISTRATION_DELETE)
    }

    /// The subscriptions of the realm (`wamp.subscription.list`).
    pub fn subscriptions(&self) -> MetaCall<Subscriptions> {
        self.call(meta::subscriptions())
    }

    /// The subscription that was made to this topic or pattern with this policy (`wamp.subscription.lookup`).
    pub fn lookup_subscription(&self, topic: impl IntoUri, policy: MatchPolicy) -> MetaCall<Option<SubscriptionId>> {
        let topic = topic.into_pattern(policy).map_err(CommandError::InvalidUri);
        self.call_for(topic.map(|topic| meta::lookup_subscription(&topic, policy)))
    }

    /// All subscriptions that get the events of a topic (`wamp.subscription.match`).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let meta = client.meta();
    /// for id in meta.match_subscriptions("com.example.tick").await? {
    ///     println!("{:?} has {} subscribers", meta.subscription(id).await?.uri, meta.subscriber_count(id).await?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn match_subscriptions(&self, topic: impl IntoUri) -> MetaCall<Vec<SubscriptionId>> {
        let topic = topic.into_uri().map_err(CommandError::InvalidUri);
        self.call_for(topic.map(|topic| meta::match_subscriptions(&topic)))
    }

    /// The details of a subscription (`wamp.subscription.get`).
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_subscription` if there is none.
    pub fn subscription(&self, subscription: SubscriptionId) -> MetaCall<SubscriptionDetails> {
        self.call(meta::subscription(subscription))
    }

    /// The sessions of a subscription (`wamp.subscription.list_subscribers`).
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_subscription` if there is none.
    pub fn subscribers(&self, subscription: SubscriptionId) -> MetaCall<Vec<SessionId>> {
        self.call(meta::subscribers(subscription))
    }

    /// How many sessions a subscription has (`wamp.subscription.count_subscribers`).
    ///
    /// If there is no such procedure, it is called by the misspelt name that nexus has for it.
    ///
    /// # Errors
    ///
    /// `wamp.error.no_such_subscription` if there is none.
    pub fn subscriber_count(&self, subscription: SubscriptionId) -> MetaCall<u64> {
        self.call(meta::subscriber_count(subscription))
    }

    /// A stream of subscriptions that are made (`wamp.subscription.on_create`).
    pub fn on_subscription_create(&self) -> MetaSubscribe<SubscriptionCreated> {
        self.subscribe(meta::ON_SUBSCRIPTION_CREATE)
    }

    /// A stream of sessions that are added to subscriptions (`wamp.subscription.on_subscribe`).
    pub fn on_subscribe(&self) -> MetaSubscribe<SubscriptionChange> {
        self.subscribe(meta::ON_SUBSCRIBE)
    }

    /// A stream of sessions that are removed from subscriptions (`wamp.subscription.on_unsubscribe`).
    pub fn on_unsubscribe(&self) -> MetaSubscribe<SubscriptionChange> {
        self.subscribe(meta::ON_UNSUBSCRIBE)
    }

    /// A stream of subscriptions that end (`wamp.subscription.on_delete`).
    pub fn on_subscription_delete(&self) -> MetaSubscribe<SubscriptionChange> {
        self.subscribe(meta::ON_SUBSCRIPTION_DELETE)
    }

    /// The events of a subscription that the router has kept (`wamp.subscription.get_events`).
    ///
    /// After an outage it tells what was missed, which no session brings back by itself:
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client, last: wamp_session::proto::PublicationId)
    /// #     -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::meta::HistoryFilter;
    /// use wamp_session::proto::MatchPolicy;
    ///
    /// let meta = client.meta();
    /// if let Some(id) = meta.lookup_subscription("com.example.price", MatchPolicy::Exact).await? {
    ///     for event in meta.get_events(id, HistoryFilter::new().after_publication(last)).await?.events {
    ///         let (product, price): (String, f64) = event.args()?;
    ///         println!("{product}: {price}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `wamp.error.not_authorized`, `wamp.error.no_such_subscription`; of Crossbar.io `wamp.error.history_unavailable`.
    pub fn get_events(&self, subscription: SubscriptionId, filter: HistoryFilter) -> MetaCall<History> {
        self.call(meta::get_events(subscription, &filter))
    }

    /// Has the router publish an event when this session is over (`wamp.session.add_testament`).
    ///
    /// It belongs to the session, not to the client: after a lost connection the router publishes it, and the next session has
    /// none until it is added again.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.meta().add_testament("com.example.left", ("alice", "rests in peace")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Encode`] if the payload cannot be encoded; what the router has against the topic or the options.
    pub fn add_testament(&self, topic: impl IntoUri, payload: impl IntoPayload) -> MetaCall<()> {
        self.add_testament_with(topic, payload, Testament::new())
    }

    /// Has the router publish an event when this session is over, with options.
    ///
    /// If they say so ([`PublishOptions::passthru`](crate::PublishOptions::passthru)), the payload is sealed now.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::PublishOptions;
    /// use wamp_session::meta::Testament;
    ///
    /// let retained = Testament::new().options(PublishOptions::new().retain());
    /// client.meta().add_testament_with("com.example.state.alice", "offline", retained).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`add_testament`](Self::add_testament), and [`CommandError::Passthru`] if the payload cannot be sealed.
    pub fn add_testament_with(
        &self,
        topic: impl IntoUri,
        payload: impl IntoPayload,
        mut testament: Testament,
    ) -> MetaCall<()> {
        let shared = &self.client.0.shared;
        let format = shared.format();
        let topic = topic.into_uri().map_err(CommandError::InvalidUri);
        let request = topic.and_then(|topic| {
            let payload = shared.seal(&mut testament.options.wire, payload.into_payload(format)?)?;
            Ok(meta::add_testament(&topic, payload, &testament, format)?)
        });
        self.call_for(request)
    }

    /// Takes back the testaments of this session, of one scope (`wamp.session.flush_testaments`).
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wamp_session::meta::TestamentScope;
    ///
    /// // The session is about to end as it should.
    /// client.meta().flush_testaments(TestamentScope::Destroyed).await?;
    /// client.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn flush_testaments(&self, scope: TestamentScope) -> MetaCall<()> {
        self.call(meta::flush_testaments(scope))
    }
}
