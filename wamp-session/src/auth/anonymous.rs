//! No authentication at all.

use wamp_proto::Challenge;

use crate::AuthError;
use crate::auth::{Answer, AuthFuture, Authenticator, Offer, ready};

/// Offers to join without authentication, as the method `anonymous`.
///
/// A session without authenticators is anonymous already. This says so to the router, beside or after other methods.
///
/// ```
/// # use wamp_session::{auth, Config};
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1")
///     .authenticator(auth::Ticket::new("joe", "secret!!!"))
///     .authenticator(auth::Anonymous);
/// config.check()?;
/// # Ok::<(), wamp_session::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anonymous;

impl Authenticator for Anonymous {
    fn method(&self) -> &str {
        "anonymous"
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        ready(Ok(Offer::default()))
    }

    fn answer<'a>(&'a self, _: &'a Challenge) -> AuthFuture<'a, Answer> {
        ready(Err(AuthError::Malformed("anonymous has no challenge")))
    }
}
