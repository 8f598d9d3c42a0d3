//! A topic of the meta API.

use core::fmt;

use wamp_proto::{Payload, PayloadError, Uri};

use super::request::uri;

/// A topic to which a router publishes by itself, and how to read its events.
///
/// ```
/// use wamp_session::meta;
///
/// assert_eq!(meta::ON_JOIN.topic(), "wamp.session.on_join");
/// // From `SessionEvent::Published(event)`: meta::ON_JOIN.event(&event.payload)?
/// ```
pub struct Topic<E> {
    topic: &'static str,
    read: fn(&Payload) -> Result<E, PayloadError>,
}

impl<E> Topic<E> {
    pub(super) const fn new(topic: &'static str, read: fn(&Payload) -> Result<E, PayloadError>) -> Self {
        Self { topic, read }
    }

    /// The topic to subscribe to.
    #[must_use]
    pub fn topic(&self) -> Uri {
        uri(self.topic)
    }

    /// Reads an event.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if it has none of the shapes that are known.
    pub fn event(&self, payload: &Payload) -> Result<E, PayloadError> {
        (self.read)(payload)
    }
}

impl<E> Clone for Topic<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Topic<E> {}

impl<E> fmt::Debug for Topic<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Topic").field(&self.topic).finish()
    }
}
