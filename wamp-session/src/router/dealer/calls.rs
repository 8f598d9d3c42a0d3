//! The calls that are under way, and how they come to be (WAMP Basic Profile, "Calling and Invocations").

use std::collections::BTreeMap;

use wamp_proto::{Call, Cancel, Invocation, InvocationDetails, MessageType, RequestId};

use super::Dealer;
use crate::router::peer::Peers;
use crate::router::{PeerId, Violation, refuse};

/// The calls of a realm, each under the names that its two ends have for it.
#[derive(Default)]
pub(super) struct Calls {
    /// The unanswered calls of each caller, and the invocation that each has become.
    callers: BTreeMap<PeerId, BTreeMap<RequestId, Invoked>>,
    callees: BTreeMap<PeerId, Callee>,
}

struct Callee {
    /// The id of the next INVOCATION.
    next: RequestId,
    /// The unanswered invocations, each with its call, if the caller still waits.
    invocations: BTreeMap<RequestId, Option<Called>>,
}

/// A call by its caller's name.
#[derive(Clone, Copy)]
pub(super) struct Called {
    pub(super) caller: PeerId,
    pub(super) request: RequestId,
}

/// A call by its callee's name.
#[derive(Clone, Copy)]
struct Invoked {
    callee: PeerId,
    request: RequestId,
}

impl Default for Callee {
    fn default() -> Self {
        Self { next: RequestId::MIN, invocations: BTreeMap::new() }
    }
}

impl Calls {
    /// How many invocations are unanswered.
    pub(super) fn pending(&self) -> usize {
        self.callees.values().map(|callee| callee.invocations.len()).sum()
    }

    /// The call behind an unanswered invocation.
    pub(super) fn invoked(&self, callee: PeerId, request: RequestId) -> Result<Option<Called>, Violation> {
        let invocation = self.callees.get(&callee).and_then(|callee| callee.invocations.get(&request));
        invocation.copied().ok_or_else(|| Violation::new("the answer is to no invocation that waits for one"))
    }

    /// Ends an invocation, and its call: `None` if nobody waits for it any more.
    pub(super) fn answered(&mut self, callee: PeerId, request: RequestId) -> Result<Option<Called>, Violation> {
        let call = self.invoked(callee, request)?;
        if let Some(callee) = self.callees.get_mut(&callee) {
            callee.invocations.remove(&request);
        }
        if let Some(Called { caller, request }) = call
            && let Some(calls) = self.callers.get_mut(&caller)
        {
            calls.remove(&request);
        }
        Ok(call)
    }

    /// Ends the calls of a session, and returns those that it was to answer.
    pub(super) fn leave(&mut self, id: PeerId) -> Vec<Called> {
        for invoked in self.callers.remove(&id).unwrap_or_default().into_values() {
            self.forget_caller(invoked);
        }
        let callee = self.callees.remove(&id).unwrap_or_default();
        let calls: Vec<Called> = callee.invocations.into_values().flatten().collect();
        for Called { caller, request } in &calls {
            if let Some(calls) = self.callers.get_mut(caller) {
                calls.remove(request);
            }
        }
        calls
    }

    /// Notes that nobody waits for an invocation any more; it stays unanswered until the callee answers or leaves.
    fn forget_caller(&mut self, Invoked { callee, request }: Invoked) {
        let callee = self.callees.get_mut(&callee);
        if let Some(call) = callee.and_then(|callee| callee.invocations.get_mut(&request)) {
            *call = None;
        }
    }
}

impl Dealer {
    pub(in crate::router) fn call(&mut self, peers: &mut Peers, caller: PeerId, call: Call) -> Result<(), Violation> {
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
        let Some(registration) = self.registry.serving(&procedure) else {
            refuse(peers, "wamp.error.no_such_procedure");
            return Ok(());
        };
        let callee_id = registration.callee;
        let callee = self.calls.callees.entry(callee_id).or_default();
        let calls = self.calls.callers.entry(caller).or_default();
        if calls.len() >= peers.limits.calls || callee.invocations.len() >= peers.limits.calls {
            refuse(peers, "wamp.error.unavailable");
            return Ok(());
        }
        let details = InvocationDetails::default();
        let invocation = Invocation { request: callee.next, registration: registration.id, details, payload };
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
    pub(in crate::router) fn cancel(&mut self, peers: &mut Peers, caller: PeerId, cancel: &Cancel) {
        let calls = self.calls.callers.get_mut(&caller);
        // The result may have crossed the CANCEL.
        let Some(invoked) = calls.and_then(|calls| calls.remove(&cancel.request)) else { return };
        self.calls.forget_caller(invoked);
        refuse(peers, caller, MessageType::Call, cancel.request, "wamp.error.canceled");
    }
}
