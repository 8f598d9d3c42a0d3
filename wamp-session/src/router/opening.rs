//! How a peer becomes a session: HELLO, CHALLENGE, AUTHENTICATE, WELCOME.

use std::collections::BTreeSet;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use wamp_proto::{Authenticate, Challenge, Dict, Hello, RequestId, Role, SessionId, Uri, Welcome, WelcomeDetails};

use super::meta::Testaments;
use super::peer::{Member, State};
use super::timestamp::rfc3339;
use super::user::{Credential, Salting};
use super::{PeerId, RealmConfig, Router, User, Violation};
use crate::auth::{Secret, cra};
use crate::{Feature, features};

/// A peer that has been challenged.
pub(super) struct Attempt {
    granted: Granted,
    /// The only signature that opens the session.
    expected: Secret,
}

/// What a peer gets once it has proven who it is.
struct Granted {
    realm: Uri,
    session: SessionId,
    roles: BTreeSet<Role>,
    features: BTreeSet<(Role, Feature)>,
    authid: Arc<str>,
    authrole: Arc<str>,
    authmethod: &'static str,
}

/// How a realm lets a HELLO in.
enum Admission<'a> {
    Anonymous { role: &'a Arc<str> },
    Challenge { authid: &'a Arc<str>, method: &'static str, user: Option<&'a User> },
}

impl Router {
    pub(super) fn hello(&mut self, id: PeerId, hello: Hello) -> Result<(), Violation> {
        let Hello { realm, details } = hello;
        let announced = details.roles.unwrap_or_default();
        let roles = [Role::Caller, Role::Callee, Role::Publisher, Role::Subscriber];
        let roles: BTreeSet<Role> = roles.into_iter().filter(|role| announced.has(*role)).collect();
        if roles.is_empty() {
            return Err(Violation::new("HELLO announces none of the roles caller, callee, publisher and subscriber"));
        }
        let features = roles.iter().flat_map(|role| Feature::ALL.iter().map(|feature| (*role, *feature)));
        let features = features.filter(|(role, feature)| announced.announces(*role, feature.as_str())).collect();
        let Some(config) = self.realms.get(&realm).map(|realm| &realm.config) else {
            self.abort(id, "wamp.error.no_such_realm", "there is no such realm");
            return Ok(());
        };
        let session = loop {
            let drawn = self.ids.session();
            if !self.sessions.contains_key(&drawn) {
                break drawn;
            }
        };
        let methods = details.authmethods.as_deref().unwrap_or_default();
        if self.peers.quirks.has_refuse_unknown_methods() && has_unknown(config, methods) {
            self.abort(id, "wamp.error.authentication_denied", "an authmethod is unknown");
            return Ok(());
        }
        match admission(config, methods, details.authid.as_ref()) {
            None => self.abort(id, "wamp.error.no_matching_auth_method", "the realm has none of the methods offered"),
            Some(Admission::Anonymous { role }) => {
                let authrole = Arc::clone(role);
                let authid = format!("anonymous-{session}").into();
                let granted = Granted { realm, session, roles, features, authid, authrole, authmethod: "anonymous" };
                self.welcome(id, granted);
            }
            Some(Admission::Challenge { user: None, .. }) if self.peers.quirks.has_refuse_unknown_users() => {
                self.abort(id, "wamp.error.authentication_denied", "there is no such user");
            }
            Some(Admission::Challenge { authid, method, user }) => {
                let authrole = user.map_or_else(|| "user".into(), |user| Arc::clone(&user.role));
                let authid = Arc::clone(authid);
                let credential = user.map(|user| user.credential.clone());
                let granted = Granted { realm, session, roles, features, authid, authrole, authmethod: method };
                self.challenge(id, granted, credential);
            }
        }
        Ok(())
    }

    /// Challenges a peer; one that is no user is challenged, too, so that it learns nothing from that.
    fn challenge(&mut self, id: PeerId, granted: Granted, credential: Option<Credential>) {
        let mut extra = Dict::new();
        let expected = match credential {
            Some(Credential::Ticket(ticket)) => ticket,
            Some(Credential::Cra { key, salting }) => {
                let text = self.cra_challenge(&granted);
                let expected = Secret::new(cra::sign(&key, &text));
                extra.insert("challenge", text);
                if let Some(Salting { salt, iterations, keylen }) = salting {
                    extra.insert("salt", salt.as_ref());
                    extra.insert("iterations", iterations);
                    extra.insert("keylen", keylen as u64);
                }
                expected
            }
            None => {
                if granted.authmethod == "wampcra" {
                    let text = self.cra_challenge(&granted);
                    extra.insert("challenge", text);
                }
                Secret::new(self.ids.nonce())
            }
        };
        self.peers.send(id, &Challenge { method: granted.authmethod.into(), extra }.into());
        if let Some(peer) = self.peers.get_mut(id)
            && matches!(peer.state, State::Opening)
        {
            peer.state = State::Authenticating(Box::new(Attempt { granted, expected }));
        }
    }

    /// The text to be signed, which names whom it is for, so that its signature is good for nothing else.
    fn cra_challenge(&mut self, granted: &Granted) -> String {
        let timestamp = rfc3339(self.peers.unix_now());
        format!(
            r#"{{"authid":{},"authrole":{},"authmethod":"wampcra","authprovider":"static","session":{},"nonce":"{}","timestamp":"{timestamp}"}}"#,
            json_string(&granted.authid),
            json_string(&granted.authrole),
            granted.session,
            self.ids.nonce(),
        )
    }

    pub(super) fn authenticate(&mut self, id: PeerId, authenticate: &Authenticate) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        let State::Authenticating(attempt) = core::mem::replace(&mut peer.state, State::Opening) else { return };
        let signature = authenticate.signature.as_bytes();
        if bool::from(signature.ct_eq(attempt.expected.as_bytes())) {
            self.welcome(id, attempt.granted);
        } else {
            self.abort(id, "wamp.error.authentication_denied", "the authentication was denied");
        }
    }

    /// The features that the router announces.
    fn announced(&self, role: Role) -> impl Iterator<Item = Feature> {
        let quirks = self.peers.quirks;
        features::of_router(role).iter().copied().filter(move |feature| !quirks.hides(*feature))
    }

    fn welcome(&mut self, id: PeerId, granted: Granted) {
        let Granted { realm, session, roles, features, authid, authrole, authmethod } = granted;
        let mut details = WelcomeDetails::default();
        let routers = [Role::Broker, Role::Dealer];
        details.roles = Some(features::announcement(routers.map(|role| (role, self.announced(role)))));
        details.agent = self.agent.clone();
        details.realm = Some(realm.as_str().into());
        details.authid = Some(Arc::clone(&authid));
        details.authrole = Some(Arc::clone(&authrole));
        details.authmethod = Some(authmethod.into());
        details.authprovider = Some("static".into());
        self.peers.send(id, &Welcome { session, details }.into());
        self.peers.set_deadline(id, None);
        let Some(peer) = self.peers.get_mut(id) else { return };
        if matches!(peer.state, State::Opening) {
            self.sessions.insert(session, id);
            peer.state = State::Joined(Member {
                realm,
                session,
                roles,
                features,
                authid,
                authrole,
                authmethod,
                next_request: RequestId::MIN,
                inputs: BTreeSet::new(),
                forgotten_input: None,
                testaments: Testaments::default(),
            });
            self.tell_of_joining(id);
        }
    }
}

/// Whether a method that is unknown to everybody is offered before one that the realm has.
fn has_unknown(config: &RealmConfig, offered: &[Arc<str>]) -> bool {
    let known = ["anonymous", "cookie", "cryptosign", "scram", "ticket", "tls", "wampcra"];
    let is_had = |method: &str| match method {
        "anonymous" => config.anonymous.is_some(),
        method => config.find_user(method, |_| true).is_some(),
    };
    let mut passed_over = offered.iter().take_while(|method| !is_had(method));
    passed_over.any(|method| !known.contains(&&**method))
}

/// Finds the first method offered by which the realm lets the peer in, or finds out whether it should.
///
/// Methods that the realm does not have are passed over, and so are those that a user lacks who has another of them. A peer that
/// is no user at all gets the first challenge there is.
fn admission<'a>(config: &'a RealmConfig, offered: &[Arc<str>], authid: Option<&'a Arc<str>>) -> Option<Admission<'a>> {
    let anonymous = || config.anonymous.as_ref().map(|role| Admission::Anonymous { role });
    if offered.is_empty() {
        return anonymous();
    }
    let user = |method: &str| config.find_user(method, |user| Some(&user.authid) == authid);
    let is_user = offered.iter().any(|method| user(method).is_some());
    offered.iter().find_map(|method| {
        if &**method == "anonymous" {
            return anonymous();
        }
        let authid = authid?;
        let user = user(method);
        let method = config.find_user(method, |_| true)?.credential.method();
        (user.is_some() || !is_user).then_some(Admission::Challenge { authid, method, user })
    })
}

impl RealmConfig {
    /// Finds a user with a method.
    fn find_user(&self, method: &str, wanted: impl Fn(&User) -> bool) -> Option<&User> {
        self.users.iter().find(|user| user.credential.method() == method && wanted(user))
    }
}

/// A text as JSON has it.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
