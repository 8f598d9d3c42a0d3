//! The example `inspect`, line for line.

#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

#[path = "../examples/inspect.rs"]
#[allow(dead_code, reason = "the example's main runs in the example only")]
mod inspect;

use inspect::{inspect, options};
use wamp_proto::Format;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the tool prints, and whether all was well.
fn run(arguments: &[&str], input: &str) -> (String, bool) {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let (from, to) = options(&arguments).unwrap();
    let mut output = Vec::new();
    let well = inspect(from, to, input.as_bytes(), &mut output).unwrap();
    (String::from_utf8(output).unwrap(), well)
}

#[test]
fn json_frames_are_shown_as_compact_json() {
    let frame = "[ 36 , 1,2 ,\t{ \"x_y\" : [ 1.0 , \" a \\\" b \" ] } ,\n[ 1e2, 18446744073709551615 , \"\\\\\" , \" \" ] , { \"k\" : \"\\u0000AQI=\" } ]\r\n";
    let (output, well) = run(&[], &hex(frame));
    assert_eq!(
        output,
        concat!(r#"[36,1,2,{"x_y":[1.0," a \" b "]},[1e2,18446744073709551615,"\\"," "],{"k":"\u0000AQI="}]"#, "\n")
    );
    assert!(well);
}

#[test]
fn numbers_keep_every_digit() {
    let frame = r#"[50,1,{},[0.1000000000000000055511151231257827, 123456789012345678901234567890, -0, 1E400]]"#;
    let expected = "[50,1,{},[0.1000000000000000055511151231257827,123456789012345678901234567890,-0,1E400]]\n";
    assert_eq!(run(&["--to", "json"], &hex(frame)).0, hex(&expected[..expected.len() - 1]) + "\n");
    assert_eq!(run(&[], &hex(frame)), (expected.to_owned(), true));
}

#[test]
fn msgpack_and_cbor_frames_are_shown_as_json() {
    let json = "[36,1,2,{\"zzz\":null},[\"ä\",\"\\u0000AQI=\",-1,1.5],{\"k\":[]}]\n";
    let msgpack = "96 24 01 02 81a37a7a7ac0 94a2c3a4c4020102ffcb3ff8000000000000 81a16b90".replace(' ', "");
    assert_eq!(run(&["--from", "msgpack"], &msgpack), (json.to_owned(), true));
    let cbor = "9f 1824 01 02 a1637a7a7af7 9f62c3a442010220f93e00ff a1616b80 ff".replace(' ', "");
    assert_eq!(run(&["--from", "cbor"], &cbor), (json.to_owned(), true));
}

#[test]
fn frames_are_re_encoded_as_hex() {
    let json = hex(r#"[36, 1, 2, {}, ["ä", "\u0000AQI=", -1, 1.5]]"#);
    let msgpack = "952401028094a2c3a4c4020102ffcb3ff8000000000000\n";
    assert_eq!(run(&["--to", "msgpack"], &json), (msgpack.to_owned(), true));
    let compact = hex(r#"[36,1,2,{},["ä","\u0000AQI=",-1,1.5]]"#) + "\n";
    assert_eq!(run(&["--from", "msgpack", "--to", "json"], msgpack), (compact.clone(), true));
    let (cbor, well) = run(&["--to", "cbor", "--from", "json"], &json);
    assert!(well);
    assert_eq!(run(&["--from", "cbor", "--to", "json"], &cbor), (compact, true));
}

#[test]
fn a_line_for_each_frame_in_either_case_of_digits() {
    let input = "5B362C7B7D2C22612E62225D\r\n\n  5b33352c375d  \n\n5b33352c385d";
    assert_eq!(run(&[], input), ("[6,{},\"a.b\"]\n[35,7]\n[35,8]\n".to_owned(), true));
    assert_eq!(run(&[], ""), (String::new(), true));
}

#[test]
fn bad_frames_are_error_lines_with_byte_and_element_and_the_tool_goes_on() {
    let frames = [
        r#"[33,1,"x"]"#,
        "[36,1,2,{},[1,]]",
        "[35,7]",
        r#"[48,1,{"timeout":"5"},"a.b"]"#,
        "[99]",
        "{}",
        "[35,7]]",
        "[33,1,2,3]",
    ];
    let (output, well) = run(&[], &frames.map(hex).join("\n"));
    assert!(!well);
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[0], "error: byte 6, element 2 (SUBSCRIBED.Subscription): expected an integer, found a string");
    assert!(lines[1].starts_with("error: byte 14, element 4 (EVENT.Arguments): malformed: "), "{}", lines[1]);
    assert_eq!(lines[2], "[35,7]");
    assert_eq!(lines[3], "error: byte 17, element 2 (CALL.Options.timeout): expected an integer, found a string");
    assert_eq!(lines[4], "error: byte 1, element 0 (MessageType): unknown message type 99");
    assert_eq!(lines[5], "error: byte 0, the whole frame: a message is a list, found a dict");
    assert_eq!(lines[6], "error: byte 6, the whole UNSUBSCRIBED: bytes follow the message");
    assert_eq!(lines[7], "error: byte 8, element 3 (SUBSCRIBED.surplus): the message has too many elements");
    assert_eq!(lines.len(), 8);
}

#[test]
fn bad_hex_is_an_error_line() {
    let (output, well) = run(&[], "5b3\nxy\n5b 5d\n5b33352c375d\n5bä\n");
    assert!(!well);
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[0], "error: byte 1: an odd number of hex digits");
    assert_eq!(lines[1], "error: byte 0: 'x' is no hex digit");
    assert_eq!(lines[2], "error: byte 1: ' ' is no hex digit");
    assert_eq!(lines[3], "[35,7]");
    assert_eq!(lines[4], "error: byte 1: 'Ã' is no hex digit");
}

#[test]
fn what_the_other_format_lacks_is_an_error_line() {
    let nan = "94320180 91cb7ff8000000000000".replace(' ', "");
    let (output, well) = run(&["--from", "msgpack"], &nan);
    assert_eq!((output.as_str(), well), ("error: args[0]: JSON has no number NaN\n", false));
    let (output, well) = run(&["--from", "msgpack", "--to", "cbor"], &nan);
    assert!(well && !output.starts_with("error"), "{output}");
}

#[test]
fn unknown_keys_pass_and_known_keys_of_a_wrong_type_do_not() {
    let (output, well) = run(&[], &hex(r#"[2,1,{"authid":"joe","_b":{"c":[null]},"x_a":1}]"#));
    assert_eq!((output.as_str(), well), ("[2,1,{\"authid\":\"joe\",\"_b\":{\"c\":[null]},\"x_a\":1}]\n", true));
    let (output, well) = run(&[], &hex(r#"[2,1,{"authid":7}]"#));
    let problem = "error: byte 15, element 2 (WELCOME.Details.authid): expected a string, found an integer\n";
    assert_eq!((output.as_str(), well), (problem, false));
}

#[test]
fn options_are_checked() {
    let options = |arguments: &[&str]| options(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(options(&[]), Ok((Format::Json, None)));
    assert_eq!(options(&["--to", "cbor", "--from", "msgpack"]), Ok((Format::MsgPack, Some(Format::Cbor))));
    assert_eq!(options(&["--help"]), Err(String::new()));
    for wrong in [
        &["--from"][..],
        &["--to"],
        &["--from", "xml"],
        &["--to", ""],
        &["--verbose"],
        &["frame"],
        &["--to", "json", "cbor"],
    ] {
        assert!(options(wrong).unwrap_err().starts_with("inspect: "), "{wrong:?}");
    }
}
