//! Text strings of the binary formats: a length, then so many bytes of UTF-8.

use crate::error::{DecodeErrorKind, Fault};

/// Reads a big-endian number of so many bytes, eight at most, and returns it behind what follows.
#[inline(always)]
pub(crate) fn number<const N: usize>(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    let mut wide = [0; 8];
    *wide.last_chunk_mut()? = *number;
    Some((rest, u64::from_be_bytes(wide)))
}

/// Why a string cannot be read.
pub(crate) enum Unreadable {
    Truncated,
    NotUtf8 {
        /// How many of its bytes are valid.
        valid: usize,
    },
}

impl Unreadable {
    /// The fault of a string whose first byte is the first one of `rest`, the end of `bytes`.
    #[cold]
    pub(crate) fn fault(self, bytes: &[u8], rest: &[u8]) -> Fault {
        match self {
            Self::Truncated => Fault::new(bytes.len(), DecodeErrorKind::Truncated),
            Self::NotUtf8 { valid } => Fault::new(bytes.len() - rest.len() + valid, DecodeErrorKind::InvalidUtf8),
        }
    }
}

/// Splits a string of `length` bytes off, unchecked.
#[inline]
pub(crate) fn split(rest: &[u8], length: u64) -> Result<(&[u8], &[u8]), Unreadable> {
    let length = usize::try_from(length).map_err(|_| Unreadable::Truncated)?;
    rest.split_at_checked(length).ok_or(Unreadable::Truncated)
}

/// Reads a string of `length` bytes, and returns it and what follows.
pub(crate) fn read(rest: &[u8], length: u64) -> Result<(&str, &[u8]), Unreadable> {
    let (text, rest) = split(rest, length)?;
    Ok((check(text)?, rest))
}

/// Skips a string of `length` bytes, and returns what follows.
pub(crate) fn skip(rest: &[u8], length: u64) -> Result<&[u8], Unreadable> {
    let (text, rest) = split(rest, length)?;
    if !is_medium_ascii(text) {
        check(text)?;
    }
    Ok(rest)
}

/// The bytes in which a short string lies, whatever its length.
pub(crate) type Block = [u8; BLOCK];

pub(crate) const BLOCK: usize = 32;

/// Whether the first bytes of a block are ASCII; `length` of them, which are fewer than all.
///
/// It takes neither a loop nor a branch that depends on the length.
#[inline(always)]
fn starts_with_ascii(block: &Block, length: u8) -> bool {
    let Some(Mask(mask)) = HIGH_BITS.get(usize::from(length)) else { return false };
    let words = block.as_chunks::<8>().0.iter().zip(mask);
    words.fold(0, |high, (word, mask)| high | u64::from_le_bytes(*word) & mask) == 0
}

/// Whether the first bytes of a block are UTF-8; `length` of them, which are fewer than all.
#[inline(always)]
pub(crate) fn starts_with_text(block: &Block, length: u8) -> bool {
    starts_with_ascii(block, length) || block.get(..usize::from(length)).is_some_and(is_utf8)
}

/// Whether a text is UTF-8.
#[inline(always)]
pub(crate) fn is_text(text: &[u8]) -> bool {
    is_short_ascii(text) || is_utf8(text)
}

/// A call that leaves the loop of a skipper in the processor's registers.
#[cold]
#[inline(never)]
fn is_utf8(text: &[u8]) -> bool {
    is_medium_ascii(text) || str::from_utf8(text).is_ok()
}

/// Whether a text of at most two blocks is ASCII; `false` for a longer one.
///
/// Each length is covered by two words that overlap.
#[inline(always)]
fn is_short_ascii(text: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (text.first_chunk::<BLOCK>(), text.last_chunk::<BLOCK>()) {
        text.len() <= 2 * BLOCK && first.is_ascii() && last.is_ascii()
    } else if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        first.is_ascii() && last.is_ascii()
    } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        first.is_ascii() && last.is_ascii()
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        first.is_ascii() && last.is_ascii()
    } else {
        text.iter().fold(0, |union, byte| union | byte).is_ascii()
    }
}

#[repr(align(32))]
struct Mask([u64; BLOCK / 8]);

/// The highest bits of the first bytes of a block, for each length.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static HIGH_BITS: [Mask; BLOCK] = {
    let mut masks = [const { Mask([0; BLOCK / 8]) }; BLOCK];
    let mut length = 1;
    while length < BLOCK {
        masks[length].0 = masks[length - 1].0;
        masks[length].0[(length - 1) / 8] |= 0x80 << (8 * ((length - 1) % 8));
        length += 1;
    }
    masks
};

/// Whether a string of medium length is ASCII; a guess for others.
#[inline]
fn is_medium_ascii(text: &[u8]) -> bool {
    /// Above it the standard library's check is as fast, and stops at the first byte that is not ASCII.
    const MEDIUM: usize = 256;

    // Of the short ones those come here that are known not to be.
    let Some(last) = text.last_chunk::<BLOCK>() else { return false };
    if text.len() > MEDIUM {
        return false;
    }
    let mut union = *last;
    for block in text.as_chunks::<BLOCK>().0 {
        for (union, byte) in union.iter_mut().zip(block) {
            *union |= byte;
        }
    }
    union.is_ascii()
}

fn check(text: &[u8]) -> Result<&str, Unreadable> {
    str::from_utf8(text).map_err(|error| Unreadable::NotUtf8 { valid: error.valid_up_to() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length around the block sizes, with one byte that is not ASCII at every place, and with room behind the string or not.
    #[test]
    fn each_byte_of_a_string_is_looked_at() {
        for length in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 23, 24, 30, 31, 32, 33, 63, 64, 65, 255, 256, 257, 300] {
            for room in [0, 1, BLOCK] {
                let text = vec![b'a'; length];
                let mut bytes = text.clone();
                bytes.resize(length + room, 0xff);
                assert_eq!(skipped(&bytes, length), Ok(room), "{length} bytes, {room} behind");
                for place in 0..length {
                    let mut bytes = bytes.clone();
                    bytes[place] = 0x80;
                    assert_eq!(skipped(&bytes, length), Err(Some(place)), "{length} bytes, {room} behind");
                }
            }
        }
    }

    #[test]
    fn utf8_is_accepted() {
        for text in ["Grüße", "日本語", "🦀", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa🦀", &"ä".repeat(100), &"ä".repeat(200)]
        {
            assert_eq!(skipped(text.as_bytes(), text.len()), Ok(0));
        }
    }

    #[test]
    fn a_string_ends_with_its_length_and_not_with_a_character() {
        let text = "🦀".as_bytes();
        assert_eq!(skipped(text, 3), Err(Some(0)));
        assert_eq!(skipped(text, 5), Err(None));
    }

    /// How many bytes are left, or how many of the string are valid if it is there at all.
    fn skipped(bytes: &[u8], length: usize) -> Result<usize, Option<usize>> {
        let rest = skip(bytes, length as u64).map(<[u8]>::len).map_err(|error| match error {
            Unreadable::Truncated => None,
            Unreadable::NotUtf8 { valid } => Some(valid),
        });
        if let (Some(block), Some(text)) = (bytes.first_chunk(), bytes.get(..length))
            && length < BLOCK
        {
            assert_eq!(starts_with_ascii(block, u8::try_from(length).unwrap()), text.is_ascii());
        }
        if let Some(text) = bytes.get(..length) {
            assert_eq!(is_short_ascii(text), length <= 2 * BLOCK && text.is_ascii());
        }
        rest
    }
}
