//! MessagePack, version 5 or later: the one that tells text from bytes.
//!
//! Integers and lengths are accepted in every width, and written in the shortest. Extensions are well-formed within values and stay in a
//! payload's raw bytes, but no type of WAMP stands for them: decoding one fails, and only that.

mod read;
mod skip;
mod write;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;

use rmp_serde::{decode, encode};
use serde::Serialize;
use serde::de::DeserializeSeed;

pub(crate) use self::read::Reader;
pub(crate) use self::write::Writer;
use crate::error::{DecodeErrorKind, Fault};

/// Appends a value.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), encode::Error> {
    value.serialize(&mut rmp_serde::Serializer::new(out).with_struct_map())
}

/// Decodes one value, with nothing behind it, that has been skipped before.
pub(crate) fn from_slice<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, decode::Error> {
    seed.deserialize(&mut rmp_serde::Deserializer::from_read_ref(bytes))
}

/// The fault of the one byte that starts nothing.
#[cold]
fn no_marker(offset: usize) -> Fault {
    Fault::new(offset, DecodeErrorKind::Malformed("0xc1 starts no value"))
}

#[cfg(test)]
mod back_end_tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use serde::{Deserialize, de::DeserializeOwned};

    use super::*;
    use crate::serial::{self, Root};
    use crate::{EncodeErrorKind, Format, Value};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(u8),
        Line(u8, u8),
        Box { width: u8 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(u8);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Named {
        a: i64,
        b: Option<u64>,
    }

    /// What a user gets, through the adapter of all formats.
    fn decoded<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, String> {
        assert_eq!(skip::value(bytes, 0, 127).expect("the value is well-formed"), bytes.len());
        serial::decode(bytes, Format::MsgPack, Root::Arg(0)).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + core::fmt::Debug>(value: T, bytes: &[u8]) {
        let mut out = vec![0xff];
        serial::write(&value, Format::MsgPack, 8, &mut out).unwrap();
        assert_eq!(out[1..], *bytes, "{value:?}");
        assert_eq!(decoded::<T>(bytes), Ok(value));
    }

    #[test]
    fn types_have_the_form_that_they_have_in_json() {
        round_trip(Named { a: 1, b: None }, b"\x82\xa1a\x01\xa1b\xc0");
        round_trip(
            Named { a: i64::MIN, b: Some(u64::MAX) },
            b"\x82\xa1a\xd3\x80\0\0\0\0\0\0\0\xa1b\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        );
        round_trip(Shape::Point, b"\xa5Point");
        round_trip(Shape::Circle(5), b"\x81\xa6Circle\x05");
        round_trip(Shape::Line(1, 2), b"\x81\xa4Line\x92\x01\x02");
        round_trip(Shape::Box { width: 5 }, b"\x81\xa3Box\x81\xa5width\x05");
        round_trip((), &[0xc0]);
        round_trip(Unit, &[0xc0]);
        round_trip(Wrapped(7), &[0x07]);
        round_trip(None::<u8>, &[0xc0]);
        round_trip(Some(7), &[0x07]);
        round_trip((1, "a".to_owned()), b"\x92\x01\xa1a");
        round_trip(vec![1, 2], &[0x92, 1, 2]);
        round_trip(BTreeMap::from([("a".to_owned(), 1)]), b"\x81\xa1a\x01");
        round_trip(1.5_f32, &[0xca, 0x3f, 0xc0, 0, 0]);
        round_trip(1.5_f64, &[0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
        round_trip('a', b"\xa1a");
        round_trip(Ipv4Addr::LOCALHOST, b"\xa9127.0.0.1");
        round_trip(Value::Bytes(vec![1, 2].into()), &[0xc4, 2, 1, 2]);
    }

    #[test]
    fn text_and_bytes_are_borrowed() {
        assert_eq!(decoded::<&str>(b"\xa2ab"), Ok("ab"));
        assert_eq!(decoded::<&[u8]>(&[0xc4, 2, 1, 2]), Ok(&[1, 2][..]));
        // Most types have no other word for bytes than a list of numbers.
        assert_eq!(decoded(&[0xc4, 2, 1, 2]), Ok(vec![1_u8, 2]));
        assert!(decoded::<String>(&[0x92, 1, 2]).is_err());
    }

    #[test]
    fn numbers_fit_or_are_refused() {
        assert_eq!(decoded(&[0x01]), Ok(1.0_f64));
        assert_eq!(decoded(&[0xd3, 0, 0, 0, 0, 0, 0, 0, 5]), Ok(5_u8));
        assert_eq!(decoded(&[0xcf, 0, 0, 0, 0, 0, 0, 0, 5]), Ok(5_i8));
        assert!(decoded::<u8>(&[0xcd, 1, 0]).is_err());
        assert!(decoded::<u8>(&[0xff]).is_err());
        assert!(decoded::<u8>(&[0xca, 0x3f, 0x80, 0, 0]).is_err());
        for result in [
            serial::write(&u128::MAX, Format::MsgPack, 8, &mut vec![]),
            serial::write(&i128::MIN, Format::MsgPack, 8, &mut vec![]),
        ] {
            let what = "integer of more than 64 bits";
            assert_eq!(result, Err(EncodeErrorKind::Unsupported { format: Format::MsgPack, what }));
        }
    }

    #[test]
    fn more_or_fewer_elements_than_the_type_has_are_refused() {
        assert!(decoded::<(u8, u8)>(&[0x93, 1, 2, 3]).is_err());
        assert!(decoded::<(u8, u8)>(&[0x91, 1]).is_err());
        assert!(decoded::<Shape>(&[0x80]).is_err());
        assert!(decoded::<Shape>(b"\x82\xa6Circle\x05\xa5Point\xc0").is_err());
        assert!(decoded::<Shape>(b"\xa6Circle").is_err());
    }

    #[test]
    fn ser_23_who_does_not_want_an_extension_is_not_bothered_with_it() {
        assert_eq!(decoded(b"\x82\xa1a\x01\xa1x\xd6\xff\0\0\0\0"), Ok(Named { a: 1, b: None }));
        assert!(decoded::<Value>(b"\xd6\xff\0\0\0\0").is_err());
        assert!(decoded::<Vec<u8>>(b"\xd6\xff\0\0\0\0").is_err());
        assert!(decoded::<Wrapped>(b"\xd4\xff\0").is_err());
        assert!(decoded::<Option<u8>>(b"\xd4\xff\0").is_err());
    }
}
