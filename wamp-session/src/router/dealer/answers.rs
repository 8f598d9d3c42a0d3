//! How calls are answered: YIELD and ERROR of a callee.

use wamp_proto::{CallResult, Error, ErrorDetails, Message, MessageType, ResultDetails, Yield};

use super::Dealer;
use super::calls::Called;
use crate::router::peer::Peers;
use crate::router::{PeerId, Violation, refuse};

impl Dealer {
    pub(in crate::router) fn yielded(
        &mut self,
        peers: &mut Peers,
        callee: PeerId,
        answer: Yield,
    ) -> Result<(), Violation> {
        let Yield { request, options, payload } = answer;
        if options.ppt_scheme.is_some() {
            return Err(Violation::new("YIELD uses payload passthru mode, which the dealer does not announce"));
        }
        if options.progress == Some(true) {
            // No caller is ever said to take progressive results, so that this one is nobody's.
            return self.calls.invoked(callee, request).map(|_| self.discarded_answers += 1);
        }
        match self.calls.answered(callee, request)? {
            Some(call) => {
                let result = CallResult { request: call.request, details: ResultDetails::default(), payload };
                deliver(peers, call, &result.into());
            }
            None => self.discarded_answers += 1,
        }
        Ok(())
    }

    pub(in crate::router) fn failed(
        &mut self,
        peers: &mut Peers,
        callee: PeerId,
        answer: Error,
    ) -> Result<(), Violation> {
        let Error { request_type, request, details, error, payload } = answer;
        if request_type != MessageType::Invocation {
            return Err(Violation::new("ERROR answers something else than an INVOCATION"));
        }
        if details.ppt_scheme.is_some() {
            return Err(Violation::new("ERROR uses payload passthru mode, which the dealer does not announce"));
        }
        match self.calls.answered(callee, request)? {
            Some(call) => {
                let request_type = MessageType::Call;
                let details = ErrorDetails::default();
                let error = Error { request_type, request: call.request, details, error, payload };
                deliver(peers, call, &error.into());
            }
            None => self.discarded_answers += 1,
        }
        Ok(())
    }
}

/// Forwards the answer to a call, or says why that cannot be.
fn deliver(peers: &mut Peers, Called { caller, request }: Called, answer: &Message) {
    if let Err(undeliverable) = peers.forward(caller, answer) {
        refuse(peers, caller, MessageType::Call, request, undeliverable.uri());
    }
}
