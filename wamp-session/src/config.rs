//! What a session is made of.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use wamp_proto::{Dict, Format, PayloadCheck, Role, Uri, Value};

use crate::auth::Authenticator;
use crate::options::own_key;
use crate::passthru::{Codecs, PassthruCodec};
use crate::{ConfigError, Feature, KeepAlive, Limits, Offline, ReconnectPolicy};

/// The configuration of a session.
///
/// ```
/// # use std::time::Duration;
/// # use wamp_session::{auth, Config};
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1")
///     .authenticator(auth::Ticket::new("joe", "secret!!!"))
///     .call_timeout(Duration::from_secs(10));
/// config.check()?;
/// # Ok::<(), wamp_session::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Config {
    pub(crate) urls: Vec<Arc<str>>,
    pub(crate) realm: Arc<str>,
    pub(crate) roles: Vec<Role>,
    /// The codecs of payload passthru mode.
    pub(crate) codecs: Codecs,
    /// The features that are switched off.
    pub(crate) disabled: Vec<Feature>,
    pub(crate) agent: Option<Arc<str>>,
    /// Attributes of HELLO that are the application's own.
    pub(crate) hello: Dict,
    pub(crate) formats: Vec<Format>,
    pub(crate) authenticators: Vec<Arc<dyn Authenticator>>,
    pub(crate) payload_check: PayloadCheck,
    pub(crate) limits: Limits,
    pub(crate) connect_timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) reconnect: ReconnectPolicy,
    pub(crate) retry_initial_connect: bool,
    pub(crate) offline: Offline,
    pub(crate) seed: Option<u64>,
    pub(crate) keep_alive: Option<KeepAlive>,
    #[cfg(feature = "client")]
    pub(crate) on_handler_error: Option<crate::client::HandlerErrorHook>,
}

impl Config {
    /// Makes the configuration of an anonymous session, in all four roles, with the default limits and timeouts.
    ///
    /// Nothing is checked before [`check`](Self::check), or the connection.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1");
    /// assert_eq!(&*config.urls()[0], "ws://127.0.0.1:8080/ws");
    /// config.check()?;
    /// # Ok::<(), wamp_session::ConfigError>(())
    /// ```
    pub fn new(url: impl Into<Arc<str>>, realm: impl Into<Arc<str>>) -> Self {
        Self {
            urls: vec![url.into()],
            realm: realm.into(),
            roles: vec![Role::Caller, Role::Callee, Role::Publisher, Role::Subscriber],
            codecs: Codecs::new(),
            disabled: Vec::new(),
            agent: Some(concat!("loowy-", env!("CARGO_PKG_VERSION")).into()),
            hello: Dict::new(),
            formats: Format::ALL.to_vec(),
            authenticators: Vec::new(),
            payload_check: PayloadCheck::OnReceipt,
            limits: Limits::new(),
            connect_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            call_timeout: None,
            reconnect: ReconnectPolicy::new(),
            retry_initial_connect: false,
            offline: Offline::new(),
            seed: None,
            keep_alive: Some(KeepAlive::new()),
            #[cfg(feature = "client")]
            on_handler_error: None,
        }
    }

    /// Sets the session's roles; those of routers are left out.
    ///
    /// Only messages of these roles are sent and accepted.
    ///
    /// ```
    /// # use wamp_session::{Config, proto::Role};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").roles([Role::Caller, Role::Subscriber]);
    /// ```
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = roles.into_iter().filter(|role| !matches!(role, Role::Broker | Role::Dealer)).collect();
        self.roles.sort_unstable();
        self.roles.dedup();
        self
    }

    /// Sets how the client names its software to the router (`agent`), `None` for not at all.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").agent("shop-backend 1.3");
    /// ```
    #[must_use]
    pub fn agent<'a>(mut self, agent: impl Into<Option<&'a str>>) -> Self {
        self.agent = agent.into().map(Into::into);
        self
    }

    /// Adds an attribute of one's own to the Details of HELLO.
    ///
    /// The key is of one of the forms `_abc` and `x_abc`, lower case, digits and underscores; any other is found by [`check`](Self::check).
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").hello_detail("_build", 4711);
    /// ```
    #[must_use]
    pub fn hello_detail(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.hello.insert(key.into(), value);
        self
    }

    /// Sets the formats to offer, the preferred one first.
    ///
    /// By default all that are compiled in: JSON, MessagePack, CBOR.
    ///
    /// ```
    /// # use wamp_session::{Config, proto::Format};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").formats([Format::ALL[0]]);
    /// ```
    #[must_use]
    pub fn formats(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        self.formats.clear();
        for format in formats {
            if !self.formats.contains(&format) {
                self.formats.push(format);
            }
        }
        self
    }

    /// Adds a way to authenticate; the one added first is preferred. Without any the session is anonymous.
    ///
    /// ```
    /// # use wamp_session::{Config, auth};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1")
    ///     .authenticator(auth::Ticket::new("joe", "secret!!!"))
    ///     .authenticator(auth::Anonymous);
    /// ```
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.authenticators.push(Arc::new(authenticator));
        self
    }

    /// Adds a codec of payload passthru mode, for a scheme: what clients send and receive in it is sealed and opened by it.
    ///
    /// ```
    /// # use wamp_session::{Config, passthru::Plain};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").passthru_codec("x_plain", Plain);
    /// ```
    #[must_use]
    pub fn passthru_codec(mut self, scheme: impl Into<Arc<str>>, codec: impl PassthruCodec + 'static) -> Self {
        self.codecs = self.codecs.with(scheme, codec);
        self
    }

    /// Sets when received payloads are checked: on receipt by default, where a malformed one ends the session.
    ///
    /// With [`PayloadCheck::OnDecode`] receipt costs the same at any size, and what is malformed is an error of whoever looks at the payload.
    ///
    /// ```
    /// # use wamp_session::{Config, proto::PayloadCheck};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").payload_check(PayloadCheck::OnDecode);
    /// ```
    #[must_use]
    pub fn payload_check(mut self, check: PayloadCheck) -> Self {
        self.payload_check = check;
        self
    }

    /// Sets the limits of messages, of what is under way and of what waits.
    ///
    /// ```
    /// # use wamp_session::{Config, Limits};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").limits(Limits::new().max_requests(10_000));
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long connecting may take, from opening the transport to WELCOME: 10 s by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").connect_timeout(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long closing may take, from GOODBYE to the end of the transport: 5 s by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").close_timeout(Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Sets how long requests other than calls wait, for a join and for their answer: 10 s by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").request_timeout(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets how long calls wait for their result; without it, and with zero, they wait as long as the session lasts.
    ///
    /// A call made while the session is not joined waits at most the request timeout for a join.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").call_timeout(Duration::from_secs(30));
    /// ```
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// Adds the URL of another router of the same realm.
    ///
    /// Each attempt that fails passes on to the next URL, in turn; a session that was joined and is lost is first joined again where it was.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").or_url("ws://127.0.0.1:8081/ws");
    /// ```
    #[must_use]
    pub fn or_url(mut self, url: impl Into<Arc<str>>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// Sets when a session that was lost is joined again: by default after 1 s, then twice as long each time up to 60 s, for ever.
    ///
    /// ```
    /// # use wamp_session::{Config, ReconnectPolicy};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").reconnect(ReconnectPolicy::never());
    /// ```
    #[must_use]
    pub fn reconnect(mut self, policy: ReconnectPolicy) -> Self {
        self.reconnect = policy;
        self
    }

    /// Sets whether the policy applies to the first join as well: by default it does not.
    ///
    /// Without that, a session that was never joined is closed when each of its URLs has been tried once.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").retry_initial_connect(true);
    /// ```
    #[must_use]
    pub fn retry_initial_connect(mut self, retry: bool) -> Self {
        self.retry_initial_connect = retry;
        self
    }

    /// Sets what happens to commands while the session is not joined.
    ///
    /// By default publications without acknowledgement fail at once, and everything else waits for a join, within its timeout.
    ///
    /// ```
    /// # use wamp_session::{Config, Offline, OfflinePolicy};
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").offline(Offline::new().publishes(OfflinePolicy::Wait));
    /// ```
    #[must_use]
    pub fn offline(mut self, offline: Offline) -> Self {
        self.offline = offline;
        self
    }

    /// Sets when a silent peer is pinged and counts as dead, `None` for never: by default after 20 s of silence, and 10 s later.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").keep_alive(None);
    /// ```
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: impl Into<Option<KeepAlive>>) -> Self {
        self.keep_alive = keep_alive.into();
        self
    }

    /// Sets what is called when a handler fails in a way that its caller is not to see.
    ///
    /// That is an error that is no [`WampError`](crate::WampError), a panic, arguments that do not fit, or a result that cannot be sent.
    ///
    /// It gets the procedure and the failure, and may say what the caller gets instead of `wamp.error.runtime_error`
    /// (`wamp.error.invalid_argument`, `wamp.error.invalid_payload`); when a result proves to be too large, or cannot be sealed, the caller has
    /// got its error already. It is called in the handler's task, where it must not block, and a panic in it is caught.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").on_handler_error(|procedure, failure| {
    ///     eprintln!("{procedure}: {failure:?}");
    ///     None
    /// });
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn on_handler_error(
        mut self,
        hook: impl Fn(&Uri, &crate::client::HandlerFailure) -> Option<crate::WampError> + Send + Sync + 'static,
    ) -> Self {
        self.on_handler_error = Some(Arc::new(hook));
        self
    }

    /// Sets the seed of the delays' jitter, 0 by default: sessions with the same seed have the same delays.
    ///
    /// The adapters draw one for each client that has none.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").seed(4711);
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the seed unless there is one.
    ///
    /// ```
    /// # use wamp_session::Config;
    /// // What an adapter does, with a number of the operating system's.
    /// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").seed(4711).default_seed(7);
    /// ```
    #[must_use]
    pub fn default_seed(mut self, seed: u64) -> Self {
        self.seed.get_or_insert(seed);
        self
    }

    /// Checks that the configuration can be used.
    ///
    /// ```
    /// # use wamp_session::{Config, ConfigError};
    /// let error = Config::new("ws://127.0.0.1:8080/ws", "no realm").check();
    /// assert!(matches!(error, Err(ConfigError::Realm(_))));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what cannot. A session made of such a configuration closes as soon as it is connected, or, if it is the
    /// authentication that cannot be used, when its transport is open.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_session()?;
        Self::check_authenticators(&self.authenticators)
    }

    /// The part of the check that asks the authenticators.
    pub(crate) fn check_authenticators(authenticators: &[Arc<dyn Authenticator>]) -> Result<(), ConfigError> {
        let mut known: Option<&str> = None;
        for authenticator in authenticators {
            match (authenticator.authid(), authenticator.method()) {
                (Some(""), method @ ("ticket" | "wampcra")) => return Err(ConfigError::NoAuthId(method.to_owned())),
                (None | Some(""), _) => {}
                (Some(authid), _) if known.is_some_and(|known| known != authid) => return Err(ConfigError::AuthIds),
                (Some(authid), _) => known = Some(authid),
            }
        }
        Ok(())
    }

    /// The part of the check that asks no authenticator: a session calls no code of its user.
    pub(crate) fn check_session(&self) -> Result<(), ConfigError> {
        Uri::new(Arc::clone(&self.realm)).map_err(ConfigError::Realm)?;
        if self.urls.is_empty() || self.urls.iter().any(|url| url.is_empty()) {
            return Err(ConfigError::NoUrl);
        }
        if self.formats.is_empty() {
            return Err(ConfigError::NoFormat);
        }
        if self.roles.is_empty() {
            return Err(ConfigError::NoRole);
        }
        if let Some((key, _)) = self.hello.iter().find(|(key, _)| own_key(key).is_err()) {
            return Err(ConfigError::HelloDetail(key.to_owned()));
        }
        if let Some(feature) = self.without_call_canceling() {
            return Err(ConfigError::NoCallCanceling(feature));
        }
        Ok(())
    }

    /// The URLs to connect to, in the order in which they are tried.
    #[must_use]
    pub fn urls(&self) -> &[Arc<str>] {
        &self.urls
    }

    /// The limits of one message.
    #[must_use]
    pub const fn message_limits(&self) -> &wamp_proto::Limits {
        &self.limits.message
    }

    /// The ways to authenticate, the preferred one first.
    #[must_use]
    pub fn authenticators(&self) -> &[Arc<dyn Authenticator>] {
        &self.authenticators
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("urls", &self.urls).field("realm", &self.realm).finish_non_exhaustive()
    }
}
