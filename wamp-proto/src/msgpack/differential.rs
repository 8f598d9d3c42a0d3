//! The skipper beside a reference that follows the specification step by step: recursive, without paths for common values.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::skip;
use crate::codec::differential::{Differential, Outcome};
use crate::error::DecodeErrorKind;

struct Reference<'a>(&'a [u8]);

impl Reference<'_> {
    fn value(&self, at: usize, depth: u8) -> Outcome {
        let Some(marker) = self.0.get(at) else { return Err((self.0.len(), DecodeErrorKind::Truncated)) };
        match marker {
            0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => Ok(at + 1),
            0x80..=0x8f => self.values(at, at + 1, 2 * u64::from(marker - 0x80), depth),
            0x90..=0x9f => self.values(at, at + 1, u64::from(marker - 0x90), depth),
            0xa0..=0xbf => self.text(at + 1, usize::from(marker - 0xa0)),
            0xc1 => Err((at, DecodeErrorKind::Malformed("0xc1 starts no value"))),
            0xc4..=0xc6 => self.length(at + 1, 1 << (marker - 0xc4)).and_then(|(at, length)| self.data(at, length)),
            0xc7..=0xc9 => self.length(at + 1, 1 << (marker - 0xc7)).and_then(|(at, length)| self.data(at, 1 + length)),
            0xca => self.data(at + 1, 4),
            0xcb => self.data(at + 1, 8),
            0xcc..=0xcf => self.data(at + 1, 1 << (marker - 0xcc)),
            0xd0..=0xd3 => self.data(at + 1, 1 << (marker - 0xd0)),
            0xd4..=0xd8 => self.data(at + 1, 1 + (1 << (marker - 0xd4))),
            0xd9..=0xdb => self.length(at + 1, 1 << (marker - 0xd9)).and_then(|(at, length)| self.text(at, length)),
            0xdc | 0xdd => {
                let (next, length) = self.length(at + 1, 2 << (marker - 0xdc))?;
                self.values(at, next, length as u64, depth)
            }
            0xde | 0xdf => {
                let (next, length) = self.length(at + 1, 2 << (marker - 0xde))?;
                self.values(at, next, 2 * length as u64, depth)
            }
        }
    }

    fn values(&self, head: usize, mut at: usize, count: u64, depth: u8) -> Outcome {
        let depth = depth.checked_sub(1).ok_or((head, DecodeErrorKind::TooDeep))?;
        for _ in 0..count {
            at = self.value(at, depth)?;
        }
        Ok(at)
    }

    fn length(&self, at: usize, width: usize) -> Result<(usize, usize), (usize, DecodeErrorKind)> {
        let end = self.data(at, width)?;
        Ok((end, self.0[at..end].iter().fold(0, |length, byte| length * 256 + usize::from(*byte))))
    }

    fn data(&self, at: usize, length: usize) -> Outcome {
        if length <= self.0.len() - at { Ok(at + length) } else { Err((self.0.len(), DecodeErrorKind::Truncated)) }
    }

    fn text(&self, at: usize, length: usize) -> Outcome {
        let end = self.data(at, length)?;
        match str::from_utf8(&self.0[at..end]) {
            Ok(_) => Ok(end),
            Err(error) => Err((at + error.valid_up_to(), DecodeErrorKind::InvalidUtf8)),
        }
    }
}

/// Writes a length after its marker, in one of the widths that have room for it.
fn length(narrowest: u8, markers: u8, length: usize, width: Index) -> Vec<u8> {
    let widths: Vec<u32> = (u32::from(narrowest)..3).filter(|width| length >> (8 << width) == 0).collect();
    let width = widths[width.index(widths.len())];
    let marker = markers + u8::try_from(width).unwrap() - narrowest;
    [&[marker][..], &(length as u32).to_be_bytes()[4 - (1 << width)..]].concat()
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof!["[a-z]{0,40}", "\\PC{0,12}", "[a-z]{250,300}"];
    let leaf = prop_oneof![
        4 => any::<u8>().prop_filter("no head", |byte| matches!(byte, 0..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..)).prop_map(|byte| vec![byte]),
        2 => (0xca..=0xd3_u8, any::<[u8; 8]>()).prop_map(|(marker, bytes)| {
            let width = match marker { 0xca => 4, 0xcb => 8, _ => 1 << (marker & 3) };
            [&[marker][..], &bytes[..width]].concat()
        }),
        4 => (text, any::<Index>()).prop_map(|(text, width)| match text.len() {
            length @ 0..=31 if width.index(4) > 0 => [&[0xa0 | length as u8], text.as_bytes()].concat(),
            _ => [&length(0, 0xd9, text.len(), width)[..], text.as_bytes()].concat(),
        }),
        1 => (vec(any::<u8>(), 0..40), any::<Index>()).prop_map(|(bytes, width)| [length(0, 0xc4, bytes.len(), width), bytes].concat()),
        1 => (vec(any::<u8>(), 0..40), any::<Index>(), any::<u8>())
            .prop_map(|(bytes, width, kind)| [length(0, 0xc7, bytes.len(), width), vec![kind], bytes].concat()),
        1 => (0..5_u8, any::<[u8; 17]>()).prop_map(|(size, bytes)| [&[0xd4 + size][..], &bytes[..=1 << size]].concat()),
    ];
    leaf.prop_recursive(20, 60, 6, |inner| {
        (vec(inner, 0..6), any::<bool>(), any::<Index>()).prop_map(|(mut values, dict, width)| {
            let (each, fixed, long) = if dict { (2, 0x80, 0xde) } else { (1, 0x90, 0xdc) };
            values.truncate(values.len() / each * each);
            let count = values.len() / each;
            let head = if width.index(4) > 0 { vec![fixed | count as u8] } else { length(1, long, count, width) };
            [head, values.concat()].concat()
        })
    })
}

/// Deep below the first levels that the skipper has room for.
fn deep() -> impl Strategy<Value = Vec<u8>> {
    (vec(0..4_usize, 0..150), value()).prop_map(|(levels, value)| {
        let heads = [&[0x91][..], &[0x92, 0x05], &[0x81, 0xa1, b'k'], &[0xdd, 0, 0, 0, 1]];
        [levels.iter().flat_map(|level| heads[*level]).copied().collect(), value].concat()
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
