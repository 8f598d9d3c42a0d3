//! Ticket-based authentication.

use std::sync::Arc;

use wamp_proto::Challenge;

use crate::AuthError;
use crate::auth::{Answer, AuthFuture, Authenticator, Offer, Secret, ready};

/// The method `ticket`: a secret that is sent as it is (WAMP Advanced Profile, "Ticket-based Authentication").
///
/// Whoever reads the connection reads the ticket: use it over TLS. It is zeroized when it is dropped, and never printed;
/// the answer on its way to the router is an ordinary message.
///
/// ```
/// # use wamp_session::auth::Ticket;
/// # use wamp_session::proto::{Challenge, Dict};
/// let ticket = Ticket::new("joe", "secret!!!");
/// let answer = ticket.answer_to(&Challenge { method: "ticket".into(), extra: Dict::new() })?;
/// assert_eq!(&*answer.signature, "secret!!!");
/// # Ok::<(), wamp_session::AuthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ticket {
    authid: Arc<str>,
    ticket: Secret,
}

impl Ticket {
    /// Makes the authentication of a user by a ticket.
    pub fn new(authid: impl Into<Arc<str>>, ticket: impl Into<String>) -> Self {
        Self { authid: authid.into(), ticket: Secret::new(ticket) }
    }

    /// Who the client claims to be.
    #[must_use]
    pub fn authid(&self) -> &str {
        &self.authid
    }

    /// Answers a challenge at once.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotOffered`] if it is of another method.
    pub fn answer_to(&self, challenge: &Challenge) -> Result<Answer, AuthError> {
        if &*challenge.method != self.method() {
            return Err(AuthError::NotOffered(challenge.method.as_ref().to_owned()));
        }
        Ok(Answer::new(&*self.ticket))
    }
}

impl Authenticator for Ticket {
    fn method(&self) -> &str {
        "ticket"
    }

    fn authid(&self) -> Option<&str> {
        Some(&self.authid)
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        ready(Ok(Offer { authid: Some(Arc::clone(&self.authid)), ..Offer::default() }))
    }

    fn answer<'a>(&'a self, challenge: &'a Challenge) -> AuthFuture<'a, Answer> {
        ready(self.answer_to(challenge))
    }
}
