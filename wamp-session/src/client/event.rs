//! Events as their consumers get them (WAMP Basic Profile, "Publishing and Events").

use serde::Deserialize;
use wamp_proto::{EventDetails, FromPayload, Payload, PayloadError, PublicationId, SessionId, Uri};

use crate::PublishedEvent;

/// An event of a topic, undecoded until it is asked.
///
/// ```no_run
/// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let mut orders = client.subscribe("com.example.order").await?;
/// while let Some(order) = orders.next().await {
///     if order.missed() > 0 {
///         println!("{} orders were dropped before this one", order.missed());
///     }
///     let product: String = order.arg(0)?;
///     println!("{product}, published as {} by {:?}", order.publication(), order.publisher());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub(super) inner: PublishedEvent,
    pub(super) missed: u64,
}

/// What a handler of events can take: one type for all that an event carries.
///
/// It is implemented for whatever can be made of a payload ([`FromPayload`]: any type that serde decodes,
/// [`Kwargs`](wamp_proto::Kwargs), [`ArgsKwargs`](wamp_proto::ArgsKwargs), [`Payload`]), and for [`Event`], which has the topic, the
/// publisher and the rest as well. A handler that takes something else of an event implements it for a type of its own.
///
/// ```
/// use wamp_session::client::{Event, FromEvent};
/// use wamp_session::proto::PayloadError;
///
/// struct Tick {
///     symbol: String,
///     price: f64,
///     missed: u64,
/// }
///
/// impl FromEvent for Tick {
///     fn from_event(event: Event) -> Result<Self, PayloadError> {
///         let (symbol, price) = event.args()?;
///         Ok(Self { symbol, price, missed: event.missed() })
///     }
/// }
/// ```
pub trait FromEvent: Sized {
    /// Decodes the event.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if its arguments do not fit the type: the handler is not called then, and the failure counted.
    fn from_event(event: Event) -> Result<Self, PayloadError>;
}

impl<T: FromPayload> FromEvent for T {
    fn from_event(event: Event) -> Result<Self, PayloadError> {
        T::from_payload(event.payload())
    }
}

impl FromEvent for Event {
    fn from_event(event: Event) -> Result<Self, PayloadError> {
        Ok(event)
    }
}

impl Event {
    /// The topic that was published to, also where the subscription is to a pattern.
    #[must_use]
    pub const fn topic(&self) -> &Uri {
        &self.inner.topic
    }

    /// The publication: the same for each subscription that gets it.
    #[must_use]
    pub const fn publication(&self) -> PublicationId {
        self.inner.publication
    }

    /// The session that published, if it is disclosed (WAMP Advanced Profile, "Publisher Identification").
    #[must_use]
    pub fn publisher(&self) -> Option<SessionId> {
        self.inner.details.publisher
    }

    /// The publisher's authid, if it is disclosed.
    #[must_use]
    pub fn publisher_authid(&self) -> Option<&str> {
        self.inner.details.publisher_authid.as_deref()
    }

    /// The publisher's authrole, if it is disclosed.
    #[must_use]
    pub fn publisher_authrole(&self) -> Option<&str> {
        self.inner.details.publisher_authrole.as_deref()
    }

    /// How far the broker trusts the publisher, if it says so.
    ///
    /// What the numbers mean is the router's affair. (WAMP Advanced Profile, "Publication Trust Levels".)
    #[must_use]
    pub fn trustlevel(&self) -> Option<u64> {
        self.inner.details.trustlevel
    }

    /// Whether the broker had kept the event from before the subscription was made.
    ///
    /// See [`get_retained`](crate::SubscribeOptions::get_retained). (WAMP Advanced Profile, "Event Retention".)
    #[must_use]
    pub fn is_retained(&self) -> bool {
        self.inner.details.retained == Some(true)
    }

    /// What the broker says of the event.
    #[must_use]
    pub fn details(&self) -> &EventDetails {
        &self.inner.details
    }

    /// How many events of this subscription were dropped just before this one.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// Decodes the Arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.inner.payload.args()
    }

    /// Decodes one of the Arguments, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, or it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        self.inner.payload.arg(index)
    }

    /// Decodes the ArgumentsKw into a map or struct.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        self.inner.payload.kwargs()
    }

    /// The arguments, undecoded.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.inner.payload
    }
}
