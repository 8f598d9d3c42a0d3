//! The events of a subscription that wait for their consumer, in bounds.

use core::mem;
use core::ops::ControlFlow;
use core::task::{Poll, Waker};
use std::collections::VecDeque;
use std::sync::Arc;

use wamp_proto::Uri;

use super::event::Event;
use super::queue::{self, Overflow, Queue};
use super::shared::{Effects, Slot};
use crate::{CloseCause, PublishedEvent, RequestError};

/// Why a subscription yields nothing more.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubscriptionEnd {
    /// The client is draining.
    Drained,
    /// The client unsubscribed everything from the topic ([`Client::unsubscribe_all`](super::Client::unsubscribe_all)).
    Unsubscribed,
    /// More events came than its queue takes.
    Overflow,
    /// The router ended the subscription, for a reason: a URI or words.
    Revoked(Option<Arc<str>>),
    /// The router refused it when the session was joined again.
    Refused(RequestError),
    /// The client is closed.
    Closed(Arc<CloseCause>),
}

/// The events of one subscription that wait for their consumer.
pub(crate) struct Backlog {
    pub(super) topic: Uri,
    pub(super) confirmed: Slot<Result<(), RequestError>>,
    queue: VecDeque<Event>,
    bytes: usize,
    limits: Queue,
    /// Events dropped since the last one that was queued.
    missed: u64,
    pub(super) missed_in_all: u64,
    /// Events whose payload could not be opened.
    pub(super) undecodable: u64,
    /// Whether it was confirmed.
    pub(super) stands: bool,
    pub(super) end: Option<SubscriptionEnd>,
}

impl Backlog {
    pub(crate) fn new(topic: Uri, limits: Queue, waker: Option<Waker>) -> Self {
        Self {
            topic,
            confirmed: Slot::new(waker),
            queue: VecDeque::new(),
            bytes: 0,
            limits,
            missed: 0,
            missed_in_all: 0,
            undecodable: 0,
            stands: false,
            end: None,
        }
    }

    pub(crate) fn confirm(&mut self, result: Result<(), RequestError>, effects: &mut Effects) {
        match result {
            Err(error) if self.stands => self.end(SubscriptionEnd::Refused(error), effects),
            result => {
                self.stands = result.is_ok();
                self.confirmed.fill(result, effects);
            }
        }
    }

    /// Queues an event; `Break` if the subscription ends with it.
    pub(crate) fn push(&mut self, event: PublishedEvent, effects: &mut Effects) -> ControlFlow<()> {
        let (key, before) = (event.key, self.missed_in_all);
        let pushed = self.push_within_limits(event, effects);
        effects.told.missed(Some(key), before, self.missed_in_all);
        pushed
    }

    fn push_within_limits(&mut self, mut event: PublishedEvent, effects: &mut Effects) -> ControlFlow<()> {
        if self.end.is_some() {
            return ControlFlow::Continue(());
        }
        let size = event.payload.byte_len();
        while !self.limits.takes(self.queue.len(), self.bytes, size) {
            match self.limits.overflow {
                Overflow::DropNewest => {
                    self.lose(1);
                    return ControlFlow::Continue(());
                }
                Overflow::DropOldest => {
                    if let Some(oldest) = self.queue.pop_front() {
                        self.bytes = self.bytes.saturating_sub(oldest.inner.payload.byte_len());
                        self.missed_in_all = self.missed_in_all.saturating_add(1);
                        self.pass_on(oldest.missed.saturating_add(1));
                        effects.discard_payload(oldest.inner.payload);
                    }
                }
                Overflow::End => {
                    self.lose(1);
                    self.end(SubscriptionEnd::Overflow, effects);
                    return ControlFlow::Break(());
                }
            }
        }
        if !self.queue.is_empty() || self.confirmed.waker.is_none() {
            queue::waiting(&mut event.payload);
        }
        self.bytes = self.bytes.saturating_add(event.payload.byte_len());
        self.queue.push_back(Event { inner: event, missed: mem::take(&mut self.missed) });
        effects.wake(self.confirmed.waker.take());
        ControlFlow::Continue(())
    }

    /// Leaves out an event whose payload could not be opened, before which so many were dropped.
    pub(super) fn leave_out(&mut self, missed: u64) {
        self.undecodable = self.undecodable.saturating_add(1);
        self.pass_on(missed);
    }

    /// Has a loss show at the event that is now the first, or at the next that is queued.
    fn pass_on(&mut self, missed: u64) {
        let next = self.queue.front_mut().map_or(&mut self.missed, |next| &mut next.missed);
        *next = next.saturating_add(missed);
    }

    fn lose(&mut self, events: u64) {
        self.missed = self.missed.saturating_add(events);
        self.missed_in_all = self.missed_in_all.saturating_add(events);
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self, end: SubscriptionEnd, effects: &mut Effects) {
        if self.end.is_none() {
            self.end = Some(end);
        }
        if self.confirmed.value.is_none() {
            self.confirmed.value = Some(Err(RequestError::Closed));
        }
        effects.wake(self.confirmed.waker.take());
    }

    pub(super) fn poll(&mut self, waker: &mut Option<Waker>) -> Poll<Option<Event>> {
        if let Some(event) = self.queue.pop_front() {
            self.bytes = self.bytes.saturating_sub(event.inner.payload.byte_len());
            return Poll::Ready(Some(event));
        }
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        mem::swap(&mut self.confirmed.waker, waker);
        Poll::Pending
    }
}
