//! Faults between a session and the router.

use wamp_session::proto::{Format, Payload};
use wamp_session::router::RouterAction;
use wamp_session::{Action, CallOptions, Frame, PublishOptions, RegisterOptions, RequestError, SessionEvent};

use super::{SubscribeOptions, World, payload, uri};

/// Carries what a client has asked for to the router, and keeps back what that answers.
fn answers(world: &mut World, client: usize) -> Vec<Frame> {
    let (now, peer) = (world.now, world.clients[client].link.unwrap().1);
    while let Some(action) = world.session(client).poll_action() {
        let Action::Send { frame, .. } = action else { panic!("{action:?}") };
        world.router.handle_frame(now, peer, frame);
    }
    let mut frames = Vec::new();
    while let Some(action) = world.router.poll_action() {
        match action {
            RouterAction::Send { peer: to, frame } if to == peer => frames.push(frame),
            action => panic!("{action:?}"),
        }
    }
    frames
}

#[test]
fn rtr_13_independent_answers_of_the_router_may_change_places() {
    for order in 0..24 {
        let mut world = World::new();
        let (client, other) = (world.join(Format::Json), world.join(Format::Cbor));
        let now = world.now;
        let session = world.session(client);
        let subscription = session.subscribe(now, uri("com.example.t"), SubscribeOptions::new()).unwrap();
        let registration = session.register(now, uri("com.example.p"), RegisterOptions::new()).unwrap();
        let publication =
            session.publish_acked(now, uri("com.example.other"), Payload::new(), PublishOptions::new()).unwrap();
        let call = session.call(now, uri("com.example.none"), Payload::new(), CallOptions::new()).unwrap();

        let mut frames = answers(&mut world, client);
        assert_eq!(frames.len(), 4);
        let (transport, mut rest) = (world.clients[client].link.unwrap().0, order);
        let mut ended = Vec::new();
        while !frames.is_empty() {
            let frame = frames.remove(rest % frames.len());
            rest /= frames.len() + 1;
            world.session(client).handle_frame(now, transport, frame);
            ended.push(match world.event(client) {
                Some(SessionEvent::Subscribed { key, result: Ok(()) }) if key == subscription => 0,
                Some(SessionEvent::Registered { key, result: Ok(()) }) if key == registration => 1,
                Some(SessionEvent::PublishDone { key, result: Ok(_) }) if key == publication => 2,
                Some(SessionEvent::CallDone { key, result: Err(RequestError::Wamp(error)) }) if key == call => {
                    assert_eq!(error.uri(), "wamp.error.no_such_procedure");
                    3
                }
                event => panic!("{event:?} in the order {order}"),
            });
        }
        ended.sort_unstable();
        assert_eq!(ended, [0, 1, 2, 3], "in the order {order}");

        world.session(other).publish(now, uri("com.example.t"), payload(1), PublishOptions::new()).unwrap();
        let event = world.event(other);
        assert!(event.is_none(), "{event:?}");
        let Some(SessionEvent::Published(event)) = world.event(client) else { panic!("no event") };
        assert_eq!(event.key, subscription);
        world.session(other).call(now, uri("com.example.p"), payload(1), CallOptions::new()).unwrap();
        world.run();
        let Some(SessionEvent::Invocation(invocation)) = world.event(client) else { panic!("no invocation") };
        assert_eq!(invocation.registration, registration);
    }
}
