//! Measures `wamp_session` without a socket: an EVENT from its frame to the event that the embedder takes, and a call through a router to a callee and
//! back.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use loowy_benches::{Case, frame};
use wamp_session::proto::{Format, IntoPayload, Payload, Uri};
use wamp_session::router::{PeerId, RealmConfig, Router, RouterAction, RouterConfig};
use wamp_session::{
    Action, CallOptions, Config, Frame, Opened, RegisterOptions, Response, Session, SessionEvent, SubscribeOptions,
    Time, TransportId,
};

const FORMATS: [(loowy_benches::Format, Format); 3] = [
    (loowy_benches::Format::Json, Format::Json),
    (loowy_benches::Format::MsgPack, Format::MsgPack),
    (loowy_benches::Format::Cbor, Format::Cbor),
];

fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

/// A router and the sessions that are connected to it, in one process.
struct World {
    router: Router,
    sessions: Vec<(Session, Option<(TransportId, PeerId)>)>,
}

impl World {
    fn new() -> Self {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        Self { router: Router::new(RouterConfig::new([1; 32]).realm(realm)), sessions: Vec::new() }
    }

    fn join(&mut self, format: Format) -> usize {
        let mut session = Session::new(Config::new("mem:", "realm1").formats([format]));
        session.connect(Time::ZERO);
        self.sessions.push((session, None));
        let index = self.sessions.len() - 1;
        assert!(matches!(self.event(index), SessionEvent::Joined(_)));
        index
    }

    fn session(&mut self, index: usize) -> &mut Session {
        &mut self.sessions.get_mut(index).unwrap().0
    }

    /// The next event of a session, after everything under way has arrived.
    fn event(&mut self, index: usize) -> SessionEvent {
        while self.carry() {}
        self.session(index).poll_event().unwrap()
    }

    /// Carries frames; `false` if there were none.
    fn carry(&mut self) -> bool {
        let mut carried = false;
        for (session, link) in &mut self.sessions {
            while let Some(action) = session.poll_action() {
                carried = true;
                match action {
                    Action::OpenTransport { id, subprotocols, .. } => {
                        let format = self.router.choose_format(subprotocols.iter().copied()).unwrap();
                        *link = Some((id, self.router.handle_opened(Time::ZERO, format)));
                        session.handle_opened(Time::ZERO, id, Opened::new(Some(format.subprotocol())));
                    }
                    Action::Send { frame, .. } => self.router.handle_frame(Time::ZERO, link.unwrap().1, frame),
                    other => panic!("{other:?}"),
                }
            }
        }
        while let Some(action) = self.router.poll_action() {
            carried = true;
            let RouterAction::Send { peer, frame } = action else { panic!("{action:?}") };
            for (session, link) in &mut self.sessions {
                if let Some((transport, linked)) = link
                    && *linked == peer
                {
                    session.handle_frame(Time::ZERO, *transport, frame.clone());
                }
            }
        }
        carried
    }
}

/// A session that has joined and subscribed, with a router that says what is written here: its subscription has the id of the measured frames.
fn subscriber(format: loowy_benches::Format) -> (Session, TransportId) {
    use loowy_benches::Tree::{Dict, Int, List};

    let encode = |tree| loowy_benches::encode(format, &tree);
    let subprotocol = match format {
        loowy_benches::Format::Json => Format::Json,
        loowy_benches::Format::MsgPack => Format::MsgPack,
        loowy_benches::Format::Cbor => Format::Cbor,
    };
    let mut session = Session::new(Config::new("mem:", "realm1").formats([subprotocol]));
    session.connect(Time::ZERO);
    let Some(Action::OpenTransport { id, .. }) = session.poll_action() else { panic!("no transport is opened") };
    session.handle_opened(Time::ZERO, id, Opened::new(Some(subprotocol.subprotocol())));
    let roles = Dict(vec![("roles", Dict(vec![("broker", Dict(vec![]))]))]);
    session.handle_frame(Time::ZERO, id, in_frame(subprotocol, encode(List(vec![Int(2), Int(1), roles])).into()));
    session.subscribe(Time::ZERO, uri("com.example.topic"), SubscribeOptions::new()).unwrap();
    let subscribed = encode(List(vec![Int(33), Int(1), Int(5_512_315_355)]));
    session.handle_frame(Time::ZERO, id, in_frame(subprotocol, subscribed.into()));
    while session.poll_action().is_some() {}
    while session.poll_event().is_some() {}
    (session, id)
}

fn in_frame(format: Format, bytes: Bytes) -> Frame {
    if format.is_binary() { Frame::Binary(bytes) } else { Frame::Text(bytes) }
}

fn event(c: &mut Criterion) {
    for (of_frame, format) in FORMATS {
        let (mut session, transport) = subscriber(of_frame);
        for case in [Case::EventKilobyte, Case::EventThousand] {
            let frame = in_frame(format, frame(case, of_frame).into());
            c.bench_function(&format!("event/{}/{}", of_frame.name(), case.name()), |b| {
                b.iter(|| {
                    session.handle_frame(Time::ZERO, transport, black_box(&frame).clone());
                    let Some(SessionEvent::Published(event)) = session.poll_event() else { panic!("no event") };
                    event
                });
            });
        }
    }
}

fn call(c: &mut Criterion) {
    for (of_frame, format) in FORMATS {
        let mut world = World::new();
        let (caller, callee) = (world.join(format), world.join(format));
        let procedure = uri("com.example.add2");
        world.session(callee).register(Time::ZERO, procedure.clone(), RegisterOptions::new()).unwrap();
        assert!(matches!(world.event(callee), SessionEvent::Registered { result: Ok(()), .. }));
        let arguments: Payload = (23, 7).into_payload(format).unwrap();
        c.bench_function(&format!("call/{}", of_frame.name()), |b| {
            b.iter(|| {
                let options = CallOptions::new();
                world.session(caller).call(Time::ZERO, procedure.clone(), arguments.clone(), options).unwrap();
                let SessionEvent::Invocation(invocation) = world.event(callee) else { panic!("no invocation") };
                let (a, b): (u64, u64) = invocation.payload.to().unwrap();
                let sum = Response::Result((a + b,).into_payload(format).unwrap());
                world.session(callee).respond(Time::ZERO, invocation.key, sum).unwrap();
                let SessionEvent::CallDone { result: Ok(outcome), .. } = world.event(caller) else {
                    panic!("no result")
                };
                outcome.payload.to::<u64>().unwrap()
            });
        });
    }
}

/// A call with a timeout and its result, beside so many that wait with theirs: the deadlines must not make it dearer than by a logarithm.
fn pending(c: &mut Criterion) {
    let mut group = c.benchmark_group("call_beside_pending");
    for waiting in [0_u64, 1_000, 10_000, 100_000] {
        let (mut session, transport) = caller();
        let options = |number: u64| CallOptions::new().timeout(Duration::from_millis(1_000 + number * 7_919 % 100_000));
        for number in 0..waiting {
            session.call(Time::ZERO, uri("com.example.slow"), Payload::new(), options(number)).unwrap();
        }
        while session.poll_action().is_some() {}
        let (procedure, mut request) = (uri("com.example.p"), waiting);
        group.bench_function(waiting.to_string(), |b| {
            b.iter(|| {
                request += 1;
                session.call(Time::ZERO, procedure.clone(), Payload::new(), options(request)).unwrap();
                let Some(Action::Send { .. }) = session.poll_action() else { panic!("nothing was sent") };
                session.handle_timeout(Time::ZERO);
                let result = Frame::Text(format!("[50,{request},{{}}]").into());
                session.handle_frame(Time::ZERO, transport, result);
                let Some(SessionEvent::CallDone { result: Ok(_), .. }) = session.poll_event() else {
                    panic!("no result")
                };
                black_box(session.poll_timeout())
            });
        });
    }
    group.finish();
}

/// A session that has joined, with a router that says what is written here.
fn caller() -> (Session, TransportId) {
    let mut session = Session::new(Config::new("mem:", "realm1").formats([Format::Json]));
    session.connect(Time::ZERO);
    let Some(Action::OpenTransport { id, .. }) = session.poll_action() else { panic!("no transport is opened") };
    session.handle_opened(Time::ZERO, id, Opened::new(Some(Format::Json.subprotocol())));
    let welcome = br#"[2,1,{"roles":{"dealer":{}}}]"#.as_slice();
    session.handle_frame(Time::ZERO, id, Frame::Text(welcome.into()));
    while session.poll_action().is_some() {}
    while session.poll_event().is_some() {}
    (session, id)
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = event, call, pending
}
criterion_main!(benches);
