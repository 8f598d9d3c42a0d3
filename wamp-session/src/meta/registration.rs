//! Registrations (WAMP Advanced Profile, "Registration Meta API").

use std::sync::Arc;

use wamp_proto::{Dict, InvokePolicy, MatchPolicy, Payload, PayloadError, RegistrationId, SessionId, Uri};

use super::read::{self, Entry};
use super::request::Request;
use super::topic::Topic;

/// `wamp.registration.on_create`: a session has registered a procedure that nobody had registered.
pub const ON_REGISTRATION_CREATE: Topic<RegistrationCreated> =
    Topic::new("wamp.registration.on_create", RegistrationCreated::read);

/// `wamp.registration.on_register`: a session was added to a registration, after its creation if it is new.
pub const ON_REGISTER: Topic<RegistrationChange> =
    Topic::new("wamp.registration.on_register", RegistrationChange::read);

/// `wamp.registration.on_unregister`: a session was removed from a registration.
pub const ON_UNREGISTER: Topic<RegistrationChange> =
    Topic::new("wamp.registration.on_unregister", RegistrationChange::read);

/// `wamp.registration.on_delete`: a registration has ended, after its last session was removed.
pub const ON_REGISTRATION_DELETE: Topic<RegistrationChange> =
    Topic::new("wamp.registration.on_delete", RegistrationChange::read);

/// What a router tells of a registration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RegistrationDetails {
    /// The registration.
    pub id: RegistrationId,
    /// When it was made, an ISO 8601 text.
    pub created: Option<Arc<str>>,
    /// The procedure or the pattern.
    pub uri: Option<Uri>,
    /// How procedures are compared with it.
    pub match_policy: MatchPolicy,
    /// Which of its callees is called, if the router tells.
    pub invoke: Option<InvokePolicy>,
    /// Everything else that the router tells.
    pub extra: Dict,
}

/// The registrations of a realm, by how procedures are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registrations {
    /// Those of one procedure each.
    pub exact: Vec<RegistrationId>,
    /// Those of a prefix.
    pub prefix: Vec<RegistrationId>,
    /// Those of a wildcard pattern.
    pub wildcard: Vec<RegistrationId>,
}

/// A registration that was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RegistrationCreated {
    /// The session that registered.
    pub session: SessionId,
    /// The registration.
    pub details: RegistrationDetails,
}

/// A registration that changed, or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrationChange {
    /// The session that was added or removed, `None` if the router does not say: Crossbar.io where the session has ended.
    pub session: Option<SessionId>,
    /// The registration.
    pub registration: RegistrationId,
}

/// `wamp.registration.list`: the registrations of the realm.
pub fn registrations() -> Request<Registrations> {
    Request::new("wamp.registration.list", [], |payload| {
        let [exact, prefix, wildcard] = read::lists(payload)?;
        Ok(Registrations { exact, prefix, wildcard })
    })
}

/// `wamp.registration.lookup`: the registration that was made with this procedure or pattern and policy.
pub fn lookup_registration(procedure: &Uri, policy: MatchPolicy) -> Request<Option<RegistrationId>> {
    Request::new("wamp.registration.lookup", read::lookup(procedure, policy), read::found)
}

/// `wamp.registration.match`: the registration that a call of a procedure goes to.
pub fn match_registration(procedure: &Uri) -> Request<Option<RegistrationId>> {
    Request::new("wamp.registration.match", [procedure.as_str().into()], read::found)
}

/// `wamp.registration.get`: the details of a registration; `wamp.error.no_such_registration` if there is none.
pub fn registration(registration: RegistrationId) -> Request<RegistrationDetails> {
    Request::new("wamp.registration.get", [registration.get().into()], |payload| {
        read::details_at(read::args(payload)?, 0, RegistrationDetails::read)
    })
}

/// `wamp.registration.list_callees`: the sessions of a registration; `wamp.error.no_such_registration` if there is none.
pub fn callees(registration: RegistrationId) -> Request<Vec<SessionId>> {
    Request::new("wamp.registration.list_callees", [registration.get().into()], read::id_list)
}

/// `wamp.registration.count_callees`: how many sessions a registration has; `wamp.error.no_such_registration` if there is none.
pub fn callee_count(registration: RegistrationId) -> Request<u64> {
    Request::new("wamp.registration.count_callees", [registration.get().into()], read::count)
}

impl RegistrationDetails {
    fn read(mut extra: Dict, path: &str) -> Result<Self, PayloadError> {
        let Entry { id, created, uri, match_policy } = Entry::take(&mut extra, path)?;
        let invoke = read::take(&mut extra, "invoke", |value| InvokePolicy::from_name(value.as_str()?));
        Ok(Self { id, created, uri, match_policy, invoke, extra })
    }
}

impl RegistrationCreated {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        let (session, details) = read::created(payload, RegistrationDetails::read)?;
        Ok(Self { session, details })
    }
}

impl RegistrationChange {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        let (session, registration) = read::changed(payload)?;
        Ok(Self { session, registration })
    }
}
