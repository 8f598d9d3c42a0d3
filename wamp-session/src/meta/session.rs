//! Sessions (WAMP Advanced Profile, "Session Meta API").

use std::sync::Arc;

use wamp_proto::{Dict, Payload, PayloadError, SessionId, Uri, Value};

use super::read;
use super::request::Request;
use super::topic::Topic;

/// `wamp.session.on_join`: a session has joined the realm.
pub const ON_JOIN: Topic<SessionDetails> = Topic::new("wamp.session.on_join", SessionDetails::read);

/// `wamp.session.on_leave`: a session has left the realm.
pub const ON_LEAVE: Topic<SessionLeft> = Topic::new("wamp.session.on_leave", SessionLeft::read);

/// What a router tells of a session.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionDetails {
    /// The session.
    pub session: SessionId,
    /// Its authid.
    pub authid: Option<Arc<str>>,
    /// Its authrole.
    pub authrole: Option<Arc<str>>,
    /// How it was authenticated.
    pub authmethod: Option<Arc<str>>,
    /// Who authenticated it.
    pub authprovider: Option<Arc<str>>,
    /// What the router tells of its transport.
    pub transport: Option<Dict>,
    /// Everything else that the router tells.
    pub extra: Dict,
}

/// A session that has left.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionLeft {
    /// The session.
    pub session: SessionId,
    /// Its authid, which Crossbar.io does not tell.
    pub authid: Option<Arc<str>>,
    /// Its authrole, which Crossbar.io does not tell.
    pub authrole: Option<Arc<str>>,
}

/// How sessions are told that they are killed.
///
/// ```
/// # use wamp_session::meta::Kill;
/// # use wamp_session::proto::Uri;
/// let kill = Kill::new().reason(Uri::new("com.example.close.idle")?).message("idle for an hour");
/// # Ok::<(), wamp_session::proto::InvalidUri>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kill {
    reason: Option<Uri>,
    message: Option<Arc<str>>,
}

/// The sessions that were killed; some procedures and routers count them, others list them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Killed {
    /// How many they were.
    pub count: u64,
    /// Which they were, if the router tells.
    pub sessions: Option<Vec<SessionId>>,
}

/// `wamp.session.count`: how many sessions there are in the realm.
pub fn session_count() -> Request<u64> {
    Request::new("wamp.session.count", [], read::count)
}

/// `wamp.session.count`: how many sessions there are in the realm with one of these authroles.
pub fn session_count_of<'a>(authroles: impl IntoIterator<Item = &'a str>) -> Request<u64> {
    Request::new("wamp.session.count", [filter(authroles)], read::count)
}

/// `wamp.session.list`: the sessions of the realm.
pub fn sessions() -> Request<Vec<SessionId>> {
    Request::new("wamp.session.list", [], read::id_list)
}

/// `wamp.session.list`: the sessions of the realm with one of these authroles.
pub fn sessions_of<'a>(authroles: impl IntoIterator<Item = &'a str>) -> Request<Vec<SessionId>> {
    Request::new("wamp.session.list", [filter(authroles)], read::id_list)
}

/// `wamp.session.get`: the details of a session; `wamp.error.no_such_session` if there is none.
pub fn session(session: SessionId) -> Request<SessionDetails> {
    Request::new("wamp.session.get", [session.get().into()], SessionDetails::read)
}

/// `wamp.session.kill`: ends another session, with GOODBYE.
///
/// Errors: `wamp.error.no_such_session`, also for the caller's own; `wamp.error.invalid_uri` if the router does not like the reason.
pub fn kill_session(session: SessionId, kill: &Kill) -> Request<()> {
    Request::new("wamp.session.kill", [session.get().into()], |_| Ok(())).kwargs(kill.kwargs())
}

/// `wamp.session.kill_by_authid`: ends the sessions with an authid, by the specification except the caller's own.
pub fn kill_by_authid(authid: &str, kill: &Kill) -> Request<Killed> {
    Request::new("wamp.session.kill_by_authid", [authid.into()], Killed::read).kwargs(kill.kwargs())
}

/// `wamp.session.kill_by_authrole`: ends the sessions with an authrole, by the specification except the caller's own.
pub fn kill_by_authrole(authrole: &str, kill: &Kill) -> Request<Killed> {
    Request::new("wamp.session.kill_by_authrole", [authrole.into()], Killed::read).kwargs(kill.kwargs())
}

/// `wamp.session.kill_all`: ends all sessions of the realm but the caller's own. Crossbar.io does not have it.
pub fn kill_all(kill: &Kill) -> Request<Killed> {
    Request::new("wamp.session.kill_all", [], Killed::read).kwargs(kill.kwargs())
}

fn filter<'a>(authroles: impl IntoIterator<Item = &'a str>) -> Value {
    authroles.into_iter().collect::<Vec<_>>().into()
}

impl Kill {
    /// Makes a kill for the router's own reason, by the specification `wamp.close.killed`, without a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the reason of the GOODBYE.
    #[must_use]
    pub fn reason(mut self, reason: Uri) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Sets the message in the details of the GOODBYE.
    #[must_use]
    pub fn message(mut self, message: impl Into<Arc<str>>) -> Self {
        self.message = Some(message.into());
        self
    }

    fn kwargs(&self) -> Dict {
        let reason = self.reason.as_ref().map(|reason| ("reason", reason.as_str()));
        let message = self.message.as_deref().map(|message| ("message", message));
        Dict::from_iter(reason.into_iter().chain(message))
    }
}

impl Killed {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        match read::first(payload)? {
            Value::Null => Ok(Self { count: 0, sessions: None }),
            value @ Value::List(_) => {
                let sessions = read::ids(&value, "args[0]")?;
                Ok(Self { count: u64::try_from(sessions.len()).unwrap_or(u64::MAX), sessions: Some(sessions) })
            }
            value => {
                let count =
                    read::number(&value).ok_or_else(|| read::mismatch("args[0]", "a number or a list of ids"))?;
                Ok(Self { count, sessions: None })
            }
        }
    }
}

impl SessionDetails {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        let mut extra = read::dict_at(read::args(payload)?, 0)?;
        let wrong = || read::mismatch("args[0].session", "an id");
        Ok(Self {
            session: read::take_id(&mut extra, "session").ok_or_else(wrong)?,
            authid: read::take_text(&mut extra, "authid"),
            authrole: read::take_text(&mut extra, "authrole"),
            authmethod: read::take_text(&mut extra, "authmethod"),
            authprovider: read::take_text(&mut extra, "authprovider"),
            transport: read::take(&mut extra, "transport", |value| value.as_dict().cloned()),
            extra,
        })
    }
}

impl SessionLeft {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        let args = read::args(payload)?;
        let text = |index: usize| args.get(index).and_then(Value::as_str).map(Into::into);
        Ok(Self { session: read::id_at(&args, 0)?, authid: text(1), authrole: text(2) })
    }
}
