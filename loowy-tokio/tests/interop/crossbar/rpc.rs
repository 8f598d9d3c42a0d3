//! The dealer of Crossbar.io: which callee gets a call, and what it learns.

use futures_util::FutureExt;
use loowy_tokio::{
    CallOptions, Client, CommandError, Config, InvokePolicy, MatchPolicy, Payload, RegisterOptions, RegistrationEnd,
    RegistrationGuard, WampError, WithDetails,
};

use crate::{FORMATS, Method, Router, command_error, join, own, ticket, wamp_error};

/// Registers a procedure that returns a name.
async fn named(client: &Client, procedure: &str, options: RegisterOptions, name: &'static str) -> RegistrationGuard {
    client.register_fn_with(procedure, options, move |()| async move { Ok(name) }).await.unwrap()
}

/// Calls a procedure that returns a name.
async fn name_of(client: &Client, procedure: &str) -> String {
    client.call(procedure, ()).await.unwrap().arg(0).unwrap()
}

#[tokio::test]
async fn the_best_pattern_is_called_and_learns_the_procedure() {
    Router::Crossbar
        .run("the_best_pattern_is_called_and_learns_the_procedure", |url| async move {
            for format in FORMATS {
                let callee = join(&url, format, Method::Anonymous).await;
                let caller = join(&url, format, Method::Anonymous).await;
                let base = own(&callee, "patterns");
                let mut guards = Vec::new();
                for (name, pattern, policy) in [
                    ("exact", format!("{base}.a.b"), MatchPolicy::Exact),
                    ("prefix", format!("{base}.a"), MatchPolicy::Prefix),
                    ("longer prefix", format!("{base}.a.bc"), MatchPolicy::Prefix),
                    ("wildcard", format!("{base}..x"), MatchPolicy::Wildcard),
                ] {
                    let options = RegisterOptions::new().match_policy(policy);
                    let serve = move |call: WithDetails<()>| async move { Ok((name, call.procedure.to_string())) };
                    guards.push(callee.register_fn_with(pattern.as_str(), options, serve).await.unwrap());
                }
                for (procedure, name) in
                    [("a.b", "exact"), ("a.c", "prefix"), ("a.bcd", "longer prefix"), ("b.x", "wildcard")]
                {
                    let procedure = format!("{base}.{procedure}");
                    let result = caller.call(procedure.as_str(), ()).await.unwrap();
                    assert_eq!(result.args::<(String, String)>().unwrap(), (name.to_owned(), procedure));
                }
                let error = wamp_error(caller.call(format!("{base}.b.y"), ()).await.unwrap_err());
                assert_eq!(error.uri(), "wamp.error.no_such_procedure");
                callee.close().await.unwrap();
                caller.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn callees_share_a_procedure_by_its_policy() {
    Router::Crossbar
        .run("callees_share_a_procedure_by_its_policy", |url| async move {
            for format in FORMATS {
                let first = join(&url, format, Method::Anonymous).await;
                let second = join(&url, format, Method::Anonymous).await;
                let caller = join(&url, format, Method::Anonymous).await;
                for (policy, expected) in [
                    (InvokePolicy::First, Some(["first"; 4])),
                    (InvokePolicy::Last, Some(["second"; 4])),
                    (InvokePolicy::RoundRobin, Some(["first", "second", "first", "second"])),
                    (InvokePolicy::Random, None),
                ] {
                    let procedure = own(&first, &format!("shared.{}", policy.as_str()));
                    let options = || RegisterOptions::new().invoke(policy);
                    let guards = [
                        named(&first, &procedure, options(), "first").await,
                        named(&second, &procedure, options(), "second").await,
                    ];
                    let mut names = Vec::new();
                    for _ in 0..64 {
                        names.push(name_of(&caller, &procedure).await);
                    }
                    match expected {
                        Some(expected) => assert_eq!(names[..4], expected, "{}", policy.as_str()),
                        // By chance, one of them gets all, or they take turns, once in 2^62 times.
                        None => {
                            assert!(names.contains(&"first".to_owned()) && names.contains(&"second".to_owned()));
                            assert!((1..names.len()).any(|at| names[at] == names[at - 1]), "{names:?}");
                        }
                    }
                    // Another policy is refused, with a URI of Crossbar.io's own or the one of the specification.
                    let single = RegisterOptions::new();
                    let error = wamp_error(caller.register_with(procedure.as_str(), single).await.unwrap_err());
                    assert!(error.uri().as_str().starts_with("wamp.error.procedure_"), "{}", error.uri());
                    drop(guards);
                }
                for client in [first, second, caller] {
                    client.close().await.unwrap();
                }
            }
        })
        .await;
}

#[tokio::test]
async fn a_callee_that_forces_itself_in_ends_the_registration_of_the_other() {
    Router::Crossbar
        .run("a_callee_that_forces_itself_in_ends_the_registration_of_the_other", |url| async move {
            for format in FORMATS {
                let old = join(&url, format, Method::Anonymous).await;
                let new = join(&url, format, Method::Anonymous).await;
                let procedure = own(&old, "forced");
                let mut loser = old.register(procedure.as_str()).await.unwrap();
                let winner = named(&new, &procedure, RegisterOptions::new().force_reregister(), "new").await;
                assert!(loser.next().await.is_none());
                let Some(RegistrationEnd::Revoked(Some(reason))) = loser.end() else { panic!("{:?}", loser.end()) };
                assert_eq!(&*reason, "wamp.error.unregistered");
                assert_eq!(name_of(&old, &procedure).await, "new");
                winner.unregister().await.unwrap();
                old.close().await.unwrap();
                new.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn callees_learn_who_calls_as_the_role_says() {
    Router::Crossbar
        .run("callees_learn_who_calls_as_the_role_says", |url| async move {
            for format in FORMATS {
                let callee = join(&url, format, Method::Anonymous).await;
                let peter = ticket(&url, format, "peter", "ticket1").await;
                let quiet = ticket(&url, format, "quiet", "ticket3").await;
                let procedure = own(&callee, "who");
                let who = callee
                    .register_fn(procedure.as_str(), |call: WithDetails<()>| async move {
                        Ok((
                            call.details.caller.map(|id| id.get()),
                            call.details.caller_authid.map(|id| id.to_string()),
                        ))
                    })
                    .await
                    .unwrap();
                let result = peter.call(procedure.as_str(), ()).await.unwrap();
                let session = peter.session().unwrap().session.get();
                let told = result.args::<(Option<u64>, Option<String>)>().unwrap();
                assert_eq!(told, (Some(session), Some("peter".to_owned())));
                // Roles alone decide: what the caller wants is not asked.
                let options = CallOptions::new().disclose_me();
                let result = quiet.call_with(procedure.as_str(), (), options).await.unwrap();
                assert_eq!(result.args::<(Option<u64>, Option<String>)>().unwrap(), (None, None));
                who.unregister().await.unwrap();
                for client in [callee, peter, quiet] {
                    client.close().await.unwrap();
                }
            }
        })
        .await;
}

#[tokio::test]
async fn calls_beyond_the_concurrency_wait_at_the_router() {
    Router::Crossbar
        .run("calls_beyond_the_concurrency_wait_at_the_router", |url| async move {
            for format in FORMATS {
                let callee = join(&url, format, Method::Anonymous).await;
                let caller = join(&url, format, Method::Anonymous).await;
                let (procedure, other) = (own(&callee, "one"), own(&callee, "other"));
                let options = RegisterOptions::new().concurrency(1);
                let mut calls = callee.register_with(procedure.as_str(), options).await.unwrap();
                let guard = named(&callee, &other, RegisterOptions::new(), "other").await;

                let first = tokio::spawn(caller.call(procedure.as_str(), 1));
                let busy = calls.next().await.unwrap();
                assert_eq!(busy.arg::<u32>(0).unwrap(), 1);
                let second = tokio::spawn(caller.call(procedure.as_str(), 2));
                tokio::task::yield_now().await;
                // What is invoked after it comes before it.
                assert_eq!(name_of(&caller, &other).await, "other");
                assert!(calls.next().now_or_never().is_none(), "two invocations at once");
                busy.reply("first").unwrap();
                assert_eq!(first.await.unwrap().unwrap().arg::<String>(0).unwrap(), "first");
                let next = calls.next().await.unwrap();
                assert_eq!(next.arg::<u32>(0).unwrap(), 2);
                next.reply("second").unwrap();
                assert_eq!(second.await.unwrap().unwrap().arg::<String>(0).unwrap(), "second");
                drop(guard);
                callee.close().await.unwrap();
                caller.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn calls_beyond_the_concurrency_fail_where_none_can_wait() {
    Router::Crossbar
        .run("calls_beyond_the_concurrency_fail_where_none_can_wait", |url| async move {
            for format in FORMATS {
                // This realm has no store, hence no place for calls to wait.
                let realm2 = || loowy_tokio::connect(Config::new(url.as_str(), "realm2").formats([format]));
                let (first, second, caller) =
                    (realm2().await.unwrap(), realm2().await.unwrap(), realm2().await.unwrap());
                let procedure = own(&caller, "busy");
                let options = || RegisterOptions::new().concurrency(1).invoke(InvokePolicy::RoundRobin);
                let mut at_first = first.register_with(procedure.as_str(), options()).await.unwrap();
                let mut at_second = second.register_with(procedure.as_str(), options()).await.unwrap();
                let one = tokio::spawn(caller.call(procedure.as_str(), ()));
                let busy = at_first.next().await.unwrap();
                let two = tokio::spawn(caller.call(procedure.as_str(), ()));
                let also_busy = at_second.next().await.unwrap();
                let error = wamp_error(caller.call(procedure.as_str(), ()).await.unwrap_err());
                assert_eq!(error.uri(), "crossbar.error.max_concurrency_reached");
                also_busy.reply("second").unwrap();
                assert_eq!(two.await.unwrap().unwrap().arg::<String>(0).unwrap(), "second");
                // The first one's turn it would be, but it is busy.
                let three = tokio::spawn(caller.call(procedure.as_str(), ()));
                at_second.next().await.unwrap().reply("second again").unwrap();
                assert_eq!(three.await.unwrap().unwrap().arg::<String>(0).unwrap(), "second again");
                busy.reply("first").unwrap();
                assert_eq!(one.await.unwrap().unwrap().arg::<String>(0).unwrap(), "first");
                for client in [first, second, caller] {
                    client.close().await.unwrap();
                }
            }
        })
        .await;
}

#[tokio::test]
async fn errors_arrive_with_their_payload_and_without_their_details() {
    Router::Crossbar
        .run("errors_arrive_with_their_payload_and_without_their_details", |url| async move {
            for format in FORMATS {
                let callee = join(&url, format, Method::Anonymous).await;
                let caller = join(&url, format, Method::Anonymous).await;
                let procedure = own(&callee, "fails");
                let guard = callee
                    .register_fn(procedure.as_str(), |_: Payload| async move {
                        let error =
                            WampError::new("com.loowy.error.lost")?.payload(("why", 7))?.detail("x_lost", true)?;
                        Err::<(), _>(error.into())
                    })
                    .await
                    .unwrap();
                let error = wamp_error(caller.call(procedure.as_str(), ()).await.unwrap_err());
                assert_eq!(error.uri(), "com.loowy.error.lost");
                assert_eq!(error.args::<(String, u32)>().unwrap(), ("why".to_owned(), 7));
                assert!(error.details().extra.get("x_lost").is_none(), "Crossbar.io has learnt to pass on details");
                drop(guard);
                callee.close().await.unwrap();
                caller.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn registrations_that_it_refuses_are_refused_locally() {
    Router::Crossbar
        .run("registrations_that_it_refuses_are_refused_locally", |url| async move {
            let client = join(&url, FORMATS[0], Method::Anonymous).await;
            let error = client.register("wamp.session.count").await.unwrap_err();
            assert_eq!(command_error(error), CommandError::ReservedUri);
            client.close().await.unwrap();
        })
        .await;
}
