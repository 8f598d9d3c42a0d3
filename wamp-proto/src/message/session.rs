//! The messages of opening, authenticating, failing and closing.

use std::sync::Arc;

use crate::codec::attribute::attributes;
use crate::{Dict, MessageType, Payload, RequestId, Roles, SessionId, Uri};

/// HELLO `[1, Realm, Details]`: the first message of a client.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Hello {
    pub realm: Uri,
    pub details: HelloDetails,
}

/// WELCOME `[2, Session, Details]`: the session is open.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Welcome {
    pub session: SessionId,
    pub details: WelcomeDetails,
}

/// ABORT `[3, Details, Reason (, Arguments (, ArgumentsKw))]`: the session is over and is not answered.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Abort {
    pub details: AbortDetails,
    pub reason: Uri,
    pub payload: Payload,
}

/// CHALLENGE `[4, AuthMethod, Extra]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Challenge {
    pub method: Arc<str>,
    pub extra: Dict,
}

/// AUTHENTICATE `[5, Signature, Extra]`.
///
/// Its `Debug` form leaves both elements out, because they may be secret.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Authenticate {
    pub signature: Arc<str>,
    pub extra: Dict,
}

impl core::fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Authenticate").finish_non_exhaustive()
    }
}

/// GOODBYE `[6, Details, Reason]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the elements of the message")]
pub struct Goodbye {
    pub details: GoodbyeDetails,
    pub reason: Uri,
}

/// ERROR `[8, REQUEST.Type, REQUEST.Request, Details, Error (, Arguments (, ArgumentsKw))]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The type of the request that failed.
    ///
    /// Any message type decodes; which ones a peer accepts is its session's matter.
    pub request_type: MessageType,
    /// The id of the request that failed.
    pub request: RequestId,
    /// The details.
    pub details: ErrorDetails,
    /// The error's URI.
    pub error: Uri,
    /// The error's arguments.
    pub payload: Payload,
}

attributes! {
    /// The Details of a HELLO.
    HelloDetails {
        /// The software of the client.
        agent: Arc<str> = "agent",
        /// The roles of the client and their features.
        roles: Roles = "roles",
        /// The authentication methods that the client is prepared to perform, the preferred one first.
        authmethods: Vec<Arc<str>> = "authmethods",
        /// Who the client claims to be.
        authid: Arc<str> = "authid",
        /// The role that the client asks for.
        authrole: Arc<str> = "authrole",
        /// What an authentication method says beforehand.
        authextra: Dict = "authextra",
    }

    /// The Details of a WELCOME.
    WelcomeDetails {
        /// The roles of the router and their features.
        roles: Roles = "roles",
        /// The software of the router.
        agent: Arc<str> = "agent",
        /// The realm that was joined.
        realm: Arc<str> = "realm",
        /// Who the client is.
        authid: Arc<str> = "authid",
        /// The role that the client was given.
        authrole: Arc<str> = "authrole",
        /// The method by which the client was authenticated.
        authmethod: Arc<str> = "authmethod",
        /// Who authenticated the client.
        authprovider: Arc<str> = "authprovider",
        /// What an authentication method says afterwards.
        authextra: Dict = "authextra",
    }

    /// The Details of an ABORT.
    AbortDetails {
        /// The reason in words.
        message: Arc<str> = "message",
    }

    /// The Details of a GOODBYE.
    GoodbyeDetails {
        /// The reason in words.
        message: Arc<str> = "message",
    }

    /// The Details of an ERROR.
    ErrorDetails {
        /// The session of the callee that failed.
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
