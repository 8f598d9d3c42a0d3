//! How calls become invocations (WAMP Basic Profile, "Calling and Invocations"; Advanced Profile, "Progressive Call Invocations", "Call
//! Timeouts", "Caller Identification").

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use wamp_proto::{
    Call, CallOptions, Dict, InvocationDetails, MatchPolicy, MessageType, Payload, RegistrationId, RequestId, Role,
};

use super::Dealer;
use super::calls::{Called, Invocation, Spare, SpareCall};
use super::registry::Terms;
use super::sharing::Pick;
use crate::Feature;
use crate::passthru::Attributes as _;
use crate::router::ids::Ids;
use crate::router::peer::Peers;
use crate::router::{Disclosure, PeerId, RealmConfig, Violation, passthru, refuse};

const UNAVAILABLE: &str = "wamp.error.unavailable";

/// The mode of sharded calls that is built: one callee for one key.
const PARTITION: &str = "partition";

impl Dealer {
    /// A new call.
    pub(in crate::router) fn call(
        &mut self,
        config: &RealmConfig,
        peers: &mut Peers,
        ids: &mut Ids,
        caller: PeerId,
        call: Call,
    ) -> Result<(), Violation> {
        let Call { request, mut options, procedure, payload } = call;
        passthru::sent_by(peers, caller, Role::Caller, MessageType::Call, &options)?;
        // They are for the router, which does not know them.
        options.extra = Dict::new();
        let expires = timeout_of(&options).and_then(|timeout| peers.now.checked_add(timeout));
        let held = peers.frame_bytes;
        let call = SpareCall { options, procedure, payload, tried: BTreeSet::new(), expires, held };
        if let Err(error) = self.begin(config, peers, ids, Called { caller, request }, call) {
            refuse(peers, caller, MessageType::Call, request, error);
        }
        Ok(())
    }

    /// Gives a call to a callee, or says why that cannot be.
    fn begin(
        &mut self,
        config: &RealmConfig,
        peers: &mut Peers,
        ids: &mut Ids,
        call: Called,
        wanted: SpareCall,
    ) -> Result<(), &'static str> {
        let authrole = peers.member(call.caller).map_or("", |caller| &caller.authrole);
        check_options(config.disclosure_of(authrole), &wanted.options)?;
        if self.calls.of_caller(call.caller) >= peers.limits.calls {
            return Err(UNAVAILABLE);
        }
        let registration =
            self.registry.serving(peers.quirks, &wanted.procedure).ok_or("wamp.error.no_such_procedure")?;
        self.invoke(config, peers, ids, registration, call, wanted)
    }

    /// Gives a call to a callee of a registration that has not declined it yet.
    pub(super) fn invoke(
        &mut self,
        config: &RealmConfig,
        peers: &mut Peers,
        ids: &mut Ids,
        registration: RegistrationId,
        call: Called,
        wanted: SpareCall,
    ) -> Result<(), &'static str> {
        let callee = self.pick(peers, ids, registration, &wanted)?;
        let is_progressive = wanted.options.progress == Some(true);
        if is_progressive && !supports(peers, callee, Feature::ProgressiveCallInvocations) {
            return Err("wamp.error.feature_not_supported");
        }
        if !passthru::is_taken_by(peers, callee, Role::Callee, wanted.options.passthru().as_ref()) {
            return Err(passthru::NOT_SUPPORTED);
        }
        let mut invocation =
            Invocation::new(call, registration, self.details_of(config, peers, registration, callee, call, &wanted));
        let is_shared = peers.quirks.has_shared_invocation_ids();
        let request = self.calls.next(callee, is_shared);
        // Encoded first: an INVOCATION that cannot be sent uses no id.
        let payload = wanted.payload.clone();
        let frame = frame_of(peers, callee, request, &invocation, is_progressive, payload)?;
        invocation.input = is_progressive.then(|| wanted.procedure.clone());
        let is_forwarded = invocation.details.timeout.is_some() && !peers.quirks.has_tell_timeouts();
        let expires = wanted.expires.filter(|_| !is_forwarded);
        invocation.timeout = timeout_of(&wanted.options).filter(|_| !is_forwarded);
        invocation.spare = self.spare_of(peers, registration, callee, wanted);
        let invoked = self.calls.begin(callee, is_shared, invocation);
        self.calls.set_deadline(invoked, expires);
        peers.send_frame(callee, frame);
        Ok(())
    }

    /// Picks a callee of a registration that has room for a call.
    fn pick(
        &mut self,
        peers: &Peers,
        ids: &mut Ids,
        id: RegistrationId,
        wanted: &SpareCall,
    ) -> Result<PeerId, &'static str> {
        let calls = &self.calls;
        let registration = self.registry.get_mut(id).ok_or("wamp.error.no_available_callee")?;
        let is_busy = |callee: PeerId, terms: Terms| {
            terms.concurrency.is_some_and(|concurrency| calls.running(callee, id) >= concurrency)
        };
        let has_room =
            |callee: PeerId, terms: Terms| calls.of_callee(callee) < peers.limits.calls && !is_busy(callee, terms);
        let key = wanted.options.rkey.as_deref().filter(|_| wanted.options.runmode.is_some());
        let pick = Pick { tried: &wanted.tried, key };
        if let Some(callee) = registration.pick(ids, &pick, has_room) {
            return Ok(callee);
        }
        let mut left = registration.callees.iter().copied().filter(|callee| !wanted.tried.contains(callee)).peekable();
        Err(if left.peek().is_none() {
            "wamp.error.no_available_callee"
        } else if left.any(|callee| is_busy(callee, registration.terms(callee))) {
            "crossbar.error.max_concurrency_reached"
        } else {
            UNAVAILABLE
        })
    }

    /// What a callee is told of a call.
    fn details_of(
        &self,
        config: &RealmConfig,
        peers: &Peers,
        registration: RegistrationId,
        callee: PeerId,
        call: Called,
        wanted: &SpareCall,
    ) -> InvocationDetails {
        let mut details = InvocationDetails::default();
        let (Some(registration), Some(caller)) = (self.registry.get(registration), peers.member(call.caller)) else {
            return details;
        };
        let (options, terms) = (&wanted.options, registration.terms(callee));
        let is_asked = options.disclose_me == Some(true) || terms.disclose_caller;
        let quirks = peers.quirks;
        let knows_callers =
            !quirks.has_disclose_to_announced() || peers.announces(callee, Role::Callee, Feature::CallerIdentification);
        if discloses(config.disclosure_of(&caller.authrole), is_asked) && knows_callers {
            details.caller = Some(caller.session);
            details.caller_authid = Some(Arc::clone(&caller.authid));
            details.caller_authrole = Some(Arc::clone(&caller.authrole));
        }
        passthru::forward(options.passthru().as_ref(), &mut details);
        details.trustlevel = config.trustlevels.get(&caller.authrole).copied();
        details.procedure = (registration.policy != MatchPolicy::Exact).then(|| wanted.procedure.clone());
        let has_progress = caller.announces(Role::Caller, Feature::ProgressiveCallResults)
            && supports(peers, callee, Feature::ProgressiveCallResults);
        let takes_progress = has_progress || quirks.has_tell_receive_progress();
        details.receive_progress = options.receive_progress.filter(|is_wanted| *is_wanted && takes_progress);
        if quirks.has_tell_timeouts() {
            // As the caller has given it.
            let unit = if quirks.has_timeouts_in_seconds() { 1000 } else { 1 };
            details.timeout = options.timeout.map(|timeout| timeout / unit).filter(|timeout| *timeout > 0);
        } else if terms.forward_timeout && peers.announces(callee, Role::Callee, Feature::CallTimeout) {
            details.timeout = match wanted.expires {
                // What is left of it, if another callee has declined the call.
                Some(expires) => Some(whole_millis(expires.since(peers.now))),
                None => options.timeout.filter(|timeout| *timeout > 0),
            };
        }
        details
    }

    /// What to keep of a call in case that its callee declines it.
    fn spare_of(&self, peers: &Peers, registration: RegistrationId, callee: PeerId, mut wanted: SpareCall) -> Spare {
        let may_decline = peers.announces(callee, Role::Callee, Feature::CallReroute);
        // A key names one callee.
        let is_bound = wanted.options.progress == Some(true) || wanted.options.runmode.is_some();
        if !may_decline || is_bound || peers.quirks.has_no_rerouting() {
            return Spare::Nothing;
        }
        wanted.tried.insert(callee);
        let callees = self.registry.get(registration).map_or(&[][..], |registration| &registration.callees);
        if callees.iter().all(|callee| wanted.tried.contains(callee)) {
            return Spare::Alone;
        }
        wanted.compact();
        if self.calls.kept_bytes().saturating_add(wanted.bytes()) > peers.limits.reroute_bytes {
            return Spare::Nothing;
        }
        Spare::Call(Box::new(wanted))
    }

    /// Whether a call takes more input.
    pub(in crate::router) fn takes_input(&self, caller: PeerId, request: RequestId) -> bool {
        let invocation = self.calls.invoked(caller, request).and_then(|invoked| self.calls.get(invoked));
        invocation.is_some_and(|invocation| invocation.input.is_some())
    }

    /// More input for a call; if the call is over, the caller will learn that from its answer.
    pub(in crate::router) fn call_more(
        &mut self,
        peers: &mut Peers,
        caller: PeerId,
        call: Call,
    ) -> Result<(), Violation> {
        let Call { request, options, procedure, payload } = call;
        let Some(invoked) = self.calls.invoked(caller, request) else {
            self.discarded_calls += 1;
            return Ok(());
        };
        let Some(invocation) = self.calls.get_mut(invoked) else { return Ok(()) };
        if invocation.is_killed {
            self.discarded_calls += 1;
            return Ok(());
        }
        if invocation.input.as_ref() != Some(&procedure) {
            return Err(Violation::new(format!("CALL {request} continues no call of {procedure}")));
        }
        let more = options.progress == Some(true);
        let frame = frame_of(peers, invoked.callee, invoked.request, invocation, more, payload);
        if !more {
            invocation.input = None;
        }
        match frame {
            Ok(frame) => peers.send_frame(invoked.callee, frame),
            // The callee cannot do without it.
            Err(error) => self.abandon(peers, invoked, error),
        }
        Ok(())
    }
}

/// An INVOCATION; its details are those of the call's beginning.
fn frame_of(
    peers: &Peers,
    callee: PeerId,
    request: RequestId,
    invocation: &Invocation,
    more: bool,
    payload: Payload,
) -> Result<crate::Frame, &'static str> {
    let mut details = invocation.details.clone();
    details.progress = (more || peers.quirks.has_progress_false()).then_some(more);
    let message = wamp_proto::Invocation { request, registration: invocation.registration, details, payload };
    let format = peers.get(callee).map(|peer| peer.format).ok_or(UNAVAILABLE)?;
    peers.frame(format, &message.into()).map_err(|undeliverable| undeliverable.uri())
}

/// Why a call is refused whoever serves it, if it is.
fn check_options(disclosure: Disclosure, options: &CallOptions) -> Result<(), &'static str> {
    if options.disclose_me == Some(true) && disclosure == Disclosure::Denied {
        return Err("wamp.error.option_disallowed.disclose_me");
    }
    match options.runmode.as_deref() {
        None => Ok(()),
        Some(PARTITION) if options.rkey.is_some() => Ok(()),
        Some(PARTITION) => Err("wamp.error.invalid_argument"),
        Some(_) => Err("wamp.error.option_not_allowed"),
    }
}

fn discloses(disclosure: Disclosure, is_asked: bool) -> bool {
    match disclosure {
        Disclosure::OnRequest => is_asked,
        Disclosure::Always => true,
        Disclosure::Denied => false,
    }
}

/// Whether a callee has a feature for which it must be interruptible.
pub(super) fn supports(peers: &Peers, callee: PeerId, feature: Feature) -> bool {
    peers.announces(callee, Role::Callee, feature) && peers.announces(callee, Role::Callee, Feature::CallCanceling)
}

/// The timeout of a call; 0 is none.
fn timeout_of(options: &CallOptions) -> Option<Duration> {
    options.timeout.filter(|timeout| *timeout > 0).map(Duration::from_millis)
}

/// A duration in milliseconds, at least 1.
fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmo_01_what_is_left_is_rounded_up_and_never_0() {
        for (nanos, millis) in [(0, 1), (1, 1), (1_000_000, 1), (1_000_001, 2), (1_999_999, 2), (2_000_000, 2)] {
            assert_eq!(whole_millis(Duration::from_nanos(nanos)), millis, "{nanos} ns");
        }
    }
}
