//! The life of a call at Crossbar.io: parts, cancelling, timeouts.

use std::time::Duration;

use loowy_tokio::passthru::Passthru;
use loowy_tokio::{
    Call, CallOptions, CancelMode, Client, CommandError, Feature, Format, Invocation, InvocationEnd, Registration,
    RequestError, WampError,
};

use crate::{FORMATS, Method, Router, basic, command_error, join, own, wamp_error};

#[tokio::test]
async fn results_come_in_parts() {
    Router::Crossbar.run("results_come_in_parts", basic::progressive_results).await;
}

/// A caller, and a callee that leaves its calls unanswered until it is told to end.
struct Stuck {
    caller: Client,
    calls: Registration,
    procedure: String,
}

impl Stuck {
    async fn new(url: &str, format: Format) -> Self {
        let callee = join(url, format, Method::Anonymous).await;
        let caller = join(url, format, Method::Anonymous).await;
        let procedure = own(&callee, "stuck");
        let calls = callee.register(procedure.as_str()).await.unwrap();
        Self { caller, calls, procedure }
    }

    fn call(&self, options: CallOptions) -> Call {
        self.caller.call_with(self.procedure.as_str(), (), options)
    }

    /// A call that has reached the callee, cancelled there.
    async fn cancelled(&mut self, mode: CancelMode) -> (tokio::task::JoinHandle<RequestError>, Invocation) {
        let call = self.call(CallOptions::new());
        let stop = call.canceller();
        let waiting = tokio::spawn(async move { call.await.unwrap_err() });
        let invocation = self.calls.next().await.unwrap();
        stop.cancel(mode);
        (waiting, invocation)
    }

    /// Shows that the session of each end goes on.
    async fn is_well(&mut self) {
        let call = self.call(CallOptions::new());
        let waiting = tokio::spawn(call);
        self.calls.next().await.unwrap().reply("well").unwrap();
        assert_eq!(waiting.await.unwrap().unwrap().arg::<String>(0).unwrap(), "well");
    }
}

#[tokio::test]
async fn a_killed_call_ends_when_the_callee_has_answered() {
    Router::Crossbar
        .run("a_killed_call_ends_when_the_callee_has_answered", |url| async move {
            for format in FORMATS {
                let mut stuck = Stuck::new(&url, format).await;
                let (waiting, invocation) = stuck.cancelled(CancelMode::Kill).await;
                invocation.cancelled().await;
                assert!(matches!(invocation.end(), Some(InvocationEnd::Interrupted(_))));
                invocation.fail(WampError::new("com.loowy.error.stopped").unwrap()).unwrap();
                // Crossbar.io does not pass on what it answers.
                assert_eq!(wamp_error(waiting.await.unwrap()).uri(), "wamp.error.canceled");
                stuck.is_well().await;
            }
        })
        .await;
}

#[tokio::test]
async fn killnowait_ends_the_call_at_once_and_interrupts() {
    Router::Crossbar
        .run("killnowait_ends_the_call_at_once_and_interrupts", |url| async move {
            for format in FORMATS {
                let mut stuck = Stuck::new(&url, format).await;
                let (waiting, invocation) = stuck.cancelled(CancelMode::KillNoWait).await;
                assert!(matches!(waiting.await.unwrap(), RequestError::Canceled));
                invocation.cancelled().await;
                stuck.is_well().await;
            }
        })
        .await;
}

#[tokio::test]
async fn skip_is_never_answered_and_ends_the_call_all_the_same() {
    Router::Crossbar
        .run("skip_is_never_answered_and_ends_the_call_all_the_same", |url| async move {
            for format in FORMATS {
                let mut stuck = Stuck::new(&url, format).await;
                let (waiting, invocation) = stuck.cancelled(CancelMode::Skip).await;
                assert!(matches!(waiting.await.unwrap(), RequestError::Canceled));
                assert!(!invocation.is_cancelled());
                // The callee's answer reaches nobody.
                invocation.reply("late").unwrap();
                stuck.is_well().await;
            }
        })
        .await;
}

#[tokio::test]
async fn a_dropped_call_interrupts_the_callee() {
    Router::Crossbar
        .run("a_dropped_call_interrupts_the_callee", |url| async move {
            for format in FORMATS {
                let mut stuck = Stuck::new(&url, format).await;
                let waiting = tokio::spawn(stuck.call(CallOptions::new()));
                let invocation = stuck.calls.next().await.unwrap();
                waiting.abort();
                invocation.cancelled().await;
                stuck.is_well().await;
            }
        })
        .await;
}

#[tokio::test]
async fn a_timeout_is_the_callers_own() {
    Router::Crossbar
        .run("a_timeout_is_the_callers_own", |url| async move {
            for format in FORMATS {
                let mut stuck = Stuck::new(&url, format).await;
                // Crossbar.io takes the number for seconds: 200 of them, were the caller to wait for it.
                let call = stuck.call(CallOptions::new().timeout(Duration::from_millis(200)));
                let waiting = tokio::spawn(call);
                let invocation = stuck.calls.next().await.unwrap();
                assert_eq!(invocation.details().timeout, Some(200));
                assert!(matches!(waiting.await.unwrap().unwrap_err(), RequestError::Timeout { .. }));
                invocation.cancelled().await;
                stuck.is_well().await;
            }
        })
        .await;
}

#[tokio::test]
async fn a_result_says_who_gave_it() {
    Router::Crossbar
        .run("a_result_says_who_gave_it", |url| async move {
            for format in FORMATS {
                let callee = join(&url, format, Method::Ticket).await;
                let caller = join(&url, format, Method::Anonymous).await;
                let procedure = own(&callee, "who");
                let guard = callee.register_fn(procedure.as_str(), |()| async move { Ok(()) }).await.unwrap();
                let result = caller.call(procedure.as_str(), ()).await.unwrap();
                let details = result.details();
                assert_eq!(details.callee, Some(callee.session().unwrap().session));
                assert_eq!(details.callee_authid.as_deref(), Some("peter"));
                assert_eq!(details.callee_authrole.as_deref(), Some("anonymous"));
                guard.unregister().await.unwrap();
                callee.close().await.unwrap();
                caller.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn a_call_ends_when_its_callee_leaves() {
    Router::Crossbar
        .run("a_call_ends_when_its_callee_leaves", |url| async move {
            for format in FORMATS {
                let callee = join(&url, format, Method::Anonymous).await;
                let caller = join(&url, format, Method::Anonymous).await;
                let procedure = own(&callee, "left");
                let mut calls = callee.register(procedure.as_str()).await.unwrap();
                let waiting = tokio::spawn(caller.call(procedure.as_str(), ()));
                let _invocation = calls.next().await.unwrap();
                callee.close().await.unwrap();
                assert_eq!(wamp_error(waiting.await.unwrap().unwrap_err()).uri(), "wamp.error.canceled");
                caller.close().await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn calls_that_it_refuses_are_refused_locally() {
    Router::Crossbar
        .run("calls_that_it_refuses_are_refused_locally", |url| async move {
            let caller = join(&url, Format::Json, Method::Anonymous).await;
            let procedure = own(&caller, "refused");
            let error = caller.call_streaming(procedure.as_str(), ()).await.unwrap_err();
            assert_eq!(command_error(error), CommandError::NotSupported(Feature::ProgressiveCallInvocations));
            let options = CallOptions::new().passthru(Passthru::new("mqtt").serializer("cbor"));
            let error = caller.call_with(procedure.as_str(), (), options).await.unwrap_err();
            assert_eq!(command_error(error), CommandError::NotSupported(Feature::PayloadPassthruMode));
            caller.close().await.unwrap();
        })
        .await;
}
