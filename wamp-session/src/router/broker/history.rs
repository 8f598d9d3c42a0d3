//! The events that a broker remembers (WAMP Advanced Profile, "Event History").

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use wamp_proto::{EventDetails, MatchPolicy, Payload, PublicationId, SubscriptionId, Uri};

use super::publication::Publication;
use crate::router::config::HistoryConfig;
use crate::router::ids::Ids;
use crate::router::patterns::Patterns;

/// The histories of a realm: one for each topic or pattern that its configuration names.
#[derive(Default)]
pub(super) struct History {
    stores: Vec<Store>,
    topics: Patterns<usize>,
    /// The histories that somebody has subscribed to.
    by_id: BTreeMap<SubscriptionId, usize>,
}

struct Store {
    config: HistoryConfig,
    /// The id of its subscription, which it keeps when the last subscriber leaves.
    id: Option<SubscriptionId>,
    events: VecDeque<Remembered>,
    bytes: usize,
}

struct Remembered {
    /// When it was published, since 1970.
    time: Duration,
    publication: Arc<Publication>,
}

/// Which events of a history are wanted: all of them by default, the oldest first.
///
/// Times are since 1970-01-01T00:00:00Z, and neither unique nor sure to grow: to go through a history in pages, go by
/// publications.
///
/// ```
/// # use wamp_session::router::HistoryFilter;
/// let last_ten = HistoryFilter::new().reverse().limit(10);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryFilter {
    reverse: bool,
    limit: Option<usize>,
    from_time: Option<Duration>,
    after_time: Option<Duration>,
    before_time: Option<Duration>,
    until_time: Option<Duration>,
    topic: Option<Uri>,
    from_publication: Option<PublicationId>,
    after_publication: Option<PublicationId>,
    before_publication: Option<PublicationId>,
    until_publication: Option<PublicationId>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = Some($field);
            self
        }
    )*};
}

impl HistoryFilter {
    /// Makes a filter that lets everything through.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants the youngest first.
    #[must_use]
    pub fn reverse(mut self) -> Self {
        self.reverse = true;
        self
    }

    setters! {
        /// Wants so many events at most: the first in the order that is asked for.
        limit: usize;
        /// Wants what was published at this time or later.
        from_time: Duration;
        /// Wants what was published later.
        after_time: Duration;
        /// Wants what was published earlier.
        before_time: Duration;
        /// Wants what was published at this time or earlier.
        until_time: Duration;
        /// Wants the events of one topic, where the history is that of a pattern.
        topic: Uri;
        /// Wants this publication and what came after it.
        from_publication: PublicationId;
        /// Wants what came after this publication.
        after_publication: PublicationId;
        /// Wants what came before this publication.
        before_publication: PublicationId;
        /// Wants what came before this publication, and it.
        until_publication: PublicationId;
    }

    fn takes(&self, event: &Remembered) -> bool {
        self.from_time.is_none_or(|time| event.time >= time)
            && self.after_time.is_none_or(|time| event.time > time)
            && self.before_time.is_none_or(|time| event.time < time)
            && self.until_time.is_none_or(|time| event.time <= time)
            && self.topic.as_ref().is_none_or(|topic| event.publication.topic == *topic)
    }
}

/// Events of a history.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistoryPage {
    /// The events, in the order that was asked for.
    pub events: Vec<HistoryEvent>,
    /// Whether there are more than the limit let through.
    pub is_limit_reached: bool,
}

/// An event that a broker remembers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistoryEvent {
    /// When it was published, since 1970-01-01T00:00:00Z.
    pub time: Duration,
    /// The publication.
    pub publication: PublicationId,
    /// The topic that was published to.
    pub topic: Uri,
    /// What the broker said of the event.
    pub details: EventDetails,
    /// The arguments.
    pub payload: Payload,
}

/// Why there is no history to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no such subscription, or the realm does not keep its history.
    #[error("no history is kept of the subscription")]
    Unavailable,
    /// The filter names a publication that the history does not have (any more).
    #[error("the history does not have the publication {0}")]
    UnknownPublication(PublicationId),
}

impl History {
    pub(super) fn new(configs: &[HistoryConfig]) -> Self {
        let mut history = Self::default();
        for config in configs {
            history.topics.insert(config.topic.clone(), config.policy, history.stores.len());
            history.stores.push(Store { config: config.clone(), id: None, events: VecDeque::new(), bytes: 0 });
        }
        history
    }

    /// The id that the subscription of a topic or pattern has for ever, if its history is kept.
    pub(super) fn id_of(&mut self, ids: &mut Ids, topic: &Uri, policy: MatchPolicy) -> Option<SubscriptionId> {
        let index = self.topics.get(topic, policy)?;
        let id = *self.stores.get_mut(index)?.id.get_or_insert_with(|| ids.subscription());
        self.by_id.insert(id, index);
        Some(id)
    }

    /// The topic or pattern of a subscription whose history is kept.
    pub(super) fn topic_of(&self, id: SubscriptionId) -> Option<(&Uri, MatchPolicy)> {
        let HistoryConfig { topic, policy, .. } = &self.stores.get(*self.by_id.get(&id)?)?.config;
        Some((topic, *policy))
    }

    /// Whether events of a topic are remembered.
    pub(super) fn wants(&self, topic: &Uri) -> bool {
        self.topics.matching(topic).next().is_some()
    }

    /// Remembers an event; the oldest are forgotten for it.
    pub(super) fn record(&mut self, max_bytes: usize, time: Duration, publication: &Arc<Publication>) {
        for index in self.topics.matching(&publication.topic) {
            let Some(store) = self.stores.get_mut(index) else { continue };
            store.bytes += publication.weight();
            store.events.push_back(Remembered { time, publication: Arc::clone(publication) });
            while store.events.len() > store.config.limit || store.bytes > max_bytes {
                let Some(oldest) = store.events.pop_front() else { break };
                store.bytes -= oldest.publication.weight();
            }
        }
    }

    /// The events that a filter takes and that one may see.
    pub(super) fn events(
        &self,
        subscription: SubscriptionId,
        filter: &HistoryFilter,
        may_see: impl Fn(&Publication) -> bool,
    ) -> Result<HistoryPage, HistoryError> {
        let index = self.by_id.get(&subscription).ok_or(HistoryError::Unavailable)?;
        let store = self.stores.get(*index).ok_or(HistoryError::Unavailable)?;
        let range = store.range(filter)?;
        let visible = store.events.range(range);
        let mut visible = visible.filter(|event| filter.takes(event) && may_see(&event.publication));
        let mut page = HistoryPage { events: Vec::new(), is_limit_reached: false };
        while let Some(event) = if filter.reverse { visible.next_back() } else { visible.next() } {
            if filter.limit.is_some_and(|limit| page.events.len() >= limit) {
                page.is_limit_reached = true;
                break;
            }
            page.events.push(event.reveal(store.config.policy));
        }
        Ok(page)
    }
}

impl Store {
    /// The part of the history that lies between the publications that a filter names.
    fn range(&self, filter: &HistoryFilter) -> Result<core::ops::Range<usize>, HistoryError> {
        let position = |id: Option<PublicationId>| match id {
            None => Ok(None),
            Some(id) => match self.events.iter().position(|event| event.publication.id == id) {
                Some(position) => Ok(Some(position)),
                None => Err(HistoryError::UnknownPublication(id)),
            },
        };
        let from = position(filter.from_publication)?;
        let after = position(filter.after_publication)?.map(|position| position + 1);
        let before = position(filter.before_publication)?;
        let until = position(filter.until_publication)?.map(|position| position + 1);
        let start = from.max(after).unwrap_or(0);
        let end = [before, until].into_iter().flatten().min().unwrap_or(self.events.len());
        Ok(start.min(end)..end)
    }
}

impl Remembered {
    fn reveal(&self, policy: MatchPolicy) -> HistoryEvent {
        HistoryEvent {
            time: self.time,
            publication: self.publication.id,
            topic: self.publication.topic.clone(),
            details: self.publication.details_for(policy),
            payload: self.publication.payload.clone(),
        }
    }
}
