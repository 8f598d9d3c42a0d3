//! Authentication methods: plain objects that answer challenges (WAMP Advanced Profile, "Authentication Methods").
//!
//! Each method has an `answer_to` that needs no futures, for whoever embeds a [`Session`](crate::Session) and calls
//! [`authenticate`](crate::Session::authenticate) himself, and is an [`Authenticator`] for
//! [`Config::authenticator`](crate::Config::authenticator). [`Signer`] asks somebody else for the answer.

mod anonymous;
#[cfg(feature = "cra")]
pub mod cra;
mod secret;
mod signer;
mod ticket;

use core::future::Future;
use core::pin::Pin;
use std::sync::Arc;

use wamp_proto::{Challenge, Dict};

pub use self::anonymous::Anonymous;
#[cfg(feature = "cra")]
pub use self::cra::Cra;
pub(crate) use self::secret::Secret;
pub use self::signer::Signer;
pub use self::ticket::Ticket;
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
/// time, and are dropped when the attempt is over. If one fails or panics, so does the attempt.
///
/// ```
/// use wamp_session::auth::{Answer, AuthFuture, Authenticator, Offer};
/// use wamp_session::proto::Challenge;
/// use wamp_session::{AuthError, Config};
///
/// /// A method of the router's own, whose answer is the challenge backwards.
/// struct Backwards;
///
/// impl Authenticator for Backwards {
///     fn method(&self) -> &str {
///         "x_backwards"
///     }
///
///     fn offer(&self) -> AuthFuture<'_, Offer> {
///         Box::pin(async { Ok(Offer::default()) })
///     }
///
///     fn answer<'a>(&'a self, challenge: &'a Challenge) -> AuthFuture<'a, Answer> {
///         Box::pin(async move {
///             let text = challenge.extra.get("text").and_then(|text| text.as_str());
///             let text = text.ok_or(AuthError::Malformed("there is no text"))?;
///             Ok(Answer::new(text.chars().rev().collect::<String>()))
///         })
///     }
/// }
///
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1").authenticator(Backwards);
/// ```
pub trait Authenticator: Send + Sync {
    /// The name of the method, such as `"wampcra"`.
    fn method(&self) -> &str;

    /// Who the client claims to be, as far as that does not wait for [`offer`](Self::offer): what
    /// [`Config::check`](crate::Config::check) looks at. An empty one is none.
    fn authid(&self) -> Option<&str> {
        None
    }

    /// What to say in HELLO.
    fn offer(&self) -> AuthFuture<'_, Offer>;

    /// Answers a CHALLENGE of this method.
    fn answer<'a>(&'a self, challenge: &'a Challenge) -> AuthFuture<'a, Answer>;
}

/// A future that is ready.
fn ready<'a, T: Send + 'a>(result: Result<T, AuthError>) -> AuthFuture<'a, T> {
    Box::pin(core::future::ready(result))
}
