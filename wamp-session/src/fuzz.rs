//! The bodies of the fuzz targets. Unit tests run them on the committed seeds and on inputs of chance, without a fuzzer.

use core::time::Duration;

use wamp_proto::{CancelMode, Format, Payload, Uri};

use crate::{
    Action, CallKey, CallOptions, CallPart, CloseReason, Config, Frame, InvocationKey, KeepAlive, Limits, Opened,
    PublishKey, PublishOptions, ReconnectPolicy, RegisterOptions, RegistrationKey, Response, Session, SessionEvent,
    Status, SubscribeOptions, SubscriptionKey, Time, TransportError, TransportErrorKind,
};

/// What the router says in the states that bytes of chance do not reach by themselves.
const FRAMES: [&str; 24] = [
    r#"[2,1,{"roles":{"broker":{},"dealer":{}}}]"#,
    r#"[2,1,{"roles":{"broker":{},"dealer":{"features":{"call_canceling":true,"progressive_call_invocations":true}}}}]"#,
    r#"[3,{},"wamp.error.no_such_realm"]"#,
    r#"[4,"ticket",{}]"#,
    r#"[6,{},"wamp.close.system_shutdown"]"#,
    r#"[8,48,1,{},"a.b",[1]]"#,
    r#"[8,32,2,{},"a b"]"#,
    "[17,1,7]",
    "[33,1,1]",
    "[33,2,1]",
    "[35,3]",
    r#"[35,0,{"subscription":1}]"#,
    r#"[36,1,7,{"topic":"a.b"},[1],{"k":2}]"#,
    "[50,1,{},[1]]",
    r#"[50,2,{"progress":true},[1]]"#,
    "[65,1,1]",
    "[65,2,2]",
    "[67,3]",
    r#"[67,0,{"registration":1}]"#,
    "[68,1,1,{},[1]]",
    r#"[68,2,1,{"progress":true,"receive_progress":true,"timeout":5}]"#,
    r#"[68,1,1,{"procedure":"a b"}]"#,
    r#"[69,1,{"mode":"killnowait"}]"#,
    r#"[69,2,{"mode":"kill"}]"#,
];

/// A session, and the keys that it gave out.
struct World {
    session: Session,
    now: Time,
    seen: Seen,
    /// The SUBSCRIBE or REGISTER that was sent last: its type and its id.
    asked: Option<(u64, u64)>,
    calls: Vec<CallKey>,
    publications: Vec<PublishKey>,
    subscriptions: Vec<SubscriptionKey>,
    registrations: Vec<RegistrationKey>,
    invocations: Vec<InvocationKey>,
}

/// What an input has reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// The frames that a session has received.
    pub frames: usize,
    /// Those that it received while it had joined.
    pub joined: usize,
    /// The invocations that came of them.
    pub invocations: usize,
}

/// Feeds a session with frames, time and commands; nothing panics, what it holds is bounded, and a closed session says nothing.
///
/// Each step is a byte that says what happens, and the bytes that it needs.
pub fn session(input: &[u8]) -> Seen {
    let limits = Limits::new().max_events(8).max_requests(8).max_invocations(4).max_changes(8);
    let policy = ReconnectPolicy::new().max_delay(Duration::from_secs(4));
    let config = Config::new("ws://router/", "realm1").limits(limits).reconnect(policy).retry_initial_connect(true);
    let mut world = World {
        session: Session::new(config.seed(7).keep_alive(KeepAlive::new())),
        now: Time::ZERO,
        seen: Seen::default(),
        asked: None,
        calls: Vec::new(),
        publications: Vec::new(),
        subscriptions: Vec::new(),
        registrations: Vec::new(),
        invocations: Vec::new(),
    };
    let mut input = input.iter().copied();
    while let Some(step) = input.next() {
        world.step(step, &mut input);
        // Not always at once.
        if step & 1 == 0 {
            world.drain();
        }
    }
    world.session.close(world.now, CloseReason::CloseRealm);
    world.wait(Duration::from_secs(100));
    world.drain();
    assert!(matches!(world.session.status(), Status::Closed), "{:?}", world.session.status());
    assert_eq!(world.session.poll_timeout(), None, "a deadline outlives the session");
    world.seen
}

impl World {
    fn step(&mut self, step: u8, input: &mut impl Iterator<Item = u8>) {
        let mut next = || input.next().unwrap_or(0);
        let (now, uri) = (self.now, uri(step));
        match step / 2 % 32 {
            0 => self.session.connect(now),
            1 => self.open(next()),
            2 | 3 => {
                self.session.connect(now);
                self.wait(Duration::from_secs(5));
                self.open(0);
                let welcome = FRAMES.get(usize::from(step & 64 != 0)).copied().unwrap_or_default();
                self.receive(welcome.as_bytes().to_vec(), false);
            }
            4 | 5 => {
                // A frame of arbitrary bytes.
                let length = next() % 64;
                let bytes: Vec<u8> = (0..length).map(|_| next()).collect();
                self.receive(bytes, step & 64 != 0);
            }
            6 => {
                let text = format!("[68,{},{},{{}}]", 1 + next() % 16, 1 + next() % 3);
                self.receive(text.into_bytes(), false);
            }
            7 | 8 => {
                // The answer to what was asked for last.
                if let Some((code, request)) = self.asked.take() {
                    self.receive(format!("[{},{request},{}]", code + 1, 1 + next() % 3).into_bytes(), false);
                }
            }
            9..=13 => {
                // A message, perhaps with one byte changed.
                let Some(text) = FRAMES.get(usize::from(next()) % FRAMES.len()) else { return };
                let mut bytes = text.as_bytes().to_vec();
                if let (at, 1) = (usize::from(next()), step % 4)
                    && let Some(byte) = bytes.get_mut(at)
                {
                    *byte = next();
                }
                self.receive(bytes, false);
            }
            14 | 15 => self.wait(Duration::from_millis(u64::from(next()) * u64::from(next()))),
            16 => drop(self.session.publish(now, uri, Payload::new(), PublishOptions::new())),
            17 => {
                let published = self.session.publish_acked(now, uri, Payload::new(), PublishOptions::new());
                self.publications.extend(published.ok());
            }
            18 | 19 => {
                let options = CallOptions::new().timeout(Duration::from_millis(u64::from(next()) * 10));
                let options = if step & 64 == 0 { options } else { options.progress() };
                self.calls.extend(self.session.call(now, uri, Payload::new(), options.receive_progress()).ok());
            }
            20 => {
                let part = if next() & 1 == 0 { CallPart::More } else { CallPart::Last };
                if let Some(key) = pick(&self.calls, next()) {
                    let _ = self.session.call_more(now, key, Payload::new(), part);
                }
            }
            21 => {
                if let Some(key) = pick(&self.calls, next()) {
                    let _ = self.session.cancel(now, key, CancelMode::Kill);
                }
            }
            22 => self.subscriptions.extend(self.session.subscribe(now, uri, SubscribeOptions::new()).ok()),
            23 => {
                if let Some(key) = pick(&self.subscriptions, next()) {
                    let _ = self.session.unsubscribe(now, key);
                }
            }
            24 => self.registrations.extend(self.session.register(now, uri, RegisterOptions::new()).ok()),
            25 => {
                if let Some(key) = pick(&self.registrations, next()) {
                    let _ = self.session.unregister(now, key);
                }
            }
            26 | 27 => {
                if let Some(key) = pick(&self.invocations, next()) {
                    let _ = self.session.respond(now, key, Response::Result(Payload::new()));
                }
            }
            28 => {
                if let Some(id) = self.session.transport() {
                    self.session.handle_closed(now, id, TransportError::new(TransportErrorKind::Eof));
                }
            }
            29 => self.session.reconnect_now(now),
            30 => self.session.probe(now),
            _ => self.session.close(now, CloseReason::CloseRealm),
        }
    }

    fn open(&mut self, how: u8) {
        if let Some(id) = self.session.transport() {
            let subprotocol = if how % 8 == 7 { None } else { Some(Format::Json.subprotocol()) };
            let opened = Opened::new(subprotocol);
            let opened = if how & 8 == 0 { opened } else { opened.authmethods(["ticket"]).authid("joe") };
            self.session.handle_opened(self.now, id, opened);
        }
    }

    fn receive(&mut self, bytes: Vec<u8>, is_binary: bool) {
        if let Some(id) = self.session.transport() {
            let frame = if is_binary { Frame::Binary(bytes.into()) } else { Frame::Text(bytes.into()) };
            self.seen.frames += 1;
            self.seen.joined += usize::from(matches!(self.session.status(), Status::Joined(_)));
            self.session.handle_frame(self.now, id, frame);
        }
    }

    fn wait(&mut self, duration: Duration) {
        self.now = self.now.checked_add(duration).unwrap_or(self.now);
        self.session.handle_timeout(self.now);
        assert!(self.session.poll_timeout().is_none_or(|(at, _)| at > self.now), "a deadline that has passed");
    }

    /// Takes all that comes out.
    fn drain(&mut self) {
        let mut outputs = 0;
        while let Some(action) = self.session.poll_action() {
            outputs += 1;
            match action {
                Action::CloseTransport { id, .. } => {
                    self.session.handle_closed(self.now, id, TransportError::new(TransportErrorKind::Eof));
                }
                Action::Send { frame, .. } => self.asked = asked(frame.bytes()).or(self.asked),
                _ => {}
            }
        }
        while let Some(event) = self.session.poll_event() {
            outputs += 1;
            match event {
                SessionEvent::Invocation(invocation) => {
                    self.seen.invocations += 1;
                    self.invocations.push(invocation.key);
                }
                SessionEvent::InvocationEnded { key, .. } => self.invocations.retain(|running| *running != key),
                _ => {}
            }
        }
        assert!(outputs < 100_000, "{outputs} outputs at once");
        assert!(self.invocations.len() <= 4, "more invocations than the limit");
    }
}

/// The type and the id of a SUBSCRIBE or REGISTER.
fn asked(frame: &[u8]) -> Option<(u64, u64)> {
    let mut elements = core::str::from_utf8(frame).ok()?.strip_prefix('[')?.split(',');
    let (code, request) = (elements.next()?.parse().ok()?, elements.next()?.parse().ok()?);
    matches!(code, 32 | 64).then_some((code, request))
}

fn uri(of: u8) -> Uri {
    let text = if of & 32 == 0 { "a.b" } else { "a.c" };
    #[expect(clippy::expect_used, reason = "both are URIs")]
    Uri::new(text).expect("a URI")
}

fn pick<T: Copy>(keys: &[T], number: u8) -> Option<T> {
    keys.get(usize::from(number).checked_rem(keys.len())?).copied()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Chance from a seed (SplitMix64).
    struct Chance(u64);

    impl Iterator for Chance {
        type Item = u8;

        fn next(&mut self) -> Option<u8> {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            Some(((z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 56) as u8)
        }
    }

    /// `SESSION_FRAMES=1000000` makes it a million of them.
    #[test]
    fn rob_01_frames_of_chance_harm_a_session_in_no_state() {
        let wanted = std::env::var("SESSION_FRAMES").ok().and_then(|frames| frames.parse().ok()).unwrap_or(50_000);
        let mut all = Seen::default();
        for seed in 0.. {
            let input: Vec<u8> = Chance(seed).take(1_000).collect();
            let seen = session(&input);
            all.frames += seen.frames;
            all.joined += seen.joined;
            all.invocations += seen.invocations;
            if all.frames >= wanted {
                break;
            }
        }
        assert!(all.joined > all.frames / 10 && all.invocations > all.frames / 2_000, "{all:?}");
    }

    /// The inputs by which the fuzzer reached most.
    #[test]
    fn seeds_of_session() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/session");
        let (mut seeds, mut frames) = (0, 0);
        for seed in fs::read_dir(&folder).expect("the folder of the seeds") {
            frames += session(&fs::read(seed.expect("a seed").path()).expect("a file")).frames;
            seeds += 1;
        }
        assert!(seeds >= 20 && frames >= 20, "{seeds} seeds with {frames} frames");
    }
}
