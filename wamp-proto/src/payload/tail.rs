//! Where the payload of a received message begins, and what it consists of.

use super::{Parts, Received};
use crate::codec::read::{Open, Read};
use crate::error::{DecodeErrorKind, Element, Fault, Kind, Length};
use crate::{DecodeError, Format, MessageType, PayloadCheck, RequestId};

/// The place behind the last fixed element of a message.
#[derive(Clone, Copy)]
pub(crate) struct Tail {
    pub(crate) format: Format,
    /// How many lists and dicts may nest in the message's list.
    pub(crate) depth: u8,
    /// The message's list, after its last fixed element.
    pub(crate) open: Open,
    /// The index of the last fixed element.
    pub(crate) element: u8,
    pub(crate) message: MessageType,
    pub(crate) request: Option<RequestId>,
}

impl Tail {
    /// Takes the rest of a message, whose reader is at the tail: checks it, or leaves it to be checked.
    #[inline]
    pub(crate) fn receive<'a, R: Read<'a>>(self, reader: R, check: PayloadCheck) -> Result<Received, DecodeError> {
        match check {
            PayloadCheck::OnReceipt => self.check(reader, 0).map(Received::Checked),
            PayloadCheck::OnDecode => Ok(Received::Unchecked { start: reader.offset(), tail: self }),
        }
    }

    /// Skips and checks the rest of a message: Arguments, ArgumentsKw and nothing more.
    ///
    /// The reader is at the tail, and before what it reads are `start` bytes of the frame. `null` counts as absent; `None` is a message without
    /// either element.
    #[inline]
    pub(crate) fn check<'a, R: Read<'a>>(mut self, mut reader: R, start: usize) -> Result<Option<Parts>, DecodeError> {
        let Self { message, request, element: last, .. } = self;
        let error = |element: Option<Element>, fault: Fault| {
            fault.placed(|report| {
                report.offset += start;
                report.element = element;
                report.message = Some(message);
                report.request = request;
            })
        };
        let element = |offset: u8, name| Some(Element { index: last.saturating_add(offset), name });
        let args = self.element(&mut reader, Kind::List).map_err(|fault| error(element(1, "Arguments"), fault))?;
        let kwargs = self.element(&mut reader, Kind::Dict).map_err(|fault| error(element(2, "ArgumentsKw"), fault))?;
        if !self.open.over {
            let surplus = |fault| error(element(3, Element::SURPLUS), fault);
            if reader.next_element(&mut self.open).map_err(surplus)? {
                return Err(surplus(Fault::new(reader.offset(), DecodeErrorKind::WrongLength(Length::TooMany))));
            }
        }
        reader.end().map_err(|fault| error(None, fault))?;

        Ok(match (args, kwargs) {
            (None, None) => None,
            (Some((from, to)), None) => Some(Parts { from, to, args_end: to, kwargs_start: to }),
            (None, Some((from, to))) => Some(Parts { from, to, args_end: from, kwargs_start: from }),
            (Some((from, args_end)), Some((kwargs_start, to))) => Some(Parts { from, to, args_end, kwargs_start }),
        })
    }

    /// Skips the next element, if there is one, and says from where to where it is; `None` if it is absent or null.
    #[inline]
    fn element<'a, R: Read<'a>>(&mut self, reader: &mut R, wanted: Kind) -> Result<Option<(usize, usize)>, Fault> {
        if self.open.over {
            return Ok(None);
        }
        if !reader.next_element(&mut self.open)? {
            self.open.over = true;
            return Ok(None);
        }
        let found = reader.kind()?;
        let start = reader.offset();
        if found == wanted && wanted == Kind::Dict {
            reader.skip_dict(self.depth)?;
        } else if found == wanted || found == Kind::Null {
            reader.skip(self.depth)?;
        } else {
            return Err(reader.wrong_type(if wanted == Kind::Dict { "a dict" } else { "a list" }));
        }
        Ok((found == wanted).then(|| (start, reader.offset())))
    }
}
