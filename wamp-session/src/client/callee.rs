//! Registrations: streams of invocations (WAMP Basic Profile, "Registering and Unregistering").

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use futures_core::Stream;
use wamp_proto::Uri;

use super::Live;
use super::handler::{PARALLEL, Serve};
use super::invocation::{INVALID_ARGUMENT, Invocation, UNAVAILABLE};
use super::queue::{self, Queue};
use super::shared::{Effects, Shared, Slot, uri};
use super::work::InvocationParts;
use crate::{CloseCause, CommandError, RegisterOptions, RegistrationKey, RequestError, Response, WampError};

/// A registration: a stream of the invocations of a procedure, in the order in which they came.
///
/// It survives a lost connection: it is registered again in the next session. It ends, after what is queued, for one of the reasons of
/// [`RegistrationEnd`]; [`end`](Self::end) says which. By default up to 1,024 invocations of 16 MiB wait to be taken
/// ([`RegisterOptions::queue`]); more are answered with `wamp.error.unavailable`. One whose payload cannot be opened (payload passthru mode)
/// is answered with `wamp.error.invalid_argument`, and not seen.
///
/// Dropping it unregisters, without waiting for the router's answer, and answers what is queued with `wamp.error.unavailable`.
#[must_use = "dropping a registration unregisters"]
pub struct Registration {
    live: Arc<Live>,
    invocations: Invocations,
    procedure: Uri,
    end: Arc<OnceLock<RegistrationEnd>>,
}

/// A registration that a handler serves; see [`Client::register_fn`](super::Client::register_fn).
///
/// Dropping it unregisters, without waiting for the router's answer; handlers that run finish.
#[must_use = "dropping the guard unregisters"]
pub struct RegistrationGuard {
    live: Arc<Live>,
    key: RegistrationKey,
    procedure: Uri,
    end: Arc<OnceLock<RegistrationEnd>>,
}

/// Why a registration gets no more invocations.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RegistrationEnd {
    /// The client is draining.
    Drained,
    /// The router ended the registration, for a reason: a URI or words (WAMP Advanced Profile, "Registration Revocation").
    Revoked(Option<Arc<str>>),
    /// The router refused it when the session was joined again.
    Refused(RequestError),
    /// The client is closed.
    Closed(Arc<CloseCause>),
}

/// The invocations of a registration, for a stream or for a task that serves them.
pub(crate) struct Invocations {
    pub(crate) shared: Arc<Shared>,
    key: RegistrationKey,
}

/// A registration that is being made; see [`Client::register`](super::Client::register).
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the registration is withdrawn.
#[must_use = "futures do nothing unless they are polled"]
pub struct Register(Registering);

/// A registration with a handler that is being made; see [`Client::register_fn`](super::Client::register_fn).
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll. Dropped later, the registration is withdrawn.
#[must_use = "futures do nothing unless they are polled"]
pub struct RegisterFn(Registering, Option<(Serve, usize)>);

enum Registering {
    Start(Arc<Live>, Result<(Uri, RegisterOptions), CommandError>),
    Waiting(Registration),
    Done,
}

/// Ends a registration; see [`Registration::unregister`] and [`RegistrationGuard::unregister`].
///
/// # Panics
///
/// If it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is sent before the first poll; dropped before, it unregisters as dropping the registration does. Dropped later, the
/// registration ends all the same.
#[must_use = "futures do nothing unless they are polled"]
pub struct Unregister(UnregisterState);

enum UnregisterState {
    Start(Result<Registration, RegistrationGuard>),
    Waiting(Arc<Live>, RegistrationKey),
    Done,
}

/// The future of [`Registration::next`].
///
/// # Cancel safety
///
/// Dropping it loses no invocation.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct NextInvocation<'a>(&'a mut Registration);

/// The invocations of one registration that wait to be taken.
pub(crate) struct Inbox {
    confirmed: Slot<Result<(), RequestError>>,
    queue: VecDeque<InvocationParts>,
    bytes: usize,
    limits: Queue,
    /// Whether it was confirmed.
    stands: bool,
    end: Arc<OnceLock<RegistrationEnd>>,
}

impl Register {
    pub(crate) fn new(live: Arc<Live>, request: Result<(Uri, RegisterOptions), CommandError>) -> Self {
        Self(Registering::Start(live, request))
    }
}

impl RegisterFn {
    pub(crate) fn new(live: Arc<Live>, request: Result<(Uri, RegisterOptions), CommandError>, serve: Serve) -> Self {
        let parallel = request.as_ref().map_or(PARALLEL, |(_, options)| options.parallel.unwrap_or(PARALLEL));
        Self(Registering::Start(live, request), Some((serve, parallel)))
    }
}

impl Registering {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Registration, RequestError>> {
        let mut waker = Some(cx.waker().clone());
        let registration = match mem::replace(self, Self::Done) {
            Self::Start(live, request) => {
                let (procedure, options) = request?;
                let name = procedure.clone();
                let limits = options.queue;
                let end = Arc::new(OnceLock::new());
                let key = live.shared.command(|state, now, _| {
                    let key = state.session.register(now, procedure, options)?;
                    state.registrations.insert(key, Inbox::new(limits, waker.take(), Arc::clone(&end)));
                    Ok::<_, CommandError>(key)
                })?;
                let invocations = Invocations { shared: Arc::clone(&live.shared), key };
                *self = Self::Waiting(Registration { live, invocations, procedure: name, end });
                return Poll::Pending;
            }
            Self::Waiting(registration) => registration,
            Self::Done => panic!("polled after it was ready"),
        };
        let confirmed = registration.live.shared.look(|state, _| {
            let inbox = state.registrations.get_mut(&registration.invocations.key)?;
            inbox.confirmed.take(&mut waker)
        });
        match confirmed {
            Some(result) => Poll::Ready(result.map(|()| registration)),
            None => {
                *self = Self::Waiting(registration);
                Poll::Pending
            }
        }
    }
}

impl Future for Register {
    type Output = Result<Registration, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

impl Future for RegisterFn {
    type Output = Result<RegistrationGuard, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.poll(cx) {
            Poll::Ready(Ok(registration)) => {
                let Registration { live, invocations, procedure, end } = registration;
                let key = invocations.key;
                if let Some((serve, parallel)) = self.1.take() {
                    live.shared.spawn(serve.run(invocations, parallel));
                }
                Poll::Ready(Ok(RegistrationGuard { live, key, procedure, end }))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Registration {
    /// The procedure.
    #[must_use]
    pub const fn procedure(&self) -> &Uri {
        &self.procedure
    }

    /// Why no more invocations come, after what is queued; `None` while they do.
    #[must_use]
    pub fn end(&self) -> Option<RegistrationEnd> {
        self.end.get().cloned()
    }

    /// Takes the next invocation, `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no invocation.
    #[expect(clippy::should_implement_trait, reason = "it is what StreamExt calls it")]
    pub fn next(&mut self) -> NextInvocation<'_> {
        NextInvocation(self)
    }

    /// Unregisters, and waits for the router's answer.
    ///
    /// Invocations that are queued or come meanwhile are answered with `wamp.error.unavailable`.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let calls = client.register("com.example.add2").await?;
    /// calls.unregister().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the router refused, did not answer in time, or the session ends meanwhile. The registration is gone all
    /// the same. If it was gone before, because the client is closed or drains, that is no error: there is nothing to wait for.
    pub fn unregister(self) -> Unregister {
        Unregister(UnregisterState::Start(Ok(self)))
    }
}

impl Stream for Registration {
    type Item = Invocation;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Invocation>> {
        self.invocations.poll_next(cx)
    }
}

impl Future for NextInvocation<'_> {
    type Output = Option<Invocation>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.invocations.poll_next(cx)
    }
}

impl RegistrationGuard {
    /// The procedure.
    #[must_use]
    pub const fn procedure(&self) -> &Uri {
        &self.procedure
    }

    /// Why the handler gets no more invocations, after what is queued; `None` while it does.
    ///
    /// ```no_run
    /// # async fn run(guard: wamp_session::client::RegistrationGuard) {
    /// use wamp_session::client::RegistrationEnd;
    ///
    /// if let Some(RegistrationEnd::Revoked(reason)) = guard.end() {
    ///     println!("somebody else serves it now: {}", reason.as_deref().unwrap_or("no reason given"));
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn end(&self) -> Option<RegistrationEnd> {
        self.end.get().cloned()
    }

    /// Unregisters, and waits for the router's answer.
    ///
    /// Invocations that come meanwhile are served, and handlers that run finish.
    ///
    /// ```no_run
    /// # async fn run(client: &wamp_session::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let guard = client.register_fn("com.example.echo", |text: String| async move { Ok(text) }).await?;
    /// guard.unregister().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the router refused, did not answer in time, or the session ends meanwhile. The registration is gone all
    /// the same. If it was gone before, because the client is closed or drains, that is no error: there is nothing to wait for.
    pub fn unregister(self) -> Unregister {
        Unregister(UnregisterState::Start(Err(self)))
    }
}

impl Drop for RegistrationGuard {
    fn drop(&mut self) {
        self.live.shared.command(|state, now, effects| {
            // The task that serves it goes on until the router has confirmed.
            if !state.unregister(now, self.key)
                && !state.is_leaving(self.key)
                && let Some(inbox) = state.registrations.get_mut(&self.key)
            {
                inbox.end(RegistrationEnd::Drained, effects);
            }
        });
    }
}

impl Invocations {
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Invocation>> {
        loop {
            let Some(mut parts) = core::task::ready!(self.poll_parts(cx)) else { return Poll::Ready(None) };
            if self.shared.open(&parts.details, &mut parts.payload).is_ok() {
                return Poll::Ready(Some(Invocation::new(Arc::clone(&self.shared), parts)));
            }
            // There are at most as many as the queue holds.
            self.shared.command(|state, now, effects| {
                let error = WampError::from_uri(uri(INVALID_ARGUMENT));
                // Too late if the invocation has ended meanwhile.
                let _ = state.respond(now, parts.key(), Response::Error(error), effects);
            });
        }
    }

    fn poll_parts(&self, cx: &mut Context<'_>) -> Poll<Option<InvocationParts>> {
        let mut waker = Some(cx.waker().clone());
        self.shared.look(|state, effects| {
            let Some(inbox) = state.registrations.get_mut(&self.key) else { return Poll::Ready(None) };
            while let Some(parts) = inbox.queue.pop_front() {
                inbox.bytes = inbox.bytes.saturating_sub(parts.byte_len());
                // Those that have ended meanwhile need no answer.
                if parts.take(&mut state.invocations, effects) {
                    return Poll::Ready(Some(parts));
                }
                effects.discard_payload(parts.payload);
            }
            if inbox.end.get().is_some() {
                return Poll::Ready(None);
            }
            mem::swap(&mut inbox.confirmed.waker, &mut waker);
            Poll::Pending
        })
    }
}

impl Drop for Invocations {
    fn drop(&mut self) {
        let gone = self.shared.command(|state, now, effects| {
            state.unregister(now, self.key);
            let inbox = state.registrations.remove(&self.key)?;
            for parts in &inbox.queue {
                let error = WampError::from_uri(uri(UNAVAILABLE));
                // Nothing is left to tell if the session does not want it any more.
                let _ = state.respond(now, parts.key(), Response::Error(error), effects);
            }
            Some(inbox)
        });
        drop(gone);
    }
}

impl Future for Unregister {
    type Output = Result<(), RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waker = Some(cx.waker().clone());
        let (live, key) = match mem::replace(&mut self.0, UnregisterState::Done) {
            UnregisterState::Start(registration) => {
                let (live, key) = match &registration {
                    Ok(stream) => (Arc::clone(&stream.live), stream.invocations.key),
                    Err(guard) => (Arc::clone(&guard.live), guard.key),
                };
                let accepted = live.shared.command(|state, now, _| {
                    let accepted = state.unregister(now, key);
                    if accepted {
                        state.unregisters.insert(key, Slot::new(None));
                    }
                    accepted
                });
                // Its drop finds nothing left to unregister.
                drop(registration);
                if !accepted {
                    return Poll::Ready(Ok(()));
                }
                (live, key)
            }
            UnregisterState::Waiting(live, key) => (live, key),
            UnregisterState::Done => panic!("polled after it was ready"),
        };
        let result = live.shared.look(|state, _| {
            let result = state.unregisters.get_mut(&key)?.take(&mut waker);
            if result.is_some() {
                state.unregisters.remove(&key);
            }
            result
        });
        match result {
            Some(result) => Poll::Ready(result),
            None => {
                self.0 = UnregisterState::Waiting(live, key);
                Poll::Pending
            }
        }
    }
}

impl Drop for Unregister {
    fn drop(&mut self) {
        if let UnregisterState::Waiting(live, key) = &self.0 {
            let gone = live.shared.look(|state, _| state.unregisters.remove(key));
            drop(gone);
        }
    }
}

impl Inbox {
    fn new(limits: Queue, waker: Option<Waker>, end: Arc<OnceLock<RegistrationEnd>>) -> Self {
        Self { confirmed: Slot::new(waker), queue: VecDeque::new(), bytes: 0, limits, stands: false, end }
    }

    pub(crate) fn confirm(&mut self, result: Result<(), RequestError>, effects: &mut Effects) {
        match result {
            Err(error) if self.stands => self.end(RegistrationEnd::Refused(error), effects),
            Ok(()) if self.stands => {}
            result => {
                self.stands = result.is_ok();
                self.confirmed.fill(result, effects);
            }
        }
    }

    /// Queues an invocation, if there is room.
    pub(crate) fn push(&mut self, mut parts: InvocationParts, effects: &mut Effects) -> bool {
        if self.end.get().is_some() || !self.limits.takes(self.queue.len(), self.bytes, parts.byte_len()) {
            return false;
        }
        if !self.queue.is_empty() || self.confirmed.waker.is_none() {
            queue::waiting(parts.payload_mut());
        }
        self.bytes = self.bytes.saturating_add(parts.byte_len());
        self.queue.push_back(parts);
        effects.wake(self.confirmed.waker.take());
        true
    }

    /// No invocation comes any more; the first reason counts.
    pub(crate) fn end(&mut self, end: RegistrationEnd, effects: &mut Effects) {
        let _ = self.end.set(end);
        if self.confirmed.value.is_none() {
            self.confirmed.value = Some(Err(RequestError::Closed));
        }
        effects.wake(self.confirmed.waker.take());
    }
}

macro_rules! opaque {
    ($($name:ty, $text:literal;)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($text).finish_non_exhaustive()
            }
        }
    )*};
}

opaque! {
    Register, "Register";
    RegisterFn, "RegisterFn";
    Unregister, "Unregister";
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}

impl fmt::Debug for RegistrationGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationGuard").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}
