//! The dealer of a realm: who serves which procedure, and which calls are under way (WAMP Basic Profile, "Remote
//! Procedure Calls").

mod answers;
mod calls;
mod registry;

use wamp_proto::{MessageType, Uri};

use self::calls::Calls;
use self::registry::Registry;
use super::peer::Peers;
use super::{PeerId, refuse};

#[derive(Default)]
pub(super) struct Dealer {
    registry: Registry,
    calls: Calls,
    /// Answers to calls that nobody waits for any more.
    pub(super) discarded_answers: u64,
}

impl Dealer {
    /// Ends the registrations and calls of a session, and the calls that it was to answer.
    pub(super) fn leave(&mut self, peers: &mut Peers, id: PeerId) {
        self.registry.leave(id);
        for call in self.calls.leave(id) {
            refuse(peers, call.caller, MessageType::Call, call.request, "wamp.error.canceled");
        }
    }

    /// The procedures that are registered, and who serves each.
    pub(super) fn procedures(&self) -> impl Iterator<Item = (&Uri, PeerId)> {
        self.registry.iter().map(|registration| (&registration.procedure, registration.callee))
    }

    /// How many invocations are unanswered.
    pub(super) fn pending_invocations(&self) -> usize {
        self.calls.pending()
    }
}
