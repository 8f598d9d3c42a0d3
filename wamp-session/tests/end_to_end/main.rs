//! Sessions and a router in one process, without a socket and without a clock.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod calls;
mod events;
mod faults;
#[cfg(feature = "client")]
mod passthru;
mod profiles;
mod registrations;

use std::collections::BTreeMap;

use wamp_session::auth::{Answer, Cra, Ticket};
use wamp_session::proto::{Challenge, Format, IntoPayload, Payload, Uri};
use wamp_session::router::{PeerId, RealmConfig, Router, RouterAction, RouterConfig, User};
use wamp_session::{
    Action, AuthError, CallOptions, CloseCause, CloseReason, CommandError, Config, Opened, PublishOptions,
    ReconnectPolicy, RegisterOptions, RequestError, Response, Session, SessionEvent, SubscribeOptions, Time,
    TransportError, TransportErrorKind, TransportId, WampError,
};

/// One session, and the transport between it and the router.
struct Client {
    session: Session,
    /// How it authenticates: method and authid.
    auth: Option<(&'static str, &'static str)>,
    link: Option<(TransportId, PeerId)>,
    /// Every action, to compare runs.
    trace: Vec<String>,
}

struct World {
    router: Router,
    clients: Vec<Client>,
    now: Time,
}

fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

fn payload(value: impl IntoPayload) -> Payload {
    value.into_payload(Format::Json).unwrap()
}

impl World {
    fn new() -> Self {
        let users = RealmConfig::new("secure").unwrap();
        let config = RouterConfig::new([1; 32])
            .realm(RealmConfig::new("realm1").unwrap().anonymous("guest"))
            .realm(users.user(User::ticket("joe", "t1ck3t")).user(User::wampcra("peter", "secret1")));
        Self { router: Router::new(config), clients: Vec::new(), now: Time::ZERO }
    }

    fn connect(&mut self, config: Config, auth: Option<(&'static str, &'static str)>) -> usize {
        let mut session = Session::new(config);
        session.connect(self.now);
        self.clients.push(Client { session, auth, link: None, trace: Vec::new() });
        self.run();
        self.clients.len() - 1
    }

    /// A client that has joined with a format.
    fn join(&mut self, format: Format) -> usize {
        let client =
            self.connect(Config::new("mem:", "realm1").reconnect(ReconnectPolicy::never()).formats([format]), None);
        let Some(SessionEvent::Joined(joined)) = self.event(client) else { panic!("not joined") };
        assert_eq!(joined.format, format);
        client
    }

    fn session(&mut self, client: usize) -> &mut Session {
        &mut self.clients[client].session
    }

    /// The next event of a client, after everything under way has arrived.
    fn event(&mut self, client: usize) -> Option<SessionEvent> {
        self.run();
        self.session(client).poll_event()
    }

    /// Carries frames until there are none.
    fn run(&mut self) {
        loop {
            let (mut is_idle, now) = (true, self.now);
            for client in &mut self.clients {
                while let Some(action) = client.session.poll_action() {
                    is_idle = false;
                    client.act(now, action, &mut self.router);
                }
            }
            while let Some(action) = self.router.poll_action() {
                is_idle = false;
                match action {
                    RouterAction::Send { peer, frame } => {
                        let client = self.client_of(peer);
                        client.trace.push(format!("<- {:?}", frame.bytes()));
                        client.session.handle_frame(now, client.link.unwrap().0, frame);
                    }
                    RouterAction::Close { peer, code, reason } => {
                        let client = self.client_of(peer);
                        client.trace.push(format!("<- close {code} {reason}"));
                        let (transport, _) = client.link.take().unwrap();
                        let reason = reason.as_ref().to_owned();
                        let why = TransportError::new(TransportErrorKind::Closed { code: Some(code), reason });
                        client.session.handle_closed(now, transport, why);
                    }
                    other => panic!("{other:?}"),
                }
            }
            if is_idle {
                return;
            }
        }
    }

    fn client_of(&mut self, peer: PeerId) -> &mut Client {
        let of_peer = |client: &&mut Client| client.link.is_some_and(|(_, linked)| linked == peer);
        self.clients.iter_mut().find(of_peer).unwrap()
    }
}

impl Client {
    fn act(&mut self, now: Time, action: Action, router: &mut Router) {
        match action {
            Action::OpenTransport { id, subprotocols, .. } => {
                let format = router.choose_format(subprotocols.iter().copied()).unwrap();
                self.link = Some((id, router.handle_opened(now, format)));
                let mut opened = Opened::new(Some(format.subprotocol()));
                if let Some((method, authid)) = self.auth {
                    opened = opened.authmethods([method]).authid(authid);
                }
                self.session.handle_opened(now, id, opened);
            }
            Action::Send { id, frame } => {
                let (transport, peer) = self.link.unwrap();
                assert_eq!(id, transport);
                self.trace.push(format!("-> {:?}", frame.bytes()));
                router.handle_frame(now, peer, frame);
            }
            Action::CloseTransport { id, code, .. } => {
                self.trace.push(format!("-> close {code}"));
                let (transport, peer) = self.link.take().unwrap();
                assert_eq!(id, transport);
                router.handle_closed(now, peer);
                let kind = TransportErrorKind::Closed { code: Some(code), reason: String::new() };
                self.session.handle_closed(now, id, TransportError::new(kind));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A client that has registered `com.example.divide` and serves what it is asked.
fn callee(world: &mut World, format: Format) -> usize {
    let callee = world.join(format);
    let now = world.now;
    world.session(callee).register(now, uri("com.example.divide"), RegisterOptions::new()).unwrap();
    assert!(matches!(world.event(callee), Some(SessionEvent::Registered { result: Ok(()), .. })));
    callee
}

/// Serves one invocation of `com.example.divide`.
fn serve(world: &mut World, callee: usize) {
    let Some(SessionEvent::Invocation(invocation)) = world.event(callee) else { panic!("no invocation") };
    assert_eq!(invocation.procedure, "com.example.divide");
    let (a, b): (i64, i64) = invocation.payload.args().unwrap();
    let response = match a.checked_div(b) {
        Some(quotient) => Response::Result(payload((quotient,))),
        None => {
            let error = WampError::new("com.example.error.division_by_zero").unwrap();
            Response::Error(error.payload((a, "by zero")).unwrap())
        }
    };
    let now = world.now;
    world.session(callee).respond(now, invocation.key, response).unwrap();
}

/// Everything that two sessions can do over a router.
fn whole_path(of_one: Format, of_other: Format) -> World {
    let mut world = World::new();
    let subscriber = world.join(of_one);
    let now = world.now;
    let subscription =
        world.session(subscriber).subscribe(now, uri("com.example.tick"), SubscribeOptions::new()).unwrap();
    assert!(
        matches!(world.event(subscriber), Some(SessionEvent::Subscribed { key, result: Ok(()) }) if key == subscription)
    );
    let publisher = callee(&mut world, of_other);

    let event = ("EURUSD", 1.0625, serde_bytes(&[0, 255, 10]));
    world.session(publisher).publish(now, uri("com.example.tick"), payload(event), PublishOptions::new()).unwrap();
    let Some(SessionEvent::Published(event)) = world.event(subscriber) else { panic!("no event") };
    assert_eq!((event.key, &event.topic), (subscription, &uri("com.example.tick")));
    let (symbol, price, bytes): (String, f64, Bytes) = event.payload.args().unwrap();
    assert_eq!((symbol.as_str(), price, &bytes.0[..]), ("EURUSD", 1.0625, &[0, 255, 10][..]));

    let acked = payload(("again",));
    let key =
        world.session(publisher).publish_acked(now, uri("com.example.tick"), acked, PublishOptions::new()).unwrap();
    let Some(SessionEvent::PublishDone { key: done, result: Ok(id) }) = world.event(publisher) else { panic!() };
    assert_eq!(done, key);
    let Some(SessionEvent::Published(event)) = world.event(subscriber) else { panic!("no event") };
    assert_eq!(event.publication, id);

    let call = |world: &mut World, args: (i64, i64)| {
        let key =
            world.session(subscriber).call(now, uri("com.example.divide"), payload(args), CallOptions::new()).unwrap();
        serve(world, publisher);
        let Some(SessionEvent::CallDone { key: done, result }) = world.event(subscriber) else { panic!("no answer") };
        assert_eq!(done, key);
        result.map_err(Box::new)
    };
    assert_eq!(call(&mut world, (42, 6)).unwrap().payload.arg::<i64>(0).unwrap(), 7);
    let RequestError::Wamp(error) = *call(&mut world, (1, 0)).unwrap_err() else { panic!("no error") };
    assert_eq!(error.uri(), "com.example.error.division_by_zero");
    assert_eq!(error.args::<(i64, String)>().unwrap(), (1, "by zero".to_owned()));

    world.session(subscriber).unsubscribe(now, subscription).unwrap();
    assert!(matches!(world.event(subscriber), Some(SessionEvent::Unsubscribed { result: Ok(()), .. })));
    assert_eq!(world.router.subscriptions("realm1").count(), 0);

    for client in [subscriber, publisher] {
        world.session(client).close(now, CloseReason::CloseRealm);
        let mut last = None;
        while let Some(event) = world.event(client) {
            last = Some(event);
        }
        let Some(SessionEvent::Closed(cause)) = last else { panic!("not closed") };
        assert!(matches!(*cause, CloseCause::Application), "{cause:?}");
    }
    assert_eq!(world.router.peers(), 0);
    assert_eq!(world.router.registrations("realm1").count(), 0);
    assert_eq!(world.router.stats(), Default::default());
    world
}

/// Bytes, as the formats have them.
#[derive(serde::Serialize, serde::Deserialize)]
struct Bytes(#[serde(with = "bytes_of")] Vec<u8>);

fn serde_bytes(bytes: &[u8]) -> Bytes {
    Bytes(bytes.to_vec())
}

mod bytes_of {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Visit;

        impl Visitor<'_> for Visit {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }

        deserializer.deserialize_bytes(Visit)
    }
}

#[test]
fn two_sessions_publish_and_call_over_a_router() {
    for of_one in Format::ALL {
        for of_other in Format::ALL {
            whole_path(*of_one, *of_other);
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_frames() {
    let trace = || -> Vec<_> { whole_path(Format::Json, Format::Json).clients.into_iter().map(|c| c.trace).collect() };
    let first = trace();
    assert!(first.iter().map(Vec::len).sum::<usize>() > 20);
    assert_eq!(first, trace());
}

/// Joins with an object that answers the challenge, and returns how that ends.
fn authenticate(
    auth: (&'static str, &'static str),
    answer: impl FnOnce(&Challenge) -> Result<Answer, AuthError>,
) -> SessionEvent {
    let mut world = World::new();
    let client = world.connect(Config::new("mem:", "secure"), Some(auth));
    let Some(SessionEvent::Challenge { transport, challenge }) = world.event(client) else { panic!("no challenge") };
    let now = world.now;
    world.session(client).authenticate(now, transport, answer(&challenge)).unwrap();
    world.event(client).unwrap()
}

#[test]
fn rtr_11_sessions_authenticate() {
    let ticket = authenticate(("ticket", "joe"), |challenge| Ticket::new("joe", "t1ck3t").answer_to(challenge));
    let SessionEvent::Joined(joined) = ticket else { panic!("{ticket:?}") };
    assert_eq!(joined.details.authid.as_deref(), Some("joe"));
    let cra = authenticate(("wampcra", "peter"), |challenge| Cra::new("peter", "secret1").answer_to(challenge));
    let SessionEvent::Joined(joined) = cra else { panic!("{cra:?}") };
    assert_eq!(joined.details.authmethod.as_deref(), Some("wampcra"));
    let wrong = authenticate(("wampcra", "peter"), |challenge| Cra::new("peter", "secret2").answer_to(challenge));
    let SessionEvent::Closed(cause) = wrong else { panic!("{wrong:?}") };
    let CloseCause::Abort(abort) = &*cause else { panic!("{cause:?}") };
    assert_eq!(abort.reason, "wamp.error.authentication_denied");
}

#[test]
fn an_unknown_realm_closes_the_session() {
    let mut world = World::new();
    let client = world.connect(Config::new("mem:", "realm9"), None);
    let Some(SessionEvent::Closed(cause)) = world.event(client) else { panic!("not closed") };
    assert!(matches!(&*cause, CloseCause::Abort(abort) if abort.reason == "wamp.error.no_such_realm"));
}

#[test]
fn a_callee_that_leaves_fails_its_calls() {
    let mut world = World::new();
    let (caller, callee) = (world.join(Format::Json), callee(&mut world, Format::Json));
    let now = world.now;
    world.session(caller).call(now, uri("com.example.divide"), payload((1, 1)), CallOptions::new()).unwrap();
    world.run();
    world.session(callee).close(now, CloseReason::CloseRealm);
    let Some(SessionEvent::CallDone { result: Err(RequestError::Wamp(error)), .. }) = world.event(caller) else {
        panic!("no error")
    };
    assert_eq!(error.uri(), "wamp.error.canceled");
    let gone = world.session(caller).call(now, uri("com.example.divide"), payload((1, 1)), CallOptions::new());
    assert!(gone.is_ok());
    let Some(SessionEvent::CallDone { result: Err(RequestError::Wamp(error)), .. }) = world.event(caller) else {
        panic!("no error")
    };
    assert_eq!(error.uri(), "wamp.error.no_such_procedure");
}

#[test]
fn a_router_that_shuts_down_closes_its_sessions() {
    let mut world = World::new();
    let client = world.join(Format::Json);
    world.now = Time::from_secs(1);
    let now = world.now;
    world.router.shutdown(now);
    let Some(SessionEvent::Closed(cause)) = world.event(client) else { panic!("not closed") };
    assert!(matches!(&*cause, CloseCause::Goodbye(goodbye) if goodbye.reason == "wamp.close.system_shutdown"));
    assert_eq!(world.router.peers(), 0);
    let publish = world.session(client).publish(now, uri("a.b"), Payload::new(), PublishOptions::new());
    assert_eq!(publish, Err(CommandError::Closed));
}

#[test]
fn calls_of_many_sessions_find_their_way_back() {
    let mut world = World::new();
    let server = callee(&mut world, Format::Json);
    let callers: Vec<_> = (0..20).map(|_| world.join(Format::Json)).collect();
    let now = world.now;
    let mut keys = BTreeMap::new();
    for (n, caller) in (0_i64..).zip(&callers) {
        for m in 1..=5 {
            let args = payload((n * m * 10, m));
            let key = world.session(*caller).call(now, uri("com.example.divide"), args, CallOptions::new()).unwrap();
            keys.insert((*caller, key), n * 10);
        }
    }
    for _ in 0..keys.len() {
        serve(&mut world, server);
    }
    for caller in callers {
        while let Some(SessionEvent::CallDone { key, result }) = world.event(caller) {
            let expected = keys.remove(&(caller, key)).unwrap();
            assert_eq!(result.unwrap().payload.arg::<i64>(0).unwrap(), expected);
        }
    }
    assert!(keys.is_empty());
    assert_eq!(world.router.pending_invocations("realm1"), 0);
    assert_eq!(world.router.poll_timeout(), None);
}
