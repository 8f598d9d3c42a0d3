//! Payload passthru mode at the client: codecs seal and open by themselves (checklist section 14).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use wamp_session::client::{Client, HandlerFailure, MetaError};
use wamp_session::meta::Testament;
use wamp_session::passthru::{Passthru, PassthruCodec, PassthruError};
use wamp_session::{CallOptions, CommandError, Config, PublishOptions, RegisterOptions, RequestError};

use crate::driver::subscribe;
use crate::world::World;

/// Turns each bit around, and panics where the payload says so, `panic` when it is sealed and `burst` when it is opened.
struct Flip;

impl PassthruCodec for Flip {
    fn seal(&self, attributes: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
        if packed.windows(5).any(|window| window == b"panic") {
            std::panic::resume_unwind(Box::new("a bug"));
        }
        attributes.cipher = Some("flip".into());
        Ok(packed.into_iter().map(|byte| !byte).collect())
    }

    fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
        match attributes.cipher.as_deref() {
            Some("flip") => {
                let packed: Bytes = sealed.into_iter().map(|byte| !byte).collect();
                if packed.windows(5).any(|window| window == b"burst") {
                    std::panic::resume_unwind(Box::new("a bug"));
                }
                Ok(packed)
            }
            _ => Err(PassthruError::Cipher(attributes.cipher.clone())),
        }
    }
}

const ATTRIBUTES: &str = r#""ppt_scheme":"x_flip","ppt_serializer":"json","ppt_cipher":"flip""#;

/// The item of one argument, sealed.
fn item(argument: &str) -> String {
    let packed = format!(r#"{{"args":[{argument}],"kwargs":{{}}}}"#);
    let sealed: Vec<u8> = packed.bytes().map(|byte| !byte).collect();
    let item = wamp_session::proto::Payload::binary(&sealed, wamp_session::proto::Format::Json).unwrap();
    String::from_utf8(item.raw_args().unwrap().unwrap().to_vec()).unwrap()
}

fn flip() -> Passthru {
    Passthru::new("x_flip").serializer("json")
}

fn joined() -> (World, Client) {
    World::joined_with(Config::new("ws://router/ws", "realm1").agent(None).passthru_codec("x_flip", Flip))
}

#[test]
fn ppt_13_a_call_and_its_result_are_sealed_and_opened() {
    let (mut world, client) = joined();
    let mut call = client.call_with("a.b", ("hello",), CallOptions::new().passthru(flip()));
    assert!(world.poll(&mut call).is_pending());
    world.expect(&format!(r#"[48,1,{{{ATTRIBUTES}}},"a.b",{}]"#, item(r#""hello""#)));
    world.send(&format!("[50,1,{{{ATTRIBUTES}}},{}]", item("42")));
    assert_eq!(world.finish(call).unwrap().arg::<u8>(0).unwrap(), 42);

    let mut call = client.call("a.b", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.send(&format!(r#"[8,48,2,{{{ATTRIBUTES}}},"c.d",{}]"#, item(r#""why""#)));
    let Err(RequestError::Wamp(error)) = world.finish(call) else { panic!() };
    assert_eq!((error.uri().as_str(), error.arg::<String>(0).unwrap().as_str()), ("c.d", "why"));
    assert_eq!(error.to_string(), "c.d", "what was sealed is not shown");
}

#[test]
fn ppt_13_an_event_is_sealed_and_opened() {
    let (mut world, client) = joined();
    world.finish(client.publish_with("a.b", "hello", PublishOptions::new().passthru(flip()))).unwrap();
    world.expect(&format!(r#"[16,1,{{{ATTRIBUTES}}},"a.b",{}]"#, item(r#""hello""#)));
    let mut subscription = subscribe(&mut world, &client, 2, 77);
    world.send(&format!("[36,77,1,{{{ATTRIBUTES}}},{}]", item(r#""tick""#)));
    assert_eq!(world.finish(subscription.next()).unwrap().arg::<String>(0).unwrap(), "tick");
}

#[test]
fn ppt_13_an_invocation_is_opened_and_its_answers_sealed_in_the_same_scheme() {
    let (mut world, client) = joined();
    let handler = |n: i64| async move { if n < 0 { Err(std::io::Error::other("negative").into()) } else { Ok(n * 2) } };
    let mut register = client.register_fn_with("a.b", RegisterOptions::new(), handler);
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let guard = world.finish(register).unwrap();
    world.send(&format!("[68,1,50,{{{ATTRIBUTES}}},{}]", item("21")));
    world.expect(&format!("[70,1,{{{ATTRIBUTES}}},{}]", item("42")));
    world.send("[68,2,50,{},[1]]");
    world.expect("[70,2,{},[2]]");
    // What does not fit is answered with an error whose text is sealed, too.
    world.send(&format!("[68,3,50,{{{ATTRIBUTES}}},{}]", item(r#""text""#)));
    let answer = world.received();
    assert!(answer.starts_with(&format!(r#"[8,68,3,{{{ATTRIBUTES}}},"wamp.error.invalid_argument","#)), "{answer}");
    drop(guard);
}

#[test]
fn ppt_09_and_14_an_event_that_cannot_be_opened_is_dropped_and_counted() {
    let (mut world, client) = joined();
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    let good = item(r#""good""#);
    for attributes in [
        r#""ppt_scheme":"x_other","ppt_serializer":"json","ppt_cipher":"flip""#,
        r#""ppt_scheme":"x_flip","ppt_serializer":"ubjson","ppt_cipher":"flip""#,
        r#""ppt_scheme":"x_flip","ppt_serializer":"json","ppt_cipher":"rot13""#,
    ] {
        world.send(&format!("[36,77,1,{{{attributes}}},{good}]"));
    }
    world.send(&format!(r#"[36,77,1,{{{ATTRIBUTES}}},["no bytes"]]"#));
    world.send(&format!("[36,77,2,{{{ATTRIBUTES}}},{good}]"));
    let event = world.finish(subscription.next()).unwrap();
    assert_eq!((event.publication().get(), event.arg::<String>(0).unwrap().as_str()), (2, "good"));
    assert_eq!((subscription.undecodable(), subscription.missed()), (4, 0));
    assert!(client.session().is_some());
}

#[test]
fn ppt_09_and_14_an_invocation_that_cannot_be_opened_is_answered_with_an_error() {
    let (mut world, client) = joined();
    let mut register = client.register("a.b");
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let mut calls = world.finish(register).unwrap();
    world.send(r#"[68,1,50,{"ppt_scheme":"x_other"},["\u0000Yg=="]]"#);
    let mut next = calls.next();
    assert!(world.poll(&mut next).is_pending());
    world.expect(r#"[8,68,1,{},"wamp.error.invalid_argument"]"#);
    world.send("[68,2,50,{},[1]]");
    assert_eq!(world.finish(next).unwrap().arg::<u8>(0).unwrap(), 1);
}

#[test]
fn ppt_09_and_14_a_result_that_cannot_be_opened_fails_the_call() {
    let (mut world, client) = joined();
    let mut call = client.call("a.b", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.send(r#"[50,1,{"ppt_scheme":"x_flip","ppt_serializer":"json","ppt_cipher":"rot13"},["\u0000Yg=="]]"#);
    let failed = world.finish(call).unwrap_err();
    let RequestError::Passthru(PassthruError::Cipher(Some(cipher))) = failed else { panic!("{failed:?}") };
    assert_eq!(&*cipher, "rot13");
    assert!(client.session().is_some());
}

#[test]
fn ppt_09_a_codec_that_panics_fails_what_it_opens_and_nothing_else() {
    let (mut world, client) = joined();
    let burst = item(r#""burst""#);
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    world.send(&format!("[36,77,1,{{{ATTRIBUTES}}},{burst}]"));
    world.send("[36,77,2,{}]");
    assert_eq!(world.finish(subscription.next()).unwrap().publication().get(), 2);
    assert_eq!(subscription.undecodable(), 1);

    let mut register = client.register_fn("a.b", |text: String| async move { Ok(text) });
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,2,50]");
    let guard = world.finish(register).unwrap();
    world.send(&format!("[68,1,50,{{{ATTRIBUTES}}},{burst}]"));
    world.expect(r#"[8,68,1,{},"wamp.error.invalid_argument"]"#);

    let mut call = client.call("a.b", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.send(&format!("[50,3,{{{ATTRIBUTES}}},{burst}]"));
    let failed = world.finish(call).unwrap_err();
    assert!(matches!(failed, RequestError::Passthru(PassthruError::Codec(_))), "{failed:?}");
    // Of an error that cannot be opened the URI is left.
    let mut call = client.call("a.b", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.send(&format!(r#"[8,48,4,{{{ATTRIBUTES}}},"c.d",{burst}]"#));
    let Err(RequestError::Wamp(error)) = world.finish(call) else { panic!() };
    assert_eq!(error.uri(), "c.d");
    world.send("[68,2,50,{},[\"well\"]]");
    world.expect(r#"[70,2,{},["well"]]"#);
    drop(guard);
}

#[test]
fn ppt_09_losses_before_an_event_that_cannot_be_opened_show_at_the_next_one() {
    use wamp_session::SubscribeOptions;
    use wamp_session::client::{Overflow, Queue};
    for (overflow, told) in [(Overflow::DropOldest, [(5, 2)]), (Overflow::DropNewest, [(7, 1)])] {
        let (mut world, client) = joined();
        let options = SubscribeOptions::new().queue(Queue::new().max_events(2).overflow(overflow));
        let mut subscribe = client.subscribe_with("a.b", options);
        assert!(world.poll(&mut subscribe).is_pending());
        world.received();
        world.send("[33,1,77]");
        let mut subscription = world.finish(subscribe).unwrap();
        let sealed = |number| format!(r#"[36,77,{number},{{"ppt_scheme":"x_other"}},["\u0000Yg=="]]"#);
        let plain = |number| format!("[36,77,{number},{{}}]");
        if overflow == Overflow::DropOldest {
            // The losses show at the fourth, which cannot be opened.
            world.send_all([plain(2), plain(3), sealed(4), plain(5)].iter().map(String::as_str));
        } else {
            // The loss of the fourth shows at the fifth, which cannot be opened either.
            world.send_all([sealed(2), plain(3), plain(4)].iter().map(String::as_str));
            assert_eq!(world.finish(subscription.next()).unwrap().publication().get(), 3);
            world.send_all([sealed(5).as_str()]);
            assert!(world.poll(&mut subscription.next()).is_pending());
            world.send_all([plain(7).as_str()]);
        }
        for (publication, missed) in told {
            let event = world.finish(subscription.next()).unwrap();
            assert_eq!((event.publication().get(), event.missed()), (publication, missed), "{overflow:?}");
        }
        assert_eq!(subscription.missed(), told[0].1);
    }
}

#[test]
fn ppt_14_an_answer_that_cannot_be_sealed_is_an_error() {
    let (mut world, client) = joined();
    let mut register = client.register("a.b");
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let mut calls = world.finish(register).unwrap();
    let invocation = |number| format!(r#"[68,{number},50,{{"receive_progress":true,{ATTRIBUTES}}},{}]"#, item("1"));
    let codec = |error: &CommandError| matches!(error, CommandError::Passthru(PassthruError::Codec(_)));

    world.send(&invocation(1));
    let call = world.finish(calls.next()).unwrap();
    let part = world.finish(call.progress("panic")).unwrap_err();
    assert!(codec(&part), "{part:?}");
    world.expect_nothing();
    let refused = call.reply("panic").unwrap_err();
    assert!(codec(&refused), "{refused:?}");
    world.expect(r#"[8,68,1,{},"wamp.error.invalid_payload"]"#);

    world.send(&invocation(2));
    let call = world.finish(calls.next()).unwrap();
    call.fail(wamp_session::WampError::new("c.d").unwrap().payload("panic").unwrap()).unwrap();
    world.expect(r#"[8,68,2,{},"c.d"]"#);
}

#[test]
fn need_15_a_result_of_a_handler_that_cannot_be_sealed_is_told() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let config = Config::new("ws://router/ws", "realm1").agent(None).passthru_codec("x_flip", Flip);
    let (mut world, client) = World::joined_with(config.on_handler_error(move |_, failure| {
        assert!(matches!(failure, HandlerFailure::Answer(CommandError::Passthru(_))), "{failure:?}");
        count.fetch_add(1, Ordering::SeqCst);
        None
    }));
    let mut register = client.register_fn("a.b", |()| async move { Ok("panic") });
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let guard = world.finish(register).unwrap();
    world.send(&format!("[68,1,50,{{{ATTRIBUTES}}},{}]", item("1")));
    world.expect(r#"[8,68,1,{},"wamp.error.invalid_payload"]"#);
    assert_eq!(told.load(Ordering::SeqCst), 1);
    drop(guard);
}

#[test]
fn ppt_02_an_error_that_is_passed_on_is_sealed_as_its_own_call_was() {
    let (mut world, client) = joined();
    let inner = client.clone();
    let mut register = client.register_fn("a.b", move |(): ()| {
        let client = inner.clone();
        async move {
            match client.call("a.c", ()).await {
                Ok(result) => Ok(result.payload().clone()),
                Err(RequestError::Wamp(error)) => Err(error.into()),
                Err(error) => Err(error.into()),
            }
        }
    });
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let guard = world.finish(register).unwrap();
    let empty = item("");
    for (number, details, answer) in [
        (1, String::new(), r#"[8,68,1,{},"c.d",["why"]]"#.to_owned()),
        (2, ATTRIBUTES.to_owned(), format!(r#"[8,68,2,{{{ATTRIBUTES}}},"c.d",{}]"#, item(r#""why""#))),
    ] {
        let payload = if number == 1 { String::new() } else { format!(",{empty}") };
        world.send(&format!("[68,{number},50,{{{details}}}{payload}]"));
        world.expect(&format!(r#"[48,{},{{}},"a.c"]"#, number + 1));
        // It comes sealed, and is opened.
        world.send(&format!(r#"[8,48,{},{{{ATTRIBUTES}}},"c.d",{}]"#, number + 1, item(r#""why""#)));
        world.expect(&answer);
    }
    drop(guard);
}

#[test]
fn ppt_15_input_that_cannot_be_opened_ends_the_invocation() {
    let (mut world, client) = joined();
    let mut register = client.register("a.b");
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let mut calls = world.finish(register).unwrap();
    world.send(&format!(r#"[68,1,50,{{"progress":true,{ATTRIBUTES}}},{}]"#, item("1")));
    let call = world.finish(calls.next()).unwrap();
    let mut inputs = call.inputs();
    world.send(&format!(r#"[68,1,50,{{"progress":true}},{}]"#, item(r#""burst""#)));
    assert!(world.finish(inputs.next()).is_none());
    world.expect(r#"[8,68,1,{},"wamp.error.invalid_argument"]"#);
    assert!(call.has_ended());
    drop(call);
    world.expect_nothing();
}

#[test]
fn ppt_14_what_cannot_be_sealed_is_not_sent() {
    let (mut world, client) = joined();
    let other = PublishOptions::new().passthru(Passthru::new("x_other").serializer("json"));
    let unknown = world.finish(client.publish_with("a.b", 1, other)).unwrap_err();
    assert!(matches!(unknown, RequestError::Command(CommandError::Passthru(PassthruError::Scheme(_)))), "{unknown:?}");
    // A codec that panics fails what it was asked for, and nothing else.
    let panicking = world.finish(client.publish_with("a.b", "panic", PublishOptions::new().passthru(flip())));
    assert!(matches!(panicking, Err(RequestError::Command(CommandError::Passthru(PassthruError::Codec(_))))));
    world.expect_nothing();
    world.finish(client.publish("a.b", 1)).unwrap();
    world.expect(r#"[16,1,{},"a.b",[1]]"#);
}

#[test]
fn ppt_15_input_and_results_in_parts_are_sealed_each() {
    let (mut world, client) = joined();
    let options = CallOptions::new().passthru(flip()).receive_progress();
    let (mut input, mut call) = world.finish(client.call_streaming_with("a.b", 1, options)).unwrap();
    let first = format!(r#"[48,1,{{"receive_progress":true,"progress":true,{ATTRIBUTES}}},"a.b",{}]"#, item("1"));
    world.expect(&first);
    world.finish(input.send(2)).unwrap();
    world.expect(&format!(r#"[48,1,{{"progress":true}},"a.b",{}]"#, item("2")));
    world.finish(input.finish(3)).unwrap();
    world.expect(&format!(r#"[48,1,{{}},"a.b",{}]"#, item("3")));
    world.send(&format!(r#"[50,1,{{"progress":true,{ATTRIBUTES}}},{}]"#, item("10")));
    world.send(r#"[50,1,{"progress":true,"ppt_scheme":"x_other"},["\u0000Yg=="]]"#);
    world.send(&format!(r#"[50,1,{{"progress":true,{ATTRIBUTES}}},{}]"#, item("30")));
    assert_eq!(world.finish(call.next()).unwrap().arg::<u8>(0).unwrap(), 10);
    assert_eq!(world.finish(call.next()).unwrap().arg::<u8>(0).unwrap(), 30);
    assert_eq!(call.missed(), 1);
    world.send(&format!("[50,1,{{{ATTRIBUTES}}},{}]", item("60")));
    assert_eq!(world.finish(call.finish()).unwrap().arg::<u8>(0).unwrap(), 60);
}

#[test]
fn ppt_15_a_callee_takes_input_and_gives_results_in_parts() {
    let (mut world, client) = joined();
    let mut register = client.register("a.b");
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,50]");
    let mut calls = world.finish(register).unwrap();
    let first = format!(r#"[68,1,50,{{"receive_progress":true,"progress":true,{ATTRIBUTES}}},{}]"#, item("1"));
    world.send(&first);
    let call = world.finish(calls.next()).unwrap();
    assert_eq!(call.arg::<u8>(0).unwrap(), 1);
    let mut inputs = call.inputs();
    world.send(&format!("[68,1,50,{{}},{}]", item("2")));
    assert_eq!(world.finish(inputs.next()).unwrap().arg::<u8>(0).unwrap(), 2);
    world.finish(call.progress(5)).unwrap();
    let part = world.received();
    assert_eq!(part, format!(r#"[70,1,{{"progress":true,{ATTRIBUTES}}},{}]"#, item("5")));
    call.reply(6).unwrap();
    world.expect(&format!("[70,1,{{{ATTRIBUTES}}},{}]", item("6")));
}

#[test]
fn tst_01_a_testament_is_sealed_when_it_is_added() {
    let (mut world, client) = joined();
    let sealed = || Testament::new().options(PublishOptions::new().passthru(flip()));
    let mut add = client.meta().add_testament_with("a.b", "gone", sealed());
    assert!(world.poll(&mut add).is_pending());
    let wrapped = format!(
        r#"[48,1,{{}},"wamp.session.add_testament",["a.b",{},{{}}],{{"publish_options":{{{ATTRIBUTES}}}}}]"#,
        item(r#""gone""#)
    );
    let [sent, expected] =
        [world.received(), wrapped].map(|message| serde_json::from_str::<serde_json::Value>(&message).unwrap());
    assert_eq!(sent, expected);
    let failed = world.finish(client.meta().add_testament_with("a.b", "panic", sealed())).unwrap_err();
    let MetaError::Request(RequestError::Command(CommandError::Passthru(error))) = failed else { panic!("{failed:?}") };
    assert!(matches!(error, PassthruError::Codec(_)));
    world.expect_nothing();
}
