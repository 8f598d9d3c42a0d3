//! The options of a publisher.

use core::time::Duration;
use std::sync::Arc;

use wamp_proto::{SessionId, Value};

use super::{own_key, own_value};
use crate::passthru::{Attributes as _, Passthru};
use crate::{CommandError, OfflinePolicy};

/// How to publish an event.
///
/// Who receives it can be narrowed: by lists of those who do not (`exclude…`) and of the only ones who do (`eligible…`), by
/// session, authid and authrole (WAMP Advanced Profile, "Subscriber Black- and Whitelisting"). A subscriber has to pass all lists
/// that are given. An empty list is sent as it is, and an empty `eligible…` means nobody; Crossbar.io and nexus take an empty list
/// for none, so that everybody is eligible there.
///
/// A router that does not announce the lists would deliver the event to more subscribers than are meant to receive it, so they are
/// refused there with [`CommandError::NotSupported`]; see [`Feature`](crate::Feature).
///
/// ```
/// # use wamp_session::PublishOptions;
/// let options = PublishOptions::new()
///     .exclude_me(false)
///     .eligible_authrole(["backend", "admin"])
///     .exclude_authid(["mallory"])
///     .option("_trace", "4711")?;
/// # Ok::<(), wamp_session::CommandError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublishOptions {
    pub(crate) wire: wamp_proto::PublishOptions,
    pub(crate) timeout: Option<Duration>,
    pub(crate) offline: Option<OfflinePolicy>,
}

impl PublishOptions {
    /// Makes the default options: the publisher itself does not receive the event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the publisher is left out, if it subscribes to the topic itself (`exclude_me`).
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().exclude_me(false);
    /// ```
    #[must_use]
    pub fn exclude_me(mut self, exclude_me: bool) -> Self {
        self.wire.exclude_me = Some(exclude_me);
        self
    }

    /// Leaves sessions out (`exclude`).
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// # use wamp_session::proto::SessionId;
    /// let options = PublishOptions::new().exclude([SessionId::new(7_814_135)?]);
    /// # Ok::<(), wamp_session::proto::InvalidId>(())
    /// ```
    #[must_use]
    pub fn exclude(mut self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        self.wire.exclude = Some(sessions.into_iter().collect());
        self
    }

    /// Leaves the sessions of authids out (`exclude_authid`).
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().exclude_authid(["mallory"]);
    /// ```
    #[must_use]
    pub fn exclude_authid(mut self, authids: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        self.wire.exclude_authid = Some(texts(authids));
        self
    }

    /// Leaves the sessions of authroles out (`exclude_authrole`).
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().exclude_authrole(["guest"]);
    /// ```
    #[must_use]
    pub fn exclude_authrole(mut self, authroles: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        self.wire.exclude_authrole = Some(texts(authroles));
        self
    }

    /// Names the only sessions that receive the event (`eligible`); none if there are none.
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// # use wamp_session::proto::SessionId;
    /// let options = PublishOptions::new().eligible([SessionId::new(7_814_135)?]);
    /// # Ok::<(), wamp_session::proto::InvalidId>(())
    /// ```
    #[must_use]
    pub fn eligible(mut self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        self.wire.eligible = Some(sessions.into_iter().collect());
        self
    }

    /// Names the only authids whose sessions receive the event (`eligible_authid`); none if there are none.
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().eligible_authid(["alice", "bob"]);
    /// ```
    #[must_use]
    pub fn eligible_authid(mut self, authids: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        self.wire.eligible_authid = Some(texts(authids));
        self
    }

    /// Names the only authroles whose sessions receive the event (`eligible_authrole`); none if there are none.
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().eligible_authrole(["backend", "admin"]);
    /// ```
    #[must_use]
    pub fn eligible_authrole(mut self, authroles: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        self.wire.eligible_authrole = Some(texts(authroles));
        self
    }

    /// Asks the broker to tell the subscribers who publishes (`disclose_me`).
    ///
    /// A broker that does not allow it refuses the event with `wamp.error.option_disallowed.disclose_me`, which only an acknowledged
    /// publication gets to know. (WAMP Advanced Profile, "Publisher Identification".)
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().disclose_me();
    /// ```
    #[must_use]
    pub fn disclose_me(mut self) -> Self {
        self.wire.disclose_me = Some(true);
        self
    }

    /// Asks the broker to keep the event for those who subscribe later, in place of the one kept before (`retain`).
    ///
    /// They have to ask for it ([`get_retained`](crate::SubscribeOptions::get_retained)).
    ///
    /// (WAMP Advanced Profile, "Event Retention".)
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().retain();
    /// ```
    #[must_use]
    pub fn retain(mut self) -> Self {
        self.wire.retain = Some(true);
        self
    }

    /// Sets the key by which a sharded subscription shares its events (`rkey`; WAMP Advanced Profile, "Sharded Subscription").
    ///
    /// At the embedded router, events of one key go to one of the nodes ([`SubscribeOptions::nkey`](crate::SubscribeOptions::nkey)), and to all
    /// who subscribe without a key. A router that does not announce the feature is not asked; this client does not announce it.
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().rkey("customer-4711");
    /// ```
    #[must_use]
    pub fn rkey(mut self, rkey: impl Into<Arc<str>>) -> Self {
        self.wire.rkey = Some(rkey.into());
        self
    }

    /// Sets how long to wait for the acknowledgement, instead of the session's request timeout.
    ///
    /// A publication without acknowledgement waits at most that long for a join, if it [may wait](Self::offline).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().timeout(Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets what happens if the session is not joined.
    ///
    /// Otherwise that is what the configuration says of publications of its kind ([`Config::offline`](crate::Config::offline)).
    ///
    /// ```
    /// # use wamp_session::{OfflinePolicy, PublishOptions};
    /// let options = PublishOptions::new().offline(OfflinePolicy::Buffer(1_000));
    /// ```
    #[must_use]
    pub fn offline(mut self, policy: OfflinePolicy) -> Self {
        self.offline = Some(policy);
        self
    }

    /// Sends the payload in payload passthru mode (`ppt_…`): the router does not look at it.
    ///
    /// A client packs and seals it with the codec of the scheme ([`Config::passthru_codec`](crate::Config::passthru_codec)), and fails
    /// with [`CommandError::Passthru`] if it cannot. Who drives a [`Session`](crate::Session) hands over what
    /// [`Codecs::seal`](crate::passthru::Codecs::seal) has made. A router that does not announce the feature gets nothing
    /// ([`CommandError::NotSupported`]). (WAMP Advanced Profile, "Payload Passthru Mode".)
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// # use wamp_session::passthru::Passthru;
    /// let options = PublishOptions::new().passthru(Passthru::new("x_vault").serializer("cbor").keyid("2026-11"));
    /// ```
    #[must_use]
    pub fn passthru(mut self, passthru: Passthru) -> Self {
        self.wire.set_passthru(&passthru);
        self
    }

    /// Sets an attribute that this crate does not know.
    ///
    /// ```
    /// # use wamp_session::PublishOptions;
    /// let options = PublishOptions::new().option("_trace", "4711")?;
    /// # Ok::<(), wamp_session::CommandError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::InvalidOption`] unless the key is of one of the forms `_abc` and `x_abc`, lower case, digits and underscores.
    pub fn option(mut self, key: &str, value: impl Into<Value>) -> Result<Self, CommandError> {
        self.wire.extra.insert(own_key(key)?, own_value(value.into()));
        Ok(self)
    }
}

fn texts(texts: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Vec<Arc<str>> {
    texts.into_iter().map(Into::into).collect()
}
