//! One session and what it owes: invariants 1 to 5.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;
use wamp_session::proto::{MatchPolicy, Uri};
use wamp_session::router::PeerId;
use wamp_session::{
    Action, CallKey, CloseReason, Frame, InvocationKey, NotRestored, PublishKey, RegistrationKey, Session,
    SessionEvent, Status, SubscriptionKey, Time, TransportId,
};

/// A transport between a session and the router.
pub(crate) struct Link {
    pub(crate) id: TransportId,
    pub(crate) peer: PeerId,
    pub(crate) up: VecDeque<(Time, Frame)>,
    pub(crate) down: VecDeque<(Time, Frame)>,
    /// Nothing gets through any more, and nobody is told.
    pub(crate) stalled: bool,
}

pub(crate) struct Client {
    pub(crate) session: Session,
    pub(crate) link: Option<Link>,
    /// A transport that is to be opened, and when it will have been tried.
    pub(crate) opening: Option<(TransportId, Time)>,
    calls: BTreeSet<CallKey>,
    publications: BTreeSet<PublishKey>,
    /// Those that the present session has sent.
    sent: (BTreeSet<CallKey>, BTreeSet<PublishKey>),
    was_joined: bool,
    /// Whether a rejoin is not followed by `Restored` yet.
    restoring: bool,
    /// What is live, and whether it was confirmed.
    /// By what they match, and whether they are confirmed.
    pub(crate) subscriptions: BTreeMap<SubscriptionKey, ((Uri, MatchPolicy), bool)>,
    pub(crate) registrations: BTreeMap<RegistrationKey, (Uri, bool)>,
    pub(crate) invocations: Vec<InvocationKey>,
    runs: u64,
    closed: u64,
    requests: u64,
    /// The calls of this session whose input went on.
    inputs: BTreeSet<u64>,
    hello: bool,
    welcomed: bool,
}

impl Client {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            link: None,
            opening: None,
            calls: BTreeSet::new(),
            publications: BTreeSet::new(),
            sent: Default::default(),
            was_joined: false,
            restoring: false,
            subscriptions: BTreeMap::new(),
            registrations: BTreeMap::new(),
            invocations: Vec::new(),
            runs: 0,
            closed: 0,
            requests: 0,
            inputs: BTreeSet::new(),
            hello: false,
            welcomed: false,
        }
    }

    pub(crate) fn connect(&mut self, now: Time) {
        // A session that is closing connects again afterwards.
        let runs = if matches!(self.session.status(), Status::Closing) { 2 } else { 1 };
        self.runs = self.runs.max(self.closed + runs);
        self.session.connect(now);
    }

    pub(crate) fn close(&mut self, now: Time) {
        if !self.is_idle() {
            self.runs = self.closed + 1;
        }
        self.session.close(now, CloseReason::CloseRealm);
    }

    pub(crate) fn called(&mut self, key: CallKey) {
        assert!(self.calls.insert(key), "a key that was used before");
        if matches!(self.session.status(), Status::Joined(_)) {
            self.sent.0.insert(key);
        }
    }

    pub(crate) fn calls(&self) -> Vec<CallKey> {
        self.calls.iter().copied().collect()
    }

    pub(crate) fn published(&mut self, key: PublishKey) {
        assert!(self.publications.insert(key), "a key that was used before");
        if matches!(self.session.status(), Status::Joined(_)) {
            self.sent.1.insert(key);
        }
    }

    /// Whether what was kept has been disposed of.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.session.status(), Status::Closed | Status::Closing)
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.session.status(), Status::Closed)
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        self.session.handle_timeout(now);
        assert!(self.session.poll_timeout().is_none_or(|(at, _)| at > now), "invariant 3");
    }

    /// Looks at what the session sends: invariants 4 and 5.
    pub(crate) fn check_action(&mut self, action: &Action) {
        match action {
            Action::OpenTransport { .. } => {
                (self.requests, self.hello, self.welcomed) = (0, false, false);
                self.inputs.clear();
            }
            Action::Send { id, frame } => {
                assert!(self.link.as_ref().is_some_and(|link| link.id == *id), "invariant 4");
                let message: Value = serde_json::from_slice(frame.bytes()).unwrap();
                let code = message[0].as_u64().unwrap();
                assert_eq!(code == 1, !std::mem::replace(&mut self.hello, true), "HELLO comes first and once");
                assert!(self.welcomed || matches!(code, 1 | 3 | 5), "invariant 5: {message} before WELCOME");
                // More input of a call has the id of the first.
                let again = code == 48 && self.inputs.contains(&message[1].as_u64().unwrap());
                if code == 48 && message[2]["progress"] == true {
                    self.inputs.insert(message[1].as_u64().unwrap());
                }
                if matches!(code, 16 | 32 | 34 | 48 | 64 | 66) && !again {
                    self.requests += 1;
                    assert_eq!(message[1].as_u64(), Some(self.requests), "invariant 5: {message}");
                }
            }
            Action::Ping { id } => {
                assert!(self.welcomed && self.link.as_ref().is_some_and(|link| link.id == *id), "invariant 4");
            }
            _ => {}
        }
    }

    pub(crate) fn receive(&mut self, now: Time, frame: Frame) {
        let Some(link) = &self.link else { return };
        self.welcomed |= frame.bytes().starts_with(b"[2,");
        self.session.handle_frame(now, link.id, frame);
    }

    /// Looks at what the session tells: invariants 1 and 2.
    pub(crate) fn check_event(&mut self, event: SessionEvent) {
        assert!(self.closed < self.runs, "invariant 2: {event:?} after Closed");
        match event {
            SessionEvent::Joined(_) => {
                self.restoring = std::mem::replace(&mut self.was_joined, true);
                self.sent = (self.calls.clone(), self.publications.clone());
            }
            SessionEvent::Left(_) => {
                self.restoring = false;
                let (calls, publications) = std::mem::take(&mut self.sent);
                assert!(calls.is_disjoint(&self.calls), "calls in flight outlive their session");
                assert!(publications.is_disjoint(&self.publications), "publications in flight outlive their session");
            }
            SessionEvent::Restored { failed } => {
                assert!(std::mem::take(&mut self.restoring), "Restored without a rejoin");
                for failed in failed {
                    // Its return is told again.
                    if let NotRestored::Subscription { key, .. } = failed
                        && let Some(live) = self.subscriptions.get_mut(&key)
                    {
                        live.1 = false;
                    }
                }
            }
            SessionEvent::CallProgress { key, .. } => {
                assert!(self.calls.contains(&key), "invariant 1: a part after the end of {key:?}");
            }
            SessionEvent::CallDone { key, .. } => assert!(self.calls.remove(&key), "invariant 1: {key:?}"),
            SessionEvent::PublishDone { key, .. } => assert!(self.publications.remove(&key), "invariant 1: {key:?}"),
            SessionEvent::Subscribed { key, result: Ok(()) } => {
                if let Some(live) = self.subscriptions.get_mut(&key) {
                    assert!(!live.1, "{key:?} is confirmed twice");
                    live.1 = true;
                }
            }
            SessionEvent::Subscribed { key, result: Err(_) } => drop(self.subscriptions.remove(&key)),
            SessionEvent::Registered { key, result: Ok(()) } => {
                if let Some(live) = self.registrations.get_mut(&key) {
                    live.1 = true;
                }
            }
            SessionEvent::Registered { key, result: Err(_) } => drop(self.registrations.remove(&key)),
            SessionEvent::Invocation(invocation) => {
                self.invocations.push(invocation.key);
            }
            SessionEvent::InvocationEnded { key, .. } => self.invocations.retain(|other| *other != key),
            SessionEvent::Closed(_) => {
                self.closed += 1;
                self.was_joined = false;
                self.restoring = false;
                assert!(self.calls.is_empty() && self.publications.is_empty(), "invariant 1: open after Closed");
                self.subscriptions.clear();
                self.registrations.clear();
                self.invocations.clear();
            }
            _ => {}
        }
    }

    /// Everything that was kept has been asked for again.
    pub(crate) fn check_restored(&self) {
        assert!(!self.restoring, "a rejoin without Restored");
    }

    /// Everything has ended.
    pub(crate) fn check_end(&self) {
        assert_eq!(self.runs, self.closed, "invariant 2");
        assert!(self.calls.is_empty() && self.publications.is_empty(), "invariant 1");
        assert_eq!(self.session.poll_timeout(), None);
        assert!(self.session.transport().is_none());
    }
}
