//! xconn, a router that announces no feature.

use loowy_tokio::Format;

use super::{Method, Router, basic, matrix};

matrix! {
    Xconn
    json_anonymous: Json Anonymous;
    json_ticket: Json Ticket;
    json_wampcra: Json Cra;
    msgpack_anonymous: MsgPack Anonymous;
    msgpack_ticket: MsgPack Ticket;
    msgpack_wampcra: MsgPack Cra;
    cbor_anonymous: Cbor Anonymous;
    cbor_ticket: Cbor Ticket;
    cbor_wampcra: Cbor Cra;
}

#[tokio::test]
async fn values_cross_formats_unchanged() {
    // It ends the session of one that is to get bytes in JSON.
    let test = |url| basic::values(url, &[Format::MsgPack, Format::Cbor]);
    Router::Xconn.run("values_cross_formats_unchanged", test).await;
}

#[tokio::test]
async fn large_messages_pass_in_both_directions() {
    Router::Xconn.run("large_messages_pass_in_both_directions", basic::large_messages).await;
}

#[tokio::test]
async fn sixteen_callers_at_once_get_their_own_results() {
    Router::Xconn.run("sixteen_callers_at_once_get_their_own_results", basic::many_callers).await;
}
