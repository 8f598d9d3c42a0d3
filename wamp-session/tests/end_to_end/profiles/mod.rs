//! RTR-14: sessions at routers with the habits of Crossbar.io, nexus and xconn.

mod calls;
mod opening;
mod topics;

use core::time::Duration;

use wamp_session::auth::Ticket;
use wamp_session::meta::{self, HistoryFilter, Request, Testament};
use wamp_session::proto::{CancelMode, Format, MatchPolicy, PayloadError, Role};
use wamp_session::router::{Quirks, RealmConfig, Router, RouterConfig, User};
use wamp_session::{
    CallOptions, CloseCause, CloseReason, Config, Feature, PublishOptions, ReconnectPolicy, RegisterOptions,
    RequestError, Response, SessionEvent, SubscribeOptions, TransportErrorKind,
};

use crate::{World, payload, uri};

const PROFILES: [(&str, Quirks); 4] = [
    ("none", Quirks::none()),
    ("crossbar", Quirks::crossbar()),
    ("nexus", Quirks::nexus()),
    ("minimal", Quirks::minimal()),
];

/// A router that remembers the events of `com.example.`.
fn world(quirks: Quirks) -> World {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    let realm = realm.history("com.example.", MatchPolicy::Prefix, 20).unwrap();
    let realm = realm.user(User::ticket("joe", "t1ck3t").role("backend"));
    let config = RouterConfig::new([1; 32]).realm(realm).quirks(quirks);
    World { router: Router::new(config), clients: Vec::new(), now: wamp_session::Time::ZERO }
}

/// Lets a test run at a router of each profile.
fn each(test: impl Fn(&mut World, &str)) {
    for (name, quirks) in PROFILES {
        test(&mut world(quirks), name);
    }
}

/// A client that has joined as a user with a role of his own.
fn join_as_joe(world: &mut World) -> usize {
    let client =
        world.connect(Config::new("mem:", "realm1").reconnect(ReconnectPolicy::never()), Some(("ticket", "joe")));
    answer(world, client, "t1ck3t");
    assert!(matches!(world.event(client), Some(SessionEvent::Joined(_))));
    client
}

/// Answers a CHALLENGE with a ticket.
fn answer(world: &mut World, client: usize, ticket: &'static str) {
    let Some(SessionEvent::Challenge { transport, challenge }) = world.event(client) else { panic!("no challenge") };
    let answer = Ticket::new("joe", ticket).answer_to(&challenge);
    let now = world.now;
    world.session(client).authenticate(now, transport, answer).unwrap();
}

fn registered(world: &mut World, client: usize, procedure: &str) {
    let now = world.now;
    world.session(client).register(now, uri(procedure), RegisterOptions::new()).unwrap();
    assert!(matches!(world.event(client), Some(SessionEvent::Registered { result: Ok(()), .. })));
}

/// Asks the router something, and waits for the answer.
fn ask<R>(world: &mut World, client: usize, request: &Request<R>) -> Result<Result<R, PayloadError>, String> {
    let (now, arguments) = (world.now, request.payload(Format::Json).unwrap());
    let key = world.session(client).call(now, request.procedure(), arguments, CallOptions::new()).unwrap();
    match world.event(client) {
        Some(SessionEvent::CallDone { key: done, result }) if done == key => match result {
            Ok(outcome) => Ok(request.result(&outcome.payload)),
            Err(RequestError::Wamp(error)) => Err(error.uri().as_str().to_owned()),
            Err(error) => panic!("{error:?}"),
        },
        event => panic!("{event:?}"),
    }
}

#[test]
fn rtr_14_calls_of_two_callees_are_answered() {
    each(|world, profile| {
        let [one, other, caller] = [(); 3].map(|()| world.join(Format::Json));
        registered(world, one, "com.example.one");
        registered(world, other, "com.example.other");
        let now = world.now;
        for (callee, procedure) in [(one, "com.example.one"), (other, "com.example.other"), (one, "com.example.one")] {
            let key = world.session(caller).call(now, uri(procedure), payload((7,)), CallOptions::new()).unwrap();
            let Some(SessionEvent::Invocation(invocation)) = world.event(callee) else { panic!("{profile}") };
            assert!(!invocation.details.progress.unwrap_or_default());
            world.session(callee).respond(now, invocation.key, Response::Result(invocation.payload)).unwrap();
            let Some(SessionEvent::CallDone { key: done, result: Ok(outcome) }) = world.event(caller) else {
                panic!("{profile}")
            };
            assert_eq!((done, outcome.payload.arg::<u64>(0).unwrap()), (key, 7));
            assert_eq!(outcome.details.callee.is_some(), profile == "crossbar");
        }
        assert_eq!(world.router.stats().protocol_violations, 0, "{profile}");
    });
}

#[test]
fn rtr_14_a_cancelled_call_ends_in_every_mode() {
    each(|world, profile| {
        let [callee, caller] = [(); 2].map(|()| world.join(Format::Json));
        registered(world, callee, "com.example.slow");
        let mut late = Vec::new();
        for mode in [CancelMode::Skip, CancelMode::KillNoWait] {
            let now = world.now;
            let key =
                world.session(caller).call(now, uri("com.example.slow"), payload(()), CallOptions::new()).unwrap();
            let Some(SessionEvent::Invocation(invocation)) = world.event(callee) else { panic!("{profile}") };
            late.push(invocation.key);
            world.session(caller).cancel(now, key, mode).unwrap();
            let Some(SessionEvent::CallDone { key: done, result: Err(error) }) = world.event(caller) else {
                panic!("{profile}: {mode:?} is not answered")
            };
            assert_eq!(done, key);
            let is_canceled = matches!(&error, RequestError::Canceled)
                || matches!(&error, RequestError::Wamp(error) if error.uri() == "wamp.error.canceled");
            assert!(is_canceled, "{profile}: {error:?}");
        }
        // What the callee says then changes nothing.
        let now = world.now;
        for key in late {
            let _ = world.session(callee).respond(now, key, Response::Result(payload((1,))));
        }
        let more = world.event(caller);
        assert!(more.is_none(), "{profile}: {more:?}");
        assert_eq!(world.router.stats().protocol_violations, 0, "{profile}");
    });
}

#[test]
fn rtr_14_timeouts_hold_whatever_the_router_makes_of_them() {
    each(|world, profile| {
        let [callee, caller] = [(); 2].map(|()| world.join(Format::Json));
        registered(world, callee, "com.example.slow");
        let (now, options) = (world.now, CallOptions::new().timeout(Duration::from_secs(3)));
        world.session(caller).call(now, uri("com.example.slow"), payload(()), options).unwrap();
        world.run();
        world.now = now.checked_add(Duration::from_secs(3)).unwrap();
        let now = world.now;
        world.session(caller).handle_timeout(now);
        let Some(SessionEvent::CallDone { result: Err(error), .. }) = world.event(caller) else {
            panic!("{profile}: no end")
        };
        let is_timeout = matches!(&error, RequestError::Timeout { .. })
            || matches!(&error, RequestError::Wamp(error) if error.uri() == "wamp.error.timeout");
        assert!(is_timeout, "{profile}: {error:?}");
    });
}

#[test]
fn rtr_14_a_session_closes_in_order() {
    each(|world, profile| {
        let client = world.join(Format::Json);
        let now = world.now;
        world.session(client).close(now, CloseReason::CloseRealm);
        let Some(SessionEvent::Closed(cause)) = world.event(client) else { panic!("{profile}") };
        assert!(matches!(*cause, CloseCause::Application), "{profile}: {cause:?}");
        assert_eq!(world.router.peers(), 0);
    });
}

#[test]
fn rtr_14_a_violation_ends_the_session_with_or_without_abort() {
    each(|world, profile| {
        let client = world.join(Format::Json);
        let (_, peer) = world.clients[client].link.unwrap();
        // An INTERRUPT, which is no client's to send.
        world.router.handle_frame(world.now, peer, wamp_session::Frame::Text("[69,1,{}]".into()));
        let Some(SessionEvent::Closed(cause)) = world.event(client) else { panic!("{profile}") };
        match (&*cause, profile) {
            (CloseCause::Transport(error), "crossbar" | "minimal") => {
                assert!(matches!(error.kind(), TransportErrorKind::Closed { code: Some(1002), .. }), "{error:?}");
            }
            (CloseCause::Abort(abort), _) => assert_eq!(abort.reason, "wamp.error.protocol_violation"),
            (cause, _) => panic!("{profile}: {cause:?}"),
        }
    });
}

#[test]
fn rtr_14_publishers_and_subscribers_get_along() {
    each(|world, profile| {
        let [one, other] = [(); 2].map(|()| world.join(Format::Json));
        let now = world.now;
        for client in [one, other] {
            world.session(client).subscribe(now, uri("com.example.tick"), SubscribeOptions::new()).unwrap();
            assert!(matches!(world.event(client), Some(SessionEvent::Subscribed { result: Ok(()), .. })));
        }
        world.session(one).publish(now, uri("com.example.tick"), payload(1), PublishOptions::new()).unwrap();
        assert!(matches!(world.event(other), Some(SessionEvent::Published(_))), "{profile}");
        let own = world.event(one);
        assert_eq!(own.is_some(), profile == "minimal", "a router without publisher exclusion gives it back");
        let key = world.session(one).publish_acked(now, uri("com.example.tick"), payload(2), PublishOptions::new());
        let mut is_acked = false;
        while let Some(event) = world.event(one) {
            is_acked |= matches!(event, SessionEvent::PublishDone { key: done, result: Ok(_) } if Ok(done) == key);
        }
        assert!(is_acked, "{profile}");
        let lists = PublishOptions::new().exclude_authrole(["guest"]);
        let refused = world.session(one).publish(now, uri("com.example.tick"), payload(3), lists).is_err();
        assert_eq!(refused, profile == "minimal", "what the router would not heed is not sent");
    });
}

#[test]
fn rtr_14_the_meta_api_is_read_in_each_dialect() {
    each(|world, profile| {
        let (one, other) = (world.join(Format::Cbor), join_as_joe(world));
        let now = world.now;
        let count = ask(world, one, &meta::session_count());
        if profile == "minimal" {
            assert_eq!(count, Err("wamp.error.no_such_procedure".into()));
            return;
        }
        assert_eq!(count, Ok(Ok(2)));
        let topic = uri("com.example.tick");
        assert_eq!(ask(world, one, &meta::lookup_subscription(&topic, MatchPolicy::Exact)), Ok(Ok(None)), "{profile}");
        assert_eq!(ask(world, one, &meta::match_registration(&topic)), Ok(Ok(None)), "{profile}");
        world.session(other).subscribe(now, topic.clone(), SubscribeOptions::new()).unwrap();
        world.event(other).unwrap();
        let id = ask(world, one, &meta::lookup_subscription(&topic, MatchPolicy::Exact)).unwrap().unwrap().unwrap();
        let subscribers = ask(world, one, &meta::subscriber_count(id));
        if profile == "nexus" {
            assert_eq!(subscribers, Err("wamp.error.no_such_procedure".into()), "the alias is for that");
        } else {
            assert_eq!(subscribers, Ok(Ok(1)));
        }
        assert_eq!(ask(world, one, &meta::subscribers(id)).unwrap().unwrap().len(), 1);
        let testament = meta::add_testament(&uri("com.example.gone"), "bye", &Testament::new(), Format::Json).unwrap();
        assert_eq!(ask(world, other, &testament), Ok(Ok(())));

        let leaving = meta::ON_LEAVE;
        for topic in [leaving.topic(), uri("com.example.gone")] {
            world.session(one).subscribe(now, topic, SubscribeOptions::new()).unwrap();
            assert!(matches!(world.event(one), Some(SessionEvent::Subscribed { result: Ok(()), .. })));
        }
        let kill = meta::kill_by_authrole("backend", &meta::Kill::new());
        let arguments = kill.payload(Format::Json).unwrap();
        world.session(one).call(now, kill.procedure(), arguments, CallOptions::new()).unwrap();
        let (mut told, mut killed) = (Vec::new(), None);
        while let Some(event) = world.event(one) {
            match event {
                SessionEvent::Published(event) => told.push(event),
                SessionEvent::CallDone { result, .. } => killed = Some(kill.result(&result.unwrap().payload).unwrap()),
                event => panic!("{profile}: {event:?}"),
            }
        }
        let killed = killed.unwrap();
        assert_eq!((killed.count, killed.sessions.is_some()), (1, profile == "crossbar"));
        let Some(SessionEvent::Closed(cause)) = world.event(other) else { panic!("{profile}") };
        let reason = if profile == "none" { "wamp.close.killed" } else { "wamp.close.normal" };
        assert!(matches!(&*cause, CloseCause::Goodbye(goodbye) if goodbye.reason == reason), "{profile}");
        let left = told.iter().find(|event| event.topic == leaving.topic()).expect("on_leave");
        let left = leaving.event(&left.payload).unwrap();
        assert_eq!(left.authrole.is_some(), profile != "crossbar");
        assert!(told.iter().any(|event| event.topic == "com.example.gone"), "{profile}: the testament");
    });
}

#[test]
fn rtr_14_histories_are_read_in_each_dialect() {
    each(|world, profile| {
        if profile == "minimal" {
            return;
        }
        let [one, other] = [(); 2].map(|()| world.join(Format::MsgPack));
        let now = world.now;
        for n in 1..=3 {
            world
                .session(one)
                .publish(now, uri("com.example.tick"), payload((n, "text")), PublishOptions::new())
                .unwrap();
        }
        let prefix =
            wamp_session::proto::Uri::checked("com.example.", Default::default(), MatchPolicy::Prefix).unwrap();
        let id = ask(world, other, &meta::lookup_subscription(&prefix, MatchPolicy::Prefix)).unwrap().unwrap().unwrap();
        let history = ask(world, other, &meta::get_events(id, &HistoryFilter::new())).unwrap().unwrap();
        let mut numbers: Vec<u64> = history.events.iter().map(|event| event.arg(0).unwrap()).collect();
        if profile == "crossbar" {
            numbers.reverse();
        }
        assert_eq!(numbers, [1, 2, 3], "{profile}");
        assert!(history.events.iter().all(|event| event.publication.is_some()));
        assert_eq!(history.events[0].topic, Some(uri("com.example.tick")));
    });
}

#[test]
fn rtr_14_features_that_are_not_announced_are_known_to_be_missing() {
    each(|world, profile| {
        let config = Config::new("mem:", "realm1").reconnect(ReconnectPolicy::never()).formats([Format::Json]);
        let client = world.connect(config, None);
        let Some(SessionEvent::Joined(joined)) = world.event(client) else { panic!("{profile}") };
        assert!(joined.router_has(Role::Broker) && joined.router_has(Role::Dealer));
        assert_eq!(joined.announces(Feature::SessionMetaApi), profile != "minimal");
        assert_eq!(joined.announces(Feature::EventHistory), matches!(profile, "none" | "nexus"));
    });
}

#[test]
fn need_56_after_an_outage_the_session_is_another_one_and_the_history_tells_what_was_missed() {
    let world = &mut world(Quirks::none());
    let reader = world.connect(Config::new("mem:", "realm1").formats([Format::Json]), None);
    let Some(SessionEvent::Joined(before)) = world.event(reader) else { panic!("not joined") };
    let publisher = world.join(Format::Json);
    let (now, topic) = (world.now, uri("com.example.tick"));
    world.session(reader).subscribe(now, topic.clone(), SubscribeOptions::new()).unwrap();
    world.event(reader).unwrap();
    world.session(publisher).publish(now, topic.clone(), payload(1), PublishOptions::new()).unwrap();
    let Some(SessionEvent::Published(last)) = world.event(reader) else { panic!("no event") };

    // The transport is lost, and the topic goes on.
    let (transport, peer) = world.clients[reader].link.take().unwrap();
    world.router.handle_closed(now, peer);
    let lost = wamp_session::TransportError::new(TransportErrorKind::Closed { code: None, reason: String::new() });
    world.session(reader).handle_closed(now, transport, lost);
    for n in 2..=3 {
        world.session(publisher).publish(now, topic.clone(), payload(n), PublishOptions::new()).unwrap();
    }
    world.run();
    let (retry, _) = world.session(reader).poll_timeout().unwrap();
    world.now = retry;
    world.session(reader).handle_timeout(retry);
    let mut after = None;
    while let Some(event) = world.event(reader) {
        match event {
            SessionEvent::Joined(joined) => after = Some(joined),
            SessionEvent::Published(event) => panic!("{event:?}"),
            _ => {}
        }
    }
    assert_ne!(after.unwrap().session, before.session);

    let prefix = wamp_session::proto::Uri::checked("com.example.", Default::default(), MatchPolicy::Prefix).unwrap();
    let id = ask(world, reader, &meta::lookup_subscription(&prefix, MatchPolicy::Prefix)).unwrap().unwrap().unwrap();
    let filter = HistoryFilter::new().after_publication(last.publication);
    let missed = ask(world, reader, &meta::get_events(id, &filter)).unwrap().unwrap();
    assert_eq!(missed.events.iter().map(|event| event.arg(0).unwrap()).collect::<Vec<u64>>(), [2, 3]);
}
