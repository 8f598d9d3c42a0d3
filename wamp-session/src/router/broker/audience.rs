//! Who receives an event (WAMP Advanced Profile, "Subscriber Black- and Whitelisting" and "Publisher Exclusion").

use std::sync::Arc;

use wamp_proto::{PublishOptions, SessionId};

use super::super::PeerId;
use super::super::peer::Peers;

/// Who may receive an event, among those who subscribe to its topic.
#[derive(Clone, Debug, Default)]
pub(in crate::router) struct Audience {
    /// The publisher, if it does not receive its own event.
    pub(in crate::router) without: Option<PeerId>,
    excluded: Lists,
    eligible: Lists,
}

/// Sessions, by three names, each list in order; `None` is another thing than a list of nobody.
#[derive(Clone, Debug, Default)]
struct Lists {
    sessions: Option<Vec<SessionId>>,
    authids: Option<Vec<Arc<str>>>,
    authroles: Option<Vec<Arc<str>>>,
}

impl Audience {
    /// Takes the lists out of the options of a PUBLISH.
    pub(super) fn take(publisher: PeerId, options: &mut PublishOptions) -> Self {
        Self {
            without: (options.exclude_me != Some(false)).then_some(publisher),
            excluded: Lists {
                sessions: sorted(options.exclude.take()),
                authids: sorted(options.exclude_authid.take()),
                authroles: sorted(options.exclude_authrole.take()),
            },
            eligible: Lists {
                sessions: sorted(options.eligible.take()),
                authids: sorted(options.eligible_authid.take()),
                authroles: sorted(options.eligible_authrole.take()),
            },
        }
    }

    /// How many bytes the lists take.
    pub(super) fn weight(&self) -> usize {
        self.excluded.weight() + self.eligible.weight()
    }

    /// Whether a session is among them: on no list of those who are not, and on each list of those who are.
    pub(super) fn admits(&self, peers: &Peers, peer: PeerId) -> bool {
        let Some(member) = peers.member(peer) else { return false };
        let Lists { sessions, authids, authroles } = &self.excluded;
        let is_excluded = self.without == Some(peer)
            || names(sessions, &member.session) == Some(true)
            || names(authids, &member.authid) == Some(true)
            || names(authroles, &member.authrole) == Some(true);
        let Lists { sessions, authids, authroles } = &self.eligible;
        !is_excluded
            && names(sessions, &member.session) != Some(false)
            && names(authids, &member.authid) != Some(false)
            && names(authroles, &member.authrole) != Some(false)
    }
}

impl Lists {
    fn weight(&self) -> usize {
        let names = [&self.authids, &self.authroles].into_iter().flatten().flatten();
        let names: usize = names.map(|name| name.len() + 2 * size_of::<Arc<str>>()).sum();
        names + self.sessions.as_ref().map_or(0, |sessions| size_of_val(sessions.as_slice()))
    }
}

fn sorted<T: Ord>(list: Option<Vec<T>>) -> Option<Vec<T>> {
    let mut list = list?;
    list.sort_unstable();
    Some(list)
}

/// Whether a list names something; `None` if there is no list.
fn names<T: Ord>(list: &Option<Vec<T>>, name: &T) -> Option<bool> {
    list.as_ref().map(|list| list.binary_search(name).is_ok())
}
