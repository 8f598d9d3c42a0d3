//! What holds for a session whatever happens to it: random commands, frames, times and orders of draining.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

#[path = "support/tap.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the conformance tests")]
mod tap;

use core::time::Duration;
use std::collections::BTreeSet;

use proptest::prelude::*;
use wamp_session::auth::Answer;
use wamp_session::proto::{CancelMode, Format, IntoPayload, MatchPolicy, Payload, Uri};
use wamp_session::{
    Action, AuthError, CallKey, CallOptions, CallPart, CloseReason, Config, Frame, InvocationKey, Limits, Opened,
    PublishKey, PublishOptions, ReconnectPolicy, RegisterOptions, RegistrationKey, Response, Session, SessionEvent,
    Status, SubscribeOptions, SubscriptionKey, Time, TransportError, TransportErrorKind, TransportId, WampError,
};

use tap::Tap;

/// One thing that happens. Indices count modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Connect,
    Close,
    Open {
        offered: bool,
        ticket: bool,
    },
    EndTransport,
    StaleNews,
    Frame(String),
    /// The router confirms the request with this id, whatever it was.
    Wait(u64),
    Publish(usize),
    PublishAcked(usize),
    Call(usize, CallKind),
    CallMore(usize, bool),
    Cancel(usize, u8),
    Subscribe(usize, u8),
    Unsubscribe(usize),
    Register(usize),
    Unregister(usize),
    Respond(usize, u8),
    ForgetCall(usize),
    ForgetPublish(usize),
    Authenticate(bool),
    ReconnectNow,
    Probe,
}

/// How a procedure is called.
#[derive(Clone, Copy, Debug)]
struct CallKind {
    timeout: bool,
    receive_progress: bool,
    progress: bool,
}

fn uri(index: usize) -> Uri {
    Uri::new(["com.example.a", "com.example.b", "com.example.c"][index % 3]).unwrap()
}

fn frame() -> impl Strategy<Value = String> {
    let id = 1..6_u64;
    let frames = (0..48_u8, id.clone(), id).prop_map(|(kind, a, b)| match kind {
        0..=4 => format!("[33,{a},{b}]"),
        5 => format!("[35,{a}]"),
        6..=8 => format!("[65,{a},{b}]"),
        9 => format!("[67,{a}]"),
        10..=13 => format!("[36,{a},{b},{{}},[{b}]]"),
        14 if b < 3 => format!("[36,{a},{b},{{\"topic\":\"com.example.d\"}}]"),
        14 => format!("[36,{a},{b},{{\"retained\":true}}]"),
        15..=18 => format!("[68,{a},{b},{{}},[],{{\"k\":1}}]"),
        19..=22 => format!("[50,{a},{{}},[{b}]]"),
        23 => format!("[50,{a},{{\"progress\":true}}]"),
        24..=26 => format!("[17,{a},{b}]"),
        27..=31 => {
            let code = [16, 32, 34, 48, 64, 66][usize::try_from(b).unwrap_or(0) % 6];
            format!("[8,{code},{a},{{}},\"com.example.error\"]")
        }
        32 => format!("[67,0,{{\"registration\":{b}}}]"),
        33 => format!("[35,0,{{\"subscription\":{b}}}]"),
        34 => format!("[69,{a},{{}}]"),
        35 => format!("[68,{a},{b},{{\"procedure\":\"not a uri\"}}]"),
        36 => format!("[8,48,{a},{{}},\"not a uri\"]"),
        37 => "[6,{},\"wamp.close.system_shutdown\"]".to_owned(),
        38 => "[3,{},\"wamp.error.not_authorized\"]".to_owned(),
        39 => format!("[68,{a},{b},{{\"receive_progress\":true,\"timeout\":900}}]"),
        40 | 41 => format!("[68,{a},{b},{{\"receive_progress\":true,\"progress\":true}},[{b}]]"),
        42 => format!("[68,{a},{b},{{\"progress\":true,\"procedure\":\"not a uri\"}}]"),
        43 => format!("[69,{a},{{\"mode\":\"kill\"}}]"),
        44 => format!("[69,{a},{{\"mode\":\"killnowait\",\"reason\":\"wamp.error.canceled\"}}]"),
        45 | 46 => format!("[50,{a},{{\"progress\":true}},[{b}]]"),
        _ => format!("[{b}]"),
    });
    prop_oneof![
        12 => frames,
        2 => Just("[2,1,{\"roles\":{\"broker\":{},\"dealer\":{}}}]".to_owned()),
        3 => Just(concat!(
            "[2,1,{\"roles\":{\"broker\":{},\"dealer\":{\"features\":{\"call_canceling\":true,",
            "\"call_timeout\":true,\"progressive_call_invocations\":true}}}}]"
        ).to_owned()),
        1 => Just("[2,1,{}]".to_owned()),
        2 => Just("[4,\"ticket\",{}]".to_owned()),
        1 => "\\PC{0,12}",
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let index = 0..8_usize;
    prop_oneof![
        3 => Just(Step::Connect),
        1 => Just(Step::Close),
        4 => (prop::bool::weighted(0.9), any::<bool>()).prop_map(|(offered, ticket)| Step::Open { offered, ticket }),
        1 => Just(Step::EndTransport),
        1 => Just(Step::StaleNews),
        24 => frame().prop_map(Step::Frame),
        3 => (0..6_000_u64).prop_map(Step::Wait),
        2 => index.clone().prop_map(Step::Publish),
        3 => index.clone().prop_map(Step::PublishAcked),
        5 => (index.clone(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.3)).prop_map(
            |(index, timeout, receive_progress, progress)| {
                Step::Call(index, CallKind { timeout, receive_progress, progress })
            }
        ),
        3 => (index.clone(), prop::bool::weighted(0.3)).prop_map(|(index, last)| Step::CallMore(index, last)),
        3 => (index.clone(), 0..3_u8).prop_map(|(index, mode)| Step::Cancel(index, mode)),
        5 => (index.clone(), 0..4_u8).prop_map(|(index, option)| Step::Subscribe(index, option)),
        3 => index.clone().prop_map(Step::Unsubscribe),
        3 => index.clone().prop_map(Step::Register),
        2 => index.clone().prop_map(Step::Unregister),
        6 => (index.clone(), 0..5_u8).prop_map(|(index, kind)| Step::Respond(index, kind)),
        1 => index.clone().prop_map(Step::ForgetCall),
        1 => index.prop_map(Step::ForgetPublish),
        2 => any::<bool>().prop_map(Step::Authenticate),
        1 => Just(Step::ReconnectNow),
        1 => Just(Step::Probe),
    ]
}

/// A session and all that came out of it.
struct World {
    session: Session,
    now: Time,
    opened: Option<TransportId>,
    stale: Option<TransportId>,
    ended: BTreeSet<TransportId>,
    calls: Vec<CallKey>,
    publications: Vec<PublishKey>,
    subscriptions: Vec<SubscriptionKey>,
    registrations: Vec<RegistrationKey>,
    invocations: Vec<InvocationKey>,
    ended_invocations: BTreeSet<InvocationKey>,
    actions: Vec<(TransportId, String)>,
    events: Vec<String>,
    ledger: Ledger,
    /// Whether what comes out is taken after each step.
    prompt: bool,
    tap: Option<Tap>,
}

/// What has to come yet.
#[derive(Default)]
struct Ledger {
    calls: BTreeSet<CallKey>,
    publications: BTreeSet<PublishKey>,
    /// Calls and publications that were forgotten before their end was taken.
    forgotten_calls: BTreeSet<CallKey>,
    forgotten_publications: BTreeSet<PublishKey>,
    runs: u64,
    closed: u64,
}

fn config(limits: Limits) -> Config {
    Config::new("ws://127.0.0.1/", "realm1")
        .agent(None)
        .formats([Format::Json])
        .limits(limits)
        .reconnect(ReconnectPolicy::never())
}

/// The same for a session that joins again, after delays that are shorter than most waits.
fn rejoining(limits: Limits) -> Config {
    let policy = ReconnectPolicy::new().max_delay(Duration::from_secs(2)).stable_after(Duration::from_secs(3));
    config(limits).reconnect(policy).retry_initial_connect(true).seed(7)
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
    fn new(limits: Limits, tap: Option<Tap>) -> Self {
        Self::with(config(limits), tap)
    }

    fn with(config: Config, tap: Option<Tap>) -> Self {
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

    fn step(&mut self, step: &Step) {
        let now = self.now;
        let before = self.session.transport();
        let session = &mut self.session;
        match step {
            Step::Connect => session.connect(now),
            Step::Close => session.close(now, CloseReason::CloseRealm),
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
            Step::Publish(index) => {
                let _ = session.publish(now, uri(*index), Payload::new(), PublishOptions::new());
            }
            Step::PublishAcked(index) => {
                let payload = ("event", *index).into_payload(Format::Json).unwrap();
                if let Ok(key) = session.publish_acked(now, uri(*index), payload, PublishOptions::new()) {
                    self.publications.push(key);
                    self.ledger.publications.insert(key);
                }
            }
            Step::Call(index, CallKind { timeout, receive_progress, progress }) => {
                let options = CallOptions::new();
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
            Step::Subscribe(index, option) => {
                let options = SubscribeOptions::new().timeout(Duration::from_secs(3));
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
            Step::Register(index) => {
                self.registrations.extend(session.register(now, uri(*index), RegisterOptions::new()));
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

    fn drain(&mut self) {
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
            assert!(
                self.ledger.closed < self.ledger.runs || matches!(event, SessionEvent::Joined(_)),
                "invariant 2: {event:?} after Closed"
            );
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
                SessionEvent::PublishDone { key, .. } => {
                    let ledger = &mut self.ledger;
                    let awaited = ledger.publications.remove(&key) || ledger.forgotten_publications.remove(&key);
                    assert!(awaited, "invariant 1: a second end of {key:?}");
                }
                SessionEvent::Invocation(invocation) => self.invocations.push(invocation.key),
                SessionEvent::Closed(_) => self.ledger.closed += 1,
                _ => {}
            }
        }
        let runs = self.actions.iter().filter(|(_, text)| text == "open").count();
        self.ledger.runs = self.ledger.runs.max(runs as u64);
    }
}

fn nth<T: Copy>(list: &[T], index: usize) -> Option<T> {
    list.get(index.checked_rem(list.len())?).copied()
}

/// Runs the steps to the end, and drains where `drains` says so.
fn run(steps: &[Step], drains: impl Fn(usize) -> bool, config: Config) -> World {
    let mut world = World::with(config, None);
    world.ledger.runs = u64::MAX;
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariants 1 to 5.
    #[test]
    fn whatever_happens_the_session_keeps_its_word(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new(Limits::new(), Some(Tap::default()));
        for step in &steps {
            let closed = matches!(world.session.status(), Status::Closed);
            world.step(step);
            let events = world.events.len();
            // A run that has begun is counted before its events are looked at.
            if closed && matches!(step, Step::Connect) {
                world.ledger.runs += 1;
            }
            world.drain();
            if matches!(world.session.status(), Status::Closed) {
                prop_assert_eq!(world.session.poll_timeout(), None, "a deadline outlives the session");
            }
            if closed && !matches!(step, Step::Connect) {
                prop_assert_eq!(world.events.len(), events, "silence after Closed");
            }
        }
        world.step(&Step::Close);
        world.step(&Step::Wait(60_000));
        world.drain();
        prop_assert!(matches!(world.session.status(), Status::Closed));
        prop_assert_eq!(world.session.poll_timeout(), None);
        prop_assert!(world.ledger.calls.is_empty(), "invariant 1: {:?}", world.ledger.calls);
        prop_assert!(world.ledger.publications.is_empty(), "invariant 1: {:?}", world.ledger.publications);
        prop_assert_eq!(world.ledger.closed, world.ledger.runs, "invariant 2");
    }

    /// Invariant 6, and 7 by the way: the same inputs give the same outputs, whenever they are taken.
    #[test]
    fn draining_late_changes_nothing_but_what_has_become_pointless(
        steps in prop::collection::vec(step(), 1..120),
        every in 2..50_usize,
    ) {
        // Only the names of invocations come from events, so that both worlds answer none that they have not seen.
        let steps: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Respond(..))).collect();
        let prompt = run(&steps, |_| true, config(Limits::new()));
        let again = run(&steps, |_| true, config(Limits::new()));
        prop_assert_eq!(&prompt.actions, &again.actions);
        prop_assert_eq!(&prompt.events, &again.events);
        for late in [run(&steps, |index| index % every == 0, config(Limits::new())), run(&steps, |_| false, config(Limits::new()))] {
            prop_assert_eq!(&prompt.events, &late.events);
            let mut rest = late.actions.iter().peekable();
            for action in &prompt.actions {
                if rest.peek() == Some(&action) {
                    rest.next();
                } else {
                    prop_assert!(late.ended.contains(&action.0), "{:?} is missing", action);
                }
            }
            prop_assert_eq!(rest.next(), None);
        }
    }

    /// Invariant 7: nothing that the peer or the application adds to grows without bounds.
    #[test]
    fn no_queue_exceeds_its_limit(steps in prop::collection::vec(step(), 1..200)) {
        let limits = Limits::new().max_events(3).max_requests(4).max_invocations(2);
        let world = run(&steps, |_| false, config(limits));
        let count = |name: &str| world.events.iter().filter(|event| event.starts_with(name)).count();
        // Events that nobody took until the end of all the runs.
        prop_assert!(count("Published(") + count("CallProgress") + count("InvocationInput") <= 3);
        prop_assert!(count("Invocation(") <= 2 && count("Interrupted") <= 2);
        prop_assert!(count("CallDone") + count("PublishDone") + count("Subscribed") + count("Registered") <= 4 + followers(&steps));
        let running = world.events.iter().scan(0_i64, |running, event| {
            *running += i64::from(event.starts_with("Invocation(")) - i64::from(event.starts_with("InvocationEnded"));
            Some(*running)
        });
        prop_assert!(running.max().unwrap_or(0) <= 2);
    }

    /// No frame makes the session panic, in any state.
    #[test]
    fn rob_01_no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..64), binary in any::<bool>(), joined in any::<bool>()) {
        let mut world = World::new(Limits::new(), None);
        world.step(&Step::Connect);
        world.step(&Step::Open { offered: true, ticket: false });
        if joined {
            world.step(&Step::Frame("[2,1,{}]".to_owned()));
        }
        let id = world.session.transport().unwrap();
        let frame = if binary { Frame::Binary(bytes.into()) } else { Frame::Text(bytes.into()) };
        world.session.handle_frame(world.now, id, frame);
        world.ledger.runs = u64::MAX;
        world.drain();
    }
}

proptest! {
    // As many programs as the simulation has seeds, which asserts the other invariants.
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariants 6 and 7 of a session that joins again and again.
    #[test]
    fn draining_late_changes_nothing_over_many_sessions(
        steps in prop::collection::vec(step(), 1..160),
        every in 2..50_usize,
    ) {
        // What is published without acknowledgement and not taken is lost with its session, and counted.
        let steps: Vec<Step> =
            steps.into_iter().filter(|step| !matches!(step, Step::Respond(..) | Step::Publish(_))).collect();
        let prompt = run(&steps, |_| true, rejoining(Limits::new()));
        let again = run(&steps, |_| true, rejoining(Limits::new()));
        prop_assert_eq!(&prompt.actions, &again.actions);
        prop_assert_eq!(&prompt.events, &again.events);
        let rarely = run(&steps, |index| index % every == 0, rejoining(Limits::new()));
        for late in [rarely, run(&steps, |_| false, rejoining(Limits::new()))] {
            prop_assert_eq!(&prompt.events, &late.events);
            let mut rest = late.actions.iter().peekable();
            for action in &prompt.actions {
                if rest.peek() == Some(&action) {
                    rest.next();
                } else {
                    prop_assert!(late.ended.contains(&action.0), "{:?} is missing", action);
                }
            }
            prop_assert_eq!(rest.next(), None);
        }
    }

    /// Invariant 7 of a session that joins again and again: what nobody takes stays within the limits, whatever comes and goes.
    #[test]
    fn no_queue_exceeds_its_limit_over_many_sessions(steps in prop::collection::vec(step(), 1..200)) {
        let limits = Limits::new().max_events(3).max_requests(4).max_invocations(2).max_changes(4);
        let world = run(&steps, |_| false, rejoining(limits));
        let refusals = world.actions.iter().filter(|(_, text)| text.starts_with("[8,68,")).count();
        prop_assert!(refusals <= 2, "{:?}", world.actions);
        let count = |name: &str| world.events.iter().filter(|event| event.starts_with(name)).count();
        prop_assert!(count("Published(") <= 3);
        let changes = count("Joined") + count("Left") + count("Restored") + count("Challenge");
        prop_assert!(changes <= 4 + 3, "{:?}", world.events);
    }
}

/// How many subscriptions may have joined another without a request of their own.
fn followers(steps: &[Step]) -> usize {
    steps.iter().filter(|step| matches!(step, Step::Subscribe(..))).count()
}
