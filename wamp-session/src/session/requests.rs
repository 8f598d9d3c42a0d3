//! Request ids, and the requests that wait for their answer.

use std::collections::{BTreeMap, btree_map};

use wamp_proto::{MatchPolicy, Message, MessageType, RequestId, Role, Uri, UriRule};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::outbound::frame;
use super::state::{Established, State};
use super::subscriber::WantedKey;
use crate::{CallKey, CommandError, PublishKey, RegistrationKey, RequestError, SubscriptionKey};

/// A request on the wire, and who waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    Call(CallKey),
    Publish(PublishKey),
    Subscribe(WantedKey),
    /// An UNSUBSCRIBE; `None` if it undoes a subscription that nobody wanted any more when it was confirmed.
    Unsubscribe(Option<SubscriptionKey>, Option<DeadlineId>),
    Register(RegistrationKey),
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

    /// A request that waits for its answer.
    pub(super) fn waiting(&self, id: RequestId) -> Option<Request> {
        self.waiting.get(&id).copied()
    }

    /// Takes a request that is given up.
    pub(super) fn forget(&mut self, id: RequestId) -> Option<Request> {
        self.waiting.remove(&id)
    }

    /// The type of a request that waits.
    pub(super) fn message_type(&self, id: RequestId) -> Option<MessageType> {
        self.waiting.get(&id).map(|request| request.message_type())
    }

    /// Gives the answer of a REGISTER to another registration, and says whether it is still to come.
    pub(super) fn adopt_register(&mut self, id: RequestId, key: RegistrationKey) -> bool {
        match self.waiting.get_mut(&id) {
            Some(request @ Request::Register(_)) => {
                *request = Request::Register(key);
                true
            }
            _ => false,
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

impl Session {
    /// Checks that the client has a role.
    pub(super) fn check_role(&self, role: Role) -> Result<(), CommandError> {
        if self.config.roles.contains(&role) { Ok(()) } else { Err(CommandError::NoRole(role)) }
    }

    /// Checks that the session takes requests.
    pub(super) fn check_room(&self) -> Result<(), CommandError> {
        if self.state.is_over() {
            return Err(CommandError::Closed);
        }
        let under_way = self.requests.len() + self.waiting.len() + self.events.answers();
        if under_way < self.config.limits.requests { Ok(()) } else { Err(CommandError::TooMany) }
    }

    /// Sends a request; only if it can be sent is a request id used.
    pub(super) fn request(
        &mut self,
        request: Option<Request>,
        message: impl FnOnce(RequestId) -> Message,
    ) -> Result<RequestId, CommandError> {
        let State::Joined(Established { transport, format, joined }) = &self.state else {
            return Err(CommandError::NotJoined);
        };
        let id = self.requests.next();
        let message = message(id);
        if let Some(roles) = &joined.details.roles {
            let role = router_role(message.message_type());
            if !roles.has(role) {
                return Err(CommandError::RouterLacks(role));
            }
        }
        self.check_features_of(&message)?;
        let frame = frame(message, *format, self.config.limits.message.message_bytes())?;
        if request.is_none() {
            self.outbound.publish(*transport, frame);
        } else {
            self.outbound.send(*transport, frame);
        }
        self.requests.assign(id, request);
        Ok(id)
    }

    /// Checks that neither end lacks a feature without which a message would not mean what it says.
    pub(super) fn check_features_of(&self, message: &Message) -> Result<(), CommandError> {
        self.config.check_features_of(message)?;
        match &self.state {
            State::Joined(Established { joined, .. }) => joined.check_features_of(message),
            _ => Err(CommandError::NotJoined),
        }
    }

    /// Limits how long the answer to an UNSUBSCRIBE or UNREGISTER is waited for.
    pub(super) fn limit_withdrawal(&mut self, request: RequestId, somebody_waits: bool) {
        if somebody_waits {
            let until = self.now.checked_add(self.config.request_timeout);
            let deadline = self.deadlines.set(until, Deadline::Withdraw(request));
            self.requests.set_deadline(request, deadline);
        }
    }

    /// An UNSUBSCRIBE or UNREGISTER was confirmed.
    pub(super) fn withdrawn(&mut self, request: RequestId, message: MessageType) {
        match self.requests.answered(request, message) {
            Some(request) => self.end_withdrawal(request, Ok(())),
            None => self.stats.unknown_answers += 1,
        }
    }

    pub(super) fn withdrawal_timed_out(&mut self, request: RequestId) {
        if let Some(request) = self.requests.forget(request) {
            self.end_withdrawal(request, Err(RequestError::Timeout { sent: true }));
        }
    }

    /// Ends an UNSUBSCRIBE or UNREGISTER.
    pub(super) fn end_withdrawal(&mut self, request: Request, result: Result<(), RequestError>) {
        match request {
            Request::Unsubscribe(key, deadline) => {
                self.deadlines.cancel(deadline);
                self.unsubscribed(key, result);
            }
            Request::Unregister(key, deadline) => {
                self.deadlines.cancel(deadline);
                self.unregistered(key, result);
            }
            Request::Call(_) | Request::Publish(_) | Request::Subscribe(_) | Request::Register(_) => {}
        }
    }

    /// Ends the UNSUBSCRIBEs and UNREGISTERs; the next session counts its requests from 1.
    pub(super) fn end_withdrawals(&mut self, error: fn(bool) -> RequestError) {
        for request in self.requests.reset() {
            self.end_withdrawal(request, Err(error(true)));
        }
    }
}

/// The role that a router must have for a request.
const fn router_role(message: MessageType) -> Role {
    match message {
        MessageType::Publish | MessageType::Subscribe | MessageType::Unsubscribe => Role::Broker,
        _ => Role::Dealer,
    }
}

/// Checks that a URI is none of a pattern.
pub(super) fn check_exact(uri: &Uri) -> Result<(), CommandError> {
    Ok(uri.check(UriRule::Loose, MatchPolicy::Exact)?)
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
