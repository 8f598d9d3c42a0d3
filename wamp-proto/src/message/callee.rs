//! The messages of a callee.

use std::sync::Arc;

use crate::codec::attribute::{attributes, names};
use crate::{MatchPolicy, Payload, RegistrationId, RequestId, SessionId, Uri};

/// REGISTER `[64, Request, Options, Procedure]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Register {
    pub request: RequestId,
    pub options: RegisterOptions,
    pub procedure: Uri,
}

/// REGISTERED `[65, REGISTER.Request, Registration]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Registered {
    pub request: RequestId,
    pub registration: RegistrationId,
}

/// UNREGISTER `[66, Request, REGISTERED.Registration]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Unregister {
    pub request: RequestId,
    pub registration: RegistrationId,
}

/// UNREGISTERED `[67, UNREGISTER.Request]`, or `[67, 0, Details]` when the dealer revokes a registration.
#[derive(Clone, Debug, PartialEq)]
pub struct Unregistered {
    /// The request; `None`, 0 on the wire, for a revocation.
    pub request: Option<RequestId>,
    /// Present in a revocation. Some routers add it to their answers, too.
    pub details: Option<UnregisteredDetails>,
}

/// INVOCATION `[68, Request, REGISTERED.Registration, Details (, Arguments (, ArgumentsKw))]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Invocation {
    pub request: RequestId,
    pub registration: RegistrationId,
    pub details: InvocationDetails,
    pub payload: Payload,
}

/// INTERRUPT `[69, INVOCATION.Request, Options]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Interrupt {
    pub request: RequestId,
    pub options: InterruptOptions,
}

/// YIELD `[70, INVOCATION.Request, Options (, Arguments (, ArgumentsKw))]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Yield {
    pub request: RequestId,
    pub options: YieldOptions,
    pub payload: Payload,
}

names! {
    /// Which of several callees a dealer calls (WAMP Advanced Profile, "Shared Registration").
    InvokePolicy, r#""single", "roundrobin", "random", "first" or "last""# {
        /// There is only one callee.
        Single = "single",
        /// Each in turn.
        RoundRobin = "roundrobin",
        /// Any of them.
        Random = "random",
        /// The one that registered first.
        First = "first",
        /// The one that registered last.
        Last = "last",
    }
}

attributes! {
    /// The Options of a REGISTER.
    RegisterOptions {
        /// How procedures are compared; absent means exactly.
        match_policy: MatchPolicy = "match",
        /// Which of several callees is called; absent means that there is one.
        invoke: InvokePolicy = "invoke",
        /// Whether the callee wants to be told who calls.
        disclose_caller: bool = "disclose_caller",
        /// Whether the dealer leaves timeouts to the callee.
        forward_timeout: bool = "forward_timeout",
        /// Crossbar.io: how many invocations the callee takes at once.
        concurrency: u64 = "concurrency",
        /// Crossbar.io: whether callees that hold the procedure lose it.
        force_reregister: bool = "force_reregister",
    }

    /// The Details of an UNREGISTERED that revokes a registration.
    UnregisteredDetails {
        /// The registration that is revoked.
        registration: RegistrationId = "registration",
        /// Why, as a URI or in words.
        reason: Arc<str> = "reason",
    }

    /// The Details of an INVOCATION.
    InvocationDetails {
        /// The session that calls.
        caller: SessionId = "caller",
        /// The caller's authid.
        caller_authid: Arc<str> = "caller_authid",
        /// The caller's authrole.
        caller_authrole: Arc<str> = "caller_authrole",
        /// The procedure that was called, with a registration of a pattern.
        procedure: Uri = "procedure",
        /// How far the dealer trusts the caller.
        trustlevel: u64 = "trustlevel",
        /// After how many milliseconds the callee is to answer `wamp.error.timeout`.
        timeout: u64 = "timeout",
        /// Whether the caller takes progressive results.
        receive_progress: bool = "receive_progress",
        /// Whether more INVOCATIONs with the same request id follow.
        progress: bool = "progress",
        /// Payload passthru mode: the scheme.
        ppt_scheme: Arc<str> = "ppt_scheme",
        /// Payload passthru mode: the serializer.
        ppt_serializer: Arc<str> = "ppt_serializer",
        /// Payload passthru mode: the cipher.
        ppt_cipher: Arc<str> = "ppt_cipher",
        /// Payload passthru mode: the key.
        ppt_keyid: Arc<str> = "ppt_keyid",
    }

    /// The Options of an INTERRUPT.
    InterruptOptions {
        /// `"kill"` or `"killnowait"`; text, because routers send others, which count as `"kill"`.
        mode: Arc<str> = "mode",
        /// Why, as a URI: some routers say whether it was the caller or a timeout.
        reason: Arc<str> = "reason",
    }

    /// The Options of a YIELD.
    YieldOptions {
        /// Whether more YIELDs of the invocation follow.
        progress: bool = "progress",
        /// Payload passthru mode: the scheme.
        ppt_scheme: Arc<str> = "ppt_scheme",
        /// Payload passthru mode: the serializer.
        ppt_serializer: Arc<str> = "ppt_serializer",
        /// Payload passthru mode: the cipher.
        ppt_cipher: Arc<str> = "ppt_cipher",
        /// Payload passthru mode: the key.
        ppt_keyid: Arc<str> = "ppt_keyid",
    }
}
