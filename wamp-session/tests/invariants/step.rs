//! What may happen to a session, by chance.

use proptest::prelude::*;
use wamp_session::OfflinePolicy;

/// One thing that happens. Indices count modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Connect,
    Close,
    Open {
        offered: bool,
        ticket: bool,
    },
    EndTransport,
    StaleNews,
    Frame(String),
    /// So many milliseconds go by.
    Wait(u64),
    /// A clock that goes back.
    Earlier,
    Publish(usize, Offline),
    PublishAcked(usize, Offline),
    Call(usize, CallKind),
    CallMore(usize, bool),
    Cancel(usize, u8),
    Subscribe(usize, u8, Offline),
    Unsubscribe(usize),
    Register(usize, u8, Offline),
    Unregister(usize),
    Respond(usize, u8),
    ForgetCall(usize),
    ForgetPublish(usize),
    Authenticate(bool),
    ReconnectNow,
    Probe,
    /// Something that is no frame came.
    Activity,
    /// The application says what follows, if it is asked: another attempt after so many milliseconds, or the end.
    Decide(Option<u64>),
}

/// How a procedure is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallKind {
    pub(crate) timeout: bool,
    pub(crate) receive_progress: bool,
    pub(crate) progress: bool,
    pub(crate) sealed: bool,
    pub(crate) offline: Offline,
}

/// What a command says of being offline, if anything.
pub(crate) type Offline = Option<OfflinePolicy>;

fn offline() -> impl Strategy<Value = Offline> {
    prop_oneof![
        4 => Just(None),
        1 => Just(Some(OfflinePolicy::FailFast)),
        2 => Just(Some(OfflinePolicy::Wait)),
        2 => (0..3_usize).prop_map(|limit| Some(OfflinePolicy::Buffer(limit))),
    ]
}

fn frame() -> impl Strategy<Value = String> {
    let id = 1..6_u64;
    let frames = (0..52_u8, id.clone(), id).prop_map(|(kind, a, b)| match kind {
        0..=4 => format!("[33,{a},{b}]"),
        5 => format!("[35,{a}]"),
        6..=8 => format!("[65,{a},{b}]"),
        9 => format!("[67,{a}]"),
        10..=13 => format!("[36,{a},{b},{{}},[{b}]]"),
        14 if b < 3 => format!("[36,{a},{b},{{\"topic\":\"com.example.d\"}}]"),
        14 => format!("[36,{a},{b},{{\"retained\":true}}]"),
        15..=18 => format!("[68,{a},{b},{{}},[],{{\"k\":1}}]"),
        19..=22 => format!("[50,{a},{{}},[{b}]]"),
        23 => format!("[50,{a},{{\"progress\":true}}]"),
        24..=26 => format!("[17,{a},{b}]"),
        27..=31 => {
            let code = [16, 32, 34, 48, 64, 66][usize::try_from(b).unwrap_or(0) % 6];
            format!("[8,{code},{a},{{}},\"com.example.error\"]")
        }
        32 => format!("[67,0,{{\"registration\":{b}}}]"),
        33 => format!("[35,0,{{\"subscription\":{b}}}]"),
        34 => format!("[69,{a},{{}}]"),
        35 => format!("[68,{a},{b},{{\"procedure\":\"not a uri\"}}]"),
        36 => format!("[8,48,{a},{{}},\"not a uri\"]"),
        37 => "[6,{},\"wamp.close.system_shutdown\"]".to_owned(),
        38 => "[3,{},\"wamp.error.not_authorized\"]".to_owned(),
        39 => format!("[68,{a},{b},{{\"receive_progress\":true,\"timeout\":900}}]"),
        40 | 41 => format!("[68,{a},{b},{{\"receive_progress\":true,\"progress\":true}},[{b}]]"),
        42 => format!("[68,{a},{b},{{\"progress\":true,\"procedure\":\"not a uri\"}}]"),
        43 => format!("[69,{a},{{\"mode\":\"kill\"}}]"),
        44 => format!("[69,{a},{{\"mode\":\"killnowait\",\"reason\":\"wamp.error.canceled\"}}]"),
        47 => format!("[36,{a},{b},{{\"ppt_scheme\":\"x_a\"}},[{b}]]"),
        48 => format!("[50,{a},{{\"ppt_scheme\":\"x_a\"}},[{b}]]"),
        49 => format!("[68,{a},{b},{{\"ppt_scheme\":\"x_a\",\"receive_progress\":true}},[{b}]]"),
        50 => format!("[8,64,{a},{{}},\"wamp.error.procedure_already_exists\"]"),
        45 | 46 => format!("[50,{a},{{\"progress\":true}},[{b}]]"),
        _ => format!("[{b}]"),
    });
    prop_oneof![
        12 => frames,
        2 => Just("[2,1,{\"roles\":{\"broker\":{},\"dealer\":{}}}]".to_owned()),
        3 => Just(concat!(
            "[2,1,{\"roles\":{\"broker\":{\"features\":{\"payload_passthru_mode\":true,\"pattern_based_subscription\":true}},",
            "\"dealer\":{\"features\":{\"call_canceling\":true,\"call_timeout\":true,\"progressive_call_invocations\":true,",
            "\"payload_passthru_mode\":true,\"pattern_based_registration\":true}}}}]"
        ).to_owned()),
        1 => Just("[2,1,{}]".to_owned()),
        2 => Just("[4,\"ticket\",{}]".to_owned()),
        1 => "\\PC{0,12}",
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let index = 0..8_usize;
    prop_oneof![
        3 => Just(Step::Connect),
        1 => Just(Step::Close),
        4 => (prop::bool::weighted(0.9), any::<bool>()).prop_map(|(offered, ticket)| Step::Open { offered, ticket }),
        1 => Just(Step::EndTransport),
        1 => Just(Step::StaleNews),
        24 => frame().prop_map(Step::Frame),
        3 => (0..6_000_u64).prop_map(Step::Wait),
        2 => (index.clone(), offline()).prop_map(|(index, offline)| Step::Publish(index, offline)),
        3 => (index.clone(), offline()).prop_map(|(index, offline)| Step::PublishAcked(index, offline)),
        5 => (index.clone(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.3), prop::bool::weighted(0.2), offline())
            .prop_map(|(index, timeout, receive_progress, progress, sealed, offline)| {
                Step::Call(index, CallKind { timeout, receive_progress, progress, sealed, offline })
            }),
        3 => (index.clone(), prop::bool::weighted(0.3)).prop_map(|(index, last)| Step::CallMore(index, last)),
        3 => (index.clone(), 0..3_u8).prop_map(|(index, mode)| Step::Cancel(index, mode)),
        5 => (index.clone(), 0..4_u8, offline()).prop_map(|(index, option, offline)| Step::Subscribe(index, option, offline)),
        3 => index.clone().prop_map(Step::Unsubscribe),
        3 => (index.clone(), 0..4_u8, offline()).prop_map(|(index, option, offline)| Step::Register(index, option, offline)),
        2 => index.clone().prop_map(Step::Unregister),
        6 => (index.clone(), 0..7_u8).prop_map(|(index, kind)| Step::Respond(index, kind)),
        1 => index.clone().prop_map(Step::ForgetCall),
        1 => index.prop_map(Step::ForgetPublish),
        2 => any::<bool>().prop_map(Step::Authenticate),
        1 => Just(Step::ReconnectNow),
        1 => Just(Step::Probe),
        1 => Just(Step::Earlier),
        1 => Just(Step::Activity),
        2 => prop::option::of(0..3_000_u64).prop_map(Step::Decide),
    ]
}
