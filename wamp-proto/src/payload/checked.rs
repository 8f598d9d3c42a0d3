//! Arguments and ArgumentsKw that are known to be well-formed.

use bytes::Bytes;

use crate::codec::read::Read;
use crate::error::Kind;
use crate::serial::with_format;
use crate::{Format, Limits};

/// Arguments, and ArgumentsKw behind them, as they are on the wire.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(super) format: Format,
    /// The Arguments, a separator in JSON, the ArgumentsKw.
    pub(super) bytes: Bytes,
    /// Where the Arguments end; 0 if there are only ArgumentsKw.
    pub(super) args_end: usize,
    /// Where the ArgumentsKw start, if there are any.
    pub(super) kwargs_start: Option<usize>,
}

impl Checked {
    /// The Arguments, a list.
    pub(super) fn args(&self) -> &[u8] {
        match self.bytes.get(..self.args_end) {
            Some(args) if !args.is_empty() => args,
            _ => empty_list(self.format),
        }
    }

    /// The ArgumentsKw, a dict.
    pub(super) fn kwargs(&self) -> &[u8] {
        self.kwargs_start.and_then(|start| self.bytes.get(start..)).unwrap_or_else(|| empty_dict(self.format))
    }

    /// The Arguments as a part of the frame.
    pub(super) fn shared_args(&self) -> Bytes {
        if self.args_end == 0 { Bytes::from_static(empty_list(self.format)) } else { self.bytes.slice(..self.args_end) }
    }

    /// The ArgumentsKw as a part of the frame, `None` if they are absent.
    pub(super) fn shared_kwargs(&self) -> Option<Bytes> {
        self.kwargs_start.map(|start| self.bytes.slice(start..))
    }

    /// One of the Arguments.
    pub(super) fn arg(&self, index: usize) -> Option<&[u8]> {
        with_format!(self.format, module => element::<module::Reader<'_>>(self.args(), index))
    }

    /// The same in bytes of its own.
    pub(super) fn detach(&self) -> Self {
        Self { bytes: Bytes::copy_from_slice(&self.bytes), ..*self }
    }

    /// Whether there are ArgumentsKw that are not empty.
    pub(super) fn has_kwargs(&self) -> bool {
        self.kwargs_start.is_some()
            && !with_format!(self.format, module => is_empty::<module::Reader<'_>>(self.kwargs()))
    }

    /// Without empty ArgumentsKw, and `None` if the Arguments are empty, too.
    pub(super) fn trimmed(&self) -> Option<Self> {
        let has_any = |bytes| !with_format!(self.format, module => is_empty::<module::Reader<'_>>(bytes));
        if self.kwargs_start.is_some() && has_any(self.kwargs()) {
            return Some(self.clone());
        }
        has_any(self.args()).then(|| Self { bytes: self.shared_args(), kwargs_start: None, ..self.clone() })
    }
}

/// The element of a list that is known to be well-formed.
fn element<'a, R: Read<'a>>(list: &'a [u8], index: usize) -> Option<&'a [u8]> {
    let mut reader = R::new(list);
    let mut find = || {
        reader.kind()?;
        let mut open = reader.list()?;
        for _ in 0..index {
            if !reader.next_element(&mut open)? {
                return Ok(None);
            }
            reader.kind()?;
            reader.skip(Limits::MAX_DEPTH)?;
        }
        if !reader.next_element(&mut open)? {
            return Ok(None);
        }
        reader.kind()?;
        let start = reader.offset();
        reader.skip(Limits::MAX_DEPTH)?;
        Ok(Some((start, reader.offset())))
    };
    let found: Result<_, crate::error::Fault> = find();
    // It is well-formed: there is no error.
    found.ok().flatten().and_then(|(start, end)| list.get(start..end))
}

/// Whether a list or dict, known to be well-formed, has nothing in it.
fn is_empty<'a, R: Read<'a>>(bytes: &'a [u8]) -> bool {
    let mut reader = R::new(bytes);
    match reader.kind() {
        Ok(Kind::List) => reader.list().and_then(|mut open| reader.next_element(&mut open)).is_ok_and(|found| !found),
        Ok(Kind::Dict) => reader.dict().and_then(|mut open| reader.next_key(&mut open)).is_ok_and(|key| key.is_none()),
        _ => false,
    }
}

/// A list of no elements.
pub(super) const fn empty_list(format: Format) -> &'static [u8] {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b"[]",
        #[cfg(feature = "msgpack")]
        Format::MsgPack => &[0x90],
        #[cfg(feature = "cbor")]
        Format::Cbor => &[0x80],
    }
}

/// A dict of no entries.
pub(super) const fn empty_dict(format: Format) -> &'static [u8] {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b"{}",
        #[cfg(feature = "msgpack")]
        Format::MsgPack => &[0x80],
        #[cfg(feature = "cbor")]
        Format::Cbor => &[0xa0],
    }
}

/// What stands before and behind the element of a list of one.
pub(super) const fn list_of_one(format: Format) -> (u8, &'static [u8]) {
    match format {
        #[cfg(feature = "json")]
        Format::Json => (b'[', b"]"),
        #[cfg(feature = "msgpack")]
        Format::MsgPack => (0x91, b""),
        #[cfg(feature = "cbor")]
        Format::Cbor => (0x81, b""),
    }
}

/// What stands between two elements of a list.
pub(super) const fn separator(format: Format) -> &'static [u8] {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b",",
        #[cfg(feature = "msgpack")]
        Format::MsgPack => b"",
        #[cfg(feature = "cbor")]
        Format::Cbor => b"",
    }
}
