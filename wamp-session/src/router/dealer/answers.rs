//! How calls are answered: YIELD and ERROR of a callee (WAMP Basic Profile, "Calling and Invocations"; Advanced Profile, "Progressive Call
//! Results", "Call Re-Routing").

use std::sync::Arc;

use wamp_proto::{CallResult, Error, ErrorDetails, MessageType, Payload, ResultDetails, Role, Yield};

use super::Dealer;
use super::calls::{Called, Invocation, Invoked, Spare};
use crate::passthru::Passthru;
use crate::router::ids::Ids;
use crate::router::peer::{Peers, Undeliverable};
use crate::router::{PeerId, RealmConfig, Violation, passthru, refuse};

impl Dealer {
    pub(in crate::router) fn yielded(
        &mut self,
        peers: &mut Peers,
        callee: PeerId,
        answer: Yield,
    ) -> Result<(), Violation> {
        let Yield { request, options, payload } = answer;
        let invoked = Invoked { callee, request };
        let quirks = peers.quirks;
        let passthru = match passthru::sent_by(peers, callee, Role::Callee, MessageType::Yield, &options) {
            Err(violation) if quirks.has_error_to_yield() => {
                if let Some(Invocation { call: Some(call), .. }) = self.calls.remove(invoked) {
                    refuse(peers, call.caller, MessageType::Yield, request, passthru::NOT_SUPPORTED);
                }
                return Err(violation);
            }
            passthru => passthru?,
        };
        if self.is_cancelled_by_kill(peers, invoked) {
            return Ok(());
        }
        if options.progress == Some(true) && !self.ends_with_progress(peers, invoked) {
            return self.progressed(peers, invoked, passthru.as_ref(), payload);
        }
        let Some(Invocation { call: Some(call), .. }) = self.answered(peers, invoked)? else {
            self.discarded_answers += 1;
            return Ok(());
        };
        if !passthru::is_taken_by(peers, call.caller, Role::Caller, passthru.as_ref()) {
            refuse(peers, callee, MessageType::Yield, request, passthru::NOT_SUPPORTED);
            if !quirks.has_error_to_yield() {
                refuse(peers, call.caller, MessageType::Call, call.request, passthru::NOT_SUPPORTED);
            }
            return Ok(());
        }
        if let Err(undeliverable) = result(peers, callee, call, false, passthru.as_ref(), payload) {
            refuse(peers, call.caller, MessageType::Call, call.request, undeliverable.uri());
        }
        Ok(())
    }

    /// Ends the invocation that a callee answers: `None` if it was interrupted before.
    fn answered(&mut self, peers: &Peers, invoked: Invoked) -> Result<Option<Invocation>, Violation> {
        match self.calls.answered(invoked) {
            Err(_) if peers.quirks.has_ignore_stray_answers() => Ok(None),
            answered => answered,
        }
    }

    /// Whether a part of a result counts as the result.
    fn ends_with_progress(&self, peers: &Peers, invoked: Invoked) -> bool {
        let is_asked_for = self.calls.get(invoked).is_none_or(Invocation::takes_progress);
        peers.quirks.has_progress_ends_call() && !is_asked_for
    }

    /// A part of a result.
    fn progressed(
        &mut self,
        peers: &mut Peers,
        invoked: Invoked,
        sealed: Option<&Passthru>,
        payload: Payload,
    ) -> Result<(), Violation> {
        let Some(invocation) = self.calls.get(invoked) else {
            if !self.calls.is_interrupted(invoked) && !peers.quirks.has_ignore_stray_answers() {
                return Err(Violation::new("the answer is to no invocation that waits for one"));
            }
            self.discarded_answers += 1;
            self.stop_late_progress(peers, invoked);
            return Ok(());
        };
        let takes_progress = invocation.takes_progress() || peers.quirks.has_unsolicited_progress();
        let (Some(call), true) = (invocation.call, takes_progress) else {
            let is_late = invocation.call.is_none();
            self.discarded_answers += 1;
            if is_late {
                self.stop_late_progress(peers, invoked);
            }
            return Ok(());
        };
        if !passthru::is_taken_by(peers, call.caller, Role::Caller, sealed) {
            refuse(peers, invoked.callee, MessageType::Yield, invoked.request, passthru::NOT_SUPPORTED);
            // The caller cannot do without it.
            self.abandon(peers, invoked, passthru::NOT_SUPPORTED);
            return Ok(());
        }
        if let Some(timeout) = invocation.timeout {
            self.calls.set_deadline(invoked, peers.now.checked_add(timeout));
        }
        self.calls.keep_nothing(invoked);
        if let Err(undeliverable) = result(peers, invoked.callee, call, true, sealed, payload) {
            // The caller cannot do without it.
            self.abandon(peers, invoked, undeliverable.uri());
        }
        Ok(())
    }

    pub(in crate::router) fn failed(
        &mut self,
        config: &RealmConfig,
        peers: &mut Peers,
        ids: &mut Ids,
        callee: PeerId,
        answer: Error,
    ) -> Result<(), Violation> {
        let Error { request_type, request, details, error, payload } = answer;
        if request_type != MessageType::Invocation {
            return Err(Violation::new("ERROR answers something else than an INVOCATION"));
        }
        let sealed = passthru::sent_by(peers, callee, Role::Callee, MessageType::Error, &details)?;
        let invoked = Invoked { callee, request };
        if self.is_cancelled_by_kill(peers, invoked) {
            return Ok(());
        }
        let answered = self.answered(peers, invoked)?;
        let Some(Invocation { call: Some(call), registration, spare, is_killed, .. }) = answered else {
            self.discarded_answers += 1;
            return Ok(());
        };
        let is_declined = error == "wamp.error.unavailable" && !is_killed;
        match spare {
            Spare::Call(wanted) if is_declined => {
                if let Err(error) = self.invoke(config, peers, ids, registration, call, *wanted) {
                    refuse(peers, call.caller, MessageType::Call, call.request, error);
                }
            }
            Spare::Alone if is_declined => {
                refuse(peers, call.caller, MessageType::Call, call.request, "wamp.error.no_available_callee");
            }
            Spare::Nothing | Spare::Alone | Spare::Call(_) => {
                let request_type = MessageType::Call;
                let own = details.extra;
                let mut details = ErrorDetails::default();
                details.extra = own;
                let payload = if passthru::is_taken_by(peers, call.caller, Role::Caller, sealed.as_ref()) {
                    passthru::forward(sealed.as_ref(), &mut details);
                    payload
                } else {
                    // What went wrong matters more than its arguments.
                    Payload::new()
                };
                let error = Error { request_type, request: call.request, details, error, payload };
                if let Err(undeliverable) = peers.forward(call.caller, &error.into()) {
                    refuse(peers, call.caller, MessageType::Call, call.request, undeliverable.uri());
                }
            }
        }
        Ok(())
    }
}

/// Forwards a result or a part of it.
fn result(
    peers: &mut Peers,
    callee: PeerId,
    call: Called,
    more: bool,
    sealed: Option<&Passthru>,
    payload: Payload,
) -> Result<(), Undeliverable> {
    let mut details = ResultDetails::default();
    passthru::forward(sealed, &mut details);
    if peers.quirks.has_disclose_callees()
        && let Some(callee) = peers.member(callee)
    {
        details.callee = Some(callee.session);
        details.callee_authid = Some(Arc::clone(&callee.authid));
        details.callee_authrole = Some(Arc::clone(&callee.authrole));
    }
    details.progress = more.then_some(true);
    peers.forward(call.caller, &CallResult { request: call.request, details, payload }.into())
}
