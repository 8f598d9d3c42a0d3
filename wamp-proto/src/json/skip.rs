//! Finds where JSON values end and checks their syntax (RFC 8259): the hot path of receiving.
//!
//! Each function takes the frame and an offset and returns the offset behind what it has read. Strings and digits are looked at eight bytes
//! at a time, as a `u64`.

use crate::error::{DecodeErrorKind, Fault};

/// A byte that occurs in each of the eight places of a word.
const fn spread(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The high bit of each byte.
const HIGH: u64 = spread(0x80);

/// Marks, by its high bit, the first byte that is a quote, a backslash or a control character; what is marked behind it may be anything.
const fn special(word: u64) -> u64 {
    // Flipping bit 1 turns a quote (0x22) into 0x20 and leaves the control characters below that.
    let flipped = word ^ spread(0x02);
    let quote_or_control = flipped.wrapping_sub(spread(0x21)) & !flipped;
    let without_backslash = word ^ spread(b'\\');
    let backslash = without_backslash.wrapping_sub(spread(0x01)) & !without_backslash;
    (quote_or_control | backslash) & HIGH
}

/// Marks, by its high bit, each byte that is no digit.
const fn no_digit(word: u64) -> u64 {
    let value = word ^ spread(b'0');
    (((value & !HIGH) + spread(0x76)) | value) & HIGH
}

/// How many bytes precede the first marked one; 8 if none is marked.
const fn unmarked(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

#[cold]
pub(super) fn malformed(at: usize, what: &'static str) -> Fault {
    Fault::new(at, DecodeErrorKind::Malformed(what))
}

/// The fault of a byte that must not stand there, or of a frame that ends there.
#[cold]
pub(super) fn unexpected(bytes: &[u8], at: usize, what: &'static str) -> Fault {
    if at < bytes.len() { malformed(at, what) } else { Fault::new(bytes.len(), DecodeErrorKind::Truncated) }
}

/// Skips space, tab, line feed and carriage return.
#[inline(always)]
pub(super) fn whitespace(bytes: &[u8], at: usize) -> usize {
    // Compact frames have none.
    if bytes.get(at).is_some_and(|byte| *byte > b' ') { at } else { some_whitespace(bytes, at) }
}

#[inline(never)]
fn some_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Skips one value in which at most `depth` lists and dicts nest.
#[inline(never)]
pub(super) fn value(bytes: &[u8], mut at: usize, depth: u8) -> Result<usize, Fault> {
    // A bit for each open list (0) or dict (1), the innermost in bit 0. The deepest nesting of any format is 128.
    let mut open: u128 = 0;
    let mut level: u8 = 0;
    'value: loop {
        match bytes.get(at) {
            Some(b'"') => at = string(bytes, at + 1)?,
            Some(b'{') => {
                if level == depth {
                    return Err(Fault::new(at, DecodeErrorKind::TooDeep));
                }
                let next = whitespace(bytes, at + 1);
                if bytes.get(next) == Some(&b'}') {
                    at = next + 1;
                } else {
                    level += 1;
                    open = open << 1 | 1;
                    at = key(bytes, next)?;
                    continue 'value;
                }
            }
            Some(b'[') => {
                if level == depth {
                    return Err(Fault::new(at, DecodeErrorKind::TooDeep));
                }
                let next = whitespace(bytes, at + 1);
                if bytes.get(next) == Some(&b']') {
                    at = next + 1;
                } else {
                    level += 1;
                    open <<= 1;
                    at = next;
                    continue 'value;
                }
            }
            Some(b'-' | b'0'..=b'9') => at = number(bytes, at)?,
            Some(b't') => at = literal(bytes, at, *b"true")?,
            Some(b'f') => at = literal(bytes, at + 1, *b"alse")?,
            Some(b'n') => at = literal(bytes, at, *b"null")?,
            Some(b' ' | b'\t' | b'\n' | b'\r') => {
                at = whitespace(bytes, at);
                continue 'value;
            }
            _ => return Err(unexpected(bytes, at, "expected a value")),
        }
        // A value is over: go to the next one, or leave the lists and dicts that end here.
        loop {
            if level == 0 {
                return Ok(at);
            }
            let in_dict = open & 1 == 1;
            match bytes.get(at) {
                Some(b',') => {
                    at = if in_dict { key(bytes, at + 1)? } else { at + 1 };
                    continue 'value;
                }
                Some(b'}') if in_dict => {}
                Some(b']') if !in_dict => {}
                Some(b' ' | b'\t' | b'\n' | b'\r') => {
                    at = whitespace(bytes, at);
                    continue;
                }
                _ if in_dict => return Err(unexpected(bytes, at, "expected `,` or `}`")),
                _ => return Err(unexpected(bytes, at, "expected `,` or `]`")),
            }
            at += 1;
            level -= 1;
            open >>= 1;
        }
    }
}

/// Skips a key and its colon, and the white space around these.
#[inline(always)]
fn key(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    // The usual key: up to 15 plain bytes, and no white space around the colon. The lengths below need no further checks of bounds.
    if let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk::<20>) {
        let [quote, words @ .., _, _, _] = window;
        let length = plain16(words);
        if *quote == b'"'
            && length < 16
            && let Some([b'"', b':', next]) = window.get(length + 1..length + 4)
            && *next > b' '
        {
            return Ok(at + length + 3);
        }
    }
    unusual_key(bytes, at)
}

/// How many of 16 bytes stand for themselves in a string, up to the first that does not. Without branches: lengths are hard to predict.
#[inline(always)]
fn plain16(bytes: &[u8; 16]) -> usize {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
    let first = special(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    let second = special(u64::from_le_bytes([i, j, k, l, m, n, o, p]));
    if first != 0 { unmarked(first) } else { 8 + unmarked(second) }
}

#[inline(never)]
fn unusual_key(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let at = whitespace(bytes, at);
    if bytes.get(at) != Some(&b'"') {
        return Err(unexpected(bytes, at, "expected a string as key"));
    }
    colon(bytes, string(bytes, at + 1)?)
}

/// Skips a colon and the white space around it.
#[inline(always)]
pub(super) fn colon(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let at = whitespace(bytes, at);
    if bytes.get(at) != Some(&b':') {
        return Err(unexpected(bytes, at, "expected `:`"));
    }
    Ok(whitespace(bytes, at + 1))
}

/// Skips the rest of a string whose opening quote is before `at`.
#[inline(always)]
pub(super) fn string(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    if let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk::<17>) {
        let [words @ .., _] = window;
        let length = plain16(words);
        return if window.get(length) == Some(&b'"') { Ok(at + length + 1) } else { long_string(bytes, at + length) };
    }
    long_string(bytes, at)
}

/// [`string`] for those that do not end within 16 bytes, and with escapes.
#[inline(never)]
fn long_string(bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    loop {
        at = plain(bytes, at);
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape(bytes, at)?,
            _ => return Err(unexpected(bytes, at, "a control character in a string")),
        }
    }
}

/// Skips the bytes of a string that stand for themselves.
#[inline(always)]
fn plain(bytes: &[u8], mut at: usize) -> usize {
    const SHORT: usize = 4;
    for _ in 0..SHORT {
        let Some(word) = word(bytes, at) else { return plain_rest(bytes, at) };
        let length = unmarked(special(word));
        at += length;
        if length < 8 {
            return at;
        }
    }
    // The string is long: without a branch per word, the compiler can use wider registers.
    let (blocks, _) = bytes.get(at..).unwrap_or_default().as_chunks::<32>();
    for block in blocks {
        if block.iter().fold(false, |found, byte| found | (*byte < b' ') | (*byte == b'"') | (*byte == b'\\')) {
            break;
        }
        at += 32;
    }
    while let Some(word) = word(bytes, at) {
        let length = unmarked(special(word));
        at += length;
        if length < 8 {
            return at;
        }
    }
    plain_rest(bytes, at)
}

/// [`plain`] for the last seven bytes of a frame.
fn plain_rest(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, 0..=0x1f | b'"' | b'\\')).unwrap_or(rest.len())
}

/// Skips an escape; `at` is its backslash. A surrogate must be the first half of a pair, and the pair is one escape.
fn escape(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(at + 2),
        Some(b'u') => {}
        _ => return Err(unexpected(bytes, at + 1, "no such escape")),
    }
    match hex(bytes, at + 2)? {
        0xd800..=0xdbff => {}
        0xdc00..=0xdfff => return Err(malformed(at, "a lone surrogate")),
        _ => return Ok(at + 6),
    }
    match bytes.get(at + 6..).unwrap_or_default() {
        [] | [b'\\'] => Err(Fault::new(bytes.len(), DecodeErrorKind::Truncated)),
        [b'\\', b'u', ..] if (0xdc00..=0xdfff).contains(&hex(bytes, at + 8)?) => Ok(at + 12),
        _ => Err(malformed(at, "a lone surrogate")),
    }
}

/// The value of four hexadecimal digits.
fn hex(bytes: &[u8], at: usize) -> Result<u16, Fault> {
    let mut value = 0;
    for at in at..at + 4 {
        let digit = bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let Some(digit) = digit.and_then(|digit| u16::try_from(digit).ok()) else {
            return Err(unexpected(bytes, at, "expected a hexadecimal digit"));
        };
        value = value << 4 | digit;
    }
    Ok(value)
}

/// Skips four letters.
#[inline(always)]
pub(super) fn literal(bytes: &[u8], at: usize, letters: [u8; 4]) -> Result<usize, Fault> {
    if bytes.get(at..).and_then(<[u8]>::first_chunk) == Some(&letters) {
        return Ok(at + 4);
    }
    Err(no_literal(bytes, at, letters))
}

#[cold]
fn no_literal(bytes: &[u8], at: usize, letters: [u8; 4]) -> Fault {
    let right = bytes.get(at..).unwrap_or_default().iter().zip(letters).take_while(|(byte, letter)| **byte == *letter);
    unexpected(bytes, at + right.count(), "expected true, false or null")
}

/// Skips a number.
#[inline(always)]
pub(super) fn number(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let first = at + usize::from(bytes.get(at) == Some(&b'-'));
    let end = digits(bytes, first)?;
    if bytes.get(first) == Some(&b'0') && end > first + 1 {
        return Err(malformed(first + 1, "a number with a leading zero"));
    }
    match bytes.get(end) {
        Some(b'.') => {
            let end = digits(bytes, end + 1)?;
            if let Some(b'e' | b'E') = bytes.get(end) { exponent(bytes, end) } else { Ok(end) }
        }
        Some(b'e' | b'E') => exponent(bytes, end),
        _ => Ok(end),
    }
}

/// Skips an exponent; `at` is its letter.
fn exponent(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    digits(bytes, at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-'))))
}

/// Skips one or more digits.
#[inline(always)]
pub(super) fn digits(bytes: &[u8], start: usize) -> Result<usize, Fault> {
    let mut at = start;
    while let Some(word) = word(bytes, at) {
        let length = unmarked(no_digit(word));
        at += length;
        if length < 8 {
            return if at > start { Ok(at) } else { Err(unexpected(bytes, at, "expected a digit")) };
        }
    }
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    if at > start { Ok(at) } else { Err(unexpected(bytes, at, "expected a digit")) }
}

/// Reads an integer of 1 to 16 digits, and neither sign, fraction nor exponent: each id is one.
pub(super) fn integer(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = word(bytes, at)?;
    let length = unmarked(no_digit(first));
    let (value, end) = if length < 8 {
        (digits_value(first, length), at + length)
    } else {
        let second = word(bytes, at + 8)?;
        let length = unmarked(no_digit(second));
        let scale = *[1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000].get(length)?;
        (digits_value(first, 8) * scale + digits_value(second, length), at + 8 + length)
    };
    let is_over = !matches!(bytes.get(end), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
    let leads_with_zero = first as u8 == b'0' && end > at + 1;
    (end > at && is_over && !leads_with_zero).then_some((value, end))
}

/// The value of the first `length` bytes of a word, which are digits.
fn digits_value(word: u64, length: usize) -> u64 {
    // Zeros in front make it eight digits. Neighbours are then added up to pairs, the pairs to fours, these to eight.
    let Some(digits) = word.checked_shl(64 - 8 * length as u32) else { return 0 };
    let digits = digits & spread(0x0f);
    let pairs = (digits.wrapping_mul(10 * 0x100 + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 * 0x1_0000 + 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 * 0x1_0000_0000 + 1) >> 32
}

#[cfg(test)]
mod tests;
