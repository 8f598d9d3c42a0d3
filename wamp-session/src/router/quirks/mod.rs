//! The habits of real routers, for tests of clients.

mod misread;
mod switches;

use wamp_proto::CancelMode;

use crate::Feature;

/// Where a router deviates from the specification, as routers in use do; by default nowhere.
///
/// It lets a client be tested against such habits without those routers. Each switch is one habit; the profiles
/// [`crossbar`](Self::crossbar), [`nexus`](Self::nexus) and [`minimal`](Self::minimal) are sets of them, and no more than that: they do not make
/// this router another one.
///
/// What a profile leaves out: serializers, framing and authentication methods that are a router's own; batched messages (the
/// separator 0x18 of Crossbar.io's batched JSON); the words of errors and of close frames; attributes of its own in WELCOME and in the meta API;
/// elements that a message has too many, which nexus and Crossbar.io accept in some; URIs that break the rules, which xconn takes; the end of a transport
/// without a close frame. What a client sends is decoded as always, and a router cannot take what is not decoded.
///
/// ```
/// use wamp_session::router::{Quirks, RouterConfig};
///
/// let config = RouterConfig::new([7; 32]).quirks(Quirks::crossbar());
/// let config = config.quirks(Quirks::none().silent_skip().goodbye_normal());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    hidden: Hidden,
    pub(super) history: HistoryShape,
    switches: u128,
}

/// The features that are not announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hidden {
    #[default]
    Nothing,
    These(&'static [Feature]),
    Everything,
}

/// The shape of the result of `wamp.subscription.get_events`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryShape {
    /// The Arguments are the events, as the specification has it.
    #[default]
    Arguments,
    /// One argument, the list of the events, the youngest first, with Crossbar.io's keys; 10 if no limit is asked for, and no other filter.
    Crossbar,
    /// The Arguments are the events, with nexus's keys.
    Nexus,
}

/// What Crossbar.io 26 does not announce, whether it has it or not.
const HIDDEN_BY_CROSSBAR: &[Feature] = &[
    Feature::CallReroute,
    Feature::CallTimeout,
    Feature::CallTrustlevels,
    Feature::EventHistory,
    Feature::PayloadPassthruMode,
    Feature::ProgressiveCallInvocations,
    Feature::PublicationTrustlevels,
    Feature::ShardedRegistration,
    Feature::ShardedSubscriptions,
];

/// What nexus 3 does not announce.
const HIDDEN_BY_NEXUS: &[Feature] = &[
    Feature::CallReroute,
    Feature::CallTrustlevels,
    Feature::EventRetention,
    Feature::PublicationTrustlevels,
    Feature::RegistrationRevocation,
    Feature::ShardedRegistration,
    Feature::ShardedSubscriptions,
    Feature::SubscriptionRevocation,
];

impl Quirks {
    /// No quirks: what the specification wants.
    #[must_use]
    pub const fn none() -> Self {
        Self { hidden: Hidden::Nothing, history: HistoryShape::Arguments, switches: 0 }
    }

    /// The habits of Crossbar.io 26.
    ///
    /// Whom it discloses is configured, as there: [`Disclosure::Always`](super::Disclosure::Always) is what most of its configurations come to.
    #[must_use]
    pub const fn crossbar() -> Self {
        let mut quirks = Self::none().history_shape(HistoryShape::Crossbar);
        quirks.hidden = Hidden::These(HIDDEN_BY_CROSSBAR);
        let sessions = quirks
            .goodbye_normal()
            .kill_normal()
            .answers_after_goodbye()
            .keep_transport()
            .close_without_abort()
            .close_on_invalid_uri()
            .ignore_untimely()
            .ignore_roles()
            .any_request_id()
            .ignore_stray_answers()
            .explain_errors()
            .refuse_as_not_authorized()
            .refuse_unknown_users()
            .refuse_unknown_methods();
        let calls = sessions
            .shared_invocation_ids()
            .silent_skip()
            .kill_cancels()
            .interrupt_without_mode()
            .timeouts_in_seconds()
            .timeouts_cancel()
            .tell_timeouts()
            .tell_receive_progress()
            .unsolicited_progress()
            .no_progressive_calls()
            .disclose_callees()
            .drop_error_details()
            .no_rerouting()
            .no_sharding()
            .drop_passthru();
        let registrations = calls.name_policy_conflicts().tell_revocations().longest_pattern();
        let publications = registrations.empty_list_is_none().new_retained_ids().ignore_disclose_me();
        publications.short_on_leave().list_killed().kill_caller().null_results().testament_results()
    }

    /// The habits of nexus 3.
    #[must_use]
    pub const fn nexus() -> Self {
        let mut quirks = Self::none().history_shape(HistoryShape::Nexus);
        quirks.hidden = Hidden::These(HIDDEN_BY_NEXUS);
        let sessions = quirks
            .kill_normal()
            .ignore_undecodable()
            .ignore_roles()
            .any_request_id()
            .ignore_stray_answers()
            .error_in_abort()
            .refuse_as_failed();
        let calls = sessions
            .interrupt_with_reason()
            .interrupt_late_progress()
            .no_interrupt_on_leave()
            .error_to_cancel()
            .late_input_calls()
            .progress_false()
            .no_rerouting()
            .no_sharding()
            .error_to_yield();
        let registrations = calls.tell_revocations().longest_pattern();
        let publications = registrations.empty_list_is_none().published_last().no_retention().disclose_to_announced();
        publications.misspelt_count().zero_for_none()
    }

    /// The habits of xconn 0.5, a router without features: what it does not announce it does not have.
    #[must_use]
    pub const fn minimal() -> Self {
        let sessions =
            Self::none().announce_nothing().close_without_abort().ignore_roles().any_request_id().refuse_as_failed();
        let calls = sessions
            .shared_invocation_ids()
            .no_interrupt_on_leave()
            .no_cancel_on_leave()
            .ignore_cancel()
            .ignore_timeouts()
            .tell_receive_progress()
            .progress_ends_call()
            .no_progressive_calls()
            .no_rerouting()
            .no_sharding()
            .drop_passthru();
        let registrations = calls.no_shared_registrations().no_patterns().open_reserved();
        registrations.no_lists().published_last().no_retention().ignore_disclose_me().no_meta_api()
    }

    /// Announces no features.
    #[must_use]
    pub const fn announce_nothing(mut self) -> Self {
        self.hidden = Hidden::Everything;
        self
    }

    /// Sets the shape of histories.
    #[must_use]
    pub const fn history_shape(mut self, shape: HistoryShape) -> Self {
        self.history = shape;
        self
    }

    pub(super) fn hides(self, feature: Feature) -> bool {
        match self.hidden {
            Hidden::Nothing => false,
            Hidden::These(features) => features.contains(&feature),
            Hidden::Everything => true,
        }
    }

    /// Whether a caller is not told that its call was cancelled.
    pub(super) fn silences(self, mode: CancelMode, is_interruptible: bool) -> bool {
        self.has_silent_skip() && (mode == CancelMode::Skip || !is_interruptible)
    }

    /// The reason with which a HELLO is refused, instead of that of the specification.
    pub(super) fn refusal(self, reason: &'static str) -> &'static str {
        let is_of_authentication = matches!(
            reason,
            "wamp.error.authentication_denied"
                | "wamp.error.authentication_failed"
                | "wamp.error.no_matching_auth_method"
        );
        match reason {
            "wamp.error.no_matching_auth_method" if self.has_refuse_as_not_authorized() => "wamp.error.no_auth_method",
            _ if is_of_authentication && self.has_refuse_as_not_authorized() => "wamp.error.not_authorized",
            _ if is_of_authentication && self.has_refuse_as_failed() => "wamp.error.authentication_failed",
            _ => reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtr_14_each_habit_is_somebodys() {
        let profiles = [Quirks::crossbar(), Quirks::nexus(), Quirks::minimal()];
        for (name, set) in Quirks::SWITCHES {
            let place = set(Quirks::none()).switches;
            assert_eq!(place.count_ones(), 1, "{name}");
            assert!(profiles.iter().any(|profile| profile.switches & place != 0), "{name} is in no profile");
        }
    }
}
