//! The dealer of Crossbar.io: which callee gets a call, and what it learns.

use loowy_tokio::{
    CallOptions, Client, Config, Format, InvokePolicy, MatchPolicy, RegisterOptions, RegistrationGuard, WithDetails,
    auth,
};

use crate::{Method, Router, join, own, wamp_error};

const FORMATS: [Format; 3] = [Format::Json, Format::MsgPack, Format::Cbor];

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
            let first = join(&url, Format::Json, Method::Anonymous).await;
            let second = join(&url, Format::Cbor, Method::Anonymous).await;
            let caller = join(&url, Format::MsgPack, Method::Anonymous).await;
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
                for _ in 0..4 {
                    names.push(name_of(&caller, &procedure).await);
                }
                match expected {
                    Some(expected) => assert_eq!(names, expected, "{}", policy.as_str()),
                    None => assert!(names.iter().all(|name| name == "first" || name == "second"), "{names:?}"),
                }
                // Another policy is refused, with a URI of Crossbar.io's own or the one of the specification.
                let single = RegisterOptions::new();
                let error = wamp_error(caller.register_with(procedure.as_str(), single).await.unwrap_err());
                assert!(error.uri().as_str().starts_with("wamp.error.procedure_"), "{}", error.uri());
                drop(guards);
            }
        })
        .await;
}

#[tokio::test]
async fn a_callee_that_forces_itself_in_ends_the_registration_of_the_other() {
    Router::Crossbar
        .run("a_callee_that_forces_itself_in_ends_the_registration_of_the_other", |url| async move {
            let old = join(&url, Format::MsgPack, Method::Anonymous).await;
            let new = join(&url, Format::Json, Method::Anonymous).await;
            let procedure = own(&old, "forced");
            let mut loser = old.register(procedure.as_str()).await.unwrap();
            let winner = named(&new, &procedure, RegisterOptions::new().force_reregister(), "new").await;
            assert!(loser.next().await.is_none());
            assert_eq!(name_of(&old, &procedure).await, "new");
            winner.unregister().await.unwrap();
            old.close().await.unwrap();
        })
        .await;
}

#[tokio::test]
async fn callees_learn_who_calls_as_the_role_says() {
    Router::Crossbar
        .run("callees_learn_who_calls_as_the_role_says", |url| async move {
            let callee = join(&url, Format::Json, Method::Anonymous).await;
            let peter = Config::new(url.as_str(), "realm1").authenticator(auth::Ticket::new("peter", "ticket1"));
            let peter = loowy_tokio::connect(peter).await.unwrap();
            let quiet = Config::new(url.as_str(), "realm1").authenticator(auth::Ticket::new("quiet", "ticket3"));
            let quiet = loowy_tokio::connect(quiet).await.unwrap();
            let procedure = own(&callee, "who");
            let who = callee
                .register_fn(procedure.as_str(), |call: WithDetails<()>| async move {
                    Ok((call.details.caller.map(|id| id.get()), call.details.caller_authid.map(|id| id.to_string())))
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
        })
        .await;
}
