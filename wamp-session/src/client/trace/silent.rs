//! Nothing, as cheaply as can be: the same as `telling`, without the feature `tracing`.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::auth::Answer;
use crate::client::handler::HandlerFailure;
use crate::client::shared::Shared;
use crate::{Action, AuthError, Frame, Session, SessionEvent, SubscriptionKey, Time, TransportError, TransportId};

pub(crate) struct Spans;

#[derive(Default)]
pub(in crate::client) struct Seen;

#[derive(Default)]
pub(in crate::client) struct Told;

const _: () = assert!(size_of::<(Spans, Seen, Told)>() == 0, "it takes no room");

impl Spans {
    #[inline]
    pub(crate) const fn new(_: &str) -> Self {
        Self
    }
}

impl Seen {
    #[inline]
    pub(in crate::client) const fn changes(&mut self, _: &Session, _: usize, _: &mut Told) {}
}

impl Told {
    #[inline]
    pub(in crate::client) const fn event(&mut self, _: &SessionEvent) {}

    #[inline]
    pub(in crate::client) const fn due(&mut self, _: &Session, _: Time) {}

    #[inline]
    pub(in crate::client) const fn missed(&mut self, _: Option<SubscriptionKey>, _: u64, _: u64) {}

    #[inline]
    pub(in crate::client) const fn unavailable(&mut self) {}

    #[inline]
    pub(in crate::client) const fn tell(self, shared: &Shared) {
        // What it would be told in.
        let Spans = &shared.spans;
    }
}

#[inline]
pub(in crate::client) const fn opened(_: &Shared, _: TransportId, _: Option<&str>) {}

#[inline]
pub(in crate::client) const fn closed(_: &Shared, _: TransportId, _: &TransportError) {}

#[inline]
pub(in crate::client) const fn taken(_: &Arc<Shared>, _: &VecDeque<Action>, _: usize) {}

#[inline]
pub(in crate::client) const fn received(_: &Arc<Shared>, _: TransportId, _: &[Frame]) {}

#[inline]
pub(in crate::client) const fn unsent(_: &Shared, _: TransportId, _: usize) {}

#[inline]
pub(in crate::client) const fn not_offered(_: &Shared, _: TransportId, _: &AuthError) {}

#[inline]
pub(in crate::client) const fn answered(_: &Shared, _: TransportId, _: &str, _: &Result<Answer, AuthError>) {}

#[inline]
pub(in crate::client) const fn handler_failed(_: &Shared, _: &HandlerFailure) {}

#[inline]
pub(in crate::client) const fn listener_failed(_: &Shared, _: u64) {}
