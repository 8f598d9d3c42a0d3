//! The options of a caller.

use core::time::Duration;
use std::sync::Arc;

use wamp_proto::{CancelMode, Value};

use super::{own_key, own_value};
use crate::passthru::{Attributes as _, Passthru};
use crate::{CommandError, OfflinePolicy};

/// How to call a procedure.
///
/// ```
/// # use std::time::Duration;
/// # use wamp_session::CallOptions;
/// let options = CallOptions::new().timeout(Duration::from_secs(10)).disclose_me();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CallOptions {
    pub(crate) wire: wamp_proto::CallOptions,
    pub(crate) timeout: Option<Duration>,
    pub(crate) offline: Option<OfflinePolicy>,
    pub(crate) on_drop: Option<CancelMode>,
    #[cfg(feature = "client")]
    pub(crate) queue: crate::client::Queue,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl CallOptions {
    /// Makes the default options: the session's call timeout, if it has one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            wire: wamp_proto::CallOptions::default(),
            timeout: None,
            offline: None,
            on_drop: Some(CancelMode::KillNoWait),
            #[cfg(feature = "client")]
            queue: crate::client::Queue::new(),
        }
    }

    /// Sets how long to wait for the result, instead of the session's call timeout; zero is without end.
    ///
    /// It counts from the call, the wait for a join included. With progressive results it is the longest gap: from the call to the first part, and from each part to the next
    /// ([`receive_progress`](Self::receive_progress)).
    ///
    /// The client keeps the time itself. When it is over, the call ends with [`RequestError::Timeout`](crate::RequestError::Timeout), and
    /// is cancelled at the dealer, if that can be. The dealer is told as well, in milliseconds, rounded up (`timeout`; WAMP
    /// Advanced Profile, "Call Timeouts"): it may pass that on to the callee, or end the call itself, with
    /// `wamp.error.timeout`. Some dealers take the number for seconds, as Crossbar.io does; their timer is then too late to matter.
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// # use std::time::Duration;
    /// let options = CallOptions::new().timeout(Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets what happens if the session is not joined.
    ///
    /// Otherwise that is what the configuration says of calls ([`Config::offline`](crate::Config::offline)).
    ///
    /// ```
    /// # use wamp_session::{CallOptions, OfflinePolicy};
    /// let options = CallOptions::new().offline(OfflinePolicy::FailFast);
    /// ```
    #[must_use]
    pub fn offline(mut self, policy: OfflinePolicy) -> Self {
        self.offline = Some(policy);
        self
    }

    /// Sends the payload in payload passthru mode (`ppt_…`): the router does not look at it.
    ///
    /// A client packs and seals it with the codec of the scheme ([`Config::passthru_codec`](crate::Config::passthru_codec)), and fails
    /// with [`CommandError::Passthru`] if it cannot. Who drives a [`Session`](crate::Session) hands over what
    /// [`Codecs::seal`](crate::passthru::Codecs::seal) has made. A router that does not announce the feature gets nothing
    /// ([`CommandError::NotSupported`]). (WAMP Advanced Profile, "Payload Passthru Mode".)
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// # use wamp_session::passthru::Passthru;
    /// let options = CallOptions::new().passthru(Passthru::new("x_vault").serializer("cbor").keyid("2026-11"));
    /// ```
    #[must_use]
    pub fn passthru(mut self, passthru: Passthru) -> Self {
        self.wire.set_passthru(&passthru);
        self
    }

    /// Asks for the result in parts, as they come (`receive_progress`).
    ///
    /// Each is a [`SessionEvent::CallProgress`](crate::SessionEvent::CallProgress). (WAMP Advanced Profile, "Progressive Call Results".)
    ///
    /// A callee or a dealer that does not know of it sends one result, as ever. The clients' `call_progressive` sets it by itself.
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// let options = CallOptions::new().receive_progress();
    /// ```
    #[must_use]
    pub fn receive_progress(mut self) -> Self {
        self.wire.receive_progress = Some(true);
        self
    }

    /// Says that more input follows (`progress`).
    ///
    /// [`Session::call_more`](crate::Session::call_more) sends it. (WAMP Advanced Profile, "Progressive Call Invocations".)
    ///
    /// The dealer has to announce the feature. The clients' `call_streaming` sets it by itself, and their other calls leave it out: they
    /// have no more input to send, for which the callee would wait.
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// let options = CallOptions::new().progress().receive_progress();
    /// ```
    #[must_use]
    pub fn progress(mut self) -> Self {
        self.wire.progress = Some(true);
        self
    }

    /// Asks the dealer to tell the callee who calls (WAMP Advanced Profile, "Caller Identification").
    ///
    /// A dealer that does not allow it answers with an error of the kind
    /// [`DiscloseMeDisallowed`](crate::ErrorKind::DiscloseMeDisallowed); Crossbar.io decides by its configuration alone.
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// let options = CallOptions::new().disclose_me();
    /// ```
    #[must_use]
    pub fn disclose_me(mut self) -> Self {
        self.wire.disclose_me = Some(true);
        self
    }

    /// Sets the routing key of a sharded registration (`rkey`; WAMP Advanced Profile, "Sharded Registration").
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// let options = CallOptions::new().runmode("partition").rkey("customer-4711");
    /// ```
    #[must_use]
    pub fn rkey(mut self, rkey: impl Into<Arc<str>>) -> Self {
        self.wire.rkey = Some(rkey.into());
        self
    }

    /// Sets how a sharded registration runs the call (`runmode`; WAMP Advanced Profile, "Sharded Registration").
    ///
    /// `partition` needs a routing key ([`rkey`](Self::rkey)): without one the call fails with [`CommandError::NoRoutingKey`].
    #[must_use]
    pub fn runmode(mut self, runmode: impl Into<Arc<str>>) -> Self {
        self.wire.runmode = Some(runmode.into());
        self
    }

    /// Sets in which mode a call is cancelled whose future or stream is dropped before its end.
    ///
    /// By default it is `killnowait`. `None` leaves the callee alone, and only ignores its answer.
    ///
    /// It concerns the handles of the feature `client`.
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// # use wamp_session::proto::CancelMode;
    /// let options = CallOptions::new().cancel_on_drop(CancelMode::Skip);
    /// let options = options.cancel_on_drop(None);
    /// ```
    #[must_use]
    pub fn cancel_on_drop(mut self, mode: impl Into<Option<CancelMode>>) -> Self {
        self.on_drop = mode.into();
        self
    }

    /// Sets how many parts of the result may wait for their consumer, and what happens to more.
    ///
    /// By default 1,024 of 16 MiB wait, and the newest are dropped. [`Overflow::End`](crate::client::Overflow::End) cancels the call.
    ///
    /// It concerns the streams of the [`client`](crate::client); who drives a [`Session`](crate::Session) takes the parts himself.
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// # use wamp_session::client::{Overflow, Queue};
    /// let options = CallOptions::new().queue(Queue::new().max_events(16).overflow(Overflow::End));
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn queue(mut self, queue: crate::client::Queue) -> Self {
        self.queue = queue;
        self
    }

    /// Sets an attribute that this crate does not know.
    ///
    /// ```
    /// # use wamp_session::CallOptions;
    /// let options = CallOptions::new().option("_trace", "4711")?;
    /// assert!(CallOptions::new().option("trace", "4711").is_err());
    /// # Ok::<(), wamp_session::CommandError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::InvalidOption`] unless the key is of one of the forms `_abc` and `x_abc`, lower case, digits and underscores.
    pub fn option(mut self, key: &str, value: impl Into<Value>) -> Result<Self, CommandError> {
        self.wire.extra.insert(own_key(key)?, own_value(value.into()));
        Ok(self)
    }

    /// The options of a call whose input is there.
    #[cfg(feature = "client")]
    pub(crate) fn without_more_input(mut self) -> Self {
        self.wire.progress = None;
        self
    }

    #[cfg(feature = "client")]
    pub(crate) fn is_progressive(&self) -> bool {
        self.wire.receive_progress == Some(true)
    }

    /// Checks what no dealer could make sense of.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        match (&self.wire.runmode, &self.wire.rkey) {
            (Some(runmode), None) if &**runmode == "partition" => Err(CommandError::NoRoutingKey),
            _ => Ok(()),
        }
    }
}
