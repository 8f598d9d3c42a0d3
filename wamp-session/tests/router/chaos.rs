//! Many clients that send anything, by a seed.

use std::time::Duration;

use wamp_session::Frame;
use wamp_session::proto::{Format, Limits, Message, MessageType, PayloadCheck, decode, encode};
use wamp_session::router::{PeerId, RealmConfig, Router, RouterAction, RouterLimits, User};

use crate::world::{FEATURED, HELLO, World, config, registered};

/// SplitMix64: enough chance for a test.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A client that mostly does what it may.
struct Client {
    peer: PeerId,
    requests: u64,
    /// The ids of unanswered invocations.
    invocations: Vec<u64>,
    /// The latest of all invocations.
    latest: u64,
    /// The calls that take more input.
    inputs: Vec<(u64, &'static str)>,
    /// Whether it has done what it may not.
    is_rude: bool,
}

impl Client {
    fn message(&mut self, chance: &mut Chance) -> String {
        let uri = *chance.one(&["a.a", "a.b", "a.c", "a..b", "wamp.a"]);
        let id = 1 + chance.below(12);
        let payload = chance.one(&["", r#",["x"]"#, r#",[],{"k":[1,{}]}"#, ",null"]);
        let mut request = || {
            self.requests += 1;
            self.requests
        };
        match chance.below(48) {
            0..6 => format!(r#"[16,{},{{"acknowledge":true,"exclude_me":false}},"{uri}"{payload}]"#, request()),
            6..9 => format!(r#"[16,{},{{}},"{uri}"{payload}]"#, request()),
            9..14 => format!(r#"[32,{},{{}},"{uri}"]"#, request()),
            14..17 => format!("[34,{},{id}]", request()),
            17..23 => {
                let options = chance.one(&[
                    "",
                    r#""match":"prefix""#,
                    r#""match":"wildcard""#,
                    r#""invoke":"roundrobin""#,
                    r#""invoke":"random""#,
                    r#""invoke":"last","concurrency":1"#,
                    r#""force_reregister":true"#,
                    r#""forward_timeout":true"#,
                ]);
                format!(r#"[64,{},{{{options}}},"{uri}"]"#, request())
            }
            23 => format!("[66,{},{id}]", request()),
            24..30 => {
                let options = chance.one(&[
                    "",
                    r#""receive_progress":true"#,
                    r#""receive_progress":true,"timeout":900"#,
                    r#""timeout":1"#,
                    r#""runmode":"partition","rkey":"k""#,
                ]);
                format!(r#"[48,{},{{{options}}},"{uri}"{payload}]"#, request())
            }
            30..33 if uri != "a..b" => {
                let request = request();
                self.inputs.push((request, uri));
                format!(r#"[48,{request},{{"progress":true,"receive_progress":true}},"{uri}"{payload}]"#)
            }
            33..36 if !self.inputs.is_empty() => {
                let index = chance.below(self.inputs.len());
                let (request, uri) = self.inputs[index];
                let more = chance.below(3) != 0;
                if !more {
                    self.inputs.remove(index);
                }
                format!(r#"[48,{request},{{"progress":{more}}},"{uri}"{payload}]"#)
            }
            36..39 => {
                let mode = chance.one(&["", r#""mode":"skip""#, r#""mode":"kill""#, r#""mode":"killnowait""#]);
                format!("[49,{},{{{mode}}}]", 1 + chance.below(usize::try_from(self.requests).unwrap() + 1))
            }
            39..46 if !self.invocations.is_empty() => {
                let index = chance.below(self.invocations.len());
                let invocation = self.invocations[index];
                if chance.below(3) == 0 {
                    return format!(r#"[70,{invocation},{{"progress":true}}{payload}]"#);
                }
                self.invocations.remove(index);
                match chance.below(4) {
                    0 => format!(r#"[8,68,{invocation},{{}},"a.error"{payload}]"#),
                    1 => format!(r#"[8,68,{invocation},{{}},"wamp.error.unavailable"{payload}]"#),
                    _ => format!("[70,{invocation},{{}}{payload}]"),
                }
            }
            46 => r#"[6,{},"wamp.close.close_realm"]"#.to_owned(),
            47 => {
                self.is_rude = true;
                let rude = ["[]", "[70,999,{}]", r#"[48,999,{},"a.a"]"#, "[2,1,{}]", "\u{ff}", HELLO];
                chance.one(&rude).to_string()
            }
            _ => format!("[34,{},{id}]", request()),
        }
    }

    fn receives(&mut self, message: &Message) {
        match message {
            Message::Invocation(invocation) if invocation.request.get() > self.latest => {
                self.latest = invocation.request.get();
                self.invocations.push(self.latest);
            }
            // More input, perhaps for one that is answered.
            Message::Invocation(_) => {}
            Message::Interrupt(interrupt) if interrupt.options.mode.as_deref() == Some("killnowait") => {
                self.invocations.retain(|invocation| *invocation != interrupt.request.get());
            }
            _ => {}
        }
    }
}

/// Runs a number of steps, and returns everything the router did.
fn run(seed: u64, steps: usize) -> (Router, Vec<String>) {
    let limits = RouterLimits::new().max_outbound_bytes(4000).max_calls(30).max_subscriptions(3).max_registrations(3);
    let mut router = Router::new(config().limits(limits));
    let hello = FEATURED.replace(r#"{"roles":{"#, r#"{"roles":{"publisher":{},"subscriber":{},"#);
    let mut chance = Chance(seed);
    let mut now = wamp_session::Time::ZERO;
    let mut clients: Vec<Client> = Vec::new();
    let mut trace = Vec::new();
    for _ in 0..steps {
        match chance.below(60) {
            0..4 => {
                let peer = router.handle_opened(now, Format::Json);
                let (invocations, inputs) = (Vec::new(), Vec::new());
                clients.push(Client { peer, requests: 0, invocations, latest: 0, inputs, is_rude: false });
                let hello = if chance.below(4) == 0 { HELLO.to_owned() } else { hello.clone() };
                clients.last_mut().unwrap().is_rude = hello == HELLO;
                router.handle_frame(now, peer, Frame::Text(hello.into()));
            }
            4 => {
                now = now.checked_add(Duration::from_millis(chance.next() % 3000)).unwrap();
                router.handle_timeout(now);
                assert!(router.poll_timeout().is_none_or(|next| next > now));
            }
            5 => _ = router.handle_opened(now, Format::Json),
            _ if clients.is_empty() => {}
            what => {
                let index = chance.below(clients.len());
                let client = &mut clients[index];
                match what {
                    6 => router.handle_blocked(now, client.peer),
                    7..10 => router.handle_writable(now, client.peer),
                    10 => {
                        router.handle_closed(now, client.peer);
                        clients.remove(index);
                    }
                    _ => {
                        let message = client.message(&mut chance);
                        router.handle_frame(now, client.peer, Frame::Text(message.into()));
                    }
                }
            }
        }
        while chance.below(8) != 0
            && let Some(action) = router.poll_action()
        {
            trace.push(match action {
                RouterAction::Send { peer, frame } => {
                    let bytes = frame.bytes().clone();
                    let text = format!("{peer:?} {bytes:?}");
                    let message = decode(bytes, Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
                    let kind = message.message_type();
                    assert!(!matches!(kind, MessageType::Hello | MessageType::Call | MessageType::Yield), "{text}");
                    if let Some(client) = clients.iter_mut().find(|client| client.peer == peer) {
                        client.receives(&message);
                    }
                    text
                }
                RouterAction::Close { peer, code, reason } => {
                    let client = clients.iter().find(|client| client.peer == peer);
                    assert!(code != 1002 || client.is_none_or(|client| client.is_rude), "seed {seed}: {reason}");
                    clients.retain(|client| client.peer != peer);
                    format!("{peer:?} close {code} {reason}")
                }
                other => panic!("{other:?}"),
            });
        }
    }
    (router, trace)
}

#[test]
fn rtr_13_whatever_clients_send_the_router_forgets_them_when_they_are_gone() {
    for seed in 0..40 {
        let (mut router, trace) = run(seed, 1500);
        assert!(trace.len() > 300, "seed {seed}: only {} actions", trace.len());
        let now = wamp_session::Time::from_secs(100_000);
        router.shutdown(now);
        router.handle_timeout(now.checked_add(Duration::from_secs(5)).unwrap());
        router.handle_timeout(now.checked_add(Duration::from_secs(10)).unwrap());
        while router.poll_action().is_some() {}
        assert_eq!(router.peers(), 0, "seed {seed}");
        assert_eq!(router.poll_timeout(), None, "seed {seed}");
        assert_eq!(router.sessions("realm1").count(), 0);
        assert_eq!(router.subscriptions("realm1").count(), 0);
        assert_eq!(router.registrations("realm1").count(), 0);
        assert_eq!(router.pending_invocations("realm1"), 0);
        let printed = format!("{router:?}");
        assert!(printed.contains("peers: 0, sessions: 0,"), "seed {seed}: {printed}");
    }
}

#[test]
fn the_tables_hold_what_the_sessions_that_are_left_hold() {
    for seed in 100..120 {
        let (mut router, _) = run(seed, 1500);
        let peers: Vec<_> = router.sessions("realm1").map(|(peer, _)| peer).collect();
        let callees: Vec<_> = router.registrations("realm1").flat_map(|it| it.callees).collect();
        assert!(callees.iter().all(|callee| peers.contains(callee)), "seed {seed}");
        assert!(
            router
                .subscriptions("realm1")
                .all(|subscription| (1..=peers.len()).contains(&subscription.subscribers.len()))
        );
        // Without shutdown, one after the other.
        let now = wamp_session::Time::from_secs(1000);
        for peer in peers {
            router.handle_closed(now, peer);
        }
        assert_eq!(router.subscriptions("realm1").count(), 0, "seed {seed}");
        assert_eq!(router.registrations("realm1").count(), 0, "seed {seed}");
        assert_eq!(router.pending_invocations("realm1"), 0, "seed {seed}");
    }
}

#[test]
fn the_same_inputs_give_the_same_actions() {
    for seed in [1, 2, 3] {
        assert_eq!(run(seed, 3000).1, run(seed, 3000).1);
    }
    assert_ne!(run(1, 3000).1, run(2, 3000).1);
}

/// What changes of a few bytes start from.
const MESSAGES: [&str; 12] = [
    HELLO,
    r#"[1,"secure",{"roles":{"caller":{}},"authmethods":["ticket"],"authid":"joe"}]"#,
    r#"[5,"wrong",{}]"#,
    r#"[6,{},"wamp.close.close_realm"]"#,
    r#"[8,68,1,{},"a.error",[1]]"#,
    r#"[16,1,{"acknowledge":true,"exclude":[1]},"a.a",[1.5,null],{"k":[{}]}]"#,
    r#"[32,1,{"match":"prefix"},"a."]"#,
    "[34,1,1]",
    r#"[48,1,{"timeout":1000,"receive_progress":true},"a.b",["x"]]"#,
    r#"[49,1,{"mode":"kill"}]"#,
    r#"[64,1,{"match":"wildcard","invoke":"random"},"a..c"]"#,
    r#"[70,1,{"progress":true},["x"]]"#,
];

/// Bytes of chance, or a message with some bytes changed.
fn arbitrary(chance: &mut Chance, format: Format) -> Vec<u8> {
    if chance.below(3) == 0 {
        return (0..chance.below(80)).map(|_| chance.next().to_le_bytes()[0]).collect();
    }
    let text = chance.one(&MESSAGES).as_bytes().to_vec();
    let message = decode(text.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
    let mut bytes = Vec::new();
    encode(&message, format, &mut bytes).unwrap();
    for _ in 0..chance.below(4) {
        let at = chance.below(bytes.len());
        bytes[at] = chance.next().to_le_bytes()[0];
    }
    bytes
}

#[test]
fn rtr_13_arbitrary_frames_in_any_state_harm_nobody_else() {
    let secure = RealmConfig::new("secure").unwrap().user(User::ticket("joe", "t1ck3t"));
    let mut world = World::new(config().realm(secure));
    let (caller, callee) = (world.client(), world.client());
    registered(&mut world, callee, "");
    let tables = world.tables();
    let mut chance = Chance(13);
    for number in 1..=4_000_u64 {
        let format = *chance.one(Format::ALL);
        let peer = world.open(format);
        match chance.below(4) {
            0 => {}
            1 => {
                world.send(peer, MESSAGES[1]);
                assert!(world.one(peer).starts_with("[4,"));
            }
            joined => {
                world.send(peer, HELLO);
                assert!(world.one(peer).starts_with("[2,"));
                if joined == 3 {
                    world.send(peer, MESSAGES[3]);
                }
            }
        }
        for _ in 0..=chance.below(3) {
            let bytes = arbitrary(&mut chance, format).into();
            let is_binary = format.is_binary() != (chance.below(20) == 0);
            world.send_frame(peer, if is_binary { Frame::Binary(bytes) } else { Frame::Text(bytes) });
        }
        world.drain();
        world.router.handle_closed(world.now, peer);
        // What the peer has called is still to be answered.
        for invocation in world.take(callee) {
            let id = invocation.strip_prefix("[68,").and_then(|rest| rest.split(',').next()).unwrap();
            world.send(callee, &format!("[70,{id},{{}}]"));
        }
        assert_eq!(world.tables(), tables, "after the frames of peer {number}");

        world.send(caller, &format!(r#"[48,{number},{{}},"a.b",[{number}]]"#));
        let invocation = world.one(callee);
        let id = invocation.split(',').nth(1).unwrap();
        world.send(callee, &format!("[70,{id},{{}},[{number}]]"));
        assert_eq!(world.one(caller), format!("[50,{number},{{}},[{number}]]"));
    }
    assert!(world.router.stats().protocol_violations > 2_000, "{:?}", world.router.stats());
}
