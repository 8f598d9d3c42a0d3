//! REGISTER, UNREGISTER and revocation (WAMP Basic Profile, "Registering and Unregistering"; Advanced Profile, "Shared Registration",
//! "Registration Revocation").

use wamp_proto::{
    InvokePolicy, MessageType, Register, Registered, RegistrationId, Role, Unregister, Unregistered,
    UnregisteredDetails,
};

use super::Dealer;
use super::registry::{Registration, Terms};
use crate::Feature;
use crate::router::ids::Ids;
use crate::router::peer::Peers;
use crate::router::{Disclosure, PeerId, RealmConfig, refuse};

/// What Crossbar.io gives as the reason for taking a registration away.
const TAKEN_AWAY: &str = "wamp.error.unregistered";

impl Dealer {
    pub(in crate::router) fn register(
        &mut self,
        config: &RealmConfig,
        peers: &mut Peers,
        ids: &mut Ids,
        callee: PeerId,
        register: &Register,
    ) {
        let Register { request, options, procedure } = register;
        if let Some(error) = self.not_registrable(config, peers, callee, register) {
            return refuse(peers, callee, MessageType::Register, *request, error);
        }
        let policy = options.match_policy.unwrap_or_default();
        let mut known = self.registry.find(procedure, policy);
        if options.force_reregister == Some(true)
            && let Some(id) = known.take()
        {
            self.revoke(peers, id, Some(TAKEN_AWAY));
        }
        let id = known.unwrap_or_else(|| {
            let id = ids.registration();
            let invoke = options.invoke.unwrap_or(InvokePolicy::Single);
            self.registry.create(id, Registration::new(procedure.clone(), policy, invoke, peers.unix_now()));
            id
        });
        self.registry.add(id, callee, Terms::of(options));
        peers.send(callee, &Registered { request: *request, registration: id }.into());
    }

    /// Why a procedure cannot be registered, if it cannot.
    fn not_registrable(
        &self,
        config: &RealmConfig,
        peers: &Peers,
        callee: PeerId,
        register: &Register,
    ) -> Option<&'static str> {
        let Register { options, procedure, .. } = register;
        if procedure.is_reserved() && !peers.quirks.has_open_reserved() {
            return Some("wamp.error.invalid_uri");
        }
        if options.disclose_caller == Some(true) && config.disclosure == Disclosure::Denied {
            return Some("wamp.error.option_disallowed.disclose_me");
        }
        if options.concurrency == Some(0) {
            return Some("wamp.error.invalid_argument");
        }
        let known = self.registry.find(procedure, options.match_policy.unwrap_or_default());
        let known = known.and_then(|id| self.registry.get(id));
        let is_held = known.is_some_and(|registration| registration.terms.contains_key(&callee));
        if let Some(known) = known
            && options.force_reregister != Some(true)
            && !may_share(known.invoke, options.invoke.unwrap_or(InvokePolicy::Single))
        {
            let is_shared = known.invoke != InvokePolicy::Single;
            return Some(if is_shared && peers.quirks.has_name_policy_conflicts() {
                "wamp.error.procedure_exists_with_different_invocation_policy"
            } else {
                "wamp.error.procedure_already_exists"
            });
        }
        (!is_held && self.registry.held(callee) >= peers.limits.registrations).then_some("wamp.error.unavailable")
    }

    /// Ends a callee's part in a registration; its unanswered invocations are still to be answered.
    pub(in crate::router) fn unregister(&mut self, peers: &mut Peers, callee: PeerId, unregister: &Unregister) {
        let Unregister { request, registration } = *unregister;
        if !self.registry.remove(callee, registration) {
            let error = "wamp.error.no_such_registration";
            return refuse(peers, callee, MessageType::Unregister, request, error);
        }
        peers.send(callee, &Unregistered { request: Some(request), details: None }.into());
    }

    /// Ends a registration for all its callees, and tells those who understand it; says whether it was there.
    ///
    /// Unanswered invocations are still to be answered.
    pub(in crate::router) fn revoke(&mut self, peers: &mut Peers, id: RegistrationId, reason: Option<&str>) -> bool {
        let callees = self.registry.revoke(id);
        for callee in &callees {
            tell(peers, *callee, id, reason);
        }
        !callees.is_empty()
    }

    /// Ends one callee's part in a registration, as [`revoke`](Self::revoke) does for all.
    pub(in crate::router) fn revoke_of(
        &mut self,
        peers: &mut Peers,
        callee: PeerId,
        id: RegistrationId,
        reason: Option<&str>,
    ) -> bool {
        let revoked = self.registry.remove(callee, id);
        if revoked {
            tell(peers, callee, id, reason);
        }
        revoked
    }
}

/// Tells a callee that it has lost a registration, if it understands that.
fn tell(peers: &mut Peers, callee: PeerId, id: RegistrationId, reason: Option<&str>) {
    let is_told = peers.announces(callee, Role::Callee, Feature::RegistrationRevocation);
    if is_told || peers.quirks.has_tell_revocations() {
        let mut details = UnregisteredDetails::default();
        details.registration = Some(id);
        details.reason = reason.map(Into::into);
        peers.send(callee, &Unregistered { request: None, details: Some(details) }.into());
    }
}

/// Whether a procedure that is registered can have one more callee.
fn may_share(known: InvokePolicy, asked: InvokePolicy) -> bool {
    known != InvokePolicy::Single && known == asked
}
