//! Finding where a value ends, the hot path of receiving.

use crate::codec::nesting::{self, End, Place};
use crate::codec::text;
use crate::error::{DecodeErrorKind, Fault};

/// Skips the value at an offset, checking its syntax, its UTF-8 and its depth, and returns the offset behind it.
pub(super) fn value(bytes: &[u8], start: usize, depth: u8) -> Result<usize, Fault> {
    nesting::skip(bytes, start, depth, walk)
}

/// What starts with a marker.
enum Item<'a> {
    /// A value without others in it, and what follows it.
    Leaf(&'a [u8]),
    /// A list or dict, what follows its head, and how many values are in it.
    Open(&'a [u8], u64),
}

/// The loop over markers.
fn walk<'a>(place: &mut Place<'a>, stack: &mut [u64]) -> Result<End, Fault> {
    match run::<true>(place, stack)? {
        Some(end) => Ok(end),
        None => Ok(run::<false>(place, stack)?.unwrap_or(End::Done)),
    }
}

/// The loop, either as long as a whole block is behind each marker, or to the end of the frame; `None` where the blocks end.
///
/// In blocks one comparison sees to all bounds. Nothing but the unusual is called, so that the loop stays in the processor's registers.
#[inline(always)]
fn run<'a, const BLOCKS: bool>(place: &mut Place<'a>, stack: &mut [u64]) -> Result<Option<End>, Fault> {
    let Place { bytes, mut rest, mut left, mut level } = *place;
    loop {
        let common = if BLOCKS {
            let Some([marker, block @ ..]) = rest.first_chunk::<{ 1 + text::BLOCK }>() else {
                *place = Place { bytes, rest, left, level };
                return Ok(None);
            };
            rest.get(1..).and_then(|rest| common_item(*marker, rest, |length| text::starts_with_text(block, length)))
        } else {
            rest.split_first().and_then(|(marker, rest)| {
                common_item(*marker, rest, |length| rest.get(..usize::from(length)).is_some_and(text::is_text))
            })
        };
        let item = match common {
            Some(item) => item,
            None => item(rest).map_err(|wrong| wrong.fault(bytes, rest))?,
        };
        match item {
            Item::Leaf(next) => {
                rest = next;
                left -= 1;
            }
            Item::Open(next, values) => {
                let Some(outer) = stack.get_mut(level) else {
                    *place = Place { bytes, rest, left, level };
                    return Ok(Some(End::Full));
                };
                *outer = left - 1;
                level += 1;
                rest = next;
                left = values;
            }
        }
        while left == 0 {
            if level == 0 {
                place.rest = rest;
                return Ok(Some(End::Done));
            }
            level -= 1;
            left = stack.get(level).copied().unwrap_or_default();
        }
    }
}

/// The item of a marker, if it is a common one, else [`item`] tells; `is_text` tells whether so many bytes behind it are.
#[inline(always)]
fn common_item(marker: u8, rest: &[u8], is_text: impl Fn(u8) -> bool) -> Option<Item<'_>> {
    match marker {
        0xa0..=0xbf => {
            // A mask: with a difference the address of the next marker is an instruction further from this one.
            let length = marker & 0x1f;
            is_text(length).then_some(())?;
            rest.get(usize::from(length)..).map(Item::Leaf)
        }
        0xd9 => {
            let (length, rest) = rest.split_first()?;
            let (text, rest) = rest.split_at_checked(usize::from(*length))?;
            text::is_text(text).then_some(Item::Leaf(rest))
        }
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Some(Item::Leaf(rest)),
        0x80..=0x8f => Some(Item::Open(rest, 2 * u64::from(marker & 0x0f))),
        0x90..=0x9f => Some(Item::Open(rest, (marker & 0x0f).into())),
        0xcc | 0xd0 => rest.get(1..).map(Item::Leaf),
        0xcd | 0xd1 => rest.get(2..).map(Item::Leaf),
        0xca | 0xce | 0xd2 => rest.get(4..).map(Item::Leaf),
        0xcb | 0xcf | 0xd3 => rest.get(8..).map(Item::Leaf),
        _ => None,
    }
}

/// Why there is no item.
enum Wrong<'a> {
    Truncated,
    Marker,
    /// The string is not UTF-8, which starts here.
    Text(text::Unreadable, &'a [u8]),
}

impl Wrong<'_> {
    #[cold]
    fn fault(self, bytes: &[u8], rest: &[u8]) -> Fault {
        match self {
            Self::Truncated => Fault::new(bytes.len(), DecodeErrorKind::Truncated),
            Self::Marker => super::no_marker(bytes.len() - rest.len()),
            Self::Text(error, text) => error.fault(bytes, text),
        }
    }
}

#[cold]
#[inline(never)]
fn item(rest: &[u8]) -> Result<Item<'_>, Wrong<'_>> {
    let (&marker, rest) = rest.split_first().ok_or(Wrong::Truncated)?;
    Ok(match marker {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Item::Leaf(rest),
        0x80..=0x8f => dict((rest, (marker & 0x0f).into())),
        0x90..=0x9f => list((rest, (marker & 0x0f).into())),
        0xa0..=0xbf => string((rest, (marker & 0x1f).into()))?,
        0xc4 => binary(length::<1>(rest)?)?,
        0xc5 => binary(length::<2>(rest)?)?,
        0xc6 => binary(length::<4>(rest)?)?,
        0xc7 => extension(length::<1>(rest)?)?,
        0xc8 => extension(length::<2>(rest)?)?,
        0xc9 => extension(length::<4>(rest)?)?,
        0xcc | 0xd0 => binary((rest, 1))?,
        0xcd | 0xd1 => binary((rest, 2))?,
        0xca | 0xce | 0xd2 => binary((rest, 4))?,
        0xcb | 0xcf | 0xd3 => binary((rest, 8))?,
        0xd4 => extension((rest, 1))?,
        0xd5 => extension((rest, 2))?,
        0xd6 => extension((rest, 4))?,
        0xd7 => extension((rest, 8))?,
        0xd8 => extension((rest, 16))?,
        0xd9 => string(length::<1>(rest)?)?,
        0xda => string(length::<2>(rest)?)?,
        0xdb => string(length::<4>(rest)?)?,
        0xdc => list(length::<2>(rest)?),
        0xdd => list(length::<4>(rest)?),
        0xde => dict(length::<2>(rest)?),
        0xdf => dict(length::<4>(rest)?),
        0xc1 => return Err(Wrong::Marker),
    })
}

/// Reads a length of so many bytes, and returns it behind what follows.
fn length<'a, const N: usize>(rest: &'a [u8]) -> Result<(&'a [u8], u64), Wrong<'a>> {
    text::number::<N>(rest).ok_or(Wrong::Truncated)
}

fn binary<'a>((rest, length): (&'a [u8], u64)) -> Result<Item<'a>, Wrong<'a>> {
    text::split(rest, length).map(|(_, rest)| Item::Leaf(rest)).map_err(|_| Wrong::Truncated)
}

/// Skips the type of an extension, too.
fn extension<'a>((rest, length): (&'a [u8], u64)) -> Result<Item<'a>, Wrong<'a>> {
    binary((rest, length + 1))
}

fn string<'a>((rest, length): (&'a [u8], u64)) -> Result<Item<'a>, Wrong<'a>> {
    text::skip(rest, length).map(Item::Leaf).map_err(|error| Wrong::Text(error, rest))
}

const fn list((rest, length): (&[u8], u64)) -> Item<'_> {
    Item::Open(rest, length)
}

const fn dict((rest, length): (&[u8], u64)) -> Item<'_> {
    Item::Open(rest, 2 * length)
}
