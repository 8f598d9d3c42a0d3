//! Futures that are dropped at each of their awaits leave behind what their documentation says, and nothing else.

use core::future::Future;
use core::pin::Pin;

use wamp_proto::CancelMode;

use super::world::{WELCOME, World, poll};
use crate::{CallOptions, Config, Offline, OfflinePolicy, ReconnectPolicy, TransportError, TransportErrorKind};

/// Makes a request of a future.
macro_rules! making {
    (|$client:ident| $future:expr) => {
        |world| {
            let $client = &world.client;
            let future = $future;
            Box::pin(async move { drop(future.await) })
        }
    };
}

mod ends;

type Making = Pin<Box<dyn Future<Output = ()>>>;

/// A request, and what is said on the wire about it.
struct Request {
    what: &'static str,
    make: fn(&World) -> Making,
    /// What is sent when it is polled.
    asked: &'static str,
    /// What its drop sends while it waits for the answer.
    dropped: &'static [&'static str],
    answer: &'static str,
    /// What an answer that comes after the drop makes the client send.
    late: &'static [&'static str],
    /// What its drop sends when the answer has come.
    answered: &'static [&'static str],
    /// What the router says to what was sent last.
    last: &'static str,
}

/// What a request is whose drop says nothing.
const SILENT: Request = Request {
    what: "",
    make: |_| Box::pin(async {}),
    asked: "",
    dropped: &[],
    answer: "",
    late: &[],
    answered: &[],
    last: "",
};

const CANCEL: &[&str] = &[r#"[49,1,{"mode":"killnowait"}]"#];
const UNSUBSCRIBE: &[&str] = &["[34,2,77]"];
const UNREGISTER: &[&str] = &["[66,2,88]"];

const REQUESTS: [Request; 13] = [
    Request {
        what: "a call",
        make: making!(|client| client.call("com.example.p", ())),
        asked: r#"[48,1,{},"com.example.p"]"#,
        dropped: CANCEL,
        answer: "[50,1,{}]",
        ..SILENT
    },
    Request {
        what: "a call that is killed",
        make: making!(|client| {
            let options = CallOptions::new().cancel_on_drop(Some(CancelMode::Kill));
            client.call_with("com.example.p", (), options)
        }),
        asked: r#"[48,1,{},"com.example.p"]"#,
        dropped: &[r#"[49,1,{"mode":"kill"}]"#],
        answer: r#"[8,48,1,{},"wamp.error.canceled"]"#,
        ..SILENT
    },
    Request {
        what: "a call that goes on",
        make: making!(|client| client.call_with("com.example.p", (), CallOptions::new().cancel_on_drop(None))),
        asked: r#"[48,1,{},"com.example.p"]"#,
        answer: "[50,1,{}]",
        ..SILENT
    },
    Request {
        what: "a call of the meta API",
        make: making!(|client| client.meta().session_count()),
        asked: r#"[48,1,{},"wamp.session.count"]"#,
        dropped: CANCEL,
        answer: "[50,1,{},[3]]",
        ..SILENT
    },
    Request {
        what: "a call with results in parts",
        make: making!(|client| {
            let call = client.call_progressive("com.example.p", ());
            async move { call.await.unwrap_or_else(|_| panic!("not sent")).finish().await }
        }),
        asked: r#"[48,1,{"receive_progress":true},"com.example.p"]"#,
        dropped: CANCEL,
        answer: "[50,1,{}]",
        ..SILENT
    },
    Request {
        what: "a call with input in parts",
        make: making!(|client| {
            let call = client.call_streaming("com.example.p", 1);
            async move {
                let (input, call) = call.await.unwrap_or_else(|_| panic!("not sent"));
                let result = call.finish().await;
                drop(input);
                result
            }
        }),
        asked: r#"[48,1,{"progress":true},"com.example.p",[1]]"#,
        dropped: CANCEL,
        answer: "[50,1,{}]",
        ..SILENT
    },
    Request {
        what: "an acknowledged publication",
        make: making!(|client| client.publish_acked("com.example.t", ())),
        asked: r#"[16,1,{"acknowledge":true},"com.example.t"]"#,
        answer: "[17,1,9]",
        ..SILENT
    },
    Request {
        what: "an acknowledged publication that is refused",
        make: making!(|client| client.publish_acked("com.example.t", ())),
        asked: r#"[16,1,{"acknowledge":true},"com.example.t"]"#,
        answer: r#"[8,16,1,{},"com.example.no"]"#,
        ..SILENT
    },
    Request {
        what: "a subscription",
        make: making!(|client| client.subscribe("com.example.t")),
        asked: r#"[32,1,{},"com.example.t"]"#,
        answer: "[33,1,77]",
        late: UNSUBSCRIBE,
        answered: UNSUBSCRIBE,
        last: "[35,2]",
        ..SILENT
    },
    Request {
        what: "a subscription with a handler",
        make: making!(|client| client.subscribe_fn("com.example.t", |(): ()| async { Ok(()) })),
        asked: r#"[32,1,{},"com.example.t"]"#,
        answer: "[33,1,77]",
        late: UNSUBSCRIBE,
        answered: UNSUBSCRIBE,
        last: "[35,2]",
        ..SILENT
    },
    Request {
        what: "a subscription to the meta API",
        make: making!(|client| client.meta().on_join()),
        asked: r#"[32,1,{},"wamp.session.on_join"]"#,
        answer: "[33,1,77]",
        late: UNSUBSCRIBE,
        answered: UNSUBSCRIBE,
        last: "[35,2]",
        ..SILENT
    },
    Request {
        what: "a registration",
        make: making!(|client| client.register("com.example.p")),
        asked: r#"[64,1,{},"com.example.p"]"#,
        answer: "[65,1,88]",
        late: UNREGISTER,
        answered: UNREGISTER,
        last: "[67,2]",
        ..SILENT
    },
    Request {
        what: "a registration with a handler",
        make: making!(|client| client.register_fn("com.example.p", |(): ()| async { Ok(()) })),
        asked: r#"[64,1,{},"com.example.p"]"#,
        answer: "[65,1,88]",
        late: UNREGISTER,
        answered: UNREGISTER,
        last: "[67,2]",
        ..SILENT
    },
];

/// A client for which everything waits until it has joined.
fn connecting() -> World {
    let offline = Offline::new().publishes(OfflinePolicy::Wait);
    let config = Config::new("ws://router/ws", "realm1").offline(offline).reconnect(ReconnectPolicy::never());
    World::connecting(config.keep_alive(None))
}

fn assert_sent(world: &World, expected: &[&str], what: &str) {
    // Tasks of handlers find out what has happened.
    world.run();
    assert_eq!(world.sent(), expected, "{what}");
}

#[test]
fn rob_05_a_request_that_is_dropped_before_its_first_poll_is_never_sent() {
    for Request { what, make, .. } in REQUESTS {
        let world = World::new();
        let future = make(&world);
        assert_sent(&world, &[], what);
        world.assert_still(what);
        drop(future);
        assert_sent(&world, &[], what);
        world.assert_still(what);
    }
}

#[test]
fn rob_05_a_request_that_is_dropped_while_it_waits_for_the_join_is_never_sent() {
    // While it is joined, this one waits for nothing.
    let make: fn(&World) -> Making = making!(|client| client.publish("com.example.t", ()));
    let publication = Request { what: "a publication", make, ..SILENT };
    for Request { what, make, .. } in REQUESTS.into_iter().chain([publication]) {
        for is_open in [false, true] {
            let world = connecting();
            let mut future = make(&world);
            let open = || {
                world.link.opened(world.transport, Some("wamp.2.json"));
                assert!(matches!(&*world.sent(), [hello] if hello.starts_with("[1,")));
            };
            if is_open {
                open();
            }
            for _ in 0..2 {
                assert!(poll(future.as_mut()).is_pending(), "{what}");
            }
            drop(future);
            if !is_open {
                open();
            }
            world.receive(WELCOME);
            assert_sent(&world, &[], what);
            world.assert_still(what);
        }
    }
}

#[test]
fn rob_05_a_request_that_is_dropped_while_it_waits_for_the_answer_is_withdrawn() {
    for Request { what, make, asked, dropped, answer, late, last, .. } in REQUESTS {
        for polls in 1..4 {
            let world = World::new();
            let mut future = make(&world);
            for _ in 0..polls {
                assert!(poll(future.as_mut()).is_pending(), "{what}");
            }
            assert_sent(&world, &[asked], what);
            drop(future);
            assert_sent(&world, dropped, what);
            // What comes too late is neither a violation nor kept.
            world.receive(answer);
            assert_sent(&world, late, what);
            if !late.is_empty() {
                world.receive(last);
            }
            assert_sent(&world, &[], what);
            world.assert_still(what);
            assert!(world.client.session().is_some(), "{what}");
        }
    }
}

#[test]
fn rob_05_a_request_that_is_dropped_with_its_answer_unread_is_undone() {
    for Request { what, make, asked, answer, answered, last, .. } in REQUESTS {
        let world = World::new();
        let mut future = make(&world);
        assert!(poll(future.as_mut()).is_pending(), "{what}");
        assert_sent(&world, &[asked], what);
        world.receive(answer);
        assert_sent(&world, &[], what);
        drop(future);
        assert_sent(&world, answered, what);
        if !answered.is_empty() {
            world.receive(last);
        }
        world.assert_still(what);
        assert!(world.client.session().is_some(), "{what}");
    }
}

#[test]
fn rob_05_a_request_that_is_dropped_after_the_session_was_lost_says_nothing() {
    for Request { what, make, .. } in REQUESTS {
        for is_dropped_first in [true, false] {
            let mut world = World::new();
            let mut future = Some(make(&world));
            assert!(future.as_mut().is_some_and(|future| poll(future.as_mut()).is_pending()), "{what}");
            world.drain();
            if is_dropped_first {
                future = None;
            }
            world.link.closed(world.transport, TransportError::new(TransportErrorKind::Eof));
            drop(future);
            assert_sent(&world, &[], what);
            // Nor does the next session know of it.
            world.reopen();
            world.link.opened(world.transport, Some("wamp.2.json"));
            assert!(matches!(&*world.sent(), [hello] if hello.starts_with("[1,")));
            world.receive(WELCOME);
            assert_sent(&world, &[], what);
            world.assert_still(what);
        }
    }
}
