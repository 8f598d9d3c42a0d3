//! Tables of bytes and what becomes of them.

use bytes::Bytes;

use super::{Reader, Writer, skip};
use crate::codec::buffer::Buffer;
use crate::codec::read::Read;
use crate::codec::write::Write;
use crate::error::{DecodeErrorKind, Kind};
use crate::{
    DecodeError, Dict, Format, InvalidId, Length, Limits, MAX_ID, Message, Payload, PayloadCheck, RequestId, Value,
    decode, encode,
};

fn skipped(bytes: &[u8], depth: u8) -> Result<usize, (usize, DecodeErrorKind)> {
    skip::value(bytes, 0, depth).map_err(|fault| (fault.offset, fault.kind.clone()))
}

fn received(bytes: &[u8]) -> Result<Message, DecodeError> {
    let frame = Bytes::copy_from_slice(bytes);
    decode(frame, Format::MsgPack, &Limits::new(), PayloadCheck::OnReceipt)
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
    [&[0x95, 36, 1, 1, 0x80], args].concat()
}

/// A value for every marker but one.
fn values() -> Vec<Vec<u8>> {
    let data = |head: &[u8], length: usize| [head, &vec![b'x'; length]].concat();
    let mut values: Vec<Vec<u8>> = (0x00..=0x7f).chain(0xe0..=0xff).map(|marker| vec![marker]).collect();
    values.extend((0..=31).map(|length| data(&[0xa0 | length], length.into())));
    values.extend((0..=15).map(|length| [vec![0x90 | length], vec![0xc0; length.into()]].concat()));
    values.extend((0..=15).map(|length| [vec![0x80 | length], vec![0x01; usize::from(length) * 2]].concat()));
    values.extend([vec![0xc0], vec![0xc2], vec![0xc3]]);
    for (markers, width) in
        [(&[0xcc, 0xd0][..], 1), (&[0xcd, 0xd1], 2), (&[0xca, 0xce, 0xd2], 4), (&[0xcb, 0xcf, 0xd3], 8)]
    {
        values.extend(markers.iter().map(|marker| data(&[*marker], width)));
    }
    for length in [0_u8, 1, 31, 32, 33, 200, 255] {
        values.push(data(&[0xc4, length], length.into()));
        values.push(data(&[0xd9, length], length.into()));
        values.push(data(&[0xc5, 0, length], length.into()));
        values.push(data(&[0xda, 0, length], length.into()));
        values.push(data(&[0xc6, 0, 0, 0, length], length.into()));
        values.push(data(&[0xdb, 0, 0, 0, length], length.into()));
        values.push(data(&[0xc7, length, 5], length.into()));
        values.push(data(&[0xc8, 0, length, 5], length.into()));
        values.push(data(&[0xc9, 0, 0, 0, length, 5], length.into()));
    }
    for (marker, length) in [(0xd4, 1), (0xd5, 2), (0xd6, 4), (0xd7, 8), (0xd8, 16)] {
        values.push(data(&[marker, 0xff], length));
    }
    for length in [0_u8, 1, 16, 255] {
        values.push([vec![0xdc, 0, length], vec![0xc0; length.into()]].concat());
        values.push([vec![0xdd, 0, 0, 0, length], vec![0xc0; length.into()]].concat());
        values.push([vec![0xde, 0, length], vec![0xc0; usize::from(length) * 2]].concat());
        values.push([vec![0xdf, 0, 0, 0, length], vec![0xc0; usize::from(length) * 2]].concat());
    }
    values
}

#[test]
fn each_value_ends_where_its_marker_says() {
    for value in values() {
        // Near the end of the frame and far from it are different paths.
        for behind in 0..80 {
            let bytes = [&value[..], &vec![0xc1; behind]].concat();
            assert_eq!(skipped(&bytes, 1), Ok(value.len()), "{bytes:02x?}");
        }
        let list = [&[0x93][..], &value, &value, &value].concat();
        assert_eq!(skipped(&list, 2), Ok(list.len()), "{list:02x?}");
        let dict = [&[0x82][..], &value, &value, &value, &value].concat();
        assert_eq!(skipped(&dict, 2), Ok(dict.len()), "{dict:02x?}");
    }
}

#[test]
fn ser_22_each_cut_is_noticed_at_the_end() {
    for value in values() {
        for end in 0..value.len() {
            assert_eq!(skipped(&value[..end], 1), Err((end, DecodeErrorKind::Truncated)), "{value:02x?} until {end}");
        }
    }
    let frame = event_with(&[0x92, 0xa1, b'a', 0x81, 0xa1, b'b', 0xcd, 1, 2]);
    assert!(received(&frame).is_ok());
    for end in 0..frame.len() {
        assert_eq!(refused(&frame[..end]), (end, DecodeErrorKind::Truncated), "until {end}");
    }
}

#[test]
fn ser_22_bytes_behind_the_message_are_refused() {
    assert_eq!(refused(&[0x93, 33, 1, 1, 0x00]), (4, DecodeErrorKind::TrailingBytes));
    let frame = [&event_with(&[0x91, 0xc0])[..], &[0xc1]].concat();
    assert_eq!(refused(&frame), (7, DecodeErrorKind::TrailingBytes));
}

#[test]
fn the_unused_marker_is_refused_where_it_stands() {
    let malformed = DecodeErrorKind::Malformed("0xc1 starts no value");
    for behind in [0, 1, 40] {
        for (bytes, offset) in
            [(&[0xc1][..], 0), (&[0x91, 0xc1], 1), (&[0x81, 0xa1, b'a', 0xc1], 3), (&[0x81, 0xc1, 0x00], 1)]
        {
            let bytes = [bytes, &vec![0; behind]].concat();
            assert_eq!(skipped(&bytes, 8), Err((offset, malformed.clone())), "{bytes:02x?}");
        }
    }
    assert_eq!(refused(&[0xc1]), (0, malformed.clone()));
    assert_eq!(refused(&[0x93, 33, 0xc1, 1]), (2, malformed.clone()));
    assert_eq!(refused(&[0x94, 32, 1, 0x81, 0xc1]), (4, malformed));
}

#[test]
fn text_that_is_not_utf8_is_refused_at_its_first_bad_byte() {
    let long = [&[0xd9, 100][..], &[b'a'; 99], &[0xff]].concat();
    for behind in [0, 1, 40] {
        for (bytes, offset) in [
            (&[0xa1, 0xff][..], 1),
            (&[0xa3, b'a', b'b', 0x80], 3),
            // Cut off within a character, a surrogate, more bytes than the character needs.
            (&[0xa2, b'a', 0xc3], 2),
            (&[0xa3, 0xed, 0xa0, 0x80], 1),
            (&[0xa2, 0xc0, 0x80], 1),
            (&[0xd9, 1, 0xff], 2),
            (&[0xda, 0, 1, 0xff], 3),
            (&[0xdb, 0, 0, 0, 1, 0xff], 5),
            (&long, 101),
            (&[0x82, 0xa1, b'a', 0xa1, b'b', 0xa1, 0xfe, 0xc0], 6),
        ] {
            let bytes = [bytes, &vec![0; behind]].concat();
            assert_eq!(skipped(&bytes, 8), Err((offset, DecodeErrorKind::InvalidUtf8)), "{bytes:02x?}");
        }
    }
    assert_eq!(refused(&[0x94, 32, 1, 0x80, 0xa2, b'a', 0xff]), (6, DecodeErrorKind::InvalidUtf8));
    assert_eq!(refused(&[0x94, 32, 1, 0x81, 0xa1, 0xff, 0xc0, 0xa1, b'a']), (5, DecodeErrorKind::InvalidUtf8));
    // Bytes are anything.
    assert_eq!(skipped(&[0xc4, 1, 0xff], 0), Ok(3));
    assert_eq!(skipped(&[0xc7, 1, 0xff, 0xff], 0), Ok(4));
}

/// Lists and dicts in turn, each with values before and behind the next one, so that what is left of each level must be remembered.
fn nested(levels: u8) -> (Vec<u8>, usize) {
    let mut bytes = vec![];
    for level in 1..levels {
        bytes.extend(if level % 2 == 0 { &[0x93, 0x01][..] } else { &[0x82, 0xa1, b'a', 0x01, 0xa1, b'b'] });
    }
    let innermost = bytes.len();
    bytes.push(0x90);
    for level in (1..levels).rev() {
        bytes.extend(if level % 2 == 0 { &[0xc0][..] } else { &[] });
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
    assert_eq!(skipped(&[0x90], 0), Err((0, DecodeErrorKind::TooDeep)));
    assert_eq!(skipped(&[0x80], 0), Err((0, DecodeErrorKind::TooDeep)));
    assert_eq!(skipped(&[0xc0], 0), Ok(1));
}

#[test]
fn ser_44_ten_thousand_levels_are_too_many() {
    for marker in [&[0x91][..], &[0x81, 0xa0], &[0xdd, 0, 0, 0, 1], &[0xde, 0, 1, 0xc0]] {
        let bytes = marker.repeat(10_000);
        assert_eq!(skipped(&bytes, 128), Err((marker.len() * 128, DecodeErrorKind::TooDeep)));
        assert_eq!(skipped(&bytes, 3), Err((marker.len() * 3, DecodeErrorKind::TooDeep)));
    }
    // The message's list is the first level, and the Arguments are the second.
    let args = [&[0x91; 127][..], &[0xc0]].concat();
    assert!(event(&event_with(&args)).args::<Value>().is_ok());
    let args = [&[0x91; 128][..], &[0xc0]].concat();
    assert_eq!(refused(&event_with(&args)), (5 + 127, DecodeErrorKind::TooDeep));
    let kwargs = [&[0x96, 36, 1, 1, 0x80, 0x90][..], &[0x81, 0xa0].repeat(10_000)].concat();
    assert_eq!(refused(&kwargs), (6 + 2 * 127, DecodeErrorKind::TooDeep));
    let details = [&[0x94, 36, 1, 1][..], &[0x81, 0xa0].repeat(10_000)].concat();
    assert_eq!(refused(&details), (4 + 2 * 127, DecodeErrorKind::TooDeep));
}

#[test]
fn a_length_beyond_the_frame_is_a_cut_and_not_an_allocation() {
    for bytes in [
        &[0xdd, 255, 255, 255, 255][..],
        &[0xdd, 255, 255, 255, 255, 0xc0, 0xc0],
        &[0xdf, 255, 255, 255, 255, 0xa0, 0xc0],
        &[0xdb, 255, 255, 255, 255, b'a'],
        &[0xc6, 255, 255, 255, 255, 0],
        &[0xc9, 255, 255, 255, 255, 0, 0],
    ] {
        assert_eq!(skipped(bytes, 8), Err((bytes.len(), DecodeErrorKind::Truncated)));
        let args = [&[0x91], bytes].concat();
        assert_eq!(refused(&event_with(&args)), (6 + bytes.len(), DecodeErrorKind::Truncated));
    }
    assert_eq!(refused(&[0xdd, 255, 255, 255, 255]), (5, DecodeErrorKind::Truncated));
    assert_eq!(refused(&[0x95, 36, 1, 1, 0xdf, 255, 255, 255, 255, 0xa0]), (10, DecodeErrorKind::Truncated));
    assert_eq!(refused(&[0x94, 32, 1, 0x80, 0xdb, 255, 255, 255, 255]), (9, DecodeErrorKind::Truncated));
}

#[test]
fn msg_003_keys_are_strings_and_the_last_of_two_counts() {
    let not_a_string = |found| DecodeErrorKind::KeyIsNotAString { found };
    assert_eq!(refused(&[0x93, 2, 7, 0x81, 0x01, 0x80]), (4, not_a_string(Kind::Integer)));
    assert_eq!(refused(&[0x93, 2, 7, 0x82, 0xa1, b'a', 0xc0, 0xc4, 0, 0x80]), (7, not_a_string(Kind::Bytes)));
    let Ok(Message::Welcome(welcome)) = received(&[0x93, 2, 7, 0x82, 0xa1, b'a', 1, 0xa1, b'a', 2]) else { panic!() };
    assert_eq!(welcome.details.extra, Dict::from_iter([("a", 2)]));
}

#[test]
fn the_dict_itself_is_a_level() {
    let skipped = |depth| {
        let mut reader = Reader::new(&[0xc0, 0x82, 0xa0, 0x80, 0xa0, 0x90, 0xc0]);
        reader.skip(0).unwrap();
        reader.skip_dict(depth).map(|()| reader.offset()).map_err(|fault| (fault.offset, fault.kind.clone()))
    };
    assert_eq!(skipped(2), Ok(6));
    assert_eq!(skipped(1), Err((3, DecodeErrorKind::TooDeep)));
    assert_eq!(skipped(0), Err((1, DecodeErrorKind::TooDeep)));
}

#[test]
fn msg_005_a_message_is_a_list() {
    for (byte, found) in [
        (0x80, Kind::Dict),
        (0xa0, Kind::String),
        (0x05, Kind::Integer),
        (0xc0, Kind::Null),
        (0xc2, Kind::Bool),
        (0xc4, Kind::Bytes),
        (0xca, Kind::Float),
        (0xd6, Kind::Other),
    ] {
        assert_eq!(refused(&[byte]), (0, DecodeErrorKind::NotAList { found }));
    }
    assert_eq!(refused(&[0x90]), (0, DecodeErrorKind::EmptyList));
    assert_eq!(refused(&[]), (0, DecodeErrorKind::Truncated));
}

#[test]
fn msg_006_the_message_type_is_an_integer() {
    let expected = "an integer";
    for (bytes, found) in [
        (&[0xa2, b'3', b'3'][..], Kind::String),
        (&[0xcb, 0x40, 0x40, 0x80, 0, 0, 0, 0, 0], Kind::Float),
        (&[0xc0], Kind::Null),
        (&[0xc3], Kind::Bool),
        (&[0xd4, 0, 0], Kind::Other),
    ] {
        let frame = [&[0x93], bytes, &[1, 1]].concat();
        assert_eq!(refused(&frame), (1, DecodeErrorKind::WrongType { expected, found }));
    }
    let negative = DecodeErrorKind::WrongValue { expected: "an integer that is not negative" };
    assert_eq!(refused(&[0x93, 0xff, 1, 1]), (1, negative));
}

#[test]
fn ser_21_each_width_of_an_integer_is_accepted() {
    for one in [
        &[0x01][..],
        &[0xcc, 1],
        &[0xcd, 0, 1],
        &[0xce, 0, 0, 0, 1],
        &[0xcf, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0xd0, 1],
        &[0xd1, 0, 1],
        &[0xd2, 0, 0, 0, 1],
        &[0xd3, 0, 0, 0, 0, 0, 0, 0, 1],
    ] {
        let frame = [&[0xdc, 0, 3, 0xd0, 33], one, one].concat();
        let Ok(Message::Subscribed(message)) = received(&frame) else { panic!("{frame:02x?}") };
        assert_eq!((message.request.get(), message.subscription.get()), (1, 1));
    }
}

#[test]
fn id_02_what_is_no_id_is_refused() {
    let invalid = |value| DecodeErrorKind::InvalidId(InvalidId(value));
    let negative = DecodeErrorKind::WrongValue { expected: "an integer that is not negative" };
    let float = DecodeErrorKind::WrongType { expected: "an integer", found: Kind::Float };
    let string = DecodeErrorKind::WrongType { expected: "an integer", found: Kind::String };
    for (bytes, kind) in [
        (&[0x00][..], invalid(0)),
        (&[0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1], invalid(MAX_ID + 1)),
        (&[0xcf, 255, 255, 255, 255, 255, 255, 255, 255], invalid(u64::MAX)),
        (&[0xff], negative.clone()),
        (&[0xd0, 0x80], negative.clone()),
        (&[0xd1, 0xff, 0], negative.clone()),
        (&[0xd2, 0x80, 0, 0, 0], negative.clone()),
        (&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], negative),
        // 1.5, NaN, -1.0 and the least double above 2^53.
        (&[0xca, 0x3f, 0xc0, 0, 0], float.clone()),
        (&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], float.clone()),
        (&[0xcb, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0], float.clone()),
        (&[0xcb, 0x43, 0x40, 0, 0, 0, 0, 0, 1], float),
        (&[0xa1, b'1'], string),
    ] {
        let frame = [&[0x93, 33, 1], bytes].concat();
        assert_eq!(refused(&frame), (3, kind), "{frame:02x?}");
    }
}

#[test]
fn id_15_floats_that_are_integers_are_ids() {
    for (bytes, id) in [
        (&[0xca, 0x3f, 0x80, 0, 0][..], 1),
        (&[0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], 1),
        (&[0xcb, 0x43, 0x40, 0, 0, 0, 0, 0, 0], MAX_ID),
    ] {
        let frame = [&[0x93, 33, 1], bytes].concat();
        let Ok(Message::Subscribed(message)) = received(&frame) else { panic!("{frame:02x?}") };
        assert_eq!(message.subscription.get(), id);
    }
}

#[test]
fn id_16_ids_are_exact() {
    for id in [1, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, MAX_ID - 1, MAX_ID] {
        let message = crate::Published { request: RequestId::new(id).unwrap(), publication: id.try_into().unwrap() };
        let mut frame = vec![];
        encode(&message.clone().into(), Format::MsgPack, &mut frame).unwrap();
        assert_eq!(received(&frame), Ok(message.into()));
    }
}

#[test]
fn ser_23_extensions_stay_in_the_payload() {
    let timestamp = [0xd6, 0xff, 0, 0, 0, 0];
    let args = [&[0x92][..], &timestamp, &[0x07]].concat();
    let payload = event(&event_with(&args));
    assert_eq!(payload.raw_args().unwrap().unwrap(), args);
    assert_eq!(payload.arg::<u64>(1), Ok(7));
    assert!(payload.arg::<Value>(0).is_err());
    assert!(payload.args::<Value>().is_err());

    let other = DecodeErrorKind::WrongType { expected: "a URI", found: Kind::Other };
    assert_eq!(refused(&[&[0x94, 32, 1, 0x80][..], &timestamp].concat()), (4, other));
    let details = [&[0x93, 2, 7, 0x81, 0xa1, b'x'][..], &timestamp].concat();
    let Ok(Message::Welcome(welcome)) = received(&details) else { panic!("{:?}", received(&details)) };
    assert_eq!(welcome.details.extra, Dict::new());
}

#[test]
fn ser_24_only_kwargs_need_strings_as_keys() {
    let not_a_string = DecodeErrorKind::KeyIsNotAString { found: Kind::Integer };
    assert_eq!(refused(&[0x96, 36, 1, 1, 0x80, 0x90, 0x81, 0x01, 0x02]), (7, not_a_string));
    let payload = event(&event_with(&[0x91, 0x81, 0x01, 0x02]));
    assert_eq!(payload.arg::<std::collections::BTreeMap<u8, u8>>(0).unwrap()[&1], 2);
    assert!(payload.arg::<Value>(0).is_err());
    assert!(received(&[0x96, 36, 1, 1, 0x80, 0x90, 0x81, 0xa1, b'a', 0x81, 0x01, 0x02]).is_ok());
    assert_eq!(
        received(&[0x95, 36, 1, 1, 0x80, 0x81, 0xa1, b'a', 0xc0]).map_err(|error| error.kind().clone()),
        Err(DecodeErrorKind::WrongType { expected: "a list", found: Kind::Dict })
    );
    let too_many = DecodeErrorKind::WrongLength(Length::TooMany);
    assert_eq!(refused(&[0x97, 36, 1, 1, 0x80, 0x90, 0x80, 0xc0]), (7, too_many));
}

#[test]
fn ser_20_the_shortest_forms_are_written() {
    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut frame = Buffer::new();
        write(&mut Writer::new(&mut frame));
        frame.into_vec()
    }
    for (number, bytes) in [
        (0, &[0x00][..]),
        (127, &[0x7f]),
        (128, &[0xcc, 128]),
        (255, &[0xcc, 255]),
        (256, &[0xcd, 1, 0]),
        (65_535, &[0xcd, 255, 255]),
        (65_536, &[0xce, 0, 1, 0, 0]),
        (u64::from(u32::MAX), &[0xce, 255, 255, 255, 255]),
        (1 << 32, &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0]),
        (u64::MAX, &[0xcf, 255, 255, 255, 255, 255, 255, 255, 255]),
    ] {
        assert_eq!(written(|writer| writer.unsigned(number)), bytes);
    }
    for (length, head) in [
        (0, &[0xa0][..]),
        (31, &[0xbf]),
        (32, &[0xd9, 32]),
        (200, &[0xd9, 200]),
        (255, &[0xd9, 255]),
        (256, &[0xda, 1, 0]),
        (65_535, &[0xda, 255, 255]),
        (65_536, &[0xdb, 0, 1, 0, 0]),
    ] {
        let text = "x".repeat(length);
        let bytes = [head, text.as_bytes()].concat();
        assert_eq!(written(|writer| writer.string(&text).unwrap()), bytes);
        assert_eq!(written(|writer| writer.key(&text).unwrap()), bytes);
        assert_eq!(written(|writer| writer.value(&text.into()).unwrap()), bytes);
    }
    for (length, list, dict) in [
        (0, &[0x90][..], &[0x80][..]),
        (15, &[0x9f], &[0x8f]),
        (16, &[0xdc, 0, 16], &[0xde, 0, 16]),
        (65_535, &[0xdc, 255, 255], &[0xde, 255, 255]),
        (65_536, &[0xdd, 0, 1, 0, 0], &[0xdf, 0, 1, 0, 0]),
    ] {
        assert_eq!(written(|writer| writer.begin_list(length)), list);
        assert_eq!(written(|writer| writer.begin_dict(length)), dict);
    }
    let bytes = |bytes: &'static [u8]| Value::Bytes(bytes.into());
    assert_eq!(written(|writer| writer.value(&bytes(&[1, 2])).unwrap()), [0xc4, 2, 1, 2]);
    assert_eq!(written(|writer| writer.value(&"ab".into()).unwrap()), [0xa2, b'a', b'b']);
    assert_eq!(written(|writer| writer.bool(true)), [0xc3]);
    assert_eq!(written(|writer| writer.bool(false)), [0xc2]);
}
