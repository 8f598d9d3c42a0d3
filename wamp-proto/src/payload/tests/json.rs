//! What payloads are on the wire, by the example of JSON.

use super::*;
use crate::{DecodeErrorKind, Element, Kind, Length, MessageType, RequestId};

fn decoded(frame: &str, check: PayloadCheck) -> Result<Payload, DecodeError> {
    decode(Bytes::copy_from_slice(frame.as_bytes()), Format::Json, &Limits::new(), check).map(payload)
}

fn reencoded(payload: Payload) -> String {
    let mut frame = Vec::new();
    encode(&event(payload), Format::Json, &mut frame).unwrap();
    String::from_utf8(frame).unwrap()
}

fn sent(value: impl IntoPayload) -> String {
    reencoded(value.into_payload(Format::Json).unwrap())
}

#[test]
fn msg_014_empty_arguments_are_not_sent() {
    assert_eq!(sent(()), "[36,1,1,{}]");
    assert_eq!(sent(Args(Vec::<u8>::new())), "[36,1,1,{}]");
    let received = decoded("[36,1,1,{},[ ]]", PayloadCheck::OnReceipt).unwrap();
    assert_eq!(reencoded(received), "[36,1,1,{}]");
}

#[test]
fn msg_015_empty_kwargs_are_not_sent() {
    assert_eq!(sent(ArgsKwargs([1], Dict::new())), "[36,1,1,{},[1]]");
    assert_eq!(sent(Kwargs(Dict::new())), "[36,1,1,{}]");
    let received = decoded("[36,1,1,{},[1], { }]", PayloadCheck::OnReceipt).unwrap();
    assert_eq!(reencoded(received), "[36,1,1,{},[1]]");
}

#[test]
fn msg_016_kwargs_alone_have_a_placeholder_before_them() {
    assert_eq!(sent(Kwargs(Dict::from_iter([("k", 1)]))), r#"[36,1,1,{},[],{"k":1}]"#);
    assert_eq!(sent(ArgsKwargs((), Dict::from_iter([("k", 1)]))), r#"[36,1,1,{},[],{"k":1}]"#);
}

#[test]
fn msg_017_absent_and_empty_look_alike() {
    for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
        for frame in ["[36,1,1,{}]", "[36,1,1,{},[]]", "[36,1,1,{},[],{}]", " [ 36 , 1 , 1 , { } , [ ] , { } ] "] {
            let payload = decoded(frame, check).unwrap();
            assert_eq!(payload.args(), Ok(Vec::<u8>::new()), "{frame}");
            assert_eq!(payload.kwargs(), Ok(Dict::new()), "{frame}");
            assert_eq!(payload, Payload::new(), "{frame}");
            assert_eq!(payload.to::<Option<u8>>(), Ok(None), "{frame}");
        }
    }
    let raw = |frame: &str| raw(&decoded(frame, PayloadCheck::OnReceipt).unwrap());
    assert_eq!(raw("[36,1,1,{}]"), (None, None));
    assert_eq!(raw("[36,1,1,{},[]]"), (list::<Value>([]), None));
    assert_eq!(raw("[36,1,1,{},[],{}]"), (list::<Value>([]), Some(Dict::new().into())));
}

#[test]
fn msg_018_null_args_are_accepted() {
    for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
        let payload = decoded(r#"[36,1,1,{},null,{"a":1}]"#, check).unwrap();
        assert_eq!(payload.kwargs(), Ok(Dict::from_iter([("a", 1)])));
        assert_eq!(payload.args(), Ok(Vec::<u8>::new()));
        assert_eq!(payload.raw_args(), Ok(Some(Bytes::from_static(b"[]"))));
        assert_eq!(payload.raw_kwargs(), Ok(Some(Bytes::from_static(br#"{"a":1}"#))));
        assert_eq!(reencoded(payload.detach()), r#"[36,1,1,{},[],{"a":1}]"#);
        assert_eq!(reencoded(payload), r#"[36,1,1,{},[],{"a":1}]"#);

        for frame in ["[36,1,1,{},null]", "[36,1,1,{},null,null]", "[36,1,1,{},null,{}]", "[36,1,1,{},[],null]"] {
            let payload = decoded(frame, check).unwrap();
            assert_eq!(payload, Payload::new(), "{frame}");
            assert_eq!(reencoded(payload), "[36,1,1,{}]", "{frame}");
        }
        let payload = decoded("[36,1,1,{},[1],null]", check).unwrap();
        assert_eq!((payload.args(), payload.raw_kwargs()), (Ok([1]), Ok(None)));
    }
}

/// What is wrong with a frame, which both ways of checking agree on.
fn fault(frame: &[u8], limits: &Limits) -> (usize, Option<Element>, DecodeErrorKind) {
    let decoded = |check| decode(Bytes::copy_from_slice(frame), Format::Json, limits, check);
    let error = decoded(PayloadCheck::OnReceipt).unwrap_err();
    let payload = payload(decoded(PayloadCheck::OnDecode).unwrap());
    assert_eq!(payload.check(), Err(error.clone()));
    assert_eq!(payload.clone().check(), Err(error.clone()));
    assert_eq!(payload.detach().check(), Err(error.clone()));
    let malformed = PayloadError::Malformed(error.clone());
    assert_eq!(payload.args::<Value>(), Err(malformed.clone()));
    assert_eq!(payload.arg::<Value>(0), Err(malformed.clone()));
    assert_eq!(payload.kwargs::<Value>(), Err(malformed.clone()));
    assert_eq!(payload.to::<()>(), Err(malformed.clone()));
    assert_eq!(payload.to::<(u8,)>(), Err(malformed.clone()));
    assert_eq!(payload.to::<Option<u8>>(), Err(malformed.clone()));
    assert_eq!(payload.raw_args(), Err(malformed.clone()));
    assert_eq!(payload.raw_kwargs(), Err(malformed));
    for format in formats() {
        let refused = EncodeError { path: "payload".to_owned(), kind: EncodeErrorKind::MalformedPayload };
        assert_eq!(payload.transcode(format), Err(refused.clone()));
        let mut out = b"before".to_vec();
        assert_eq!(encode(&event(payload.clone()), format, &mut out), Err(refused));
        assert_eq!(out, b"before");
    }
    assert_eq!(payload, payload.clone());
    assert_ne!(payload, Payload::new());
    (error.offset(), error.element(), error.kind().clone())
}

#[test]
fn what_is_wrong_in_a_payload_is_told_by_its_byte_and_element() {
    use DecodeErrorKind::{InvalidUtf8, Malformed, TooDeep, TrailingBytes, Truncated, WrongLength, WrongType};
    let limits = Limits::new();
    let args = Some(Element { index: 4, name: "Arguments" });
    let kwargs = Some(Element { index: 5, name: "ArgumentsKw" });
    let surplus = Some(Element { index: 6, name: "surplus" });
    let a_list = |found| WrongType { expected: "a list", found };
    let a_dict = |found| WrongType { expected: "a dict", found };
    let check = |frame: &[u8], offset, element, kind| {
        assert_eq!(fault(frame, &limits), (offset, element, kind), "{}", String::from_utf8_lossy(frame));
    };
    check(b"[36,1,1,{},[1,]]", 14, args, Malformed("expected a value"));
    check(b"[36,1,1,{},{}]", 11, args, a_list(Kind::Dict));
    check(b"[36,1,1,{},\"a\"]", 11, args, a_list(Kind::String));
    check(b"[36,1,1,{},5]", 11, args, a_list(Kind::Integer));
    check(b"[36,1,1,{},[1],[]]", 15, kwargs, a_dict(Kind::List));
    check(b"[36,1,1,{},[1], 7]", 16, kwargs, a_dict(Kind::Integer));
    check(b"[36,1,1,{},null,{\"a\":tru}]", 24, kwargs, Malformed("expected true, false or null"));
    check(b"[36,1,1,{},[],{},{}]", 17, surplus, WrongLength(Length::TooMany));
    check(b"[36,1,1,{},[],{},]", 17, surplus, WrongLength(Length::TooMany));
    check(b"[36,1,1,{},[1]", 14, kwargs, Truncated);
    check(b"[36,1,1,{},[1] [2]]", 15, kwargs, Malformed("expected `,` or `]`"));
    check(b"[36,1,1,{},[],{}", 16, surplus, Truncated);
    check(b"[36,1,1,{}", 10, args, Truncated);
    check(b"[36,1,1,{},", 11, args, Truncated);
    check(b"[36,1,1,{},[1]] x", 16, None, TrailingBytes);
    check(b"[36,1,1,{},[\"a\xff\"]]", 14, args, InvalidUtf8);
    check(b"[36,1,1,{},[],{\"a\xff\":1}]", 17, kwargs, InvalidUtf8);
    check(b"[36,1,1,{},[\"\\ud800\"]]", 13, args, Malformed("a lone surrogate"));
    let shallow = Limits::new().max_depth(3);
    assert_eq!(fault(b"[36,1,1,{},[[[]]]]", &shallow), (13, args, TooDeep));
    assert_eq!(fault(b"[36,1,1,{},[],{\"a\":{\"b\":[]}}]", &shallow), (24, kwargs, TooDeep));
}

#[test]
fn a_fault_in_a_payload_names_its_message_and_request() {
    let frame = br#"[48,7,{},"com.example.add2",[1,2]"#;
    let call = decode(frame.as_slice().into(), Format::Json, &Limits::new(), PayloadCheck::OnDecode).unwrap();
    let Message::Call(call) = call else { panic!("no call") };
    let error = call.payload.check().unwrap_err();
    assert_eq!((error.message_type(), error.request()), (Some(MessageType::Call), RequestId::new(7).ok()));
    assert_eq!(error.to_string(), "byte 33, element 5 (CALL.ArgumentsKw): the frame ends in the middle of a value");
    let checked = decode(frame.as_slice().into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt);
    assert_eq!(checked, Err(error));
}

#[test]
fn trailing_bytes_behind_a_payload_name_its_message_and_request() {
    let frame = br#"[48,7,{},"com.example.add2",[1,2]]]"#;
    let error = decode(frame.as_slice().into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap_err();
    assert_eq!((error.message_type(), error.request()), (Some(MessageType::Call), RequestId::new(7).ok()));
    assert_eq!((error.offset(), error.element(), error.kind()), (34, None, &DecodeErrorKind::TrailingBytes));
}

#[test]
fn an_unchecked_payload_that_is_well_formed_is_like_a_checked_one() {
    let frame = r#" [36,1,1,{} , [1, "two", {"three":3}] , {"k":"é"} ] "#;
    let checked = decoded(frame, PayloadCheck::OnReceipt).unwrap();
    let unchecked = decoded(frame, PayloadCheck::OnDecode).unwrap();
    assert_eq!(unchecked.raw_args(), checked.raw_args());
    assert_eq!(unchecked.raw_kwargs(), checked.raw_kwargs());
    assert_eq!(unchecked.raw_kwargs(), Ok(Some(Bytes::from_static("{\"k\":\"é\"}".as_bytes()))));
    assert_eq!(unchecked.args::<Value>(), checked.args());
    assert_eq!(unchecked.kwargs::<Value>(), checked.kwargs());
    assert_eq!(unchecked, checked);
    assert_eq!(reencoded(unchecked), r#"[36,1,1,{},[1, "two", {"three":3}] , {"k":"é"}]"#);
}

#[test]
fn ser_12_invalid_base64_is_no_error_of_the_message() {
    let payload = decoded(r#"[36,1,1,{},["\u0000!","fine"]]"#, PayloadCheck::OnReceipt).unwrap();
    assert_eq!(payload.arg(1), Ok("fine"));
    assert_eq!(payload.arg(0), Ok("\0!".to_owned()));
    assert!(matches!(payload.arg::<Value>(0), Err(PayloadError::Mismatch { .. })));
    assert_eq!(reencoded(payload.clone()), r#"[36,1,1,{},["\u0000!","fine"]]"#);
    for format in formats().filter(|format| *format != Format::Json) {
        let text = payload.transcode(format).unwrap_err().to_string();
        assert_eq!(text, "args[0]: base64 is expected behind U+0000: Invalid symbol 33, offset 0.");
    }
}

#[test]
fn arguments_of_one_element_are_encoded_without_a_copy_of_it() {
    assert_eq!(sent("a"), r#"[36,1,1,{},["a"]]"#);
    assert_eq!(sent(vec![1, 2]), "[36,1,1,{},[[1,2]]]");
    assert_eq!(sent((1, 2)), "[36,1,1,{},[1,2]]");
}

#[cfg(feature = "msgpack")]
#[test]
fn ser_23_extension_types_are_no_values() {
    let frame = [&[0x95, 36, 1, 1, 0x80, 0x92, 1][..], &[0xd4, 5, 0]].concat();
    let payload = payload(decode(frame.into(), Format::MsgPack, &Limits::new(), PayloadCheck::OnReceipt).unwrap());
    let text = "invalid type: an extension, expected a value";
    assert_eq!(payload.args::<Value>().unwrap_err().to_string(), format!("args[1]: {text}"));
    let text = "args[1]: invalid type: an extension, expected a value that WAMP has";
    assert_eq!(payload.transcode(Format::Json).unwrap_err().to_string(), text);
    assert_eq!(payload.transcode(Format::MsgPack), Ok(payload));
}

#[cfg(feature = "msgpack")]
#[test]
fn ser_15_what_json_lacks_is_an_error_of_transcoding() {
    let payload = ArgsKwargs([0.5], BTreeMap::from([("k", [f64::NAN])])).into_payload(Format::MsgPack).unwrap();
    assert_eq!(payload.transcode(Format::Json).unwrap_err().to_string(), "kwargs.k[0]: JSON has no number NaN");
    let payload = ("a", "\0b").into_payload(Format::MsgPack).unwrap();
    assert_eq!(payload.transcode(Format::Json).unwrap_err().path(), "args[1]");
}
