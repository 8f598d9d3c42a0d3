//! Challenge-response authentication (WAMP Advanced Profile, "Challenge Response Authentication").

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use wamp_proto::{Challenge, Dict, Value};
use zeroize::Zeroizing;

use crate::AuthError;
use crate::auth::{Answer, AuthFuture, Authenticator, Offer, Secret, ready};

/// The iterations of a salted secret, if the challenge does not say.
pub const DEFAULT_ITERATIONS: u32 = 1000;

/// The length in bytes of the key derived from a salted secret, if the challenge does not say.
pub const DEFAULT_KEYLEN: usize = 32;

/// The most iterations that a challenge may ask for: up to about a second's work of a slow machine (optimised; a debug build takes
/// fifty times as long).
///
/// For keys longer than 32 bytes it is the iterations for all their blocks of 32 bytes together, because each block takes
/// them anew.
pub const MAX_ITERATIONS: u32 = 1_000_000;

/// The longest key in bytes that a challenge may ask for.
pub const MAX_KEYLEN: usize = 1024;

const BLOCK: usize = 32;

/// The method `wampcra`: proves to know a secret without sending it.
///
/// A router that stores no plain secrets asks for a salted one: then the key is [derived](derive_key) from the secret, with as
/// much work as the router wants up to [`MAX_ITERATIONS`] and [`MAX_KEYLEN`]. The secret is zeroized when it is dropped, and
/// never printed.
///
/// ```
/// # use wamp_session::auth::Cra;
/// # use wamp_session::proto::{Challenge, Dict, Value};
/// let cra = Cra::new("peter", "secret1");
/// let extra = Dict::from_iter([("challenge", Value::from(r#"{"authid": "peter", "nonce": "LHRTC9zeOIrt_9U3"}"#))]);
/// let answer = cra.answer_to(&Challenge { method: "wampcra".into(), extra })?;
/// assert_eq!(answer.signature.len(), 44);
/// # Ok::<(), wamp_session::AuthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cra {
    authid: Arc<str>,
    secret: Secret,
}

impl Cra {
    /// Makes the authentication of a user by a secret.
    pub fn new(authid: impl Into<Arc<str>>, secret: impl Into<String>) -> Self {
        Self { authid: authid.into(), secret: Secret::new(secret) }
    }

    /// Who the client claims to be.
    #[must_use]
    pub fn authid(&self) -> &str {
        &self.authid
    }

    /// Answers a challenge at once; a salted one takes up to about a second (see [`MAX_ITERATIONS`]).
    ///
    /// # Errors
    ///
    /// [`AuthError::NotOffered`] if it is of another method, [`AuthError::Malformed`] if it lacks what there is to sign or has
    /// parameters that are none, [`AuthError::TooCostly`] if it asks for more work than allowed.
    pub fn answer_to(&self, challenge: &Challenge) -> Result<Answer, AuthError> {
        if &*challenge.method != self.method() {
            return Err(AuthError::NotOffered(challenge.method.as_ref().to_owned()));
        }
        let extra = &challenge.extra;
        let text = extra.get("challenge").ok_or(AuthError::Malformed("it has no challenge"))?;
        let text = text.as_str().ok_or(AuthError::Malformed("the challenge is not a string"))?;
        let iterations = match parameter(extra, "iterations") {
            None => DEFAULT_ITERATIONS,
            Some(value) => match value.as_u64() {
                None | Some(0) => return Err(AuthError::Malformed("iterations is not a positive integer")),
                Some(iterations) => u32::try_from(iterations).unwrap_or(u32::MAX),
            },
        };
        let keylen = match parameter(extra, "keylen") {
            None => DEFAULT_KEYLEN,
            Some(value) => match value.as_u64() {
                None | Some(0) => return Err(AuthError::Malformed("keylen is not a positive integer")),
                Some(keylen) => usize::try_from(keylen).unwrap_or(usize::MAX),
            },
        };
        let Some(salt) = parameter(extra, "salt") else {
            return Ok(Answer::new(sign(&self.secret, text)));
        };
        let salt = salt.as_str().ok_or(AuthError::Malformed("salt is not a string"))?;
        let key = Zeroizing::new(derive_key(&self.secret, salt, iterations, keylen)?);
        Ok(Answer::new(sign(&key, text)))
    }
}

/// A parameter of the key's derivation; null counts as absent.
fn parameter<'a>(extra: &'a Dict, key: &str) -> Option<&'a Value> {
    extra.get(key).filter(|value| !value.is_null())
}

impl Authenticator for Cra {
    fn method(&self) -> &str {
        "wampcra"
    }

    fn authid(&self) -> Option<&str> {
        Some(&self.authid)
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        ready(Ok(Offer { authid: Some(Arc::clone(&self.authid)), ..Offer::default() }))
    }

    fn answer<'a>(&'a self, challenge: &'a Challenge) -> AuthFuture<'a, Answer> {
        Box::pin(async move { self.answer_to(challenge) })
    }
}

/// Derives the key that a salted secret is used as: PBKDF2-HMAC-SHA256, as base64 text.
///
/// Routers store this text in place of the secret. The salt is used as it is, not decoded.
///
/// ```
/// # use wamp_session::auth::cra;
/// let key = cra::derive_key("secret1", "salt123", 1000, 32)?;
/// assert_eq!(key, "64xfzBvZhGDT7PB0bQwDeI8/WR1M9x6Cw5dt0yP9koc=");
/// # Ok::<(), wamp_session::AuthError>(())
/// ```
///
/// # Errors
///
/// [`AuthError::Malformed`] if `iterations` or `keylen` (in bytes) is 0, [`AuthError::TooCostly`] if they are over
/// [`MAX_ITERATIONS`] and [`MAX_KEYLEN`].
pub fn derive_key(secret: &str, salt: &str, iterations: u32, keylen: usize) -> Result<String, AuthError> {
    if iterations == 0 {
        return Err(AuthError::Malformed("no iterations"));
    }
    if keylen == 0 {
        return Err(AuthError::Malformed("an empty key"));
    }
    if keylen > MAX_KEYLEN {
        return Err(AuthError::TooCostly("keylen"));
    }
    if u64::from(iterations).saturating_mul(keylen.div_ceil(BLOCK) as u64) > u64::from(MAX_ITERATIONS) {
        return Err(AuthError::TooCostly("iterations"));
    }
    let mut key = Zeroizing::new(vec![0; keylen]);
    pbkdf2::pbkdf2_hmac::<Sha256>(secret.as_bytes(), salt.as_bytes(), iterations, &mut key);
    Ok(BASE64.encode(&*key))
}

/// Signs a challenge: HMAC-SHA256 over its text as it is, as base64 text.
///
/// The key is the secret itself, or what [`derive_key`] makes of a salted one.
///
/// ```
/// # use wamp_session::auth::cra;
/// let signature = cra::sign("secret1", r#"{"nonce": "LHRTC9zeOIrt_9U3"}"#);
/// assert_eq!(signature.len(), 44);
/// ```
#[must_use]
pub fn sign(key: &str, challenge: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(challenge.as_bytes());
    BASE64.encode(mac.finalize().into_bytes())
}
