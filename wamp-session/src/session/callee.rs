//! REGISTER and UNREGISTER (WAMP Basic Profile, "Registering and Unregistering").

use std::collections::BTreeMap;
use std::sync::Arc;

use wamp_proto::{
    MatchPolicy, MessageType, Register, Registered, RegistrationId, RequestId, Role, Unregister, Uri, UriRule,
};

use super::Session;
use super::deadlines::{Deadline, DeadlineId};
use super::orphans::Orphans;
use super::rejoining::Replayed;
use super::requests::Request;
use super::subscriber::is_gone;
use super::waiting::{Command, Kind, Place};
use crate::features::Asked;
use crate::{CommandError, NotRestored, RegisterOptions, RegistrationKey, RequestError, SessionEvent};

/// A registration that is wanted.
#[derive(Debug)]
struct Registration {
    procedure: Uri,
    options: wamp_proto::RegisterOptions,
    stage: Stage,
    /// Until when it waits to be confirmed.
    deadline: Option<DeadlineId>,
    /// Whether its timeout begins with the join.
    buffered: bool,
    confirmed: bool,
    /// Whether a session before asked for it, so that the router may take it for somebody else's.
    replayed: bool,
    /// Whether `Restored` named it, so that its return is to be told.
    missed: bool,
    /// How often the router said that it belongs to somebody else.
    refusals: u32,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Waiting(Place),
    Asked(RequestId),
    Standing(RegistrationId),
    /// UNREGISTER was sent; INVOCATIONs may come until it is answered.
    Ending(RegistrationId),
    /// It was asked for in a session that is over.
    Lost,
    /// The router says that it belongs to somebody else; it is asked for again then.
    Refused(Option<DeadlineId>),
}

impl Stage {
    const fn sent(self) -> bool {
        !matches!(self, Self::Waiting(_))
    }
}

#[derive(Debug, Default)]
pub(super) struct Callee {
    registrations: BTreeMap<RegistrationKey, Registration>,
    /// The registrations of a router's id; more than one only if the router gave it twice.
    by_id: BTreeMap<RegistrationId, Vec<RegistrationKey>>,
    orphans: Orphans,
}

impl Callee {
    #[cfg(all(test, feature = "json"))]
    pub(super) fn given_up(&self) -> usize {
        self.orphans.len()
    }

    /// The registration that an INVOCATION is for, its procedure, and whether the dealer was asked to leave timeouts to the callee.
    pub(super) fn invoked(&self, id: RegistrationId) -> Option<(RegistrationKey, &Uri, bool)> {
        let key = *self.by_id.get(&id)?.first()?;
        let registration = self.registrations.get(&key)?;
        Some((key, &registration.procedure, registration.options.forward_timeout == Some(true)))
    }

    /// Forgets a registration, and says whether its id is not used any more.
    fn remove(&mut self, key: RegistrationKey) -> Option<Registration> {
        let registration = self.registrations.remove(&key)?;
        if let Stage::Standing(id) | Stage::Ending(id) = registration.stage
            && let Some(keys) = self.by_id.get_mut(&id)
        {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_id.remove(&id);
            }
        }
        Some(registration)
    }
}

impl Session {
    pub(super) fn begin_register(
        &mut self,
        procedure: Uri,
        options: RegisterOptions,
    ) -> Result<RegistrationKey, CommandError> {
        self.check_role(Role::Callee)?;
        procedure.check(UriRule::Loose, options.wire.match_policy.unwrap_or(MatchPolicy::Exact))?;
        if procedure.is_reserved() {
            return Err(CommandError::ReservedUri);
        }
        self.check_room()?;
        self.config.check_features(Asked::Register(&options.wire))?;
        let timeout = self.patience(Kind::Register, options.timeout, options.offline, 0)?;
        let key = RegistrationKey(self.next_key());
        let options = options.wire;
        let stage = if self.is_joined() {
            Stage::Asked(match self.adopt(key, &procedure, &options) {
                Some(request) => request,
                None => self.send_register(key, procedure.clone(), options.clone())?,
            })
        } else {
            Stage::Waiting(self.waiting.push(Command::Register(key)))
        };
        let deadline = self.deadlines.set(self.after(timeout), Deadline::Register(key));
        let registration = Registration {
            procedure,
            options,
            stage,
            deadline,
            buffered: timeout.is_none(),
            confirmed: false,
            replayed: false,
            missed: false,
            refusals: 0,
        };
        self.callee.registrations.insert(key, registration);
        Ok(key)
    }

    /// Takes over a REGISTER that is under way and was given up: another one would be refused, since the procedure exists.
    fn adopt(
        &mut self,
        key: RegistrationKey,
        procedure: &Uri,
        options: &wamp_proto::RegisterOptions,
    ) -> Option<RequestId> {
        let request = self.callee.orphans.adopt(procedure, options)?;
        self.requests.adopt_register(request, key).then_some(request)
    }

    fn send_register(
        &mut self,
        key: RegistrationKey,
        procedure: Uri,
        options: wamp_proto::RegisterOptions,
    ) -> Result<RequestId, CommandError> {
        self.request(Some(Request::Register(key)), |request| Register { request, options, procedure }.into())
    }

    /// Sends a REGISTER that has waited for the join.
    pub(super) fn send_waiting_register(&mut self, key: RegistrationKey) {
        let Some(registration) = self.callee.registrations.get(&key) else { return };
        let (procedure, options) = (registration.procedure.clone(), registration.options.clone());
        match self.send_register(key, procedure, options) {
            Ok(request) => {
                let until = self.now.checked_add(self.config.request_timeout);
                if let Some(registration) = self.callee.registrations.get_mut(&key) {
                    registration.stage = Stage::Asked(request);
                    if core::mem::take(&mut registration.buffered) {
                        registration.deadline = self.deadlines.set(until, Deadline::Register(key));
                    }
                }
            }
            Err(error) => self.not_registered(key, error.into()),
        }
    }

    pub(super) fn registered(&mut self, Registered { request, registration: id }: Registered) {
        let Some(Request::Register(key)) = self.requests.answered(request, MessageType::Register) else {
            self.stats.unknown_answers += 1;
            return;
        };
        self.callee.orphans.answered(key);
        match self.callee.registrations.get_mut(&key) {
            Some(registration) => {
                registration.stage = Stage::Standing(id);
                registration.refusals = 0;
                self.deadlines.cancel(registration.deadline.take());
                let was_confirmed = core::mem::replace(&mut registration.confirmed, true);
                let is_late = core::mem::take(&mut registration.missed);
                let event = SessionEvent::Registered { key, result: Ok(()) };
                if !was_confirmed {
                    self.events.push(event);
                } else if is_late {
                    self.events.push_change(event);
                }
                self.callee.by_id.entry(id).or_default().push(key);
                self.replay_answered(Replayed::Registration(key));
            }
            // Nobody wants it any more: it is undone, unless the id is that of another one.
            None if self.callee.by_id.contains_key(&id) => {}
            None => {
                self.send_unregister(id, None);
            }
        }
    }

    /// A REGISTER was refused.
    pub(super) fn not_registered(&mut self, key: RegistrationKey, error: RequestError) {
        self.callee.orphans.answered(key);
        let Some(registration) = self.callee.registrations.get_mut(&key) else { return };
        let again = registration.replayed
            && matches!(&error, RequestError::Wamp(error) if error.uri == "wamp.error.procedure_already_exists");
        let what = Replayed::Registration(key);
        if again {
            registration.refusals = registration.refusals.saturating_add(1);
            let refusals = registration.refusals;
            registration.missed = true;
            let at = self.now.checked_add(self.backoff(refusals));
            let deadline = self.deadlines.set(at, Deadline::Reregister(key));
            if let Some(registration) = self.callee.registrations.get_mut(&key) {
                registration.stage = Stage::Refused(deadline);
            }
        }
        if self.is_replayed(what)
            && let Some(registration) = self.callee.registrations.get(&key)
        {
            let procedure = registration.procedure.clone();
            let (error, retrying) = (error.clone(), again);
            self.not_restored(NotRestored::Registration { key, procedure, error, retrying });
        }
        if !again && let Some(registration) = self.callee.remove(key) {
            self.deadlines.cancel(registration.deadline);
            self.events.push(SessionEvent::Registered { key, result: Err(error) });
        }
        self.replay_answered(what);
    }

    /// It is time to ask again for a registration that the router took for somebody else's.
    pub(super) fn register_again(&mut self, key: RegistrationKey) {
        if let Some(Registration { stage: Stage::Refused(_), .. }) = self.callee.registrations.get(&key) {
            self.send_waiting_register(key);
        }
    }

    /// Keeps what is wanted for the next session.
    pub(super) fn suspend_registrations(&mut self) {
        self.callee.by_id.clear();
        self.callee.orphans.clear();
        self.callee.registrations.retain(|_, registration| !matches!(registration.stage, Stage::Ending(_)));
        for registration in self.callee.registrations.values_mut() {
            if let Stage::Waiting(_) = registration.stage {
                continue;
            }
            if let Stage::Refused(deadline) = registration.stage {
                self.deadlines.cancel(deadline);
            }
            registration.stage = Stage::Lost;
            registration.replayed = true;
            registration.refusals = 0;
        }
    }

    /// Sends what was kept for this session.
    pub(super) fn replay_registrations(&mut self) {
        let lost = |registration: &Registration| matches!(registration.stage, Stage::Lost);
        let registrations = self.callee.registrations.iter();
        let keys: Vec<RegistrationKey> =
            registrations.filter(|(_, registration)| lost(registration)).map(|(key, _)| *key).collect();
        for key in keys {
            self.replayed(Replayed::Registration(key));
            self.send_waiting_register(key);
        }
    }

    /// Names a registration for which no answer has come in time.
    pub(super) fn unanswered_registration(&mut self, key: RegistrationKey, failed: &mut Vec<NotRestored>) {
        let Some(registration) = self.callee.registrations.get_mut(&key) else { return };
        registration.missed = true;
        let (procedure, error) = (registration.procedure.clone(), RequestError::Timeout { sent: true });
        failed.push(NotRestored::Registration { key, procedure, error, retrying: true });
    }

    pub(super) fn begin_unregister(&mut self, key: RegistrationKey) -> Result<(), CommandError> {
        let Some(registration) = self.callee.registrations.get_mut(&key) else { return Err(CommandError::UnknownKey) };
        let asked = match registration.stage {
            Stage::Ending(_) => return Err(CommandError::UnknownKey),
            Stage::Waiting(_) | Stage::Asked(_) | Stage::Lost | Stage::Refused(_) => {
                self.withdraw_register(key);
                false
            }
            Stage::Standing(id) if self.callee.by_id.get(&id).is_some_and(|keys| keys.len() > 1) => {
                self.callee.remove(key);
                false
            }
            Stage::Standing(id) => {
                registration.stage = Stage::Ending(id);
                self.send_unregister(id, Some(key))
            }
        };
        if !asked {
            self.callee.remove(key);
            self.events.push(SessionEvent::Unregistered { key, result: Ok(()) });
            self.replay_answered(Replayed::Registration(key));
        }
        Ok(())
    }

    /// Takes back a registration that is not confirmed yet; what was asked for is undone when the answer comes. Returns whether it had
    /// been sent.
    fn withdraw_register(&mut self, key: RegistrationKey) -> Option<bool> {
        let registration = self.callee.remove(key)?;
        let sent = registration.stage.sent();
        self.deadlines.cancel(registration.deadline);
        match registration.stage {
            Stage::Waiting(place) => self.waiting.withdraw(place, &mut self.discards),
            Stage::Asked(request) => {
                let Registration { procedure, options, .. } = registration;
                self.callee.orphans.insert(key, request, procedure, options);
            }
            Stage::Refused(deadline) => self.deadlines.cancel(deadline),
            Stage::Lost | Stage::Standing(_) | Stage::Ending(_) => {}
        }
        Some(sent)
    }

    pub(super) fn register_timed_out(&mut self, key: RegistrationKey) {
        if let Some(sent) = self.withdraw_register(key) {
            self.events.push(SessionEvent::Registered { key, result: Err(RequestError::Timeout { sent }) });
            self.replay_answered(Replayed::Registration(key));
        }
    }

    /// Sends UNREGISTER, and says whether an answer is waited for.
    fn send_unregister(&mut self, registration: RegistrationId, key: Option<RegistrationKey>) -> bool {
        let request = Some(Request::Unregister(key, None));
        match self.request(request, |request| Unregister { request, registration }.into()) {
            Ok(request) => {
                self.limit_withdrawal(request, key.is_some());
                true
            }
            Err(_) => false,
        }
    }

    /// An UNREGISTER was answered, or will not be.
    pub(super) fn unregistered(&mut self, key: Option<RegistrationKey>, result: Result<(), RequestError>) {
        if let Some(key) = key {
            self.callee.remove(key);
            let result = match result {
                Err(RequestError::Wamp(error)) if is_gone(&error, "wamp.error.no_such_registration") => Ok(()),
                result => result,
            };
            self.events.push(SessionEvent::Unregistered { key, result });
        }
    }

    /// The router revokes a registration; one whose UNREGISTER is under way ends with the answer to that.
    pub(super) fn registration_revoked(&mut self, id: RegistrationId, reason: Option<Arc<str>>) {
        for key in self.callee.by_id.remove(&id).unwrap_or_default() {
            if let Some(Registration { stage: Stage::Standing(_), .. }) = self.callee.registrations.get(&key) {
                self.callee.registrations.remove(&key);
                self.events.push(SessionEvent::RegistrationRevoked { key, reason: reason.clone() });
            }
        }
    }

    pub(super) fn end_registrations(&mut self, error: fn(bool) -> RequestError) {
        self.callee.by_id.clear();
        self.callee.orphans.clear();
        for (key, registration) in core::mem::take(&mut self.callee.registrations) {
            self.deadlines.cancel(registration.deadline);
            if let Stage::Refused(deadline) = registration.stage {
                self.deadlines.cancel(deadline);
            }
            if !registration.confirmed {
                let error = error(registration.stage.sent());
                self.events.push(SessionEvent::Registered { key, result: Err(error) });
            }
        }
    }
}
