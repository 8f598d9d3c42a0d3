//! The habits of real routers, for tests of clients.

use wamp_proto::{CancelMode, Message};

use crate::Feature;

/// Where a router deviates from the specification, as routers in use do; by default nowhere.
///
/// It lets a client be tested against such habits without those routers. Each switch is one habit; the profiles
/// [`crossbar`](Self::crossbar), [`nexus`](Self::nexus) and [`minimal`](Self::minimal) are sets of them, and no more than that: they do not make
/// this router another one.
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
    switches: u32,
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

macro_rules! switches {
    ($($(#[$doc:meta])* $set:ident, $has:ident = $bit:literal;)*) => {
        impl Quirks {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $set(mut self) -> Self {
                    self.switches |= 1 << $bit;
                    self
                }

                pub(super) const fn $has(self) -> bool {
                    self.switches & (1 << $bit) != 0
                }
            )*
        }
    };
}

switches! {
    /// Counts INVOCATION ids for all sessions of a realm together, so that each of them sees gaps (Crossbar.io).
    shared_invocation_ids, has_shared_invocation_ids = 0;
    /// Does not answer a call that is cancelled in mode `skip`, or in another mode when its callee cannot be interrupted (Crossbar.io).
    silent_skip, has_silent_skip = 1;
    /// Takes the timeouts of calls as seconds (Crossbar.io).
    timeouts_in_seconds, has_timeouts_in_seconds = 2;
    /// Answers `wamp.error.canceled` to a call whose time is over (Crossbar.io).
    timeouts_cancel, has_timeouts_cancel = 3;
    /// Answers GOODBYE with the reason `wamp.close.normal` (Crossbar.io).
    goodbye_normal, has_goodbye_normal = 4;
    /// Closes the transport with code 1002 when the protocol is violated, without ABORT (Crossbar.io).
    close_without_abort, has_close_without_abort = 5;
    /// Tells only the session in `wamp.session.on_leave` (Crossbar.io).
    short_on_leave, has_short_on_leave = 6;
    /// Ignores `disclose_me` and `disclose_caller`: who is disclosed is [configured](super::RealmConfig::disclosure) (Crossbar.io).
    ignore_disclose_me, has_ignore_disclose_me = 7;
    /// Says in the details of a RESULT who the callee is (Crossbar.io).
    disclose_callees, has_disclose_callees = 8;
    /// Forwards progressive results to callers that have not asked for them (Crossbar.io).
    unsolicited_progress, has_unsolicited_progress = 9;
    /// Gives a list where sessions that were killed are to be counted, and does not have `wamp.session.kill_all` (Crossbar.io).
    list_killed, has_list_killed = 10;
    /// Gives numbers as the results of the testament procedures, which have none (Crossbar.io).
    testament_results, has_testament_results = 11;
    /// Says `progress` in each INVOCATION, also where it is false (nexus).
    progress_false, has_progress_false = 12;
    /// Answers a CANCEL of an unknown mode with an ERROR of the type of CANCEL (nexus).
    error_to_cancel, has_error_to_cancel = 13;
    /// Has `wamp.subscription.count_suscribers` instead of `wamp.subscription.count_subscribers` (nexus).
    misspelt_count, has_misspelt_count = 14;
    /// Gives 0 where a lookup finds nothing (nexus).
    zero_for_none, has_zero_for_none = 15;
    /// Lets callees go on whose caller has left (nexus).
    no_interrupt_on_leave, has_no_interrupt_on_leave = 16;
    /// Delivers events to their publishers, and to whoever lists exclude (xconn).
    no_lists, has_no_lists = 17;
    /// Ignores CANCEL (xconn).
    ignore_cancel, has_ignore_cancel = 18;
    /// Has no meta API (xconn).
    no_meta_api, has_no_meta_api = 19;
}

impl Quirks {
    /// No quirks: what the specification wants.
    #[must_use]
    pub const fn none() -> Self {
        Self { hidden: Hidden::Nothing, history: HistoryShape::Arguments, switches: 0 }
    }

    /// The habits of Crossbar.io 26. Whom it discloses is configured, as there:
    /// [`Disclosure::Always`](super::Disclosure::Always) is what most of its configurations come to.
    #[must_use]
    pub const fn crossbar() -> Self {
        let mut quirks = Self::none().history_shape(HistoryShape::Crossbar);
        quirks.hidden = Hidden::These(HIDDEN_BY_CROSSBAR);
        quirks
            .shared_invocation_ids()
            .silent_skip()
            .timeouts_in_seconds()
            .timeouts_cancel()
            .goodbye_normal()
            .close_without_abort()
            .short_on_leave()
            .ignore_disclose_me()
            .disclose_callees()
            .unsolicited_progress()
            .list_killed()
            .testament_results()
    }

    /// The habits of nexus.
    #[must_use]
    pub const fn nexus() -> Self {
        let quirks = Self::none().history_shape(HistoryShape::Nexus);
        quirks.progress_false().error_to_cancel().misspelt_count().zero_for_none().no_interrupt_on_leave()
    }

    /// The habits of xconn 0.5, a router without features.
    #[must_use]
    pub const fn minimal() -> Self {
        Self::none().no_lists().ignore_cancel().no_meta_api().announce_nothing()
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

    /// What the router makes of a message of a client; `None` if it ignores it.
    pub(super) fn misread(self, mut message: Message) -> Option<Message> {
        match &mut message {
            Message::Call(call) => {
                if self.has_timeouts_in_seconds() {
                    call.options.timeout = call.options.timeout.map(|seconds| seconds.saturating_mul(1000));
                }
                if self.has_ignore_disclose_me() {
                    call.options.disclose_me = None;
                }
            }
            Message::Register(register) if self.has_ignore_disclose_me() => register.options.disclose_caller = None,
            Message::Publish(publish) => {
                let options = &mut publish.options;
                if self.has_ignore_disclose_me() {
                    options.disclose_me = None;
                }
                if self.has_no_lists() {
                    options.exclude_me = Some(false);
                    (options.exclude, options.eligible) = (None, None);
                    (options.exclude_authid, options.eligible_authid) = (None, None);
                    (options.exclude_authrole, options.eligible_authrole) = (None, None);
                }
            }
            Message::Cancel(_) if self.has_ignore_cancel() => return None,
            _ => {}
        }
        Some(message)
    }

    /// Whether a caller is not told that its call was cancelled.
    pub(super) fn silences(self, mode: CancelMode, is_interruptible: bool) -> bool {
        self.has_silent_skip() && (mode == CancelMode::Skip || !is_interruptible)
    }
}
