//! Checklist 4.3, CBOR.

use wamp_proto::*;

use super::{bytes_value, event_of, payload_of, result_of, value_of};
use crate::wire::{decoded, hex, received};

#[test]
fn ser_30_cbor_tells_text_from_binary() {
    let frame = result_of((bytes_value(&[1, 2]), "ab"), Format::Cbor);
    assert_eq!(frame, hex("84 18 32 01 a0 82 42 0102 62 6162"));
    assert_eq!(value_of(&hex("42 01 02"), Format::Cbor), bytes_value(&[1, 2]));
    assert_eq!(value_of(&hex("62 61 62"), Format::Cbor), Value::from("ab"));
}

#[test]
fn ser_31_cbor_may_use_any_width_and_indefinite_lengths() {
    let expected = decoded(r#"[16,1,{"acknowledge":true},"com.myapp",["ab","\u0000AQI=",[]],{"k":{}}]"#, Format::Json);
    let indefinite = "9f 1810 1b0000000000000001 bf 7f 6461636b6e 677f ff";
    assert!(received(&hex(indefinite), Format::Cbor).is_err());
    for frame in [
        "9f 1b0000000000000010 1b0000000000000001 bf 7f 6161 6a636b6e6f776c65646765 ff f5 ff 7f 64636f6d2e 60 656d79617070 ff \
         9f 7f 6161 6162 ff 5f 4101 40 4102 ff 9fff ff bf 616b bfff ff ff",
        "9b0000000000000006 1810 1900 01 ba00000001 780b61636b6e6f776c65646765 f5 7900 09636f6d2e6d79617070 \
         9a00000003 7a000000026162 5b00000000000000020102 9800 b9 0001 7801 6b b800",
    ] {
        assert_eq!(received(&hex(frame), Format::Cbor).unwrap(), expected, "{frame}");
    }
}

#[test]
fn ser_31_cbor_chunks_are_of_their_own_type_and_definite() {
    for argument in [
        "7f 41 61 ff",
        "5f 61 61 ff",
        "7f 7f 6161 ff ff",
        "5f 5f 4161 ff ff",
        "7f 01 ff",
        "7f c0 6161 ff",
        "7f 61 c3 61 a4 ff",
        "5f 4161",
        "9f",
        "bf 6161 ff",
        "ff",
        "1f",
        "3f",
        "df00",
        "1c",
        "5d",
        "fe",
    ] {
        assert!(event_of(&hex(argument), Format::Cbor).is_err(), "{argument}");
    }
}

#[test]
fn ser_31_cbor_tags_of_a_payload_are_no_error_of_the_message() {
    for tagged in [
        "c0 74 323031332d30332d32315432303a30343a30305a",
        "c1 1a 514b67b0",
        "d7 44 01020304",
        "d818 45 6449455446",
        "d9d9f7 83 010203",
        "db ffffffffffffffff 00",
        "c6 c7 c8 00",
    ] {
        let payload = payload_of(&hex(tagged), Format::Cbor);
        let _: Result<Value, PayloadError> = payload.arg(0);
        assert_eq!(payload.transcode(Format::Cbor).unwrap().raw_args().unwrap(), payload.raw_args().unwrap());
    }
}

#[test]
fn ser_32_cbor_floats_of_each_width_null_and_undefined() {
    for (argument, expected) in [
        ("f93c00", Value::from(1.0)),
        ("fa3f800000", Value::from(1.0)),
        ("fb3ff0000000000000", Value::from(1.0)),
        ("f98000", Value::from(-0.0)),
        ("f97bff", Value::from(65504.0)),
        ("f90001", Value::from(5.960_464_477_539_063e-8)),
        ("f903ff", Value::from(6.097_555_160_522_461e-5)),
        ("f90400", Value::from(6.103_515_625e-5)),
        ("f97c00", Value::from(f64::INFINITY)),
        ("f9fc00", Value::from(f64::NEG_INFINITY)),
        ("f6", Value::Null),
        ("f7", Value::Null),
        ("f4", Value::from(false)),
        ("f5", Value::from(true)),
    ] {
        assert_eq!(value_of(&hex(argument), Format::Cbor), expected, "{argument}");
    }
    for nan in ["f97e00", "fa7fc00000", "fb7ff8000000000000"] {
        assert!(value_of(&hex(nan), Format::Cbor).as_f64().is_some_and(f64::is_nan), "{nan}");
    }
}

#[test]
fn ser_32_cbor_simple_values_do_no_harm() {
    for simple in ["e0", "f0", "f3", "f820", "f8ff"] {
        let payload = payload_of(&hex(simple), Format::Cbor);
        assert!(matches!(payload.arg::<Value>(0), Err(PayloadError::Mismatch { .. })), "{simple}");
        assert!(payload.transcode(Format::MsgPack).is_err(), "{simple}");
    }
    // Simple values below 32 have one byte only.
    for simple in ["f800", "f814", "f81f"] {
        assert!(event_of(&hex(simple), Format::Cbor).is_err(), "{simple}");
    }
}

#[test]
fn ser_33_cbor_decimals_and_bignums_do_no_harm() {
    for number in [
        "c4 82 21 19 6ab3",
        "c2 49 010000000000000000",
        "c3 49 010000000000000000",
        "c2 41 05",
        "c5 82 20 03",
        "c4 82 c2 49 010000000000000000 00",
    ] {
        let payload = payload_of(&hex(number), Format::Cbor);
        let value: Result<Value, PayloadError> = payload.arg(0);
        let text = payload.transcode(Format::Json);
        assert_eq!(value.is_ok(), text.is_ok(), "{number}: {value:?}, {text:?}");
    }
}
