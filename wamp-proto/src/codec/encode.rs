//! Messages to frames.

use std::borrow::Cow;

use crate::codec::attribute::{Attribute, Attributes};
use crate::codec::write::Write;
use crate::message::Message;
use crate::payload::{Elements, Payload};
use crate::{EncodeError, Format, MessageType, RequestId};

/// For how many bytes there is room before the payload: most heads are smaller.
const HEAD_BYTES: usize = 128;

/// Appends a message to `frame`, encoded in a format.
///
/// A payload of the same format is copied as it is; one of another format is transcoded. A payload that was received
/// unchecked is checked first. Empty Arguments and ArgumentsKw are left out.
///
/// ```
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`EncodeError`] if the format cannot carry a value; `frame` is then as long as it was.
pub fn encode(message: &Message, format: Format, frame: &mut Vec<u8>) -> Result<(), EncodeError> {
    let length = frame.len();
    let result = match format {
        #[cfg(feature = "json")]
        Format::Json => write(message, &mut crate::json::Writer::new(frame)),
        #[cfg(feature = "msgpack")]
        Format::MsgPack => write(message, &mut crate::msgpack::Writer::new(frame)),
        #[cfg(feature = "cbor")]
        Format::Cbor => write(message, &mut crate::cbor::Writer::new(frame)),
    };
    if result.is_err() {
        frame.truncate(length);
    }
    result
}

/// Writes a message's list: its type, the elements, then those of the payload.
macro_rules! list {
    (@payload $writer:ident) => {
        None
    };
    (@payload $writer:ident $payload:expr) => {
        Some($payload.in_format(format_of($writer))?)
    };
    ($writer:ident, $message:ident: $($element:expr),* $(; $payload:expr)?) => {{
        let payload: Option<Cow<'_, Payload>> = list!(@payload $writer $($payload)?);
        let payload = payload.as_deref().map_or_else(Elements::default, Payload::elements);
        $writer.reserve(HEAD_BYTES + payload.bytes.len());
        $writer.begin_list(1 + [$(stringify!($element)),*].len() + payload.count);
        $writer.unsigned($message.code());
        $($element.write($writer).map_err(|kind| EncodeError { path: field(stringify!($element)), kind })?;)*
        payload.write($writer);
        $writer.end_list();
        Ok(())
    }};
}

fn format_of<W: Write>(_: &W) -> Format {
    W::FORMAT
}

/// The field's name in `m.field`.
fn field(expression: &str) -> String {
    expression.rsplit('.').next().unwrap_or(expression).trim().to_owned()
}

fn write<W: Write>(message: &Message, writer: &mut W) -> Result<(), EncodeError> {
    let code = message.message_type();
    match message {
        Message::Hello(m) => list!(writer, code: m.realm, m.details),
        Message::Welcome(m) => list!(writer, code: m.session, m.details),
        Message::Abort(m) => list!(writer, code: m.details, m.reason; m.payload),
        Message::Challenge(m) => list!(writer, code: m.method, m.extra),
        Message::Authenticate(m) => list!(writer, code: m.signature, m.extra),
        Message::Goodbye(m) => list!(writer, code: m.details, m.reason),
        Message::Error(m) => {
            let request_type = m.request_type.code();
            list!(writer, code: request_type, m.request, m.details, m.error; m.payload)
        }
        Message::Publish(m) => list!(writer, code: m.request, m.options, m.topic; m.payload),
        Message::Published(m) => list!(writer, code: m.request, m.publication),
        Message::Subscribe(m) => list!(writer, code: m.request, m.options, m.topic),
        Message::Subscribed(m) => list!(writer, code: m.request, m.subscription),
        Message::Unsubscribe(m) => list!(writer, code: m.request, m.subscription),
        Message::Unsubscribed(m) => answer(writer, code, m.request, m.details.as_ref()),
        Message::Event(m) => list!(writer, code: m.subscription, m.publication, m.details; m.payload),
        Message::Call(m) => list!(writer, code: m.request, m.options, m.procedure; m.payload),
        Message::Cancel(m) => list!(writer, code: m.request, m.options),
        Message::Result(m) => list!(writer, code: m.request, m.details; m.payload),
        Message::Register(m) => list!(writer, code: m.request, m.options, m.procedure),
        Message::Registered(m) => list!(writer, code: m.request, m.registration),
        Message::Unregister(m) => list!(writer, code: m.request, m.registration),
        Message::Unregistered(m) => answer(writer, code, m.request, m.details.as_ref()),
        Message::Invocation(m) => list!(writer, code: m.request, m.registration, m.details; m.payload),
        Message::Interrupt(m) => list!(writer, code: m.request, m.options),
        Message::Yield(m) => list!(writer, code: m.request, m.options; m.payload),
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
    match details {
        Some(details) => list!(writer, code: request, details),
        None => list!(writer, code: request),
    }
}
