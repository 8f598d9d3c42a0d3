//! Somebody else's code, whose panics go no further.

use core::any::Any;
use core::mem;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

/// Somebody else's code has panicked, with this message, if it is a text.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) Option<String>);

/// Runs somebody else's code.
pub(crate) fn contained<T>(code: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| Panicked(text(panic)))
}

/// The message of a panic; what else it carries may panic as well when it is dropped.
fn text(panic: Box<dyn Any + Send>) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        mem::forget(again);
    }
    text
}

/// Something of somebody else's, whose panic while it is dropped goes no further.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) const fn new(inner: T) -> Self {
        Self(Some(inner))
    }

    /// Drops it now, and says how that went.
    pub(crate) fn discard(&mut self) -> Result<(), Panicked> {
        let inner = self.0.take();
        contained(|| drop(inner))
    }

    /// Uses it, unless it was dropped.
    pub(crate) fn run<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> Option<Result<R, Panicked>> {
        let inner = self.0.as_mut()?;
        Some(contained(|| f(inner)))
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        // Whoever wants to know of it discards it before.
        let _ = self.discard();
    }
}
