//! Request ids, and the requests that wait for their answer.

use std::collections::{BTreeMap, btree_map};

use wamp_proto::{MessageType, RequestId};

use super::deadlines::DeadlineId;
use super::subscriber::WantedKey;
use crate::{CallKey, PublishKey, RegistrationKey, SubscriptionKey};

/// A request on the wire, and who waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    Call(CallKey),
    Publish(PublishKey),
    Subscribe(WantedKey),
    /// An UNSUBSCRIBE; `None` if it undoes a subscription that nobody wanted any more when it was confirmed.
    Unsubscribe(Option<SubscriptionKey>, Option<DeadlineId>),
    /// A REGISTER; `None` if nobody waits any more, so that a registration is to be undone.
    Register(Option<RegistrationKey>),
    /// An UNREGISTER; `None` if it undoes a registration.
    Unregister(Option<RegistrationKey>, Option<DeadlineId>),
}

impl Request {
    const fn message_type(self) -> MessageType {
        match self {
            Self::Call(_) => MessageType::Call,
            Self::Publish(_) => MessageType::Publish,
            Self::Subscribe(_) => MessageType::Subscribe,
            Self::Unsubscribe(..) => MessageType::Unsubscribe,
            Self::Register(_) => MessageType::Register,
            Self::Unregister(..) => MessageType::Unregister,
        }
    }
}

/// The request ids of one session.
#[derive(Debug)]
pub(super) struct Requests {
    next: RequestId,
    waiting: BTreeMap<RequestId, Request>,
}

impl Default for Requests {
    fn default() -> Self {
        Self { next: RequestId::MIN, waiting: BTreeMap::new() }
    }
}

impl Requests {
    /// The next request id: after 2^53 comes 1, and ids that still wait for an answer are left out.
    pub(super) fn next(&self) -> RequestId {
        let mut id = self.next;
        while self.waiting.contains_key(&id) {
            id = id.next();
        }
        id
    }

    /// Uses a request id, for a request that waits for an answer or not.
    pub(super) fn assign(&mut self, id: RequestId, request: Option<Request>) {
        self.next = id.next();
        if let Some(request) = request {
            self.waiting.insert(id, request);
        }
    }

    /// Takes the request that an answer belongs to: both the id and the type must fit.
    pub(super) fn answered(&mut self, id: RequestId, message: MessageType) -> Option<Request> {
        match self.waiting.entry(id) {
            btree_map::Entry::Occupied(entry) if entry.get().message_type() == message => Some(entry.remove()),
            btree_map::Entry::Occupied(_) | btree_map::Entry::Vacant(_) => None,
        }
    }

    /// Takes a request that is given up.
    pub(super) fn forget(&mut self, id: RequestId) -> Option<Request> {
        self.waiting.remove(&id)
    }

    /// The type of a request that waits.
    pub(super) fn message_type(&self, id: RequestId) -> Option<MessageType> {
        self.waiting.get(&id).map(|request| request.message_type())
    }

    /// Keeps waiting for the answer of a REGISTER, only to undo it.
    pub(super) fn give_up_register(&mut self, id: RequestId) {
        if let Some(request @ Request::Register(_)) = self.waiting.get_mut(&id) {
            *request = Request::Register(None);
        }
    }

    pub(super) fn set_deadline(&mut self, id: RequestId, set: Option<DeadlineId>) {
        if let Some(Request::Unsubscribe(_, deadline) | Request::Unregister(_, deadline)) = self.waiting.get_mut(&id) {
            *deadline = set;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Ends all requests, and starts again at 1.
    pub(super) fn reset(&mut self) -> impl Iterator<Item = Request> + use<> {
        core::mem::take(self).waiting.into_values()
    }
}

#[cfg(test)]
mod tests {
    use wamp_proto::MAX_ID;

    use super::*;

    #[test]
    fn id_03_request_ids_start_at_1() {
        let mut requests = Requests::default();
        for number in 1..=3 {
            let id = requests.next();
            assert_eq!(id.get(), number);
            requests.assign(id, None);
        }
    }

    #[test]
    fn id_04_request_ids_wrap_after_2_to_the_53rd() {
        let mut requests = Requests { next: RequestId::MAX, ..Requests::default() };
        let ids: Vec<u64> = (0..3)
            .map(|_| {
                let id = requests.next();
                requests.assign(id, None);
                id.get()
            })
            .collect();
        assert_eq!(ids, [MAX_ID, 1, 2]);
    }

    #[test]
    fn id_05_ids_that_still_wait_are_left_out() {
        let mut requests = Requests::default();
        requests.assign(requests.next(), Some(Request::Call(CallKey(1))));
        requests.next = RequestId::MAX;
        requests.assign(requests.next(), None);
        assert_eq!(requests.next().get(), 2);
    }

    #[test]
    fn an_answer_of_another_type_leaves_the_request_waiting() {
        let mut requests = Requests::default();
        requests.assign(RequestId::MIN, Some(Request::Call(CallKey(1))));
        assert!(requests.answered(RequestId::MIN, MessageType::Subscribe).is_none());
        assert!(requests.answered(RequestId::MIN, MessageType::Call).is_some());
        assert_eq!(requests.len(), 0);
    }
}
