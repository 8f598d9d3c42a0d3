//! `wamp.session.…`: who has joined, and who is to leave.

use std::collections::BTreeSet;

use wamp_proto::{Dict, SessionId, Uri, Value};

use super::super::peer::Member;
use super::super::{PeerId, Quirks, Router, uri};
use super::{Answer, INVALID_ARGUMENT, Query, Reply, ids};

const NO_SUCH_SESSION: &str = "wamp.error.no_such_session";

/// How sessions are told that they are killed.
struct Farewell {
    reason: Uri,
    message: Option<String>,
}

impl Router {
    pub(super) fn count_sessions(&self, query: &Query) -> Answer {
        let authroles = filter(query)?;
        Ok(Reply::new(self.chosen(query, authroles.as_ref()).count() as u64))
    }

    pub(super) fn list_sessions(&self, query: &Query) -> Answer {
        let authroles = filter(query)?;
        Ok(Reply::new(ids(self.chosen(query, authroles.as_ref()).map(|(_, member)| member.session))))
    }

    pub(super) fn get_session(&self, query: &Query) -> Answer {
        let member = self.session(query, query.number(0)?).and_then(|peer| self.peers.member(peer));
        Ok(Reply::new(details(member.ok_or(NO_SUCH_SESSION)?)))
    }

    pub(super) fn kill_session(&mut self, query: &Query) -> Answer {
        let session = query.number(0)?;
        let farewell = Farewell::of(self.peers.quirks, query)?;
        let peer = self.session(query, session).filter(|peer| self.is_meant(query, *peer));
        self.kill([peer.ok_or(NO_SUCH_SESSION)?], &farewell, Self::leave);
        Ok(Reply::default())
    }

    pub(super) fn kill_by_authid(&mut self, query: &Query) -> Answer {
        let authid = query.text(0)?;
        let killed = self.kill_where(query, |member| &*member.authid == authid, Self::leave)?;
        Ok(Reply::new(ids(killed)))
    }

    pub(super) fn kill_by_authrole(&mut self, query: &Query) -> Answer {
        let authrole = query.text(0)?;
        let killed = self.kill_where(query, |member| &*member.authrole == authrole, Self::leave)?;
        Ok(if self.peers.quirks.has_list_killed() { Reply::new(ids(killed)) } else { Reply::new(killed.len() as u64) })
    }

    /// Ends all sessions but the caller's. By the specification that makes neither session meta events nor testaments.
    pub(super) fn kill_all(&mut self, query: &Query) -> Answer {
        let killed = self.kill_where(query, |_| true, Self::leave_unmourned)?;
        Ok(Reply::new(killed.len() as u64))
    }

    fn kill_where(
        &mut self,
        query: &Query,
        is_meant: impl Fn(&Member) -> bool,
        leave: fn(&mut Self, PeerId, Member),
    ) -> Result<Vec<SessionId>, &'static str> {
        let farewell = Farewell::of(self.peers.quirks, query)?;
        let members = self.peers.members(&query.realm);
        let meant = members.filter(|(peer, member)| self.is_meant(query, *peer) && is_meant(member));
        let (peers, sessions): (Vec<_>, Vec<_>) = meant.map(|(peer, member)| (peer, member.session)).unzip();
        self.kill(peers, &farewell, leave);
        Ok(sessions)
    }

    /// Whether a session can be killed: the one that asks for it cannot.
    fn is_meant(&self, query: &Query, peer: PeerId) -> bool {
        peer != query.caller || self.peers.quirks.has_kill_caller()
    }

    /// Ends sessions. All have GOODBYE before the first leaves: they do not hear of each other's end.
    fn kill(
        &mut self,
        peers: impl IntoIterator<Item = PeerId>,
        farewell: &Farewell,
        leave: fn(&mut Self, PeerId, Member),
    ) {
        let mut killed = Vec::new();
        for peer in peers {
            let member = self.say_goodbye(peer, &farewell.reason, farewell.message.as_deref());
            killed.extend(member.map(|member| (peer, member)));
        }
        for (peer, member) in killed {
            leave(self, peer, member);
        }
    }

    /// The sessions of the realm whose authroles are asked for.
    fn chosen<'a>(
        &'a self,
        query: &'a Query,
        authroles: Option<&'a BTreeSet<&str>>,
    ) -> impl Iterator<Item = (PeerId, &'a Member)> {
        let members = self.peers.members(&query.realm);
        members.filter(move |(_, member)| authroles.is_none_or(|roles| roles.contains(&*member.authrole)))
    }

    /// The peer of a session of the realm.
    fn session(&self, query: &Query, session: u64) -> Option<PeerId> {
        let peer = *self.sessions.get(&SessionId::new(session).ok()?)?;
        (self.peers.member(peer)?.realm == query.realm).then_some(peer)
    }
}

impl Farewell {
    fn of(quirks: Quirks, query: &Query) -> Result<Self, &'static str> {
        let reason = match query.kwargs.get("reason") {
            None | Some(Value::Null) if quirks.has_kill_normal() => uri("wamp.close.normal"),
            None | Some(Value::Null) => uri("wamp.close.killed"),
            Some(reason) => {
                let reason = reason.as_str().and_then(|reason| Uri::new(reason).ok());
                reason.ok_or("wamp.error.invalid_uri")?
            }
        };
        let message = match query.kwargs.get("message") {
            None | Some(Value::Null) => None,
            Some(message) => Some(message.as_str().ok_or(INVALID_ARGUMENT)?.to_owned()),
        };
        Ok(Self { reason, message })
    }
}

/// The authroles that the caller asks for; `None` for all.
fn filter(query: &Query) -> Result<Option<BTreeSet<&str>>, &'static str> {
    match query.arg(0) {
        Value::Null => Ok(None),
        Value::List(authroles) => {
            let authroles: Option<BTreeSet<&str>> = authroles.iter().map(Value::as_str).collect();
            authroles.map(Some).ok_or(INVALID_ARGUMENT)
        }
        _ => Err(INVALID_ARGUMENT),
    }
}

/// What is told of a session.
pub(super) fn details(member: &Member) -> Dict {
    Dict::from_iter([
        ("session", Value::U64(member.session.get())),
        ("authid", (&*member.authid).into()),
        ("authrole", (&*member.authrole).into()),
        ("authmethod", member.authmethod.into()),
        ("authprovider", "static".into()),
    ])
}
