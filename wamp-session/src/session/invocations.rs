//! INVOCATION, INTERRUPT and the answers (WAMP Basic Profile, "Calling and Invocations"; Advanced Profile, "Progressive Call
//! Results", "Progressive Call Invocations", "Call Canceling" and "Call Timeouts").

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wamp_proto::{
    Error, ErrorDetails, Interrupt, Invocation, InvocationDetails, Message, MessageType, Payload, RequestId, Role, Uri,
    Yield, YieldOptions,
};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::outbound::frame;
use super::requests::check_exact;
use super::state::{Established, State};
use crate::passthru::{Attributes as _, Passthru};
use crate::{
    CommandError, Feature, InvocationEnd, InvocationEvent, InvocationKey, Limits, ProtocolViolation, Response,
    SessionEvent, WampError,
};

/// The invocations of one session.
#[derive(Debug, Default)]
pub(super) struct Invocations {
    running: BTreeMap<InvocationKey, Running>,
    keys: BTreeMap<RequestId, InvocationKey>,
    ended: Ended,
}

/// An invocation that is not answered.
#[derive(Debug)]
struct Running {
    request: RequestId,
    /// Whether it came in parts, and whether more of them follow.
    in_parts: bool,
    more: bool,
    /// Whether the caller takes progressive results.
    progress: bool,
    /// Whether the dealer asked for its end, and waits for the answer.
    interrupted: bool,
    deadline: Option<DeadlineId>,
    /// How long each gap between progressive results may be.
    gap: Option<Duration>,
}

/// The ids of invocations in parts that ended lately: parts of them may still come.
#[derive(Debug, Default)]
struct Ended {
    ids: BTreeSet<RequestId>,
    order: VecDeque<RequestId>,
}

impl Ended {
    fn remember(&mut self, id: RequestId, limit: usize) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        if self.order.len() > limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

impl Invocations {
    /// How many are not answered, by either of their names.
    #[cfg(all(test, feature = "client", feature = "json"))]
    pub(super) fn len(&self) -> usize {
        self.running.len().max(self.keys.len())
    }

    fn remove(&mut self, key: InvocationKey, limits: &Limits) -> Option<Running> {
        let running = self.running.remove(&key)?;
        self.keys.remove(&running.request);
        if running.in_parts {
            self.ended.remember(running.request, limits.ended_invocations);
        }
        Some(running)
    }
}

impl Session {
    pub(super) fn invocation(&mut self, invocation: Invocation) {
        let request = invocation.request;
        if let Some(key) = self.invocations.keys.get(&request).copied() {
            self.invocation_input(key, &invocation.details, invocation.payload);
        } else if !self.invocations.ended.ids.contains(&request) {
            self.begin_invocation(invocation);
        }
    }

    fn begin_invocation(&mut self, Invocation { request, registration, details, payload }: Invocation) {
        let more = details.progress == Some(true);
        let Some((registration, procedure, forwarded)) = self.callee.invoked(registration) else {
            self.refuse(request, more, "wamp.error.no_such_registration");
            return;
        };
        let procedure = details.procedure.as_ref().unwrap_or(procedure).clone();
        let progress = details.receive_progress == Some(true)
            && self.config.announces(Role::Callee, Feature::ProgressiveCallResults);
        let timeout = self.timeout_of(&details, forwarded);
        let key = InvocationKey(self.next_key());
        let event = InvocationEvent { key, registration, procedure, details, payload };
        let limits = &self.config.limits;
        // One that is answered runs no more, but its answer waits as long as the peer does not read.
        let has_room =
            self.invocations.running.len() < limits.invocations && self.outbound.bytes() < limits.outbound_bytes;
        if has_room && self.events.push_invocation(event, limits) {
            let deadline = self.deadlines.set(self.after(timeout), Deadline::Invocation(key));
            let gap = timeout.filter(|_| progress);
            let running = Running { request, in_parts: more, more, progress, interrupted: false, deadline, gap };
            self.invocations.running.insert(key, running);
            self.invocations.keys.insert(request, key);
        } else {
            self.stats.refused_invocations += 1;
            self.refuse(request, more, "wamp.error.unavailable");
        }
    }

    /// After how long an invocation is to fail.
    ///
    /// Crossbar.io forwards a number whose unit nobody knows, since it takes callers' timeouts for seconds, and announces no timeouts:
    /// such a number counts only if the callee has asked for it.
    fn timeout_of(&self, details: &InvocationDetails, forwarded: bool) -> Option<Duration> {
        let State::Joined(Established { joined, .. }) = &self.state else { return None };
        let is_meant = forwarded || joined.router_announces(Role::Dealer, Feature::CallTimeout);
        let millis = details.timeout.filter(|millis| *millis > 0)?;
        (is_meant && self.config.announces(Role::Callee, Feature::CallTimeout)).then(|| Duration::from_millis(millis))
    }

    /// Another INVOCATION with the id of one that runs: more input, of which nothing but the arguments counts.
    fn invocation_input(&mut self, key: InvocationKey, details: &InvocationDetails, payload: Payload) {
        let Some(running) = self.invocations.running.get_mut(&key) else { return };
        if !running.more {
            self.violate(ProtocolViolation::Invalid {
                message: MessageType::Invocation,
                reason: "an invocation with the same request id is running",
            });
            return;
        }
        running.more = details.progress == Some(true);
        if running.interrupted {
            return;
        }
        let more = running.more;
        let event = SessionEvent::InvocationInput { key, payload, more };
        if !self.events.push_unasked(event, &self.config.limits) {
            self.stats.refused_invocations += 1;
            self.end_invocation(key, "wamp.error.unavailable", InvocationEnd::Overflow);
        }
    }

    /// Answers an INVOCATION that cannot be read as a whole; if it is more input, the one that runs ends.
    pub(super) fn refuse_unread(&mut self, request: RequestId, uri: &str) {
        match self.invocations.keys.get(&request) {
            Some(key) => self.end_invocation(*key, uri, InvocationEnd::Overflow),
            // Whether it came in parts is not known, so that it is taken for one that did.
            None if !self.invocations.ended.ids.contains(&request) => self.refuse(request, true, uri),
            None => {}
        }
    }

    /// Answers an INVOCATION that does not reach the application.
    fn refuse(&mut self, request: RequestId, in_parts: bool, uri: &str) {
        let State::Joined(Established { transport, format, .. }) = self.state else { return };
        if in_parts {
            self.invocations.ended.remember(request, self.config.limits.ended_invocations);
        }
        if let Some(error) = failure(request, uri)
            && let Ok(frame) = frame(error, format, usize::MAX)
        {
            self.outbound.refuse(transport, frame, self.config.limits.invocations);
        }
    }

    /// Answers an invocation in place of the application, which is told.
    fn end_invocation(&mut self, key: InvocationKey, uri: &str, why: InvocationEnd) {
        let Some(running) = self.invocations.remove(key, &self.config.limits) else { return };
        self.deadlines.cancel(running.deadline);
        if let State::Joined(Established { transport, format, .. }) = self.state
            && let Some(error) = failure(running.request, uri)
            && let Ok(frame) = frame(error, format, usize::MAX)
        {
            self.outbound.send(transport, frame);
        }
        self.events.push(SessionEvent::InvocationEnded { key, why });
    }

    /// The time of an invocation is over.
    pub(super) fn invocation_timed_out(&mut self, key: InvocationKey) {
        self.end_invocation(key, "wamp.error.timeout", InvocationEnd::Timeout);
    }

    /// The dealer wants an invocation to end. All modes but `killnowait` want an answer; one that is no mode counts as `kill`.
    pub(super) fn interrupt(&mut self, Interrupt { request, options }: Interrupt) {
        if !self.config.announces(Role::Callee, Feature::CallCanceling) {
            return;
        }
        let Some(key) = self.invocations.keys.get(&request).copied() else { return };
        let reason = options.reason;
        if options.mode.as_deref() == Some("killnowait") {
            if let Some(running) = self.invocations.remove(key, &self.config.limits) {
                self.deadlines.cancel(running.deadline);
                self.events.push(SessionEvent::InvocationEnded { key, why: InvocationEnd::Interrupted(reason) });
            }
        } else if let Some(running) = self.invocations.running.get_mut(&key)
            && !running.interrupted
        {
            running.interrupted = true;
            self.events.push(SessionEvent::Interrupted { key, reason });
        }
    }

    pub(super) fn answer(&mut self, key: InvocationKey, response: Response) -> Result<(), CommandError> {
        let State::Joined(Established { transport, format, .. }) = self.state else {
            return Err(CommandError::UnknownKey);
        };
        let response = match response {
            Response::Progress(payload) => return self.progress(key, None, payload),
            Response::SealedProgress(passthru, payload) => return self.progress(key, Some(&passthru), payload),
            Response::Result(payload) => Ok((None, payload)),
            Response::SealedResult(passthru, payload) => Ok((Some(passthru), payload)),
            Response::Error(error) => Err(error),
        };
        let Some(Running { request, deadline, .. }) = self.invocations.remove(key, &self.config.limits) else {
            return Err(CommandError::UnknownKey);
        };
        self.deadlines.cancel(deadline);
        let answered = match response {
            Ok((passthru, payload)) => Ok(Yield { request, options: options_of(passthru.as_ref()), payload }.into()),
            Err(error) => failure_of(request, error),
        };
        let limit = self.config.limits.message.message_bytes();
        let answered = answered.and_then(|answer| {
            self.check_features_of(&answer)?;
            frame(answer, format, limit)
        });
        let (answer, result) = match answered {
            Ok(frame) => (Some(frame), Ok(())),
            // The caller must not wait for what cannot be sent.
            Err(error) => {
                let uri = match error {
                    CommandError::TooLarge { .. } => "wamp.error.payload_size_exceeded",
                    CommandError::InvalidUri(_) => "wamp.error.invalid_uri",
                    CommandError::Disabled(_) | CommandError::NotSupported(_) => "wamp.error.feature_not_supported",
                    _ => "wamp.error.invalid_payload",
                };
                let answer = failure(request, uri).and_then(|answer| frame(answer, format, usize::MAX).ok());
                (answer, Err(error))
            }
        };
        if let Some(answer) = answer {
            self.outbound.send(transport, answer);
        }
        result
    }

    /// Sends a part of a result, if the caller takes parts.
    fn progress(
        &mut self,
        key: InvocationKey,
        passthru: Option<&Passthru>,
        payload: Payload,
    ) -> Result<(), CommandError> {
        let State::Joined(Established { transport, format, .. }) = self.state else {
            return Err(CommandError::UnknownKey);
        };
        let Some(running) = self.invocations.running.get(&key) else { return Err(CommandError::UnknownKey) };
        if running.interrupted {
            return Err(CommandError::Interrupted);
        }
        if !running.progress {
            return Ok(());
        }
        let mut options = options_of(passthru);
        options.progress = Some(true);
        let part = Yield { request: running.request, options, payload }.into();
        self.check_features_of(&part)?;
        let frame = frame(part, format, self.config.limits.message.message_bytes())?;
        let Some(running) = self.invocations.running.get_mut(&key) else { return Err(CommandError::UnknownKey) };
        if running.gap.is_some() {
            self.deadlines.cancel(running.deadline);
            let until = running.gap.and_then(|gap| self.now.checked_add(gap));
            running.deadline = self.deadlines.set(until, Deadline::Invocation(key));
        }
        self.outbound.send(transport, frame);
        Ok(())
    }

    /// Forgets the invocations that were not answered.
    pub(super) fn end_invocations(&mut self) {
        for (key, running) in core::mem::take(&mut self.invocations).running {
            self.deadlines.cancel(running.deadline);
            self.events.push(SessionEvent::InvocationEnded { key, why: InvocationEnd::SessionOver });
        }
    }
}

fn options_of(passthru: Option<&Passthru>) -> YieldOptions {
    let mut options = YieldOptions::default();
    if let Some(passthru) = passthru {
        options.set_passthru(passthru);
    }
    options
}

/// An ERROR without arguments.
fn failure(request: RequestId, uri: &str) -> Option<Message> {
    let error = Uri::new(uri).ok()?;
    let (request_type, details) = (MessageType::Invocation, ErrorDetails::default());
    Some(Error { request_type, request, details, error, payload: Payload::new() }.into())
}

fn failure_of(request: RequestId, error: WampError) -> Result<Message, CommandError> {
    let WampError { uri: error, details, payload } = error;
    let details = *details;
    check_exact(&error)?;
    Ok(Error { request_type: MessageType::Invocation, request, details, error, payload }.into())
}
