//! When received payloads are checked: on receipt, as the specification wants, or when they are looked at.

use wamp_session::proto::{DecodeErrorKind, Format, MessageType, PayloadCheck, PayloadError};
use wamp_session::{CloseCause, Frame, ProtocolViolation};

use super::messages::text;
use crate::support::{Peer, WELCOME, config};

fn joined_in(format: Format, check: PayloadCheck) -> Peer {
    let mut peer = Peer::joining_in(format, config().payload_check(check));
    peer.receive(WELCOME);
    peer.expect_joined();
    peer
}

/// EVENTs of the subscription 77, publication 5, whose Arguments are malformed in each format.
fn malformed_events() -> [(Format, Frame); 3] {
    [
        (Format::Json, text("[36,77,5,{},[tru]]")),
        // 0xc1 is never used in MessagePack.
        (Format::MsgPack, Frame::Binary(vec![0x95, 36, 77, 5, 0x80, 0x91, 0xc1].into())),
        // A break in a list of a definite length.
        (Format::Cbor, Frame::Binary(vec![0x85, 0x18, 36, 0x18, 77, 5, 0xa0, 0x81, 0xff].into())),
    ]
}

#[test]
fn a_malformed_payload_breaks_the_protocol_when_checked_on_receipt() {
    for (format, event) in malformed_events() {
        let cause = joined_in(format, PayloadCheck::OnReceipt).violated_by(&[event]);
        let CloseCause::ProtocolViolation(ProtocolViolation::Decode(error)) = &*cause else { panic!("{cause:?}") };
        assert_eq!(error.message_type(), Some(MessageType::Event));
        assert!(matches!(error.kind(), DecodeErrorKind::Malformed(_)), "{format}: {error:?}");
    }
}

#[test]
fn a_malformed_payload_shows_at_the_accessor_when_checked_on_decode() {
    for (format, event) in malformed_events() {
        let mut peer = joined_in(format, PayloadCheck::OnDecode);
        let key = peer.subscribed("com.example.topic", 77);
        peer.receive_frame(event);
        let published = peer.expect_published();
        assert_eq!((published.key, published.publication.get()), (key, 5));
        let payload = &published.payload;
        assert!(matches!(payload.args::<(bool,)>(), Err(PayloadError::Malformed(_))), "{format}");
        assert!(matches!(payload.raw_args(), Err(PayloadError::Malformed(_))), "{format}");
        assert!(payload.check().is_err(), "{format}");
        peer.expect_usable();
        // The next one is well.
        peer.receive("[36,77,6,{},[true]]");
        assert!(peer.expect_published().payload.arg::<bool>(0).unwrap());
    }
}

#[test]
fn whatever_stands_before_the_payload_is_checked_on_receipt_in_any_case() {
    for frame in ["[36,77,5,{tru},[1]]", "[36,77,5,[],[1]]", "[36,0,5,{},[1]]"] {
        let cause = joined_in(Format::Json, PayloadCheck::OnDecode).violated_by(&[text(frame)]);
        let CloseCause::ProtocolViolation(ProtocolViolation::Decode(_)) = &*cause else { panic!("{cause:?}") };
    }
}
