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
mod tests {
    use super::*;

    fn skipped(text: &[u8]) -> Result<usize, (usize, DecodeErrorKind)> {
        value(text, 0, 128).map_err(|fault| (fault.offset, fault.kind.clone()))
    }

    /// Each way that bytes can lie in memory: the skipper looks at eight bytes at a time, and at less near the end.
    fn paddings() -> impl Iterator<Item = (String, &'static str)> {
        (0..18).flat_map(|before| {
            ["", " ", ",        ", "]                              "].map(|after| (" ".repeat(before), after))
        })
    }

    #[test]
    fn ser_10_every_valid_value_is_skipped_to_its_end() {
        let valid: &[&str] = &[
            "null",
            "true",
            "false",
            "0",
            "-0",
            "7",
            "-7",
            "10",
            "1234567890123456789012345678901234567890",
            "0.5",
            "-0.0",
            "1.25e10",
            "1E5",
            "1e+5",
            "1e-05",
            "0e0",
            "1e999",
            r#""""#,
            r#""a""#,
            r#""1234567""#,
            r#""12345678""#,
            r#""123456789""#,
            r#""a longer text, with \"quotes\" in it""#,
            r#""an even longer text, which fills several words of eight bytes and whole blocks, too: Lorem ipsum dolor sit amet""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u0000\u00e9\uABCD\uabcd""#,
            r#""\ud83d\ude00 \uD83D\uDE00""#,
            "\"\u{7f}\u{80}\u{e9}\u{20ac}\u{1f600}\"",
            "\"!#[]\"",
            "[]",
            "[ ]",
            "{}",
            "{\t\n\r }",
            "[1]",
            "[1,2]",
            "[ 1 , 2 ]",
            "[[],{}]",
            "[[[[]],[]]]",
            r#"{"a":1}"#,
            r#"{ "a" : 1 , "b" : [ ] }"#,
            r#"{"":{"":{}}}"#,
            r#"{"a":1,"a":2}"#,
            r#"[{"a":[{"b":[{}]}]},"x",null]"#,
            r#"[{},[],{"a":{}},[[]]]"#,
        ];
        for text in valid {
            for (before, after) in paddings() {
                let frame = format!("{before}{text}{after}");
                let end = before.len() + text.len();
                assert_eq!(skipped(frame.as_bytes()), Ok(end), "{frame:?}");
            }
        }
    }

    #[test]
    fn ser_10_every_fault_is_found_at_its_byte() {
        use DecodeErrorKind::Malformed;
        let a_value = Malformed("expected a value");
        let a_key = Malformed("expected a string as key");
        let in_list = Malformed("expected `,` or `]`");
        let in_dict = Malformed("expected `,` or `}`");
        let digit = Malformed("expected a digit");
        let zero = Malformed("a number with a leading zero");
        let literal = Malformed("expected true, false or null");
        let escape = Malformed("no such escape");
        let hex = Malformed("expected a hexadecimal digit");
        let control = Malformed("a control character in a string");
        let surrogate = Malformed("a lone surrogate");
        let invalid: &[(&[u8], usize, &DecodeErrorKind)] = &[
            (b"]", 0, &a_value),
            (b"}", 0, &a_value),
            (b",", 0, &a_value),
            (b"+1", 0, &a_value),
            (b".5", 0, &a_value),
            (b"'a'", 0, &a_value),
            (b"NaN", 0, &a_value),
            (b"Infinity", 0, &a_value),
            (b"\x0b1", 0, &a_value),
            (b"\x0c1", 0, &a_value),
            (b"\xa0 1", 0, &a_value),
            (b"\xef\xbb\xbf1", 0, &a_value),
            (b"// c", 0, &a_value),
            (b"-Infinity", 1, &digit),
            (b"-a", 1, &digit),
            (b"--1", 1, &digit),
            (b"01", 1, &zero),
            (b"-01", 2, &zero),
            (b"00", 1, &zero),
            (b"00.5", 1, &zero),
            (b"1.a", 2, &digit),
            (b"1.]", 2, &digit),
            (b"1.e5", 2, &digit),
            (b"1ea", 2, &digit),
            (b"1e+]", 3, &digit),
            (b"1e-+1", 3, &digit),
            (b"trux ", 3, &literal),
            (b"tRue", 1, &literal),
            (b"nul]", 3, &literal),
            (b"falsy", 4, &literal),
            (b"[1 2]", 3, &in_list),
            (b"[1,]", 3, &a_value),
            (b"[,1]", 1, &a_value),
            (b"[1}", 2, &in_list),
            (b"[1:2]", 2, &in_list),
            (b"[0x1]", 2, &in_list),
            (b"[1_000]", 2, &in_list),
            (b"[truex]", 5, &in_list),
            (b"[\"a\"\"b\"]", 4, &in_list),
            (b"{1:2}", 1, &a_key),
            (b"{a:2}", 1, &a_key),
            (b"{null:2}", 1, &a_key),
            (b"{,}", 1, &a_key),
            (b"{\"a\":1,}", 7, &a_key),
            (b"{\"a\"}", 4, &Malformed("expected `:`")),
            (b"{\"a\" 1}", 5, &Malformed("expected `:`")),
            (b"{\"a\":}", 5, &a_value),
            (b"{\"a\":1]", 6, &in_dict),
            (b"{\"a\":1 \"b\":2}", 7, &in_dict),
            (b"{\"a\":[1}", 7, &in_list),
            (b"[{\"a\":1]", 7, &in_dict),
            (b"\"\\x\"", 2, &escape),
            (b"\"\\'\"", 2, &escape),
            (b"\"\\U0041\"", 2, &escape),
            (b"\"\\u12g4\"", 5, &hex),
            (b"\"\\u+123\"", 3, &hex),
            (b"\"\\u12\"", 5, &hex),
            (b"\"\\u\xc3\xa9\"", 3, &hex),
            (b"\"a\nb\"", 2, &control),
            (b"\"a\tb\"", 2, &control),
            (b"\"a\0b\"", 2, &control),
            (b"\"12345678901234567890123456789012345678901234567890123456789\x1f\"", 60, &control),
            (b"\"\\ud800\"", 1, &surrogate),
            (b"\"\\udc00\"", 1, &surrogate),
            (b"\"\\udfff\\ud800\"", 1, &surrogate),
            (b"\"\\ud800\\ud800\"", 1, &surrogate),
            (b"\"\\ud800\\u0041\"", 1, &surrogate),
            (b"\"\\ud800\\n\"", 1, &surrogate),
            (b"\"\\ud800x\"", 1, &surrogate),
            (b"\"abcdefgh\\ud83d\\ude00\\ude00\"", 21, &surrogate),
        ];
        for (text, offset, kind) in invalid {
            for (before, after) in paddings() {
                let frame = [before.as_bytes(), text, after.as_bytes()].concat();
                let expected = Err((before.len() + offset, (*kind).clone()));
                assert_eq!(skipped(&frame), expected, "{:?}", String::from_utf8_lossy(&frame));
            }
        }
    }

    #[test]
    fn ser_10_strings_of_every_length_end_at_the_byte_that_ends_them() {
        for length in 0..200 {
            let plain = "x".repeat(length);
            for (special, expected) in [
                ("\"", Ok(length + 2)),
                ("\\n\"", Ok(length + 4)),
                ("\\q\"", Err((length + 2, DecodeErrorKind::Malformed("no such escape")))),
                ("\u{1f}\"", Err((length + 1, DecodeErrorKind::Malformed("a control character in a string")))),
                ("\0\"", Err((length + 1, DecodeErrorKind::Malformed("a control character in a string")))),
                ("", Err((length + 1, DecodeErrorKind::Truncated))),
            ] {
                let string = format!("\"{plain}{special}");
                assert_eq!(skipped(string.as_bytes()), expected, "{string}");
                if !special.is_empty() {
                    let behind = string.clone() + &" ".repeat(64);
                    assert_eq!(skipped(behind.as_bytes()), expected, "{string}");
                    let key = format!("{{{string}:0}}");
                    let expected = expected.map(|end| end + 4).map_err(|(offset, kind)| (offset + 1, kind));
                    assert_eq!(skipped(key.as_bytes()), expected, "{key}");
                    let key = format!("{{{string} :0}}{}", " ".repeat(64));
                    assert_eq!(skipped(key.as_bytes()), expected.map(|end| end + 1), "{key}");
                }
            }
        }
    }

    #[test]
    fn a_frame_that_ends_too_early_is_truncated_at_its_end() {
        let texts: &[&str] = &[
            r#"{"key":[true,false,null,{"a":-1.5e-10}],"text":"\ud83d\ude00 and more \n\u0041 text that goes on"}"#,
            r#"["a text of many bytes, so that blocks of it are looked at at once, and words behind these, and bytes"]"#,
        ];
        for text in texts {
            assert_eq!(skipped(text.as_bytes()), Ok(text.len()));
            for length in 0..text.len() {
                let expected = Err((length, DecodeErrorKind::Truncated));
                assert_eq!(skipped(&text.as_bytes()[..length]), expected, "{:?}", &text[..length]);
            }
        }
    }

    #[test]
    fn ser_44_depth_is_limited() {
        let nested = |levels: usize, open: &str, close: &str| open.repeat(levels) + "1" + &close.repeat(levels);
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
            let per_repeat = open.matches(['[', '{']).count();
            let text = nested(128 / per_repeat, open, close);
            assert_eq!(skipped(text.as_bytes()), Ok(text.len()));
            let text = nested(128 / per_repeat + 1, open, close);
            let offset = open.len() * (128 / per_repeat);
            assert_eq!(skipped(text.as_bytes()), Err((offset, DecodeErrorKind::TooDeep)), "{open}");
        }
        let at =
            |text: &str, depth| value(text.as_bytes(), 0, depth).map_err(|fault| (fault.offset, fault.kind.clone()));
        assert_eq!(at("1", 0), Ok(1));
        assert_eq!(at("[]", 0), Err((0, DecodeErrorKind::TooDeep)));
        assert_eq!(at("{}", 0), Err((0, DecodeErrorKind::TooDeep)));
        assert_eq!(at("[[],{},[]]", 2), Ok(10));
        assert_eq!(at("[1,[]]", 1), Err((3, DecodeErrorKind::TooDeep)));
        assert_eq!(at(r#"{"a":{}}"#, 1), Err((5, DecodeErrorKind::TooDeep)));
        assert_eq!(at(&"[".repeat(1_000_000), 128), Err((128, DecodeErrorKind::TooDeep)));
    }

    #[test]
    fn integers_of_every_length_are_read() {
        let mut text = String::new();
        for digit in "9123456789012345".chars() {
            text.push(digit);
            for behind in [",        ", "]        ", "         "] {
                let frame = format!("{text}{behind}");
                let expected = (text.parse().unwrap(), text.len());
                assert_eq!(integer(frame.as_bytes(), 0), Some(expected), "{frame}");
            }
        }
        assert_eq!(integer(b"0,         ", 0), Some((0, 1)));
        for other in
            ["", "x", "-1", "01", "00", "1.0", "1e5", "1E5", "12345678.5", "1234567890123456.5", "12345678901234567"]
        {
            assert_eq!(integer(format!("{other}          ").as_bytes(), 0), None, "{other}");
        }
    }

    #[test]
    fn marks_are_right_for_every_byte_in_every_place() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut bytes = [b'5'; 8];
                bytes[place] = byte;
                let is_special = matches!(byte, 0..=0x1f | b'"' | b'\\');
                assert_eq!(unmarked(special(u64::from_le_bytes(bytes))), if is_special { place } else { 8 }, "{byte}");
                let is_digit = byte.is_ascii_digit();
                assert_eq!(unmarked(no_digit(u64::from_le_bytes(bytes))), if is_digit { 8 } else { place }, "{byte}");
            }
        }
    }
}
