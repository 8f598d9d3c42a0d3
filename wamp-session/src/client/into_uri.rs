//! What names topics and procedures.

use wamp_proto::{InvalidUri, MatchPolicy, Uri, UriRule};

/// What names a topic or a procedure: text, or a [`Uri`], which saves the check.
///
/// ```
/// use wamp_session::client::IntoUri;
///
/// assert_eq!("com.example.tick".into_uri()?, "com.example.tick");
/// assert!("com.example tick".into_uri().is_err());
/// # Ok::<(), wamp_session::proto::InvalidUri>(())
/// ```
pub trait IntoUri {
    /// Makes it a URI.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if it is none.
    fn into_uri(self) -> Result<Uri, InvalidUri>;

    /// Makes it a URI, or a pattern of a policy.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if it is none.
    fn into_pattern(self, policy: MatchPolicy) -> Result<Uri, InvalidUri>;
}

impl IntoUri for &str {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Uri::new(self)
    }

    fn into_pattern(self, policy: MatchPolicy) -> Result<Uri, InvalidUri> {
        Uri::checked(self, UriRule::Loose, policy)
    }
}

impl IntoUri for String {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Uri::new(self)
    }

    fn into_pattern(self, policy: MatchPolicy) -> Result<Uri, InvalidUri> {
        Uri::checked(self, UriRule::Loose, policy)
    }
}

impl IntoUri for &String {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        self.as_str().into_uri()
    }

    fn into_pattern(self, policy: MatchPolicy) -> Result<Uri, InvalidUri> {
        self.as_str().into_pattern(policy)
    }
}

impl IntoUri for Uri {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Ok(self)
    }

    fn into_pattern(self, policy: MatchPolicy) -> Result<Uri, InvalidUri> {
        self.check(UriRule::Loose, policy).map(|()| self)
    }
}

impl IntoUri for &Uri {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Ok(self.clone())
    }

    fn into_pattern(self, policy: MatchPolicy) -> Result<Uri, InvalidUri> {
        self.clone().into_pattern(policy)
    }
}
