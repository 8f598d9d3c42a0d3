//! The peers of a router: where each stands, and what waits to be sent to it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use wamp_proto::{Format, Message, RequestId, Role, SessionId, Uri, encode};

use super::meta::Testaments;
use super::opening::Attempt;
use super::{PeerId, Quirks, RouterAction, RouterLimits};
use crate::{Feature, Frame, Time};

/// How many bytes of text a close frame takes.
const LONGEST_REASON: usize = 123;

/// One transport and what has become of it.
pub(super) struct Peer {
    pub(super) format: Format,
    pub(super) state: State,
    outbound: VecDeque<Frame>,
    outbound_bytes: usize,
    deadline: Option<Time>,
    /// Whether the peer is in `Peers::ready`.
    queued: bool,
    /// Whether the embedder cannot send to the peer at present.
    blocked: bool,
}

pub(super) enum State {
    /// HELLO has not come yet.
    Opening,
    /// A challenge has been sent.
    Authenticating(Box<Attempt>),
    /// WELCOME has been sent.
    Joined(Member),
    /// GOODBYE has been sent, and the answer has not come yet.
    Leaving,
    /// The transport is to be closed behind what is to be sent.
    Closing { code: u16, reason: Arc<str> },
}

/// A session.
pub(super) struct Member {
    pub(super) realm: Uri,
    pub(super) session: SessionId,
    pub(super) roles: BTreeSet<Role>,
    pub(super) features: BTreeSet<(Role, Feature)>,
    pub(super) authid: Arc<str>,
    pub(super) authrole: Arc<str>,
    pub(super) authmethod: &'static str,
    /// The id that the session's next request must have.
    pub(super) next_request: RequestId,
    /// The calls for which more CALLs may come, whether they are still under way or not.
    pub(super) inputs: BTreeSet<RequestId>,
    /// The last of them that was forgotten, as there were too many.
    pub(super) forgotten_input: Option<RequestId>,
    pub(super) testaments: Testaments,
}

impl Member {
    pub(super) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the session has announced a feature.
    pub(super) fn announces(&self, role: Role, feature: Feature) -> bool {
        self.features.contains(&(role, feature))
    }
}

/// Why a message cannot reach a peer.
pub(super) enum Undeliverable {
    /// The peer's format cannot carry its payload.
    Unencodable,
    /// It is longer than a message may be in the peer's format.
    TooLarge,
}

impl Undeliverable {
    /// The error that says so.
    pub(super) const fn uri(&self) -> &'static str {
        match self {
            Self::Unencodable => "wamp.error.invalid_payload",
            Self::TooLarge => "wamp.error.payload_size_exceeded",
        }
    }
}

/// All peers, with their queues and deadlines.
pub(super) struct Peers {
    pub(super) now: Time,
    /// How long the frame is whose message is being dealt with.
    pub(super) frame_bytes: usize,
    /// What time it is at [`Time::ZERO`], since 1970.
    unix_time: Duration,
    pub(super) limits: RouterLimits,
    pub(super) quirks: Quirks,
    close_timeout: Duration,
    peers: BTreeMap<PeerId, Peer>,
    last: u64,
    /// The peers that have something for `poll`, each once.
    ready: VecDeque<PeerId>,
    deadlines: BTreeSet<(Time, PeerId)>,
    /// The sessions of peers that were closed because they do not read, to be taken out of their realms.
    pub(super) fallen: Vec<(PeerId, Member)>,
}

impl Peers {
    pub(super) fn new(limits: RouterLimits, quirks: Quirks, close_timeout: Duration, unix_time: Duration) -> Self {
        Self {
            now: Time::ZERO,
            frame_bytes: 0,
            unix_time,
            limits,
            quirks,
            close_timeout,
            peers: BTreeMap::new(),
            last: 0,
            ready: VecDeque::new(),
            deadlines: BTreeSet::new(),
            fallen: Vec::new(),
        }
    }

    /// The time of day, since 1970.
    pub(super) fn unix_now(&self) -> Duration {
        self.unix_time.saturating_add(self.now.since(Time::ZERO))
    }

    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(super) fn ids(&self) -> Vec<PeerId> {
        self.peers.keys().copied().collect()
    }

    pub(super) fn open(&mut self, format: Format) -> PeerId {
        self.last += 1;
        let id = PeerId(self.last);
        let peer = Peer {
            format,
            state: State::Opening,
            outbound: VecDeque::new(),
            outbound_bytes: 0,
            deadline: None,
            queued: false,
            blocked: false,
        };
        self.peers.insert(id, peer);
        id
    }

    pub(super) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.peers.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(&id)
    }

    /// The session of a peer that has joined.
    pub(super) fn member(&self, id: PeerId) -> Option<&Member> {
        match &self.get(id)?.state {
            State::Joined(member) => Some(member),
            State::Opening | State::Authenticating(_) | State::Leaving | State::Closing { .. } => None,
        }
    }

    pub(super) fn member_mut(&mut self, id: PeerId) -> Option<&mut Member> {
        match &mut self.get_mut(id)?.state {
            State::Joined(member) => Some(member),
            State::Opening | State::Authenticating(_) | State::Leaving | State::Closing { .. } => None,
        }
    }

    /// Whether a peer has joined and announced a feature.
    pub(super) fn announces(&self, id: PeerId, role: Role, feature: Feature) -> bool {
        self.member(id).is_some_and(|member| member.announces(role, feature))
    }

    /// The sessions of a realm.
    pub(super) fn members<'a>(&'a self, realm: &'a str) -> impl Iterator<Item = (PeerId, &'a Member)> {
        let members = self.peers.keys().filter_map(|id| Some((*id, self.member(*id)?)));
        members.filter(move |(_, member)| member.realm == *realm)
    }

    /// Forgets a peer whose transport has ended, and returns its session.
    pub(super) fn remove(&mut self, id: PeerId) -> Option<Member> {
        self.set_deadline(id, None);
        match self.peers.remove(&id)?.state {
            State::Joined(member) => Some(member),
            State::Opening | State::Authenticating(_) | State::Leaving | State::Closing { .. } => None,
        }
    }

    /// Encodes a message with a payload that came from another peer.
    pub(super) fn frame(&self, format: Format, message: &Message) -> Result<Frame, Undeliverable> {
        let frame = encoded(format, message).ok_or(Undeliverable::Unencodable)?;
        if frame.bytes().len() > self.limits.message.message_bytes() {
            return Err(Undeliverable::TooLarge);
        }
        Ok(frame)
    }

    /// Queues a message of the router's own.
    pub(super) fn send(&mut self, id: PeerId, message: &Message) {
        let Some(peer) = self.get(id) else { return };
        match encoded(peer.format, message) {
            Some(frame) => self.send_frame(id, frame),
            // The names in a configuration may be such that the format has no text for them.
            None => self.drop_peer(id, 1011, "a message cannot be encoded"),
        }
    }

    /// Queues a message with a payload that came from another peer.
    pub(super) fn forward(&mut self, id: PeerId, message: &Message) -> Result<(), Undeliverable> {
        let Some(peer) = self.get(id) else { return Ok(()) };
        let frame = self.frame(peer.format, message)?;
        self.send_frame(id, frame);
        Ok(())
    }

    /// Queues a frame; a peer that leaves too many untaken is dropped. Nothing follows GOODBYE.
    pub(super) fn send_frame(&mut self, id: PeerId, frame: Frame) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match peer.state {
            State::Leaving if self.quirks.has_answers_after_goodbye() => {}
            State::Leaving | State::Closing { .. } => return,
            State::Opening | State::Authenticating(_) | State::Joined(_) => {}
        }
        let bytes = peer.outbound_bytes.saturating_add(frame.bytes().len());
        if bytes > self.limits.outbound_bytes || peer.outbound.len() >= self.limits.outbound_frames {
            self.drop_peer(id, 1008, "the peer does not read what it is sent");
            return;
        }
        peer.outbound_bytes = bytes;
        peer.outbound.push_back(frame);
        self.enqueue(id);
    }

    /// Closes a peer at once, without what waits to be sent to it, and has its session taken out of its realm.
    fn drop_peer(&mut self, id: PeerId, code: u16, reason: &str) {
        self.discard(id);
        if let Some(member) = self.close(id, code, reason) {
            self.fallen.push((id, member));
        }
    }

    /// Lets the transport be closed behind what waits to be sent, and returns the peer's session.
    pub(super) fn close(&mut self, id: PeerId, code: u16, reason: &str) -> Option<Member> {
        let peer = self.peers.get_mut(&id)?;
        let reason = reason.get(..reason.floor_char_boundary(LONGEST_REASON)).unwrap_or_default();
        let closing = State::Closing { code, reason: reason.into() };
        let before = core::mem::replace(&mut peer.state, closing);
        self.set_deadline(id, self.now.checked_add(self.close_timeout));
        self.enqueue(id);
        match before {
            State::Joined(member) => Some(member),
            State::Opening | State::Authenticating(_) | State::Leaving | State::Closing { .. } => None,
        }
    }

    /// Throws away what waits to be sent.
    pub(super) fn discard(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.outbound.clear();
            peer.outbound_bytes = 0;
            self.enqueue(id);
        }
    }

    /// Notes whether the embedder can send to a peer.
    pub(super) fn set_blocked(&mut self, id: PeerId, blocked: bool) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.blocked = blocked;
            self.enqueue(id);
        }
    }

    pub(super) fn outbound_bytes(&self, id: PeerId) -> usize {
        self.get(id).map_or(0, |peer| peer.outbound_bytes)
    }

    pub(super) fn set_deadline(&mut self, id: PeerId, deadline: Option<Time>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if let Some(before) = core::mem::replace(&mut peer.deadline, deadline) {
            self.deadlines.remove(&(before, id));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, id));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Takes the first peer whose deadline has come, and its deadline with it.
    pub(super) fn expired(&mut self) -> Option<PeerId> {
        let (deadline, id) = *self.deadlines.first()?;
        if deadline > self.now {
            return None;
        }
        self.set_deadline(id, None);
        Some(id)
    }

    fn enqueue(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(&id)
            && !peer.queued
            && peer.has_action()
        {
            peer.queued = true;
            self.ready.push_back(id);
        }
    }

    /// Takes the next action: peers take turns.
    pub(super) fn poll(&mut self) -> Option<RouterAction> {
        while let Some(id) = self.ready.pop_front() {
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            peer.queued = false;
            if !peer.has_action() {
                continue;
            }
            if let Some(frame) = peer.outbound.pop_front() {
                peer.outbound_bytes -= frame.bytes().len();
                self.enqueue(id);
                return Some(RouterAction::Send { peer: id, frame });
            }
            if let State::Closing { code, reason } = &peer.state {
                let action = RouterAction::Close { peer: id, code: *code, reason: Arc::clone(reason) };
                self.remove(id);
                return Some(action);
            }
        }
        None
    }
}

impl Peer {
    fn has_action(&self) -> bool {
        if self.outbound.is_empty() { matches!(self.state, State::Closing { .. }) } else { !self.blocked }
    }
}

fn encoded(format: Format, message: &Message) -> Option<Frame> {
    let mut frame = Vec::new();
    encode(message, format, &mut frame).ok()?;
    Some(if format.is_binary() { Frame::Binary(frame.into()) } else { Frame::Text(frame.into()) })
}
