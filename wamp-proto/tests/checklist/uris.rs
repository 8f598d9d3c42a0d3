//! Checklist 3, URIs, where the codec takes part.

use wamp_proto::{DecodeErrorKind, Format, MessageType, Subscribe, SubscribeOptions, Uri};

use crate::wire::{Frame, decoded, elements, encoded, refused};

/// Messages with a URI that is matched exactly, `URI` in its place; the request they make, and the URI's element.
const EXACT: &[(&str, Option<u64>, u8)] = &[
    (r#"[1,"URI",{}]"#, None, 1),
    (r#"[3,{},"URI"]"#, None, 2),
    (r#"[6,{},"URI"]"#, None, 2),
    (r#"[8,48,7,{},"URI"]"#, Some(7), 4),
    (r#"[16,7,{},"URI"]"#, Some(7), 3),
    (r#"[32,7,{},"URI"]"#, Some(7), 3),
    (r#"[32,7,{"match":"exact"},"URI"]"#, Some(7), 3),
    (r#"[36,1,2,{"topic":"URI"}]"#, None, 3),
    (r#"[48,7,{},"URI"]"#, Some(7), 3),
    (r#"[64,7,{},"URI"]"#, Some(7), 3),
    (r#"[68,7,2,{"procedure":"URI"}]"#, Some(7), 3),
];

const LOOSE: &[&str] =
    &["com.myapp.topic1", "com", "1.2", "_x.y", "wamp.error.x", "com.My-App", "com.üml", "com.\u{200b}x"];
const NOT_EXACT: &[&str] = &["", ".", "..", ".com", "com..topic", "a.b.c..", "com.", "com.myapp."];
const NEVER: &[&str] = &[
    "com.my app",
    "com.my#app",
    " ",
    "com.a\u{a0}b",
    "com.x\u{2028}y",
    "com.a\u{85}b",
    r"com.a\u001cb",
    r"com.myapp\n",
];

fn is_invalid_uri(kind: &DecodeErrorKind) -> bool {
    matches!(kind, DecodeErrorKind::InvalidUri(_))
}

#[test]
fn uri_01_uris_are_utf8_on_the_wire() {
    let topic = Uri::new("com.üml.日本").unwrap();
    let subscribe = Subscribe { request: 1.try_into().unwrap(), options: SubscribeOptions::default(), topic };
    for format in Format::ALL {
        let frame = encoded(&subscribe.clone().into(), *format);
        assert!(frame.windows(15).any(|bytes| bytes == "com.üml.日本".as_bytes()), "{format}");
    }
}

#[test]
fn uri_02_exact_uris_follow_the_loose_rule() {
    for (message, ..) in EXACT {
        for format in Format::ALL {
            for uri in LOOSE {
                decoded(&message.replace("URI", uri), *format);
            }
            for uri in NOT_EXACT.iter().chain(NEVER) {
                let error = refused(&message.replace("URI", uri), *format);
                assert!(is_invalid_uri(error.kind()), "{message} of {uri:?} in {format}: {error}");
            }
        }
    }
}

#[test]
fn uri_03_wildcard_patterns_may_have_empty_components() {
    for code in [32, 64] {
        for format in Format::ALL {
            for uri in LOOSE.iter().chain(NOT_EXACT) {
                decoded(&format!(r#"[{code},7,{{"match":"wildcard"}},"{uri}"]"#), *format);
            }
            for uri in NEVER {
                let error = refused(&format!(r#"[{code},7,{{"match":"wildcard"}},"{uri}"]"#), *format);
                assert!(is_invalid_uri(error.kind()), "{uri:?} in {format}: {error}");
            }
        }
    }
}

#[test]
fn uri_05_only_the_last_component_of_a_prefix_may_be_empty() {
    for code in [32, 64] {
        for format in Format::ALL {
            for uri in LOOSE.iter().chain(&["com.myapp.", "com.", ""]) {
                decoded(&format!(r#"[{code},7,{{"match":"prefix"}},"{uri}"]"#), *format);
            }
            for uri in [".", "..", ".com", "com..topic", "a.b.c.."].iter().chain(NEVER) {
                let error = refused(&format!(r#"[{code},7,{{"match":"prefix"}},"{uri}"]"#), *format);
                assert!(is_invalid_uri(error.kind()), "{uri:?} in {format}: {error}");
            }
        }
    }
}

#[test]
fn uri_08_an_invalid_uri_names_the_request_to_answer() {
    for (message, request, element) in EXACT {
        for format in Format::ALL {
            let message = elements(&message.replace("URI", "com..topic"));
            let frame = Frame::of(&message, *format);
            let error = frame.decode(*format).unwrap_err();
            assert!(is_invalid_uri(error.kind()), "{error}");
            assert_eq!(error.request().map(u64::from), *request, "{error}");
            assert_eq!(error.element().map(|element| element.index), Some(*element), "{error}");
            assert!(error.message_type().is_some());
        }
    }
    let error = refused(r#"[68,7,2,{"procedure":"a..b"}]"#, Format::Json);
    assert_eq!(error.message_type(), Some(MessageType::Invocation));
    assert_eq!(error.key(), Some("procedure"));
    assert_eq!(error.offset(), 21);
}

#[test]
fn uri_10_a_trailing_newline_is_no_part_of_a_uri() {
    for format in Format::ALL {
        let error = refused(r#"[32,7,{},"com.myapp\n"]"#, *format);
        assert!(error.to_string().contains(r#": "com.myapp\n" is not a loose URI: no white space"#), "{error}");
    }
}
