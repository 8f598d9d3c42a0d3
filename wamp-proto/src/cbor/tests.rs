//! Tables of bytes and what becomes of them.

use bytes::Bytes;

use super::{Reader, Writer, skip};
use crate::codec::buffer::Buffer;
use crate::codec::read::Read;
use crate::codec::write::Write;
use crate::error::{DecodeErrorKind, Kind};
use crate::{
    DecodeError, Dict, Format, InvalidId, Limits, MAX_ID, Message, Payload, PayloadCheck, RequestId, Value, decode,
    encode,
};

fn skipped(bytes: &[u8], depth: u8) -> Result<usize, (usize, DecodeErrorKind)> {
    skip::value(bytes, 0, depth).map_err(|fault| (fault.offset, fault.kind.clone()))
}

fn received(bytes: &[u8]) -> Result<Message, DecodeError> {
    let frame = Bytes::copy_from_slice(bytes);
    decode(frame, Format::Cbor, &Limits::new(), PayloadCheck::OnReceipt)
}

fn refused(bytes: &[u8]) -> (usize, DecodeErrorKind) {
    let error = received(bytes).expect_err("the frame is bad");
    (error.offset(), error.kind().clone())
}

fn event(bytes: &[u8]) -> Payload {
    match received(bytes) {
        Ok(Message::Event(event)) => event.payload,
        other => panic!("{bytes:02x?}: {other:?}"),
    }
}

/// `[36, 1, 1, {}, …]` with one more element.
fn event_with(args: &[u8]) -> Vec<u8> {
    [&[0x85, 0x18, 36, 1, 1, 0xa0], args].concat()
}

const RESERVED: DecodeErrorKind = DecodeErrorKind::Malformed("a reserved initial byte");
const NO_BREAK: DecodeErrorKind = DecodeErrorKind::Malformed("a break where no list or dict may end");
const OTHER_CHUNK: DecodeErrorKind = DecodeErrorKind::Malformed("a chunk of another type");
const NO_LENGTH: DecodeErrorKind = DecodeErrorKind::Malformed("a chunk without a length");

/// A value for every initial byte that starts one, without tags.
fn values() -> Vec<Vec<u8>> {
    let data = |head: &[u8], length: usize| [head, &vec![b'x'; length]].concat();
    let mut values: Vec<Vec<u8>> = (0x00..=0x17).chain(0x20..=0x37).chain(0xe0..=0xf7).map(|byte| vec![byte]).collect();
    for (information, width) in [(24, 1), (25, 2), (26, 4), (27, 8)] {
        values.push(data(&[information], width));
        values.push(data(&[0x20 | information], width));
        if information > 24 {
            values.push(data(&[0xe0 | information], width));
        }
    }
    values.extend([vec![0xf8, 32], vec![0xf8, 255]]);
    for major in [0x40, 0x60] {
        values.extend((0..=23).map(|length| data(&[major | length], length.into())));
        for length in [0_u8, 1, 23, 24, 31, 32, 33, 200, 255] {
            let room = length.into();
            values.push(data(&[major | 24, length], room));
            values.push(data(&[major | 25, 0, length], room));
            values.push(data(&[major | 26, 0, 0, 0, length], room));
            values.push(data(&[major | 27, 0, 0, 0, 0, 0, 0, 0, length], room));
        }
        values.push(vec![major | 31, 0xff]);
        values.push([&[major | 31, major][..], &data(&[major | 24, 40], 40), &[major | 2, b'a', b'b', 0xff]].concat());
    }
    for (major, each) in [(0x80, 1), (0xa0, 2)] {
        values.extend((0..=23).map(|length| [vec![major | length], vec![0; each * usize::from(length)]].concat()));
        for length in [0_u8, 1, 24, 255] {
            let inner = vec![0; each * usize::from(length)];
            values.push([&[major | 24, length][..], &inner].concat());
            values.push([&[major | 25, 0, length][..], &inner].concat());
            values.push([&[major | 26, 0, 0, 0, length][..], &inner].concat());
            values.push([&[major | 27, 0, 0, 0, 0, 0, 0, 0, length][..], &inner].concat());
            values.push([&[major | 31][..], &inner, &[0xff]].concat());
        }
    }
    values
}

fn tagged(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let tags =
        [&[0xc0][..], &[0xd7], &[0xd8, 24], &[0xd9, 0xd9, 0xf7], &[0xda, 0, 1, 0, 0], &[0xdb, 0, 0, 0, 0, 0, 0, 0, 2]];
    tags.into_iter().map(move |tag| [tag, value].concat())
}

#[test]
fn ser_31_each_value_ends_where_its_head_says() {
    for value in values() {
        // Near the end of the frame and far from it are different paths.
        for behind in 0..80 {
            let bytes = [&value[..], &vec![0xff; behind]].concat();
            assert_eq!(skipped(&bytes, 1), Ok(value.len()), "{bytes:02x?}");
        }
        for tagged in tagged(&value) {
            assert_eq!(skipped(&tagged, 1), Ok(tagged.len()), "{tagged:02x?}");
        }
        for (head, values, end) in [
            (&[0x83][..], 3, &[][..]),
            (&[0x9f], 3, &[0xff]),
            (&[0xa2], 4, &[]),
            (&[0xbf], 4, &[0xff]),
            (&[0xc1, 0x9b, 0, 0, 0, 0, 0, 0, 0, 2], 2, &[]),
        ] {
            let bytes = [head, &value.repeat(values), end].concat();
            assert_eq!(skipped(&bytes, 2), Ok(bytes.len()), "{bytes:02x?}");
        }
    }
}

#[test]
fn ser_42_each_cut_is_noticed_at_the_end() {
    for value in values().iter().flat_map(|value| tagged(value).chain([value.clone()])) {
        for end in 0..value.len() {
            assert_eq!(skipped(&value[..end], 1), Err((end, DecodeErrorKind::Truncated)), "{value:02x?} until {end}");
        }
    }
    for args in
        [&[0x82, 0x61, b'a', 0xbf, 0x61, b'b', 0xc1, 0x19, 1, 2, 0xff][..], &[0x9f, 0x7f, 0x61, b'a', 0xff, 0xff]]
    {
        let frame = event_with(args);
        assert!(received(&frame).is_ok());
        for end in 0..frame.len() {
            assert_eq!(refused(&frame[..end]), (end, DecodeErrorKind::Truncated), "until {end}");
        }
    }
}

#[test]
fn ser_42_malformed_bytes_are_refused_where_they_stand() {
    let reserved =
        [0x1c, 0x1d, 0x1e, 0x1f, 0x3c, 0x3f, 0x5c, 0x5e, 0x7c, 0x7e, 0x9c, 0x9e, 0xbc, 0xbe, 0xdc, 0xdf, 0xfc, 0xfe];
    let two_bytes = DecodeErrorKind::Malformed("a simple value below 32 in two bytes");
    let mut cases: Vec<(Vec<u8>, usize, DecodeErrorKind)> = vec![];
    for byte in reserved {
        cases.push((vec![byte], 0, RESERVED));
        cases.push((vec![0x82, 0x00, byte], 2, RESERVED));
        cases.push((vec![0xbf, 0x61, b'a', byte], 3, RESERVED));
        cases.push((vec![0xc0, byte], 1, RESERVED));
        assert_eq!(refused(&[byte]), (0, RESERVED));
        assert_eq!(refused(&[0x83, 0x18, 33, byte, 1]), (3, RESERVED));
    }
    for (bytes, offset, kind) in [
        (&[0xf8, 0][..], 0, two_bytes.clone()),
        (&[0x81, 0xf8, 31], 1, two_bytes),
        // A break where nothing of an indefinite length is open, within a definite one, between a key and its value, behind a tag.
        (&[0xff], 0, NO_BREAK),
        (&[0x81, 0xff], 1, NO_BREAK),
        (&[0xa1, 0x00, 0xff], 2, NO_BREAK),
        (&[0x9f, 0x81, 0xff], 2, NO_BREAK),
        (&[0xbf, 0x00, 0xff], 2, NO_BREAK),
        (&[0xbf, 0x00, 0x00, 0x9f, 0xff, 0xff], 5, NO_BREAK),
        (&[0x9f, 0xc1, 0xff], 2, DecodeErrorKind::Malformed("a break behind a tag")),
        // Chunks of another type, of another string type, of no definite length, and tagged ones.
        (&[0x7f, 0x00], 1, OTHER_CHUNK),
        (&[0x7f, 0x41, b'a', 0xff], 1, OTHER_CHUNK),
        (&[0x5f, 0x41, b'a', 0x61, b'a', 0xff], 3, OTHER_CHUNK),
        (&[0x7f, 0x61, b'a', 0xc0, 0x61, b'a', 0xff], 3, OTHER_CHUNK),
        (&[0x7f, 0x7f, 0x61, b'a', 0xff, 0xff], 1, NO_LENGTH),
        (&[0x5f, 0x5c, 0xff], 1, NO_LENGTH),
    ] {
        cases.push((bytes.to_vec(), offset, kind));
    }
    for (bytes, offset, kind) in cases {
        for behind in [0, 1, 40] {
            let bytes = [&bytes[..], &vec![0; behind]].concat();
            assert_eq!(skipped(&bytes, 8), Err((offset, kind.clone())), "{bytes:02x?}");
        }
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_at_its_first_bad_byte() {
    let long = [&[0x78, 100][..], &[b'a'; 99], &[0xff]].concat();
    for behind in [0, 1, 40] {
        for (bytes, offset) in [
            (&[0x61, 0xff][..], 1),
            (&[0x63, b'a', b'b', 0x80], 3),
            (&[0x63, 0xed, 0xa0, 0x80], 1),
            (&[0x78, 1, 0xff], 2),
            (&[0x79, 0, 1, 0xff], 3),
            (&[0x7a, 0, 0, 0, 1, 0xff], 5),
            (&[0x7b, 0, 0, 0, 0, 0, 0, 0, 1, 0xff], 9),
            (&long, 101),
            (&[0xa2, 0x61, b'a', 0x61, b'b', 0x61, 0xfe, 0xf6], 6),
            // Each chunk is UTF-8 by itself.
            (&[0x7f, 0x61, 0xc3, 0x61, 0xbc, 0xff], 2),
            (&[0x7f, 0x61, b'a', 0x78, 1, 0xff, 0xff], 5),
        ] {
            let bytes = [bytes, &vec![0; behind]].concat();
            assert_eq!(skipped(&bytes, 8), Err((offset, DecodeErrorKind::InvalidUtf8)), "{bytes:02x?}");
        }
    }
    assert_eq!(refused(&[0x84, 0x18, 32, 1, 0xa0, 0x62, b'a', 0xff]), (7, DecodeErrorKind::InvalidUtf8));
    assert_eq!(
        refused(&[0x84, 0x18, 32, 1, 0xa0, 0x7f, 0x61, b'a', 0x61, 0xff, 0xff]),
        (9, DecodeErrorKind::InvalidUtf8)
    );
    // Bytes are anything.
    assert_eq!(skipped(&[0x5f, 0x41, 0xff, 0xff], 0), Ok(4));
}

/// Lists and dicts of definite and indefinite length in turn, each with values before and behind the next one, so that what is left of each
/// level must be remembered. Tags do not count.
fn nested(levels: u8) -> (Vec<u8>, usize) {
    let mut bytes = vec![];
    for level in 1..levels {
        bytes.extend(
            [
                &[0x83, 0x01][..],
                &[0xbf, 0x61, b'a', 0x01, 0x61, b'b'],
                &[0xc1, 0x9f, 0x01, 0xc2],
                &[0xa2, 0x61, b'a', 0x01, 0x61, b'b'],
            ][usize::from(level % 4)],
        );
    }
    let innermost = bytes.len();
    bytes.push(0x80);
    for level in (1..levels).rev() {
        bytes.extend([&[0xf6][..], &[0x61, b'c', 0xf6, 0xff], &[0xff], &[]][usize::from(level % 4)]);
    }
    (bytes, innermost)
}

#[test]
fn ser_44_depth_is_exact_at_every_level() {
    for levels in 1..=Limits::MAX_DEPTH {
        let (bytes, innermost) = nested(levels);
        assert_eq!(skipped(&bytes, levels), Ok(bytes.len()), "{levels} levels");
        assert_eq!(skipped(&bytes, levels - 1), Err((innermost, DecodeErrorKind::TooDeep)), "{levels} levels");
    }
    for empty in [0x80, 0x9f, 0xa0, 0xbf] {
        assert_eq!(skipped(&[empty, 0xff], 0), Err((0, DecodeErrorKind::TooDeep)));
    }
    assert_eq!(skipped(&[0xf6], 0), Ok(1));
}

#[test]
fn ser_44_ten_thousand_levels_are_too_many() {
    for head in [&[0x81][..], &[0x9f], &[0xa1, 0x60], &[0xbf, 0x00], &[0xc1, 0x9a, 0, 0, 0, 1]] {
        let bytes = head.repeat(10_000);
        let tags = usize::from(head[0] == 0xc1);
        assert_eq!(skipped(&bytes, 128), Err((head.len() * 128 + tags, DecodeErrorKind::TooDeep)));
        assert_eq!(skipped(&bytes, 3), Err((head.len() * 3 + tags, DecodeErrorKind::TooDeep)));
    }
    let tags = [&[0xc1; 10_000][..], &[0xf6]].concat();
    assert_eq!(skipped(&tags, 0), Ok(10_001));
    assert_eq!(event(&event_with(&[&[0x81][..], &tags].concat())).arg::<Value>(0), Ok(Value::Null));
    // The message's list is the first level, and the Arguments are the second.
    let args = [&[0x81; 127][..], &[0xf6]].concat();
    assert!(event(&event_with(&args)).args::<Value>().is_ok());
    let args = [&[0x81; 128][..], &[0xf6]].concat();
    assert_eq!(refused(&event_with(&args)), (6 + 127, DecodeErrorKind::TooDeep));
    let details = [&[0x84, 0x18, 36, 1, 1][..], &[0xa1, 0x60].repeat(10_000)].concat();
    assert_eq!(refused(&details), (5 + 2 * 127, DecodeErrorKind::TooDeep));
}

#[test]
fn a_length_beyond_the_frame_is_a_cut_and_not_an_allocation() {
    let most = [255; 8];
    // Whatever a count is made of to count values down, the highest bits are not lost.
    for bit in 32..64 {
        for major in [0x80, 0xa0] {
            let bytes = [&[major | 27][..], &(1_u64 << bit).to_be_bytes(), &[0xff; 40]].concat();
            assert_eq!(skipped(&bytes, 8), Err((9, NO_BREAK)), "2^{bit}");
            assert_eq!(skipped(&bytes[..9], 8), Err((9, DecodeErrorKind::Truncated)), "2^{bit}");
        }
    }
    for major in [0x40, 0x60, 0x80, 0xa0] {
        for behind in [&[][..], &[0x60; 3], &[0x60; 60]] {
            let bytes = [&[major | 27][..], &most, behind].concat();
            assert_eq!(skipped(&bytes, 8), Err((bytes.len(), DecodeErrorKind::Truncated)), "{bytes:02x?}");
            let args = [&[0x81][..], &bytes].concat();
            assert_eq!(refused(&event_with(&args)), (7 + bytes.len(), DecodeErrorKind::Truncated));
        }
    }
    assert_eq!(refused(&[&[0x9b][..], &most].concat()), (9, DecodeErrorKind::Truncated));
    assert_eq!(
        refused(&[&[0x85, 0x18, 36, 1, 1, 0xbb][..], &most, &[0x60]].concat()),
        (15, DecodeErrorKind::Truncated)
    );
    assert_eq!(refused(&[&[0x84, 0x18, 32, 1, 0xa0, 0x7b][..], &most].concat()), (14, DecodeErrorKind::Truncated));
}

#[test]
fn msg_003_keys_are_strings_and_the_last_of_two_counts() {
    let not_a_string = |found| DecodeErrorKind::KeyIsNotAString { found };
    assert_eq!(refused(&[0x83, 2, 7, 0xa1, 0x01, 0xa0]), (4, not_a_string(Kind::Integer)));
    assert_eq!(refused(&[0x83, 2, 7, 0xbf, 0x61, b'a', 0xf6, 0x40, 0xa0, 0xff]), (7, not_a_string(Kind::Bytes)));
    assert_eq!(refused(&[0x83, 2, 7, 0xa1, 0xc1, 0x61, b'a', 0xa0]), (4, not_a_string(Kind::Other)));
    assert_eq!(refused(&[0x86, 0x18, 36, 1, 1, 0xa0, 0x80, 0xa1, 0x01, 0x02]), (8, not_a_string(Kind::Integer)));
    let Ok(Message::Welcome(welcome)) = received(&[0x83, 2, 7, 0xa2, 0x61, b'a', 1, 0x61, b'a', 2]) else { panic!() };
    assert_eq!(welcome.details.extra, Dict::from_iter([("a", 2)]));
    let payload = event(&event_with(&[0x81, 0xa1, 0x01, 0x02]));
    assert_eq!(payload.arg::<std::collections::BTreeMap<u8, u8>>(0).unwrap()[&1], 2);
}

#[test]
fn the_dict_itself_is_a_level() {
    let skipped = |depth| {
        let mut reader = Reader::new(&[0xf6, 0xbf, 0x60, 0xa0, 0x60, 0x80, 0xff, 0xf6]);
        reader.skip(0).unwrap();
        reader.skip_dict(depth).map(|()| reader.offset()).map_err(|fault| (fault.offset, fault.kind.clone()))
    };
    assert_eq!(skipped(2), Ok(7));
    assert_eq!(skipped(1), Err((3, DecodeErrorKind::TooDeep)));
    assert_eq!(skipped(0), Err((1, DecodeErrorKind::TooDeep)));
}

#[test]
fn msg_005_a_message_is_a_list() {
    for (bytes, found) in [
        (&[0xa0][..], Kind::Dict),
        (&[0x60], Kind::String),
        (&[0x05], Kind::Integer),
        (&[0xf6], Kind::Null),
        (&[0xf4], Kind::Bool),
        (&[0x40], Kind::Bytes),
        (&[0xf9, 0, 0], Kind::Float),
        (&[0xf8, 32], Kind::Other),
        // The tag of self-described CBOR.
        (&[0xd9, 0xd9, 0xf7, 0x83, 0x18, 33, 1, 1], Kind::Other),
    ] {
        assert_eq!(refused(bytes), (0, DecodeErrorKind::NotAList { found }));
    }
    assert_eq!(refused(&[0x80]), (0, DecodeErrorKind::EmptyList));
    assert_eq!(refused(&[0x9f, 0xff]), (0, DecodeErrorKind::EmptyList));
    assert_eq!(refused(&[]), (0, DecodeErrorKind::Truncated));
    assert_eq!(refused(&[0x83, 0x18, 33, 1, 1, 0x00]), (5, DecodeErrorKind::TrailingBytes));
}

#[test]
fn msg_006_the_message_type_is_an_integer() {
    for (bytes, found) in [
        (&[0x62, b'3', b'3'][..], Kind::String),
        (&[0xf9, 0x50, 0x20], Kind::Float),
        (&[0xf6], Kind::Null),
        (&[0xf5], Kind::Bool),
        (&[0xc0, 0x18, 33], Kind::Other),
    ] {
        let frame = [&[0x83], bytes, &[1, 1]].concat();
        assert_eq!(refused(&frame), (1, DecodeErrorKind::WrongType { expected: "an integer", found }));
    }
    let negative = DecodeErrorKind::WrongValue { expected: "an integer that is not negative" };
    assert_eq!(refused(&[0x83, 0x20, 1, 1]), (1, negative));
}

#[test]
fn ser_31_each_form_of_a_message_is_accepted() {
    let frame = [
        0x9f, 0x18, 16, 0x1b, 0, 0, 0, 0, 0, 0, 0, 1, 0xbf, 0x7f, 0x62, b'x', b'_', 0x61, b'a', 0xff, 0x9f, 0xff, 0xff,
        0x7f, 0x61, b'a', 0x62, b'.', b'b', 0xff, 0x9f, 0x5f, 0x41, 1, 0xff, 0xff, 0xff,
    ];
    let Ok(Message::Publish(publish)) = received(&frame) else { panic!("{:?}", received(&frame)) };
    assert_eq!((publish.request.get(), publish.topic.as_str()), (1, "a.b"));
    assert_eq!(publish.options.extra, Dict::from_iter([("x_a", Value::List(vec![]))]));
    assert_eq!(publish.payload.arg::<Value>(0), Ok(Value::Bytes(Bytes::from_static(&[1]))));
    for one in [&[0x01][..], &[0x18, 1], &[0x19, 0, 1], &[0x1a, 0, 0, 0, 1], &[0x1b, 0, 0, 0, 0, 0, 0, 0, 1]] {
        let frame = [&[0x98, 3, 0x19, 0, 33], one, one].concat();
        let Ok(Message::Subscribed(message)) = received(&frame) else { panic!("{frame:02x?}") };
        assert_eq!((message.request.get(), message.subscription.get()), (1, 1));
    }
}

#[test]
fn id_02_what_is_no_id_is_refused() {
    let invalid = |value| DecodeErrorKind::InvalidId(InvalidId(value));
    let negative = DecodeErrorKind::WrongValue { expected: "an integer that is not negative" };
    let wrong = |found| DecodeErrorKind::WrongType { expected: "an integer", found };
    for (bytes, kind) in [
        (&[0x00][..], invalid(0)),
        (&[0x1b, 0, 0x20, 0, 0, 0, 0, 0, 1], invalid(MAX_ID + 1)),
        (&[0x1b, 255, 255, 255, 255, 255, 255, 255, 255], invalid(u64::MAX)),
        (&[0x20], negative.clone()),
        (&[0x3b, 255, 255, 255, 255, 255, 255, 255, 255], negative),
        // 1.5, NaN, -1.0 and the least double above 2^53.
        (&[0xf9, 0x3e, 0], wrong(Kind::Float)),
        (&[0xf9, 0x7e, 0], wrong(Kind::Float)),
        (&[0xfa, 0xbf, 0x80, 0, 0], wrong(Kind::Float)),
        (&[0xfb, 0x43, 0x40, 0, 0, 0, 0, 0, 1], wrong(Kind::Float)),
        (&[0x61, b'1'], wrong(Kind::String)),
        (&[0xc2, 0x41, 1], wrong(Kind::Other)),
    ] {
        let frame = [&[0x83, 0x18, 33, 1], bytes].concat();
        assert_eq!(refused(&frame), (4, kind), "{frame:02x?}");
    }
}

#[test]
fn id_15_floats_that_are_integers_are_ids() {
    for (bytes, id) in
        [(&[0xf9, 0x3c, 0][..], 1), (&[0xfa, 0x3f, 0x80, 0, 0], 1), (&[0xfb, 0x43, 0x40, 0, 0, 0, 0, 0, 0], MAX_ID)]
    {
        let frame = [&[0x83, 0x18, 33, 1], bytes].concat();
        let Ok(Message::Subscribed(message)) = received(&frame) else { panic!("{frame:02x?}") };
        assert_eq!(message.subscription.get(), id);
    }
}

#[test]
fn id_16_ids_are_exact() {
    for id in [1, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, MAX_ID - 1, MAX_ID] {
        let message = crate::Published { request: RequestId::new(id).unwrap(), publication: id.try_into().unwrap() };
        let mut frame = vec![];
        encode(&message.clone().into(), Format::Cbor, &mut frame).unwrap();
        assert_eq!(received(&frame), Ok(message.into()));
    }
}

#[test]
fn ser_30_text_and_bytes_are_written_apart() {
    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut frame = Buffer::new();
        write(&mut Writer::new(&mut frame));
        frame.into_vec()
    }
    assert_eq!(written(|writer| writer.value(&Value::Bytes(Bytes::from_static(&[1, 2]))).unwrap()), [0x42, 1, 2]);
    assert_eq!(written(|writer| writer.value(&"ab".into()).unwrap()), [0x62, b'a', b'b']);
    for (length, information) in
        [(0, &[0][..]), (23, &[23]), (24, &[24, 24]), (256, &[25, 1, 0]), (65_536, &[26, 0, 1, 0, 0])]
    {
        let text = "x".repeat(length);
        let head = |major: u8| [&[major | information[0]][..], &information[1..]].concat();
        let bytes = [&head(0x60)[..], text.as_bytes()].concat();
        assert_eq!(written(|writer| writer.string(&text).unwrap()), bytes);
        assert_eq!(written(|writer| writer.key(&text).unwrap()), bytes);
        assert_eq!(written(|writer| writer.begin_list(length)), head(0x80));
        assert_eq!(written(|writer| writer.begin_dict(length)), head(0xa0));
        assert_eq!(written(|writer| writer.unsigned(length as u64)), head(0x00));
    }
    assert_eq!(written(|writer| writer.bool(true)), [0xf5]);
    assert_eq!(written(|writer| writer.bool(false)), [0xf4]);
}
