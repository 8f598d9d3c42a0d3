//! The meta API at a client.

use std::task::Poll;

use wamp_session::client::MetaError;
use wamp_session::meta::{HistoryFilter, Kill, Testament, TestamentScope};
use wamp_session::proto::{MatchPolicy, PublicationId, SessionId, SubscriptionId};
use wamp_session::{CallOptions, CommandError, PublishOptions, RequestError};

use crate::world::World;

#[test]
fn met_02_a_call_is_sent_at_its_first_poll_and_reads_its_result() {
    let (mut world, client) = World::joined();
    let meta = client.meta();
    let mut sessions = meta.sessions();
    world.expect_nothing();
    assert!(world.poll(&mut sessions).is_pending());
    world.expect(r#"[48,1,{},"wamp.session.list"]"#);
    world.send("[50,1,{},[[1,2]]]");
    let sessions = world.finish(sessions).unwrap();
    assert_eq!(sessions, [SessionId::new(1).unwrap(), SessionId::new(2).unwrap()]);
}

#[test]
fn errors_of_the_router_and_results_of_unknown_shape_are_apart() {
    let (mut world, client) = World::joined();
    let mut count = client.meta().session_count();
    assert!(world.poll(&mut count).is_pending());
    world.send(r#"[8,48,1,{},"wamp.error.not_authorized"]"#);
    let Err(MetaError::Request(RequestError::Wamp(error))) = world.finish(count) else { panic!("no ERROR") };
    assert_eq!(error.uri(), "wamp.error.not_authorized");
    let mut count = client.meta().session_count();
    assert!(world.poll(&mut count).is_pending());
    world.send(r#"[50,2,{},["many"]]"#);
    assert!(matches!(world.finish(count), Err(MetaError::Result(_))));
}

#[test]
fn met_07_the_misspelt_procedure_of_nexus_is_tried_next() {
    let (mut world, client) = World::joined();
    let subscription = SubscriptionId::new(9).unwrap();
    let mut count = client.meta().subscriber_count(subscription);
    assert!(world.poll(&mut count).is_pending());
    world.expect(r#"[48,1,{},"wamp.subscription.count_subscribers",[9]]"#);
    world.send(r#"[8,48,1,{},"wamp.error.no_such_procedure"]"#);
    assert!(world.poll(&mut count).is_pending());
    world.expect(r#"[48,2,{},"wamp.subscription.count_suscribers",[9]]"#);
    world.send("[50,2,{},[4]]");
    assert_eq!(world.finish(count).unwrap(), 4);

    // But once, and only for that reason.
    let mut count = client.meta().subscriber_count(subscription);
    assert!(world.poll(&mut count).is_pending());
    world.send(r#"[8,48,3,{},"wamp.error.no_such_procedure"]"#);
    assert!(world.poll(&mut count).is_pending());
    world.send(r#"[8,48,4,{},"wamp.error.no_such_procedure"]"#);
    assert!(matches!(world.finish(count), Err(MetaError::Request(RequestError::Wamp(_)))));
    let mut count = client.meta().subscriber_count(subscription);
    assert!(world.poll(&mut count).is_pending());
    world.send(r#"[8,48,5,{},"wamp.error.no_such_subscription"]"#);
    assert!(matches!(world.finish(count), Err(MetaError::Request(RequestError::Wamp(_)))));
    let sent = world.wire(|wire| wire.sent.len());
    assert_eq!(sent, 3, "calls 3, 4 and 5");
}

#[test]
fn dropping_a_meta_call_forgets_it() {
    let (mut world, client) = World::joined();
    drop(client.meta().session_count());
    world.expect_nothing();
    let mut count = client.meta().session_count();
    assert!(world.poll(&mut count).is_pending());
    world.expect(r#"[48,1,{},"wamp.session.count"]"#);
    drop(count);
    world.send("[50,1,{},[1]]");
    assert!(client.session().is_some());
}

#[test]
fn options_hold_for_each_call() {
    let (mut world, client) = World::joined();
    let options = CallOptions::new().option("_trace", 7).unwrap();
    let meta = client.meta().options(options);
    let mut count = meta.session_count_of(["admin"]);
    assert!(world.poll(&mut count).is_pending());
    world.expect(r#"[48,1,{"_trace":7},"wamp.session.count",[["admin"]]]"#);
    let mut kill = meta.kill_all(Kill::new());
    assert!(world.poll(&mut kill).is_pending());
    world.expect(r#"[48,2,{"_trace":7},"wamp.session.kill_all"]"#);
}

#[test]
fn met_05_events_are_a_stream() {
    let (mut world, client) = World::joined();
    let mut subscribe = client.meta().on_leave();
    assert!(world.poll(&mut subscribe).is_pending());
    world.expect(r#"[32,1,{},"wamp.session.on_leave"]"#);
    world.send("[33,1,5]");
    let mut leaving = world.finish(subscribe).unwrap();
    world.send_all([r#"[36,5,1,{},[7,"joe","admin"]]"#, r#"[36,5,2,{},["joe"]]"#, "[36,5,3,{},[8]]"]);
    let left = world.finish(leaving.next()).unwrap().unwrap();
    assert_eq!((left.session.get(), left.authid.as_deref()), (7, Some("joe")));
    assert!(world.finish(leaving.next()).unwrap().is_err(), "it does not end the stream");
    assert_eq!(world.finish(leaving.next()).unwrap().unwrap().session.get(), 8);
    assert_eq!(leaving.subscription().missed(), 0);
    assert!(matches!(world.poll(&mut leaving.next()), Poll::Pending));
    drop(leaving);
    world.expect("[34,2,5]");
}

#[test]
fn every_topic_has_its_stream() {
    let (mut world, client) = World::joined();
    let meta = client.meta();
    macro_rules! expect_topics {
        ($($method:ident $topic:literal)*) => {{
            let mut request = 0;
            let mut kept = Vec::new();
            $(
                let mut subscribe = meta.$method();
                assert!(world.poll(&mut subscribe).is_pending());
                request += 1;
                world.expect(&format!(r#"[32,{request},{{}},"{}"]"#, $topic));
                world.send(&format!("[33,{request},{request}]"));
                kept.push(world.finish(subscribe).unwrap().into_subscription());
            )*
            assert_eq!(kept.len(), 10);
        }};
    }
    expect_topics! {
        on_join "wamp.session.on_join"
        on_leave "wamp.session.on_leave"
        on_registration_create "wamp.registration.on_create"
        on_register "wamp.registration.on_register"
        on_unregister "wamp.registration.on_unregister"
        on_registration_delete "wamp.registration.on_delete"
        on_subscription_create "wamp.subscription.on_create"
        on_subscribe "wamp.subscription.on_subscribe"
        on_unsubscribe "wamp.subscription.on_unsubscribe"
        on_subscription_delete "wamp.subscription.on_delete"
    }
}

#[test]
fn evh_01_and_tst_01_reach_the_wire() {
    let (mut world, client) = World::joined();
    let meta = client.meta();
    let last = PublicationId::new(6).unwrap();
    let mut events = meta.get_events(SubscriptionId::new(9).unwrap(), HistoryFilter::new().after_publication(last));
    assert!(world.poll(&mut events).is_pending());
    world.expect(r#"[48,1,{},"wamp.subscription.get_events",[9],{"after_publication":6}]"#);
    let mut add = meta.add_testament("a.b", ("bye", 1));
    assert!(world.poll(&mut add).is_pending());
    world.expect(r#"[48,2,{},"wamp.session.add_testament",["a.b",["bye",1],{}]]"#);
    let how = Testament::new().scope(TestamentScope::Detached).options(PublishOptions::new().exclude_me(false));
    let mut add = meta.add_testament_with("a.b", (), how);
    assert!(world.poll(&mut add).is_pending());
    world.expect(concat!(
        r#"[48,3,{},"wamp.session.add_testament",["a.b",[],{}],"#,
        r#"{"publish_options":{"exclude_me":false},"scope":"detached"}]"#
    ));
    world.send("[50,3,{},[77]]");
    world.finish(add).unwrap();
    let mut flush = meta.flush_testaments(TestamentScope::Destroyed);
    assert!(world.poll(&mut flush).is_pending());
    world.expect(r#"[48,4,{},"wamp.session.flush_testaments",[],{"scope":"destroyed"}]"#);
}

#[test]
fn what_cannot_be_asked_fails_without_a_call() {
    let (mut world, client) = World::joined();
    let meta = client.meta();
    let topic = world.finish(meta.add_testament("not a topic", ()));
    assert!(matches!(topic, Err(MetaError::Request(RequestError::Command(CommandError::InvalidUri(_))))));
    let nan = world.finish(meta.add_testament("a.b", f64::NAN));
    assert!(matches!(nan, Err(MetaError::Request(RequestError::Command(CommandError::Encode(_))))));
    let exact = world.finish(meta.lookup_subscription("a.", MatchPolicy::Exact));
    assert!(matches!(exact, Err(MetaError::Request(RequestError::Command(CommandError::InvalidUri(_))))));
    world.expect_nothing();
    let mut prefix = meta.lookup_subscription("a.", MatchPolicy::Prefix);
    assert!(world.poll(&mut prefix).is_pending());
    world.expect(r#"[48,1,{},"wamp.subscription.lookup",["a.",{"match":"prefix"}]]"#);
}

#[test]
fn need_40_uris_of_the_router_are_called_and_subscribed_to_but_never_registered_or_published_to() {
    let (mut world, client) = World::joined();
    let mut subscribe = client.subscribe("wamp.session.on_join");
    assert!(world.poll(&mut subscribe).is_pending());
    world.expect(r#"[32,1,{},"wamp.session.on_join"]"#);
    let mut call = client.call("wamp.session.count", ());
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,2,{},"wamp.session.count"]"#);
    // A URI that breaks the rules is refused at once, and never dropped in silence.
    let publish = world.finish(client.publish("wamp.mine", ()));
    assert!(matches!(publish, Err(RequestError::Command(CommandError::ReservedUri))));
    let register = world.finish(client.register("wamp.mine"));
    assert!(matches!(register, Err(RequestError::Command(CommandError::ReservedUri))));
    let spaces = world.finish(client.call("not a uri", ()));
    assert!(matches!(spaces, Err(RequestError::Command(CommandError::InvalidUri(_)))));
    world.expect_nothing();
}
