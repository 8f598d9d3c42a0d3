//! What happens to commands while the session is not joined, by option.

use core::time::Duration;

use wamp_session::proto::Payload;
use wamp_session::{
    CallKey, CallOptions, CloseCause, CommandError, Config, Limits, Offline, OfflinePolicy, PublishKey, PublishOptions,
    RegisterOptions, RegistrationKey, RequestError, SessionEvent, Stats, SubscribeOptions, SubscriptionKey,
    TransportErrorKind,
};

use crate::support::{Peer, WELCOME, payload, uri};
use crate::{config, cut, expect_left, expect_restored, joined, rejoin};

const FAIL_FAST: OfflinePolicy = OfflinePolicy::FailFast;
const WAIT: OfflinePolicy = OfflinePolicy::Wait;

fn all(policy: OfflinePolicy) -> Config {
    let offline = Offline::new().calls(policy).publishes(policy).acked_publishes(policy);
    config().offline(offline.subscribes(policy).registers(policy))
}

/// One command of each kind, in this order, with the options' policy.
struct Given {
    call: Result<CallKey, CommandError>,
    publish: Result<Option<PublishKey>, CommandError>,
    acked: Result<PublishKey, CommandError>,
    subscribe: Result<SubscriptionKey, CommandError>,
    register: Result<RegistrationKey, CommandError>,
}

fn give(peer: &mut Peer, own: Option<OfflinePolicy>) -> Given {
    let (session, now, none) = (&mut peer.session, peer.now, Payload::new());
    let (mut call, mut publish) = (CallOptions::new(), PublishOptions::new());
    let (mut subscribe, mut register) = (SubscribeOptions::new(), RegisterOptions::new());
    if let Some(policy) = own {
        (call, publish) = (call.offline(policy), publish.offline(policy));
        (subscribe, register) = (subscribe.offline(policy), register.offline(policy));
    }
    Given {
        call: session.call(now, uri("com.example.call"), none.clone(), call),
        publish: session.publish(now, uri("com.example.publish"), none.clone(), publish.clone()),
        acked: session.publish_acked(now, uri("com.example.acked"), none, publish),
        subscribe: session.subscribe(now, uri("com.example.subscribe"), subscribe),
        register: session.register(now, uri("com.example.register"), register),
    }
}

impl Given {
    /// The errors of call, publish, acknowledged publish, subscribe and register.
    fn errors(self) -> [Option<CommandError>; 5] {
        let Self { call, publish, acked, subscribe, register } = self;
        [call.err(), publish.err(), acked.err(), subscribe.err(), register.err()]
    }
}

#[test]
fn need_60_what_fails_fast_fails_at_once_and_is_never_sent() {
    for own in [false, true] {
        let mut peer = joined(if own { config() } else { all(FAIL_FAST) });
        let left = cut(&mut peer);
        let errors = give(&mut peer, own.then_some(FAIL_FAST)).errors();
        assert!(errors.iter().all(|error| *error == Some(CommandError::NotJoined)), "{errors:?}");
        peer.expect_no_event();
        rejoin(&mut peer, &left);
        peer.expect_silence();
        assert!(expect_restored(&mut peer).is_empty());
    }
}

#[test]
fn need_60_each_kind_of_command_has_its_own_policy() {
    let waiting = Offline::new().publishes(WAIT);
    let each = [
        waiting.calls(FAIL_FAST),
        waiting.publishes(FAIL_FAST),
        waiting.acked_publishes(FAIL_FAST),
        waiting.subscribes(FAIL_FAST),
        waiting.registers(FAIL_FAST),
    ];
    for (kind, offline) in each.into_iter().enumerate() {
        let mut peer = joined(config().offline(offline));
        cut(&mut peer);
        let mut expected = [const { None }; 5];
        expected[kind] = Some(CommandError::NotJoined);
        assert_eq!(give(&mut peer, None).errors(), expected);
    }
}

#[test]
fn need_60_an_operation_fails_fast_also_on_a_topic_that_is_subscribed_to_already() {
    let mut peer = joined(config());
    peer.subscribed("com.example.t", 11);
    cut(&mut peer);
    let options = SubscribeOptions::new().offline(FAIL_FAST);
    assert_eq!(peer.session.subscribe(peer.now, uri("com.example.t"), options), Err(CommandError::NotJoined));
}

#[test]
fn need_60_what_is_buffered_outlasts_the_request_timeout_and_goes_out_in_its_order() {
    let mut peer = joined(all(OfflinePolicy::Buffer(5)));
    cut(&mut peer);
    let first = give(&mut peer, None);
    assert_eq!(first.publish, Ok(None));
    let second = give(&mut peer, None);
    assert!(skip(&mut peer, Duration::from_secs(600)).is_empty());
    peer.session.reconnect_now(peer.now);
    crate::accept(&mut peer);
    for (request, frame) in [
        r#"[48,1,{},"com.example.call"]"#,
        r#"[16,2,{},"com.example.publish"]"#,
        r#"[16,3,{"acknowledge":true},"com.example.acked"]"#,
        r#"[32,4,{},"com.example.subscribe"]"#,
        r#"[64,5,{},"com.example.register"]"#,
        r#"[48,6,{},"com.example.call"]"#,
        r#"[16,7,{},"com.example.publish"]"#,
        r#"[16,8,{"acknowledge":true},"com.example.acked"]"#,
        // The second subscription shares the router's.
        r#"[64,9,{},"com.example.register"]"#,
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(peer.sent(), frame, "request {request}");
    }
    peer.expect_silence();
    expect_restored(&mut peer);
    // The request timeout counts from the join.
    peer.wait(Duration::from_millis(9_999));
    peer.expect_no_event();
    peer.wait(Duration::from_millis(1));
    let timeout = |result: Option<RequestError>| matches!(result, Some(RequestError::Timeout { sent: true }));
    for given in [&first, &second] {
        let acked = given.acked.clone().unwrap();
        assert!(timeout(peer.expect_publish_done(acked).err()));
        if std::ptr::eq(given, &first) {
            for given in [&first, &second] {
                assert!(timeout(peer.expect_subscribed(given.subscribe.clone().unwrap()).err()));
            }
        }
        assert!(timeout(peer.expect_registered(given.register.clone().unwrap()).err()));
    }
    peer.expect_no_event();
    peer.receive("[50,1,{}]");
    peer.expect_call_done(first.call.unwrap()).unwrap();
}

#[test]
fn need_60_what_waits_in_vain_says_that_it_was_never_sent() {
    let mut peer = joined(all(WAIT));
    let standing = peer.subscribed("com.example.standing", 11);
    cut(&mut peer);
    let Given { call, publish, acked, subscribe, register } = give(&mut peer, None);
    // A subscription that waits beside one that was sent was not sent itself.
    let beside = peer.subscribe("com.example.standing");
    let parts = CallOptions::new().receive_progress().timeout(Duration::from_secs(5));
    let parts = peer.session.call(peer.now, uri("com.example.parts"), Payload::new(), parts).unwrap();
    let never_sent = |result: Option<RequestError>| {
        let error = result.unwrap();
        assert!(matches!(error, RequestError::Timeout { sent: false }), "{error:?}");
        assert!(error.to_string().contains("never sent"), "{error}");
    };
    peer.wait(Duration::from_secs(5));
    never_sent(peer.expect_call_done(parts).err());
    peer.wait(Duration::from_secs(5));
    never_sent(peer.expect_call_done(call.unwrap()).err());
    never_sent(expect_publish_sent(&mut peer, publish.unwrap().unwrap()).err());
    never_sent(peer.expect_publish_done(acked.unwrap()).err());
    never_sent(peer.expect_subscribed(subscribe.unwrap()).err());
    never_sent(peer.expect_registered(register.unwrap()).err());
    never_sent(peer.expect_subscribed(beside).err());
    // What had been confirmed comes back, and nothing else.
    peer.session.reconnect_now(peer.now);
    crate::accept(&mut peer);
    peer.expect_sent(r#"[32,1,{},"com.example.standing"]"#);
    peer.expect_silence();
    peer.unsubscribe(standing);
}

#[test]
fn need_60_what_was_sent_at_the_join_says_so_when_no_answer_comes() {
    let mut peer = joined(all(WAIT));
    peer.subscribed("com.example.standing", 11);
    let left = cut(&mut peer);
    let Given { acked, subscribe, register, .. } = give(&mut peer, None);
    let call = peer.session.call(
        peer.now,
        uri("com.example.slow"),
        Payload::new(),
        CallOptions::new().timeout(Duration::from_secs(10)),
    );
    let beside = peer.subscribe("com.example.standing");
    rejoin(&mut peer, &left);
    while peer.session.poll_action().is_some() {}
    let mut ends = Vec::new();
    let until = peer.now.checked_add(Duration::from_secs(10)).unwrap();
    peer.wait(until.since(peer.now));
    while let Some(event) = peer.session.poll_event() {
        let (end, error) = match event {
            SessionEvent::CallDone { key, result } => (format!("{key:?}"), result.err()),
            SessionEvent::PublishDone { key, result } => (format!("{key:?}"), result.err()),
            SessionEvent::Subscribed { key, result } => (format!("{key:?}"), result.err()),
            SessionEvent::Registered { key, result } => (format!("{key:?}"), result.err()),
            _ => continue,
        };
        assert!(matches!(error, Some(RequestError::Timeout { sent: true })), "{end}: {error:?}");
        ends.push(end);
    }
    ends.sort();
    let mut expected = [
        format!("{:?}", call.unwrap()),
        format!("{:?}", acked.unwrap()),
        format!("{:?}", subscribe.unwrap()),
        format!("{:?}", register.unwrap()),
        format!("{beside:?}"),
    ];
    expected.sort();
    assert_eq!(ends, expected);
}

#[test]
fn need_60_a_timeout_of_its_own_ends_a_command_in_the_buffer() {
    let mut peer = joined(all(OfflinePolicy::Buffer(5)));
    cut(&mut peer);
    let second = Duration::from_secs(30);
    let call = peer.session.call(peer.now, uri("com.example.p"), Payload::new(), CallOptions::new().timeout(second));
    let options = SubscribeOptions::new().timeout(second);
    let subscription = peer.session.subscribe(peer.now, uri("com.example.t"), options).unwrap();
    let options = PublishOptions::new().timeout(second);
    assert_eq!(peer.session.publish(peer.now, uri("com.example.t"), Payload::new(), options), Ok(None));
    assert!(skip(&mut peer, Duration::from_millis(29_999)).is_empty());
    assert_eq!(peer.session.stats().lost_publishes, 0);
    let events = skip(&mut peer, Duration::from_millis(1));
    assert_eq!(events.len(), 2);
    assert!(events[0].contains("CallDone") && events[0].contains(&format!("{:?}", call.unwrap())), "{events:?}");
    assert!(events[1].contains("Subscribed") && events[1].contains(&format!("{subscription:?}")), "{events:?}");
    assert!(events.iter().all(|event| event.contains("Timeout")), "{events:?}");
    assert_eq!(peer.session.stats().lost_publishes, 1);
}

/// Lets attempts fail for a while, and returns what happens besides.
fn skip(peer: &mut Peer, duration: Duration) -> Vec<String> {
    let until = peer.now.checked_add(duration).unwrap();
    let mut events = Vec::new();
    while peer.now < until {
        let next = peer.session.poll_timeout().map_or(until, |(at, _)| at.min(until));
        peer.wait(next.since(peer.now));
        if peer.session.transport().is_some() {
            peer.end_transport(TransportErrorKind::Connect);
        }
        while let Some(event) = peer.session.poll_event() {
            if !matches!(event, SessionEvent::Left(_)) {
                events.push(format!("{event:?}"));
            }
        }
    }
    events
}

#[test]
fn need_60_a_buffer_takes_its_bound_of_each_kind_and_no_more() {
    let mut peer = joined(all(OfflinePolicy::Buffer(2)));
    let left = cut(&mut peer);
    for _ in 0..2 {
        assert_eq!(give(&mut peer, None).errors(), [const { None }; 5]);
    }
    let errors = give(&mut peer, None).errors();
    // A third subscription to the topic waits for the same answer, but it waits.
    let full = Some(CommandError::BufferFull);
    assert_eq!(errors, [full.clone(), full.clone(), full.clone(), None, full]);
    // One that is given up makes room.
    let forgotten = peer.session.call(peer.now, uri("com.example.p"), Payload::new(), CallOptions::new());
    assert_eq!(forgotten, Err(CommandError::BufferFull));
    let larger = CallOptions::new().offline(OfflinePolicy::Buffer(3));
    let third = peer.session.call(peer.now, uri("com.example.p"), Payload::new(), larger.clone()).unwrap();
    assert!(peer.session.call(peer.now, uri("com.example.p"), Payload::new(), larger.clone()).is_err());
    peer.session.forget_call(third);
    assert!(peer.session.call(peer.now, uri("com.example.p"), Payload::new(), larger).is_ok());
    // The buffer is empty after the join.
    rejoin(&mut peer, &left);
    cut_ignoring(&mut peer);
    assert_eq!(give(&mut peer, None).call.err(), None);
}

#[test]
fn need_60_a_buffer_is_empty_after_the_client_was_closed() {
    let mut peer = joined(all(OfflinePolicy::Buffer(1)).limits(Limits::new().max_waiting_bytes(100)));
    for _ in 0..2 {
        cut_ignoring(&mut peer);
        let text = payload(("x".repeat(60),));
        peer.session.call(peer.now, uri("com.example.p"), text.clone(), CallOptions::new()).unwrap();
        let second = peer.session.call(peer.now, uri("com.example.p"), text, CallOptions::new());
        assert_eq!(second, Err(CommandError::BufferFull));
        peer.close();
        while peer.session.poll_event().is_some() {}
        peer.connect();
        crate::accept(&mut peer);
    }
}

#[test]
fn publications_that_wait_count_among_the_requests_under_way() {
    let mut peer = joined(all(WAIT).limits(Limits::new().max_requests(2)));
    cut(&mut peer);
    let mut publish = || peer.session.publish(peer.now, uri("com.example.t"), Payload::new(), PublishOptions::new());
    publish().unwrap();
    publish().unwrap();
    assert_eq!(publish(), Err(CommandError::TooMany));
}

/// Cuts the connection; what ends with it is of no interest.
fn cut_ignoring(peer: &mut Peer) {
    while peer.session.poll_action().is_some() {}
    peer.end_transport(TransportErrorKind::Eof);
    while peer.session.poll_event().is_some() {}
}

#[test]
fn need_60_what_waits_holds_no_more_bytes_than_the_limit() {
    let limits = Limits::new().max_waiting_bytes(100);
    let mut peer = joined(all(WAIT).limits(limits));
    let left = cut(&mut peer);
    let text = payload(("x".repeat(60),));
    let call = |peer: &mut Peer| {
        peer.session.call(peer.now, uri("com.example.p"), text.clone(), CallOptions::new().offline(WAIT))
    };
    let first = call(&mut peer).unwrap();
    assert_eq!(call(&mut peer), Err(CommandError::BufferFull));
    let acked = peer.session.publish_acked(peer.now, uri("com.example.t"), text.clone(), PublishOptions::new());
    assert_eq!(acked, Err(CommandError::BufferFull));
    let publish = peer.session.publish(peer.now, uri("com.example.t"), text.clone(), PublishOptions::new());
    assert_eq!(publish, Err(CommandError::BufferFull));
    peer.session.forget_call(first);
    call(&mut peer).unwrap();
    rejoin(&mut peer, &left);
    peer.sent_request(48);
    // What has been sent waits no more.
    cut_ignoring(&mut peer);
    call(&mut peer).unwrap();
}

#[test]
fn need_60_when_the_client_gives_up_all_that_waits_fails() {
    for closed in [false, true] {
        let mut peer = joined(all(OfflinePolicy::Buffer(5)));
        cut(&mut peer);
        let Given { call, acked, subscribe, register, .. } = give(&mut peer, None);
        let sent = peer.session.publish(
            peer.now,
            uri("com.example.t"),
            Payload::new(),
            PublishOptions::new().offline(WAIT).timeout(Duration::from_secs(60)),
        );
        if closed {
            peer.close();
        } else {
            peer.wait(Duration::from_secs(1));
            peer.end_transport(TransportErrorKind::Tls);
        }
        let failed = |error: Option<RequestError>| match error {
            Some(RequestError::Closed) => closed,
            Some(RequestError::Disconnected { sent: false }) => !closed,
            _ => false,
        };
        assert!(failed(peer.expect_call_done(call.unwrap()).err()));
        assert!(failed(peer.expect_publish_done(acked.unwrap()).err()));
        assert!(failed(expect_publish_sent(&mut peer, sent.unwrap().unwrap()).err()));
        assert!(failed(peer.expect_subscribed(subscribe.unwrap()).err()));
        assert!(failed(peer.expect_registered(register.unwrap()).err()));
        let cause = peer.expect_closed();
        assert_eq!(matches!(&*cause, CloseCause::Application), closed);
        assert_eq!(peer.session.stats().lost_publishes, 1, "the one in the buffer");
        assert_eq!(peer.session.poll_timeout(), None);
        // Nothing of it comes back.
        peer.connect();
        crate::accept(&mut peer);
        peer.expect_silence();
        peer.expect_no_event();
    }
}

#[track_caller]
fn expect_publish_sent(peer: &mut Peer, publication: PublishKey) -> Result<(), RequestError> {
    match peer.event() {
        SessionEvent::PublishSent { key, result } if key == publication => result,
        event => panic!("{event:?}"),
    }
}

#[test]
fn need_59_a_publication_that_waits_is_told_when_it_is_sent() {
    let mut peer = joined(all(WAIT));
    let left = cut(&mut peer);
    let publish = |peer: &mut Peer, options| {
        peer.session.publish(peer.now, uri("com.example.t"), Payload::new(), options).unwrap().unwrap()
    };
    let sent = publish(&mut peer, PublishOptions::new());
    let late = publish(&mut peer, PublishOptions::new().timeout(Duration::from_millis(999)));
    let forgotten = publish(&mut peer, PublishOptions::new());
    peer.session.forget_publish(forgotten);
    peer.expect_no_event();
    peer.wait(Duration::from_millis(999));
    assert!(matches!(expect_publish_sent(&mut peer, late), Err(RequestError::Timeout { sent: false })));
    rejoin(&mut peer, &left);
    peer.expect_sent(r#"[16,1,{},"com.example.t"]"#);
    peer.expect_silence();
    expect_restored(&mut peer);
    expect_publish_sent(&mut peer, sent).unwrap();
    assert_eq!(peer.session.poll_timeout(), None, "nothing of it is waited for");
    peer.wait(Duration::from_secs(100));
    peer.expect_no_event();
    assert_eq!(peer.session.stats(), Stats::default(), "what is told is not counted as well");
}

#[test]
fn need_59_what_cannot_be_sent_at_the_join_is_told_or_counted() {
    let mut peer = joined(all(WAIT));
    let left = cut(&mut peer);
    let told = peer.session.publish(peer.now, uri("com.example.t"), Payload::new(), PublishOptions::new());
    let options = PublishOptions::new().offline(OfflinePolicy::Buffer(2));
    assert_eq!(peer.session.publish(peer.now, uri("com.example.t"), Payload::new(), options), Ok(None));
    peer.wait(left.retry_in);
    peer.open(wamp_session::Opened::new(Some("wamp.2.json")));
    peer.sent();
    peer.receive(r#"[2,7814136,{"roles":{"dealer":{}}}]"#);
    peer.expect_joined();
    expect_restored(&mut peer);
    let refused = expect_publish_sent(&mut peer, told.unwrap().unwrap());
    assert!(matches!(refused, Err(RequestError::Command(CommandError::RouterLacks(_)))), "{refused:?}");
    assert_eq!(peer.session.stats().lost_publishes, 1);
    peer.expect_silence();
    let left = cut(&mut peer);
    assert_eq!(left.lost_publishes, 1);
}

#[test]
fn need_59_buffered_publications_outlive_failed_attempts_and_a_session_that_is_lost_counts_its_own() {
    let mut peer = joined(all(OfflinePolicy::Buffer(10)));
    peer.session.publish(peer.now, uri("com.example.lost"), Payload::new(), PublishOptions::new()).unwrap();
    // Nobody has taken it: it is lost with the session, the next one is not.
    let id = peer.session.transport().unwrap();
    let eof = wamp_session::TransportError::new(TransportErrorKind::Eof);
    peer.session.handle_closed(peer.now, id, eof);
    peer.session.publish(peer.now, uri("com.example.kept"), Payload::new(), PublishOptions::new()).unwrap();
    let left = expect_left(&mut peer);
    assert_eq!((left.attempt, left.lost_publishes), (1, 1));
    peer.session.handle_timeout(peer.now.checked_add(left.retry_in).unwrap());
    let id = peer.session.transport().unwrap();
    let refused = wamp_session::TransportError::new(TransportErrorKind::Connect);
    peer.session.handle_closed(peer.now, id, refused);
    let left = expect_left(&mut peer);
    assert_eq!((left.attempt, left.lost_publishes), (2, 0));
    let now = peer.now.checked_add(Duration::from_secs(1) + left.retry_in).unwrap();
    peer.session.handle_timeout(now);
    let id = peer.session.transport().unwrap();
    peer.session.handle_opened(now, id, wamp_session::Opened::new(Some("wamp.2.json")));
    peer.session.handle_frame(now, id, wamp_session::Frame::Text(WELCOME.as_bytes().into()));
    let sent: Vec<String> = std::iter::from_fn(|| peer.session.poll_action()).map(|action| frame(&action)).collect();
    assert_eq!(sent.last().unwrap(), r#"[16,1,{},"com.example.kept"]"#);
    assert!(!sent.iter().any(|frame| frame.contains("com.example.lost")));
    assert_eq!(peer.session.stats().lost_publishes, 1);
}

fn frame(action: &wamp_session::Action) -> String {
    match action {
        wamp_session::Action::Send { frame, .. } => String::from_utf8(frame.bytes().to_vec()).unwrap(),
        action => format!("{action:?}"),
    }
}

#[test]
fn need_60_what_waits_may_hold_just_the_limit() {
    let text = payload(("x".repeat(60),));
    for (limit, is_taken) in [(text.byte_len(), true), (text.byte_len() - 1, false)] {
        let mut peer = joined(all(WAIT).limits(Limits::new().max_waiting_bytes(limit)));
        cut(&mut peer);
        let call = peer.session.call(peer.now, uri("com.example.p"), text.clone(), CallOptions::new());
        assert_eq!(call.is_ok(), is_taken);
    }
}
