//! How a session ends: GOODBYE from either side, ABORT, a deadline, a transport that is gone.

use wamp_proto::{Abort, AbortDetails, Goodbye, GoodbyeDetails, Message, Payload, Uri};

use super::peer::{Member, State};
use super::{PeerId, Quirks, Router, Violation, uri};
use crate::Time;

impl Router {
    /// Ends one session: GOODBYE with a reason, or ABORT to a peer that has not joined.
    ///
    /// Its subscriptions and registrations end at once. It is closed when it has answered, and after the close timeout at the latest. A
    /// peer that is unknown is ignored.
    ///
    /// ```no_run
    /// # use wamp_session::Time;
    /// # use wamp_session::proto::Uri;
    /// # use wamp_session::router::Router;
    /// # fn run(router: &mut Router, now: Time) -> Result<(), Box<dyn std::error::Error>> {
    /// let first = router.sessions("realm1").next();
    /// if let Some((peer, session)) = first {
    ///     println!("session {session} has to go");
    ///     router.close(now, peer, Uri::new("wamp.close.killed")?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn close(&mut self, now: Time, peer: PeerId, reason: Uri) {
        self.advance(now);
        if let Some(member) = self.say_goodbye(peer, &reason, None) {
            self.leave(peer, member);
        }
        self.settle();
    }

    /// Ends all sessions with `wamp.close.system_shutdown`, and closes whoever is opened from now on.
    ///
    /// The router is done when [`peers`](Self::peers) is 0, after the close timeout at the latest if its actions and deadlines are
    /// served as before.
    ///
    /// ```
    /// # use wamp_session::Time;
    /// # use wamp_session::router::{Router, RouterConfig};
    /// let mut router = Router::new(RouterConfig::new([7; 32]));
    /// router.shutdown(Time::ZERO);
    /// assert_eq!(router.peers(), 0);
    /// ```
    pub fn shutdown(&mut self, now: Time) {
        self.advance(now);
        self.is_shut_down = true;
        let reason = uri("wamp.close.system_shutdown");
        for id in self.peers.ids() {
            if let Some(member) = self.say_goodbye(id, &reason, Some("the router shuts down")) {
                self.sessions.remove(&member.session);
            }
        }
        for realm in self.realms.values_mut() {
            realm.clear();
        }
        self.settle();
    }

    /// Sends the last message of the router's own accord; the session, if there was one, is still to leave its realm.
    pub(super) fn say_goodbye(&mut self, id: PeerId, reason: &Uri, message: Option<&str>) -> Option<Member> {
        match self.peers.get(id)?.state {
            State::Joined(_) => {
                let mut details = GoodbyeDetails::default();
                details.message = message.map(Into::into);
                self.peers.send(id, &Goodbye { details, reason: reason.clone() }.into());
                let deadline = self.peers.now.checked_add(self.close_timeout);
                let peer = self.peers.get_mut(id)?;
                if !matches!(peer.state, State::Joined(_)) {
                    return None;
                }
                let before = core::mem::replace(&mut peer.state, State::Leaving);
                self.peers.set_deadline(id, deadline);
                if let State::Joined(member) = before { Some(member) } else { None }
            }
            State::Opening | State::Authenticating(_) => {
                self.peers.send(id, &abort(self.peers.quirks, reason.clone(), message));
                self.peers.close(id, 1001, reason)
            }
            State::Leaving | State::Closing { .. } => None,
        }
    }

    /// Answers a client's GOODBYE, and closes the transport: it is not used for a second session.
    pub(super) fn goodbye(&mut self, id: PeerId) {
        let is_normal = self.peers.quirks.has_goodbye_normal();
        let reason = uri(if is_normal { "wamp.close.normal" } else { "wamp.close.goodbye_and_out" });
        self.peers.send(id, &Goodbye { details: GoodbyeDetails::default(), reason }.into());
        if self.peers.quirks.has_answers_after_goodbye()
            && let Some(member) = self.peers.member(id)
            && let Some(realm) = self.realms.get_mut(&member.realm.clone())
        {
            realm.leave(&mut self.peers, id);
        }
        self.end_transport(id, 1000, "wamp.close.goodbye_and_out");
    }

    /// Closes a transport whose session is over, or has not begun.
    pub(super) fn end_transport(&mut self, id: PeerId, code: u16, reason: &str) {
        if !self.peers.quirks.has_keep_transport() {
            return self.close_peer(id, code, reason);
        }
        let Some(peer) = self.peers.get_mut(id) else { return };
        let before = core::mem::replace(&mut peer.state, State::Opening);
        if !matches!(before, State::Opening | State::Authenticating(_)) {
            self.peers.set_deadline(id, None);
        }
        if let State::Joined(member) = before {
            self.leave(id, member);
        }
    }

    /// Ends a session whose client broke the protocol (WAMP Basic Profile, "Protocol Errors").
    pub(super) fn violated(&mut self, id: PeerId, violation: &Violation) {
        self.protocol_violations += 1;
        if !self.peers.quirks.has_close_without_abort() {
            let reason = uri("wamp.error.protocol_violation");
            self.peers.send(id, &abort(self.peers.quirks, reason, Some(&violation.text)));
        }
        self.close_peer(id, 1002, "wamp.error.protocol_violation");
    }

    /// Refuses a session by an ABORT, and closes its transport.
    pub(super) fn abort(&mut self, id: PeerId, reason: &'static str, message: &str) {
        let reason = self.peers.quirks.refusal(reason);
        self.peers.send(id, &abort(self.peers.quirks, uri(reason), Some(message)));
        self.end_transport(id, 1000, reason);
    }

    /// Closes a transport behind what is to be sent, and ends the session on it.
    pub(super) fn close_peer(&mut self, id: PeerId, code: u16, reason: &str) {
        if let Some(member) = self.peers.close(id, code, reason) {
            self.leave(id, member);
        }
    }

    /// Takes a session out of its realm, and tells the others.
    pub(super) fn leave(&mut self, id: PeerId, mut member: Member) {
        self.take_out(id, &member);
        self.tell_of_leaving(id, &mut member);
    }

    /// Takes a session out of its realm, and tells the others of what has ended with it, but not of itself; it has no testaments.
    pub(super) fn leave_unmourned(&mut self, id: PeerId, member: Member) {
        self.take_out(id, &member);
        self.tell_news(&member.realm, Some((id, member.session)));
    }

    /// Takes a session out of its realm.
    pub(super) fn take_out(&mut self, id: PeerId, member: &Member) {
        self.sessions.remove(&member.session);
        if let Some(realm) = self.realms.get_mut(&member.realm) {
            realm.leave(&mut self.peers, id);
        }
    }

    /// Takes the sessions out of their realms that were closed in passing, and tells what has changed; that may close others in turn.
    pub(super) fn settle(&mut self) {
        loop {
            if let Some((id, member)) = self.peers.fallen.pop() {
                self.leave(id, member);
            } else if let Some((realm, _)) = self.realms.iter().find(|(_, realm)| realm.has_news()) {
                let realm = realm.clone();
                self.tell_news(&realm, None);
            } else {
                return;
            }
        }
    }

    /// Deals with the deadlines that have come.
    pub(super) fn expire(&mut self) {
        for realm in self.realms.values_mut() {
            realm.dealer.expire(&mut self.peers);
        }
        while let Some(id) = self.peers.expired() {
            let Some(peer) = self.peers.get(id) else { continue };
            match peer.state {
                State::Opening => self.close_peer(id, 1008, "no HELLO came in time"),
                State::Authenticating(_) => {
                    self.abort(id, "wamp.error.authentication_failed", "no AUTHENTICATE came in time");
                }
                State::Leaving => self.close_peer(id, 1000, "no GOODBYE came in time"),
                // It does not even take its last frames.
                State::Closing { .. } => self.peers.discard(id),
                // A session has no deadline.
                State::Joined(_) => {}
            }
        }
    }
}

fn abort(quirks: Quirks, reason: Uri, message: Option<&str>) -> Message {
    let mut details = AbortDetails::default();
    match message {
        Some(message) if quirks.has_error_in_abort() => drop(details.extra.insert("error", message)),
        message => details.message = message.map(Into::into),
    }
    Abort { details, reason, payload: Payload::new() }.into()
}
