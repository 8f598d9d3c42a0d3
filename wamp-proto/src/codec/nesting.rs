//! Skipping nested values of the binary formats by iteration, with a bound on their depth.

use crate::Limits;
use crate::error::{DecodeErrorKind, Fault};

/// A place in a value that is being skipped.
pub(crate) struct Place<'a> {
    pub(crate) bytes: &'a [u8],
    /// The end of `bytes` that is still to be skipped.
    pub(crate) rest: &'a [u8],
    /// How many values are left in the list or dict that was entered last.
    pub(crate) left: u64,
    /// How many lists and dicts are open. What is left in those around the last one is on the stack.
    pub(crate) level: usize,
}

/// Where a walk ended.
#[derive(PartialEq, Eq)]
pub(crate) enum End {
    /// Behind the value.
    Done,
    /// At a list or dict for which the stack has no room.
    Full,
}

/// Most values nest less deep; clearing a stack for the greatest depth takes longer than skipping a small value.
const SHALLOW: usize = 16;

/// Skips a value that starts at an offset, and returns the offset behind it.
///
/// `walk` goes on from its place until the end of the value or of the stack.
#[inline]
pub(crate) fn skip<'a>(
    bytes: &'a [u8],
    start: usize,
    depth: u8,
    walk: impl Fn(&mut Place<'a>, &mut [u64]) -> Result<End, Fault>,
) -> Result<usize, Fault> {
    let mut place = Place { bytes, rest: bytes.get(start..).unwrap_or_default(), left: 1, level: 0 };
    let mut stack = [0; SHALLOW];
    let (levels, _) = stack.split_at_mut(SHALLOW.min(depth.into()));
    if walk(&mut place, levels)? == End::Full {
        go_deeper(&mut place, levels, depth, walk)?;
    }
    Ok(bytes.len() - place.rest.len())
}

#[cold]
#[inline(never)]
fn go_deeper<'a>(
    place: &mut Place<'a>,
    levels: &[u64],
    depth: u8,
    walk: impl Fn(&mut Place<'a>, &mut [u64]) -> Result<End, Fault>,
) -> Result<(), Fault> {
    let mut stack = [0; Limits::MAX_DEPTH as usize];
    let (deep, _) = stack.split_at_mut(Limits::MAX_DEPTH.min(depth).into());
    for (copy, level) in deep.iter_mut().zip(levels) {
        *copy = *level;
    }
    match walk(place, deep)? {
        End::Done => Ok(()),
        End::Full => Err(Fault::new(place.bytes.len() - place.rest.len(), DecodeErrorKind::TooDeep)),
    }
}
