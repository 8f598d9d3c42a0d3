//! Messages to frames.

use bytes::Bytes;

use crate::codec::attribute::{Attribute, Attributes};
use crate::codec::brief::Brief;
use crate::codec::buffer::Buffer;
use crate::codec::write::Write;
use crate::message::Message;
use crate::payload::{Elements, Payload, list_end};
use crate::serial::with_format;
use crate::{EncodeError, Format, MessageType, RequestId};

/// For how many bytes of a brief head there is room.
const BRIEF: usize = 128;

/// Appends a message to `frame`, encoded in a format.
///
/// A payload of the same format is copied as it is; one of another format is transcoded. A payload that was received
/// unchecked is checked first. Empty Arguments and ArgumentsKw are left out. [`encode_frame`] spares the copy.
///
/// ```
/// # #[cfg(not(feature = "json"))] fn main() {}
/// # #[cfg(feature = "json")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use wamp_proto::{encode, Format, IntoPayload, Message, Publish, PublishOptions, RequestId, Uri};
///
/// let publish = Publish {
///     request: RequestId::MIN,
///     options: PublishOptions::default(),
///     topic: Uri::new("com.example.greeting")?,
///     payload: ("hello", 42).into_payload(Format::Json)?,
/// };
/// let mut frame = Vec::new();
/// encode(&publish.into(), Format::Json, &mut frame)?;
/// assert_eq!(frame, br#"[16,1,{},"com.example.greeting",["hello",42]]"#);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`EncodeError`] if the format cannot carry a value; `frame` is then as long as it was.
pub fn encode(message: &Message, format: Format, frame: &mut Vec<u8>) -> Result<(), EncodeError> {
    let payload = message.payload().map(|payload| payload.in_format(format)).transpose()?;
    let elements = payload.as_deref().map_or_else(Elements::default, Payload::elements);
    let payload = payload.as_deref().map_or(&[][..], |payload| payload.part(elements));
    if elements == Elements::Args
        && let Some(brief) = Brief::of(message)
    {
        let mut room = [0; BRIEF];
        if let Some(head) = brief.write(format, &mut room).and_then(|start| room.get(start..)) {
            append(head, payload, list_end(format), frame);
            return Ok(());
        }
    }
    append_closely(message, elements, payload, format, frame)
}

/// Appends a message whose head is not in the brief form.
fn append_closely(
    message: &Message,
    elements: Elements,
    payload: &[u8],
    format: Format,
    frame: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut head = Buffer::new();
    write(message, elements, format, &mut head)?;
    append(head.as_slice(), payload, list_end(format), frame);
    Ok(())
}

/// Encodes a message without the short way for brief heads.
#[cfg(any(test, fuzzing))]
pub(crate) fn encode_closely(message: &Message, format: Format) -> Result<Vec<u8>, EncodeError> {
    let payload = message.payload().map(|payload| payload.in_format(format)).transpose()?;
    let elements = payload.as_deref().map_or_else(Elements::default, Payload::elements);
    let payload = payload.as_deref().map_or(&[][..], |payload| payload.part(elements));
    let mut frame = Vec::new();
    append_closely(message, elements, payload, format, &mut frame)?;
    Ok(frame)
}

#[inline]
fn append(head: &[u8], payload: &[u8], end: &[u8], frame: &mut Vec<u8>) {
    frame.reserve(head.len() + payload.len() + end.len());
    frame.extend_from_slice(head);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(end);
}

/// Encodes a message into a frame of its own.
///
/// The bytes are those of [`encode`]. If nobody else holds the payload and it was made in the same format, the head is written in front of it and
/// the payload becomes the frame where it lies: there is room around each payload that [`IntoPayload`](crate::IntoPayload) makes. Otherwise, and if
/// the head is longer than that room (128 bytes at least), the payload is copied, once.
///
/// ```
/// # #[cfg(not(feature = "json"))] fn main() {}
/// # #[cfg(feature = "json")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use wamp_proto::{encode_frame, Format, IntoPayload, RequestId, Yield, YieldOptions};
///
/// let payload = ("hello", 42).into_payload(Format::Json)?;
/// let message = Yield { request: RequestId::MIN, options: YieldOptions::default(), payload };
/// assert_eq!(encode_frame(message.into(), Format::Json)?, br#"[70,1,{},["hello",42]]"#.as_slice());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`EncodeError`] if the format cannot carry a value.
pub fn encode_frame(mut message: Message, format: Format) -> Result<Bytes, EncodeError> {
    let mut payload = message.payload_mut().map(core::mem::take).unwrap_or_default().into_format(format)?;
    let elements = payload.elements();
    if elements == Elements::Args
        && let Some(brief) = Brief::of(&message)
    {
        match payload.framed(elements, |room| brief.write(format, room)) {
            Ok(frame) => return Ok(frame),
            Err(unchanged) => payload = unchanged,
        }
    }
    let mut head = Buffer::new();
    write(&message, elements, format, &mut head)?;
    let head = head.as_slice();
    let in_front = |room: &mut [u8]| {
        let start = room.len().checked_sub(head.len())?;
        room.get_mut(start..)?.copy_from_slice(head);
        Some(start)
    };
    payload.framed(elements, in_front).or_else(|payload| {
        let (payload, end) = (payload.part(elements), list_end(format));
        let mut frame = Vec::with_capacity(head.len() + payload.len() + end.len());
        append(head, payload, end, &mut frame);
        Ok(frame.into())
    })
}

/// Writes the start of a message's list, up to its payload.
fn write(message: &Message, payload: Elements, format: Format, head: &mut Buffer) -> Result<(), EncodeError> {
    with_format!(format, module => write_head(message, payload, &mut module::Writer::new(head)))
}

/// Writes the start of a message's list: its type, the elements, and what comes before the bytes of the payload.
macro_rules! list {
    ($writer:ident, $payload:ident, $message:ident: $($element:expr),*) => {{
        $writer.begin_list(1 + [$(stringify!($element)),*].len() + $payload.count());
        $writer.unsigned($message.code());
        $($element.write($writer).map_err(|kind| EncodeError { path: field(stringify!($element)), kind })?;)*
        $payload.write_start($writer);
        Ok(())
    }};
}

/// The field's name in `m.field`.
fn field(expression: &str) -> String {
    expression.rsplit('.').next().unwrap_or(expression).trim().to_owned()
}

fn write_head<W: Write>(message: &Message, payload: Elements, writer: &mut W) -> Result<(), EncodeError> {
    let code = message.message_type();
    match message {
        Message::Hello(m) => list!(writer, payload, code: m.realm, m.details),
        Message::Welcome(m) => list!(writer, payload, code: m.session, m.details),
        Message::Abort(m) => list!(writer, payload, code: m.details, m.reason),
        Message::Challenge(m) => list!(writer, payload, code: m.method, m.extra),
        Message::Authenticate(m) => list!(writer, payload, code: m.signature, m.extra),
        Message::Goodbye(m) => list!(writer, payload, code: m.details, m.reason),
        Message::Error(m) => {
            let request_type = m.request_type.code();
            list!(writer, payload, code: request_type, m.request, m.details, m.error)
        }
        Message::Publish(m) => list!(writer, payload, code: m.request, m.options, m.topic),
        Message::Published(m) => list!(writer, payload, code: m.request, m.publication),
        Message::Subscribe(m) => list!(writer, payload, code: m.request, m.options, m.topic),
        Message::Subscribed(m) => list!(writer, payload, code: m.request, m.subscription),
        Message::Unsubscribe(m) => list!(writer, payload, code: m.request, m.subscription),
        Message::Unsubscribed(m) => answer(writer, code, m.request, m.details.as_ref()),
        Message::Event(m) => list!(writer, payload, code: m.subscription, m.publication, m.details),
        Message::Call(m) => list!(writer, payload, code: m.request, m.options, m.procedure),
        Message::Cancel(m) => list!(writer, payload, code: m.request, m.options),
        Message::Result(m) => list!(writer, payload, code: m.request, m.details),
        Message::Register(m) => list!(writer, payload, code: m.request, m.options, m.procedure),
        Message::Registered(m) => list!(writer, payload, code: m.request, m.registration),
        Message::Unregister(m) => list!(writer, payload, code: m.request, m.registration),
        Message::Unregistered(m) => answer(writer, code, m.request, m.details.as_ref()),
        Message::Invocation(m) => list!(writer, payload, code: m.request, m.registration, m.details),
        Message::Interrupt(m) => list!(writer, payload, code: m.request, m.options),
        Message::Yield(m) => list!(writer, payload, code: m.request, m.options),
    }
}

/// UNSUBSCRIBED and UNREGISTERED: the request, or 0 and what is revoked.
fn answer<W: Write, D: Attributes>(
    writer: &mut W,
    code: MessageType,
    request: Option<RequestId>,
    details: Option<&D>,
) -> Result<(), EncodeError> {
    let request = request.map_or(0, RequestId::get);
    let payload = Elements::default();
    match details {
        Some(details) => list!(writer, payload, code: request, details),
        None => list!(writer, payload, code: request),
    }
}
