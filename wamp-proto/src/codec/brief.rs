//! The heads that most messages of an application have, written from their end to their start: right in front of the payload, wherever that is.

use crate::codec::attribute::Attributes;
use crate::message::*;
use crate::{Format, Uri};

/// What stands before the payload of a message whose Details or Options are empty.
pub(super) struct Brief<'m> {
    code: MessageType,
    first: u64,
    second: Option<u64>,
    uri: Option<&'m Uri>,
}

impl<'m> Brief<'m> {
    /// The head of a message, `None` if it takes more than this to write it.
    #[inline]
    pub(super) fn of(message: &'m Message) -> Option<Self> {
        let code = message.message_type();
        let (is_brief, first, second, uri) = match message {
            Message::Publish(m) => (m.options.is_empty(), m.request.get(), None, Some(&m.topic)),
            Message::Event(m) => (m.details.is_empty(), m.subscription.get(), Some(m.publication.get()), None),
            Message::Call(m) => (m.options.is_empty(), m.request.get(), None, Some(&m.procedure)),
            Message::Result(m) => (m.details.is_empty(), m.request.get(), None, None),
            Message::Invocation(m) => (m.details.is_empty(), m.request.get(), Some(m.registration.get()), None),
            Message::Yield(m) => (m.options.is_empty(), m.request.get(), None, None),
            _ => return None,
        };
        is_brief.then_some(Self { code, first, second, uri })
    }

    /// Writes the head so that it ends where the room ends, and returns where it starts; `None` if it does not fit, or not in this form.
    ///
    /// The message has one more element, which is to follow.
    #[inline]
    pub(super) fn write(&self, format: Format, room: &mut [u8]) -> Option<usize> {
        let mut front = Front { start: room.len(), room };
        match format {
            #[cfg(feature = "json")]
            Format::Json => self.json(&mut front)?,
            #[cfg(feature = "msgpack")]
            Format::MsgPack => self.msgpack(&mut front)?,
            #[cfg(feature = "cbor")]
            Format::Cbor => self.cbor(&mut front)?,
        }
        Some(front.start)
    }

    /// How many elements there are, the one that follows included.
    #[cfg(any(feature = "msgpack", feature = "cbor"))]
    #[inline]
    fn elements(&self) -> u8 {
        4 + u8::from(self.second.is_some()) + u8::from(self.uri.is_some())
    }

    #[cfg(feature = "json")]
    #[inline]
    fn json(&self, front: &mut Front<'_>) -> Option<()> {
        if let Some(uri) = self.uri {
            if !crate::json::is_plain(uri) {
                return None;
            }
            front.put(b"\",")?;
            front.put(uri.as_bytes())?;
            front.put(b",{},\"")?;
        } else {
            front.put(b",{},")?;
        }
        if let Some(second) = self.second {
            front.digits(second)?;
            front.put(b",")?;
        }
        front.digits(self.first)?;
        front.put(b",")?;
        front.digits(self.code.code())?;
        front.put(b"[")
    }

    #[cfg(feature = "msgpack")]
    #[inline]
    fn msgpack(&self, front: &mut Front<'_>) -> Option<()> {
        if let Some(uri) = self.uri {
            front.put(uri.as_bytes())?;
            match u8::try_from(uri.len()).ok()? {
                length @ 0..=31 => front.put(&[0xa0 | length])?,
                length => front.put(&[0xd9, length])?,
            }
        }
        front.put(&[0x80])?;
        if let Some(second) = self.second {
            front.number(second, 0x80, [0xcc, 0xcd, 0xce, 0xcf])?;
        }
        front.number(self.first, 0x80, [0xcc, 0xcd, 0xce, 0xcf])?;
        // Every code is below 128.
        front.put(&[0x90 | self.elements(), self.code as u8])
    }

    #[cfg(feature = "cbor")]
    #[inline]
    fn cbor(&self, front: &mut Front<'_>) -> Option<()> {
        if let Some(uri) = self.uri {
            front.put(uri.as_bytes())?;
            match u8::try_from(uri.len()).ok()? {
                length @ 0..=23 => front.put(&[0x60 | length])?,
                length => front.put(&[0x78, length])?,
            }
        }
        front.put(&[0xa0])?;
        if let Some(second) = self.second {
            front.number(second, 24, [0x18, 0x19, 0x1a, 0x1b])?;
        }
        front.number(self.first, 24, [0x18, 0x19, 0x1a, 0x1b])?;
        front.number(self.code.code(), 24, [0x18, 0x19, 0x1a, 0x1b])?;
        front.put(&[0x80 | self.elements()])
    }
}

/// Bytes whose end is filled, up to where the rest starts.
struct Front<'a> {
    room: &'a mut [u8],
    start: usize,
}

impl Front<'_> {
    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let start = self.start.checked_sub(bytes.len())?;
        self.room.get_mut(start..self.start)?.copy_from_slice(bytes);
        self.start = start;
        Some(())
    }

    /// Puts a number of the binary formats: as it is if it is small, else big-endian behind a marker for one, two, four or eight bytes.
    #[cfg(any(feature = "msgpack", feature = "cbor"))]
    #[inline]
    fn number(&mut self, number: u64, small: u8, [one, two, four, eight]: [u8; 4]) -> Option<()> {
        match (u8::try_from(number), u16::try_from(number), u32::try_from(number)) {
            (Ok(number), ..) if number < small => self.put(&[number]),
            (Ok(number), ..) => self.put(&[one, number]),
            (_, Ok(number), _) => {
                self.put(&number.to_be_bytes())?;
                self.put(&[two])
            }
            (.., Ok(number)) => {
                self.put(&number.to_be_bytes())?;
                self.put(&[four])
            }
            _ => {
                self.put(&number.to_be_bytes())?;
                self.put(&[eight])
            }
        }
    }

    /// Puts a number in decimal.
    #[cfg(feature = "json")]
    #[inline]
    fn digits(&mut self, mut number: u64) -> Option<()> {
        loop {
            self.start = self.start.checked_sub(1)?;
            let digit = b'0' + (number % 10) as u8;
            *self.room.get_mut(self.start)? = digit;
            number /= 10;
            if number == 0 {
                return Some(());
            }
        }
    }
}
