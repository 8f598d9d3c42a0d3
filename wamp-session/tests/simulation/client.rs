//! One session and what it owes: invariants 1 to 5.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;
use wamp_session::auth::Answer;
use wamp_session::proto::{MatchPolicy, Uri};
use wamp_session::router::PeerId;
use wamp_session::{
    Action, AuthError, CallKey, CloseReason, CommandError, Frame, InvocationKey, NotRestored, PublishKey,
    RegistrationKey, Session, SessionEvent, Status, SubscriptionKey, Time, TransportError, TransportErrorKind,
    TransportId,
};

/// What one SUBSCRIBE asks for: who wants retained events asks alone.
type Topic = (Uri, MatchPolicy, Option<SubscriptionKey>);

/// The commands that wait for a join.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) calls: BTreeSet<CallKey>,
    pub(crate) publications: BTreeSet<PublishKey>,
    pub(crate) topics: BTreeSet<Topic>,
    pub(crate) registrations: BTreeSet<RegistrationKey>,
}

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
    /// Transports that are to be closed, and when they will have been.
    pub(crate) ending: Vec<(Time, TransportId)>,
    /// Challenges that wait for an answer, and when it will have been found.
    pub(crate) challenges: Vec<(Time, TransportId)>,
    /// How many commands of a kind wait at most, if they are buffered.
    buffer: Option<usize>,
    pub(crate) waiting: Waiting,
    calls: BTreeSet<CallKey>,
    publications: BTreeSet<PublishKey>,
    /// Those that the present session has sent.
    sent: (BTreeSet<CallKey>, BTreeSet<PublishKey>),
    was_joined: bool,
    /// Whether a rejoin is not followed by `Restored` yet.
    restoring: bool,
    /// Whether the application has closed the session, and it is not closed yet.
    is_closing: bool,
    /// What is live, and whether it is confirmed.
    pub(crate) subscriptions: BTreeMap<SubscriptionKey, (Topic, bool)>,
    pub(crate) registrations: BTreeMap<RegistrationKey, (Uri, bool)>,
    pub(crate) invocations: Vec<InvocationKey>,
    runs: u64,
    closed: u64,
    requests: u64,
    /// The calls of this session whose input went on.
    inputs: BTreeSet<u64>,
    hello: bool,
    welcomed: bool,
    /// Whether the present dealer announces that calls can be cancelled.
    can_cancel: bool,
}

impl Client {
    pub(crate) fn new(session: Session, buffer: Option<usize>) -> Self {
        Self {
            session,
            link: None,
            opening: None,
            ending: Vec::new(),
            challenges: Vec::new(),
            buffer,
            waiting: Waiting::default(),
            calls: BTreeSet::new(),
            publications: BTreeSet::new(),
            sent: Default::default(),
            was_joined: false,
            restoring: false,
            is_closing: false,
            subscriptions: BTreeMap::new(),
            registrations: BTreeMap::new(),
            invocations: Vec::new(),
            runs: 0,
            closed: 0,
            requests: 0,
            inputs: BTreeSet::new(),
            hello: false,
            welcomed: false,
            can_cancel: false,
        }
    }

    pub(crate) fn connect(&mut self, now: Time) {
        // A session that is closing connects again afterwards.
        let runs = if matches!(self.session.status(), Status::Closing) { 2 } else { 1 };
        self.runs = self.runs.max(self.closed + runs);
        self.is_closing &= runs == 1;
        self.session.connect(now);
    }

    pub(crate) fn close(&mut self, now: Time) {
        if !self.is_idle() {
            self.runs = self.closed + 1;
            self.is_closing = true;
        }
        self.session.close(now, CloseReason::CloseRealm);
    }

    pub(crate) fn called(&mut self, key: CallKey) {
        assert!(self.calls.insert(key), "a key that was used before");
        if matches!(self.session.status(), Status::Joined(_)) {
            self.sent.0.insert(key);
        } else {
            self.waiting.calls.insert(key);
        }
    }

    pub(crate) fn calls(&self) -> Vec<CallKey> {
        self.calls.iter().copied().collect()
    }

    pub(crate) fn published(&mut self, key: PublishKey) {
        assert!(self.publications.insert(key), "a key that was used before");
        if matches!(self.session.status(), Status::Joined(_)) {
            self.sent.1.insert(key);
        } else {
            self.waiting.publications.insert(key);
        }
    }

    pub(crate) fn subscribed(&mut self, key: SubscriptionKey, topic: Uri, policy: MatchPolicy, retained: bool) {
        let topic = (topic, policy, retained.then_some(key));
        let is_wanted = self.subscriptions.values().any(|(other, _)| *other == topic);
        if !is_wanted && !matches!(self.session.status(), Status::Joined(_)) {
            self.waiting.topics.insert(topic.clone());
        }
        self.subscriptions.insert(key, (topic, false));
    }

    pub(crate) fn unsubscribed(&mut self, key: SubscriptionKey) {
        if let Some((topic, _)) = self.subscriptions.remove(&key)
            && self.subscriptions.values().all(|(other, _)| *other != topic)
        {
            self.waiting.topics.remove(&topic);
        }
    }

    pub(crate) fn registered(&mut self, key: RegistrationKey, procedure: Uri) {
        if !matches!(self.session.status(), Status::Joined(_)) {
            self.waiting.registrations.insert(key);
        }
        self.registrations.insert(key, (procedure, false));
    }

    pub(crate) fn unregistered(&mut self, key: RegistrationKey) {
        self.registrations.remove(&key);
        self.waiting.registrations.remove(&key);
    }

    /// Looks at whether a command was taken: a buffer has room for so many of a kind that wait, and for no more.
    pub(crate) fn check_taken<K>(&self, taken: Result<K, CommandError>, waiting: usize) -> Option<K> {
        let is_joined = matches!(self.session.status(), Status::Joined(_));
        if let Some(buffer) = self.buffer.filter(|_| !is_joined) {
            match &taken {
                Ok(_) => assert!(waiting < buffer, "invariant 7: {waiting} commands wait"),
                Err(CommandError::BufferFull) => assert!(waiting >= buffer, "only {waiting} commands wait"),
                Err(_) => {}
            }
        }
        taken.ok()
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

    /// The answer to a challenge has been found, maybe when nobody waits for it any more.
    pub(crate) fn answer(&mut self, now: Time, id: TransportId, is_found: bool) {
        let (before, status) = (self.session.transport(), self.session.status());
        let is_awaited = before == Some(id) && matches!(status, Status::Connecting);
        let answer = if is_found { Ok(Answer::new("secret")) } else { Err(AuthError::Malformed("nothing in it")) };
        let taken = self.session.authenticate(now, id, answer);
        assert_eq!(taken.is_ok(), is_awaited, "the answer to the challenge of {id:?}");
        if !is_awaited {
            assert_eq!(self.session.transport(), before, "a late answer ends another transport");
        }
    }

    /// A transport that the session wants closed has ended, maybe after it was given up.
    pub(crate) fn ended(&mut self, now: Time, id: TransportId) {
        let before = self.session.transport();
        self.session.handle_closed(now, id, TransportError::new(TransportErrorKind::Eof));
        if before != Some(id) {
            assert_eq!(self.session.transport(), before, "the late end of {id:?} ends another one");
        }
    }

    /// Looks at what the session sends: invariants 4 and 5.
    pub(crate) fn check_action(&mut self, action: &Action) {
        match action {
            Action::OpenTransport { .. } => {
                assert!(!self.is_closing, "invariant 2: another attempt after the session was closed");
                (self.requests, self.hello, self.welcomed) = (0, false, false);
                self.inputs.clear();
            }
            Action::Send { id, frame } => {
                assert!(self.link.as_ref().is_some_and(|link| link.id == *id), "invariant 4");
                let message = std::str::from_utf8(frame.bytes()).unwrap();
                let (code, id) = head(message);
                assert_eq!(code == 1, !std::mem::replace(&mut self.hello, true), "HELLO comes first and once");
                assert!(self.welcomed || matches!(code, 1 | 3 | 5), "invariant 5: {message} before WELCOME");
                assert!(code != 49 || self.can_cancel, "{message}, and the dealer does not know of that");
                if matches!(code, 32 | 64) {
                    self.check_wanted(code, &tree(message));
                }
                // More input of a call has the id of the first.
                let again = code == 48 && self.inputs.contains(&id.unwrap());
                if code == 48 && goes_on(message) {
                    self.inputs.insert(id.unwrap());
                }
                if matches!(code, 16 | 32 | 34 | 48 | 64 | 66) && !again {
                    self.requests += 1;
                    assert_eq!(id, Some(self.requests), "invariant 5: {message}");
                }
            }
            Action::Ping { id } => {
                assert!(self.welcomed && self.link.as_ref().is_some_and(|link| link.id == *id), "invariant 4");
            }
            _ => {}
        }
    }

    /// What nobody wants any more is not asked for.
    fn check_wanted(&self, code: u64, message: &Value) {
        if code == 32 {
            let policy = match message[2]["match"].as_str() {
                Some("prefix") => MatchPolicy::Prefix,
                Some("wildcard") => MatchPolicy::Wildcard,
                _ => MatchPolicy::Exact,
            };
            let is_retained = message[2]["get_retained"] == true;
            let alike = |(topic, other, retained): &Topic| {
                message[3] == topic.as_str() && policy == *other && is_retained == retained.is_some()
            };
            assert!(self.subscriptions.values().any(|(topic, _)| alike(topic)), "nobody wants {message}");
        }
        if code == 64 {
            let is_wanted = self.registrations.values().any(|(procedure, _)| message[3] == procedure.as_str());
            assert!(is_wanted, "nobody wants {message}");
        }
    }

    /// What it serves, or is about to.
    pub(crate) fn procedures(&self) -> impl Iterator<Item = &Uri> {
        self.registrations.values().map(|(procedure, _)| procedure)
    }

    pub(crate) fn receive(&mut self, now: Time, frame: Frame) {
        let Some(link) = &self.link else { return };
        if frame.bytes().starts_with(b"[2,") {
            let welcome = tree(std::str::from_utf8(frame.bytes()).unwrap());
            self.welcomed = true;
            self.can_cancel = welcome[2]["roles"]["dealer"]["features"]["call_canceling"] == true;
        }
        self.session.handle_frame(now, link.id, frame);
    }

    /// Looks at what the session tells: invariants 1 and 2.
    pub(crate) fn check_event(&mut self, event: SessionEvent) {
        assert!(self.closed < self.runs, "invariant 2: {event:?} after Closed");
        match event {
            SessionEvent::Joined(_) => {
                self.restoring = std::mem::replace(&mut self.was_joined, true);
                self.sent = (self.calls.clone(), self.publications.clone());
                self.waiting = Waiting::default();
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
            SessionEvent::CallDone { key, .. } => {
                self.waiting.calls.remove(&key);
                assert!(self.calls.remove(&key), "invariant 1: {key:?}");
            }
            SessionEvent::PublishDone { key, .. } => {
                self.waiting.publications.remove(&key);
                assert!(self.publications.remove(&key), "invariant 1: {key:?}");
            }
            SessionEvent::Subscribed { key, result: Ok(()) } => {
                if let Some(live) = self.subscriptions.get_mut(&key) {
                    assert!(!live.1, "{key:?} is confirmed twice");
                    live.1 = true;
                }
            }
            SessionEvent::Subscribed { key, result: Err(_) } => self.unsubscribed(key),
            SessionEvent::Registered { key, result: Ok(()) } => {
                if let Some(live) = self.registrations.get_mut(&key) {
                    live.1 = true;
                }
            }
            SessionEvent::Registered { key, result: Err(_) } => self.unregistered(key),
            SessionEvent::Invocation(invocation) => {
                self.invocations.push(invocation.key);
            }
            SessionEvent::InvocationEnded { key, .. } => self.invocations.retain(|other| *other != key),
            SessionEvent::Closed(_) => {
                self.closed += 1;
                self.was_joined = false;
                self.restoring = false;
                self.is_closing = false;
                self.waiting = Waiting::default();
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

    /// Every run has ended, and those that were asked for while the one before was closing have begun.
    pub(crate) fn check_idle(&self) {
        assert_eq!(self.runs, self.closed, "invariant 2");
    }

    /// Everything has ended.
    pub(crate) fn check_end(&self) {
        self.check_idle();
        assert!(self.calls.is_empty() && self.publications.is_empty(), "invariant 1");
        assert_eq!(self.session.poll_timeout(), None);
        assert!(self.session.transport().is_none());
    }
}

/// The type of a message, and the number behind it, if it is one: all that is looked at of most messages.
fn head(message: &str) -> (u64, Option<u64>) {
    let mut elements = message.strip_prefix('[').unwrap().split([',', ']']).map(str::parse);
    (elements.next().unwrap().unwrap(), elements.next().and_then(Result::ok))
}

/// Whether more input of a CALL comes.
fn goes_on(call: &str) -> bool {
    tree(call)[2]["progress"] == true
}

fn tree(message: &str) -> Value {
    serde_json::from_str(message).unwrap()
}
