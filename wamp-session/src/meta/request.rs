//! A call of a meta procedure.

use core::fmt;

use wamp_proto::{ArgsKwargs, Dict, EncodeError, Format, IntoPayload, Payload, PayloadError, Uri, Value};

/// A call of a meta procedure: what to call with what, and how to read the result.
///
/// It is made by the functions of [`meta`](super).
#[must_use = "a request does nothing until it is sent"]
pub struct Request<R> {
    procedure: &'static str,
    alias: Option<&'static str>,
    args: Vec<Value>,
    kwargs: Dict,
    read: fn(&Payload) -> Result<R, PayloadError>,
}

impl<R> Request<R> {
    pub(super) fn new(
        procedure: &'static str,
        args: impl Into<Vec<Value>>,
        read: fn(&Payload) -> Result<R, PayloadError>,
    ) -> Self {
        Self { procedure, alias: None, args: args.into(), kwargs: Dict::new(), read }
    }

    pub(super) fn kwargs(mut self, kwargs: Dict) -> Self {
        self.kwargs = kwargs;
        self
    }

    pub(super) const fn alias_of(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// The procedure to call.
    #[must_use]
    pub fn procedure(&self) -> Uri {
        uri(self.procedure)
    }

    /// Another name that some router has for the procedure, if there is one.
    ///
    /// It is to be called, with the same arguments, if the answer was `wamp.error.no_such_procedure`.
    #[must_use]
    pub fn alias(&self) -> Option<Uri> {
        self.alias.map(uri)
    }

    /// The arguments, in a format; a session takes those of any format.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if a value that the application gave, as in a testament, cannot be encoded in the format.
    pub fn payload(&self, format: Format) -> Result<Payload, EncodeError> {
        ArgsKwargs(&self.args, &self.kwargs).into_payload(format)
    }

    /// Reads the result.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if it has none of the shapes that are known.
    pub fn result(&self, payload: &Payload) -> Result<R, PayloadError> {
        (self.read)(payload)
    }
}

impl<R> Clone for Request<R> {
    fn clone(&self) -> Self {
        Self { args: self.args.clone(), kwargs: self.kwargs.clone(), ..*self }
    }
}

impl<R> fmt::Debug for Request<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}

/// A URI of the specification.
pub(super) fn uri(text: &'static str) -> Uri {
    #[expect(clippy::expect_used, reason = "every caller passes a literal that is a URI")]
    Uri::new(text).expect("a URI of the specification")
}
