//! The calls that are under way, each under the names that its two ends have for it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use wamp_proto::{CallOptions, InvocationDetails, Payload, RegistrationId, RequestId, Uri};

use crate::Time;
use crate::router::{PeerId, Violation};

/// The calls of a realm.
pub(super) struct Calls {
    /// The unanswered calls of each caller, and the invocation that each has become.
    callers: BTreeMap<PeerId, BTreeMap<RequestId, Invoked>>,
    callees: BTreeMap<PeerId, Callee>,
    /// When the dealer ends the calls that have a timeout.
    deadlines: BTreeSet<(Time, Invoked)>,
    /// The bytes of arguments that are kept for callees that decline.
    kept_bytes: usize,
    /// The id that the next INVOCATION of all has, if they are counted together.
    next: RequestId,
}

struct Callee {
    /// The id of the next INVOCATION.
    next: RequestId,
    /// The unanswered invocations.
    invocations: BTreeMap<RequestId, Invocation>,
    /// How many there are of each registration.
    running: BTreeMap<RegistrationId, u64>,
    /// The invocations that were interrupted and need no answer; one may come.
    interrupted: BTreeSet<RequestId>,
    /// The last of them that was forgotten, as there were too many: up to it, nobody can tell whether an answer is expected.
    forgotten: Option<RequestId>,
}

/// An unanswered invocation.
pub(super) struct Invocation {
    /// The call, if the caller still waits.
    pub(super) call: Option<Called>,
    pub(super) registration: RegistrationId,
    /// What the callee was told of the call at its beginning; it holds for all of it.
    pub(super) details: InvocationDetails,
    /// The procedure, as long as more CALLs may come.
    pub(super) input: Option<Uri>,
    /// Whether the callee was interrupted and is to answer.
    pub(super) is_killed: bool,
    /// How long a result may take, and each one after it, if the dealer looks after that.
    pub(super) timeout: Option<Duration>,
    deadline: Option<Time>,
    pub(super) spare: Spare,
}

/// What becomes of a call that its callee declines (WAMP Advanced Profile, "Call Re-Routing").
pub(super) enum Spare {
    /// The caller is told so: the callee has not announced to decline, or it has begun with the call.
    Nothing,
    /// There was no other callee.
    Alone,
    /// Another callee gets it.
    Call(Box<SpareCall>),
}

/// A call that can be made again.
pub(super) struct SpareCall {
    pub(super) options: CallOptions,
    pub(super) procedure: Uri,
    pub(super) payload: Payload,
    /// Who has declined it.
    pub(super) tried: BTreeSet<PeerId>,
    /// When the caller's timeout ends.
    pub(super) expires: Option<Time>,
    /// How many bytes of memory the payload keeps: those of the frame in which it came, if it is a part of it.
    pub(super) held: usize,
}

/// A payload that is kept is copied out of its frame up to this length, as the frame may be a part of a larger buffer.
const COPIED: usize = 1024;

/// A call by its caller's name.
#[derive(Clone, Copy)]
pub(super) struct Called {
    pub(super) caller: PeerId,
    pub(super) request: RequestId,
}

/// A call by its callee's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Invoked {
    pub(super) callee: PeerId,
    pub(super) request: RequestId,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            callers: BTreeMap::new(),
            callees: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            kept_bytes: 0,
            next: RequestId::MIN,
        }
    }
}

impl Default for Callee {
    fn default() -> Self {
        Self {
            next: RequestId::MIN,
            invocations: BTreeMap::new(),
            running: BTreeMap::new(),
            interrupted: BTreeSet::new(),
            forgotten: None,
        }
    }
}

impl Callee {
    /// Whether an answer may be to an invocation that was interrupted and forgotten.
    fn has_forgotten(&self, invoked: Invoked) -> bool {
        self.forgotten >= Some(invoked.request)
    }
}

impl Invocation {
    pub(super) fn new(call: Called, registration: RegistrationId, details: InvocationDetails) -> Self {
        Self {
            call: Some(call),
            registration,
            details,
            input: None,
            is_killed: false,
            timeout: None,
            deadline: None,
            spare: Spare::Nothing,
        }
    }

    pub(super) fn takes_progress(&self) -> bool {
        self.details.receive_progress == Some(true)
    }

    fn kept_bytes(&self) -> usize {
        match &self.spare {
            Spare::Call(spare) => spare.bytes(),
            Spare::Nothing | Spare::Alone => 0,
        }
    }
}

impl SpareCall {
    /// Makes it fit to be kept: a payload that is small, or a small part of its frame, is copied out of it.
    pub(super) fn compact(&mut self) {
        let own = self.payload.byte_len();
        if own <= COPIED || own < self.held / 2 {
            self.held = self.held.min(own);
            self.payload = self.payload.detach();
        }
    }

    /// Roughly how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let CallOptions { rkey, runmode, ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid, .. } = &self.options;
        let texts = [rkey, runmode, ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid];
        let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
        size_of::<Self>() + size_of::<PeerId>() * self.tried.len() + self.procedure.len() + texts + self.held
    }
}

impl Calls {
    /// How many invocations are unanswered.
    pub(super) fn pending(&self) -> usize {
        self.callees.values().map(|callee| callee.invocations.len()).sum()
    }

    /// How many calls of a caller are unanswered.
    pub(super) fn of_caller(&self, caller: PeerId) -> usize {
        self.callers.get(&caller).map_or(0, BTreeMap::len)
    }

    /// How many invocations of a callee are unanswered.
    pub(super) fn of_callee(&self, callee: PeerId) -> usize {
        self.callees.get(&callee).map_or(0, |callee| callee.invocations.len())
    }

    /// How many invocations of a registration a callee has not answered.
    pub(super) fn running(&self, callee: PeerId, registration: RegistrationId) -> u64 {
        self.callees.get(&callee).and_then(|callee| callee.running.get(&registration)).copied().unwrap_or(0)
    }

    /// The bytes of arguments that are kept for callees that decline.
    pub(super) fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// The id of the next invocation of a callee, which may be counted for all callees together.
    pub(super) fn next(&self, callee: PeerId, is_shared: bool) -> RequestId {
        if is_shared {
            return self.next;
        }
        self.callees.get(&callee).map_or(RequestId::MIN, |callee| callee.next)
    }

    /// Adds an invocation, under the callee's next id.
    pub(super) fn begin(&mut self, callee_id: PeerId, is_shared: bool, invocation: Invocation) -> Invoked {
        let invoked = Invoked { callee: callee_id, request: self.next(callee_id, is_shared) };
        let callee = self.callees.entry(callee_id).or_default();
        callee.next = callee.next.next();
        self.next = self.next.next();
        if let Some(Called { caller, request }) = invocation.call {
            self.callers.entry(caller).or_default().insert(request, invoked);
        }
        *callee.running.entry(invocation.registration).or_default() += 1;
        self.kept_bytes = self.kept_bytes.saturating_add(invocation.kept_bytes());
        callee.invocations.insert(invoked.request, invocation);
        invoked
    }

    /// The invocation that a call has become.
    pub(super) fn invoked(&self, caller: PeerId, request: RequestId) -> Option<Invoked> {
        self.callers.get(&caller)?.get(&request).copied()
    }

    pub(super) fn get(&self, invoked: Invoked) -> Option<&Invocation> {
        self.callees.get(&invoked.callee)?.invocations.get(&invoked.request)
    }

    pub(super) fn get_mut(&mut self, invoked: Invoked) -> Option<&mut Invocation> {
        self.callees.get_mut(&invoked.callee)?.invocations.get_mut(&invoked.request)
    }

    /// Lets go of what was kept of a call, which cannot be made again.
    pub(super) fn keep_nothing(&mut self, invoked: Invoked) {
        if let Some(invocation) = self.get_mut(invoked) {
            let kept = invocation.kept_bytes();
            invocation.spare = Spare::Nothing;
            self.kept_bytes = self.kept_bytes.saturating_sub(kept);
        }
    }

    /// Sets when a call is ended for lack of an answer.
    pub(super) fn set_deadline(&mut self, invoked: Invoked, deadline: Option<Time>) {
        let Some(invocation) = self.get_mut(invoked) else { return };
        if let Some(before) = core::mem::replace(&mut invocation.deadline, deadline) {
            self.deadlines.remove(&(before, invoked));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, invoked));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The first call whose deadline has come.
    pub(super) fn expired(&self, now: Time) -> Option<Invoked> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|(_, invoked)| *invoked)
    }

    /// Ends a call for its caller; the invocation stays unanswered until the callee answers or leaves.
    pub(super) fn forget_caller(&mut self, invoked: Invoked) -> Option<Called> {
        self.set_deadline(invoked, None);
        self.keep_nothing(invoked);
        let invocation = self.get_mut(invoked)?;
        invocation.input = None;
        let call = invocation.call.take()?;
        self.forget(call, invoked);
        Some(call)
    }

    /// Takes a call from its caller, unless the caller has made another one with the same id since.
    fn forget(&mut self, call: Called, invoked: Invoked) {
        if let Some(calls) = self.callers.get_mut(&call.caller)
            && calls.get(&call.request) == Some(&invoked)
        {
            calls.remove(&call.request);
        }
    }

    /// Ends an invocation of which the callee is told; an answer that crosses it is expected, up to so many of them.
    pub(super) fn interrupt(&mut self, invoked: Invoked, limit: usize) {
        self.remove(invoked);
        if let Some(callee) = self.callees.get_mut(&invoked.callee) {
            callee.interrupted.insert(invoked.request);
            if callee.interrupted.len() > limit {
                callee.forgotten = callee.interrupted.pop_first();
            }
        }
    }

    /// Ends an invocation with its call.
    pub(super) fn remove(&mut self, invoked: Invoked) -> Option<Invocation> {
        self.set_deadline(invoked, None);
        let callee = self.callees.get_mut(&invoked.callee)?;
        let invocation = callee.invocations.remove(&invoked.request)?;
        if let Some(running) = callee.running.get_mut(&invocation.registration) {
            *running -= 1;
            if *running == 0 {
                callee.running.remove(&invocation.registration);
            }
        }
        self.kept_bytes = self.kept_bytes.saturating_sub(invocation.kept_bytes());
        if let Some(call) = invocation.call {
            self.forget(call, invoked);
        }
        Some(invocation)
    }

    /// Ends the invocation that a callee answers: `None` if it was interrupted before.
    pub(super) fn answered(&mut self, invoked: Invoked) -> Result<Option<Invocation>, Violation> {
        if let Some(invocation) = self.remove(invoked) {
            return Ok(Some(invocation));
        }
        let callee = self.callees.get_mut(&invoked.callee);
        if callee.is_some_and(|callee| callee.interrupted.remove(&invoked.request) || callee.has_forgotten(invoked)) {
            return Ok(None);
        }
        Err(Violation::new("the answer is to no invocation that waits for one"))
    }

    /// Whether a callee was told that an answer is not needed, and has not given it since.
    pub(super) fn is_interrupted(&self, invoked: Invoked) -> bool {
        let callee = self.callees.get(&invoked.callee);
        callee.is_some_and(|callee| callee.interrupted.contains(&invoked.request) || callee.has_forgotten(invoked))
    }

    /// The calls of a session that is over.
    pub(super) fn made_by(&self, caller: PeerId) -> Vec<Invoked> {
        self.callers.get(&caller).map(|calls| calls.values().copied().collect()).unwrap_or_default()
    }

    /// Forgets a session, and returns the calls that it was to answer.
    pub(super) fn leave(&mut self, id: PeerId) -> Vec<Called> {
        let invocations = self.callees.get(&id).map(|callee| callee.invocations.keys().copied().collect());
        let invocations: Vec<RequestId> = invocations.unwrap_or_default();
        let ended = invocations.into_iter().filter_map(|request| self.remove(Invoked { callee: id, request }));
        let calls = ended.filter_map(|invocation| invocation.call).collect();
        self.callees.remove(&id);
        self.callers.remove(&id);
        calls
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use wamp_proto::{Call, Format, Limits, Message, PayloadCheck, decode};

    use super::*;

    const CALLER: PeerId = PeerId(1);
    const CALLEE: PeerId = PeerId(2);

    /// Calls of which one was interrupted, one is without a caller, and one is under way with all that is kept of it.
    fn calls() -> Calls {
        let mut calls = Calls::default();
        for number in 1..=3 {
            let request = RequestId::new(number).unwrap();
            let spare = SpareCall {
                options: CallOptions::default(),
                procedure: Uri::new("com.example.p").unwrap(),
                payload: Payload::new(),
                tried: BTreeSet::new(),
                expires: None,
                held: 0,
            };
            let call = Called { caller: CALLER, request };
            let mut invocation = Invocation::new(call, RegistrationId::MIN, InvocationDetails::default());
            invocation.spare = Spare::Call(Box::new(spare));
            let invoked = calls.begin(CALLEE, false, invocation);
            calls.set_deadline(invoked, Some(Time::from_secs(number)));
            match number {
                1 => calls.interrupt(invoked, 1),
                2 => drop(calls.forget_caller(invoked)),
                _ => {}
            }
        }
        assert_eq!((calls.of_caller(CALLER), calls.of_callee(CALLEE), calls.pending()), (1, 2, 2));
        assert_eq!(calls.next_deadline(), Some(Time::from_secs(3)));
        calls
    }

    #[test]
    fn a_call_that_is_kept_does_not_keep_a_frame_that_is_mostly_something_else() {
        for (args, options, is_copied) in [(10, 10_000, true), (1000, 0, true), (3000, 2000, false), (3000, 4000, true)]
        {
            let (args, options) = ("x".repeat(args), "y".repeat(options));
            let frame: Bytes = format!(r#"[48,1,{{"x_y":"{options}"}},"a.b",["{args}"]]"#).into();
            let message = decode(frame.clone(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
            let Message::Call(call) = message else { panic!("{message:?}") };
            let Call { options, procedure, payload, .. } = call;
            let held = frame.len();
            let mut spare = SpareCall { options, procedure, payload, tried: BTreeSet::new(), expires: None, held };
            spare.compact();
            let kept = spare.payload.raw_args().unwrap().unwrap();
            assert_eq!(!frame.as_ptr_range().contains(&kept.as_ptr()), is_copied, "{} of {held}", kept.len());
            assert_eq!(spare.held, if is_copied { kept.len() } else { held });
            assert!((spare.held..spare.held + 1024).contains(&spare.bytes()));
        }
    }

    #[test]
    fn a_call_is_not_forgotten_with_another_one_of_its_id() {
        let mut calls = Calls::default();
        let call = Called { caller: CALLER, request: RequestId::MIN };
        let [first, second] = [(); 2].map(|()| {
            let invocation = Invocation::new(call, RegistrationId::MIN, InvocationDetails::default());
            calls.begin(CALLEE, false, invocation)
        });
        for ended in [first, second] {
            assert!(calls.invoked(CALLER, call.request) == Some(second), "the last one is the caller's");
            calls.remove(ended);
        }
        assert!(calls.invoked(CALLER, call.request).is_none());
    }

    #[test]
    fn interrupted_invocations_are_remembered_up_to_the_limit() {
        let mut calls = Calls::default();
        for number in 1..=5 {
            let call = Called { caller: CALLER, request: RequestId::new(number).unwrap() };
            let invocation = Invocation::new(call, RegistrationId::MIN, InvocationDetails::default());
            let invoked = calls.begin(CALLEE, false, invocation);
            calls.interrupt(invoked, 2);
        }
        let callee = &calls.callees[&CALLEE];
        assert_eq!((callee.interrupted.len(), callee.forgotten), (2, RequestId::new(3).ok()));
    }

    #[test]
    fn a_callee_that_leaves_leaves_nothing_behind() {
        let mut calls = calls();
        assert_eq!(calls.leave(CALLEE).len(), 1, "one caller still waits");
        assert!(calls.callees.is_empty() && calls.deadlines.is_empty());
        assert_eq!((calls.of_caller(CALLER), calls.kept_bytes()), (0, 0));
        calls.leave(CALLER);
        assert!(calls.callers.is_empty());
    }

    #[test]
    fn a_caller_that_leaves_leaves_nothing_behind() {
        let mut calls = calls();
        for invoked in calls.made_by(CALLER) {
            calls.forget_caller(invoked);
        }
        assert!(calls.leave(CALLER).is_empty());
        assert!(calls.callers.is_empty() && calls.deadlines.is_empty());
        for request in 1..=3 {
            let invoked = Invoked { callee: CALLEE, request: RequestId::new(request).unwrap() };
            assert!(calls.answered(invoked).is_ok(), "the callee may answer each");
            assert!(calls.answered(invoked).is_err(), "once");
        }
        let callee = &calls.callees[&CALLEE];
        assert!(callee.invocations.is_empty() && callee.running.is_empty() && callee.interrupted.is_empty());
    }
}
