//! What happens at a router, as events of its own.

use wamp_proto::{SessionId, Uri, Value};

use super::super::peer::Member;
use super::super::{PeerId, Router};
use super::sessions;

/// What happened to a registration or subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::router) enum Change {
    /// It was made, for a session that is then added.
    Created,
    /// A session was added.
    Added,
    /// A session was removed.
    Removed,
    /// It has ended with the session that was removed last.
    Deleted,
}

/// A change that nobody has been told of.
#[derive(Clone, Copy, Debug)]
pub(in crate::router) struct News<I> {
    pub(in crate::router) change: Change,
    /// The session that was added or removed.
    pub(in crate::router) peer: PeerId,
    pub(in crate::router) id: I,
}

impl Router {
    /// Tells that a session has joined.
    pub(in crate::router) fn tell_of_joining(&mut self, id: PeerId) {
        let Some(member) = self.peers.member(id) else { return };
        let details = sessions::details(member);
        self.announce(&member.realm.clone(), "wamp.session.on_join", || vec![details.into()]);
    }

    /// Tells that a session has left, of all that has ended with it, and its testaments.
    pub(in crate::router) fn tell_of_leaving(&mut self, id: PeerId, member: &mut Member) {
        self.tell_news(&member.realm, Some((id, member.session)));
        self.publish_testaments(id, member);
        let is_short = self.peers.quirks.has_short_on_leave();
        self.announce(&member.realm, "wamp.session.on_leave", || {
            let mut args = vec![member.session.get().into()];
            if !is_short {
                args.extend([&*member.authid, &*member.authrole].map(Value::from));
            }
            args
        });
    }

    /// Tells of the changes in a realm; `left` is a session whose peer is gone.
    pub(in crate::router) fn tell_news(&mut self, realm: &Uri, left: Option<(PeerId, SessionId)>) {
        let Some(at) = self.realms.get_mut(realm) else { return };
        let of_subscriptions = core::mem::take(&mut at.broker.subscriptions.news);
        let of_registrations = at.dealer.take_news();
        let session_of = |router: &Self, peer: PeerId| match left {
            Some((id, session)) if id == peer => Some(session),
            _ => router.peers.member(peer).map(|member| member.session),
        };
        for News { change, peer, id } in of_subscriptions {
            let Some(session) = session_of(self, peer) else { continue };
            let topic = match change {
                Change::Created => "wamp.subscription.on_create",
                Change::Added => "wamp.subscription.on_subscribe",
                Change::Removed => "wamp.subscription.on_unsubscribe",
                Change::Deleted => "wamp.subscription.on_delete",
            };
            let subject = match change {
                Change::Created => self.subscription_details(realm, id),
                Change::Added | Change::Removed | Change::Deleted => Some(Value::U64(id.get())),
            };
            let Some(subject) = subject else { continue };
            self.announce(realm, topic, || vec![session.get().into(), subject]);
        }
        for News { change, peer, id } in of_registrations {
            let Some(session) = session_of(self, peer) else { continue };
            let topic = match change {
                Change::Created => "wamp.registration.on_create",
                Change::Added => "wamp.registration.on_register",
                Change::Removed => "wamp.registration.on_unregister",
                Change::Deleted => "wamp.registration.on_delete",
            };
            let subject = match change {
                Change::Created => self.registration_details(realm, id),
                Change::Added | Change::Removed | Change::Deleted => Some(Value::U64(id.get())),
            };
            let Some(subject) = subject else { continue };
            self.announce(realm, topic, || vec![session.get().into(), subject]);
        }
    }

    /// Publishes an event of the router's own, if somebody subscribes to it.
    fn announce(&mut self, realm: &Uri, topic: &'static str, args: impl FnOnce() -> Vec<Value>) {
        if self.peers.quirks.has_no_meta_api() {
            return;
        }
        if let Some(realm) = self.realms.get_mut(realm) {
            realm.broker.announce(&mut self.peers, &mut self.ids, topic, args);
        }
    }
}
