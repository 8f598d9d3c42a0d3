//! Finding where a value ends, the hot path of receiving.

use super::head::{self, BREAK, number};
use crate::codec::nesting::{self, End, Place};
use crate::codec::text;
use crate::error::{DecodeErrorKind, Fault};

/// Skips the value at an offset, checking its syntax, its UTF-8 and its depth, and returns the offset behind it.
///
/// Tags do not count as levels: they are skipped without going deeper.
pub(super) fn value(bytes: &[u8], start: usize, depth: u8) -> Result<usize, Fault> {
    nesting::skip(bytes, start, depth, walk)
}

/// What starts with an initial byte.
enum Item<'a> {
    /// A value without others in it, and what follows it.
    Leaf(&'a [u8]),
    /// A list or dict, what follows its head, and how many values are in it, or one of the two marks for an indefinite length.
    Open(&'a [u8], u64),
    /// A tag, and the value to which it belongs.
    Tag(&'a [u8]),
    /// The end of a list or dict of indefinite length, and what follows it.
    Break(&'a [u8]),
}

/// The highest bit of what is left marks an indefinite length, the bit below it a dict. The other bits count down from the greatest number: no
/// frame is long enough to use them up, but the lowest one tells whether a key or a value of a dict is next.
const INDEFINITE_LIST: u64 = INDEFINITE | (IN_DICT - 1);
const INDEFINITE_DICT: u64 = INDEFINITE | IN_DICT | (IN_DICT - 2);
const INDEFINITE: u64 = 1 << 63;
const IN_DICT: u64 = 1 << 62;

/// More values than any frame has: their lack shows when it ends.
const MOST: u64 = IN_DICT >> 1;

/// The loop over heads.
fn walk<'a>(place: &mut Place<'a>, stack: &mut [u64]) -> Result<End, Fault> {
    match run::<true>(place, stack)? {
        Some(end) => Ok(end),
        None => Ok(run::<false>(place, stack)?.unwrap_or(End::Done)),
    }
}

/// The loop, either as long as a whole block is behind each initial byte, or to the end of the frame; `None` where the blocks end.
///
/// In blocks one comparison sees to all bounds. Nothing but the unusual is called, so that the loop stays in the processor's registers.
#[inline(always)]
fn run<'a, const BLOCKS: bool>(place: &mut Place<'a>, stack: &mut [u64]) -> Result<Option<End>, Fault> {
    let Place { bytes, mut rest, mut left, mut level } = *place;
    loop {
        let common = if BLOCKS {
            let Some([initial, block @ ..]) = rest.first_chunk::<{ 1 + text::BLOCK }>() else {
                *place = Place { bytes, rest, left, level };
                return Ok(None);
            };
            rest.get(1..).and_then(|rest| common_item(*initial, rest, |length| text::starts_with_text(block, length)))
        } else {
            rest.split_first().and_then(|(initial, rest)| {
                common_item(*initial, rest, |length| rest.get(..usize::from(length)).is_some_and(text::is_text))
            })
        };
        let item = match common {
            Some(item) => item,
            None => item(rest).map_err(|wrong| wrong.fault(bytes))?,
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
            Item::Tag(next) => {
                rest = next;
                continue;
            }
            Item::Break(next) => {
                if left & INDEFINITE == 0 || (left & IN_DICT != 0 && left & 1 != 0) {
                    return Err(Wrong::Malformed(rest, "a break where no list or dict may end").fault(bytes));
                }
                rest = next;
                left = 0;
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

/// The item of an initial byte, if it is a common one, else [`item`] tells; `is_text` tells whether so many bytes behind it are.
#[inline(always)]
fn common_item(initial: u8, rest: &[u8], is_text: impl Fn(u8) -> bool) -> Option<Item<'_>> {
    match initial {
        0x60..=0x77 => {
            // A mask: with a difference the address of the next item is an instruction further from this one.
            let length = initial & 0x1f;
            is_text(length).then_some(())?;
            rest.get(usize::from(length)..).map(Item::Leaf)
        }
        0x78 => {
            let (length, rest) = rest.split_first()?;
            let (text, rest) = rest.split_at_checked(usize::from(*length))?;
            text::is_text(text).then_some(Item::Leaf(rest))
        }
        0x00..=0x17 | 0x20..=0x37 | 0xf4..=0xf7 => Some(Item::Leaf(rest)),
        0x80..=0x97 => Some(Item::Open(rest, (initial & 0x1f).into())),
        0xa0..=0xb7 => Some(Item::Open(rest, 2 * u64::from(initial & 0x1f))),
        0x18 | 0x38 => rest.get(1..).map(Item::Leaf),
        0x19 | 0x39 | 0xf9 => rest.get(2..).map(Item::Leaf),
        0x1a | 0x3a | 0xfa => rest.get(4..).map(Item::Leaf),
        0x1b | 0x3b | 0xfb => rest.get(8..).map(Item::Leaf),
        _ => None,
    }
}

/// Why there is no item.
enum Wrong<'a> {
    Truncated,
    /// What starts here is malformed.
    Malformed(&'a [u8], &'static str),
    /// The string that starts here is not UTF-8.
    Text(text::Unreadable, &'a [u8]),
}

impl Wrong<'_> {
    #[cold]
    fn fault(self, bytes: &[u8]) -> Fault {
        match self {
            Self::Truncated => Fault::new(bytes.len(), DecodeErrorKind::Truncated),
            Self::Malformed(rest, why) => Fault::new(bytes.len() - rest.len(), DecodeErrorKind::Malformed(why)),
            Self::Text(error, text) => error.fault(bytes, text),
        }
    }
}

pub(super) const RESERVED: &str = "a reserved initial byte";

#[cold]
#[inline(never)]
fn item(start: &[u8]) -> Result<Item<'_>, Wrong<'_>> {
    let (&initial, rest) = start.split_first().ok_or(Wrong::Truncated)?;
    Ok(match initial {
        0x00..=0x17 | 0x20..=0x37 | 0xe0..=0xf7 => Item::Leaf(rest),
        0x18 | 0x38 => binary((rest, 1))?,
        0x19 | 0x39 | 0xf9 => binary((rest, 2))?,
        0x1a | 0x3a | 0xfa => binary((rest, 4))?,
        0x1b | 0x3b | 0xfb => binary((rest, 8))?,
        0x60..=0x77 => string((rest, (initial & 0x1f).into()))?,
        0x78 => string(length::<1>(rest)?)?,
        0x79 => string(length::<2>(rest)?)?,
        0x7a => string(length::<4>(rest)?)?,
        0x7b => string(length::<8>(rest)?)?,
        0x40..=0x57 => binary((rest, (initial & 0x1f).into()))?,
        0x58 => binary(length::<1>(rest)?)?,
        0x59 => binary(length::<2>(rest)?)?,
        0x5a => binary(length::<4>(rest)?)?,
        0x5b => binary(length::<8>(rest)?)?,
        0x5f => chunks(rest, head::BYTES)?,
        0x7f => chunks(rest, head::TEXT)?,
        0x80..=0x97 => list((rest, (initial & 0x1f).into())),
        0x98 => list(length::<1>(rest)?),
        0x99 => list(length::<2>(rest)?),
        0x9a => list(length::<4>(rest)?),
        0x9b => list(length::<8>(rest)?),
        0x9f => Item::Open(rest, INDEFINITE_LIST),
        0xa0..=0xb7 => dict((rest, (initial & 0x1f).into())),
        0xb8 => dict(length::<1>(rest)?),
        0xb9 => dict(length::<2>(rest)?),
        0xba => dict(length::<4>(rest)?),
        0xbb => dict(length::<8>(rest)?),
        0xbf => Item::Open(rest, INDEFINITE_DICT),
        0xc0..=0xd7 => tag(rest)?,
        0xd8 => tag(length::<1>(rest)?.0)?,
        0xd9 => tag(length::<2>(rest)?.0)?,
        0xda => tag(length::<4>(rest)?.0)?,
        0xdb => tag(length::<8>(rest)?.0)?,
        0xf8 => simple(start, rest)?,
        BREAK => Item::Break(rest),
        _ => return Err(Wrong::Malformed(start, RESERVED)),
    })
}

/// Reads a length of so many bytes, and returns it behind what follows.
fn length<'a, const N: usize>(rest: &'a [u8]) -> Result<(&'a [u8], u64), Wrong<'a>> {
    number::<N>(rest).ok_or(Wrong::Truncated)
}

fn binary<'a>((rest, length): (&'a [u8], u64)) -> Result<Item<'a>, Wrong<'a>> {
    text::split(rest, length).map(|(_, rest)| Item::Leaf(rest)).map_err(|_| Wrong::Truncated)
}

fn string<'a>((rest, length): (&'a [u8], u64)) -> Result<Item<'a>, Wrong<'a>> {
    text::skip(rest, length).map(Item::Leaf).map_err(|error| Wrong::Text(error, rest))
}

fn list((rest, length): (&[u8], u64)) -> Item<'_> {
    Item::Open(rest, length.min(MOST))
}

fn dict((rest, length): (&[u8], u64)) -> Item<'_> {
    Item::Open(rest, 2 * length.min(MOST / 2))
}

fn tag(rest: &[u8]) -> Result<Item<'_>, Wrong<'_>> {
    if rest.first() == Some(&BREAK) {
        return Err(Wrong::Malformed(rest, "a break behind a tag"));
    }
    Ok(Item::Tag(rest))
}

fn simple<'a>(start: &'a [u8], rest: &'a [u8]) -> Result<Item<'a>, Wrong<'a>> {
    match rest.split_first() {
        Some((32.., rest)) => Ok(Item::Leaf(rest)),
        Some(_) => Err(Wrong::Malformed(start, "a simple value below 32 in two bytes")),
        None => Err(Wrong::Truncated),
    }
}

/// Skips the chunks of a string of indefinite length: each is a string of the same type and a definite length.
fn chunks(mut rest: &[u8], major: u8) -> Result<Item<'_>, Wrong<'_>> {
    loop {
        let (&initial, behind) = rest.split_first().ok_or(Wrong::Truncated)?;
        if initial == BREAK {
            return Ok(Item::Leaf(behind));
        }
        if initial & 0xe0 != major {
            return Err(Wrong::Malformed(rest, "a chunk of another type"));
        }
        let (text, length) = head::argument(initial, behind).map_err(|wrong| match wrong {
            head::Wrong::Truncated => Wrong::Truncated,
            head::Wrong::Information => Wrong::Malformed(rest, "a chunk without a length"),
        })?;
        rest = if major == head::TEXT {
            text::skip(text, length).map_err(|error| Wrong::Text(error, text))?
        } else {
            text::split(text, length).map_err(|_| Wrong::Truncated)?.1
        };
    }
}
