//! Frames to messages.

use bytes::Bytes;

use crate::codec::attribute::{Attribute, Attributes, read_uri};
use crate::codec::read::{Open, Read};
use crate::codec::usual;
use crate::error::{DecodeErrorKind, Element, Fault, Kind, Length};
use crate::message::*;
use crate::payload::{Payload, Tail};
use crate::serial::with_format;
use crate::{DecodeError, Dict, Format, Limits, MatchPolicy, PayloadCheck, RequestId, Uri};

/// The attribute of a payload that Crossbar.io and autobahn put in the place of Arguments: the mode before payload passthru mode.
const LEGACY_PASSTHRU: &str = "enc_algo";

/// Decodes one frame into a message.
///
/// The payload is not decoded but kept as a slice of the frame: nothing is copied, and with empty Details nothing is
/// allocated. The format's text or binary frames are the caller's to check ([`Format::is_binary`]).
///
/// ```
/// # #[cfg(not(feature = "json"))] fn main() {}
/// # #[cfg(feature = "json")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use wamp_proto::{decode, Format, Limits, Message, PayloadCheck};
///
/// let frame = br#"[36,5512315355,4429313566,{},["Hello, world!"]]"#.as_slice().into();
/// let message = decode(frame, Format::Json, &Limits::new(), PayloadCheck::OnReceipt)?;
/// let Message::Event(event) = message else { panic!("not an event") };
/// assert_eq!(event.payload.arg::<&str>(0)?, "Hello, world!");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`DecodeError`] if the frame is no message of the format: malformed, over a limit, of an unknown type, with too few or too
/// many elements, or with an element or a known attribute of a wrong type. With [`PayloadCheck::OnDecode`] what is wrong
/// in the payload shows when the payload is looked at.
pub fn decode(frame: Bytes, format: Format, limits: &Limits, check: PayloadCheck) -> Result<Message, DecodeError> {
    let size = frame.len();
    if size > limits.message_bytes() {
        let kind = DecodeErrorKind::TooLarge { size, limit: limits.message_bytes() };
        return Err(Fault::new(limits.message_bytes(), kind).into());
    }
    with_format!(format, module => match usual::read::<module::Reader<'_>>(&frame, format, limits, check) {
        Some((head, payload)) => head.message(frame, format, payload),
        None => match usual::read_addressed::<module::Reader<'_>>(&frame, format, limits, check) {
            Some((head, payload)) => head.message(frame, format, payload),
            None => decode_closely(&frame, format, limits, check),
        },
    })
}

/// Decodes any frame, whatever the form of its elements, that is not too large.
pub(crate) fn decode_closely(
    frame: &Bytes,
    format: Format,
    limits: &Limits,
    check: PayloadCheck,
) -> Result<Message, DecodeError> {
    with_format!(format, module => {
        let (message_type, elements) = Elements::start(module::Reader::new(frame), frame, format, limits, check)?;
        elements.message(message_type)
    })
}

impl From<Fault> for DecodeError {
    #[cold]
    fn from(fault: Fault) -> Self {
        fault.placed(|_| ())
    }
}

/// The elements of a message behind its type, read one after the other.
struct Elements<'a, 'l, R> {
    reader: R,
    frame: &'a Bytes,
    format: Format,
    limits: &'l Limits,
    check: PayloadCheck,
    open: Open,
    element: Element,
    message: MessageType,
    request: Option<RequestId>,
}

impl<'a, 'l, R: Read<'a>> Elements<'a, 'l, R> {
    #[inline(never)]
    fn start(
        mut reader: R,
        frame: &'a Bytes,
        format: Format,
        limits: &'l Limits,
        check: PayloadCheck,
    ) -> Result<(MessageType, Self), DecodeError> {
        let found = reader.kind()?;
        if found != Kind::List {
            return Err(Fault::new(reader.offset(), DecodeErrorKind::NotAList { found }).into());
        }
        let start = reader.offset();
        let mut open = reader.list()?;
        if !reader.next_element(&mut open)? {
            return Err(Fault::new(start, DecodeErrorKind::EmptyList).into());
        }
        let element = Element { index: 0, name: "MessageType" };
        let message = read_type(&mut reader).map_err(|fault| fault.placed(|report| report.element = Some(element)))?;
        Ok((message, Self { reader, frame, format, limits, check, open, element, message, request: None }))
    }

    #[inline(never)]
    fn message(mut self, message_type: MessageType) -> Result<Message, DecodeError> {
        let elements = &mut self;
        Ok(match message_type {
            MessageType::Hello => {
                let realm = elements.uri("Realm", MatchPolicy::Exact)?;
                let details = elements.attributes("Details")?;
                self.end(Hello { realm, details })?.into()
            }
            MessageType::Welcome => {
                let session = elements.attribute("Session")?;
                let details = elements.attributes("Details")?;
                self.end(Welcome { session, details })?.into()
            }
            MessageType::Abort => {
                let details = elements.attributes("Details")?;
                let reason = elements.uri("Reason", MatchPolicy::Exact)?;
                Abort { details, reason, payload: self.payload()? }.into()
            }
            MessageType::Challenge => {
                let method = elements.attribute("AuthMethod")?;
                let extra = elements.attribute("Extra")?;
                self.end(Challenge { method, extra })?.into()
            }
            MessageType::Authenticate => {
                let signature = elements.attribute("Signature")?;
                let extra = elements.attribute("Extra")?;
                self.end(Authenticate { signature, extra })?.into()
            }
            MessageType::Goodbye => {
                let details = elements.attributes("Details")?;
                let reason = elements.uri("Reason", MatchPolicy::Exact)?;
                self.end(Goodbye { details, reason })?.into()
            }
            MessageType::Error => {
                let request_type = elements.request_type()?;
                let request = elements.request()?;
                let details = elements.attributes("Details")?;
                let error = elements.uri("Error", MatchPolicy::Exact)?;
                Error { request_type, request, details, error, payload: self.payload()? }.into()
            }
            MessageType::Publish => {
                let request = elements.request()?;
                let options: PublishOptions = elements.attributes("Options")?;
                let topic = elements.uri("Topic", MatchPolicy::Exact).map_err(|mut error| {
                    error.0.unacknowledged = options.acknowledge != Some(true);
                    error
                })?;
                Publish { request, options, topic, payload: self.payload()? }.into()
            }
            MessageType::Published => {
                let request = elements.request()?;
                let publication = elements.attribute("Publication")?;
                self.end(Published { request, publication })?.into()
            }
            MessageType::Subscribe => {
                let request = elements.request()?;
                let options: SubscribeOptions = elements.attributes("Options")?;
                let topic = elements.uri("Topic", options.match_policy.unwrap_or_default())?;
                self.end(Subscribe { request, options, topic })?.into()
            }
            MessageType::Subscribed => {
                let request = elements.request()?;
                let subscription = elements.attribute("Subscription")?;
                self.end(Subscribed { request, subscription })?.into()
            }
            MessageType::Unsubscribe => {
                let request = elements.request()?;
                let subscription = elements.attribute("Subscription")?;
                self.end(Unsubscribe { request, subscription })?.into()
            }
            MessageType::Unsubscribed => {
                let (request, details) = elements.answer_or_revocation()?;
                self.end(Unsubscribed { request, details })?.into()
            }
            MessageType::Event => {
                let subscription = elements.attribute("Subscription")?;
                let publication = elements.attribute("Publication")?;
                let details: EventDetails = elements.attributes("Details")?;
                let payload = self.payload_beside(&details.extra)?;
                Event { subscription, publication, details, payload }.into()
            }
            MessageType::Call => {
                let request = elements.request()?;
                let options = elements.attributes("Options")?;
                let procedure = elements.uri("Procedure", MatchPolicy::Exact)?;
                Call { request, options, procedure, payload: self.payload()? }.into()
            }
            MessageType::Cancel => {
                let request = elements.request()?;
                let options = elements.attributes("Options")?;
                self.end(Cancel { request, options })?.into()
            }
            MessageType::Result => {
                let request = elements.request()?;
                let details: ResultDetails = elements.attributes("Details")?;
                let payload = self.payload_beside(&details.extra)?;
                CallResult { request, details, payload }.into()
            }
            MessageType::Register => {
                let request = elements.request()?;
                let options: RegisterOptions = elements.attributes("Options")?;
                let procedure = elements.uri("Procedure", options.match_policy.unwrap_or_default())?;
                self.end(Register { request, options, procedure })?.into()
            }
            MessageType::Registered => {
                let request = elements.request()?;
                let registration = elements.attribute("Registration")?;
                self.end(Registered { request, registration })?.into()
            }
            MessageType::Unregister => {
                let request = elements.request()?;
                let registration = elements.attribute("Registration")?;
                self.end(Unregister { request, registration })?.into()
            }
            MessageType::Unregistered => {
                let (request, details) = elements.answer_or_revocation()?;
                self.end(Unregistered { request, details })?.into()
            }
            MessageType::Invocation => {
                let request = elements.request()?;
                let registration = elements.attribute("Registration")?;
                let details: InvocationDetails = elements.attributes("Details")?;
                let payload = self.payload_beside(&details.extra)?;
                Invocation { request, registration, details, payload }.into()
            }
            MessageType::Interrupt => {
                let request = elements.request()?;
                let options = elements.attributes("Options")?;
                self.end(Interrupt { request, options })?.into()
            }
            MessageType::Yield => {
                let request = elements.request()?;
                let options = elements.attributes("Options")?;
                Yield { request, options, payload: self.payload()? }.into()
            }
        })
    }

    /// Names a fault's place.
    #[cold]
    fn error(&self, fault: Fault) -> DecodeError {
        fault.placed(|report| {
            report.element = Some(self.element);
            report.message = Some(self.message);
            report.request = self.request;
        })
    }

    /// Goes to the next element, if there is one.
    #[inline]
    fn advance(&mut self, name: &'static str) -> Result<bool, DecodeError> {
        self.element = Element { index: self.element.index + 1, name };
        let found = self.reader.next_element(&mut self.open).map_err(|fault| self.error(fault))?;
        self.open.over = !found;
        Ok(found)
    }

    /// Goes to the next element, which must be there.
    #[inline]
    fn enter(&mut self, name: &'static str) -> Result<(), DecodeError> {
        if self.advance(name)? {
            return Ok(());
        }
        Err(self.error(Fault::new(self.reader.offset(), DecodeErrorKind::WrongLength(Length::TooFew))))
    }

    #[inline]
    fn attribute<T: Attribute>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        self.enter(name)?;
        let value = T::read(&mut self.reader, self.frame, self.limits.depth() - 1);
        value.map_err(|fault| self.error(fault))
    }

    #[inline]
    fn request(&mut self) -> Result<RequestId, DecodeError> {
        let request = self.attribute("Request")?;
        self.request = Some(request);
        Ok(request)
    }

    fn request_type(&mut self) -> Result<MessageType, DecodeError> {
        self.enter("REQUEST.Type")?;
        read_type(&mut self.reader).map_err(|fault| self.error(fault))
    }

    #[inline]
    fn uri(&mut self, name: &'static str, policy: MatchPolicy) -> Result<Uri, DecodeError> {
        self.enter(name)?;
        read_uri(&mut self.reader, policy).map_err(|fault| self.error(fault))
    }

    #[inline]
    fn attributes<T: Attributes>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        self.enter(name)?;
        self.dict()
    }

    #[inline]
    fn dict<T: Attributes>(&mut self) -> Result<T, DecodeError> {
        match self.reader.kind() {
            Ok(Kind::Dict) => {}
            Ok(_) => {
                let fault = self.reader.wrong_type("a dict");
                return Err(self.error(fault));
            }
            Err(fault) => return Err(self.error(fault)),
        }
        let mut attributes = T::default();
        match attributes.fill(&mut self.reader, self.frame, self.limits.depth() - 1) {
            Ok(()) => Ok(attributes),
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// The elements of UNSUBSCRIBED and UNREGISTERED: the request, or 0 and what is revoked.
    fn answer_or_revocation<T: Attributes>(&mut self) -> Result<(Option<RequestId>, Option<T>), DecodeError> {
        self.enter("Request")?;
        let number = self.reader.unsigned_at().map_err(|fault| self.error(fault))?;
        if number.value != 0 {
            let request =
                RequestId::new(number.value).map_err(|error| self.error(Fault::new(number.offset, error.into())))?;
            self.request = Some(request);
        }
        if self.advance("Details")? {
            return Ok((self.request, Some(self.dict()?)));
        }
        if self.request.is_none() {
            let fault = Fault::new(self.reader.offset(), DecodeErrorKind::WrongLength(Length::TooFew));
            return Err(self.error(fault));
        }
        Ok((self.request, None))
    }

    /// Checks that the message is over.
    fn end<T>(mut self, message: T) -> Result<T, DecodeError> {
        if !self.open.over && self.advance(Element::SURPLUS)? {
            let fault = Fault::new(self.reader.offset(), DecodeErrorKind::WrongLength(Length::TooMany));
            return Err(self.error(fault));
        }
        match self.reader.end() {
            Ok(()) => Ok(message),
            Err(fault) => Err(fault.placed(|report| {
                report.message = Some(self.message);
                report.request = self.request;
            })),
        }
    }

    /// The payload of a message that a peer with the mode before payload passthru mode may have caused.
    #[inline]
    fn payload_beside(self, extra: &Dict) -> Result<Payload, DecodeError> {
        if extra.is_empty() { self.payload() } else { self.payload_or_legacy(extra) }
    }

    fn payload_or_legacy(mut self, extra: &Dict) -> Result<Payload, DecodeError> {
        if !extra.contains_key(LEGACY_PASSTHRU) {
            return self.payload();
        }
        self.check = PayloadCheck::OnReceipt;
        self.payload().map_err(|mut error| {
            if let DecodeErrorKind::WrongType { found: Kind::Bytes | Kind::String, .. } = error.0.kind
                && error.0.element.is_some_and(|element| element.name == "Arguments")
            {
                error.0.kind = DecodeErrorKind::LegacyPassthru;
            }
            error
        })
    }

    #[inline]
    fn payload(self) -> Result<Payload, DecodeError> {
        let tail = Tail {
            format: self.format,
            depth: self.limits.depth() - 1,
            open: self.open,
            element: self.element.index,
            message: self.message,
            request: self.request,
        };
        let received = tail.receive(self.reader, self.check)?;
        Ok(Payload::received(self.frame.clone(), self.format, received))
    }
}

/// Reads a message type: an integer in the strict sense, since nothing tells a sloppy peer's float from a broken frame yet.
#[inline]
fn read_type<'a, R: Read<'a>>(reader: &mut R) -> Result<MessageType, Fault> {
    let number = match reader.usual_unsigned() {
        Some(number) => number,
        None if reader.kind()? == Kind::Integer => reader.unsigned_at()?,
        None => return Err(reader.wrong_type("an integer")),
    };
    MessageType::from_code(number.value)
        .ok_or_else(|| Fault::new(number.offset, DecodeErrorKind::UnknownMessageType(number.value)))
}
