//! The dealer of a realm: who serves which procedure, and which calls are under way (WAMP Basic Profile, "Remote
//! Procedure Calls").

use std::collections::{BTreeMap, BTreeSet};

use wamp_proto::{
    Call, CallResult, Cancel, Error, ErrorDetails, Invocation, InvocationDetails, InvokePolicy, MatchPolicy, Message,
    MessageType, Register, Registered, RegistrationId, RequestId, ResultDetails, Unregister, Unregistered, Uri, Yield,
};

use super::ids::Ids;
use super::peer::Peers;
use super::{PeerId, Violation, refuse};

#[derive(Default)]
pub(super) struct Dealer {
    procedures: BTreeMap<Uri, RegistrationId>,
    registrations: BTreeMap<RegistrationId, Registration>,
    callees: BTreeMap<PeerId, Callee>,
    /// The unanswered calls of each caller, and the invocation that each has become.
    callers: BTreeMap<PeerId, BTreeMap<RequestId, Invoked>>,
    /// Answers to calls that nobody waits for any more.
    pub(super) discarded_answers: u64,
}

struct Registration {
    procedure: Uri,
    callee: PeerId,
}

struct Callee {
    registrations: BTreeSet<RegistrationId>,
    /// The id of the next INVOCATION.
    next: RequestId,
    /// The unanswered invocations, each with its call, if the caller still waits.
    invocations: BTreeMap<RequestId, Option<Called>>,
}

/// A call by its caller's name.
#[derive(Clone, Copy)]
struct Called {
    caller: PeerId,
    request: RequestId,
}

/// A call by its callee's name.
#[derive(Clone, Copy)]
struct Invoked {
    callee: PeerId,
    request: RequestId,
}

impl Default for Callee {
    fn default() -> Self {
        Self { registrations: BTreeSet::new(), next: RequestId::MIN, invocations: BTreeMap::new() }
    }
}

impl Dealer {
    pub(super) fn register(&mut self, peers: &mut Peers, ids: &mut Ids, callee: PeerId, register: &Register) {
        let Register { request, options, procedure } = register;
        let held = self.callees.get(&callee).map_or(0, |callee| callee.registrations.len());
        let error = if options.match_policy.unwrap_or_default() != MatchPolicy::Exact
            || options.invoke.is_some_and(|policy| policy != InvokePolicy::Single)
        {
            Some("wamp.error.option_not_allowed")
        } else if options.disclose_caller == Some(true) {
            Some("wamp.error.option_disallowed.disclose_me")
        } else if procedure.is_reserved() {
            Some("wamp.error.invalid_uri")
        } else if self.procedures.contains_key(procedure) {
            Some("wamp.error.procedure_already_exists")
        } else if held >= peers.limits.registrations {
            Some("wamp.error.unavailable")
        } else {
            None
        };
        if let Some(error) = error {
            return refuse(peers, callee, MessageType::Register, *request, error);
        }
        let registration = ids.registration();
        self.procedures.insert(procedure.clone(), registration);
        self.registrations.insert(registration, Registration { procedure: procedure.clone(), callee });
        self.callees.entry(callee).or_default().registrations.insert(registration);
        peers.send(callee, &Registered { request: *request, registration }.into());
    }

    /// Ends a registration; its unanswered invocations are still to be answered.
    pub(super) fn unregister(&mut self, peers: &mut Peers, callee: PeerId, unregister: &Unregister) {
        let Unregister { request, registration } = *unregister;
        let held = self.callees.get_mut(&callee).is_some_and(|callee| callee.registrations.remove(&registration));
        if !held {
            let error = "wamp.error.no_such_registration";
            return refuse(peers, callee, MessageType::Unregister, request, error);
        }
        self.end(registration);
        peers.send(callee, &Unregistered { request: Some(request), details: None }.into());
    }

    pub(super) fn call(&mut self, peers: &mut Peers, caller: PeerId, call: Call) -> Result<(), Violation> {
        let Call { request, options, procedure, payload } = call;
        if options.ppt_scheme.is_some() {
            return Err(Violation::new("CALL uses payload passthru mode, which the dealer does not announce"));
        }
        if options.progress == Some(true) {
            return Err(Violation::new("CALL is progressive, which the dealer does not announce"));
        }
        let refuse = |peers: &mut Peers, error| refuse(peers, caller, MessageType::Call, request, error);
        if options.disclose_me == Some(true) {
            refuse(peers, "wamp.error.option_disallowed.disclose_me");
            return Ok(());
        }
        let registered = self.procedures.get(&procedure);
        let Some((id, registration)) = registered.and_then(|id| Some((*id, self.registrations.get(id)?))) else {
            refuse(peers, "wamp.error.no_such_procedure");
            return Ok(());
        };
        let callee_id = registration.callee;
        let callee = self.callees.entry(callee_id).or_default();
        let calls = self.callers.entry(caller).or_default();
        if calls.len() >= peers.limits.calls || callee.invocations.len() >= peers.limits.calls {
            refuse(peers, "wamp.error.unavailable");
            return Ok(());
        }
        let invocation =
            Invocation { request: callee.next, registration: id, details: InvocationDetails::default(), payload };
        // Encoded first: an INVOCATION that cannot be sent uses no id.
        let Some(format) = peers.get(callee_id).map(|peer| peer.format) else { return Ok(()) };
        match peers.frame(format, &invocation.into()) {
            Err(undeliverable) => refuse(peers, undeliverable.uri()),
            Ok(frame) => {
                callee.invocations.insert(callee.next, Some(Called { caller, request }));
                calls.insert(request, Invoked { callee: callee_id, request: callee.next });
                callee.next = callee.next.next();
                peers.send_frame(callee_id, frame);
            }
        }
        Ok(())
    }

    /// Ends a call for its caller; the callee goes on, and its answer is discarded: mode `skip`, which is what the others
    /// come to where nothing announces to be interrupted.
    pub(super) fn cancel(&mut self, peers: &mut Peers, caller: PeerId, cancel: &Cancel) {
        let calls = self.callers.get_mut(&caller);
        // The result may have crossed the CANCEL.
        let Some(invoked) = calls.and_then(|calls| calls.remove(&cancel.request)) else { return };
        self.forget_caller(invoked);
        refuse(peers, caller, MessageType::Call, cancel.request, "wamp.error.canceled");
    }

    pub(super) fn yielded(&mut self, peers: &mut Peers, callee: PeerId, answer: Yield) -> Result<(), Violation> {
        let Yield { request, options, payload } = answer;
        if options.ppt_scheme.is_some() {
            return Err(Violation::new("YIELD uses payload passthru mode, which the dealer does not announce"));
        }
        if options.progress == Some(true) {
            // No caller is ever said to take progressive results, so that this one is nobody's.
            return self.pending(callee, request).map(|_| self.discarded_answers += 1);
        }
        if let Some(call) = self.answered(callee, request)? {
            let result = CallResult { request: call.request, details: ResultDetails::default(), payload };
            deliver(peers, call, &result.into());
        }
        Ok(())
    }

    pub(super) fn failed(&mut self, peers: &mut Peers, callee: PeerId, answer: Error) -> Result<(), Violation> {
        let Error { request_type, request, details, error, payload } = answer;
        if request_type != MessageType::Invocation {
            return Err(Violation::new("ERROR answers something else than an INVOCATION"));
        }
        if details.ppt_scheme.is_some() {
            return Err(Violation::new("ERROR uses payload passthru mode, which the dealer does not announce"));
        }
        if let Some(call) = self.answered(callee, request)? {
            let request_type = MessageType::Call;
            let details = ErrorDetails::default();
            let error = Error { request_type, request: call.request, details, error, payload };
            deliver(peers, call, &error.into());
        }
        Ok(())
    }

    /// Ends the registrations and calls of a session, and the calls that it was to answer.
    pub(super) fn leave(&mut self, peers: &mut Peers, id: PeerId) {
        for invoked in self.callers.remove(&id).unwrap_or_default().into_values() {
            self.forget_caller(invoked);
        }
        let Some(callee) = self.callees.remove(&id) else { return };
        for registration in callee.registrations {
            self.end(registration);
        }
        for call in callee.invocations.into_values().flatten() {
            if let Some(calls) = self.callers.get_mut(&call.caller) {
                calls.remove(&call.request);
            }
            refuse(peers, call.caller, MessageType::Call, call.request, "wamp.error.canceled");
        }
    }

    /// The procedures that are registered, and who serves each.
    pub(super) fn procedures(&self) -> impl Iterator<Item = (&Uri, PeerId)> {
        self.registrations.values().map(|registration| (&registration.procedure, registration.callee))
    }

    /// How many invocations are unanswered.
    pub(super) fn pending_invocations(&self) -> usize {
        self.callees.values().map(|callee| callee.invocations.len()).sum()
    }

    fn end(&mut self, registration: RegistrationId) {
        if let Some(ended) = self.registrations.remove(&registration) {
            self.procedures.remove(&ended.procedure);
        }
    }

    /// Notes that nobody waits for an invocation any more; it stays unanswered until the callee answers or leaves.
    fn forget_caller(&mut self, Invoked { callee, request }: Invoked) {
        let callee = self.callees.get_mut(&callee);
        if let Some(call) = callee.and_then(|callee| callee.invocations.get_mut(&request)) {
            *call = None;
        }
    }

    /// The call behind an unanswered invocation.
    fn pending(&self, callee: PeerId, request: RequestId) -> Result<Option<Called>, Violation> {
        let invocation = self.callees.get(&callee).and_then(|callee| callee.invocations.get(&request));
        invocation.copied().ok_or_else(|| Violation::new("the answer is to no invocation that waits for one"))
    }

    /// Ends an invocation, and its call: `None` if nobody waits for it any more.
    fn answered(&mut self, callee: PeerId, request: RequestId) -> Result<Option<Called>, Violation> {
        let call = self.pending(callee, request)?;
        if let Some(callee) = self.callees.get_mut(&callee) {
            callee.invocations.remove(&request);
        }
        match call {
            None => self.discarded_answers += 1,
            Some(Called { caller, request }) => {
                if let Some(calls) = self.callers.get_mut(&caller) {
                    calls.remove(&request);
                }
            }
        }
        Ok(call)
    }
}

/// Forwards the answer to a call, or says why that cannot be.
fn deliver(peers: &mut Peers, Called { caller, request }: Called, answer: &Message) {
    if let Err(undeliverable) = peers.forward(caller, answer) {
        refuse(peers, caller, MessageType::Call, request, undeliverable.uri());
    }
}
