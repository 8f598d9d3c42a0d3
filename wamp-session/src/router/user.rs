//! Who may join a realm, and how he proves that he is it.

use core::fmt;
use std::sync::Arc;

use crate::AuthError;
use crate::auth::{Secret, cra};

/// A user of a realm.
///
/// It is not printed, its secret is zeroized.
///
/// ```
/// # use wamp_session::router::{RealmConfig, User};
/// let realm = RealmConfig::new("realm1")?
///     .user(User::ticket("joe", "secret!!!").role("backend"))
///     .user(User::wampcra("peter", "secret1"));
/// # Ok::<(), wamp_session::proto::InvalidUri>(())
/// ```
#[derive(Clone)]
pub struct User {
    pub(super) authid: Arc<str>,
    pub(super) role: Arc<str>,
    pub(super) credential: Credential,
}

#[derive(Clone)]
pub(super) enum Credential {
    Ticket(Secret),
    Cra { key: Secret, salting: Option<Salting> },
}

/// How the key of a salted secret is derived: what a challenge says of it.
#[derive(Clone)]
pub(super) struct Salting {
    pub(super) salt: Arc<str>,
    pub(super) iterations: u32,
    pub(super) keylen: usize,
}

impl User {
    /// Makes a user who authenticates by a ticket, in the role `user`.
    pub fn ticket(authid: impl Into<Arc<str>>, ticket: impl Into<String>) -> Self {
        Self::new(authid.into(), Credential::Ticket(Secret::new(ticket)))
    }

    /// Makes a user who authenticates by WAMP-CRA with a plain secret, in the role `user`.
    pub fn wampcra(authid: impl Into<Arc<str>>, secret: impl Into<String>) -> Self {
        Self::new(authid.into(), Credential::Cra { key: Secret::new(secret), salting: None })
    }

    /// Makes a user who authenticates by WAMP-CRA with a salted secret, in the role `user`: only the derived key is kept.
    ///
    /// ```
    /// # use wamp_session::router::User;
    /// let user = User::wampcra_salted("peter", "secret1", "salt123", 1000, 32)?;
    /// # Ok::<(), wamp_session::AuthError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`derive_key`](cra::derive_key), which takes its time here.
    pub fn wampcra_salted(
        authid: impl Into<Arc<str>>,
        secret: &str,
        salt: impl Into<Arc<str>>,
        iterations: u32,
        keylen: usize,
    ) -> Result<Self, AuthError> {
        let salt = salt.into();
        let key = Secret::new(cra::derive_key(secret, &salt, iterations, keylen)?);
        let salting = Some(Salting { salt, iterations, keylen });
        Ok(Self::new(authid.into(), Credential::Cra { key, salting }))
    }

    /// Sets the user's role (`authrole`).
    #[must_use]
    pub fn role(mut self, role: impl Into<Arc<str>>) -> Self {
        self.role = role.into();
        self
    }

    fn new(authid: Arc<str>, credential: Credential) -> Self {
        Self { authid, role: "user".into(), credential }
    }
}

impl Credential {
    /// The authentication method.
    pub(super) const fn method(&self) -> &'static str {
        match self {
            Self::Ticket(_) => "ticket",
            Self::Cra { .. } => "wampcra",
        }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}
