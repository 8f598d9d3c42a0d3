//! The skipper of a binary format beside a reference that follows the format's specification step by step.
//!
//! They agree on everything: where a value ends, or at which byte it is wrong and how.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngSeed, TestRunner};

use crate::error::{DecodeErrorKind, Fault};

/// Where a value ends, or at which byte it is wrong and how.
pub(crate) type Outcome = Result<usize, (usize, DecodeErrorKind)>;

/// A skipper and its reference; both take the bytes of a frame, and how many lists and dicts may nest in the value at its start.
pub(crate) struct Differential {
    pub(crate) skip: fn(&[u8], usize, u8) -> Result<usize, Fault>,
    pub(crate) reference: fn(&[u8], u8) -> Outcome,
}

impl Differential {
    pub(crate) fn on_any_bytes(&self) {
        run((vec(any::<u8>(), 0..80), 0..=128_u8), |(bytes, depth)| self.agree(&bytes, depth));
    }

    pub(crate) fn on_valid_values(&self, value: impl Strategy<Value = Vec<u8>>) {
        run((value, vec(any::<u8>(), 0..50)), |(bytes, behind)| {
            let frame = [&bytes[..], &behind].concat();
            prop_assert_eq!((self.reference)(&frame, 128), Ok(bytes.len()));
            self.agree(&frame, 128)?;
            self.agree(&frame, 2)
        });
    }

    /// Values of which some bytes are replaced, and the end may be cut off.
    pub(crate) fn on_values_with_a_flaw(&self, value: impl Strategy<Value = Vec<u8>>) {
        let flaws = vec((any::<Index>(), any::<u8>()), 1..4);
        let input = (value, flaws, any::<Option<Index>>(), 0..=128_u8);
        run(input, |(mut bytes, flaws, end, depth)| {
            for (at, byte) in flaws {
                *at.get_mut(&mut bytes) = byte;
            }
            if let Some(end) = end {
                bytes.truncate(end.index(bytes.len()));
            }
            self.agree(&bytes, depth)?;
            self.agree(&bytes, 128)
        });
    }

    fn agree(&self, bytes: &[u8], depth: u8) -> Result<(), TestCaseError> {
        let skipped = (self.skip)(bytes, 0, depth).map_err(|fault| (fault.offset, fault.kind.clone()));
        prop_assert_eq!(skipped, (self.reference)(bytes, depth));
        Ok(())
    }
}

fn run<S: Strategy>(input: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seed = RngSeed::Fixed(1);
    let config = ProptestConfig { cases: 500, failure_persistence: None, rng_seed: seed, ..ProptestConfig::default() };
    TestRunner::new(config).run(&input, test).unwrap_or_else(|error| panic!("{error}"));
}
