//! Frames of a hostile peer: what is malformed, or of one format alone, at each place of a message.

use wamp_proto::*;

use crate::wire::{decoded, frame, hex, received, value};

/// What a place in a message takes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Takes {
    /// Whatever is well-formed.
    Anything,
    /// Keys of any type; in JSON there are no others than strings.
    AnyKey,
    Key,
    Text,
    Number,
    Type,
    Bool,
    List,
    Dict,
    /// The message has no such element.
    Nothing,
}

use Takes::{AnyKey, Anything, Key, Nothing, Number, Text, Type};

/// The messages with `#` at a place, the element in which it is, and what it takes.
const PLACES: &[(&str, u8, Takes)] = &[
    ("[#,1,2,{}]", 0, Type),
    ("[8,#,1,{},\"a.b\"]", 1, Type),
    ("[36,#,2,{}]", 1, Number),
    ("[36,1,#,{},[1]]", 2, Number),
    ("[35,#]", 1, Number),
    ("[36,1,2,#]", 3, Takes::Dict),
    ("[36,1,2,#,[1]]", 3, Takes::Dict),
    ("[48,1,#,\"a.b\"]", 2, Takes::Dict),
    ("[35,1,#]", 2, Takes::Dict),
    ("[36,1,2,{#:1}]", 3, Key),
    (r#"[36,1,2,{"a":1,#:1}]"#, 3, Key),
    (r#"[36,1,2,{"topic":#}]"#, 3, Text),
    (r#"[36,1,2,{"publisher_authid":#}]"#, 3, Text),
    (r#"[36,1,2,{"publisher":#}]"#, 3, Number),
    (r#"[36,1,2,{"trustlevel":#}]"#, 3, Number),
    (r#"[36,1,2,{"retained":#}]"#, 3, Takes::Bool),
    (r#"[36,1,2,{"x":#}]"#, 3, Anything),
    (r#"[36,1,2,{"x":#,"topic":"a.b"},[1]]"#, 3, Anything),
    (r#"[36,1,2,{"x":[{"y":[1,#]}]}]"#, 3, Anything),
    (r#"[36,1,2,{"x":{#:1}}]"#, 3, AnyKey),
    (r#"[16,1,{"exclude":#},"a.b"]"#, 2, Takes::List),
    (r#"[16,1,{"exclude":[1,#]},"a.b"]"#, 2, Number),
    (r#"[16,1,{"exclude_authid":[#]},"a.b"]"#, 2, Text),
    (r#"[2,1,{"roles":#}]"#, 2, Takes::Dict),
    (r#"[2,1,{"roles":{#:{}}}]"#, 2, Key),
    (r#"[2,1,{"roles":{"broker":{"features":{"a":#}}}}]"#, 2, Anything),
    (r#"[2,1,{"authextra":#}]"#, 2, Takes::Dict),
    (r#"[2,1,{"authextra":{#:1}}]"#, 2, Key),
    ("[1,#,{}]", 1, Text),
    ("[4,#,{}]", 1, Text),
    ("[5,#,{}]", 1, Text),
    (r#"[4,"t",{#:1}]"#, 2, Key),
    (r#"[4,"t",{"x":#}]"#, 2, Anything),
    ("[3,{},#]", 2, Text),
    ("[8,48,1,{},#]", 4, Text),
    (r#"[32,1,{"match":#},"a.b"]"#, 2, Text),
    ("[32,1,{},#]", 3, Text),
    ("[48,1,{},#]", 3, Text),
    ("[48,1,{},#,[1]]", 3, Text),
    ("[36,1,2,{},#]", 4, Takes::List),
    ("[36,1,2,{},#,{}]", 4, Takes::List),
    ("[36,1,2,{},[#]]", 4, Anything),
    ("[36,1,2,{},[1,#],{}]", 4, Anything),
    (r#"[36,1,2,{},[[{"a":#}],2]]"#, 4, Anything),
    ("[36,1,2,{},[{#:1}]]", 4, AnyKey),
    (r#"[48,1,{},"a.b",[#]]"#, 4, Anything),
    ("[36,1,2,{},[1],#]", 5, Takes::Dict),
    ("[36,1,2,{},[1],{#:1}]", 5, Key),
    (r#"[36,1,2,{},[1],{"k":#}]"#, 5, Anything),
    (r#"[36,1,2,{},[1],{"k":{#:1}}]"#, 5, AnyKey),
    ("[36,1,2,{},[1],{},#]", 6, Nothing),
    ("[17,1,2,#]", 3, Nothing),
];

impl Takes {
    /// Whether a value whose first byte says that it is of a kind is read at such a place, and not refused for its kind.
    fn reads(self, kind: Kind) -> bool {
        match self {
            Anything | AnyKey => true,
            Key | Text => kind == Kind::String,
            Number => matches!(kind, Kind::Integer | Kind::Float),
            Type => kind == Kind::Integer,
            Self::Bool => kind == Kind::Bool,
            Self::List => kind == Kind::List,
            Self::Dict => kind == Kind::Dict,
            Nothing => false,
        }
    }
}

/// The frame of a message with bytes at its place, and where they start.
fn with(message: &str, bytes: &[u8], format: Format) -> (Vec<u8>, usize) {
    const MARK: &str = r#""~ here ~""#;
    let frame = frame(&message.replace('#', MARK), format);
    let mark = value(MARK, format);
    let start = frame.windows(mark.len()).position(|window| window == mark).unwrap();
    ([&frame[..start], bytes, &frame[start + mark.len()..]].concat(), start)
}

/// Checks that a value that is malformed from a byte on is refused at that byte wherever it is read, else at its first byte for its kind, which is
/// `None` if the first byte starts nothing.
#[track_caller]
fn refused_everywhere(format: Format, bytes: &[u8], kind: Option<Kind>, at: usize) {
    for (message, element, takes) in PLACES {
        let (frame, start) = with(message, bytes, format);
        let (is_key, is_json) = (matches!(takes, Key | AnyKey), format == Format::Json);
        let is_read = match kind {
            None => *takes != Nothing && !(is_json && is_key),
            // In JSON every string is a key.
            Some(_) if is_json && is_key => bytes.starts_with(b"\""),
            Some(kind) => takes.reads(kind),
        };
        let error = received(&frame, format).unwrap_err();
        let place = format!("{} ({bytes:02x?}) in {message} in {format}: {error}", String::from_utf8_lossy(bytes));
        assert_eq!(error.offset(), start + if is_read { at } else { 0 }, "{place}");
        assert_eq!(error.element().map(|element| element.index), Some(*element), "{place}");
        let is_of_kind = matches!(
            error.kind(),
            DecodeErrorKind::WrongType { .. }
                | DecodeErrorKind::KeyIsNotAString { .. }
                | DecodeErrorKind::WrongLength(_)
        );
        assert!(is_read || is_of_kind || is_json && is_key, "{place}");

        // What is wrong in an unchecked payload is the same when it is looked at.
        let unchecked = decode(frame.clone().into(), format, &Limits::new(), PayloadCheck::OnDecode);
        let late = match &unchecked {
            Ok(Message::Event(event)) => event.payload.args::<Vec<Value>>().is_err() && event.payload.check().is_err(),
            Ok(Message::Call(call)) => call.payload.args::<Vec<Value>>().is_err() && call.payload.check().is_err(),
            other => *other == Err(error),
        };
        assert!(late, "{place}, and unchecked {unchecked:?}");
    }
}

/// Checks that a well-formed value that no typed place takes is refused there at its first byte, and accepted at the others.
#[track_caller]
fn accepted_as_anything(format: Format, bytes: &[u8]) {
    for (message, element, takes) in PLACES {
        let (frame, start) = with(message, bytes, format);
        let place = format!("{bytes:02x?} in {message} in {format}");
        let is_key_of_json = format == Format::Json && matches!(takes, Key | AnyKey);
        let accepted = if is_key_of_json { bytes.starts_with(b"\"") } else { matches!(takes, Anything | AnyKey) };
        match received(&frame, format) {
            Ok(_) => assert!(accepted, "{place}"),
            Err(error) => {
                assert!(!accepted, "{place}: {error}");
                assert_eq!(error.offset(), start, "{place}: {error}");
                assert_eq!(error.element().map(|element| element.index), Some(*element), "{place}: {error}");
            }
        }
    }
}

#[test]
fn ser_10_malformed_json_is_refused_at_its_byte_wherever_it_stands() {
    for (json, kind, at) in [
        (&b"01"[..], Some(Kind::Integer), 1),
        (b"-01", Some(Kind::Integer), 2),
        (b"-", None, 1),
        (b"+1", None, 0),
        (b".5", None, 0),
        (b"NaN", None, 0),
        (b"Infinity", None, 0),
        (b"-Infinity", None, 1),
        (b"undefined", None, 0),
        (b"'a'", None, 0),
        (b"/**/1", None, 0),
        (b"\xef\xbb\xbf1", None, 0),
        (b"\xff", None, 0),
        (b"1.", Some(Kind::Float), 2),
        (b"1e+", Some(Kind::Float), 3),
        (b"tRue", Some(Kind::Bool), 1),
        (b"falze", Some(Kind::Bool), 3),
        (b"[1,]", Some(Kind::List), 3),
        (b"[1 1]", Some(Kind::List), 3),
        (b"{\"a\":1,}", Some(Kind::Dict), 7),
        (b"{1:1}", Some(Kind::Dict), 1),
        (b"{\"\\ud800\":1}", Some(Kind::Dict), 2),
        (b"\"a\\ud800\"", Some(Kind::String), 2),
        (b"\"\\ud83d\\ud83d\"", Some(Kind::String), 1),
        (b"\"\\udc00\\ud800\"", Some(Kind::String), 1),
        (b"\"\\ud83dx\"", Some(Kind::String), 1),
        (b"\"\\u0000\\udfff\"", Some(Kind::Bytes), 7),
        (b"\"a\\x\"", Some(Kind::String), 3),
        (b"\"a\\u00g0\"", Some(Kind::String), 6),
        (b"\"a\0\"", Some(Kind::String), 2),
        (b"\"a\n\"", Some(Kind::String), 2),
        (b"\"a\xff\"", Some(Kind::String), 2),
        (b"\"a\xed\xa0\x80\"", Some(Kind::String), 2),
        (b"\"\xc0\xaf\"", Some(Kind::String), 1),
    ] {
        refused_everywhere(Format::Json, json, kind, at);
    }
}

#[test]
fn ser_42_malformed_msgpack_is_refused_at_its_byte_wherever_it_stands() {
    for (bytes, kind, at) in [
        ("c1", None, 0),
        ("a2 61 ff", Some(Kind::String), 2),
        ("a3 ed a0 80", Some(Kind::String), 1),
        ("d9 02 61 c3", Some(Kind::String), 3),
        ("da 0001 80", Some(Kind::String), 3),
        ("db 00000002 c0 80", Some(Kind::String), 5),
        ("91 c1", Some(Kind::List), 1),
        ("dc 0001 c1", Some(Kind::List), 3),
        ("81 c1 01", Some(Kind::Dict), 1),
        ("81 a1 ff 01", Some(Kind::Dict), 2),
        ("de 0001 a1 61 c1", Some(Kind::Dict), 5),
        ("df 00000001 a1 61 a1 ff", Some(Kind::Dict), 8),
    ] {
        refused_everywhere(Format::MsgPack, &hex(bytes), kind, at);
    }
}

#[test]
fn ser_42_malformed_cbor_is_refused_at_its_byte_wherever_it_stands() {
    for major in 0..=7_u8 {
        for information in 28..=31 {
            let is_indefinite = information == 31 && (2..=5).contains(&major);
            if !is_indefinite {
                refused_everywhere(Format::Cbor, &[major << 5 | information], None, 0);
            }
        }
    }
    for (bytes, kind, at) in [
        ("f8 00", Some(Kind::Other), 0),
        ("f8 1f", Some(Kind::Other), 0),
        ("c0 ff", Some(Kind::Other), 1),
        ("c0 1c", Some(Kind::Other), 1),
        ("62 61 ff", Some(Kind::String), 2),
        ("78 01 80", Some(Kind::String), 2),
        ("79 0002 61 c3", Some(Kind::String), 4),
        ("7a 00000001 fe", Some(Kind::String), 5),
        ("7b 0000000000000002 c0 80", Some(Kind::String), 9),
        ("7f 41 61 ff", Some(Kind::String), 1),
        ("7f 61 61 7f 61 61 ff ff", Some(Kind::String), 3),
        ("7f 61 61 c0 61 61 ff", Some(Kind::String), 3),
        ("7f 01 ff", Some(Kind::String), 1),
        ("7f 7c ff", Some(Kind::String), 1),
        ("7f 61 c3 61 a4 ff", Some(Kind::String), 2),
        ("5f 61 61 ff", Some(Kind::Bytes), 1),
        ("5f 5f 41 61 ff ff", Some(Kind::Bytes), 1),
        ("81 ff", Some(Kind::List), 1),
        ("9f 01 1c ff", Some(Kind::List), 2),
        ("9f 1c ff", Some(Kind::List), 1),
        ("a1 ff", Some(Kind::Dict), 1),
        ("a1 61 61 ff", Some(Kind::Dict), 3),
        ("bf 61 61 ff", Some(Kind::Dict), 3),
        ("bf 61 ff 01 ff", Some(Kind::Dict), 2),
        ("bf fc 01 ff", Some(Kind::Dict), 1),
    ] {
        refused_everywhere(Format::Cbor, &hex(bytes), kind, at);
    }
}

#[test]
fn msg_010_what_one_format_alone_has_is_refused_wherever_a_type_is_known() {
    // Numbers that no integer and no finite float is, and binary data that is not base64.
    for json in ["1e400", "-1e400", r#""\u0000!""#, r#""\u0000""#] {
        accepted_as_anything(Format::Json, json.as_bytes());
    }
    // Extensions of each form, timestamps among them; floats that are no integers; bytes.
    for bytes in [
        "d4 01 00",
        "d5 01 0000",
        "d6 ff 00000000",
        "d7 ff 0000000000000000",
        "d8 05 00000000000000000000000000000000",
        "c7 0c ff 000000000000000000000000",
        "c8 0001 05 01",
        "c9 00000000 05",
        "ca 7fc00000",
        "cb fff0000000000000",
        "c4 01 61",
    ] {
        accepted_as_anything(Format::MsgPack, &hex(bytes));
    }
    // Simple values; tags of times, of big integers and of CBOR itself, many at once; floats that are no integers; bytes.
    for bytes in [
        "e0",
        "f3",
        "f8 20",
        "f8 ff",
        "c0 61 61",
        "c1 01",
        "c2 41 01",
        "c3 41 01",
        "c2 49 010000000000000000",
        "d9d9f7 80",
        "d9d9f7 a0",
        "db ffffffffffffffff f4",
        "3b ffffffffffffffff",
        "f9 7e00",
        "f9 fc00",
        "fb 7ff0000000000000",
        "41 61",
        "5f 41 61 ff",
    ] {
        accepted_as_anything(Format::Cbor, &hex(bytes));
    }
    accepted_as_anything(Format::Cbor, &[&[0xc1; 10_000][..], &[0x01]].concat());
}

#[test]
fn id_02_floats_that_are_no_id_are_refused() {
    for (format, minus_zero, infinity, nan) in [
        (Format::Json, b"-0.0".to_vec(), b"1e999".to_vec(), None),
        (Format::MsgPack, hex("cb 8000000000000000"), hex("ca 7f800000"), Some(hex("ca 7fc00000"))),
        (Format::Cbor, hex("f9 8000"), hex("f9 7c00"), Some(hex("f9 7e00"))),
    ] {
        for message in ["[33,#,1]", "[33,1,#]", r#"[16,1,{"exclude":[#]},"a.b"]"#] {
            let kind = |bytes: &[u8]| received(&with(message, bytes, format).0, format).unwrap_err().kind().clone();
            let float = DecodeErrorKind::WrongType { expected: "an integer", found: Kind::Float };
            assert_eq!(kind(&minus_zero), DecodeErrorKind::InvalidId(InvalidId(0)), "{message} in {format}");
            assert_eq!(kind(&infinity), float, "{message} in {format}");
            assert!(nan.as_deref().is_none_or(|nan| kind(nan) == float), "{message} in {format}");
        }
    }
}

#[test]
fn ser_42_a_byte_order_mark_starts_no_message() {
    for (format, found) in [(Format::MsgPack, Kind::Integer), (Format::Cbor, Kind::Other)] {
        let error = received(&[b"\xef\xbb\xbf", &*frame("[33,1,2]", format)].concat(), format).unwrap_err();
        assert_eq!((error.offset(), error.kind()), (0, &DecodeErrorKind::NotAList { found }));
    }
    for json in ["\u{feff}[33,1,2]", "[33,1,2]\u{feff}", "[\u{feff}33,1,2]", "[33,\u{feff}1,2]"] {
        let error = received(json.as_bytes(), Format::Json).unwrap_err();
        assert_eq!(Some(error.offset()), json.find('\u{feff}'), "{json}: {error}");
    }
}

#[test]
fn ser_21_msgpack_may_use_any_width_for_strings_lists_and_dicts() {
    let expected = decoded(r#"[16,1,{"acknowledge":true,"exclude":[7]},"com.myapp",["ab",[]],{"k":{}}]"#, Format::Json);
    for (string, list, dict) in
        [("d9", "dc 00", "de 00"), ("da 00", "dd 000000", "df 000000"), ("db 000000", "dc 00", "df 000000")]
    {
        let bytes = hex(&format!(
            "{list}06 10 01 {dict}02 {string}0b 61636b6e6f776c65646765 c3 {string}07 6578636c756465 {list}01 07 \
             {string}09 636f6d2e6d79617070 {list}02 {string}02 6162 {list}00 {dict}01 {string}01 6b {dict}00"
        ));
        assert_eq!(received(&bytes, Format::MsgPack).as_ref(), Ok(&expected), "{string}");
    }
}

#[test]
fn msg_003_the_last_of_two_known_keys_counts_whatever_their_form() {
    let last = decoded(r#"[16,1,{"acknowledge":false,"exclude":[2]},"a.b"]"#, Format::Json);
    for (format, bytes) in [
        (
            Format::Json,
            br#"[16,1,{"acknowledge":true,"exclude":[1,3],"\u0061cknowledge":false,"exclud\u0065":[2]},"a.b"]"#
                .to_vec(),
        ),
        (
            Format::MsgPack,
            hex("94 10 01 84 ab 61636b6e6f776c65646765 c3 a7 6578636c756465 92 01 03 \
                 db 0000000b 61636b6e6f776c65646765 c2 d9 07 6578636c756465 91 02 a3 61 2e 62"),
        ),
        (
            Format::Cbor,
            hex("84 10 01 bf 6b 61636b6e6f776c65646765 f5 67 6578636c756465 82 01 03 \
                 7f 64 61636b6e 67 6f776c65646765 ff f4 78 07 6578636c756465 9f 02 ff ff 63 61 2e 62"),
        ),
    ] {
        assert_eq!(received(&bytes, format).as_ref(), Ok(&last), "{format}");
    }
    // Nothing hides behind a later one: each value is of the attribute's type.
    for format in Format::ALL {
        let error =
            received(&frame(r#"[16,1,{"acknowledge":1,"acknowledge":true},"a.b"]"#, *format), *format).unwrap_err();
        assert_eq!(error.key(), Some("acknowledge"), "{format}");
    }
}

/// What an error says is sent back in ABORT and ERROR, and logged: it is not for the peer to say how long it is.
#[test]
fn err_texts_of_long_strings_are_short_and_say_what_is_wrong() {
    const LONG: usize = 100_000;
    let (control, quote) = ("\u{1}".repeat(LONG), "ä\"".repeat(LONG / 2));
    for format in Format::ALL {
        for text in [&control, &quote] {
            let uri = format!("no uri {text} at all");
            let payload = |value: Value| (value,).into_payload(*format).unwrap();
            let hello = Hello { realm: Uri::new("~").unwrap(), details: HelloDetails::default() }.into();
            let (uri_bytes, mark) = (payload(uri.clone().into()), payload("~".into()));
            let element = |payload: &Payload| payload.raw_args().unwrap().unwrap();
            let (uri_bytes, mark) = (element(&uri_bytes), element(&mark));
            let (cut, end) = (1, uri_bytes.len() - usize::from(*format == Format::Json));
            let mark = &mark[cut..mark.len() - usize::from(*format == Format::Json)];
            let frame = crate::wire::encoded(&hello, *format);
            let start = frame.windows(mark.len()).position(|window| window == mark).unwrap();
            let frame = [&frame[..start], &uri_bytes[cut..end], &frame[start + mark.len()..]].concat();
            let error = received(&frame, *format).unwrap_err();
            let DecodeErrorKind::InvalidUri(invalid) = error.kind() else { panic!("{error}") };
            assert_eq!(invalid.uri(), uri);
            let said = error.to_string();
            assert!(said.len() < 4_000, "{} bytes in {format}", said.len());
            assert!(said.contains("element 1 (HELLO.Realm): \"no uri "), "{said}");
            assert!(said.contains(" at all\" is not a loose URI: no white space"), "{said}");

            let mismatch = |error: PayloadError, starts: &str, ends: &str| {
                let said = error.to_string();
                assert!(said.len() < 4_000, "{} bytes in {format}", said.len());
                assert!(said.starts_with(starts) && said.ends_with(ends), "{said} in {format}");
            };
            mismatch(
                payload(uri.into()).arg::<Vec<u64>>(0).unwrap_err(),
                "args[0]: invalid type: string \"no uri ",
                "expected a sequence",
            );
            let key = Kwargs(Dict::from_iter([(text.as_str(), "a")])).into_payload(*format).unwrap();
            let error = key.kwargs::<std::collections::BTreeMap<String, Vec<u64>>>().unwrap_err();
            mismatch(error, "kwargs[\"", "]: invalid type: string \"a\", expected a sequence");
        }
    }
}
