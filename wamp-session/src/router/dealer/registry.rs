//! Who serves which procedure (WAMP Basic Profile, "Registering and Unregistering").

use std::collections::{BTreeMap, BTreeSet};

use wamp_proto::{
    InvokePolicy, MatchPolicy, MessageType, Register, Registered, RegistrationId, Unregister, Unregistered, Uri,
};

use super::Dealer;
use crate::router::ids::Ids;
use crate::router::peer::Peers;
use crate::router::{PeerId, refuse};

/// The registrations of a realm.
#[derive(Default)]
pub(super) struct Registry {
    procedures: BTreeMap<Uri, RegistrationId>,
    registrations: BTreeMap<RegistrationId, Registration>,
    /// The registrations of each callee.
    held: BTreeMap<PeerId, BTreeSet<RegistrationId>>,
}

/// A procedure that is registered.
pub(super) struct Registration {
    pub(super) id: RegistrationId,
    pub(super) procedure: Uri,
    pub(super) callee: PeerId,
}

impl Registry {
    /// The registration that serves a procedure.
    pub(super) fn serving(&self, procedure: &Uri) -> Option<&Registration> {
        self.registrations.get(self.procedures.get(procedure)?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.registrations.values()
    }

    /// How many registrations a callee has.
    fn held(&self, callee: PeerId) -> usize {
        self.held.get(&callee).map_or(0, BTreeSet::len)
    }

    fn insert(&mut self, registration: Registration) {
        let Registration { id, callee, .. } = registration;
        self.procedures.insert(registration.procedure.clone(), id);
        self.held.entry(callee).or_default().insert(id);
        self.registrations.insert(id, registration);
    }

    /// Takes a callee out of one of its registrations, and says whether it was one.
    fn remove(&mut self, callee: PeerId, id: RegistrationId) -> bool {
        let held = self.held.get_mut(&callee).is_some_and(|held| held.remove(&id));
        if held && let Some(ended) = self.registrations.remove(&id) {
            self.procedures.remove(&ended.procedure);
        }
        held
    }

    /// Takes a callee out of all its registrations.
    pub(super) fn leave(&mut self, callee: PeerId) {
        for id in self.held.get(&callee).cloned().unwrap_or_default() {
            self.remove(callee, id);
        }
        self.held.remove(&callee);
    }
}

impl Dealer {
    pub(in crate::router) fn register(
        &mut self,
        peers: &mut Peers,
        ids: &mut Ids,
        callee: PeerId,
        register: &Register,
    ) {
        let Register { request, options, procedure } = register;
        let error = if options.match_policy.unwrap_or_default() != MatchPolicy::Exact
            || options.invoke.is_some_and(|policy| policy != InvokePolicy::Single)
        {
            Some("wamp.error.option_not_allowed")
        } else if options.disclose_caller == Some(true) {
            Some("wamp.error.option_disallowed.disclose_me")
        } else if procedure.is_reserved() {
            Some("wamp.error.invalid_uri")
        } else if self.registry.serving(procedure).is_some() {
            Some("wamp.error.procedure_already_exists")
        } else if self.registry.held(callee) >= peers.limits.registrations {
            Some("wamp.error.unavailable")
        } else {
            None
        };
        if let Some(error) = error {
            return refuse(peers, callee, MessageType::Register, *request, error);
        }
        let id = ids.registration();
        self.registry.insert(Registration { id, procedure: procedure.clone(), callee });
        peers.send(callee, &Registered { request: *request, registration: id }.into());
    }

    /// Ends a registration; its unanswered invocations are still to be answered.
    pub(in crate::router) fn unregister(&mut self, peers: &mut Peers, callee: PeerId, unregister: &Unregister) {
        let Unregister { request, registration } = *unregister;
        if !self.registry.remove(callee, registration) {
            let error = "wamp.error.no_such_registration";
            return refuse(peers, callee, MessageType::Unregister, request, error);
        }
        peers.send(callee, &Unregistered { request: Some(request), details: None }.into());
    }
}
