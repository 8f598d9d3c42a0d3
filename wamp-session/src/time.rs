//! The crate's own time, so that replays, simulations and fuzz inputs can name an instant.

use core::fmt;
use core::time::Duration;

/// An instant: nanoseconds since an origin of the embedder's choice, on a clock that never goes back.
///
/// It reaches 584 years. A deadline past its end is never.
///
/// ```
/// # use std::time::Duration;
/// # use wamp_session::Time;
/// let later = Time::ZERO.checked_add(Duration::from_millis(1500));
/// assert_eq!(later, Some(Time::from_nanos(1_500_000_000)));
/// assert_eq!(later.map(|later| later.since(Time::ZERO)), Some(Duration::from_millis(1500)));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// The instant this many nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant this many milliseconds after the origin, at most the last one.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The instant this many seconds after the origin, at most the last one.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The instant a duration later, `None` if that is past the end of time.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanos = u64::try_from(duration.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Self)
    }

    /// The time since another instant, zero if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({:?})", Duration::from_nanos(self.0))
    }
}
