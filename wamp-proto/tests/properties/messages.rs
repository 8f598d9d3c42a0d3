//! Strategies: every message type with any options, details and payload that a format can carry.

use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::num;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wamp_proto::*;

/// Text; JSON has none that starts with U+0000.
fn text(format: Format) -> BoxedStrategy<String> {
    let any = prop_oneof![
        2 => "[a-z_]{0,6}",
        1 => vec(any::<char>(), 0..6).prop_map(String::from_iter),
        1 => "[\\x00-\\x7f]{0,6}",
        1 => "[a-zäß日🔑\"\\\\]{24,40}",
    ];
    if format == Format::Json {
        any.prop_map(|text| text.trim_start_matches('\0').to_owned()).boxed()
    } else {
        any.boxed()
    }
}

fn shared(format: Format) -> BoxedStrategy<Arc<str>> {
    text(format).prop_map(Into::into).boxed()
}

/// Floats; JSON has finite ones only.
fn float(format: Format) -> BoxedStrategy<f64> {
    use num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    let finite = prop_oneof![
        POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO,
        any::<i32>().prop_map(f64::from),
        num::f32::NORMAL.prop_map(f64::from),
    ];
    if format == Format::Json {
        finite.boxed()
    } else {
        prop_oneof![6 => finite, 1 => select(&[f64::INFINITY, f64::NEG_INFINITY, f64::NAN][..])].boxed()
    }
}

/// Integers, more of them where encodings change their width.
fn integer() -> BoxedStrategy<Value> {
    let edges = (0..64_u32, -2..=2_i64).prop_map(|(bit, offset)| (1_i64 << bit).wrapping_add(offset));
    prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        edges.clone().prop_map(Value::from),
        edges.prop_map(|edge| Value::from(edge.cast_unsigned())),
    ]
    .boxed()
}

fn binary() -> BoxedStrategy<Value> {
    vec(any::<u8>(), 0..40).prop_map(|bytes| Value::from(Bytes::from(bytes))).boxed()
}

pub(crate) fn value(format: Format) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => integer(),
        2 => float(format).prop_map(Value::from),
        3 => text(format).prop_map(Value::from),
        2 => binary(),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..20).prop_map(Value::from),
            btree_map(text(format), inner, 0..6).prop_map(|entries| Value::from(Dict::from_iter(entries))),
        ]
    })
    .boxed()
}

pub(crate) fn dict(format: Format) -> BoxedStrategy<Dict> {
    btree_map(text(format), value(format), 0..4).prop_map(Dict::from_iter).boxed()
}

/// Attributes that no message type knows.
fn extra(format: Format) -> BoxedStrategy<Dict> {
    let own = (select(&["_", "x_", "X"][..]), text(format)).prop_map(|(start, text)| format!("{start}{text}"));
    let some = btree_map(own, value(format), 0..4).prop_map(Dict::from_iter);
    prop_oneof![Just(Dict::new()), some].boxed()
}

fn id<T: TryFrom<u64, Error: core::fmt::Debug> + core::fmt::Debug + 'static>() -> BoxedStrategy<T> {
    prop_oneof![1..=MAX_ID, 1..=300_u64, (0..54_u32).prop_map(|bit| 1 << bit)]
        .prop_map(|id| T::try_from(id).unwrap())
        .boxed()
}

fn uri() -> BoxedStrategy<Uri> {
    let component = r"[a-z0-9_]{1,6}|[^\s.#\x00\x1c-\x1f]{1,4}";
    vec(component, 1..5).prop_map(|components| Uri::new(components.join(".")).unwrap()).boxed()
}

/// A policy, and a topic or procedure that obeys it.
fn pattern() -> BoxedStrategy<(Option<MatchPolicy>, Uri)> {
    let loose = |uri: String, policy| Uri::checked(uri, UriRule::Loose, policy).unwrap();
    prop_oneof![
        (option::of(Just(MatchPolicy::Exact)), uri()),
        prop_oneof![
            uri().prop_map(|uri| uri.to_string()),
            uri().prop_map(|uri| format!("{uri}.")),
            Just(String::new())
        ]
        .prop_map(move |uri| (Some(MatchPolicy::Prefix), loose(uri, MatchPolicy::Prefix))),
        r"[a-z]{0,2}(\.[a-z]{0,2}){0,4}"
            .prop_map(move |uri| (Some(MatchPolicy::Wildcard), loose(uri, MatchPolicy::Wildcard))),
    ]
    .boxed()
}

fn roles() -> BoxedStrategy<Roles> {
    const ROLES: &[Role] = &[Role::Caller, Role::Callee, Role::Publisher, Role::Subscriber, Role::Broker, Role::Dealer];
    let features = vec(select(&["call_canceling", "publisher_exclusion", "x_own"][..]), 0..3);
    vec((select(ROLES), features), 0..4)
        .prop_map(|roles| roles.iter().fold(Roles::new(), |all, (role, features)| all.with(*role, features)))
        .boxed()
}

fn payload(format: Format) -> BoxedStrategy<Payload> {
    let both = (vec(value(format), 0..4), dict(format), select(Format::ALL));
    both.prop_map(move |(args, kwargs, any)| {
        // Every format carries what JSON does.
        let made_in = if format == Format::Json { any } else { format };
        ArgsKwargs(args, kwargs).into_payload(made_in).unwrap()
    })
    .boxed()
}

/// A struct of attributes, each of them present or absent.
macro_rules! attributes {
    ($format:ident, $name:ident { $($field:ident: $strategy:expr),* $(,)? }) => {{
        let attributes = extra($format).prop_map(|extra| {
            let mut attributes = $name::default();
            attributes.extra = extra;
            attributes
        });
        let attributes = attributes.boxed();
        $(let attributes = (attributes, option::weighted(0.3, $strategy)).prop_map(|(mut attributes, value)| {
            attributes.$field = value;
            attributes
        }).boxed();)*
        attributes
    }};
}

/// A struct of attributes that has those of payload passthru mode.
macro_rules! ppt_attributes {
    ($format:ident, $name:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        attributes!($format, $name {
            $($field: $strategy,)*
            ppt_scheme: shared($format),
            ppt_serializer: shared($format),
            ppt_cipher: shared($format),
            ppt_keyid: shared($format),
        })
    };
}

/// A message of its elements.
macro_rules! message {
    ($name:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        ($($strategy,)*).prop_map(|($($field,)*)| Message::from($name { $($field),* })).boxed()
    };
}

/// A message of any type that a format can carry.
pub(crate) fn message(f: Format) -> BoxedStrategy<Message> {
    let types = [session(f), publish_subscribe(f), calls(f)].concat();
    assert_eq!(types.len(), MessageType::ALL.len());
    proptest::strategy::Union::new(types).boxed()
}

fn session(f: Format) -> Vec<BoxedStrategy<Message>> {
    let hello = attributes!(
        f,
        HelloDetails {
            agent: shared(f),
            roles: roles(),
            authmethods: vec(shared(f), 0..3),
            authid: shared(f),
            authrole: shared(f),
            authextra: dict(f),
        }
    );
    let welcome = attributes!(
        f,
        WelcomeDetails {
            roles: roles(),
            agent: shared(f),
            realm: shared(f),
            authid: shared(f),
            authrole: shared(f),
            authmethod: shared(f),
            authprovider: shared(f),
            authextra: dict(f),
        }
    );
    let abort = attributes!(f, AbortDetails { message: shared(f) });
    let goodbye = attributes!(f, GoodbyeDetails { message: shared(f) });
    let error = ppt_attributes!(f, ErrorDetails { callee: id(), callee_authid: shared(f), callee_authrole: shared(f) });
    vec![
        message!(Hello { realm: uri(), details: hello }),
        message!(Welcome { session: id(), details: welcome }),
        message!(Abort { details: abort, reason: uri(), payload: payload(f) }),
        message!(Challenge { method: shared(f), extra: dict(f) }),
        message!(Authenticate { signature: shared(f), extra: dict(f) }),
        message!(Goodbye { details: goodbye, reason: uri() }),
        message!(Error {
            request_type: select(MessageType::ALL),
            request: id(),
            details: error,
            error: uri(),
            payload: payload(f),
        }),
    ]
}

fn publish_subscribe(f: Format) -> Vec<BoxedStrategy<Message>> {
    let publish = ppt_attributes!(
        f,
        PublishOptions {
            acknowledge: any::<bool>(),
            exclude_me: any::<bool>(),
            disclose_me: any::<bool>(),
            exclude: vec(id(), 0..3),
            exclude_authid: vec(shared(f), 0..3),
            exclude_authrole: vec(shared(f), 0..3),
            eligible: vec(id(), 0..20),
            eligible_authid: vec(shared(f), 0..3),
            eligible_authrole: vec(shared(f), 0..3),
            retain: any::<bool>(),
            rkey: shared(f),
        }
    );
    let subscribe = attributes!(f, SubscribeOptions { get_retained: any::<bool>(), nkey: shared(f) });
    let unsubscribed = || attributes!(f, UnsubscribedDetails { subscription: id(), reason: shared(f) });
    let event = ppt_attributes!(
        f,
        EventDetails {
            publisher: id(),
            publisher_authid: shared(f),
            publisher_authrole: shared(f),
            topic: uri(),
            trustlevel: any::<u64>(),
            retained: any::<bool>(),
        }
    );
    let subscribe = (id(), subscribe, pattern()).prop_map(|(request, mut options, (match_policy, topic))| {
        options.match_policy = match_policy;
        Message::from(Subscribe { request, options, topic })
    });
    let revoked = unsubscribed().prop_map(|details| Unsubscribed { request: None, details: Some(details) }.into());
    let answer = message!(Unsubscribed { request: id().prop_map(Some), details: option::of(unsubscribed()) });
    vec![
        message!(Publish { request: id(), options: publish, topic: uri(), payload: payload(f) }),
        message!(Published { request: id(), publication: id() }),
        subscribe.boxed(),
        message!(Subscribed { request: id(), subscription: id() }),
        message!(Unsubscribe { request: id(), subscription: id() }),
        prop_oneof![revoked, answer].boxed(),
        message!(Event { subscription: id(), publication: id(), details: event, payload: payload(f) }),
    ]
}

fn calls(f: Format) -> Vec<BoxedStrategy<Message>> {
    let call = ppt_attributes!(
        f,
        CallOptions {
            receive_progress: any::<bool>(),
            progress: any::<bool>(),
            timeout: any::<u64>(),
            disclose_me: any::<bool>(),
            rkey: shared(f),
            runmode: shared(f),
        }
    );
    let modes = &[CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait][..];
    let cancel = attributes!(f, CancelOptions { mode: select(modes) });
    let result = ppt_attributes!(
        f,
        ResultDetails { progress: any::<bool>(), callee: id(), callee_authid: shared(f), callee_authrole: shared(f) }
    );
    let policies = &[
        InvokePolicy::Single,
        InvokePolicy::RoundRobin,
        InvokePolicy::Random,
        InvokePolicy::First,
        InvokePolicy::Last,
    ][..];
    let register = attributes!(
        f,
        RegisterOptions {
            invoke: select(policies),
            disclose_caller: any::<bool>(),
            forward_timeout: any::<bool>(),
            concurrency: any::<u64>(),
            force_reregister: any::<bool>(),
        }
    );
    let unregistered = || attributes!(f, UnregisteredDetails { registration: id(), reason: shared(f) });
    let invocation = ppt_attributes!(
        f,
        InvocationDetails {
            caller: id(),
            caller_authid: shared(f),
            caller_authrole: shared(f),
            procedure: uri(),
            trustlevel: any::<u64>(),
            timeout: any::<u64>(),
            receive_progress: any::<bool>(),
            progress: any::<bool>(),
        }
    );
    let interrupt = attributes!(f, InterruptOptions { mode: shared(f), reason: shared(f) });
    let r#yield = ppt_attributes!(f, YieldOptions { progress: any::<bool>() });
    let register = (id(), register, pattern()).prop_map(|(request, mut options, (match_policy, procedure))| {
        options.match_policy = match_policy;
        Message::from(Register { request, options, procedure })
    });
    let revoked = unregistered().prop_map(|details| Unregistered { request: None, details: Some(details) }.into());
    let answer = message!(Unregistered { request: id().prop_map(Some), details: option::of(unregistered()) });
    vec![
        message!(Call { request: id(), options: call, procedure: uri(), payload: payload(f) }),
        message!(Cancel { request: id(), options: cancel }),
        message!(CallResult { request: id(), details: result, payload: payload(f) }),
        register.boxed(),
        message!(Registered { request: id(), registration: id() }),
        message!(Unregister { request: id(), registration: id() }),
        prop_oneof![revoked, answer].boxed(),
        message!(Invocation { request: id(), registration: id(), details: invocation, payload: payload(f) }),
        message!(Interrupt { request: id(), options: interrupt }),
        message!(Yield { request: id(), options: r#yield, payload: payload(f) }),
    ]
}

/// The payload of a message, if its type has one.
pub(crate) fn payload_of(message: &Message) -> Option<&Payload> {
    match message {
        Message::Abort(message) => Some(&message.payload),
        Message::Error(message) => Some(&message.payload),
        Message::Publish(message) => Some(&message.payload),
        Message::Event(message) => Some(&message.payload),
        Message::Call(message) => Some(&message.payload),
        Message::Result(message) => Some(&message.payload),
        Message::Invocation(message) => Some(&message.payload),
        Message::Yield(message) => Some(&message.payload),
        _ => None,
    }
}
