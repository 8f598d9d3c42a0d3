//! CALL, CANCEL and what ends a call (WAMP Basic Profile, "Calling and Invocations"; Advanced Profile, "Progressive Call Results",
//! "Progressive Call Invocations", "Call Canceling" and "Call Timeouts").

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_proto::{Call, CallResult, Cancel, CancelMode, CancelOptions, Message, MessageType, Payload, Role, Uri};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::outbound::frame;
use super::publisher::Stage;
use super::requests::{Request, check_exact};
use super::state::{Established, State};
use super::waiting::{Command, Kind};
use crate::features::Asked;
use crate::{CallKey, CallOptions, CallOutcome, CallPart, CommandError, Feature, RequestError, SessionEvent, Time};

/// A call that waits for its end.
#[derive(Debug)]
pub(super) struct Pending {
    stage: Stage,
    deadline: Option<DeadlineId>,
    /// Whether parts of the result were asked for, and how long each gap between them may be.
    progress: bool,
    gap: Option<Duration>,
    /// The procedure, while more input may follow.
    input: Option<Uri>,
    /// Whether CANCEL was sent, and the answer is waited for.
    cancelled: bool,
}

pub(super) type Calls = BTreeMap<CallKey, Pending>;

impl Session {
    pub(super) fn begin_call(
        &mut self,
        procedure: Uri,
        payload: Payload,
        options: CallOptions,
    ) -> Result<CallKey, CommandError> {
        self.check_role(Role::Caller)?;
        check_exact(&procedure)?;
        options.check()?;
        self.check_room()?;
        let key = CallKey(self.next_key());
        let timeout = options.timeout.or(self.config.call_timeout).filter(|timeout| !timeout.is_zero());
        let until = self.after(timeout);
        let offline = options.offline;
        let mut options = options.wire;
        let goes_on = options.progress == Some(true);
        let progress = options.receive_progress == Some(true);
        let input = goes_on.then(|| procedure.clone());
        let (stage, deadline) = if self.is_joined() {
            options.timeout = self.millis_until(until);
            let request = Some(Request::Call(key));
            let request = self.request(request, |request| Call { request, options, procedure, payload }.into())?;
            (Stage::Sent(request), until)
        } else {
            self.config.check_features(Asked::Call(&options))?;
            let wait = self.check_wait(Kind::Call, offline, payload.byte_len())?;
            let wait = self.after(wait);
            let wait = match (wait, until) {
                (Some(wait), Some(until)) => Some(wait.min(until)),
                (wait, until) => wait.or(until),
            };
            (Stage::Waiting(self.waiting.push(Command::Call { key, procedure, options, payload, until })), wait)
        };
        let deadline = self.deadlines.set(deadline, Deadline::Call(key));
        let gap = timeout.filter(|_| progress);
        self.calls.insert(key, Pending { stage, deadline, progress, gap, input, cancelled: false });
        Ok(key)
    }

    /// A timeout as the dealer is told of it: in milliseconds, rounded up, of which 0 would be none.
    fn millis_until(&self, until: Option<Time>) -> Option<u64> {
        let nanos = until?.since(self.now).as_nanos();
        Some(u64::try_from(nanos.div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1))
    }

    /// Sends a call that has waited for the join.
    pub(super) fn send_waiting_call(
        &mut self,
        key: CallKey,
        procedure: Uri,
        mut options: wamp_proto::CallOptions,
        payload: Payload,
        until: Option<Time>,
    ) {
        // A dealer takes the timeout of a call in parts for that of each gap: what the join has left of the first would be too short.
        let gap = self.calls.get(&key).and_then(|pending| pending.gap);
        let told = gap.map_or(until, |gap| self.now.checked_add(gap));
        options.timeout = self.millis_until(told);
        let request = Some(Request::Call(key));
        match self.request(request, |request| Call { request, options, procedure, payload }.into()) {
            Ok(request) => {
                if let Some(pending) = self.calls.get_mut(&key) {
                    pending.stage = Stage::Sent(request);
                    self.deadlines.cancel(pending.deadline);
                    pending.deadline = self.deadlines.set(until, Deadline::Call(key));
                }
            }
            Err(error) => self.call_done(key, Err(error.into())),
        }
    }

    pub(super) fn more_input(&mut self, key: CallKey, payload: Payload, part: CallPart) -> Result<(), CommandError> {
        let pending = self.calls.get_mut(&key).ok_or(CommandError::InputClosed)?;
        let Some(procedure) = &pending.input else { return Err(CommandError::InputClosed) };
        // Whether the dealer takes more shows at the join.
        let Stage::Sent(request) = pending.stage else { return Err(CommandError::NotJoined) };
        let State::Joined(Established { transport, format, .. }) = self.state else {
            return Err(CommandError::NotJoined);
        };
        // Everything else was said with the first input.
        let mut options = wamp_proto::CallOptions::default();
        options.progress = matches!(part, CallPart::More).then_some(true);
        let call = Call { request, options, procedure: procedure.clone(), payload }.into();
        let frame = frame(call, format, self.config.limits.message.message_bytes())?;
        if matches!(part, CallPart::Last) {
            pending.input = None;
        }
        self.outbound.send(transport, frame);
        Ok(())
    }

    /// Whether a call takes more input.
    #[cfg(feature = "client")]
    pub(crate) fn takes_input(&self, key: CallKey) -> bool {
        self.calls.get(&key).is_some_and(|pending| pending.input.is_some())
    }

    /// Whether a call has been sent, and has not ended.
    #[cfg(feature = "client")]
    pub(crate) fn is_call_sent(&self, key: CallKey) -> bool {
        self.calls.get(&key).is_some_and(|pending| pending.stage.sent())
    }

    pub(super) fn cancel_call(&mut self, key: CallKey, mode: CancelMode) -> Result<(), CommandError> {
        let pending = self.calls.get(&key).ok_or(CommandError::UnknownKey)?;
        let (stage, cancelled) = (pending.stage, pending.cancelled);
        let told = cancelled || self.send_cancel(stage, mode);
        if !(told && mode == CancelMode::Kill) {
            // Not all dealers answer the other modes, or a CANCEL that they do not know.
            self.withdraw_call(key);
            self.events.push(SessionEvent::CallDone { key, result: Err(RequestError::Canceled) });
        } else if !cancelled {
            let grace = self.now.checked_add(self.config.request_timeout);
            if let Some(pending) = self.calls.get_mut(&key) {
                pending.cancelled = true;
                pending.input = None;
                if pending.deadline.is_none_or(|(at, _)| grace.is_some_and(|grace| grace < at)) {
                    self.deadlines.cancel(pending.deadline);
                    pending.deadline = self.deadlines.set(grace, Deadline::Call(key));
                }
            }
        }
        Ok(())
    }

    /// Sends CANCEL, if there is something to cancel and both ends announce that they know it.
    fn send_cancel(&mut self, stage: Stage, mode: CancelMode) -> bool {
        let (Stage::Sent(request), State::Joined(Established { transport, format, joined })) = (stage, &self.state)
        else {
            return false;
        };
        if !self.config.announces(Role::Caller, Feature::CallCanceling)
            || !joined.router_announces(Role::Dealer, Feature::CallCanceling)
        {
            return false;
        }
        let mut options = CancelOptions::default();
        options.mode = Some(mode);
        let cancel = Message::from(Cancel { request, options });
        let Ok(frame) = frame(cancel, *format, usize::MAX) else { return false };
        self.outbound.send(*transport, frame);
        true
    }

    pub(super) fn result(&mut self, CallResult { request, details, payload }: CallResult) {
        if details.progress == Some(true) {
            match self.requests.waiting(request) {
                Some(Request::Call(key)) => self.call_progress(key, CallOutcome { details, payload }),
                _ => self.stats.unknown_answers += 1,
            }
            return;
        }
        match self.requests.answered(request, MessageType::Call) {
            Some(Request::Call(key)) => self.call_done(key, Ok(CallOutcome { details, payload })),
            _ => self.stats.unknown_answers += 1,
        }
    }

    /// A part of a result; some routers send parts that nobody asked for, and those do not count.
    fn call_progress(&mut self, key: CallKey, progress: CallOutcome) {
        let Some(pending) = self.calls.get_mut(&key).filter(|pending| pending.progress) else { return };
        if let Some(gap) = pending.gap
            && !pending.cancelled
        {
            self.deadlines.cancel(pending.deadline);
            pending.deadline = self.deadlines.set(self.now.checked_add(gap), Deadline::Call(key));
        }
        if !self.events.push_unasked(SessionEvent::CallProgress { key, progress }, &self.config.limits) {
            self.stats.dropped_progress += 1;
        }
    }

    /// Ends a call with its one event.
    pub(super) fn call_done(&mut self, key: CallKey, result: Result<CallOutcome, RequestError>) {
        if let Some(pending) = self.calls.remove(&key) {
            self.deadlines.cancel(pending.deadline);
            self.events.push(SessionEvent::CallDone { key, result });
        }
    }

    /// Takes a call back: an answer to it is ignored.
    pub(super) fn withdraw_call(&mut self, key: CallKey) -> bool {
        let Some(pending) = self.calls.remove(&key) else { return false };
        self.deadlines.cancel(pending.deadline);
        self.withdraw_stage(pending.stage);
        true
    }

    pub(super) fn call_timed_out(&mut self, key: CallKey) {
        let Some(Pending { stage, cancelled, .. }) = self.calls.get(&key) else { return };
        let (stage, cancelled) = (*stage, *cancelled);
        let error = if cancelled {
            RequestError::Canceled
        } else {
            self.send_cancel(stage, CancelMode::KillNoWait);
            RequestError::Timeout { sent: stage.sent() }
        };
        self.withdraw_call(key);
        self.events.push(SessionEvent::CallDone { key, result: Err(error) });
    }

    /// Ends the calls that were sent; the others go on waiting for a join.
    pub(super) fn lose_calls(&mut self, error: fn(bool) -> RequestError) {
        let sent: Vec<CallKey> =
            self.calls.iter().filter(|(_, pending)| pending.stage.sent()).map(|(key, _)| *key).collect();
        for key in sent {
            self.call_done(key, Err(error(true)));
        }
    }

    pub(super) fn end_calls(&mut self, error: fn(bool) -> RequestError) {
        for (key, pending) in core::mem::take(&mut self.calls) {
            self.deadlines.cancel(pending.deadline);
            self.events.push(SessionEvent::CallDone { key, result: Err(error(pending.stage.sent())) });
        }
    }
}
