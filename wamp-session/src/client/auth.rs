//! Authenticators at work: beside the driver, and outside the lock.

use core::error::Error;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use wamp_proto::{Challenge, Dict};

use super::contained::Contained;
use super::shared::Shared;
use super::trace;
use crate::auth::{Answer, Authenticator};
use crate::{AuthError, Opened, TransportId};

/// Asks the authenticators what to say in HELLO, and says it. Without any it is said at once.
pub(crate) fn offer(shared: &Arc<Shared>, id: TransportId, subprotocol: Option<&str>) {
    let opened = Opened::new(subprotocol);
    let authenticators = shared.look(|state, _| state.session.config().authenticators().to_vec());
    if authenticators.is_empty() {
        shared.input(|state, now, _| state.session.handle_opened(now, id, opened));
        return;
    }
    let to_tell = Arc::clone(shared);
    attempt(shared, id, async move {
        match gather(&authenticators, opened).await {
            Ok(opened) => {
                // What the session drops is not the last of it, since the lock is no place for that.
                let kept = opened.clone();
                to_tell.command(|state, now, _| state.session.handle_opened(now, id, opened));
                drop(kept);
            }
            Err(error) => {
                trace::not_offered(&to_tell, id, &error);
                authenticate(&to_tell, id, Err(error));
            }
        }
    });
}

/// Lets the authenticator of the method answer a challenge.
pub(crate) fn answer(shared: &Arc<Shared>, id: TransportId, challenge: Challenge) {
    let authenticators = shared.look(|state, _| state.session.config().authenticators().to_vec());
    let to_tell = Arc::clone(shared);
    attempt(shared, id, async move {
        let asked = authenticators.iter().find(|authenticator| authenticator.method() == &*challenge.method);
        let answer = match asked {
            Some(authenticator) => authenticator.answer(&challenge).await,
            None => Err(AuthError::NotOffered(challenge.method.to_string())),
        };
        trace::answered(&to_tell, id, &challenge.method, &answer);
        authenticate(&to_tell, id, answer);
    });
}

/// Tells the session what an authenticator says; that is too late if the attempt is over.
fn authenticate(shared: &Arc<Shared>, id: TransportId, answer: Result<Answer, AuthError>) {
    // What the session drops is not the last of it, since the lock is no place for that.
    let kept = answer.clone();
    let _ = shared.command(|state, now, _| state.session.authenticate(now, id, answer));
    drop(kept);
}

async fn gather(authenticators: &[Arc<dyn Authenticator>], opened: Opened) -> Result<Opened, AuthError> {
    let mut opened = opened.authmethods(authenticators.iter().map(|authenticator| authenticator.method()));
    let mut extra = Dict::new();
    let mut authid: Option<Arc<str>> = None;
    for authenticator in authenticators {
        let offer = authenticator.offer().await?;
        extra.extend(offer.authextra);
        authid = authid.or(offer.authid);
    }
    if let Some(authid) = authid {
        opened = opened.authid(authid);
    }
    if !extra.is_empty() {
        opened = opened.authextra(extra);
    }
    Ok(opened)
}

/// Runs what asks authenticators until it is ready or the attempt to join is over; if it panics, the attempt fails.
fn attempt(shared: &Arc<Shared>, id: TransportId, work: impl Future<Output = ()> + Send + 'static) {
    let goes_on = shared.look(|state, effects| {
        let goes_on = state.session.transport() == Some(id);
        if goes_on && let Some((_, before)) = state.attempt.replace((id, None)) {
            // The task of the one before finds that it is over.
            effects.wake(before);
        }
        goes_on
    });
    if !goes_on {
        return;
    }
    shared.spawn(Box::pin(Attempt { shared: Arc::clone(shared), id, work: Contained::new(Box::pin(work)) }));
}

struct Attempt {
    shared: Arc<Shared>,
    id: TransportId,
    work: Contained<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Future for Attempt {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = Some(cx.waker().clone());
        let id = self.id;
        let goes_on = self.shared.look(|state, _| match &mut state.attempt {
            Some((current, place)) if *current == id => {
                mem::swap(place, &mut waker);
                true
            }
            _ => false,
        });
        if !goes_on {
            return Poll::Ready(());
        }
        match self.work.run(|work| work.as_mut().poll(cx)) {
            Some(Ok(Poll::Pending)) => Poll::Pending,
            Some(Ok(Poll::Ready(()))) | None => Poll::Ready(()),
            Some(Err(_)) => {
                authenticate(&self.shared, id, Err(panicked()));
                Poll::Ready(())
            }
        }
    }
}

fn panicked() -> AuthError {
    AuthError::Other(Arc::new(Panicked))
}

/// An authenticator panicked.
#[derive(Debug)]
struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the authenticator panicked")
    }
}

impl Error for Panicked {}
