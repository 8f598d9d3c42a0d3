//! Payloads that the router does not look at (WAMP Advanced Profile, "Payload Passthru Mode").

use wamp_proto::{MessageType, Role};

use super::peer::Peers;
use super::{PeerId, Violation};
use crate::Feature;
use crate::passthru::{Attributes, Passthru};

/// The error of a peer that lacks the feature, told to the other one.
pub(super) const NOT_SUPPORTED: &str = "wamp.error.feature_not_supported";

/// The attributes of what a peer sends in a role, if it has announced the feature.
pub(super) fn sent_by(
    peers: &Peers,
    peer: PeerId,
    role: Role,
    message: MessageType,
    options: &impl Attributes,
) -> Result<Option<Passthru>, Violation> {
    let passthru = options.passthru();
    if passthru.is_some() && !peers.announces(peer, role, Feature::PayloadPassthruMode) {
        let role = role.as_str();
        return Err(Violation::new(format!("{message} uses payload passthru mode, which the {role} did not announce")));
    }
    Ok(passthru)
}

/// Whether a peer takes a payload in a role.
pub(super) fn is_taken_by(peers: &Peers, peer: PeerId, role: Role, passthru: Option<&Passthru>) -> bool {
    passthru.is_none() || peers.announces(peer, role, Feature::PayloadPassthruMode)
}

/// Sets the attributes of what is forwarded.
pub(super) fn forward(passthru: Option<&Passthru>, details: &mut impl Attributes) {
    if let Some(passthru) = passthru {
        details.set_passthru(passthru);
    }
}
