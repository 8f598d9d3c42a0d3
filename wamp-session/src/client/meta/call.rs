//! Calls of the meta API.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{Meta, MetaError};
use crate::client::Call;
use crate::meta::Request;
use crate::{CommandError, RequestError};

/// A call of the meta API under way.
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// As of a [`Call`]: nothing is sent before the first poll; dropped later, the router may carry it out.
#[must_use = "futures do nothing unless they are polled"]
pub struct MetaCall<R> {
    meta: Meta,
    /// `None` when it is over, or failed before it was sent.
    request: Option<Result<Request<R>, CommandError>>,
    call: Option<Call>,
    is_alias: bool,
}

impl<R> MetaCall<R> {
    pub(super) const fn new(meta: Meta, request: Result<Request<R>, CommandError>) -> Self {
        Self { meta, request: Some(request), call: None, is_alias: false }
    }

    /// Begins the call, or begins it again under the other name.
    fn begin(&self, request: &Request<R>) -> Result<Call, CommandError> {
        let alias = request.alias().filter(|_| self.is_alias);
        let Meta { client, options } = &self.meta;
        let payload = request.payload(client.0.shared.format())?;
        Ok(client.call_with(alias.unwrap_or_else(|| request.procedure()), payload, options.clone()))
    }
}

impl<R> Future for MetaCall<R> {
    type Output = Result<R, MetaError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let request = match self.request.take() {
                Some(Ok(request)) => request,
                Some(Err(error)) => return Poll::Ready(Err(RequestError::from(error).into())),
                None => panic!("polled after it was ready"),
            };
            let mut call = match self.call.take() {
                Some(call) => call,
                None => self.begin(&request).map_err(RequestError::from)?,
            };
            match Pin::new(&mut call).poll(cx) {
                Poll::Pending => {
                    self.request = Some(Ok(request));
                    self.call = Some(call);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(result)) => {
                    return Poll::Ready(request.result(result.payload()).map_err(MetaError::Result));
                }
                Poll::Ready(Err(RequestError::Wamp(error)))
                    if !self.is_alias
                        && request.alias().is_some()
                        && *error.uri() == "wamp.error.no_such_procedure" =>
                {
                    self.is_alias = true;
                    self.request = Some(Ok(request));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl<R> fmt::Debug for MetaCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaCall").finish_non_exhaustive()
    }
}
