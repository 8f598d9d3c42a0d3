//! Authentication by somebody else.

use core::fmt;
use core::future::Future;
use std::sync::Arc;

use wamp_proto::{Challenge, Dict};

use crate::AuthError;
use crate::auth::{Answer, AuthFuture, Authenticator, Offer, ready};

type Sign = dyn Fn(Challenge) -> AuthFuture<'static, Answer> + Send + Sync;

/// A method whose challenges a function of the application answers.
///
/// It may ask a user, a hardware key or a server that holds the secret (a three-legged authentication).
///
/// ```
/// # use wamp_session::{auth, Config};
/// # async fn ask_the_vault(challenge: wamp_session::proto::Challenge) -> Result<auth::Answer, wamp_session::AuthError> {
/// #     Ok(auth::Answer::new(&*challenge.method))
/// # }
/// let config = Config::new("ws://127.0.0.1:8080/ws", "realm1")
///     .authenticator(auth::Signer::new("wampcra", "peter", |challenge| ask_the_vault(challenge)));
/// config.check()?;
/// # Ok::<(), wamp_session::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    method: Arc<str>,
    authid: Arc<str>,
    authextra: Dict,
    sign: Arc<Sign>,
}

impl Signer {
    /// Makes a method by its name, with the function that answers its challenges.
    ///
    /// An empty `authid` is none, for methods that do without. The function's future is dropped when the attempt to
    /// join is over.
    pub fn new<F, A>(method: impl Into<Arc<str>>, authid: impl Into<Arc<str>>, sign: F) -> Self
    where
        F: Fn(Challenge) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Answer, AuthError>> + Send + 'static,
    {
        Self {
            method: method.into(),
            authid: authid.into(),
            authextra: Dict::new(),
            sign: Arc::new(move |challenge| Box::pin(sign(challenge))),
        }
    }

    /// Sets what the method says in HELLO (`authextra`).
    ///
    /// ```
    /// # use wamp_session::auth::{Answer, Signer};
    /// # use wamp_session::proto::{Dict, Value};
    /// let signer = Signer::new("x_token", "peter", |_challenge| async { Ok(Answer::new("token")) })
    ///     .authextra(Dict::from_iter([("version", Value::from(2))]));
    /// ```
    #[must_use]
    pub fn authextra(mut self, authextra: Dict) -> Self {
        self.authextra = authextra;
        self
    }
}

impl Authenticator for Signer {
    fn method(&self) -> &str {
        &self.method
    }

    fn authid(&self) -> Option<&str> {
        Some(&self.authid)
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        let authid = Some(&self.authid).filter(|authid| !authid.is_empty()).map(Arc::clone);
        ready(Ok(Offer { authid, authextra: self.authextra.clone() }))
    }

    fn answer<'a>(&'a self, challenge: &'a Challenge) -> AuthFuture<'a, Answer> {
        (self.sign)(challenge.clone())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("method", &self.method).field("authid", &self.authid).finish_non_exhaustive()
    }
}
