//! Checklist 1.2, the messages: each row of the table, with each length, against a literal list in each format.

use core::fmt::Debug;
use std::collections::BTreeMap;

use wamp_proto::*;

use crate::wire::{decoded, encoded, frame};

/// Checks that a message and its literal list become each other in each format.
#[track_caller]
fn check(literal: &str, message: impl Into<Message>) {
    let message = message.into();
    for format in Format::ALL {
        assert_eq!(decoded(literal, *format), message, "{literal} in {format}");
        assert_eq!(encoded(&message, *format), frame(literal, *format), "{literal} in {format}");
    }
}

/// Checks a message with each shape of payload behind its literal head.
#[track_caller]
fn check_payloads<M: Into<Message>>(head: &str, message: impl Fn(Payload) -> M) {
    let args = ("johnny", -1, true);
    let kwargs = BTreeMap::from([("color", "orange")]);
    for format in Format::ALL {
        let payload = |value: Result<Payload, EncodeError>| message(value.unwrap());
        check(&format!("[{head}]"), payload(().into_payload(*format)));
        check(&format!(r#"[{head},["johnny",-1,true]]"#), payload(args.into_payload(*format)));
        check(&format!(r#"[{head},[],{{"color":"orange"}}]"#), payload(Kwargs(&kwargs).into_payload(*format)));
        let both = ArgsKwargs(args, &kwargs).into_payload(*format);
        check(&format!(r#"[{head},["johnny",-1,true],{{"color":"orange"}}]"#), payload(both));
    }
}

fn id<T: TryFrom<u64, Error: Debug>>(number: u64) -> T {
    number.try_into().unwrap()
}

fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

fn no_payload() -> Payload {
    ().into_payload(Format::Json).unwrap()
}

/// A struct of attributes, with some of them.
macro_rules! with {
    ($name:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        #[allow(unused_mut, reason = "no attribute may be set")]
        let mut attributes = $name::default();
        $(attributes.$field = $value.into();)*
        attributes
    }};
}

/// An attribute that is present.
fn some<T>(value: impl Into<T>) -> Option<T> {
    Some(value.into())
}

fn unknown() -> Dict {
    let deep = Dict::from_iter([("a", Value::List(Vec::new()))]);
    Dict::from_iter([("_foo_bar", Value::from(1)), ("x_cb_node", Value::from("n")), ("zzz", Value::from(deep))])
}

const UNKNOWN: &str = r#""_foo_bar":1,"x_cb_node":"n","zzz":{"a":[]}"#;
const PPT: &str = r#""ppt_scheme":"s","ppt_serializer":"cbor","ppt_cipher":"c","ppt_keyid":"k""#;

#[test]
fn msg_101_hello() {
    check(r#"[1,"realm1",{}]"#, Hello { realm: uri("realm1"), details: HelloDetails::default() });
    let details = with!(HelloDetails {
        agent: some("a-1"),
        roles: Roles::new().with(Role::Caller, &["call_canceling"]).with(Role::Publisher, &[]),
        authmethods: vec!["ticket".into(), "wampcra".into()],
        authid: some("joe"),
        authrole: some("user"),
        authextra: Dict::from_iter([("pubkey", "00")]),
        extra: unknown(),
    });
    let roles = r#""roles":{"caller":{"features":{"call_canceling":true}},"publisher":{}}"#;
    let auth = r#""authmethods":["ticket","wampcra"],"authid":"joe","authrole":"user","authextra":{"pubkey":"00"}"#;
    check(
        &format!(r#"[1,"realm1",{{"agent":"a-1",{roles},{auth},{UNKNOWN}}}]"#),
        Hello { realm: uri("realm1"), details },
    );
}

#[test]
fn msg_102_welcome() {
    let details = with!(WelcomeDetails { roles: Roles::new().with(Role::Broker, &[]) });
    check(r#"[2,9129137332,{"roles":{"broker":{}}}]"#, Welcome { session: id(9_129_137_332), details });
    let details = with!(WelcomeDetails {
        roles: Roles::new().with(Role::Broker, &["publisher_exclusion"]).with(Role::Dealer, &[]),
        agent: some("r"),
        realm: some("realm1"),
        authid: some("joe"),
        authrole: some("user"),
        authmethod: some("ticket"),
        authprovider: some("static"),
        authextra: Dict::new(),
        extra: unknown(),
    });
    let roles =
        r#""roles":{"broker":{"features":{"publisher_exclusion":true}},"dealer":{}},"agent":"r","realm":"realm1""#;
    let auth = r#""authid":"joe","authrole":"user","authmethod":"ticket","authprovider":"static","authextra":{}"#;
    check(&format!("[2,1,{{{roles},{auth},{UNKNOWN}}}]"), Welcome { session: id(1), details });
}

#[test]
fn msg_103_104_abort() {
    let message = "The realm does not exist.";
    check_payloads(&format!(r#"3,{{"message":"{message}"}},"wamp.error.no_such_realm""#), |payload| Abort {
        details: with!(AbortDetails { message: some(message) }),
        reason: uri("wamp.error.no_such_realm"),
        payload,
    });
    let details = with!(AbortDetails { extra: unknown() });
    let abort = Abort { details, reason: uri("wamp.error.protocol_violation"), payload: no_payload() };
    check(&format!(r#"[3,{{{UNKNOWN}}},"wamp.error.protocol_violation"]"#), abort);
}

#[test]
fn msg_105_challenge() {
    check(r#"[4,"ticket",{}]"#, Challenge { method: "ticket".into(), extra: Dict::new() });
    let extra = Dict::from_iter([("challenge", Value::from("{}")), ("iterations", Value::from(1000))]);
    check(r#"[4,"wampcra",{"challenge":"{}","iterations":1000}]"#, Challenge { method: "wampcra".into(), extra });
}

#[test]
fn msg_106_authenticate() {
    check(r#"[5,"secret!!!",{}]"#, Authenticate { signature: "secret!!!".into(), extra: Dict::new() });
    check(&format!(r#"[5,"",{{{UNKNOWN}}}]"#), Authenticate { signature: "".into(), extra: unknown() });
}

#[test]
fn msg_107_goodbye() {
    let goodbye = Goodbye { details: GoodbyeDetails::default(), reason: uri("wamp.close.goodbye_and_out") };
    check(r#"[6,{},"wamp.close.goodbye_and_out"]"#, goodbye);
    let details = with!(GoodbyeDetails { message: some("bye"), extra: unknown() });
    check(&format!(r#"[6,{{"message":"bye",{UNKNOWN}}},"a.b"]"#), Goodbye { details, reason: uri("a.b") });
}

#[test]
fn msg_108_109_error() {
    check_payloads(r#"8,68,6131533,{},"com.myapp.error.object_write_protected""#, |payload| Error {
        request_type: MessageType::Invocation,
        request: id(6_131_533),
        details: ErrorDetails::default(),
        error: uri("com.myapp.error.object_write_protected"),
        payload,
    });
    let kwargs = Kwargs(BTreeMap::from([("severity", 3)])).into_payload(Format::Cbor).unwrap();
    for request_type in MessageType::ALL {
        check(
            &format!(r#"[8,{},1,{{}},"com.err",[],{{"severity":3}}]"#, request_type.code()),
            Error {
                request_type: *request_type,
                request: id(1),
                details: ErrorDetails::default(),
                error: uri("com.err"),
                payload: kwargs.clone(),
            },
        );
    }
    let details = with!(ErrorDetails {
        callee: Some(id(5)),
        callee_authid: some("bob"),
        callee_authrole: some("role"),
        ppt_scheme: some("s"),
        ppt_serializer: some("cbor"),
        ppt_cipher: some("c"),
        ppt_keyid: some("k"),
        extra: unknown(),
    });
    let literal =
        format!(r#"[8,48,1,{{"callee":5,"callee_authid":"bob","callee_authrole":"role",{PPT},{UNKNOWN}}},"com.err"]"#);
    let (request_type, error) = (MessageType::Call, uri("com.err"));
    check(&literal, Error { request_type, request: id(1), details, error, payload: no_payload() });
}

#[test]
fn msg_110_124_publish() {
    check_payloads(r#"16,239714735,{},"com.myapp.mytopic1""#, |payload| Publish {
        request: id(239_714_735),
        options: PublishOptions::default(),
        topic: uri("com.myapp.mytopic1"),
        payload,
    });
    let options = with!(PublishOptions {
        acknowledge: true,
        exclude_me: false,
        disclose_me: true,
        exclude: vec![id(1), id(2)],
        exclude_authid: vec!["a".into()],
        exclude_authrole: Vec::new(),
        eligible: vec![id(MAX_ID)],
        eligible_authid: vec!["b".into(), "c".into()],
        eligible_authrole: vec!["d".into()],
        retain: true,
        rkey: some("key"),
        ppt_scheme: some("s"),
        ppt_serializer: some("cbor"),
        ppt_cipher: some("c"),
        ppt_keyid: some("k"),
        extra: unknown(),
    });
    let flags = r#""acknowledge":true,"exclude_me":false,"disclose_me":true"#;
    let exclude = r#""exclude":[1,2],"exclude_authid":["a"],"exclude_authrole":[]"#;
    let eligible = r#""eligible":[9007199254740992],"eligible_authid":["b","c"],"eligible_authrole":["d"]"#;
    check(
        &format!(r#"[16,1,{{{flags},{exclude},{eligible},"retain":true,"rkey":"key",{PPT},{UNKNOWN}}},"a.b"]"#),
        Publish { request: id(1), options, topic: uri("a.b"), payload: no_payload() },
    );
}

#[test]
fn msg_110_124_published() {
    check("[17,239714735,4429313566]", Published { request: id(239_714_735), publication: id(4_429_313_566) });
}

#[test]
fn msg_110_124_subscribe() {
    let (request, topic) = (id(713_845_233), uri("com.myapp.mytopic1"));
    let options = SubscribeOptions::default();
    check(r#"[32,713845233,{},"com.myapp.mytopic1"]"#, Subscribe { request, options, topic: topic.clone() });
    let options = with!(SubscribeOptions {
        match_policy: MatchPolicy::Exact,
        get_retained: true,
        nkey: some("n"),
        extra: unknown(),
    });
    let literal =
        format!(r#"[32,713845233,{{"match":"exact","get_retained":true,"nkey":"n",{UNKNOWN}}},"com.myapp.mytopic1"]"#);
    check(&literal, Subscribe { request, options, topic });
}

#[test]
fn msg_110_124_subscribed() {
    check("[33,713845233,5512315355]", Subscribed { request: id(713_845_233), subscription: id(5_512_315_355) });
}

#[test]
fn msg_110_124_unsubscribe() {
    check("[34,85346237,5512315355]", Unsubscribe { request: id(85_346_237), subscription: id(5_512_315_355) });
}

#[test]
fn msg_110_124_unsubscribed() {
    check("[35,85346237]", Unsubscribed { request: Some(id(85_346_237)), details: None });
}

#[test]
fn msg_110_124_event() {
    check_payloads("36,5512315355,4429313566,{}", |payload| Event {
        subscription: id(5_512_315_355),
        publication: id(4_429_313_566),
        details: EventDetails::default(),
        payload,
    });
    let details = with!(EventDetails {
        publisher: Some(id(1_231_412)),
        publisher_authid: some("joe"),
        publisher_authrole: some("user"),
        topic: uri("com.myapp.üml"),
        trustlevel: 3,
        retained: true,
        ppt_scheme: some("s"),
        ppt_serializer: some("cbor"),
        ppt_cipher: some("c"),
        ppt_keyid: some("k"),
        extra: unknown(),
    });
    let publisher = r#""publisher":1231412,"publisher_authid":"joe","publisher_authrole":"user""#;
    let literal =
        format!(r#"[36,1,2,{{{publisher},"topic":"com.myapp.üml","trustlevel":3,"retained":true,{PPT},{UNKNOWN}}}]"#);
    check(&literal, Event { subscription: id(1), publication: id(2), details, payload: no_payload() });
}

#[test]
fn msg_110_124_call() {
    check_payloads(r#"48,7814135,{},"com.myapp.user.new""#, |payload| Call {
        request: id(7_814_135),
        options: CallOptions::default(),
        procedure: uri("com.myapp.user.new"),
        payload,
    });
    let options = with!(CallOptions {
        receive_progress: true,
        progress: false,
        timeout: 10_000_u64,
        disclose_me: true,
        rkey: some("key"),
        runmode: some("all"),
        ppt_scheme: some("s"),
        ppt_serializer: some("cbor"),
        ppt_cipher: some("c"),
        ppt_keyid: some("k"),
        extra: unknown(),
    });
    let known =
        r#""receive_progress":true,"progress":false,"timeout":10000,"disclose_me":true,"rkey":"key","runmode":"all""#;
    check(
        &format!(r#"[48,1,{{{known},{PPT},{UNKNOWN}}},"a.b"]"#),
        Call { request: id(1), options, procedure: uri("a.b"), payload: no_payload() },
    );
}

#[test]
fn msg_110_124_cancel() {
    check("[49,7814135,{}]", Cancel { request: id(7_814_135), options: CancelOptions::default() });
    for (mode, name) in [(CancelMode::Skip, "skip"), (CancelMode::Kill, "kill"), (CancelMode::KillNoWait, "killnowait")]
    {
        let options = with!(CancelOptions { mode: mode, extra: unknown() });
        check(&format!(r#"[49,1,{{"mode":"{name}",{UNKNOWN}}}]"#), Cancel { request: id(1), options });
    }
}

#[test]
fn msg_110_124_result() {
    check_payloads("50,7814135,{}", |payload| CallResult {
        request: id(7_814_135),
        details: ResultDetails::default(),
        payload,
    });
    let details = with!(ResultDetails {
        progress: true,
        callee: Some(id(5)),
        callee_authid: some("bob"),
        callee_authrole: some("role"),
        ppt_scheme: some("s"),
        ppt_serializer: some("cbor"),
        ppt_cipher: some("c"),
        ppt_keyid: some("k"),
        extra: unknown(),
    });
    let known = r#""progress":true,"callee":5,"callee_authid":"bob","callee_authrole":"role""#;
    let literal = format!("[50,1,{{{known},{PPT},{UNKNOWN}}}]");
    check(&literal, CallResult { request: id(1), details, payload: no_payload() });
}

#[test]
fn msg_110_124_register() {
    let (request, procedure) = (id(25_349_185), uri("com.myapp.myprocedure1"));
    let options = RegisterOptions::default();
    let register = Register { request, options, procedure: procedure.clone() };
    check(r#"[64,25349185,{},"com.myapp.myprocedure1"]"#, register);
    let options = with!(RegisterOptions {
        match_policy: MatchPolicy::Prefix,
        invoke: InvokePolicy::RoundRobin,
        disclose_caller: true,
        forward_timeout: false,
        concurrency: 2_u64,
        force_reregister: true,
        extra: unknown(),
    });
    let known = r#""match":"prefix","invoke":"roundrobin","disclose_caller":true,"forward_timeout":false"#;
    let crossbar = r#""concurrency":2,"force_reregister":true"#;
    let literal = format!(r#"[64,25349185,{{{known},{crossbar},{UNKNOWN}}},"com.myapp.myprocedure1"]"#);
    check(&literal, Register { request, options, procedure: procedure.clone() });
    for (invoke, name) in [
        (InvokePolicy::Single, "single"),
        (InvokePolicy::RoundRobin, "roundrobin"),
        (InvokePolicy::Random, "random"),
        (InvokePolicy::First, "first"),
        (InvokePolicy::Last, "last"),
    ] {
        let options = with!(RegisterOptions { invoke: invoke });
        let literal = format!(r#"[64,25349185,{{"invoke":"{name}"}},"com.myapp.myprocedure1"]"#);
        check(&literal, Register { request, options, procedure: procedure.clone() });
    }
}

#[test]
fn msg_110_124_registered() {
    check("[65,25349185,2103333224]", Registered { request: id(25_349_185), registration: id(2_103_333_224) });
}

#[test]
fn msg_110_124_unregister() {
    check("[66,788923562,2103333224]", Unregister { request: id(788_923_562), registration: id(2_103_333_224) });
}

#[test]
fn msg_110_124_unregistered() {
    check("[67,788923562]", Unregistered { request: Some(id(788_923_562)), details: None });
}

#[test]
fn msg_110_124_invocation() {
    check_payloads("68,6131533,9823529,{}", |payload| Invocation {
        request: id(6_131_533),
        registration: id(9_823_529),
        details: InvocationDetails::default(),
        payload,
    });
    let details = with!(InvocationDetails {
        caller: Some(id(3_335_656)),
        caller_authid: some("joe"),
        caller_authrole: some("user"),
        procedure: uri("com.myapp.procedure.x"),
        trustlevel: 0_u64,
        timeout: 30_000_u64,
        receive_progress: true,
        progress: false,
        ppt_scheme: some("s"),
        ppt_serializer: some("cbor"),
        ppt_cipher: some("c"),
        ppt_keyid: some("k"),
        extra: unknown(),
    });
    let caller =
        r#""caller":3335656,"caller_authid":"joe","caller_authrole":"user","procedure":"com.myapp.procedure.x""#;
    let call = r#""trustlevel":0,"timeout":30000,"receive_progress":true,"progress":false"#;
    let literal = format!("[68,1,2,{{{caller},{call},{PPT},{UNKNOWN}}}]");
    check(&literal, Invocation { request: id(1), registration: id(2), details, payload: no_payload() });
}

#[test]
fn msg_110_124_interrupt() {
    check("[69,6131533,{}]", Interrupt { request: id(6_131_533), options: InterruptOptions::default() });
    let options =
        with!(InterruptOptions { mode: some("killnowait"), reason: some("wamp.error.canceled"), extra: unknown() });
    let literal = format!(r#"[69,1,{{"mode":"killnowait","reason":"wamp.error.canceled",{UNKNOWN}}}]"#);
    check(&literal, Interrupt { request: id(1), options });
}

#[test]
fn msg_110_124_yield() {
    check_payloads("70,6131533,{}", |payload| Yield {
        request: id(6_131_533),
        options: YieldOptions::default(),
        payload,
    });
    let options = with!(YieldOptions {
        progress: true,
        ppt_scheme: some("s"),
        ppt_serializer: some("cbor"),
        ppt_cipher: some("c"),
        ppt_keyid: some("k"),
        extra: unknown(),
    });
    let literal = format!(r#"[70,1,{{"progress":true,{PPT},{UNKNOWN}}}]"#);
    check(&literal, Yield { request: id(1), options, payload: no_payload() });
}

#[test]
fn msg_125_revocations_have_request_0_and_details() {
    let details = with!(UnsubscribedDetails { subscription: Some(id(5)), reason: some("wamp.x"), extra: unknown() });
    let literal = format!(r#"[35,0,{{"subscription":5,"reason":"wamp.x",{UNKNOWN}}}]"#);
    check(&literal, Unsubscribed { request: None, details: Some(details) });
    let details = with!(UnregisteredDetails { registration: Some(id(5)), reason: some("wamp.x"), extra: unknown() });
    let literal = format!(r#"[67,0,{{"registration":5,"reason":"wamp.x",{UNKNOWN}}}]"#);
    check(&literal, Unregistered { request: None, details: Some(details) });
}

#[test]
fn msg_125_details_of_an_answer_are_accepted() {
    let details = with!(UnsubscribedDetails {});
    check("[35,7,{}]", Unsubscribed { request: Some(id(7)), details: Some(details) });
    let details = with!(UnregisteredDetails { registration: Some(id(5)) });
    check(r#"[67,7,{"registration":5}]"#, Unregistered { request: Some(id(7)), details: Some(details) });
}

#[test]
fn msg_126_event_received_is_an_unknown_message() {
    for code in [37, 337] {
        for format in Format::ALL {
            let error = crate::wire::refused(&format!("[{code},1]"), *format);
            assert_eq!(error.kind(), &DecodeErrorKind::UnknownMessageType(code));
        }
    }
}
