//! Which callee of a registration gets a call (WAMP Advanced Profile, "Shared Registration", "Call Re-Routing").

use std::collections::BTreeSet;

use wamp_proto::InvokePolicy;

use super::registry::{Registration, Terms};
use crate::router::PeerId;
use crate::router::ids::Ids;
use crate::router::shards;

/// How one of several callees is picked.
pub(super) struct Pick<'a> {
    /// Those that have declined the call.
    pub(super) tried: &'a BTreeSet<PeerId>,
    /// The key of a sharded call: calls with one key go to one callee, as long as the callees are the same.
    pub(super) key: Option<&'a str>,
}

impl Registration {
    /// Picks a callee that takes the call, by the registration's policy.
    pub(super) fn pick(
        &mut self,
        ids: &mut Ids,
        pick: &Pick<'_>,
        has_room: impl Fn(PeerId, Terms) -> bool,
    ) -> Option<PeerId> {
        let Self { invoke, callees, terms, turn, .. } = self;
        let terms = |callee: PeerId| terms.get(&callee).copied().unwrap_or_default();
        let takes = |callee: &PeerId| !pick.tried.contains(callee) && has_room(*callee, terms(*callee));
        if let Some(key) = pick.key {
            let shard = usize::try_from(shards::hash(key) % u64::try_from(callees.len()).ok()?.max(1)).ok()?;
            return callees.get(shard).filter(|callee| takes(callee)).copied();
        }
        match invoke {
            InvokePolicy::Last => callees.iter().rev().find(|callee| takes(callee)).copied(),
            InvokePolicy::RoundRobin => {
                let count = callees.len();
                let places = (*turn..count).chain(0..(*turn).min(count));
                let mut able = places.filter_map(|place| Some((place, callees.get(place)?)));
                let (place, callee) = able.find(|(_, callee)| takes(callee))?;
                *turn = if place + 1 == count { 0 } else { place + 1 };
                Some(*callee)
            }
            InvokePolicy::Random => {
                let able: Vec<&PeerId> = callees.iter().filter(|callee| takes(callee)).collect();
                able.get(ids.below(able.len())).map(|callee| **callee)
            }
            // A policy that is new to this crate comes to one callee, too.
            _ => callees.iter().find(|callee| takes(callee)).copied(),
        }
    }
}
