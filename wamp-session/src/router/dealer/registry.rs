//! The registrations of a realm: one for each URI and match policy, shared by its callees.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use wamp_proto::{InvokePolicy, MatchPolicy, RegisterOptions, RegistrationId, Uri};

use crate::router::meta::{Change, News};
use crate::router::patterns::Patterns;
use crate::router::{PeerId, Quirks};

/// The registrations of a realm.
#[derive(Default)]
pub(super) struct Registry {
    procedures: Patterns<RegistrationId>,
    registrations: BTreeMap<RegistrationId, Registration>,
    /// The registrations of each callee.
    held: BTreeMap<PeerId, BTreeSet<RegistrationId>>,
    /// What the meta API has not told yet.
    pub(super) news: Vec<News<RegistrationId>>,
}

/// A procedure or pattern, and who serves it.
pub(super) struct Registration {
    pub(super) procedure: Uri,
    pub(super) policy: MatchPolicy,
    pub(super) invoke: InvokePolicy,
    /// Since 1970.
    pub(super) created: Duration,
    /// In the order in which they registered; never empty.
    pub(super) callees: Vec<PeerId>,
    pub(super) terms: BTreeMap<PeerId, Terms>,
    /// Whose turn it is, if the callees take turns: a place among them.
    pub(super) turn: usize,
}

/// What one callee of a registration asks for.
#[derive(Clone, Copy, Default)]
pub(super) struct Terms {
    pub(super) disclose_caller: bool,
    pub(super) forward_timeout: bool,
    pub(super) concurrency: Option<u64>,
}

/// A registration at a router: a procedure or pattern, and who serves it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RegistrationInfo<'a> {
    /// The id that its callees know it by.
    pub id: RegistrationId,
    /// The procedure or pattern.
    pub procedure: &'a Uri,
    /// How procedures that are called are compared with it.
    pub match_policy: MatchPolicy,
    /// Which of its callees is called.
    pub invoke: InvokePolicy,
    /// When its first callee registered, since 1970-01-01T00:00:00Z.
    pub created: Duration,
    /// Who serves it, in the order in which they registered.
    pub callees: &'a [PeerId],
}

impl Registry {
    /// The registration that a call of a procedure goes to: the exact one, else the longest prefix, else the wildcard pattern with the
    /// most components before the first gap, then before the second, and so on.
    ///
    /// Procedures of the router itself are nobody's, whatever a pattern matches.
    pub(super) fn serving(&self, quirks: Quirks, procedure: &Uri) -> Option<RegistrationId> {
        if procedure.is_reserved() && !quirks.has_open_reserved() {
            None
        } else if quirks.has_longest_pattern() {
            self.procedures.longest(procedure)
        } else {
            self.procedures.best(procedure)
        }
    }

    /// The registration of a procedure or pattern.
    pub(super) fn find(&self, procedure: &Uri, policy: MatchPolicy) -> Option<RegistrationId> {
        self.procedures.get(procedure, policy)
    }

    pub(super) fn get(&self, id: RegistrationId) -> Option<&Registration> {
        self.registrations.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: RegistrationId) -> Option<&mut Registration> {
        self.registrations.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = RegistrationInfo<'_>> {
        self.registrations.iter().map(|(id, registration)| registration.info(*id))
    }

    pub(super) fn info(&self, id: RegistrationId) -> Option<RegistrationInfo<'_>> {
        self.registrations.get(&id).map(|registration| registration.info(id))
    }

    /// How many registrations a callee has.
    pub(super) fn held(&self, callee: PeerId) -> usize {
        self.held.get(&callee).map_or(0, BTreeSet::len)
    }

    /// Begins a registration, which has no callee yet.
    pub(super) fn create(&mut self, id: RegistrationId, registration: Registration) {
        self.procedures.insert(registration.procedure.clone(), registration.policy, id);
        self.registrations.insert(id, registration);
    }

    /// Adds a callee to a registration, or changes the terms of one that it has.
    pub(super) fn add(&mut self, id: RegistrationId, callee: PeerId, terms: Terms) {
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        if registration.terms.insert(callee, terms).is_none() {
            if registration.callees.is_empty() {
                self.news.push(News { change: Change::Created, peer: callee, id });
            }
            self.news.push(News { change: Change::Added, peer: callee, id });
            registration.callees.push(callee);
            self.held.entry(callee).or_default().insert(id);
        }
    }

    /// Takes a callee out of a registration, which ends with the last one, and says whether it was in it.
    pub(super) fn remove(&mut self, callee: PeerId, id: RegistrationId) -> bool {
        let held = self.held.get_mut(&callee).is_some_and(|held| held.remove(&id));
        if held {
            self.detach(callee, id);
        }
        held
    }

    /// Takes a callee out of all its registrations.
    pub(super) fn leave(&mut self, callee: PeerId) {
        for id in self.held.remove(&callee).unwrap_or_default() {
            self.detach(callee, id);
        }
    }

    /// Ends a registration, and returns who served it.
    pub(super) fn revoke(&mut self, id: RegistrationId) -> Vec<PeerId> {
        let callees = self.registrations.get(&id).map(|registration| registration.callees.clone()).unwrap_or_default();
        for callee in &callees {
            self.remove(*callee, id);
        }
        callees
    }

    fn detach(&mut self, callee: PeerId, id: RegistrationId) {
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        registration.terms.remove(&callee);
        if let Some(place) = registration.callees.iter().position(|other| *other == callee) {
            registration.callees.remove(place);
            self.news.push(News { change: Change::Removed, peer: callee, id });
            // The turn stays with whom it was.
            if registration.turn > place {
                registration.turn -= 1;
            }
        }
        if registration.callees.is_empty()
            && let Some(ended) = self.registrations.remove(&id)
        {
            self.procedures.remove(&ended.procedure, ended.policy);
            self.news.push(News { change: Change::Deleted, peer: callee, id });
        }
    }
}

impl Registration {
    fn info(&self, id: RegistrationId) -> RegistrationInfo<'_> {
        RegistrationInfo {
            id,
            procedure: &self.procedure,
            match_policy: self.policy,
            invoke: self.invoke,
            created: self.created,
            callees: &self.callees,
        }
    }

    pub(super) fn new(procedure: Uri, policy: MatchPolicy, invoke: InvokePolicy, created: Duration) -> Self {
        Self { procedure, policy, invoke, created, callees: Vec::new(), terms: BTreeMap::new(), turn: 0 }
    }

    pub(super) fn terms(&self, callee: PeerId) -> Terms {
        self.terms.get(&callee).copied().unwrap_or_default()
    }
}

impl Terms {
    pub(super) fn of(options: &RegisterOptions) -> Self {
        Self {
            disclose_caller: options.disclose_caller == Some(true),
            forward_timeout: options.forward_timeout == Some(true),
            concurrency: options.concurrency,
        }
    }
}
