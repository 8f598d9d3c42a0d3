//! Shows that the peers and Loowy do the work that the benchmarks say they do.
#![allow(clippy::unwrap_used, reason = "a test")]

use ::wampproto::messages::event::Event;
use loowy_benches::{Case, Format, Reading, frame, readings};
use loowy_benches_peers::{wamp_async, wampproto};

#[test]
fn wamp_async_turns_the_large_event_into_readings() {
    for (format, decode) in [
        (Format::Json, wamp_async::decode_json as fn(&[u8]) -> _),
        (Format::MsgPack, wamp_async::decode_msgpack),
    ] {
        let message = decode(&frame(Case::EventThousand, format)).unwrap();
        assert_eq!(
            wamp_async::arguments_as::<Vec<Reading>>(message),
            Ok(readings())
        );
    }
}

#[test]
fn wamp_async_encodes_what_it_decoded() {
    for case in Case::ALL {
        let json = frame(case, Format::Json);
        let message = wamp_async::decode_json(&json).unwrap();
        let again: serde_json::Value =
            serde_json::from_slice(&wamp_async::encode_json(&message).unwrap()).unwrap();
        assert_eq!(
            again,
            serde_json::from_slice::<serde_json::Value>(&json).unwrap()
        );
    }
    let json = frame(Case::EventThousand, Format::Json);
    let template = wamp_async::decode_json(&json).unwrap();
    let typed = wamp_async::event_with_arguments(&template, readings()).unwrap();
    let again: serde_json::Value =
        serde_json::from_slice(&wamp_async::encode_json(&typed).unwrap()).unwrap();
    assert_eq!(
        again,
        serde_json::from_slice::<serde_json::Value>(&json).unwrap()
    );
}

#[test]
fn wamp_async_has_no_binary_data_in_msgpack() {
    assert!(wamp_async::decode_msgpack(&frame(Case::ResultBytes, Format::MsgPack)).is_err());
}

#[test]
fn wampproto_decodes_every_frame_and_encodes_the_same_length() {
    for format in Format::ALL {
        let serializer = wampproto::serializer(format);
        for case in Case::ALL {
            let frame = frame(case, format);
            let message = wampproto::decode(&*serializer, frame.clone()).unwrap();
            if case == Case::EventThousand {
                let event = message.as_any().downcast_ref::<Event>().unwrap();
                assert_eq!(event.args.as_ref().map(Vec::len), Some(1000));
            }
            // Dictionaries lose their order, and CBOR doubles that fit a float are written shorter.
            let again = wampproto::encode(&*serializer, &*message).unwrap();
            assert!(
                again.len() <= frame.len() && again.len() > frame.len() * 9 / 10,
                "{} {}",
                format.name(),
                case.name()
            );
        }
    }
}

#[cfg(feature = "loowy")]
#[test]
fn loowy_decodes_every_frame_and_encodes_the_same_bytes() {
    use loowy_benches_peers::loowy::{self, BorrowedReading};
    use wamp_proto::{PayloadCheck, Value};

    for format in Format::ALL {
        for case in Case::ALL {
            let frame = frame(case, format);
            let decode = |check| loowy::decode(format, frame.clone().into(), check).unwrap();
            let message = decode(PayloadCheck::OnReceipt);
            assert_eq!(message, decode(PayloadCheck::OnDecode));
            assert_eq!(loowy::encode(format, &message).unwrap(), frame);
            let values: Vec<Value> = loowy::arguments_as(&message).unwrap();
            assert_eq!(
                loowy::with_arguments(format, &message, values).unwrap(),
                message
            );
        }
        let frame = frame(Case::EventThousand, format);
        let message = loowy::decode(format, frame.clone().into(), PayloadCheck::OnReceipt).unwrap();
        assert_eq!(
            loowy::arguments_as::<Vec<Reading>>(&message),
            Ok(readings())
        );
        let typed = loowy::with_arguments(format, &message, readings()).unwrap();
        assert_eq!(loowy::encode_frame(format, typed).unwrap(), frame);
        let borrowed = loowy::arguments_as::<Vec<BorrowedReading<'_>>>(&message).unwrap();
        for (borrowed, owned) in borrowed.into_iter().zip(readings()) {
            let BorrowedReading {
                id,
                sensor,
                value,
                alarm,
            } = borrowed;
            let sensor = sensor.to_owned();
            assert_eq!(
                Reading {
                    id,
                    sensor,
                    value,
                    alarm
                },
                owned
            );
        }
    }
}
