//! The messages of a publisher.

use std::sync::Arc;

use crate::codec::attribute::attributes;
use crate::{Payload, PublicationId, RequestId, SessionId, Uri};

/// PUBLISH `[16, Request, Options, Topic (, Arguments (, ArgumentsKw))]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Publish {
    pub request: RequestId,
    pub options: PublishOptions,
    pub topic: Uri,
    pub payload: Payload,
}

/// PUBLISHED `[17, PUBLISH.Request, Publication]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Published {
    pub request: RequestId,
    pub publication: PublicationId,
}

attributes! {
    /// The Options of a PUBLISH.
    PublishOptions {
        /// Whether the broker answers with PUBLISHED or ERROR.
        acknowledge: bool = "acknowledge",
        /// Whether the publisher is left out of the event's subscribers; absent means that it is.
        exclude_me: bool = "exclude_me",
        /// Whether the subscribers are told who publishes.
        disclose_me: bool = "disclose_me",
        /// The sessions that do not receive the event.
        exclude: Vec<SessionId> = "exclude",
        /// The authids that do not receive the event.
        exclude_authid: Vec<Arc<str>> = "exclude_authid",
        /// The authroles that do not receive the event.
        exclude_authrole: Vec<Arc<str>> = "exclude_authrole",
        /// The only sessions that receive the event; an empty list is nobody.
        eligible: Vec<SessionId> = "eligible",
        /// The only authids that receive the event; an empty list is nobody.
        eligible_authid: Vec<Arc<str>> = "eligible_authid",
        /// The only authroles that receive the event; an empty list is nobody.
        eligible_authrole: Vec<Arc<str>> = "eligible_authrole",
        /// Whether the broker keeps the event for later subscribers.
        retain: bool = "retain",
        /// The key of a sharded subscription.
        rkey: Arc<str> = "rkey",
        /// Payload passthru mode: the scheme.
        ppt_scheme: Arc<str> = "ppt_scheme",
        /// Payload passthru mode: the serializer.
        ppt_serializer: Arc<str> = "ppt_serializer",
        /// Payload passthru mode: the cipher.
        ppt_cipher: Arc<str> = "ppt_cipher",
        /// Payload passthru mode: the key.
        ppt_keyid: Arc<str> = "ppt_keyid",
    }
}
