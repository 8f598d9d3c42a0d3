//! The message types of WAMP (checklist of the Basic and Advanced Profile, "Message Definitions").

mod callee;
mod caller;
mod publisher;
mod role;
mod session;
mod subscriber;

use core::fmt;

pub use self::callee::{
    Interrupt, InterruptOptions, Invocation, InvocationDetails, InvokePolicy, Register, RegisterOptions, Registered,
    Unregister, Unregistered, UnregisteredDetails, Yield, YieldOptions,
};
pub use self::caller::{Call, CallOptions, CallResult, Cancel, CancelMode, CancelOptions, ResultDetails};
pub use self::publisher::{Publish, PublishOptions, Published};
pub use self::role::{Role, Roles};
pub use self::session::{
    Abort, AbortDetails, Authenticate, Challenge, Error, ErrorDetails, Goodbye, GoodbyeDetails, Hello, HelloDetails,
    Welcome, WelcomeDetails,
};
pub use self::subscriber::{
    Event, EventDetails, Subscribe, SubscribeOptions, Subscribed, Unsubscribe, Unsubscribed, UnsubscribedDetails,
};

use crate::Payload;

macro_rules! messages {
    ($($(#[$doc:meta])* $variant:ident($message:ident) = $code:literal, $name:literal;)*) => {
        /// The type of a message: its first element.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum MessageType {
            $($(#[$doc])* $variant = $code,)*
        }

        impl MessageType {
            /// Every message type, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The message type of a code.
            #[must_use]
            pub const fn from_code(code: u64) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name, as the specification writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// A message, of any type.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Message {
            $($(#[$doc])* $variant($message),)*
        }

        impl Message {
            /// The type of the message.
            #[must_use]
            pub const fn message_type(&self) -> MessageType {
                match self {
                    $(Self::$variant(_) => MessageType::$variant,)*
                }
            }
        }

        $(impl From<$message> for Message {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        })*
    };
}

messages! {
    /// Opens a session on a realm.
    Hello(Hello) = 1, "HELLO";
    /// Accepts a session.
    Welcome(Welcome) = 2, "WELCOME";
    /// Refuses or ends a session at once.
    Abort(Abort) = 3, "ABORT";
    /// Asks a client to authenticate.
    Challenge(Challenge) = 4, "CHALLENGE";
    /// Answers a CHALLENGE.
    Authenticate(Authenticate) = 5, "AUTHENTICATE";
    /// Closes a session, and answers a GOODBYE.
    Goodbye(Goodbye) = 6, "GOODBYE";
    /// Answers a request that failed.
    Error(Error) = 8, "ERROR";
    /// Publishes an event to a topic.
    Publish(Publish) = 16, "PUBLISH";
    /// Acknowledges a PUBLISH.
    Published(Published) = 17, "PUBLISHED";
    /// Subscribes to a topic.
    Subscribe(Subscribe) = 32, "SUBSCRIBE";
    /// Acknowledges a SUBSCRIBE.
    Subscribed(Subscribed) = 33, "SUBSCRIBED";
    /// Ends a subscription.
    Unsubscribe(Unsubscribe) = 34, "UNSUBSCRIBE";
    /// Acknowledges an UNSUBSCRIBE, or revokes a subscription.
    Unsubscribed(Unsubscribed) = 35, "UNSUBSCRIBED";
    /// Delivers an event to a subscriber.
    Event(Event) = 36, "EVENT";
    /// Calls a procedure.
    Call(Call) = 48, "CALL";
    /// Cancels a call.
    Cancel(Cancel) = 49, "CANCEL";
    /// Returns the result of a call.
    Result(CallResult) = 50, "RESULT";
    /// Registers a procedure.
    Register(Register) = 64, "REGISTER";
    /// Acknowledges a REGISTER.
    Registered(Registered) = 65, "REGISTERED";
    /// Ends a registration.
    Unregister(Unregister) = 66, "UNREGISTER";
    /// Acknowledges an UNREGISTER, or revokes a registration.
    Unregistered(Unregistered) = 67, "UNREGISTERED";
    /// Delivers a call to a callee.
    Invocation(Invocation) = 68, "INVOCATION";
    /// Asks a callee to stop.
    Interrupt(Interrupt) = 69, "INTERRUPT";
    /// Returns the result of an invocation.
    Yield(Yield) = 70, "YIELD";
}

/// Finds the payload of a message whose type has one.
macro_rules! payload {
    ($message:expr) => {
        match $message {
            Message::Abort(Abort { payload, .. })
            | Message::Error(Error { payload, .. })
            | Message::Publish(Publish { payload, .. })
            | Message::Event(Event { payload, .. })
            | Message::Call(Call { payload, .. })
            | Message::Result(CallResult { payload, .. })
            | Message::Invocation(Invocation { payload, .. })
            | Message::Yield(Yield { payload, .. }) => Some(payload),
            _ => None,
        }
    };
}

impl Message {
    pub(crate) const fn payload(&self) -> Option<&Payload> {
        payload!(self)
    }

    pub(crate) const fn payload_mut(&mut self) -> Option<&mut Payload> {
        payload!(self)
    }
}

impl MessageType {
    /// The code: the first element of the message.
    #[must_use]
    pub const fn code(self) -> u64 {
        self as u64
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
