//! Ids, nonces and choices that a router draws or counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use wamp_proto::{InvalidId, PublicationId, RegistrationId, SessionId, SubscriptionId};

use crate::reconnect::Dice;

/// The source of everything that a peer must not guess, of the ids of the router scope, and of choices.
pub(super) struct Ids {
    random: ChaCha20Rng,
    /// Chance that is no secret, and takes nothing from what is.
    dice: Dice,
    counted: u64,
}

impl Ids {
    pub(super) fn new(secret: &[u8; 32], seed: u64) -> Self {
        Self { random: ChaCha20Rng::from_seed(*secret), dice: Dice::new(seed), counted: 0 }
    }

    /// Draws the id of a session, uniformly from all of them (the global scope).
    pub(super) fn session(&mut self) -> SessionId {
        self.draw(SessionId::new, SessionId::MIN)
    }

    /// Draws the id of a publication, uniformly from all of them (the global scope).
    pub(super) fn publication(&mut self) -> PublicationId {
        self.draw(PublicationId::new, PublicationId::MIN)
    }

    /// Counts the id of a subscription (the router scope).
    pub(super) fn subscription(&mut self) -> SubscriptionId {
        self.count(SubscriptionId::new, SubscriptionId::MIN)
    }

    /// Counts the id of a registration (the router scope).
    pub(super) fn registration(&mut self) -> RegistrationId {
        self.count(RegistrationId::new, RegistrationId::MIN)
    }

    /// Draws a number below another one; 0 if there is none.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.dice.below(n)
    }

    /// Draws 18 bytes, as base64 text.
    pub(super) fn nonce(&mut self) -> String {
        let mut nonce = [0; 18];
        self.random.fill_bytes(&mut nonce);
        BASE64.encode(nonce)
    }

    fn draw<T>(&mut self, new: fn(u64) -> Result<T, InvalidId>, first: T) -> T {
        // 53 random bits and 1 are in 1..=2^53, so that the other arm is never taken.
        new((self.random.next_u64() >> 11) + 1).unwrap_or(first)
    }

    fn count<T>(&mut self, new: fn(u64) -> Result<T, InvalidId>, first: T) -> T {
        // No router counts to 2^53.
        self.counted += 1;
        new(self.counted).unwrap_or(first)
    }
}

#[cfg(test)]
mod tests {
    use wamp_proto::MAX_ID;

    use super::*;

    #[test]
    fn rtr_01_session_ids_are_drawn_from_all_of_the_range() {
        let mut ids = Ids::new(&[7; 32], 0);
        let drawn: Vec<u64> = (0..4000).map(|_| ids.session().get()).collect();
        for eighth in 0..8 {
            let low = eighth * (MAX_ID / 8);
            let hits = drawn.iter().filter(|id| (low + 1..=low + MAX_ID / 8).contains(*id)).count();
            assert!((400..600).contains(&hits), "{hits} of 4000 in eighth {eighth}");
        }
        assert_ne!(Ids::new(&[8; 32], 0).session().get(), drawn[0]);
    }

    #[test]
    fn choices_come_from_the_seed_and_take_nothing_from_the_secret() {
        let drawn = |secret: u8, seed: u64| {
            let mut ids = Ids::new(&[secret; 32], seed);
            let choices: Vec<usize> = (0..100).map(|_| ids.below(3)).collect();
            (choices, ids.session())
        };
        let (choices, session) = drawn(7, 1);
        assert!((0..3).all(|choice| choices.contains(&choice)), "{choices:?}");
        assert_eq!(choices, drawn(8, 1).0);
        assert_ne!(choices, drawn(7, 2).0);
        assert_eq!(session, drawn(7, 2).1);
        assert_eq!(session, Ids::new(&[7; 32], 0).session());
    }
}
