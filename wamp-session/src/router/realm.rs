//! A realm: what its sessions subscribe to, register and call.

use super::broker::Broker;
use super::dealer::Dealer;
use super::peer::Peers;
use super::{PeerId, RealmConfig};

pub(super) struct Realm {
    pub(super) config: RealmConfig,
    pub(super) broker: Broker,
    pub(super) dealer: Dealer,
}

impl Realm {
    pub(super) fn new(config: RealmConfig) -> Self {
        let broker = Broker::new(&config);
        Self { config, broker, dealer: Dealer::default() }
    }

    /// Takes out everything of a session that is over.
    pub(super) fn leave(&mut self, peers: &mut Peers, id: PeerId) {
        self.broker.leave(id);
        self.dealer.leave(peers, id);
    }

    /// Whether something is to be told to those who subscribe to the meta API.
    pub(super) fn has_news(&self) -> bool {
        !self.broker.subscriptions.news.is_empty() || self.dealer.has_news()
    }

    /// Takes out everything of all sessions, when all of them are over.
    pub(super) fn clear(&mut self) {
        // What was counted stays counted.
        let dropped_events = self.broker.dropped_events;
        let Dealer { discarded_answers, discarded_calls, .. } = self.dealer;
        (self.broker, self.dealer) = (Broker::new(&self.config), Dealer::default());
        self.broker.dropped_events = dropped_events;
        (self.dealer.discarded_answers, self.dealer.discarded_calls) = (discarded_answers, discarded_calls);
    }
}
