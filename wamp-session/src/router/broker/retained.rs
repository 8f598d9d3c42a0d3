//! The events that a broker keeps for later subscribers, one for each topic (WAMP Advanced Profile, "Event Retention").

use core::ops::Bound;
use std::collections::BTreeMap;
use std::sync::Arc;

use wamp_proto::{MatchPolicy, Uri};

use super::publication::Publication;
use crate::router::RouterLimits;

#[derive(Default)]
pub(super) struct Retained {
    events: BTreeMap<Uri, Arc<Publication>>,
    bytes: usize,
}

impl Retained {
    /// Whether an event can be kept, in place of the one of its topic.
    pub(super) fn has_room(&self, limits: &RouterLimits, publication: &Publication) -> bool {
        let before = self.events.get(&publication.topic);
        let events = self.events.len() + usize::from(before.is_none());
        let bytes = self.bytes - before.map_or(0, |before| before.weight());
        events <= limits.retained && bytes.saturating_add(publication.weight()) <= limits.retained_bytes
    }

    pub(super) fn keep(&mut self, publication: Arc<Publication>) {
        self.bytes += publication.weight();
        if let Some(before) = self.events.insert(publication.topic.clone(), publication) {
            self.bytes -= before.weight();
        }
    }

    /// The events of the topics that a topic or pattern matches, in the order of their topics.
    pub(super) fn matching<'a>(&'a self, topic: &'a Uri, policy: MatchPolicy) -> impl Iterator<Item = &'a Publication> {
        let literal = match policy {
            MatchPolicy::Exact | MatchPolicy::Prefix => topic.as_str(),
            MatchPolicy::Wildcard => before_wildcard(topic),
        };
        let until = if policy == MatchPolicy::Exact { Bound::Included(literal) } else { Bound::Unbounded };
        let events = self.events.range::<str, _>((Bound::Included(literal), until));
        let events = events.take_while(move |(uri, _)| uri.starts_with(literal));
        events.filter(move |(uri, _)| topic.matches(uri, policy)).map(|(_, publication)| &**publication)
    }
}

/// What a wildcard pattern has before its first empty component.
fn before_wildcard(pattern: &str) -> &str {
    let mut length = 0;
    for component in pattern.split_inclusive('.') {
        if component == "." {
            break;
        }
        length += component.len();
    }
    pattern.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_before_a_wildcard() {
        for (pattern, literal) in
            [("com.a..x", "com.a."), ("..x", ""), ("com.", "com."), ("a.b", "a.b"), ("", ""), (".", "")]
        {
            assert_eq!(before_wildcard(pattern), literal, "{pattern}");
        }
    }
}
