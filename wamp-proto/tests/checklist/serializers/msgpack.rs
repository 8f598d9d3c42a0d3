//! Checklist 4.2, MessagePack.

use wamp_proto::*;

use super::{bytes_value, payload_of, result_of, value_of};
use crate::wire::{decoded, hex, received};

#[test]
fn ser_20_msgpack_tells_text_from_binary() {
    let long = "x".repeat(200);
    let frame = result_of((bytes_value(&[1, 2]), "ab", long.as_str()), Format::MsgPack);
    assert_eq!(frame[..14], hex("94 32 01 80 93 c402 0102 a2 6162 d9c8"));
    assert_eq!(value_of(&hex("c4 02 01 02"), Format::MsgPack), bytes_value(&[1, 2]));
    assert_eq!(value_of(&hex("a2 61 62"), Format::MsgPack), Value::from("ab"));
    assert!(payload_of(&hex("a2 61 62"), Format::MsgPack).arg::<&str>(0).is_ok());
}

#[test]
fn ser_21_msgpack_integers_of_each_width_are_equal() {
    let expected = decoded("[50,1,{},[1]]", Format::Json);
    for one in [
        "01",
        "cc01",
        "cd0001",
        "ce00000001",
        "cf0000000000000001",
        "d001",
        "d10001",
        "d200000001",
        "d30000000000000001",
    ] {
        let message = received(&hex(&format!("94 32 {one} 80 91 {one}")), Format::MsgPack).unwrap();
        assert_eq!(message, expected, "{one}");
        let message = received(&hex(&format!("93 {one} a1 72 81 a1 61 {one}")), Format::MsgPack).unwrap();
        assert_eq!(message, decoded(r#"[1,"r",{"a":1}]"#, Format::Json), "{one}");
    }
    for minus_one in ["ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff"] {
        assert_eq!(value_of(&hex(minus_one), Format::MsgPack), Value::from(-1));
    }
}

#[test]
fn ser_23_extension_types_of_a_payload_are_no_error_of_the_message() {
    for extension in [
        "d4 01 00",
        "d5 01 0000",
        "d6 ff 00000000",
        "d7 ff 0000000000000000",
        "d8 05 00000000000000000000000000000000",
        "c7 00 05",
        "c7 03 05 010203",
        "c8 0001 05 01",
        "c9 00000001 05 01",
    ] {
        let mut argument = hex("92");
        argument.extend(hex(extension));
        argument.push(7);
        let payload = payload_of(&argument, Format::MsgPack);
        assert!(matches!(payload.arg::<Value>(0), Err(PayloadError::Mismatch { .. })), "{extension}");
        assert!(payload.transcode(Format::Json).is_err(), "{extension}");
        assert_eq!(payload.transcode(Format::MsgPack).unwrap().raw_args().unwrap(), payload.raw_args().unwrap());
    }
}
