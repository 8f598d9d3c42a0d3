//! Which causes are worth another attempt.

use crate::{AuthError, CloseCause, TransportErrorKind};

impl CloseCause {
    /// Whether the session is joined again after it, by the table below.
    ///
    /// A policy with a function of its own may decide otherwise ([`ReconnectPolicy::decide`](crate::ReconnectPolicy::decide)).
    ///
    /// | cause | |
    /// |---|---|
    /// | the application closed the session | ends |
    /// | GOODBYE or ABORT: refused credentials or rights, an unknown realm, a protocol violation, `wamp.close.logout` | ends |
    /// | GOODBYE or ABORT: any other reason | tries again |
    /// | the URL cannot be used; TLS failed; no subprotocol in common | ends |
    /// | HTTP status 401, 403 and 407 | ends |
    /// | close codes 1003, 1008 and 1010: the peer will never take what the client has to say | ends |
    /// | any other end of a transport: refused, DNS, other statuses and close codes, silence | tries again |
    /// | the router broke the protocol; the join took too long | tries again |
    /// | the challenge cannot be answered | ends |
    /// | the authenticator failed by itself | tries again |
    /// | the configuration cannot be used | ends |
    ///
    /// A message that is too large (1009) is tried again: nothing is sent twice, so the same message does not end the next
    /// session.
    #[must_use]
    pub fn is_retried(&self) -> bool {
        match self {
            Self::Goodbye(goodbye) => !is_final(&goodbye.reason),
            Self::Abort(abort) => !is_final(&abort.reason),
            Self::Transport(error) => match error.kind() {
                TransportErrorKind::Url | TransportErrorKind::Tls | TransportErrorKind::Subprotocol => false,
                TransportErrorKind::Http(status) => !matches!(status, 401 | 403 | 407),
                TransportErrorKind::Closed { code, .. } => !matches!(code, Some(1003 | 1008 | 1010)),
                TransportErrorKind::Dns
                | TransportErrorKind::Connect
                | TransportErrorKind::Handshake
                | TransportErrorKind::Eof
                | TransportErrorKind::Protocol
                | TransportErrorKind::TooLarge
                | TransportErrorKind::Silent
                | TransportErrorKind::Io => true,
            },
            Self::ProtocolViolation(_) | Self::JoinTimeout => true,
            Self::Authentication(error) => match error {
                AuthError::Other(_) => true,
                AuthError::NotOffered(_) | AuthError::Malformed(_) | AuthError::TooCostly(_) => false,
            },
            Self::Application | Self::Config(_) => false,
        }
    }
}

/// Reasons that another attempt would only hear again.
fn is_final(reason: &str) -> bool {
    matches!(
        reason,
        "wamp.error.no_such_realm"
            | "wamp.error.no_such_role"
            | "wamp.error.no_such_principal"
            | "wamp.error.no_auth_method"
            | "wamp.error.no_matching_auth_method"
            | "wamp.error.authentication_denied"
            | "wamp.error.authentication_failed"
            | "wamp.error.authentication_rejected"
            | "wamp.error.authentication_required"
            | "wamp.error.cannot_authenticate"
            | "wamp.error.not_authorized"
            | "wamp.error.authorization_denied"
            | "wamp.error.authorization_required"
            | "wamp.error.protocol_violation"
            | "wamp.error.invalid_uri"
            | "wamp.close.logout"
    )
}
