//! Payloads that are sealed on their way out and opened on their way in (WAMP Advanced Profile, "Payload Passthru Mode").
//!
//! Codecs are somebody else's code: none of this runs under the lock.

use std::sync::Arc;

use wamp_proto::{ErrorDetails, Payload};

use super::contained::contained;
use super::shared::Shared;
use crate::passthru::{Attributes, Passthru, PassthruError};
use crate::{Response, WampError};

impl Shared {
    /// Seals a payload, if its options say so.
    pub(crate) fn seal(
        self: &Arc<Self>,
        options: &mut impl Attributes,
        payload: Payload,
    ) -> Result<Payload, PassthruError> {
        let Some(passthru) = options.passthru() else { return Ok(payload) };
        let (passthru, payload) = self.seal_as(passthru, &payload)?;
        options.set_passthru(&passthru);
        Ok(payload)
    }

    /// Seals a payload.
    pub(crate) fn seal_as(
        self: &Arc<Self>,
        passthru: Passthru,
        payload: &Payload,
    ) -> Result<(Passthru, Payload), PassthruError> {
        let format = self.format();
        caught(|| self.passthru.0.seal(passthru, payload, format))
    }

    /// Seals what is sent for an invocation, as the invocation was.
    pub(crate) fn seal_response(
        self: &Arc<Self>,
        passthru: Option<Passthru>,
        response: Response,
    ) -> Result<Response, PassthruError> {
        if let Response::Error(error) = response {
            return Ok(Response::Error(self.seal_error(passthru, error)));
        }
        let Some(passthru) = passthru else { return Ok(response) };
        Ok(match response {
            Response::Progress(payload) => {
                let (passthru, payload) = self.seal_as(passthru, &payload)?;
                Response::SealedProgress(passthru, payload)
            }
            Response::Result(payload) => {
                let (passthru, payload) = self.seal_as(passthru, &payload)?;
                Response::SealedResult(passthru, payload)
            }
            response => response,
        })
    }

    /// Seals the arguments of an error. What went wrong matters more: arguments that cannot be sealed are left out.
    fn seal_error(self: &Arc<Self>, passthru: Option<Passthru>, mut error: WampError) -> WampError {
        // It may be the error of another call, which was sealed and has been opened.
        let ErrorDetails { ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid, .. } = &mut *error.details;
        for attribute in [ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid] {
            *attribute = None;
        }
        if let Some(passthru) = passthru
            && error.payload.byte_len() > 0
        {
            match self.seal_as(passthru, &error.payload) {
                Ok((passthru, payload)) => {
                    error.details.set_passthru(&passthru);
                    error.payload = payload;
                }
                Err(_) => error.payload = Payload::new(),
            }
        }
        error
    }

    /// Opens a payload that was received, if its details say so.
    pub(crate) fn open(&self, details: &impl Attributes, payload: &mut Payload) -> Result<(), PassthruError> {
        if let Some(passthru) = details.passthru() {
            *payload = caught(|| self.passthru.0.open(&passthru, payload, &self.passthru.1))?;
        }
        Ok(())
    }
}

/// Runs a codec, whose panic is an error.
fn caught<T>(codec: impl FnOnce() -> Result<T, PassthruError>) -> Result<T, PassthruError> {
    contained(codec).unwrap_or_else(|_| Err(PassthruError::codec("the codec panicked")))
}
