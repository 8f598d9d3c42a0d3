//! Limits of what a decoder accepts.

/// The bounds that a decoder keeps, whatever the peer sends.
///
/// ```
/// # use wamp_proto::Limits;
/// let limits = Limits::new().max_message_bytes(1 << 20).max_depth(32);
/// assert_eq!(limits.message_bytes(), 1 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    message_bytes: usize,
    depth: u8,
}

impl Limits {
    /// The deepest nesting that any format decodes: a message's own list is level 1.
    pub const MAX_DEPTH: u8 = 128;

    /// The defaults: 16 MiB a message, 128 levels.
    #[must_use]
    pub const fn new() -> Self {
        Self { message_bytes: 16 << 20, depth: Self::MAX_DEPTH }
    }

    /// Sets the size of the longest message, in bytes of one frame.
    #[must_use]
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.message_bytes = bytes;
        self
    }

    /// Sets how deep lists and dicts may nest, from 3 to 128; other numbers count as the nearest of these.
    ///
    /// The message's own list is level 1, its Options or Details level 2, the router's roles level 3.
    #[must_use]
    pub const fn max_depth(mut self, levels: u8) -> Self {
        self.depth = if levels < 3 {
            3
        } else if levels > Self::MAX_DEPTH {
            Self::MAX_DEPTH
        } else {
            levels
        };
        self
    }

    /// The size of the longest message, in bytes.
    #[must_use]
    pub const fn message_bytes(&self) -> usize {
        self.message_bytes
    }

    /// How deep lists and dicts may nest.
    #[must_use]
    pub const fn depth(&self) -> u8 {
        self.depth
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// When the payload of a received message is checked for syntax, depth and UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadCheck {
    /// While the message is decoded: a malformed payload is an error of the message, as the specification wants.
    #[default]
    OnReceipt,
    /// When the payload is first looked at: receiving costs the same at any size, and an accessor reports the error.
    ///
    /// A payload that is received costs one small allocation, whatever its size; checked on receipt it costs none.
    OnDecode,
}
