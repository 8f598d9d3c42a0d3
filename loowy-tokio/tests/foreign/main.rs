//! Other people's clients at the embedded router, and at the other end of ours: set `LOOWY_AUTOBAHN` to a Python that has autobahn,
//! `LOOWY_NODE` to a Node.js and `LOOWY_WAMPY` to the folder in which wampy.js is installed, as `.ci/run foreign` does. The tests of a
//! client that is not there are skipped.
//!
//! Each test serves a router, joins it with a client of ours, the host, and runs the program of a foreign client, a peer, in
//! `.ci/foreign`: it tries one scenario after the other, at the router alone and with the host, prints `foreign ran: …` for each that
//! holds, and fails at the first that does not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loowy_tokio::Format;
use loowy_tokio::router::{self, RealmConfig, RouterServer, User};
use tokio::time::{sleep, timeout};

use self::host::Host;

/// No peer takes longer, on a machine that has other things to do as well.
const DEADLINE: Duration = Duration::from_secs(120);

/// A router that lets anonymous clients in, and one user for each method.
async fn serve() -> RouterServer {
    let realm = RealmConfig::new("realm1")
        .unwrap()
        .anonymous("guest")
        .user(User::ticket("peter", "ticket1").role("guest"))
        .user(User::wampcra("paul", "secret1").role("guest"))
        .user(User::wampcra_salted("pauline", "secret1", "salt123", 1000, 32).unwrap().role("guest"));
    RouterServer::bind("127.0.0.1:0", router::config().unwrap().realm(realm)).await.unwrap()
}

async fn autobahn(format: Format, method: &str) {
    match env::var("LOOWY_AUTOBAHN") {
        Ok(python) => try_peer(Command::new(python).arg(script("autobahn_peer.py")), format, method).await,
        Err(_) => println!("skipped: LOOWY_AUTOBAHN is not set"),
    }
}

async fn wampy(format: Format, method: &str) {
    match (env::var("LOOWY_NODE"), env::var("LOOWY_WAMPY")) {
        (Ok(node), Ok(_)) => try_peer(Command::new(node).arg(script("wampy_peer.mjs")), format, method).await,
        _ => println!("skipped: LOOWY_NODE or LOOWY_WAMPY is not set"),
    }
}

/// Runs a peer that speaks this format, with a host that speaks another.
async fn try_peer(peer: &mut Command, format: Format, method: &str) {
    let server = serve().await;
    let host = Host::join(&server.url(), other_than(format)).await;
    run(peer.arg(server.url()).arg(format.subprotocol()).arg(method)).await;
    host.close().await;
    server.shutdown().await;
}

/// A program in `.ci/foreign`.
fn script(name: &str) -> impl AsRef<std::ffi::OsStr> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/foreign").join(name)
}

fn other_than(format: Format) -> Format {
    match format {
        Format::Json => Format::Cbor,
        Format::MsgPack => Format::Json,
        _ => Format::MsgPack,
    }
}

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It fails if the process has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn run(peer: &mut Command) {
    // Its output goes where ours goes.
    let mut peer = Process(peer.stdin(Stdio::null()).spawn().unwrap());
    let ended = async {
        loop {
            match peer.0.try_wait().unwrap() {
                Some(status) => break status,
                None => sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let status = timeout(DEADLINE, ended).await.expect("the peer did not end in time");
    assert!(status.success(), "the peer failed: {status}");
}

/// A test for each, of what is named, in a format and with a method.
macro_rules! matrix {
    ($peer:ident $($name:ident: $format:ident $method:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            $peer(Format::$format, $method).await;
        }
    )*};
}

matrix! {
    autobahn
    autobahn_json_anonymous: Json "anonymous";
    autobahn_json_ticket: Json "ticket";
    autobahn_json_wampcra: Json "wampcra";
    autobahn_json_wampcra_salted: Json "wampcra-salted";
    autobahn_msgpack_anonymous: MsgPack "anonymous";
    autobahn_msgpack_ticket: MsgPack "ticket";
    autobahn_msgpack_wampcra: MsgPack "wampcra";
    autobahn_msgpack_wampcra_salted: MsgPack "wampcra-salted";
    autobahn_cbor_anonymous: Cbor "anonymous";
    autobahn_cbor_ticket: Cbor "ticket";
    autobahn_cbor_wampcra: Cbor "wampcra";
    autobahn_cbor_wampcra_salted: Cbor "wampcra-salted";
}

matrix! {
    wampy
    wampy_json_anonymous: Json "anonymous";
    wampy_json_ticket: Json "ticket";
    wampy_json_wampcra: Json "wampcra";
    wampy_json_wampcra_salted: Json "wampcra-salted";
    wampy_msgpack_anonymous: MsgPack "anonymous";
    wampy_msgpack_ticket: MsgPack "ticket";
    wampy_msgpack_wampcra: MsgPack "wampcra";
    wampy_msgpack_wampcra_salted: MsgPack "wampcra-salted";
    wampy_cbor_anonymous: Cbor "anonymous";
    wampy_cbor_ticket: Cbor "ticket";
    wampy_cbor_wampcra: Cbor "wampcra";
    wampy_cbor_wampcra_salted: Cbor "wampcra-salted";
}
