//! Events that the router has kept (WAMP Advanced Profile, "Event History").

use core::num::NonZeroU64;
use std::sync::Arc;

use serde::Deserialize;
use wamp_proto::{
    ArgsKwargs, Dict, Format, IntoPayload, MatchPolicy, Payload, PayloadError, PublicationId, SubscriptionId, Uri,
    Value,
};

use super::read;
use super::request::Request;

/// Which events of the history are wanted: all of them, before it is said.
///
/// Conditions add up. Instants are texts in RFC 3339, such as `2026-01-31T12:00:00.000Z`. Events may have the same timestamp, and clocks may
/// jump: page by publications. Crossbar.io knows only the limit, and takes 10 without one.
///
/// ```
/// # use core::num::NonZeroU64;
/// # use wamp_session::meta::HistoryFilter;
/// # use wamp_session::proto::PublicationId;
/// # let last = PublicationId::MIN;
/// let page = NonZeroU64::new(100).ok_or("not zero")?;
/// let next_page = HistoryFilter::new().after_publication(last).limit(page);
/// let latest = HistoryFilter::new().reverse().limit(page);
/// let january = HistoryFilter::new().from_time("2026-01-01T00:00:00.000Z").before_time("2026-02-01T00:00:00.000Z");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryFilter {
    kwargs: Dict,
}

/// The events that were kept, in the order in which the router gave them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The events.
    pub events: Vec<StoredEvent>,
    /// Whether the limit left some out, if the router tells (nexus does).
    pub is_limit_reached: Option<bool>,
    /// What the router tells of the whole.
    pub info: Dict,
}

/// An event that was kept.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredEvent {
    /// The publication.
    pub publication: Option<PublicationId>,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The topic, if the router tells.
    pub topic: Option<Uri>,
    /// When it was published, a text in RFC 3339.
    pub timestamp: Option<Arc<str>>,
    /// When it was published, in nanoseconds since 1970, as Crossbar.io tells it.
    pub time_ns: Option<u64>,
    /// The details of the event.
    pub details: Dict,
    /// Its arguments.
    pub payload: Payload,
    /// Everything else that the router tells.
    pub extra: Dict,
}

/// `wamp.subscription.get_events`: the events of a subscription that the router has kept.
///
/// The subscription need not be the caller's own: [`lookup_subscription`](super::lookup_subscription) finds it by its topic. Errors:
/// `wamp.error.not_authorized`, `wamp.error.no_such_subscription`; of Crossbar.io `wamp.error.history_unavailable`.
pub fn get_events(subscription: SubscriptionId, filter: &HistoryFilter) -> Request<History> {
    Request::new("wamp.subscription.get_events", [subscription.get().into()], History::read)
        .kwargs(filter.kwargs.clone())
}

impl HistoryFilter {
    /// Makes a filter that all events pass, the oldest first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the youngest events come first.
    #[must_use]
    pub fn reverse(self) -> Self {
        self.with("reverse", true)
    }

    /// Sets how many events come at most.
    #[must_use]
    pub fn limit(self, limit: NonZeroU64) -> Self {
        self.with("limit", limit.get())
    }

    /// Wants events published at an instant or later.
    #[must_use]
    pub fn from_time(self, instant: &str) -> Self {
        self.with("from_time", instant)
    }

    /// Wants events published later than an instant.
    #[must_use]
    pub fn after_time(self, instant: &str) -> Self {
        self.with("after_time", instant)
    }

    /// Wants events published before an instant.
    #[must_use]
    pub fn before_time(self, instant: &str) -> Self {
        self.with("before_time", instant)
    }

    /// Wants events published at an instant or before.
    #[must_use]
    pub fn until_time(self, instant: &str) -> Self {
        self.with("until_time", instant)
    }

    /// Wants events of one topic, where the subscription is to a pattern.
    #[must_use]
    pub fn topic(self, topic: &Uri) -> Self {
        self.with("topic", topic.as_str())
    }

    /// Wants a publication and those after it.
    #[must_use]
    pub fn from_publication(self, publication: PublicationId) -> Self {
        self.with("from_publication", publication.get())
    }

    /// Wants those after a publication: the next page.
    #[must_use]
    pub fn after_publication(self, publication: PublicationId) -> Self {
        self.with("after_publication", publication.get())
    }

    /// Wants those before a publication: the next page in reverse.
    #[must_use]
    pub fn before_publication(self, publication: PublicationId) -> Self {
        self.with("before_publication", publication.get())
    }

    /// Wants a publication and those before it.
    #[must_use]
    pub fn until_publication(self, publication: PublicationId) -> Self {
        self.with("until_publication", publication.get())
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.kwargs.insert(key, value);
        self
    }
}

impl History {
    fn read(payload: &Payload) -> Result<Self, PayloadError> {
        let Some(format) = payload.format() else { return Ok(Self::default()) };
        let mut args = read::args(payload)?;
        // Crossbar.io gives one argument, the list.
        let events = match args.as_mut_slice() {
            [Value::List(events)] => core::mem::take(events),
            [Value::Null] => Vec::new(),
            _ => args,
        };
        let events = events.into_iter().enumerate().map(|(index, event)| match event {
            Value::Dict(event) => StoredEvent::new(event, format, index),
            _ => Err(read::mismatch(&format!("args[{index}]"), "a dict")),
        });
        let events = events.collect::<Result<_, _>>()?;
        let info: Dict = payload.kwargs()?;
        Ok(Self { events, is_limit_reached: info.get("is_limit_reached").and_then(Value::as_bool), info })
    }
}

impl StoredEvent {
    fn new(mut event: Dict, format: Format, index: usize) -> Result<Self, PayloadError> {
        // nexus gives the names of its own structure.
        let mut either = |name: &str, of_nexus: &str| event.remove(name).or_else(|| event.remove(of_nexus));
        let publication = either("publication", "Publication").as_ref().and_then(read::id);
        let subscription = either("subscription", "Subscription").as_ref().and_then(read::id);
        let details = either("details", "Details");
        let args = either("args", "Arguments");
        let kwargs = either("kwargs", "ArgumentsKw");
        let details = if let Some(Value::Dict(details)) = details { details } else { Dict::new() };
        let args = if let Some(Value::List(args)) = args { args } else { Vec::new() };
        let kwargs = if let Some(Value::Dict(kwargs)) = kwargs { kwargs } else { Dict::new() };
        let payload = ArgsKwargs(args, kwargs)
            .into_payload(format)
            .map_err(|error| PayloadError::Mismatch { path: format!("args[{index}]"), reason: error.to_string() })?;
        let exact = MatchPolicy::Exact;
        let of_details = || Uri::new(details.get("topic")?.as_str()?).ok();
        Ok(Self {
            publication,
            subscription,
            topic: read::take_uri(&mut event, "topic", exact).or_else(of_details),
            timestamp: read::take_text(&mut event, "timestamp"),
            time_ns: read::take(&mut event, "time_ns", read::number),
            details,
            payload,
            extra: event,
        })
    }

    /// Decodes the Arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.payload.args()
    }

    /// Decodes one of the Arguments, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, or it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        self.payload.arg(index)
    }

    /// Decodes the ArgumentsKw into a map or struct.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.payload.kwargs()
    }
}
