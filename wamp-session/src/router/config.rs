//! What a router is made of.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use wamp_proto::{Format, InvalidUri, Limits, MatchPolicy, Uri, UriRule};
use zeroize::Zeroizing;

use super::{Quirks, RoleConfig, User};

/// The configuration of a [`Router`](super::Router).
///
/// ```
/// # use std::time::Duration;
/// # use wamp_session::router::{RealmConfig, RouterConfig, User};
/// # let secret = [0; 32];
/// let config = RouterConfig::new(secret)
///     .realm(RealmConfig::new("realm1")?.anonymous("guest"))
///     .realm(RealmConfig::new("realm2")?.user(User::ticket("joe", "secret!!!").role("backend")))
///     .join_timeout(Duration::from_secs(5));
/// # Ok::<(), wamp_session::proto::InvalidUri>(())
/// ```
#[derive(Clone)]
pub struct RouterConfig {
    pub(super) secret: Zeroizing<[u8; 32]>,
    pub(super) seed: u64,
    pub(super) unix_time: Duration,
    pub(super) agent: Option<Arc<str>>,
    pub(super) formats: Vec<Format>,
    pub(super) realms: BTreeMap<Uri, RealmConfig>,
    pub(super) limits: RouterLimits,
    pub(super) quirks: Quirks,
    pub(super) join_timeout: Duration,
    pub(super) close_timeout: Duration,
}

impl RouterConfig {
    /// Makes the configuration of a router without realms.
    ///
    /// From the secret come session ids, publication ids and challenges, by a cryptographic generator. Fill it from the operating system;
    /// the same secret, [`seed`](Self::seed) and inputs give the same frames, which is what simulations want and attackers, too.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self {
            secret: Zeroizing::new(secret),
            seed: 0,
            unix_time: Duration::ZERO,
            agent: Some(concat!("loowy-", env!("CARGO_PKG_VERSION")).into()),
            formats: Format::ALL.to_vec(),
            realms: BTreeMap::new(),
            limits: RouterLimits::new(),
            quirks: Quirks::none(),
            join_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
        }
    }

    /// Sets the seed of choices that are no secret, 0 by default.
    ///
    /// They are which callee gets a call of a registration that is shared at random (`invoke` is `random`).
    ///
    /// ```
    /// # use wamp_session::router::RouterConfig;
    /// let config = RouterConfig::new([7; 32]).seed(4711);
    /// ```
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets what time it is at [`Time::ZERO`](crate::Time::ZERO), since 1970-01-01T00:00:00Z: challenges, histories and the meta API say it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::router::RouterConfig;
    /// let config = RouterConfig::new([7; 32]).unix_time(Duration::from_secs(1_767_225_600));
    /// ```
    #[must_use]
    pub fn unix_time(mut self, time: Duration) -> Self {
        self.unix_time = time;
        self
    }

    /// Sets how the router names its software (`agent`), `None` for not at all.
    ///
    /// ```
    /// # use wamp_session::router::RouterConfig;
    /// let config = RouterConfig::new([7; 32]).agent("arena 1.3");
    /// ```
    #[must_use]
    pub fn agent<'a>(mut self, agent: impl Into<Option<&'a str>>) -> Self {
        self.agent = agent.into().map(Into::into);
        self
    }

    /// Sets the formats that peers may choose from: by default all that are compiled in.
    ///
    /// ```
    /// # use wamp_session::proto::Format;
    /// # use wamp_session::router::RouterConfig;
    /// let config = RouterConfig::new([7; 32]).formats([Format::ALL[0]]);
    /// ```
    #[must_use]
    pub fn formats(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        self.formats = formats.into_iter().collect();
        self
    }

    /// Adds a realm, in place of one of the same name.
    ///
    /// ```
    /// # use wamp_session::router::{RealmConfig, RouterConfig};
    /// let config = RouterConfig::new([7; 32]).realm(RealmConfig::new("realm1")?.anonymous("guest"));
    /// # Ok::<(), wamp_session::proto::InvalidUri>(())
    /// ```
    #[must_use]
    pub fn realm(mut self, realm: RealmConfig) -> Self {
        self.realms.insert(realm.name.clone(), realm);
        self
    }

    /// Sets the limits.
    ///
    /// ```
    /// # use wamp_session::router::{RouterConfig, RouterLimits};
    /// let config = RouterConfig::new([7; 32]).limits(RouterLimits::new().max_peers(64));
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: RouterLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets where the router deviates from the specification: by default nowhere.
    ///
    /// ```
    /// # use wamp_session::router::{Quirks, RouterConfig};
    /// let config = RouterConfig::new([7; 32]).quirks(Quirks::crossbar());
    /// ```
    #[must_use]
    pub const fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Sets how long a peer may take from its opening to WELCOME: 10 s by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::router::RouterConfig;
    /// let config = RouterConfig::new([7; 32]).join_timeout(Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.join_timeout = timeout;
        self
    }

    /// Sets how long a peer may take to answer GOODBYE, and to take the last frames before it is closed: 5 s by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::router::RouterConfig;
    /// let config = RouterConfig::new([7; 32]).close_timeout(Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How long a peer may take to end: the close timeout.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.close_timeout
    }

    /// The limits of one message.
    #[must_use]
    pub const fn message_limits(&self) -> &Limits {
        &self.limits.message
    }
}

impl fmt::Debug for RouterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouterConfig").field("realms", &self.realms.keys()).finish_non_exhaustive()
    }
}

/// A realm of a router: a namespace of topics and procedures, and who may join it.
///
/// Who has joined may do everything in it, unless its role is [configured](Self::role).
///
/// ```
/// use wamp_session::proto::MatchPolicy;
/// use wamp_session::router::{Disclosure, Permission, RealmConfig, RoleConfig, User};
///
/// let guest = RoleConfig::new("guest").allow(Permission::prefix("com.example.public.")?.call().subscribe());
/// let realm = RealmConfig::new("realm1")?
///     .anonymous("guest")
///     .user(User::ticket("joe", "secret!!!").role("backend"))
///     .role(guest)
///     .trustlevel("backend", 3)
///     .disclosure(Disclosure::Always)
///     .history("com.example.public.", MatchPolicy::Prefix, 100)?;
/// # Ok::<(), wamp_session::proto::InvalidUri>(())
/// ```
#[derive(Clone)]
pub struct RealmConfig {
    pub(super) name: Uri,
    pub(super) anonymous: Option<Arc<str>>,
    pub(super) users: Vec<User>,
    pub(super) roles: BTreeMap<Arc<str>, RoleConfig>,
    pub(super) disclosure: Disclosure,
    pub(super) trustlevels: BTreeMap<Arc<str>, u64>,
    pub(super) histories: Vec<HistoryConfig>,
}

/// A topic or pattern whose events are remembered, and how many of them.
#[derive(Clone)]
pub(super) struct HistoryConfig {
    pub(super) topic: Uri,
    pub(super) policy: MatchPolicy,
    pub(super) limit: usize,
}

impl RealmConfig {
    /// Makes a realm that nobody may join yet.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if the name is no URI.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Ok(Self {
            name: Uri::new(name.as_ref())?,
            anonymous: None,
            users: Vec::new(),
            disclosure: Disclosure::OnRequest,
            roles: BTreeMap::new(),
            trustlevels: BTreeMap::new(),
            histories: Vec::new(),
        })
    }

    /// Lets everybody join without authentication, in a role.
    #[must_use]
    pub fn anonymous(mut self, role: impl Into<Arc<str>>) -> Self {
        self.anonymous = Some(role.into());
        self
    }

    /// Adds a user; one with the same authid and method is looked at first.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.users.insert(0, user);
        self
    }

    /// Sets what the sessions of a role may do, in place of what was set before: by default everything.
    #[must_use]
    pub fn role(mut self, role: RoleConfig) -> Self {
        self.roles.insert(Arc::clone(&role.name), role);
        self
    }

    /// Whether others are told who of a role publishes and calls.
    pub(super) fn disclosure_of(&self, authrole: &str) -> Disclosure {
        self.roles.get(authrole).and_then(|role| role.disclosure).unwrap_or(self.disclosure)
    }

    /// Sets whether subscribers and callees are told who publishes and calls. A [role](RoleConfig::disclosure) may differ.
    #[must_use]
    pub fn disclosure(mut self, disclosure: Disclosure) -> Self {
        self.disclosure = disclosure;
        self
    }

    /// Keeps a history of the last events of a topic or pattern, at most so many.
    ///
    /// They take at most [so many bytes](RouterLimits::max_history_bytes), too. (WAMP Advanced Profile, "Event History".)
    ///
    /// Events are remembered whether somebody subscribes or not; the history is that of the subscription of this topic or pattern,
    /// whose id stays the same for as long as the router lives. A second history of the same replaces the first.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if the topic is no URI, or no pattern of that policy.
    pub fn history(mut self, topic: impl AsRef<str>, policy: MatchPolicy, limit: usize) -> Result<Self, InvalidUri> {
        let topic = Uri::checked(topic.as_ref(), UriRule::Loose, policy)?;
        self.histories.retain(|other| (&other.topic, other.policy) != (&topic, policy));
        self.histories.push(HistoryConfig { topic, policy, limit });
        Ok(self)
    }

    /// Sets how far the publishers and callers of a role are trusted: their events and invocations carry it as `trustlevel`.
    ///
    /// What the numbers mean is the application's affair. Those of other roles carry none.
    #[must_use]
    pub fn trustlevel(mut self, role: impl Into<Arc<str>>, level: u64) -> Self {
        self.trustlevels.insert(role.into(), level);
        self
    }
}

/// Whether sessions are told who publishes to them and who calls them: session id, authid and authrole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disclosure {
    /// If the publisher or caller asks for it (`disclose_me`).
    #[default]
    OnRequest,
    /// Always.
    Always,
    /// Never; who asks for it is refused with `wamp.error.option_disallowed.disclose_me`.
    Denied,
}

impl fmt::Debug for RealmConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealmConfig").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The bounds of a router: of what its peers can make it keep.
///
/// ```
/// # use wamp_session::proto::Limits;
/// # use wamp_session::router::{RouterConfig, RouterLimits};
/// let small = RouterLimits::new()
///     .message(Limits::new().max_message_bytes(64 << 10))
///     .max_hello_bytes(4 << 10)
///     .max_peers(64)
///     .max_subscriptions(100)
///     .max_registrations(100)
///     .max_calls(100)
///     .max_inputs(10)
///     .max_reroute_bytes(1 << 20)
///     .max_retained(100)
///     .max_retained_bytes(1 << 20)
///     .max_history_bytes(1 << 20)
///     .max_testaments(4)
///     .max_testament_bytes(4 << 10)
///     .max_outbound_bytes(1 << 20)
///     .max_outbound_frames(10_000);
/// let config = RouterConfig::new([7; 32]).limits(small);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterLimits {
    pub(super) message: Limits,
    pub(super) peers: usize,
    pub(super) hello_bytes: usize,
    pub(super) subscriptions: usize,
    pub(super) registrations: usize,
    pub(super) calls: usize,
    pub(super) inputs: usize,
    pub(super) reroute_bytes: usize,
    pub(super) outbound_bytes: usize,
    pub(super) outbound_frames: usize,
    pub(super) retained: usize,
    pub(super) retained_bytes: usize,
    pub(super) history_bytes: usize,
    pub(super) testaments: usize,
    pub(super) testament_bytes: usize,
}

impl RouterLimits {
    /// Makes the default limits.
    ///
    /// 16 MiB a message, 64 KiB before the session is joined, 128 levels; 65,536 peers; for each of them 65,536 subscriptions,
    /// registrations, calls and invocations, 4,096 calls with more input, 64 MiB in 1,048,576 frames that it has not taken, 1,024 testaments of
    /// together 1 MiB; for each realm 64 MiB of calls kept for other callees, 65,536 retained events of 64 MiB, and 64 MiB for each of its
    /// histories.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            message: Limits::new(),
            peers: 65_536,
            hello_bytes: 64 << 10,
            subscriptions: 65_536,
            registrations: 65_536,
            calls: 65_536,
            inputs: 4_096,
            reroute_bytes: 64 << 20,
            outbound_bytes: 64 << 20,
            outbound_frames: 1 << 20,
            retained: 65_536,
            retained_bytes: 64 << 20,
            history_bytes: 64 << 20,
            testaments: 1024,
            testament_bytes: 1 << 20,
        }
    }

    /// Sets the limits of one message, received or forwarded.
    ///
    /// A longer message that is received is a protocol violation. One that would become longer by forwarding, in another format, is treated like one that
    /// the format cannot carry.
    #[must_use]
    pub const fn message(mut self, limits: Limits) -> Self {
        self.message = limits;
        self
    }

    /// Sets how many peers may be there at once; more are closed as soon as they are opened.
    #[must_use]
    pub const fn max_peers(mut self, peers: usize) -> Self {
        self.peers = peers;
        self
    }

    /// Sets how long a message may be before the session is joined: HELLO and AUTHENTICATE.
    ///
    /// Whoever sends it has proven nothing yet. A longer one is a protocol violation.
    #[must_use]
    pub const fn max_hello_bytes(mut self, bytes: usize) -> Self {
        self.hello_bytes = bytes;
        self
    }

    /// Sets how many topics one session may subscribe to; more are refused with `wamp.error.unavailable`.
    #[must_use]
    pub const fn max_subscriptions(mut self, subscriptions: usize) -> Self {
        self.subscriptions = subscriptions;
        self
    }

    /// Sets how many procedures one session may register; more are refused with `wamp.error.unavailable`.
    #[must_use]
    pub const fn max_registrations(mut self, registrations: usize) -> Self {
        self.registrations = registrations;
        self
    }

    /// Sets how many calls of one caller, and how many invocations of one callee, may be unanswered.
    ///
    /// More are refused with `wamp.error.unavailable`.
    ///
    /// Of as many invocations that were interrupted the router remembers that an answer may still come; all answers that may be
    /// to older ones are discarded, whether they are or not.
    #[must_use]
    pub const fn max_calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Sets how many events a realm may retain, one for each topic.
    ///
    /// A PUBLISH that wants another topic's to be retained is refused with `wamp.error.unavailable`, and reaches nobody.
    #[must_use]
    pub const fn max_retained(mut self, events: usize) -> Self {
        self.retained = events;
        self
    }

    /// Sets roughly how many bytes the retained events of a realm may take; a PUBLISH that wants more is refused as well.
    #[must_use]
    pub const fn max_retained_bytes(mut self, bytes: usize) -> Self {
        self.retained_bytes = bytes;
        self
    }

    /// Sets roughly how many bytes the events of one [history](RealmConfig::history) may take; the oldest are forgotten for new ones.
    #[must_use]
    pub const fn max_history_bytes(mut self, bytes: usize) -> Self {
        self.history_bytes = bytes;
        self
    }

    /// Sets how many testaments one session may have; more are refused with `wamp.error.unavailable`.
    #[must_use]
    pub const fn max_testaments(mut self, testaments: usize) -> Self {
        self.testaments = testaments;
        self
    }

    /// Sets how many bytes the testaments of one session may have; more are refused with `wamp.error.unavailable`.
    #[must_use]
    pub const fn max_testament_bytes(mut self, bytes: usize) -> Self {
        self.testament_bytes = bytes;
        self
    }

    /// Sets of how many calls of one caller the router remembers that more input may come, beside those that are under way.
    ///
    /// The caller may not know yet that such a call is over, and more input for it is discarded. Of calls beyond, the oldest are
    /// forgotten; from then on nobody can tell whether they took more input, and what comes for one that is over is discarded.
    #[must_use]
    pub const fn max_inputs(mut self, calls: usize) -> Self {
        self.inputs = calls;
        self
    }

    /// Sets roughly how many bytes the router keeps per realm of calls that a callee may decline.
    ///
    /// It keeps them in order to give them to another one. Calls beyond are not given to another one: the caller gets
    /// `wamp.error.unavailable`.
    ///
    /// It is the memory that counts: arguments that are up to 1 KiB, or less than half of their frame, are copied out of it, others keep
    /// all of it.
    #[must_use]
    pub const fn max_reroute_bytes(mut self, bytes: usize) -> Self {
        self.reroute_bytes = bytes;
        self
    }

    /// Sets how many bytes of frames one peer may leave untaken; with more it is closed.
    #[must_use]
    pub const fn max_outbound_bytes(mut self, bytes: usize) -> Self {
        self.outbound_bytes = bytes;
        self
    }

    /// Sets how many frames one peer may leave untaken, of which each takes memory beside its bytes; with more it is closed.
    #[must_use]
    pub const fn max_outbound_frames(mut self, frames: usize) -> Self {
        self.outbound_frames = frames;
        self
    }
}

impl Default for RouterLimits {
    fn default() -> Self {
        Self::new()
    }
}
