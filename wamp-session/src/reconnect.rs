//! When a session that was lost is joined again.

use core::time::Duration;

use crate::CloseCause;

/// When to join again after a session was lost, or could not be joined.
///
/// The delay before an attempt grows from attempt to attempt; jitter keeps many clients of one router from coming back at once. It is drawn
/// from the session's seed ([`Config::seed`](crate::Config::seed)). Which causes are worth an attempt says
/// [`CloseCause::is_retried`], unless a function of one's own decides.
///
/// ```
/// # use std::time::Duration;
/// # use wamp_session::{Config, Jitter, ReconnectPolicy};
/// let policy = ReconnectPolicy::new()
///     .initial_delay(Duration::from_millis(500))
///     .multiplier(1.5)
///     .max_delay(Duration::from_secs(30))
///     .jitter(Jitter::Fraction(0.2))
///     .max_attempts(Some(100))
///     .stable_after(Duration::from_secs(60));
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").reconnect(policy);
/// ```
#[derive(Clone, Debug)]
pub struct ReconnectPolicy {
    initial: Duration,
    multiplier: f64,
    cap: Duration,
    jitter: Jitter,
    attempts: Option<u32>,
    stable: Duration,
    decide: Option<fn(&Attempt<'_>) -> Decision>,
}

/// How much chance there is in a delay.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// None: the delay is what the policy says.
    None,
    /// The delay is anything from nothing to what the policy says.
    Full,
    /// The delay differs from what the policy says by at most this fraction of it, from 0 to 1, in both directions.
    Fraction(f64),
}

/// What is known when it is decided whether to try again.
///
/// A session with a function of one's own asks for the decision with [`Session::undecided`](crate::Session::undecided).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The number of the attempt that would follow, counted from 1 since the last session that stood long enough.
    pub number: u32,
    /// What happened.
    pub cause: &'a CloseCause,
    /// What happens if the function returns it: by the table of causes, the policy's delays and its number of attempts.
    pub default: Decision,
    pub(crate) decide: Option<fn(&Attempt<'_>) -> Decision>,
}

impl Attempt<'_> {
    /// Calls the policy's function ([`ReconnectPolicy::decide`]); without one, it is the default.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decide.map_or(self.default, |decide| decide(self))
    }
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// After a delay.
    Retry(Duration),
    /// No: the session is closed.
    End,
}

impl ReconnectPolicy {
    /// Makes the default policy: after 1 s, then twice as long each time, at most 60 s, with full jitter, for ever.
    ///
    /// A session that stood for 10 s begins anew.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            initial: Duration::from_secs(1),
            multiplier: 2.0,
            cap: Duration::from_secs(60),
            jitter: Jitter::Full,
            attempts: None,
            stable: Duration::from_secs(10),
            decide: None,
        }
    }

    /// Makes the policy of the Loowy for Lua: every 2 s, 25 times.
    #[must_use]
    pub const fn loowy() -> Self {
        let every = Duration::from_secs(2);
        let policy = Self::new().initial_delay(every).multiplier(1.0).max_delay(every);
        policy.jitter(Jitter::None).max_attempts(Some(25)).stable_after(Duration::ZERO)
    }

    /// Makes the policy that never tries again.
    #[must_use]
    pub const fn never() -> Self {
        Self::new().max_attempts(Some(0))
    }

    /// Sets the delay before the first attempt: 1 s by default.
    #[must_use]
    pub const fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial = delay;
        self
    }

    /// Sets by what the delay is multiplied from attempt to attempt: 2 by default; less than 1 counts as 1.
    #[must_use]
    pub const fn multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = multiplier;
        self
    }

    /// Sets the longest delay, jitter included: 60 s by default.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.cap = delay;
        self
    }

    /// Sets the jitter: [`Jitter::Full`] by default.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets how many attempts in a row are made before the session is closed, `None` for no end.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: Option<u32>) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets how long a session must have been joined for the attempts to be counted from 1 again: 10 s by default.
    #[must_use]
    pub const fn stable_after(mut self, duration: Duration) -> Self {
        self.stable = duration;
        self
    }

    /// Sets a function that decides in place of the table of causes and the number of attempts.
    ///
    /// It is not asked after the application has closed the session, nor before the first join, unless the policy applies to that as
    /// well ([`Config::retry_initial_connect`](crate::Config::retry_initial_connect)).
    ///
    /// A client calls it on the thread that has noticed the end, while it holds no lock: the function may use clients, but the connection
    /// waits for it, and until then the session is neither left nor closed. If it panics, the default holds. A
    /// [`Session`](crate::Session) never calls it; its embedder does ([`Session::undecided`](crate::Session::undecided)).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wamp_session::{Attempt, CloseCause, Decision, ReconnectPolicy};
    /// fn decide(attempt: &Attempt<'_>) -> Decision {
    ///     match attempt.cause {
    ///         CloseCause::Abort(abort) if abort.reason == "com.example.updating" => Decision::Retry(Duration::from_secs(30)),
    ///         _ => attempt.default,
    ///     }
    /// }
    /// let policy = ReconnectPolicy::new().decide(decide);
    /// ```
    #[must_use]
    pub const fn decide(mut self, decide: fn(&Attempt<'_>) -> Decision) -> Self {
        self.decide = Some(decide);
        self
    }

    pub(crate) fn is_stable(&self, stood: Duration) -> bool {
        stood >= self.stable
    }

    /// The function that decides, if there is one.
    pub(crate) const fn function(&self) -> Option<fn(&Attempt<'_>) -> Decision> {
        self.decide
    }

    /// What to do after a cause, before the attempt of this number, which is at least 1, if no function decides.
    pub(crate) fn decision(&self, number: u32, cause: &CloseCause, dice: &mut Dice) -> Decision {
        if cause.is_retried() && self.attempts.is_none_or(|attempts| number <= attempts) {
            Decision::Retry(self.delay(number, dice))
        } else {
            Decision::End
        }
    }

    /// The delay before the attempt of this number, which is at least 1.
    pub(crate) fn delay(&self, number: u32, dice: &mut Dice) -> Duration {
        let delay = self.delay_without_jitter(number);
        match self.jitter {
            Jitter::None => delay,
            Jitter::Full => dice.at_most(delay),
            Jitter::Fraction(fraction) => {
                let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
                let spread = delay.mul_f64(fraction);
                let least = delay.saturating_sub(spread);
                least.saturating_add(dice.at_most(spread.saturating_mul(2))).min(self.cap)
            }
        }
    }

    /// Multiplies step by step: other ways of raising to a power round differently from platform to platform.
    fn delay_without_jitter(&self, number: u32) -> Duration {
        let cap = self.cap.as_secs_f64();
        let mut delay = self.initial.as_secs_f64();
        if self.multiplier > 1.0 && delay > 0.0 {
            for _ in 1..number {
                if delay >= cap {
                    break;
                }
                delay *= self.multiplier;
            }
        }
        if delay >= cap { self.cap } else { Duration::try_from_secs_f64(delay).unwrap_or(self.cap).min(self.cap) }
    }
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// Chance that is the same for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A duration from zero to the given one, both included.
    fn at_most(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        let drawn = (u128::from(self.next()) * (u128::from(most) + 1)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(most))
    }

    /// A number below another one; 0 if there is none.
    #[cfg(feature = "router")]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // The high half of the product is below n; its bias is less than n in 2^64.
        let product = u128::from(self.next()) * n as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(policy: &ReconnectPolicy, numbers: impl IntoIterator<Item = u32>) -> Vec<f64> {
        let mut dice = Dice::new(1);
        numbers.into_iter().map(|number| policy.delay(number, &mut dice).as_secs_f64()).collect()
    }

    #[test]
    fn the_default_policy_doubles_from_1_s_to_60_s() {
        let policy = ReconnectPolicy::new().jitter(Jitter::None);
        assert_eq!(delays(&policy, 1..=9), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
        assert_eq!(delays(&policy, [u32::MAX]), [60.0]);
    }

    #[test]
    fn full_jitter_draws_from_nothing_to_the_delay_and_repeats_with_the_seed() {
        let policy = ReconnectPolicy::new();
        let drawn = delays(&policy, [4; 1000]);
        assert!(drawn.iter().all(|delay| (0.0..=8.0).contains(delay)));
        assert!(drawn.iter().any(|delay| *delay < 0.5) && drawn.iter().any(|delay| *delay > 7.5));
        assert_eq!(drawn, delays(&policy, [4; 1000]));
        let mut other = Dice::new(2);
        assert_ne!(policy.delay(4, &mut other).as_secs_f64(), drawn[0]);
    }

    #[test]
    fn a_fraction_of_jitter_stays_around_the_delay_and_below_the_cap() {
        let policy = ReconnectPolicy::new().jitter(Jitter::Fraction(0.25));
        let drawn = delays(&policy, [3; 1000]);
        assert!(drawn.iter().all(|delay| (3.0..=5.0).contains(delay)));
        assert!(drawn.iter().any(|delay| *delay < 3.2) && drawn.iter().any(|delay| *delay > 4.8));
        assert!(delays(&policy, [20; 1000]).iter().all(|delay| (45.0..=60.0).contains(delay)));
        let none = policy.jitter(Jitter::Fraction(f64::NAN));
        assert_eq!(delays(&none, [3]), [4.0]);
    }

    #[test]
    fn odd_numbers_give_delays_all_the_same() {
        let policy = ReconnectPolicy::new().jitter(Jitter::None);
        assert_eq!(delays(&policy.clone().multiplier(f64::NAN), [1, 9]), [1.0, 1.0]);
        assert_eq!(delays(&policy.clone().multiplier(f64::INFINITY), [1, 2]), [1.0, 60.0]);
        assert_eq!(delays(&policy.clone().multiplier(-2.0), [1, 2]), [1.0, 1.0]);
        let long = policy.clone().max_delay(Duration::MAX).multiplier(1e300);
        assert_eq!(long.delay(3, &mut Dice::new(0)), Duration::MAX);
        assert_eq!(delays(&policy.initial_delay(Duration::ZERO), [1, u32::MAX]), [0.0, 0.0]);
    }
}
