//! The heads of data items: a major type and its argument.

use crate::codec::buffer::Sink;
pub(super) use crate::codec::text::number;

pub(super) const UNSIGNED: u8 = 0x00;
pub(super) const NEGATIVE: u8 = 0x20;
pub(super) const BYTES: u8 = 0x40;
pub(super) const TEXT: u8 = 0x60;
pub(super) const LIST: u8 = 0x80;
pub(super) const DICT: u8 = 0xa0;
pub(super) const TAG: u8 = 0xc0;

/// Ends what has an indefinite length.
pub(super) const BREAK: u8 = 0xff;

/// Why a head cannot be read.
pub(super) enum Wrong {
    Truncated,
    /// The additional information is reserved, or stands for an indefinite length where none may be.
    Information,
}

/// Reads the argument behind an initial byte, and returns it behind what follows.
#[inline]
pub(super) fn argument(initial: u8, rest: &[u8]) -> Result<(&[u8], u64), Wrong> {
    match initial & 0x1f {
        information @ 0..=23 => Ok((rest, information.into())),
        24 => number::<1>(rest).ok_or(Wrong::Truncated),
        25 => number::<2>(rest).ok_or(Wrong::Truncated),
        26 => number::<4>(rest).ok_or(Wrong::Truncated),
        27 => number::<8>(rest).ok_or(Wrong::Truncated),
        _ => Err(Wrong::Information),
    }
}

/// Appends the shortest head of a major type and an argument.
#[inline]
pub(super) fn write(major: u8, argument: u64, out: &mut impl Sink) {
    match (u8::try_from(argument), u16::try_from(argument), u32::try_from(argument)) {
        (Ok(argument @ 0..=23), ..) => out.push(major | argument),
        (Ok(argument), ..) => out.extend_from_slice(&[major | 24, argument]),
        (_, Ok(argument), _) => write_long(major | 25, argument.to_be_bytes(), out),
        (.., Ok(argument)) => write_long(major | 26, argument.to_be_bytes(), out),
        _ => write_long(major | 27, argument.to_be_bytes(), out),
    }
}

/// Appends an initial byte and an argument of so many bytes.
#[inline]
pub(super) fn write_long<const N: usize>(initial: u8, argument: [u8; N], out: &mut impl Sink) {
    let mut head = [initial; 9];
    if let Some(place) = head.get_mut(1..=N) {
        place.copy_from_slice(&argument);
    }
    out.extend_from_slice(head.get(..=N).unwrap_or_default());
}

/// The value of a half-precision float.
pub(super) fn half(bits: u16) -> f64 {
    const SUBNORMAL: f64 = 1.0 / 16_777_216.0;

    let sign = u64::from(bits >> 15) << 63;
    let exponent = u64::from(bits >> 10 & 0x1f);
    let mantissa = u64::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => (f64::from(bits & 0x3ff) * SUBNORMAL).to_bits(),
        31 => 0x7ff << 52 | mantissa << 42,
        _ => (exponent + 1023 - 15) << 52 | mantissa << 42,
    };
    f64::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn ser_32_half_floats() {
        let values = [
            (0x0000, 0.0),
            (0x8000, -0.0),
            (0x3c00, 1.0),
            (0x3e00, 1.5),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x0400, 0.000_061_035_156_25),
            (0xc400, -4.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ];
        for (bits, value) in values {
            assert_eq!(half(bits).to_bits(), value.to_bits(), "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn the_shortest_head_is_written_and_read() {
        for (argument, head) in [
            (0, &[0x00][..]),
            (23, &[0x17]),
            (24, &[0x18, 24]),
            (255, &[0x18, 255]),
            (256, &[0x19, 1, 0]),
            (65_536, &[0x1a, 0, 1, 0, 0]),
            (1 << 32, &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
            (u64::MAX, &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            let mut out = Vec::new();
            write(UNSIGNED, argument, &mut out);
            assert_eq!(out, head);
            assert!(matches!(super::argument(head[0], &head[1..]), Ok((&[], found)) if found == argument));
        }
    }
}
