//! CALL and what ends it (WAMP Basic Profile, "Calling and Invocations").

use std::collections::BTreeMap;

use wamp_proto::{Call, CallResult, MessageType, Payload, Role, Uri};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::publisher::Stage;
use super::requests::{Request, check_exact};
use super::waiting::{Command, Kind};
use crate::{CallKey, CallOptions, CallOutcome, CommandError, RequestError, SessionEvent, Time};

/// A call that waits for its end.
#[derive(Debug)]
pub(super) struct Pending {
    stage: Stage,
    deadline: Option<DeadlineId>,
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
        self.check_room()?;
        let key = CallKey(self.next_key());
        let CallOptions { wire: options, timeout, offline } = options;
        let until = timeout.or(self.config.call_timeout).and_then(|timeout| self.now.checked_add(timeout));
        let pending = if self.is_joined() {
            let request = Some(Request::Call(key));
            let request = self.request(request, |request| Call { request, options, procedure, payload }.into())?;
            Pending { stage: Stage::Sent(request), deadline: self.deadlines.set(until, Deadline::Call(key)) }
        } else {
            let wait = self.check_wait(Kind::Call, offline, payload.byte_len())?;
            let wait = wait.and_then(|wait| self.now.checked_add(wait));
            let wait = match (wait, until) {
                (Some(wait), Some(until)) => Some(wait.min(until)),
                (wait, until) => wait.or(until),
            };
            let place = self.waiting.push(Command::Call { key, procedure, options, payload, until });
            Pending { stage: Stage::Waiting(place), deadline: self.deadlines.set(wait, Deadline::Call(key)) }
        };
        self.calls.insert(key, pending);
        Ok(key)
    }

    /// Sends a call that has waited for the join.
    pub(super) fn send_waiting_call(
        &mut self,
        key: CallKey,
        procedure: Uri,
        options: wamp_proto::CallOptions,
        payload: Payload,
        until: Option<Time>,
    ) {
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

    pub(super) fn result(&mut self, CallResult { request, details, payload }: CallResult) {
        // No call here asks for progress; a router that sends it all the same has not ended the call with it.
        if details.progress == Some(true) {
            return;
        }
        match self.requests.answered(request, MessageType::Call) {
            Some(Request::Call(key)) => self.call_done(key, Ok(CallOutcome { details, payload })),
            _ => self.stats.unknown_answers += 1,
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
        if self.withdraw_call(key) {
            self.events.push(SessionEvent::CallDone { key, result: Err(RequestError::Timeout) });
        }
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
