//! The heads that most messages on the way to an application have, read in one go.

use bytes::Bytes;

use crate::codec::read::{Open, Read};
use crate::message::*;
use crate::payload::{Parts, Payload, Received, Tail};
use crate::{DecodeError, Format, Limits, PayloadCheck, PublicationId, RegistrationId, RequestId, SubscriptionId, Uri};

const PUBLISH: u64 = MessageType::Publish.code();
const EVENT: u64 = MessageType::Event.code();
const CALL: u64 = MessageType::Call.code();
const RESULT: u64 = MessageType::Result.code();
const INVOCATION: u64 = MessageType::Invocation.code();
const YIELD: u64 = MessageType::Yield.code();

/// What stands before the payload of a message whose Details or Options are empty.
pub(super) enum Head {
    Event(SubscriptionId, PublicationId),
    Result(RequestId),
    Invocation(RequestId, RegistrationId),
    Yield(RequestId),
}

/// Decodes a frame whose head has the usual form; `None` leaves it to be decoded more closely, and to be found wrong.
#[inline]
pub(super) fn read<'a, R: Read<'a>>(
    frame: &'a Bytes,
    format: Format,
    limits: &Limits,
    check: PayloadCheck,
) -> Option<(Head, Result<Received, DecodeError>)> {
    let mut reader = R::new(frame);
    let mut open = reader.usual_list()?;
    let head = Head::read(&mut reader, &mut open)?;
    let depth = limits.depth() - 1;
    if check == PayloadCheck::OnReceipt
        && let Some((from, to)) = reader.usual_args(&open, depth)
    {
        let parts = Parts { from, args_end: to, kwargs_start: to, to };
        return Some((head, Ok(Received::Checked(Some(parts)))));
    }
    let (message, element, request) = head.place();
    let tail = Tail { format, depth, open, element, message, request };
    Some((head, tail.receive(reader, check)))
}

/// What stands before the payload of a CALL or PUBLISH whose Options are empty: what a router gets.
pub(super) struct Addressed {
    message: MessageType,
    request: RequestId,
    uri: Uri,
}

/// Decodes a CALL or PUBLISH in the same way.
#[inline]
pub(super) fn read_addressed<'a, R: Read<'a>>(
    frame: &'a Bytes,
    format: Format,
    limits: &Limits,
    check: PayloadCheck,
) -> Option<(Addressed, Result<Received, DecodeError>)> {
    let mut reader = R::new(frame);
    let mut open = reader.usual_list()?;
    let message = match element(&mut reader, &mut open)? {
        CALL => MessageType::Call,
        PUBLISH => MessageType::Publish,
        _ => return None,
    };
    let request = RequestId::new(element(&mut reader, &mut open)?).ok()?;
    if !(reader.usual_next(&mut open) && reader.usual_empty_dict() && reader.usual_next(&mut open)) {
        return None;
    }
    let uri = Uri::new(reader.usual_string()?).ok()?;
    let head = Addressed { message, request, uri };
    let depth = limits.depth() - 1;
    if check == PayloadCheck::OnReceipt
        && let Some((from, to)) = reader.usual_args(&open, depth)
    {
        let parts = Parts { from, args_end: to, kwargs_start: to, to };
        return Some((head, Ok(Received::Checked(Some(parts)))));
    }
    let tail = Tail { format, depth, open, element: 3, message, request: Some(request) };
    Some((head, tail.receive(reader, check)))
}

impl Addressed {
    /// The message that has such a head.
    #[inline(always)]
    pub(super) fn message(
        self,
        frame: Bytes,
        format: Format,
        received: Result<Received, DecodeError>,
    ) -> Result<Message, DecodeError> {
        let Self { message, request, uri } = self;
        let payload = match received? {
            Received::Checked(Some(parts)) => Payload::at(frame, format, parts),
            received => Payload::received(frame, format, received),
        };
        if message == MessageType::Publish {
            made(|| Publish { request, options: PublishOptions::default(), topic: uri, payload }.into())
        } else {
            made(|| Call { request, options: CallOptions::default(), procedure: uri, payload }.into())
        }
    }
}

impl Head {
    #[inline(always)]
    fn read<'a, R: Read<'a>>(reader: &mut R, open: &mut Open) -> Option<Self> {
        let code = element(reader, open)?;
        let first = element(reader, open)?;
        let head = match code {
            EVENT => Self::Event(SubscriptionId::new(first).ok()?, PublicationId::new(element(reader, open)?).ok()?),
            RESULT => Self::Result(RequestId::new(first).ok()?),
            INVOCATION => {
                Self::Invocation(RequestId::new(first).ok()?, RegistrationId::new(element(reader, open)?).ok()?)
            }
            YIELD => Self::Yield(RequestId::new(first).ok()?),
            _ => return None,
        };
        (reader.usual_next(open) && reader.usual_empty_dict()).then_some(head)
    }

    /// The message's type, the index of its last fixed element, and its request.
    #[inline(always)]
    const fn place(&self) -> (MessageType, u8, Option<RequestId>) {
        match self {
            Self::Event(..) => (MessageType::Event, 3, None),
            Self::Result(request) => (MessageType::Result, 2, Some(*request)),
            Self::Invocation(request, _) => (MessageType::Invocation, 3, Some(*request)),
            Self::Yield(request) => (MessageType::Yield, 2, Some(*request)),
        }
    }

    /// The message that has such a head.
    #[inline(always)]
    pub(super) fn message(
        self,
        frame: Bytes,
        format: Format,
        received: Result<Received, DecodeError>,
    ) -> Result<Message, DecodeError> {
        match received? {
            Received::Checked(Some(parts)) => self.with(|| Payload::at(frame, format, parts)),
            received => {
                let payload = Payload::received(frame, format, received);
                self.with(|| payload)
            }
        }
    }

    #[inline(always)]
    fn with(self, payload: impl FnOnce() -> Payload) -> Result<Message, DecodeError> {
        match self {
            Self::Event(subscription, publication) => made(|| {
                Event { subscription, publication, details: EventDetails::default(), payload: payload() }.into()
            }),
            Self::Result(request) => {
                made(|| CallResult { request, details: ResultDetails::default(), payload: payload() }.into())
            }
            Self::Invocation(request, registration) => made(|| {
                Invocation { request, registration, details: InvocationDetails::default(), payload: payload() }.into()
            }),
            Self::Yield(request) => {
                made(|| Yield { request, options: YieldOptions::default(), payload: payload() }.into())
            }
        }
    }
}

/// Makes a message where it is returned: messages are large, and what is common to their types would be moved together.
#[inline(never)]
fn made(message: impl FnOnce() -> Message) -> Result<Message, DecodeError> {
    Ok(message())
}

#[inline(always)]
fn element<'a, R: Read<'a>>(reader: &mut R, open: &mut Open) -> Option<u64> {
    if reader.usual_next(open) { Some(reader.usual_unsigned()?.value) } else { None }
}
