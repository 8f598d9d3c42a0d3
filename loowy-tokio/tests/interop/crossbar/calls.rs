//! The life of a call at Crossbar.io: parts, cancelling, timeouts.

use std::time::Duration;

use loowy_tokio::{
    Call, CallOptions, CancelMode, Client, CommandError, Feature, Format, Invocation, InvocationEnd, Registration,
    RequestError, WampError,
};

use crate::{Method, Router, basic, join, own, wamp_error};

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
    async fn new(url: &str) -> Self {
        let callee = join(url, Format::MsgPack, Method::Anonymous).await;
        let caller = join(url, Format::Cbor, Method::Anonymous).await;
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
            let mut stuck = Stuck::new(&url).await;
            let (waiting, invocation) = stuck.cancelled(CancelMode::Kill).await;
            invocation.cancelled().await;
            assert!(matches!(invocation.end(), Some(InvocationEnd::Interrupted(_))));
            invocation.fail(WampError::new("com.loowy.error.stopped").unwrap()).unwrap();
            // Crossbar.io does not pass on what it answers.
            assert_eq!(wamp_error(waiting.await.unwrap()).uri(), "wamp.error.canceled");
            stuck.is_well().await;
        })
        .await;
}

#[tokio::test]
async fn killnowait_ends_the_call_at_once_and_interrupts() {
    Router::Crossbar
        .run("killnowait_ends_the_call_at_once_and_interrupts", |url| async move {
            let mut stuck = Stuck::new(&url).await;
            let (waiting, invocation) = stuck.cancelled(CancelMode::KillNoWait).await;
            assert!(matches!(waiting.await.unwrap(), RequestError::Canceled));
            invocation.cancelled().await;
            stuck.is_well().await;
        })
        .await;
}

#[tokio::test]
async fn skip_is_never_answered_and_ends_the_call_all_the_same() {
    Router::Crossbar
        .run("skip_is_never_answered_and_ends_the_call_all_the_same", |url| async move {
            let mut stuck = Stuck::new(&url).await;
            let (waiting, invocation) = stuck.cancelled(CancelMode::Skip).await;
            assert!(matches!(waiting.await.unwrap(), RequestError::Canceled));
            assert!(!invocation.is_cancelled());
            // The callee's answer reaches nobody.
            invocation.reply("late").unwrap();
            stuck.is_well().await;
        })
        .await;
}

#[tokio::test]
async fn a_dropped_call_interrupts_the_callee() {
    Router::Crossbar
        .run("a_dropped_call_interrupts_the_callee", |url| async move {
            let mut stuck = Stuck::new(&url).await;
            let waiting = tokio::spawn(stuck.call(CallOptions::new()));
            let invocation = stuck.calls.next().await.unwrap();
            waiting.abort();
            invocation.cancelled().await;
            stuck.is_well().await;
        })
        .await;
}

#[tokio::test]
async fn a_timeout_is_the_callers_own() {
    Router::Crossbar
        .run("a_timeout_is_the_callers_own", |url| async move {
            let mut stuck = Stuck::new(&url).await;
            // Crossbar.io takes the number for seconds: 200 of them, were the caller to wait for it.
            let call = stuck.call(CallOptions::new().timeout(Duration::from_millis(200)));
            let waiting = tokio::spawn(call);
            let invocation = stuck.calls.next().await.unwrap();
            assert!(matches!(waiting.await.unwrap().unwrap_err(), RequestError::Timeout));
            invocation.cancelled().await;
            stuck.is_well().await;
        })
        .await;
}

#[tokio::test]
async fn a_result_says_who_gave_it() {
    Router::Crossbar
        .run("a_result_says_who_gave_it", |url| async move {
            let callee = join(&url, Format::Json, Method::Ticket).await;
            let caller = join(&url, Format::MsgPack, Method::Anonymous).await;
            let procedure = own(&callee, "who");
            let guard = callee.register_fn(procedure.as_str(), |()| async move { Ok(()) }).await.unwrap();
            let result = caller.call(procedure.as_str(), ()).await.unwrap();
            assert_eq!(result.details().callee_authid.as_deref(), Some("peter"));
            guard.unregister().await.unwrap();
        })
        .await;
}

#[tokio::test]
async fn calls_in_parts_are_refused_locally() {
    Router::Crossbar
        .run("calls_in_parts_are_refused_locally", |url| async move {
            let caller = join(&url, Format::Json, Method::Anonymous).await;
            let procedure = own(&caller, "parts");
            let options = CallOptions::new().progress();
            let error = caller.call_with(procedure.as_str(), (), options).await.unwrap_err();
            let refused = CommandError::NotSupported(Feature::ProgressiveCallInvocations);
            assert!(matches!(&error, RequestError::Command(error) if *error == refused), "{error:?}");
            caller.close().await.unwrap();
        })
        .await;
}
