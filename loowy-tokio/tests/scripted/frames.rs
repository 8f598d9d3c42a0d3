//! Messages in frames: their kinds, fragments and sizes, and the frames that are no messages.

use futures_util::SinkExt;
use loowy_tokio::{CloseCause, Limits, RequestError, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::server::{Server, WELCOME, bounded, refused};

#[tokio::test]
async fn ws_05_the_wrong_kind_of_frame_ends_the_session() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        peer.0.send(Message::binary(b"[36,77,5,{}]".as_slice())).await.unwrap();
        assert!(peer.text().await.contains("wamp.error.protocol_violation"));
        let frame = peer.close_frame().await.unwrap();
        assert_eq!(frame.code, CloseCode::Normal);
        while peer.next().await.is_some() {}
        assert!(matches!(client.close().await.unwrap_err(), CloseCause::ProtocolViolation(_)));
    })
    .await;
}

#[tokio::test]
async fn ws_06_a_message_in_fragments_with_a_ping_between_is_one_message() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let (mut peer, _) = server.accept(Some("wamp.2.json")).await;
        peer.text().await;
        let (one, rest) = WELCOME.as_bytes().split_at(10);
        let (two, three) = rest.split_at(10);
        peer.send_frame(one, OpCode::Data(Data::Text), false).await;
        peer.send_frame(two, OpCode::Data(Data::Continue), false).await;
        peer.0.send(Message::Ping(b"alive?".as_slice().into())).await.unwrap();
        let pong = peer.next().await;
        assert!(matches!(&pong, Some(Message::Pong(payload)) if *payload == b"alive?".as_slice()), "{pong:?}");
        peer.send_frame(three, OpCode::Data(Data::Continue), true).await;
        assert_eq!(connect.await.unwrap().unwrap().session().unwrap().session.get(), 7_814_135);
    })
    .await;
}

#[tokio::test]
async fn ws_07_pings_are_answered_and_pongs_ignored() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        peer.0.send(Message::Pong(b"unsolicited".as_slice().into())).await.unwrap();
        for size in [0, 4, 125] {
            let payload = vec![b'x'; size];
            peer.0.send(Message::Ping(payload.clone().into())).await.unwrap();
            let pong = peer.next().await;
            assert!(matches!(&pong, Some(Message::Pong(echo)) if *echo == payload), "{pong:?}");
        }
        assert!(client.session().is_some());
    })
    .await;
}

#[tokio::test]
async fn ws_07_client_frames_are_masked_and_masked_server_frames_refused() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let mut stream = server.accept_raw("Sec-WebSocket-Protocol: wamp.2.json\r\n").await;
        let mut head = [0; 2];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!((head[0], head[1] & 0x80), (0x81, 0x80), "a masked text frame");
        stream.write_all(&[0x81, 0x82, 1, 2, 3, 4, b'[' ^ 1, b']' ^ 2]).await.unwrap();
        assert_eq!(refused(connect).await, TransportErrorKind::Protocol);
    })
    .await;
}

#[tokio::test]
async fn ws_12_a_message_over_the_limit_closes_with_1009() {
    bounded(async {
        let server = Server::bind().await;
        let limits = Limits::new().message(loowy_tokio::MessageLimits::new().max_message_bytes(1_024));
        let (mut peer, client) = server.join(server.config().limits(limits)).await;
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call("com.example.p", ()).await }
        });
        peer.text().await;
        peer.send(&format!(r#"[50,1,{{}},["{}"]]"#, "x".repeat(2_048))).await;
        assert_eq!(u16::from(peer.close_frame().await.unwrap().code), 1009);
        assert!(matches!(call.await.unwrap().unwrap_err(), RequestError::Disconnected { sent: true }));
        let CloseCause::Transport(error) = client.close().await.unwrap_err() else { panic!("not the transport") };
        assert_eq!(*error.kind(), TransportErrorKind::TooLarge);
    })
    .await;
}

#[tokio::test]
async fn ser_16_invalid_utf8_closes_with_1007() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        peer.send_frame(b"[\xff]", OpCode::Data(Data::Text), true).await;
        assert_eq!(u16::from(peer.close_frame().await.unwrap().code), 1007);
        let CloseCause::Transport(error) = client.close().await.unwrap_err() else { panic!("not the transport") };
        assert_eq!(*error.kind(), TransportErrorKind::Protocol);
    })
    .await;
}
