//! The router as a callee and a publisher of its own: the meta API (WAMP Advanced Profile, "Session Meta API", "Registration Meta
//! API", "Subscriptions Meta API", "Session Testament").
//!
//! Procedures that start with `wamp.` are the router's: a call of one never reaches the dealer, where no client can register it either.

mod history;
mod news;
mod registrations;
mod sessions;
mod subscriptions;
mod testaments;

use wamp_proto::{
    ArgsKwargs, Call, CallResult, Dict, IntoPayload, MatchPolicy, MessageType, ResultDetails, Uri, UriRule, Value,
};

pub(super) use self::news::{Change, News};
pub(super) use self::testaments::Testaments;
use super::{PeerId, Router, refuse};
use crate::meta::number;

/// A call of a meta procedure.
struct Query {
    caller: PeerId,
    realm: Uri,
    args: Vec<Value>,
    kwargs: Dict,
}

/// The result of a meta procedure.
#[derive(Default)]
struct Reply {
    args: Vec<Value>,
    kwargs: Dict,
}

/// A result, or the URI of an error.
type Answer = Result<Reply, &'static str>;

const INVALID_ARGUMENT: &str = "wamp.error.invalid_argument";

impl Reply {
    fn new(value: impl Into<Value>) -> Self {
        Self { args: vec![value.into()], kwargs: Dict::new() }
    }
}

impl Query {
    /// One of the Arguments, null if there are fewer.
    fn arg(&self, index: usize) -> &Value {
        self.args.get(index).unwrap_or(&Value::Null)
    }

    /// One of the Arguments, a text.
    fn text(&self, index: usize) -> Result<&str, &'static str> {
        self.arg(index).as_str().ok_or(INVALID_ARGUMENT)
    }

    /// One of the Arguments, a number; whether it is the id of something is another question.
    fn number(&self, index: usize) -> Result<u64, &'static str> {
        number(self.arg(index)).ok_or(INVALID_ARGUMENT)
    }
}

impl Router {
    /// Answers a call of a procedure that is the router's own.
    pub(super) fn meta_call(&mut self, caller: PeerId, call: Call) {
        let Call { request, procedure, payload, .. } = call;
        let Some(member) = self.peers.member(caller) else { return };
        let Some(format) = self.peers.get(caller).map(|peer| peer.format) else { return };
        let realm = member.realm.clone();
        let answer = match (payload.args(), payload.kwargs()) {
            (Ok(args), Ok(kwargs)) => self.answer(&procedure, Query { caller, realm, args, kwargs }),
            _ => Err(INVALID_ARGUMENT),
        };
        let answer = answer.map(|reply| {
            let is_void = reply.args.is_empty() && reply.kwargs.is_empty();
            if is_void && self.peers.quirks.has_null_results() { Reply::new(Value::Null) } else { reply }
        });
        let error = match answer {
            Err(error) => error,
            Ok(Reply { args, kwargs }) => match ArgsKwargs(args, kwargs).into_payload(format) {
                Err(_) => "wamp.error.invalid_payload",
                Ok(payload) => {
                    let result = CallResult { request, details: ResultDetails::default(), payload };
                    match self.peers.forward(caller, &result.into()) {
                        Ok(()) => return,
                        Err(undeliverable) => undeliverable.uri(),
                    }
                }
            },
        };
        refuse(&mut self.peers, caller, MessageType::Call, request, error);
    }

    fn answer(&mut self, procedure: &str, query: Query) -> Answer {
        let quirks = self.peers.quirks;
        match procedure {
            _ if quirks.has_no_meta_api() => Err("wamp.error.no_such_procedure"),
            "wamp.session.count" => self.count_sessions(&query),
            "wamp.session.list" => self.list_sessions(&query),
            "wamp.session.get" => self.get_session(&query),
            "wamp.session.kill" => self.kill_session(&query),
            "wamp.session.kill_by_authid" => self.kill_by_authid(&query),
            "wamp.session.kill_by_authrole" => self.kill_by_authrole(&query),
            "wamp.session.kill_all" if !quirks.has_list_killed() => self.kill_all(&query),
            "wamp.session.add_testament" => self.add_testament(query),
            "wamp.session.flush_testaments" => self.flush_testaments(&query),
            "wamp.registration.list" => self.list_registrations(&query),
            "wamp.registration.lookup" => self.lookup_registration(&query),
            "wamp.registration.match" => self.match_registration(&query),
            "wamp.registration.get" => self.get_registration(&query),
            "wamp.registration.list_callees" => self.list_callees(&query),
            "wamp.registration.count_callees" => self.count_callees(&query),
            "wamp.subscription.list" => self.list_subscriptions(&query),
            "wamp.subscription.lookup" => self.lookup_subscription(&query),
            "wamp.subscription.match" => self.match_subscriptions(&query),
            "wamp.subscription.get" => self.get_subscription(&query),
            "wamp.subscription.list_subscribers" => self.list_subscribers(&query),
            "wamp.subscription.count_subscribers" if !quirks.has_misspelt_count() => self.count_subscribers(&query),
            "wamp.subscription.count_suscribers" if quirks.has_misspelt_count() => self.count_subscribers(&query),
            "wamp.subscription.get_events" => self.get_events(&query),
            _ => Err("wamp.error.no_such_procedure"),
        }
    }

    /// What a lookup has found, or its miss.
    fn found(&self, id: Option<impl Into<u64>>) -> Reply {
        match id {
            Some(id) => Reply::new(id.into()),
            None if self.peers.quirks.has_zero_for_none() => Reply::new(0_u64),
            None => Reply::new(Value::Null),
        }
    }
}

/// The URI or pattern of a lookup, and how it is compared.
fn pattern(query: &Query) -> Result<(Uri, MatchPolicy), &'static str> {
    let policy = match query.arg(1) {
        Value::Null => MatchPolicy::Exact,
        Value::Dict(options) => match options.get("match") {
            None | Some(Value::Null) => MatchPolicy::Exact,
            Some(policy) => policy.as_str().and_then(MatchPolicy::from_name).ok_or(INVALID_ARGUMENT)?,
        },
        _ => return Err(INVALID_ARGUMENT),
    };
    let uri = Uri::checked(query.text(0)?, UriRule::Loose, policy).map_err(|_| "wamp.error.invalid_uri")?;
    Ok((uri, policy))
}

/// Ids as a value.
fn ids<T: Into<u64>>(ids: impl IntoIterator<Item = T>) -> Value {
    Value::List(ids.into_iter().map(|id| Value::U64(id.into())).collect())
}
