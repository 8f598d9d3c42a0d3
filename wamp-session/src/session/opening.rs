//! From CLOSED to ESTABLISHED: HELLO, CHALLENGE and AUTHENTICATE, WELCOME (WAMP Basic Profile, "Session Establishment").

#![warn(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use wamp_proto::{
    Authenticate, Challenge, Format, Hello, HelloDetails, IntoPayload as _, Message, MessageType, Uri, Value, Welcome,
};

use super::Session;
use super::deadlines::Deadline;
use super::outbound::frame;
use super::state::{Established, Joining, State};
use crate::auth::Answer;
use crate::{
    Action, AuthError, CloseCause, CommandError, ConfigError, Joined, Opened, ProtocolViolation, SessionEvent,
    TransportError, TransportErrorKind, TransportId,
};

/// Methods whose HELLO has to say who the client claims to be.
const METHODS_WITH_AUTHID: [&str; 2] = ["ticket", "wampcra"];

impl Session {
    /// Starts a run of sessions.
    pub(super) fn start(&mut self) {
        if let Err(error) = self.config.check_session() {
            self.events.push(SessionEvent::Closed(Arc::new(CloseCause::Config(error))));
            return;
        }
        self.run.restart();
        self.open();
    }

    /// Makes an attempt to join.
    pub(super) fn open(&mut self) {
        // A configuration that was checked has a URL.
        let url = self.config.urls.get(self.run.url()).or_else(|| self.config.urls.first()).map(Arc::clone);
        let transport = TransportId(self.transports);
        self.transports += 1;
        let subprotocols = self.config.formats.iter().map(|format| format.subprotocol()).collect();
        self.outbound.push(Action::OpenTransport { id: transport, url: url.unwrap_or_default(), subprotocols });
        let deadline = self.deadlines.set(self.now.checked_add(self.config.connect_timeout), Deadline::Join);
        self.enter(State::Opening { transport, deadline });
    }

    /// Goes on from a state that may hold why the session before was left.
    pub(super) fn enter(&mut self, state: State) {
        let before = core::mem::replace(&mut self.state, state);
        if let State::Waiting(pause, _) = before {
            self.discards.push(pause);
        }
    }

    pub(super) fn opened(&mut self, transport: TransportId, opened: Opened) {
        let deadline = match &self.state {
            State::Opening { transport: awaited, deadline } if *awaited == transport => *deadline,
            State::Closed
            | State::Opening { .. }
            | State::Joining(_)
            | State::Waiting(..)
            | State::Joined(_)
            | State::Undecided
            | State::Closing(_) => return,
        };
        let Opened { subprotocol, authmethods, authid, authextra } = opened;
        let format = subprotocol.as_deref().and_then(Format::from_subprotocol);
        let Some(format) = format.filter(|format| self.config.formats.contains(format)) else {
            let error = TransportError::new(TransportErrorKind::Subprotocol);
            self.close_transport(1002, &error.to_string());
            self.end(CloseCause::Transport(error), None);
            return;
        };
        if authid.is_none()
            && let Some(method) = authmethods.iter().find(|method| METHODS_WITH_AUTHID.contains(&&***method))
        {
            let error = ConfigError::NoAuthId(method.to_string());
            self.close_transport(1000, "");
            self.end(CloseCause::Config(error), None);
            return;
        }
        let realm = match Uri::new(Arc::clone(&self.config.realm)) {
            Ok(realm) => realm,
            Err(error) => {
                self.close_transport(1000, "");
                self.end(CloseCause::Config(ConfigError::Realm(error)), None);
                return;
            }
        };
        let mut details = HelloDetails::default();
        details.agent.clone_from(&self.config.agent);
        details.roles = Some(self.config.announcement());
        details.authmethods = (!authmethods.is_empty()).then(|| authmethods.clone());
        details.authid = authid;
        details.authextra = authextra.filter(|extra| !extra.is_empty());
        details.extra.clone_from(&self.config.hello);
        let hello = Hello { realm, details };
        match frame(hello.into(), format, usize::MAX) {
            Ok(hello) => {
                self.format = Some(format);
                self.outbound.send(transport, hello);
                let offered = authmethods;
                self.state = State::Joining(Joining { transport, format, offered, challenged: false, deadline });
            }
            Err(error) => {
                let cause = match self.hello_detail_beyond(format) {
                    Some(key) => CloseCause::Config(ConfigError::HelloDetail(key)),
                    // Only what an authentication method says beforehand is left.
                    None => CloseCause::Authentication(AuthError::Other(Arc::new(error))),
                };
                self.close_transport(1000, "");
                self.end(cause, None);
            }
        }
    }

    /// Finds an own attribute of HELLO that a format cannot carry.
    fn hello_detail_beyond(&self, format: Format) -> Option<String> {
        let is_beyond = |value: &Value| (value.clone(),).into_payload(format).is_err();
        self.config.hello.iter().find(|(_, value)| is_beyond(value)).map(|(key, _)| key.to_owned())
    }

    /// What the router says before WELCOME.
    #[expect(clippy::wildcard_enum_match_arm, reason = "it is too early for whatever else there is")]
    pub(super) fn while_joining(&mut self, message: Message) {
        match message {
            Message::Welcome(welcome) => self.welcome(welcome),
            Message::Challenge(challenge) => self.challenge(challenge),
            Message::Abort(abort) => self.aborted(abort),
            message => self.violate(ProtocolViolation::Unexpected {
                message: message.message_type(),
                state: "before the session was joined",
            }),
        }
    }

    fn challenge(&mut self, challenge: Challenge) {
        let State::Joining(joining) = &mut self.state else { return };
        if joining.challenged {
            let message = MessageType::Challenge;
            let state = "before the last one was answered";
            self.violate(ProtocolViolation::Unexpected { message, state });
        } else if joining.offered.contains(&challenge.method) {
            joining.challenged = true;
            let transport = joining.transport;
            self.events.push(SessionEvent::Challenge { transport, challenge });
        } else {
            self.cannot_authenticate(AuthError::NotOffered(challenge.method.to_string()));
        }
    }

    pub(super) fn answer_challenge(
        &mut self,
        transport: TransportId,
        answer: Result<Answer, AuthError>,
    ) -> Result<(), CommandError> {
        let format = match &mut self.state {
            State::Joining(joining) if joining.challenged && joining.transport == transport => {
                joining.challenged = false;
                joining.format
            }
            // An authenticator failed before HELLO.
            State::Opening { transport: opening, .. } if *opening == transport => {
                return match answer {
                    Ok(_) => Err(CommandError::UnknownKey),
                    Err(error) => {
                        self.close_transport(1000, "");
                        self.end(CloseCause::Authentication(error), None);
                        Ok(())
                    }
                };
            }
            State::Closed
            | State::Opening { .. }
            | State::Joining(_)
            | State::Waiting(..)
            | State::Joined(_)
            | State::Undecided
            | State::Closing(_) => {
                return Err(CommandError::UnknownKey);
            }
        };
        let answer = answer.and_then(|Answer { signature, extra }| {
            let authenticate = Authenticate { signature, extra };
            frame(authenticate.into(), format, usize::MAX).map_err(|error| AuthError::Other(Arc::new(error)))
        });
        match answer {
            Ok(authenticate) => self.outbound.send(transport, authenticate),
            Err(error) => self.cannot_authenticate(error),
        }
        Ok(())
    }

    fn cannot_authenticate(&mut self, error: AuthError) {
        self.abort("wamp.error.cannot_authenticate", &error.to_string());
        self.close_transport(1000, "");
        self.end(CloseCause::Authentication(error), None);
    }

    fn welcome(&mut self, Welcome { session, details }: Welcome) {
        let (transport, format) = match &self.state {
            State::Joining(joining) => {
                self.deadlines.cancel(joining.deadline);
                (joining.transport, joining.format)
            }
            State::Closed
            | State::Opening { .. }
            | State::Waiting(..)
            | State::Joined(_)
            | State::Closing(_)
            | State::Undecided => return,
        };
        let joined = Arc::new(Joined { session, details, format });
        self.state = State::Joined(Established { transport, format, joined: Arc::clone(&joined) });
        self.events.push(SessionEvent::Joined(joined));
        self.start_life();
        self.replay();
        self.send_waiting();
    }
}
