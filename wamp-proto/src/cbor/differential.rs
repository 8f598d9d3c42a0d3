//! The skipper beside a reference that follows RFC 8949, appendix C: recursive, without paths for common values.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::skip;
use crate::codec::differential::Differential;
use crate::error::DecodeErrorKind;

type Fault = (usize, DecodeErrorKind);

struct Reference<'a>(&'a [u8]);

enum Head {
    /// A major type, and an argument of so many bytes.
    Definite(u8, u64),
    Indefinite(u8),
    Break,
}

const fn malformed(at: usize, why: &'static str) -> Fault {
    (at, DecodeErrorKind::Malformed(why))
}

impl Reference<'_> {
    fn truncated(&self) -> Fault {
        (self.0.len(), DecodeErrorKind::Truncated)
    }

    fn byte(&self, at: usize) -> Result<u8, Fault> {
        self.0.get(at).copied().ok_or_else(|| self.truncated())
    }

    fn head(&self, at: usize) -> Result<(usize, Head), Fault> {
        let initial = self.byte(at)?;
        let (major, information) = (initial / 32, initial % 32);
        let argument = at + 1
            ..at + 1
                + match information {
                    24..=27 => 1 << (information - 24),
                    _ => 0,
                };
        let head = match (major, information) {
            (7, 31) => Head::Break,
            (2..=5, 31) => Head::Indefinite(major),
            (_, 0..=23) => Head::Definite(major, information.into()),
            (_, 24..=27) => {
                let bytes = self.0.get(argument.clone()).ok_or_else(|| self.truncated())?;
                Head::Definite(major, bytes.iter().fold(0, |value, byte| value * 256 + u64::from(*byte)))
            }
            _ => return Err(malformed(at, "a reserved initial byte")),
        };
        if let (24, Head::Definite(7, 0..=31)) = (information, &head) {
            return Err(malformed(at, "a simple value below 32 in two bytes"));
        }
        Ok((argument.end, head))
    }

    fn value(&self, at: usize, depth: u8) -> Result<usize, Fault> {
        match self.head(at)? {
            (next, Head::Definite(0 | 1 | 7, _)) => Ok(next),
            (next, Head::Definite(major @ (2 | 3), length)) => self.string(next, major, length),
            (next, Head::Definite(major @ (4 | 5), length)) => {
                let depth = depth.checked_sub(1).ok_or((at, DecodeErrorKind::TooDeep))?;
                let mut next = next;
                for _ in 0..length {
                    for _ in 4..=major {
                        next = self.value(next, depth)?;
                    }
                }
                Ok(next)
            }
            (next, Head::Definite(..)) => {
                if let Ok((_, Head::Break)) = self.head(next) {
                    return Err(malformed(next, "a break behind a tag"));
                }
                self.value(next, depth)
            }
            (mut next, Head::Indefinite(outer @ (2 | 3))) => loop {
                let major = self.byte(next)? / 32;
                if self.0[next] == 0xff {
                    return Ok(next + 1);
                }
                if major != outer {
                    return Err(malformed(next, "a chunk of another type"));
                }
                next = match self.head(next).map_err(|fault| match fault.1 {
                    DecodeErrorKind::Malformed(_) => malformed(next, "a chunk without a length"),
                    kind => (fault.0, kind),
                })? {
                    (text, Head::Definite(_, length)) => self.string(text, major, length)?,
                    _ => return Err(malformed(next, "a chunk without a length")),
                };
            },
            (mut next, Head::Indefinite(major)) => {
                let depth = depth.checked_sub(1).ok_or((at, DecodeErrorKind::TooDeep))?;
                while self.byte(next)? != 0xff {
                    for _ in 4..=major {
                        next = self.value(next, depth)?;
                    }
                }
                Ok(next + 1)
            }
            (_, Head::Break) => Err(malformed(at, "a break where no list or dict may end")),
        }
    }

    fn string(&self, at: usize, major: u8, length: u64) -> Result<usize, Fault> {
        if length > (self.0.len() - at) as u64 {
            return Err(self.truncated());
        }
        let end = at + length as usize;
        match str::from_utf8(&self.0[at..end]) {
            Err(error) if major == 3 => Err((at + error.valid_up_to(), DecodeErrorKind::InvalidUtf8)),
            _ => Ok(end),
        }
    }
}

/// Writes a head in one of the widths that have room for its argument.
fn head(major: u8, argument: u64, width: Index) -> Vec<u8> {
    let widths: Vec<u32> = (0..=3).filter(|width| u128::from(argument) >> (8 << width) == 0).collect();
    if argument < 24 && width.index(3) > 0 {
        return vec![major << 5 | argument as u8];
    }
    let width = widths[width.index(widths.len())];
    [&[major << 5 | (24 + width) as u8][..], &argument.to_be_bytes()[8 - (1 << width)..]].concat()
}

fn string(major: u8, content: &[u8], width: Index) -> Vec<u8> {
    [&head(major, content.len() as u64, width)[..], content].concat()
}

fn chunks(major: u8, chunks: &[Vec<u8>], width: Index) -> Vec<u8> {
    let chunks = chunks.iter().flat_map(|chunk| string(major, chunk, width));
    [major << 5 | 31].into_iter().chain(chunks).chain([0xff]).collect()
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = || prop_oneof!["[a-z]{0,40}", "\\PC{0,12}", "[a-z]{250,300}"].prop_map(String::into_bytes);
    let bytes = || vec(any::<u8>(), 0..40);
    let leaf = prop_oneof![
        4 => (0..2_u8, any::<u64>(), 0..64, any::<Index>()).prop_map(|(major, argument, shift, width)| head(major, argument >> shift, width)),
        2 => (0..24_u8).prop_map(|simple| vec![0xe0 | simple]),
        1 => (32..=255_u8).prop_map(|simple| vec![0xf8, simple]),
        2 => (1..=3_u8, any::<[u8; 8]>()).prop_map(|(width, bytes)| [&[0xf8 + width][..], &bytes[..1 << width]].concat()),
        4 => (text(), any::<Index>()).prop_map(|(text, width)| string(3, &text, width)),
        1 => (bytes(), any::<Index>()).prop_map(|(bytes, width)| string(2, &bytes, width)),
        1 => (vec(text(), 0..4), any::<Index>()).prop_map(|(parts, width)| chunks(3, &parts, width)),
        1 => (vec(bytes(), 0..4), any::<Index>()).prop_map(|(parts, width)| chunks(2, &parts, width)),
    ];
    leaf.prop_recursive(20, 60, 6, |inner| {
        let container = (vec(inner.clone(), 0..6), 4..=5_u8, any::<Index>()).prop_map(|(mut values, major, width)| {
            let each = usize::from(major - 3);
            values.truncate(values.len() / each * each);
            if width.index(3) == 0 {
                return [vec![major << 5 | 31], values.concat(), vec![0xff]].concat();
            }
            [head(major, (values.len() / each) as u64, width), values.concat()].concat()
        });
        let tagged = (any::<u64>(), 0..64, any::<Index>(), inner)
            .prop_map(|(tag, shift, width, value)| [head(6, tag >> shift, width), value].concat());
        prop_oneof![4 => container, 1 => tagged]
    })
}

/// Deep below the first levels that the skipper has room for.
fn deep() -> impl Strategy<Value = Vec<u8>> {
    (vec(0..5_usize, 0..150), value()).prop_map(|(levels, value)| {
        let heads = [&[0x81][..], &[0x9f, 0x05], &[0xa1, 0x61, b'k'], &[0xbf, 0x61, b'k'], &[0xc1, 0x9a, 0, 0, 0, 1]];
        let ends = levels.iter().filter(|level| matches!(level, 1 | 3)).map(|_| 0xff);
        levels.iter().flat_map(|level| heads[*level].to_vec()).chain(value).chain(ends).collect()
    })
}

const DIFFERENTIAL: Differential =
    Differential { skip: skip::value, reference: |bytes, depth| Reference(bytes).value(0, depth) };

#[test]
fn on_any_bytes() {
    DIFFERENTIAL.on_any_bytes();
}

#[test]
fn on_valid_values() {
    DIFFERENTIAL.on_valid_values(value());
}

#[test]
fn on_values_with_a_flaw() {
    DIFFERENTIAL.on_values_with_a_flaw(prop_oneof![value(), deep()]);
}
