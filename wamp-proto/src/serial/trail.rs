//! The path to a value, put together when something is wrong with it.

use core::cell::{Cell, RefCell};
use core::fmt::{self, Write as _};

use crate::EncodeErrorKind;
use crate::error::shortened;

/// The way from a value that failed up to the root, and why it failed.
///
/// The segments are noted while an error is on its way up, so that success costs nothing.
#[derive(Default)]
pub(crate) struct Trail {
    /// The innermost segment first.
    segments: RefCell<Vec<Segment>>,
    fault: Cell<Option<EncodeErrorKind>>,
}

enum Segment {
    Index(usize),
    Key(String),
}

impl Trail {
    pub(super) fn index(&self, index: usize) {
        self.segments.borrow_mut().push(Segment::Index(index));
    }

    pub(super) fn key(&self, key: impl Into<String>) {
        self.segments.borrow_mut().push(Segment::Key(key.into()));
    }

    /// Notes why a value cannot be encoded; serde's errors carry only text.
    pub(super) fn fail(&self, kind: EncodeErrorKind) {
        self.fault.set(Some(kind));
    }

    pub(super) fn fault(&self) -> Option<EncodeErrorKind> {
        self.fault.take()
    }

    /// The path from a root, as in `args[2].price`; without its middle if keys make it long.
    pub(super) fn path(&self, root: impl fmt::Display) -> String {
        let mut path = root.to_string();
        for segment in self.segments.borrow().iter().rev() {
            // Writing to a string cannot fail.
            let _ = match segment {
                Segment::Index(index) => write!(path, "[{index}]"),
                Segment::Key(key) if is_plain(key) => write!(path, ".{key}"),
                Segment::Key(key) => write!(path, "[{key:?}]"),
            };
        }
        shortened(&path).into_owned()
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
