//! Which ids the requests of a client may have (WAMP Basic Profile, "IDs"; Advanced Profile, "Progressive Call Invocations").

use wamp_proto::{Call, Message, MessageType, RequestId, Role};

use super::peer::{Member, State};
use super::{PeerId, Router, Violation};
use crate::Feature;

impl Router {
    /// Checks that a session counts its requests: 1, 2, 3 … over all of their types.
    pub(super) fn count_request(&mut self, id: PeerId, kind: MessageType, request: RequestId) -> Result<(), Violation> {
        let is_any = self.peers.quirks.has_any_request_id();
        let Some(State::Joined(member)) = self.peers.get_mut(id).map(|peer| &mut peer.state) else { return Ok(()) };
        let expected = member.next_request;
        if is_any {
            member.next_request = expected.max(request.next());
            return Ok(());
        }
        if request != expected {
            return Err(Violation::new(format!("{kind} has the request id {request} instead of {expected}")));
        }
        member.next_request = expected.next();
        Ok(())
    }

    /// Deals with a CALL that continues a call, and gives back one that begins a call.
    pub(super) fn continued(&mut self, id: PeerId, call: Call) -> Result<Option<Call>, Violation> {
        let quirks = self.peers.quirks;
        let Some(member) = self.peers.member_mut(id) else { return Ok(None) };
        if quirks.has_no_progressive_calls() {
            return Ok(Some(call));
        }
        let more = call.options.progress == Some(true);
        if more && !streams(member) {
            return Err(Violation::new("CALL is progressive, which the caller does not announce"));
        }
        if !streams(member) || call.request >= member.next_request {
            return Ok(Some(call));
        }
        // Even if the call is over: the caller may not know yet.
        let is_open = if more { member.inputs.contains(&call.request) } else { member.inputs.remove(&call.request) };
        let is_open = is_open || member.forgotten_input >= Some(call.request);
        let Some(realm) = self.realms.get_mut(&member.realm) else { return Ok(None) };
        let takes_input = realm.dealer.takes_input(id, call.request);
        if !takes_input && quirks.has_late_input_calls() {
            return Ok(Some(call));
        }
        if !is_open && !takes_input {
            return Err(Violation::new(format!("CALL {} continues no call that takes more", call.request)));
        }
        realm.dealer.call_more(&mut self.peers, id, call).map(|()| None)
    }

    /// Notes that more CALLs may come for a new one.
    pub(super) fn note_input(&mut self, id: PeerId, call: &Call) {
        let limit = self.peers.limits.inputs;
        if call.options.progress == Some(true)
            && let Some(member) = self.peers.member_mut(id)
        {
            member.inputs.insert(call.request);
            if member.inputs.len() > limit {
                member.forgotten_input = member.inputs.pop_first();
            }
        }
    }
}

fn streams(member: &Member) -> bool {
    member.announces(Role::Caller, Feature::ProgressiveCallInvocations)
}

/// The id of a request that is the client's to count.
pub(super) const fn new_request(message: &Message) -> Option<RequestId> {
    match message {
        Message::Publish(m) => Some(m.request),
        Message::Subscribe(m) => Some(m.request),
        Message::Unsubscribe(m) => Some(m.request),
        Message::Call(m) => Some(m.request),
        Message::Register(m) => Some(m.request),
        Message::Unregister(m) => Some(m.request),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use wamp_proto::Format;

    use crate::router::{RealmConfig, Router, RouterConfig, RouterLimits};
    use crate::{Frame, Time};

    #[test]
    fn calls_that_take_more_are_remembered_up_to_the_limit() {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        let limits = RouterLimits::new().max_inputs(2);
        let mut router = Router::new(RouterConfig::new([7; 32]).realm(realm).limits(limits));
        let caller = router.handle_opened(Time::ZERO, Format::Json);
        let mut send = |text: String| router.handle_frame(Time::ZERO, caller, Frame::Text(text.into()));
        send(r#"[1,"realm1",{"roles":{"caller":{"features":{"progressive_call_invocations":true}}}}]"#.to_owned());
        for request in 1..=5 {
            send(format!(r#"[48,{request},{{"progress":true}},"com.example.none"]"#));
        }
        let member = router.peers.member(caller).unwrap();
        assert_eq!((member.inputs.len(), member.forgotten_input.map(|id| id.get())), (2, Some(3)));
    }
}
