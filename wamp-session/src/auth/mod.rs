//! Authentication methods: plain objects that answer challenges (WAMP Advanced Profile, "Authentication Methods").

use core::future::Future;
use core::pin::Pin;
use std::sync::Arc;

use wamp_proto::{Challenge, Dict};

use crate::AuthError;

/// What [`Authenticator`] returns: a future that may be sent to another thread.
pub type AuthFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AuthError>> + Send + 'a>>;

/// What an authentication method says in the HELLO of one attempt to join.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Offer {
    /// Who the client claims to be.
    pub authid: Option<Arc<str>>,
    /// What the method says beforehand.
    pub authextra: Dict,
}

/// The answer to a challenge: what goes into AUTHENTICATE.
///
/// Its `Debug` form leaves everything out.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The signature.
    pub signature: Arc<str>,
    /// What the method adds.
    pub extra: Dict,
}

impl Answer {
    /// Makes an answer without extra attributes.
    #[must_use]
    pub fn new(signature: impl Into<Arc<str>>) -> Self {
        Self { signature: signature.into(), extra: Dict::new() }
    }
}

impl core::fmt::Debug for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// A way to authenticate.
///
/// Clients ask it afresh for each attempt to join, outside their locks and off the IO path; its futures may take their
/// time, and are dropped when the attempt is over.
pub trait Authenticator: Send + Sync {
    /// The name of the method, such as `"wampcra"`.
    fn method(&self) -> &str;

    /// What to say in HELLO.
    fn offer(&self) -> AuthFuture<'_, Offer>;

    /// Answers a CHALLENGE of this method.
    fn answer<'a>(&'a self, challenge: &'a Challenge) -> AuthFuture<'a, Answer>;
}

/// Stub.
#[derive(Clone, Debug)]
pub struct Ticket;
impl Ticket {
    /// Stub.
    pub fn new(_: impl Into<Arc<str>>, _: impl Into<String>) -> Self {
        todo!()
    }
}
impl Authenticator for Ticket {
    fn method(&self) -> &str {
        todo!()
    }
    fn offer(&self) -> AuthFuture<'_, Offer> {
        todo!()
    }
    fn answer<'a>(&'a self, _: &'a Challenge) -> AuthFuture<'a, Answer> {
        todo!()
    }
}
