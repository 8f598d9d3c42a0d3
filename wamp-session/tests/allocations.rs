//! How much a session allocates for what it receives and sends. The counter is the process's, so this is one test in a binary of its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::alloc::System;

use bytes::Bytes;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use wamp_session::proto::{Format, IntoPayload, Uri};
use wamp_session::{CallOptions, Config, Frame, Opened, PublishOptions, Session, SessionEvent, SubscribeOptions, Time};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many times memory was allocated, or allocated anew, while `run` ran.
fn allocations<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let region = Region::new(ALLOCATOR);
    let result = run();
    let change = region.change();
    (change.allocations + change.reallocations, result)
}

#[test]
fn an_event_and_a_result_allocate_nothing_and_a_request_its_frame() {
    let now = Time::ZERO;
    let mut session = Session::new(Config::new("ws://127.0.0.1/", "realm1"));
    session.connect(now);
    let id = session.transport().unwrap();
    session.handle_opened(now, id, Opened::new(Some("wamp.2.json")));
    let receive = |session: &mut Session, text: &'static str| {
        session.handle_frame(now, id, Frame::Text(Bytes::from_static(text.as_bytes())));
    };
    receive(&mut session, r#"[2,1,{"roles":{"broker":{},"dealer":{}}}]"#);
    let topic = Uri::new("com.example.topic").unwrap();
    session.subscribe(now, topic.clone(), SubscribeOptions::new()).unwrap();
    receive(&mut session, "[33,1,100]");
    while session.poll_event().is_some() {}
    while session.poll_action().is_some() {}

    let (count, event) = allocations(|| {
        receive(&mut session, r#"[36,100,4429313566,{},["Hello, world!",[1,2,3]]]"#);
        session.poll_event()
    });
    assert!(matches!(event, Some(SessionEvent::Published(_))));
    assert_eq!(count, 0);

    // The frame, and what lets it be shared.
    let payload = ("Hello, world!", 42).into_payload(Format::Json).unwrap();
    let options = PublishOptions::new();
    let (count, action) = allocations(|| {
        session.publish(now, topic, payload, options).unwrap();
        session.poll_action()
    });
    assert!(action.is_some());
    assert!(count <= 2, "{count} allocations");

    // While other calls are under way; the table grows by leaves of eleven.
    let procedure = Uri::new("com.example.procedure").unwrap();
    let mut counts = Vec::new();
    for _ in 0..3 {
        let (procedure, payload) = (procedure.clone(), (1, 2).into_payload(Format::Json).unwrap());
        let (count, _) = allocations(|| {
            session.call(now, procedure, payload, CallOptions::new()).unwrap();
            session.poll_action()
        });
        counts.push(count);
    }
    assert!(counts[2] <= 2, "{counts:?} allocations");
    let (count, event) = allocations(|| {
        receive(&mut session, r#"[50,4,{},[3]]"#);
        session.poll_event()
    });
    assert!(matches!(event, Some(SessionEvent::CallDone { result: Ok(_), .. })), "{event:?}");
    assert_eq!(count, 0);
}
