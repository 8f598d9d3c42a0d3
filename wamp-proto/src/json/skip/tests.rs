//! What is JSON, and where what is not is wrong.

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
    let at = |text: &str, depth| value(text.as_bytes(), 0, depth).map_err(|fault| (fault.offset, fault.kind.clone()));
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
