//! How calls end without an answer: CANCEL, a timeout, a session that leaves (WAMP Advanced Profile, "Call Canceling", "Call Timeouts";
//! Basic Profile, "Caller Leaving", "Callee Leaving").

use wamp_proto::{Cancel, CancelMode, Interrupt, InterruptOptions, MessageType, Role};

use super::Dealer;
use super::calls::Invoked;
use crate::Feature;
use crate::router::peer::Peers;
use crate::router::{PeerId, refuse};

const CANCELED: &str = "wamp.error.canceled";
const TIMEOUT: &str = "wamp.error.timeout";

impl Dealer {
    /// A caller takes a call back. Without a mode, the callee is interrupted and not waited for, as other routers do.
    pub(in crate::router) fn cancel(&mut self, peers: &mut Peers, caller: PeerId, cancel: &Cancel) {
        // The result may have crossed the CANCEL.
        let Some(invoked) = self.calls.invoked(caller, cancel.request) else { return };
        let Some(invocation) = self.calls.get_mut(invoked) else { return };
        let mode = cancel.options.mode.unwrap_or(CancelMode::KillNoWait);
        if peers.quirks.silences(mode, is_interruptible(peers, invoked)) {
            self.calls.forget_caller(invoked);
            return;
        }
        match mode {
            CancelMode::Kill if is_interruptible(peers, invoked) => {
                if !core::mem::replace(&mut invocation.is_killed, true) {
                    interrupt(peers, invoked, Some(mode), None);
                }
            }
            CancelMode::KillNoWait => {
                let is_silent = cancel.options.mode.is_none() && peers.quirks.has_interrupt_without_mode();
                self.end(peers, invoked, CANCELED);
                self.stop(peers, invoked, (!is_silent).then_some(mode), None);
            }
            // What else cannot be done comes to this.
            _ => self.end(peers, invoked, CANCELED),
        }
    }

    /// Ends a call of which the callee has got a part, and does not get the rest.
    pub(super) fn abandon(&mut self, peers: &mut Peers, invoked: Invoked, error: &'static str) {
        self.end(peers, invoked, error);
        self.stop(peers, invoked, Some(CancelMode::KillNoWait), None);
    }

    /// Ends the calls whose time is over.
    pub(in crate::router) fn expire(&mut self, peers: &mut Peers) {
        while let Some(invoked) = self.calls.expired(peers.now) {
            let is_canceled = peers.quirks.has_timeouts_cancel();
            if !is_canceled {
                self.end(peers, invoked, TIMEOUT);
            } else if self.caller_announces(peers, invoked, Feature::CallCanceling) {
                self.end(peers, invoked, CANCELED);
            } else {
                self.calls.forget_caller(invoked);
            }
            self.stop(peers, invoked, Some(CancelMode::KillNoWait), (!is_canceled).then_some(TIMEOUT));
        }
    }

    /// Ends the registrations and calls of a session, and the calls that it was to answer.
    pub(in crate::router) fn leave(&mut self, peers: &mut Peers, id: PeerId) {
        self.registry.leave(id);
        for invoked in self.calls.made_by(id) {
            if invoked.callee == id && peers.quirks.has_answers_after_goodbye() {
                continue;
            }
            self.calls.forget_caller(invoked);
            if !peers.quirks.has_no_interrupt_on_leave() {
                self.stop(peers, invoked, Some(CancelMode::KillNoWait), None);
            }
        }
        let unanswered = self.calls.leave(id);
        if !peers.quirks.has_no_cancel_on_leave() {
            for call in unanswered {
                refuse(peers, call.caller, MessageType::Call, call.request, CANCELED);
            }
        }
    }

    /// Answers a call that was killed with `wamp.error.canceled`, and says whether it was, if its callee has no say in that.
    pub(super) fn is_cancelled_by_kill(&mut self, peers: &mut Peers, invoked: Invoked) -> bool {
        let is_killed = self.calls.get(invoked).is_some_and(|invocation| invocation.is_killed);
        if !is_killed || !peers.quirks.has_kill_cancels() {
            return false;
        }
        self.end(peers, invoked, CANCELED);
        self.calls.remove(invoked);
        true
    }

    /// Interrupts a callee because of a part of a result that nobody waits for, if the router does so.
    pub(super) fn stop_late_progress(&mut self, peers: &mut Peers, invoked: Invoked) {
        if !peers.quirks.has_interrupt_late_progress() {
            return;
        }
        if self.calls.get(invoked).is_some() {
            self.stop(peers, invoked, Some(CancelMode::KillNoWait), None);
        } else if is_interruptible(peers, invoked) {
            interrupt(peers, invoked, Some(CancelMode::KillNoWait), None);
        }
    }

    fn caller_announces(&self, peers: &Peers, invoked: Invoked, feature: Feature) -> bool {
        let call = self.calls.get(invoked).and_then(|invocation| invocation.call);
        call.is_some_and(|call| peers.announces(call.caller, Role::Caller, feature))
    }

    /// Answers a call with an error of the dealer's own.
    fn end(&mut self, peers: &mut Peers, invoked: Invoked, error: &'static str) {
        let Some(call) = self.calls.forget_caller(invoked) else { return };
        refuse(peers, call.caller, MessageType::Call, call.request, error);
    }

    /// Interrupts a callee without waiting for its answer, if it is interruptible; otherwise it goes on, and its answer is discarded.
    fn stop(&mut self, peers: &mut Peers, invoked: Invoked, mode: Option<CancelMode>, reason: Option<&'static str>) {
        let Some(invocation) = self.calls.get(invoked) else { return };
        // One that was interrupted before is to answer that.
        if invocation.is_killed || !is_interruptible(peers, invoked) {
            return;
        }
        self.calls.interrupt(invoked, peers.limits.calls);
        interrupt(peers, invoked, mode, reason);
    }
}

fn is_interruptible(peers: &Peers, invoked: Invoked) -> bool {
    peers.announces(invoked.callee, Role::Callee, Feature::CallCanceling)
}

fn interrupt(peers: &mut Peers, invoked: Invoked, mode: Option<CancelMode>, reason: Option<&'static str>) {
    let mut options = InterruptOptions::default();
    options.mode = mode.map(|mode| mode.as_str().into());
    let reason = reason.or_else(|| peers.quirks.has_interrupt_with_reason().then_some(CANCELED));
    options.reason = reason.map(Into::into);
    peers.send(invoked.callee, &Interrupt { request: invoked.request, options }.into());
}
