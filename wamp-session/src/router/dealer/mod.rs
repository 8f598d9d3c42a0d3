//! The dealer of a realm: who serves which procedure, and which calls are under way (WAMP Basic Profile, "Remote
//! Procedure Calls").

mod answers;
mod calling;
mod calls;
mod ending;
mod registering;
mod registry;
mod sharing;

use wamp_proto::{MatchPolicy, RegistrationId, Uri};

use self::calls::Calls;
pub use self::registry::RegistrationInfo;
use self::registry::Registry;
use super::meta::News;
use super::{PeerId, Quirks, Router};
use crate::Time;

#[derive(Default)]
pub(super) struct Dealer {
    registry: Registry,
    calls: Calls,
    /// Answers to calls that nobody waits for any more.
    pub(super) discarded_answers: u64,
    /// CALLs with more input for calls that had ended.
    pub(super) discarded_calls: u64,
}

impl Dealer {
    pub(super) fn registrations(&self) -> impl Iterator<Item = RegistrationInfo<'_>> {
        self.registry.iter()
    }

    /// One registration.
    pub(super) fn registration(&self, id: RegistrationId) -> Option<RegistrationInfo<'_>> {
        self.registry.info(id)
    }

    /// The registration of a procedure or pattern.
    pub(super) fn find(&self, procedure: &Uri, policy: MatchPolicy) -> Option<RegistrationId> {
        self.registry.find(procedure, policy)
    }

    /// The registration that a call of a procedure goes to.
    pub(super) fn serving(&self, quirks: Quirks, procedure: &Uri) -> Option<RegistrationId> {
        self.registry.serving(quirks, procedure)
    }

    pub(super) fn has_news(&self) -> bool {
        !self.registry.news.is_empty()
    }

    pub(super) fn take_news(&mut self) -> Vec<News<RegistrationId>> {
        core::mem::take(&mut self.registry.news)
    }

    /// How many invocations are unanswered.
    pub(super) fn pending_invocations(&self) -> usize {
        self.calls.pending()
    }

    /// When the next call has waited for too long.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.calls.next_deadline()
    }
}

impl Router {
    /// The registrations of a realm, each of a procedure or pattern that at least one session serves.
    pub fn registrations(&self, realm: &str) -> impl Iterator<Item = RegistrationInfo<'_>> {
        self.realms.get(realm).into_iter().flat_map(|realm| realm.dealer.registrations())
    }

    /// Ends a registration for all its callees, and says whether it was there.
    ///
    /// Callees that have announced `registration_revocation` are told, with the reason: a URI or words. Calls that are under way are
    /// still answered. (WAMP Advanced Profile, "Registration Revocation".)
    ///
    /// ```
    /// use wamp_session::proto::Format;
    /// use wamp_session::router::{RealmConfig, Router, RouterConfig};
    /// use wamp_session::{Frame, Time};
    ///
    /// let realm = RealmConfig::new("realm1")?.anonymous("guest");
    /// let mut router = Router::new(RouterConfig::new([7; 32]).realm(realm));
    /// let callee = router.handle_opened(Time::ZERO, Format::Json);
    /// for message in [r#"[1,"realm1",{"roles":{"callee":{}}}]"#, r#"[64,1,{"match":"prefix"},"com.example."]"#] {
    ///     router.handle_frame(Time::ZERO, callee, Frame::Text(message.into()));
    /// }
    /// let registration = router.registrations("realm1").next().unwrap();
    /// assert_eq!((registration.procedure.as_str(), registration.callees), ("com.example.", &[callee][..]));
    /// let id = registration.id;
    /// assert!(router.revoke_registration(Time::ZERO, "realm1", id, Some("maintenance")));
    /// assert_eq!(router.registrations("realm1").count(), 0);
    /// # Ok::<(), wamp_session::proto::InvalidUri>(())
    /// ```
    pub fn revoke_registration(&mut self, now: Time, realm: &str, id: RegistrationId, reason: Option<&str>) -> bool {
        self.advance(now);
        let Some(realm) = self.realms.get_mut(realm) else { return false };
        let revoked = realm.dealer.revoke(&mut self.peers, id, reason);
        self.settle();
        revoked
    }

    /// Ends one callee's part in a registration, and says whether it had one; the registration ends with its last callee.
    ///
    /// It is told as with [`revoke_registration`](Self::revoke_registration); the others go on.
    ///
    /// ```
    /// # use wamp_session::Time;
    /// # use wamp_session::router::{PeerId, Router};
    /// # fn run(router: &mut Router, now: Time, callee: PeerId) {
    /// let theirs = router.registrations("realm1").find(|registration| registration.callees.contains(&callee));
    /// if let Some(id) = theirs.map(|registration| registration.id) {
    ///     router.revoke_registration_of(now, callee, id, Some("too slow"));
    /// }
    /// # }
    /// ```
    pub fn revoke_registration_of(
        &mut self,
        now: Time,
        callee: PeerId,
        id: RegistrationId,
        reason: Option<&str>,
    ) -> bool {
        self.advance(now);
        let Some(member) = self.peers.member(callee) else { return false };
        let Some(realm) = self.realms.get_mut(&member.realm) else { return false };
        let revoked = realm.dealer.revoke_of(&mut self.peers, callee, id, reason);
        self.settle();
        revoked
    }

    /// How many invocations of a realm are unanswered.
    #[must_use]
    pub fn pending_invocations(&self, realm: &str) -> usize {
        self.realms.get(realm).map_or(0, |realm| realm.dealer.pending_invocations())
    }
}
