//! An event on its way to the subscribers, and in the stores.

use wamp_proto::{EventDetails, MatchPolicy, Payload, PublicationId, Uri};

use super::audience::Audience;

/// An event that has been accepted.
#[derive(Clone)]
pub(in crate::router) struct Publication {
    pub(in crate::router) id: PublicationId,
    pub(in crate::router) topic: Uri,
    /// What every subscriber is told of it.
    pub(in crate::router) details: EventDetails,
    pub(in crate::router) payload: Payload,
    pub(in crate::router) audience: Audience,
    /// The hash of the key that decides which node of a sharded subscription gets it.
    pub(in crate::router) key: Option<u64>,
}

/// What a publication takes beside what its peer has a say in, in bytes.
const OVERHEAD: usize = 512;

impl Publication {
    /// What the subscribers of one subscription are told of it: those of a pattern do not know the topic.
    pub(super) fn details_for(&self, policy: MatchPolicy) -> EventDetails {
        let mut details = self.details.clone();
        if policy != MatchPolicy::Exact {
            details.topic = Some(self.topic.clone());
        }
        details
    }

    /// Makes it fit for a store, where it must not keep the frame alive in which it came.
    pub(super) fn detach(mut self) -> Self {
        self.payload = self.payload.detach();
        self
    }

    /// Roughly how many bytes it takes in a store.
    pub(super) fn weight(&self) -> usize {
        let EventDetails { ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid, .. } = &self.details;
        let ppt = [ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid];
        let ppt: usize = ppt.into_iter().flatten().map(|text| text.len()).sum();
        OVERHEAD + self.topic.len() + self.payload.byte_len() + ppt + self.audience.weight()
    }
}
