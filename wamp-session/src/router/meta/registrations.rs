//! `wamp.registration.…`: who serves what.

use wamp_proto::{Dict, MatchPolicy, RegistrationId, Uri, Value};

use super::super::timestamp::rfc3339;
use super::super::{RegistrationInfo, Router};
use super::{Answer, Query, Reply, ids, pattern};

impl Router {
    pub(super) fn list_registrations(&self, query: &Query) -> Answer {
        let of = |policy| {
            let infos = self.realms.get(&query.realm).into_iter().flat_map(|realm| realm.dealer.registrations());
            ids(infos.filter(|info| info.match_policy == policy).map(|info| info.id))
        };
        let policies = [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard];
        Ok(Reply::new(Dict::from_iter(policies.map(|policy| (policy.as_str(), of(policy))))))
    }

    pub(super) fn lookup_registration(&self, query: &Query) -> Answer {
        let (procedure, policy) = pattern(query)?;
        let realm = self.realms.get(&query.realm);
        Ok(self.found(realm.and_then(|realm| realm.dealer.find(&procedure, policy))))
    }

    pub(super) fn match_registration(&self, query: &Query) -> Answer {
        let procedure = Uri::new(query.text(0)?).map_err(|_| "wamp.error.invalid_uri")?;
        let realm = self.realms.get(&query.realm);
        Ok(self.found(realm.and_then(|realm| realm.dealer.serving(self.peers.quirks, &procedure))))
    }

    pub(super) fn get_registration(&self, query: &Query) -> Answer {
        self.registration(query).map(|info| Reply::new(details(&info)))
    }

    pub(super) fn list_callees(&self, query: &Query) -> Answer {
        let info = self.registration(query)?;
        let members = info.callees.iter().filter_map(|peer| self.peers.member(*peer));
        Ok(Reply::new(ids(members.map(|member| member.session))))
    }

    pub(super) fn count_callees(&self, query: &Query) -> Answer {
        self.registration(query).map(|info| Reply::new(info.callees.len() as u64))
    }

    /// What is told of a registration.
    pub(super) fn registration_details(&self, realm: &Uri, id: RegistrationId) -> Option<Value> {
        self.realms.get(realm)?.dealer.registration(id).map(|info| details(&info).into())
    }

    /// The registration that the caller names.
    fn registration(&self, query: &Query) -> Result<RegistrationInfo<'_>, &'static str> {
        let id = RegistrationId::new(query.number(0)?).ok();
        let realm = self.realms.get(&query.realm);
        id.and_then(|id| realm?.dealer.registration(id)).ok_or("wamp.error.no_such_registration")
    }
}

fn details(info: &RegistrationInfo<'_>) -> Dict {
    Dict::from_iter([
        ("id", Value::U64(info.id.get())),
        ("created", rfc3339(info.created).into()),
        ("uri", info.procedure.as_str().into()),
        ("match", info.match_policy.as_str().into()),
        ("invoke", info.invoke.as_str().into()),
    ])
}
