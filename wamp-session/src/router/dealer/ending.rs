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
                    interrupt(peers, invoked, CancelMode::Kill, None);
                }
            }
            CancelMode::KillNoWait => self.end(peers, invoked, CANCELED, true),
            // What else cannot be done comes to this.
            _ => self.end(peers, invoked, CANCELED, false),
        }
    }

    /// Ends a call of which the callee has got a part, and does not get the rest.
    pub(super) fn abandon(&mut self, peers: &mut Peers, invoked: Invoked, error: &'static str) {
        self.end(peers, invoked, error, true);
    }

    /// Ends the calls whose time is over.
    pub(in crate::router) fn expire(&mut self, peers: &mut Peers) {
        while let Some(invoked) = self.calls.expired(peers.now) {
            let error = if peers.quirks.has_timeouts_cancel() { CANCELED } else { TIMEOUT };
            self.end(peers, invoked, error, true);
        }
    }

    /// Ends the registrations and calls of a session, and the calls that it was to answer.
    pub(in crate::router) fn leave(&mut self, peers: &mut Peers, id: PeerId) {
        self.registry.leave(id);
        for invoked in self.calls.made_by(id) {
            self.calls.forget_caller(invoked);
            if !peers.quirks.has_no_interrupt_on_leave() {
                self.stop(peers, invoked, None);
            }
        }
        for call in self.calls.leave(id) {
            refuse(peers, call.caller, MessageType::Call, call.request, CANCELED);
        }
    }

    /// Answers a call with an error of the dealer's own; the callee is interrupted, if it is to be and can be.
    fn end(&mut self, peers: &mut Peers, invoked: Invoked, error: &'static str, stop: bool) {
        let Some(call) = self.calls.forget_caller(invoked) else { return };
        refuse(peers, call.caller, MessageType::Call, call.request, error);
        if stop {
            self.stop(peers, invoked, (error == TIMEOUT).then_some(error));
        }
    }

    /// Interrupts a callee without waiting for its answer, if it is interruptible; otherwise it goes on, and its answer is discarded.
    fn stop(&mut self, peers: &mut Peers, invoked: Invoked, reason: Option<&'static str>) {
        let Some(invocation) = self.calls.get(invoked) else { return };
        // One that was interrupted before is to answer that.
        if invocation.is_killed || !is_interruptible(peers, invoked) {
            return;
        }
        self.calls.interrupt(invoked, peers.limits.calls);
        interrupt(peers, invoked, CancelMode::KillNoWait, reason);
    }
}

fn is_interruptible(peers: &Peers, invoked: Invoked) -> bool {
    peers.announces(invoked.callee, Role::Callee, Feature::CallCanceling)
}

fn interrupt(peers: &mut Peers, invoked: Invoked, mode: CancelMode, reason: Option<&'static str>) {
    let mut options = InterruptOptions::default();
    options.mode = Some(mode.as_str().into());
    options.reason = reason.map(Into::into);
    peers.send(invoked.callee, &Interrupt { request: invoked.request, options }.into());
}
