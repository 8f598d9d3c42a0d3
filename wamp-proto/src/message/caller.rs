//! The messages of a caller.

use std::sync::Arc;

use crate::codec::attribute::{attributes, names};
use crate::{Payload, RequestId, SessionId, Uri};

/// CALL `[48, Request, Options, Procedure (, Arguments (, ArgumentsKw))]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Call {
    pub request: RequestId,
    pub options: CallOptions,
    pub procedure: Uri,
    pub payload: Payload,
}

/// CANCEL `[49, CALL.Request, Options]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Cancel {
    pub request: RequestId,
    pub options: CancelOptions,
}

/// RESULT `[50, CALL.Request, Details (, Arguments (, ArgumentsKw))]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct CallResult {
    pub request: RequestId,
    pub details: ResultDetails,
    pub payload: Payload,
}

names! {
    /// What becomes of a call that is cancelled (WAMP Advanced Profile, "Call Canceling").
    CancelMode, r#""skip", "kill" or "killnowait""# {
        /// The caller gets an error at once; the callee goes on, and its answer is dropped.
        Skip = "skip",
        /// The callee is interrupted; the caller gets its answer.
        Kill = "kill",
        /// The caller gets an error at once, and the callee is interrupted.
        KillNoWait = "killnowait",
    }
}

impl Default for CancelMode {
    /// `skip`, which concerns the caller alone.
    fn default() -> Self {
        Self::Skip
    }
}

attributes! {
    /// The Options of a CALL.
    CallOptions {
        /// Whether the caller takes progressive results.
        receive_progress: bool = "receive_progress",
        /// Whether more CALLs with the same request id follow.
        progress: bool = "progress",
        /// After how many milliseconds the dealer ends the call; 0 is never.
        timeout: u64 = "timeout",
        /// Whether the callee is told who calls.
        disclose_me: bool = "disclose_me",
        /// The key of a sharded registration.
        rkey: Arc<str> = "rkey",
        /// How a sharded registration runs the call.
        runmode: Arc<str> = "runmode",
        /// Payload passthru mode: the scheme.
        ppt_scheme: Arc<str> = "ppt_scheme",
        /// Payload passthru mode: the serializer.
        ppt_serializer: Arc<str> = "ppt_serializer",
        /// Payload passthru mode: the cipher.
        ppt_cipher: Arc<str> = "ppt_cipher",
        /// Payload passthru mode: the key.
        ppt_keyid: Arc<str> = "ppt_keyid",
    }

    /// The Options of a CANCEL.
    CancelOptions {
        /// What becomes of the call.
        mode: CancelMode = "mode",
    }

    /// The Details of a RESULT.
    ResultDetails {
        /// Whether more RESULTs of the call follow.
        progress: bool = "progress",
        /// The session of the callee.
        callee: SessionId = "callee",
        /// The callee's authid.
        callee_authid: Arc<str> = "callee_authid",
        /// The callee's authrole.
        callee_authrole: Arc<str> = "callee_authrole",
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
