//! Testaments: what a router publishes for a session that is over (WAMP Advanced Profile, "Session Testament").

use wamp_proto::{Args, DecodeErrorKind, Dict, IntoPayload, Message, PayloadCheck, Publish, Role, Value, decode};

use super::super::peer::{Member, State};
use super::super::{PeerId, Router};
use super::{Answer, INVALID_ARGUMENT, Query, Reply};
use crate::Feature;
use crate::passthru::Attributes as _;

/// The testaments of a session, in the order in which they were added.
#[derive(Default)]
pub(in crate::router) struct Testaments {
    detached: Vec<Testament>,
    destroyed: Vec<Testament>,
}

struct Testament {
    publish: Publish,
    /// How long the message is.
    bytes: usize,
}

impl Testaments {
    fn scope(&mut self, query: &Query) -> Result<&mut Vec<Testament>, &'static str> {
        match query.kwargs.get("scope") {
            None | Some(Value::Null) => Ok(&mut self.destroyed),
            Some(scope) => match scope.as_str() {
                Some("destroyed") => Ok(&mut self.destroyed),
                Some("detached") => Ok(&mut self.detached),
                _ => Err(INVALID_ARGUMENT),
            },
        }
    }

    fn count(&self) -> usize {
        self.detached.len() + self.destroyed.len()
    }

    fn bytes(&self) -> usize {
        self.detached.iter().chain(&self.destroyed).map(|testament| testament.bytes).sum()
    }
}

impl Router {
    pub(super) fn add_testament(&mut self, mut query: Query) -> Answer {
        let testament = self.testament(&mut query)?;
        let limits = self.peers.limits;
        let Some(State::Joined(member)) = self.peers.get_mut(query.caller).map(|peer| &mut peer.state) else {
            return Ok(Reply::default());
        };
        let testaments = &mut member.testaments;
        let bytes = testaments.bytes().saturating_add(testament.bytes);
        let has_room = testaments.count() < limits.testaments && bytes <= limits.testament_bytes;
        let scope = testaments.scope(&query)?;
        if !has_room {
            return Err("wamp.error.unavailable");
        }
        scope.push(testament);
        Ok(self.number(1))
    }

    pub(super) fn flush_testaments(&mut self, query: &Query) -> Answer {
        let Some(State::Joined(member)) = self.peers.get_mut(query.caller).map(|peer| &mut peer.state) else {
            return Ok(Reply::default());
        };
        let flushed = core::mem::take(member.testaments.scope(query)?);
        Ok(self.number(flushed.len()))
    }

    /// A number as the result where some routers give one, and the specification none.
    fn number(&self, number: usize) -> Reply {
        if self.peers.quirks.has_testament_results() { Reply::new(number as u64) } else { Reply::default() }
    }

    /// Makes a testament the PUBLISH that it will be, and checks it as if it were sent now.
    fn testament(&self, query: &mut Query) -> Result<Testament, &'static str> {
        let mut parts = core::mem::take(&mut query.args).into_iter();
        let mut part = || parts.next().unwrap_or_default();
        let (topic, args, kwargs) = (part(), part(), part());
        let args = if args.is_null() { Value::List(Vec::new()) } else { args };
        let kwargs = if kwargs.is_null() { Dict::new().into() } else { kwargs };
        let options = match query.kwargs.get("publish_options") {
            None | Some(Value::Null) => Dict::new().into(),
            Some(options) => options.clone(),
        };
        // What is wrong with a topic, options and arguments is the decoder's to say.
        let format = self.peers.get(query.caller).map(|peer| peer.format).ok_or(INVALID_ARGUMENT)?;
        let list = Args((16, 1, options, topic, args, kwargs)).into_payload(format);
        let frame = list.ok().and_then(|list| list.raw_args().ok().flatten()).ok_or(INVALID_ARGUMENT)?;
        let bytes = frame.len();
        let limits = &self.peers.limits.message;
        let message = decode(frame, format, limits, PayloadCheck::OnReceipt).map_err(|error| match error.kind() {
            DecodeErrorKind::InvalidUri(_) => "wamp.error.invalid_uri",
            _ => INVALID_ARGUMENT,
        })?;
        if let Some(error) = self.forbidden(query.caller, &message) {
            return Err(error);
        }
        let Message::Publish(mut publish) = message else { return Err(INVALID_ARGUMENT) };
        if publish.topic.is_reserved() {
            return Err("wamp.error.invalid_uri");
        }
        let mode = Feature::PayloadPassthruMode;
        if publish.options.passthru().is_some() && !self.peers.announces(query.caller, Role::Publisher, mode) {
            return Err("wamp.error.option_not_allowed");
        }
        // There will be nobody to answer.
        publish.options.acknowledge = None;
        Ok(Testament { publish, bytes })
    }

    /// Publishes the testaments of a session that is over.
    pub(in crate::router) fn publish_testaments(&mut self, id: PeerId, member: &mut Member) {
        let Testaments { detached, destroyed } = core::mem::take(&mut member.testaments);
        let Some(realm) = self.realms.get_mut(&member.realm) else { return };
        for testament in detached.into_iter().chain(destroyed) {
            realm.broker.publish_for(&realm.config, &mut self.peers, &mut self.ids, id, member, testament.publish);
        }
    }
}
