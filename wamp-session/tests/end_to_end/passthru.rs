//! Payload passthru mode from one client's handles over the router to another's, in every pair of formats (checklist section 14).

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use wamp_session::client::{
    Client, Event, HandlerError, Link, ProgressiveCall, Registration, RegistrationGuard, Runtime, Subscription, Task,
    WithInvocation, start_linked,
};
use wamp_session::passthru::{Passthru, PassthruCodec, PassthruError};
use wamp_session::proto::{ArgsKwargs, Dict, Format, Value};
use wamp_session::router::{PeerId, RealmConfig, Router, RouterAction, RouterConfig};
use wamp_session::{Action, CallOptions, Config, PublishOptions, RequestError, Time, TransportId, WampError};

const PROCEDURE: &str = "com.example.p";
const TOPIC: &str = "com.example.t";

/// What is in every payload, and must not be in any frame.
const SECRET: &str = "the secret of the ward";

/// Encrypts with a byte, which is all that the tests need, and names it.
struct Xor(u8);

impl PassthruCodec for Xor {
    fn seal(&self, attributes: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
        attributes.cipher = Some("xor".into());
        attributes.keyid = Some(self.0.to_string().into());
        Ok(packed.into_iter().map(|byte| byte ^ self.0).collect())
    }

    fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
        if attributes.keyid.as_deref() != Some(&*self.0.to_string()) {
            return Err(PassthruError::Key(attributes.keyid.clone()));
        }
        Ok(sealed.into_iter().map(|byte| byte ^ self.0).collect())
    }
}

/// A clock that stands still, and a place for tasks.
#[derive(Default)]
struct Tasks(Mutex<Vec<Task>>);

impl Runtime for Tasks {
    fn now(&self) -> Time {
        Time::ZERO
    }

    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().push(task);
    }
}

struct End {
    link: Link,
    peer: Option<(TransportId, PeerId)>,
}

/// Clients and the router between them.
struct Net {
    router: Router,
    ends: Vec<End>,
    spawned: Arc<Tasks>,
    tasks: Vec<Task>,
    /// Every frame, either way.
    frames: Vec<Bytes>,
}

impl Net {
    fn new() -> Self {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        let router = Router::new(RouterConfig::new([1; 32]).realm(realm));
        Self { router, ends: Vec::new(), spawned: Arc::default(), tasks: Vec::new(), frames: Vec::new() }
    }

    /// A client that has joined with a format, and has a key.
    fn join(&mut self, format: Format, key: u8) -> Client {
        let config = Config::new("mem:", "realm1").formats([format]).passthru_codec("x_ward", Xor(key));
        let (client, link) = start_linked(config, Arc::clone(&self.spawned) as Arc<dyn Runtime>);
        self.ends.push(End { link, peer: None });
        self.run();
        assert_eq!(client.session().unwrap().format, format);
        client
    }

    /// Carries frames and runs tasks until there is nothing to do.
    fn run(&mut self) {
        loop {
            let mut is_idle = true;
            for end in &mut self.ends {
                let mut actions = VecDeque::new();
                end.link.turn(&mut actions, usize::MAX);
                for action in actions {
                    is_idle = false;
                    match action {
                        Action::OpenTransport { id, subprotocols, .. } => {
                            let format = self.router.choose_format(subprotocols.iter().copied()).unwrap();
                            end.peer = Some((id, self.router.handle_opened(Time::ZERO, format)));
                            end.link.opened(id, Some(format.subprotocol()));
                        }
                        Action::Send { frame, .. } => {
                            self.frames.push(frame.bytes().clone());
                            self.router.handle_frame(Time::ZERO, end.peer.unwrap().1, frame);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            while let Some(action) = self.router.poll_action() {
                is_idle = false;
                let RouterAction::Send { peer, frame } = action else { panic!("{action:?}") };
                self.frames.push(frame.bytes().clone());
                let of_peer = |end: &&End| end.peer.is_some_and(|(_, linked)| linked == peer);
                let end = self.ends.iter().find(of_peer).unwrap();
                end.link.received(end.peer.unwrap().0, &mut vec![frame]);
            }
            self.tasks.append(&mut self.spawned.0.lock().unwrap());
            let before = self.tasks.len();
            self.tasks.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            if is_idle && self.tasks.len() == before {
                return;
            }
        }
    }

    /// Runs until a future is ready.
    #[track_caller]
    fn finish<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        for _ in 0..10 {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            self.run();
        }
        panic!("the future waits for something that does not come");
    }
}

fn ward(serializer: &str) -> Passthru {
    Passthru::new("x_ward").serializer(serializer)
}

/// Bytes, a number over 2⁵³ and text, which every format carries in its own way.
fn sample() -> Dict {
    Dict::from_iter([
        ("bytes", Value::from(Bytes::from_static(b"\x00\xff\xfe"))),
        ("number", Value::from(u64::MAX)),
        ("text", Value::from(SECRET)),
    ])
}

/// Runs a test for each pair of formats and each serializer, with a caller or publisher, and the other end.
#[track_caller]
fn in_all_formats(mut test: impl FnMut(&mut Net, &Client, &Client, &str)) {
    for near in Format::ALL {
        for far in Format::ALL {
            for serializer in ["json", "msgpack", "cbor"] {
                let mut net = Net::new();
                let (one, other) = (net.join(*near, 7), net.join(*far, 7));
                let joining = mem::take(&mut net.frames);
                assert_eq!(joining.len(), 4, "HELLO and WELCOME, twice");
                test(&mut net, &one, &other, serializer);
                let is_leaked = |frame: &Bytes| frame.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
                assert!(!net.frames.iter().any(is_leaked), "{near} to {far}, {serializer}");
                assert_eq!(net.router.stats().protocol_violations, 0);
            }
        }
    }
}

#[track_caller]
fn expect_sample(net: &mut Net, event: Option<Event>) {
    let event = event.expect("an event");
    assert_eq!(event.details().ppt_scheme.as_deref(), Some("x_ward"));
    assert_eq!(event.details().ppt_keyid.as_deref(), Some("7"));
    assert_eq!((event.arg::<u8>(0).unwrap(), event.kwargs::<Dict>().unwrap()), (1, sample()));
    net.run();
}

#[test]
fn ppt_13_a_call_and_its_result_cross_the_router_sealed() {
    in_all_formats(|net, caller, callee, serializer| {
        let register = callee.register_fn(PROCEDURE, |call: WithInvocation<(u8,)>| async move {
            let attributes = call.invocation.details();
            assert_eq!(attributes.ppt_cipher.as_deref(), Some("xor"));
            Ok(ArgsKwargs((call.args.0 + 1,), sample()))
        });
        let guard: RegistrationGuard = net.finish(register).unwrap();
        let options = CallOptions::new().passthru(ward(serializer));
        let result = net.finish(caller.call_with(PROCEDURE, ArgsKwargs((41,), sample()), options)).unwrap();
        assert_eq!((result.arg::<u8>(0).unwrap(), result.kwargs::<Dict>().unwrap()), (42, sample()));
        drop(guard);
    });
}

#[test]
fn ppt_13_the_arguments_of_an_error_cross_the_router_sealed() {
    in_all_formats(|net, caller, callee, serializer| {
        let register = callee.register_fn(PROCEDURE, |(): ()| async move {
            let error = WampError::new("com.example.error.full")?.payload(ArgsKwargs((9,), sample()))?;
            Err::<(), HandlerError>(error.into())
        });
        let guard = net.finish(register).unwrap();
        let options = CallOptions::new().passthru(ward(serializer));
        let failed = net.finish(caller.call_with(PROCEDURE, (), options)).unwrap_err();
        let RequestError::Wamp(error) = failed else { panic!("{failed:?}") };
        assert_eq!(error.uri(), "com.example.error.full");
        assert_eq!((error.arg::<u8>(0).unwrap(), error.kwargs::<Dict>().unwrap()), (9, sample()));
        drop(guard);
    });
}

#[test]
fn ppt_13_an_event_crosses_the_router_sealed() {
    in_all_formats(|net, publisher, subscriber, serializer| {
        let mut events: Subscription = net.finish(subscriber.subscribe(TOPIC)).unwrap();
        let options = PublishOptions::new().passthru(ward(serializer));
        net.finish(publisher.publish_acked_with(TOPIC, ArgsKwargs((1,), sample()), options)).unwrap();
        let event = net.finish(events.next());
        expect_sample(net, event);
        assert_eq!((events.undecodable(), events.missed()), (0, 0));
    });
}

#[test]
fn ppt_15_parts_of_a_result_cross_the_router_sealed() {
    in_all_formats(|net, caller, callee, serializer| {
        let register = callee.register_fn(PROCEDURE, |call: WithInvocation<()>| async move {
            for part in 1..=3 {
                call.invocation.progress(ArgsKwargs((part,), sample())).await?;
            }
            Ok((4, SECRET))
        });
        let guard = net.finish(register).unwrap();
        let options = CallOptions::new().passthru(ward(serializer));
        let mut call: ProgressiveCall = net.finish(caller.call_progressive_with(PROCEDURE, (), options)).unwrap();
        for part in 1..=3 {
            let next = net.finish(call.next()).unwrap();
            assert_eq!((next.arg::<u8>(0).unwrap(), next.kwargs::<Dict>().unwrap()), (part, sample()));
        }
        assert!(net.finish(call.next()).is_none());
        assert_eq!(net.finish(call.finish()).unwrap().args::<(u8, String)>().unwrap(), (4, SECRET.to_owned()));
        drop(guard);
    });
}

#[test]
fn ppt_14_another_key_opens_nothing() {
    let mut net = Net::new();
    let (ward_client, stranger) = (net.join(Format::Json, 7), net.join(Format::Cbor, 8));
    let mut events = net.finish(stranger.subscribe(TOPIC)).unwrap();
    let mut calls: Registration = net.finish(stranger.register(PROCEDURE)).unwrap();
    let options = PublishOptions::new().passthru(ward("cbor"));
    net.finish(ward_client.publish_acked_with(TOPIC, SECRET, options)).unwrap();
    net.finish(ward_client.publish_acked(TOPIC, "in clear")).unwrap();
    assert_eq!(net.finish(events.next()).unwrap().arg::<String>(0).unwrap(), "in clear");
    assert_eq!(events.undecodable(), 1);

    let mut next = pin!(calls.next());
    assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let mut call = pin!(ward_client.call_with(PROCEDURE, SECRET, CallOptions::new().passthru(ward("cbor"))));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    net.run();
    assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "nobody is called");
    let failed = net.finish(call).unwrap_err();
    assert!(matches!(failed, RequestError::Wamp(error) if error.uri() == "wamp.error.invalid_argument"));
}
