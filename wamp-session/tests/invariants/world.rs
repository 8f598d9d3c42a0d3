//! A session, what happens to it, and what it owes.

use core::time::Duration;
use std::collections::BTreeSet;

use wamp_session::auth::Answer;
use wamp_session::passthru::Passthru;
use wamp_session::proto::{CancelMode, Format, IntoPayload, InvokePolicy, MatchPolicy, Payload, Uri};
use wamp_session::{
    Action, AuthError, CallKey, CallOptions, CallPart, CloseReason, Config, Decision, Frame, InvocationKey, Limits,
    Opened, PublishKey, PublishOptions, ReconnectPolicy, RegisterOptions, RegistrationKey, Response, Session,
    SessionEvent, Status, SubscribeOptions, SubscriptionKey, Time, TransportError, TransportErrorKind, TransportId,
    WampError,
};

use crate::step::{CallKind, Step};
use crate::tap::Tap;

/// A session and all that came out of it.
pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) now: Time,
    opened: Option<TransportId>,
    stale: Option<TransportId>,
    pub(crate) ended: BTreeSet<TransportId>,
    calls: Vec<CallKey>,
    publications: Vec<PublishKey>,
    subscriptions: Vec<SubscriptionKey>,
    registrations: Vec<RegistrationKey>,
    invocations: Vec<InvocationKey>,
    ended_invocations: BTreeSet<InvocationKey>,
    pub(crate) actions: Vec<(TransportId, String)>,
    pub(crate) events: Vec<String>,
    pub(crate) ledger: Ledger,
    /// Whether what comes out is taken after each step.
    prompt: bool,
    tap: Option<Tap>,
}

/// What has to come yet.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) calls: BTreeSet<CallKey>,
    pub(crate) publications: BTreeSet<PublishKey>,
    /// Calls and publications that were forgotten before their end was taken.
    forgotten_calls: BTreeSet<CallKey>,
    forgotten_publications: BTreeSet<PublishKey>,
    pub(crate) runs: u64,
    pub(crate) closed: u64,
}

pub(crate) fn config(limits: Limits) -> Config {
    Config::new("ws://127.0.0.1/", "realm1")
        .agent(None)
        .formats([Format::Json])
        .limits(limits)
        .reconnect(ReconnectPolicy::never())
}

/// The same for a session that joins again, after delays that are shorter than most waits.
pub(crate) fn rejoining(limits: Limits) -> Config {
    let policy = ReconnectPolicy::new().max_delay(Duration::from_secs(2)).stable_after(Duration::from_secs(3));
    config(limits).reconnect(policy).retry_initial_connect(true).seed(7)
}

/// The same for an application that is asked whether an attempt follows.
pub(crate) fn asking(limits: Limits) -> Config {
    let policy = ReconnectPolicy::new().max_delay(Duration::from_secs(2)).decide(|_| Decision::End);
    rejoining(limits).reconnect(policy)
}

fn uri(index: usize) -> Uri {
    Uri::new(["com.example.a", "com.example.b", "com.example.c"][index % 3]).unwrap()
}

fn text_of(action: &Action) -> (TransportId, String) {
    match action {
        Action::OpenTransport { id, .. } => (*id, "open".to_owned()),
        Action::Send { id, frame } => (*id, String::from_utf8(frame.bytes().to_vec()).unwrap()),
        Action::Ping { id } => (*id, "ping".to_owned()),
        Action::CloseTransport { id, code, .. } => (*id, format!("close {code}")),
        action => panic!("unknown action {action:?}"),
    }
}

impl World {
    pub(crate) fn new(limits: Limits, tap: Option<Tap>) -> Self {
        Self::with(config(limits), tap)
    }

    pub(crate) fn with(config: Config, tap: Option<Tap>) -> Self {
        Self {
            session: Session::new(config),
            now: Time::ZERO,
            opened: None,
            stale: None,
            ended: BTreeSet::new(),
            calls: Vec::new(),
            publications: Vec::new(),
            subscriptions: Vec::new(),
            registrations: Vec::new(),
            invocations: Vec::new(),
            ended_invocations: BTreeSet::new(),
            actions: Vec::new(),
            events: Vec::new(),
            ledger: Ledger::default(),
            prompt: tap.is_some(),
            tap,
        }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        let now = self.now;
        let before = self.session.transport();
        let session = &mut self.session;
        match step {
            Step::Connect => {
                // A session that is closing connects again afterwards, unless the attempt that follows is only made sooner.
                let again = matches!(session.status(), Status::Closing) && session.undecided().is_none();
                self.ledger.runs = self.ledger.runs.max(self.ledger.closed + 1 + u64::from(again));
                session.connect(now);
            }
            Step::Close => {
                if !matches!(session.status(), Status::Closed) {
                    self.ledger.runs = self.ledger.closed + 1;
                }
                session.close(now, CloseReason::CloseRealm);
            }
            Step::Earlier => {
                let next = session.poll_timeout();
                session.handle_timeout(Time::ZERO);
                assert_eq!(session.poll_timeout(), next, "time goes back");
                session.probe(Time::ZERO);
                let options = CallOptions::new().timeout(Duration::from_millis(1));
                if let Ok(key) = session.call(Time::ZERO, uri(0), Payload::new(), options) {
                    self.calls.push(key);
                    self.ledger.calls.insert(key);
                }
                assert!(session.poll_timeout().is_none_or(|(at, _)| at >= now), "time goes back");
            }
            Step::Activity => {
                if let Some(id) = before {
                    session.handle_activity(now, id);
                }
            }
            Step::Decide(after) => {
                let is_asked = session.undecided().is_some();
                let decision = after.map_or(Decision::End, |millis| Decision::Retry(Duration::from_millis(millis)));
                session.decide(now, decision);
                assert!(session.undecided().is_none());
                assert!(is_asked || session.transport() == before, "a decision that nobody asked for");
            }
            Step::Open { offered, ticket } => {
                if let Some(id) = before.filter(|id| self.opened != Some(*id)) {
                    let mut opened = Opened::new(offered.then_some("wamp.2.json"));
                    if *ticket {
                        opened = opened.authmethods(["ticket"]).authid("joe");
                    }
                    if let Some(tap) = &mut self.tap {
                        tap.opened();
                    }
                    self.opened = Some(id);
                    session.handle_opened(now, id, opened);
                }
            }
            Step::EndTransport => {
                if let Some(id) = before {
                    session.handle_closed(now, id, TransportError::new(TransportErrorKind::Eof));
                }
            }
            Step::StaleNews => {
                if let Some(id) = self.stale {
                    assert!(session.authenticate(now, id, Ok(Answer::new("late"))).is_err(), "nobody asks any more");
                    session.handle_opened(now, id, Opened::new(Some("wamp.2.json")));
                    session.handle_frame(now, id, Frame::Text(b"[2,1,{}]".as_slice().into()));
                    session.handle_closed(now, id, TransportError::new(TransportErrorKind::Eof));
                }
            }
            Step::Frame(text) => {
                if let Some(id) = before.filter(|id| self.opened == Some(*id)) {
                    if let Some(tap) = &mut self.tap {
                        tap.received(text);
                    }
                    session.handle_frame(now, id, Frame::Text(text.as_bytes().to_vec().into()));
                }
            }
            Step::Wait(millis) => {
                self.now = now.checked_add(Duration::from_millis(*millis)).unwrap();
                session.handle_timeout(self.now);
                assert!(session.poll_timeout().is_none_or(|(at, _)| at > self.now), "invariant 3");
            }
            Step::Publish(index, offline) => {
                let mut options = PublishOptions::new();
                if let Some(policy) = offline {
                    options = options.offline(*policy);
                }
                if let Ok(Some(key)) = session.publish(now, uri(*index), Payload::new(), options) {
                    self.publications.push(key);
                    self.ledger.publications.insert(key);
                }
            }
            Step::PublishAcked(index, offline) => {
                let payload = ("event", *index).into_payload(Format::Json).unwrap();
                let mut options = PublishOptions::new();
                if let Some(policy) = offline {
                    options = options.offline(*policy);
                }
                if let Ok(key) = session.publish_acked(now, uri(*index), payload, options) {
                    self.publications.push(key);
                    self.ledger.publications.insert(key);
                }
            }
            Step::Call(index, CallKind { timeout, receive_progress, progress, sealed, offline }) => {
                let options = CallOptions::new();
                let options = if let Some(policy) = offline { options.offline(*policy) } else { options };
                let options = if *sealed { options.passthru(Passthru::new("x_a")) } else { options };
                let options = if *timeout { options.timeout(Duration::from_millis(1_500)) } else { options };
                let options = if *receive_progress { options.receive_progress() } else { options };
                let options = if *progress { options.progress() } else { options };
                if let Ok(key) = session.call(now, uri(*index), Payload::new(), options) {
                    self.calls.push(key);
                    self.ledger.calls.insert(key);
                }
            }
            Step::CallMore(index, last) => {
                if let Some(key) = nth(&self.calls, *index) {
                    let part = if *last { CallPart::Last } else { CallPart::More };
                    let _ = session.call_more(now, key, Payload::new(), part);
                }
            }
            Step::Cancel(index, mode) => {
                if let Some(key) = nth(&self.calls, *index) {
                    let modes = [CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait];
                    let _ = session.cancel(now, key, modes[usize::from(*mode)]);
                }
            }
            Step::Subscribe(index, option, offline) => {
                let options = SubscribeOptions::new();
                // Buffered ones wait for the join without end, unless they say how long.
                let options = match offline {
                    Some(policy) => options.offline(*policy),
                    None => options.timeout(Duration::from_secs(3)),
                };
                let options = match option {
                    0 => options,
                    1 => options.option("_marked", true).unwrap(),
                    2 => options.match_policy(MatchPolicy::Prefix),
                    _ => options.get_retained(),
                };
                self.subscriptions.extend(session.subscribe(now, uri(*index), options));
            }
            Step::Unsubscribe(index) => {
                if let Some(key) = nth(&self.subscriptions, *index) {
                    let _ = session.unsubscribe(now, key);
                }
            }
            Step::Register(index, option, offline) => {
                let options = RegisterOptions::new();
                let options = if let Some(policy) = offline { options.offline(*policy) } else { options };
                let options = match option {
                    0 => options,
                    1 => options.invoke(InvokePolicy::RoundRobin).concurrency(2),
                    2 => options.match_policy(MatchPolicy::Prefix),
                    _ => options.force_reregister().timeout(Duration::from_secs(2)),
                };
                self.registrations.extend(session.register(now, uri(*index), options));
            }
            Step::Unregister(index) => {
                if let Some(key) = nth(&self.registrations, *index) {
                    let _ = session.unregister(now, key);
                }
            }
            Step::Respond(index, kind) => {
                if let Some(key) = nth(&self.invocations, *index) {
                    let response = match kind {
                        0 => Response::Result(Payload::new()),
                        1 => Response::Result((1, 2).into_payload(Format::Json).unwrap()),
                        5 => Response::SealedProgress(Passthru::new("x_a"), 1.into_payload(Format::Json).unwrap()),
                        6 => Response::SealedResult(Passthru::new("x_a"), 1.into_payload(Format::Json).unwrap()),
                        2 | 3 => Response::Progress(1.into_payload(Format::Json).unwrap()),
                        _ => Response::Error(WampError::new("com.example.error").unwrap()),
                    };
                    let _ = session.respond(now, key, response);
                }
            }
            Step::ForgetCall(index) => {
                if let Some(key) = nth(&self.calls, *index) {
                    session.forget_call(key);
                    if self.ledger.calls.remove(&key) && !self.prompt {
                        self.ledger.forgotten_calls.insert(key);
                    }
                }
            }
            Step::ForgetPublish(index) => {
                if let Some(key) = nth(&self.publications, *index) {
                    session.forget_publish(key);
                    if self.ledger.publications.remove(&key) && !self.prompt {
                        self.ledger.forgotten_publications.insert(key);
                    }
                }
            }
            Step::ReconnectNow => session.reconnect_now(now),
            Step::Probe => session.probe(now),
            Step::Authenticate(well) => {
                if let Some(id) = before {
                    let answer =
                        if *well { Ok(Answer::new("secret")) } else { Err(AuthError::Malformed("nothing in it")) };
                    let _ = session.authenticate(now, id, answer);
                }
            }
        }
        let after = self.session.transport();
        if let Some(id) = before.filter(|_| before != after) {
            self.stale = Some(id);
            self.ended.insert(id);
            if let Some(tap) = &mut self.tap {
                // The last actions of a transport come before its end, the first ones of the next after it.
                while let Some(action) = self.session.poll_action() {
                    if matches!(action, Action::OpenTransport { .. }) {
                        tap.ended();
                    }
                    tap.action(&action, &text_of(&action).1);
                    self.actions.push(text_of(&action));
                }
                if after.is_none() {
                    tap.ended();
                }
            }
        }
    }

    pub(crate) fn drain(&mut self) {
        while let Some(action) = self.session.poll_action() {
            let text = text_of(&action);
            let pointless = self.ended.contains(&text.0) && !matches!(action, Action::CloseTransport { .. });
            assert!(!pointless, "invariant 4: {text:?} after the end of the transport");
            if let Some(tap) = &mut self.tap {
                tap.action(&action, &text.1);
            }
            self.actions.push(text);
        }
        while let Some(event) = self.session.poll_event() {
            self.events.push(format!("{event:?}"));
            assert!(!self.prompt || self.ledger.closed < self.ledger.runs, "invariant 2: {event:?} after Closed");
            match event {
                SessionEvent::CallDone { key, .. } => {
                    let awaited = self.ledger.calls.remove(&key) || self.ledger.forgotten_calls.remove(&key);
                    assert!(awaited, "invariant 1: a second end of {key:?}");
                }
                SessionEvent::CallProgress { key, .. } => {
                    let awaited = self.ledger.calls.contains(&key) || self.ledger.forgotten_calls.contains(&key);
                    // Parts that nobody has taken may be older than the wish to forget them.
                    assert!(awaited || !self.prompt, "invariant 1: a part after the end of {key:?}");
                }
                SessionEvent::InvocationInput { key, .. } | SessionEvent::Interrupted { key, .. } => {
                    let known = self.invocations.contains(&key) && !self.ended_invocations.contains(&key);
                    assert!(known, "news of {key:?}, which has ended");
                }
                SessionEvent::InvocationEnded { key, .. } => {
                    assert!(self.ended_invocations.insert(key), "a second end of {key:?}");
                }
                SessionEvent::PublishDone { key, .. } | SessionEvent::PublishSent { key, .. } => {
                    let ledger = &mut self.ledger;
                    let awaited = ledger.publications.remove(&key) || ledger.forgotten_publications.remove(&key);
                    assert!(awaited, "invariant 1: a second end of {key:?}");
                }
                SessionEvent::Invocation(invocation) => self.invocations.push(invocation.key),
                SessionEvent::Closed(_) => self.ledger.closed += 1,
                _ => {}
            }
        }
    }
}

fn nth<T: Copy>(list: &[T], index: usize) -> Option<T> {
    list.get(index.checked_rem(list.len())?).copied()
}

/// Runs the steps to the end, and drains where `drains` says so.
pub(crate) fn run(steps: &[Step], drains: impl Fn(usize) -> bool, config: Config) -> World {
    let mut world = World::with(config, None);
    for (index, step) in steps.iter().enumerate() {
        world.step(step);
        if drains(index) {
            world.drain();
        }
    }
    world.step(&Step::Close);
    world.step(&Step::Wait(60_000));
    world.drain();
    world
}
