//! The habits, each a switch.

use super::Quirks;

macro_rules! switches {
    ($($(#[$doc:meta])* $set:ident, $has:ident;)*) => {
        /// The places of the switches.
        #[expect(non_camel_case_types, reason = "named after the methods")]
        enum Place {
            $($set,)*
            Count,
        }

        const _: () = assert!(Place::Count as u32 <= u128::BITS, "there is a place for each switch");

        impl Quirks {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $set(mut self) -> Self {
                    self.switches |= 1 << Place::$set as u32;
                    self
                }

                pub(in crate::router) const fn $has(self) -> bool {
                    self.switches & (1 << Place::$set as u32) != 0
                }
            )*

            /// Every switch by its name.
            #[cfg(test)]
            pub(super) const SWITCHES: &'static [(&'static str, fn(Self) -> Self)] = &[$((stringify!($set), Self::$set)),*];
        }
    };
}

// Sessions.
switches! {
    /// Answers GOODBYE with the reason `wamp.close.normal` (Crossbar.io).
    goodbye_normal, has_goodbye_normal;
    /// Gives `wamp.close.normal` as the reason to sessions that are killed without one (Crossbar.io, nexus).
    kill_normal, has_kill_normal;
    /// Answers calls that end with a session after its GOODBYE: those of itself, and the one that killed it (Crossbar.io).
    answers_after_goodbye, has_answers_after_goodbye;
    /// Leaves the transport open behind GOODBYE, and behind an ABORT that refuses a HELLO; another HELLO on it opens another session (Crossbar.io).
    keep_transport, has_keep_transport;
    /// Closes the transport with code 1002 when the protocol is violated, without ABORT (Crossbar.io; xconn does not even send the code).
    close_without_abort, has_close_without_abort;
    /// Closes the transport with code 1011 when a request has an incorrect URI, without ERROR (Crossbar.io does so in most cases).
    close_on_invalid_uri, has_close_on_invalid_uri;
    /// Ignores frames that are no messages (nexus).
    ignore_undecodable, has_ignore_undecodable;
    /// Ignores messages before HELLO and a second HELLO (Crossbar.io).
    ignore_untimely, has_ignore_untimely;
    /// Does not look at the roles that a client has announced (Crossbar.io, nexus, xconn).
    ignore_roles, has_ignore_roles;
    /// Accepts request ids in any order, and again (Crossbar.io, nexus, xconn).
    any_request_id, has_any_request_id;
    /// Ignores answers to invocations that do not wait for one (Crossbar.io, nexus).
    ignore_stray_answers, has_ignore_stray_answers;
    /// Says in `Details.error` of ABORT what is wrong, instead of in `Details.message` (nexus).
    error_in_abort, has_error_in_abort;
    /// Gives its own errors an argument that says in words what is wrong (Crossbar.io).
    explain_errors, has_explain_errors;
    /// Refuses failed authentication with `wamp.error.not_authorized`, and if it has none of the methods with
    /// `wamp.error.no_auth_method` (Crossbar.io).
    refuse_as_not_authorized, has_refuse_as_not_authorized;
    /// Refuses whatever is wrong with authentication with `wamp.error.authentication_failed` (nexus, xconn).
    refuse_as_failed, has_refuse_as_failed;
    /// Refuses who is no user of the method at once, without a challenge (Crossbar.io).
    refuse_unknown_users, has_refuse_unknown_users;
    /// Refuses who offers a method that it has never heard of, `wamp-scram` too, before one that would do (Crossbar.io).
    refuse_unknown_methods, has_refuse_unknown_methods;

    // Calls.

    /// Counts INVOCATION ids for all sessions of a realm together, so that each of them sees gaps (Crossbar.io, xconn).
    shared_invocation_ids, has_shared_invocation_ids;
    /// Does not answer a call that is cancelled in mode `skip`, or in another mode when its callee cannot be interrupted (Crossbar.io).
    silent_skip, has_silent_skip;
    /// Answers `wamp.error.canceled` to a call that was cancelled in mode `kill`, whatever its callee answers (Crossbar.io).
    kill_cancels, has_kill_cancels;
    /// Gives INTERRUPT no mode if CANCEL has none (Crossbar.io).
    interrupt_without_mode, has_interrupt_without_mode;
    /// Gives each INTERRUPT a reason, a URI (nexus).
    interrupt_with_reason, has_interrupt_with_reason;
    /// Interrupts a callee at each part of a result that nobody waits for (nexus).
    interrupt_late_progress, has_interrupt_late_progress;
    /// Lets callees go on whose caller has left (nexus, xconn).
    no_interrupt_on_leave, has_no_interrupt_on_leave;
    /// Does not answer calls whose callee has left (xconn).
    no_cancel_on_leave, has_no_cancel_on_leave;
    /// Answers a CANCEL of an unknown mode with an ERROR of the type of CANCEL (nexus).
    error_to_cancel, has_error_to_cancel;
    /// Ignores CANCEL (xconn).
    ignore_cancel, has_ignore_cancel;
    /// Takes the timeouts of calls as seconds (Crossbar.io).
    timeouts_in_seconds, has_timeouts_in_seconds;
    /// Answers `wamp.error.canceled` to a call whose time is over, and nothing to a caller that has not announced
    /// `call_canceling` (Crossbar.io).
    timeouts_cancel, has_timeouts_cancel;
    /// Tells each callee of the timeout of a call, and keeps the time as well (Crossbar.io).
    tell_timeouts, has_tell_timeouts;
    /// Ignores the timeouts of calls (xconn).
    ignore_timeouts, has_ignore_timeouts;
    /// Tells each callee whether the caller takes progressive results, also one that has not announced them (Crossbar.io, xconn).
    tell_receive_progress, has_tell_receive_progress;
    /// Forwards progressive results to callers that have not asked for them (Crossbar.io).
    unsolicited_progress, has_unsolicited_progress;
    /// Takes the first progressive result for the last, if the caller has not asked for more (xconn).
    progress_ends_call, has_progress_ends_call;
    /// Takes each CALL for a call of its own, also if it has `progress` or the id of another one (Crossbar.io; xconn nearly so).
    no_progressive_calls, has_no_progressive_calls;
    /// Takes more input for a call that is over for a new call (nexus).
    late_input_calls, has_late_input_calls;
    /// Says `progress` in each INVOCATION, also where it is false (nexus).
    progress_false, has_progress_false;
    /// Says in the details of a RESULT who the callee is (Crossbar.io).
    disclose_callees, has_disclose_callees;
    /// Does not forward the details of an ERROR (Crossbar.io).
    drop_error_details, has_drop_error_details;
    /// Tells the caller of `wamp.error.unavailable`, instead of giving the call to another callee (Crossbar.io, nexus, xconn).
    no_rerouting, has_no_rerouting;
    /// Ignores the keys of calls, events and subscriptions (`rkey`, `nkey`) and `runmode` (Crossbar.io, nexus, xconn).
    no_sharding, has_no_sharding;
    /// Drops the attributes of payload passthru mode, so that the sealed payload arrives as an argument (Crossbar.io, xconn).
    drop_passthru, has_drop_passthru;
    /// Answers a YIELD in payload passthru mode that cannot be forwarded with an ERROR of the type of YIELD: to the callee if the caller lacks
    /// the feature, to the caller, under the id of the INVOCATION, if the callee does. The call gets no other answer (nexus).
    error_to_yield, has_error_to_yield;

    // Registrations.

    /// Refuses a second callee that wants another invocation policy with
    /// `wamp.error.procedure_exists_with_different_invocation_policy` (Crossbar.io).
    name_policy_conflicts, has_name_policy_conflicts;
    /// Has one callee for a procedure: ignores `invoke`, `concurrency` and `force_reregister` (xconn).
    no_shared_registrations, has_no_shared_registrations;
    /// Tells a callee that it has lost a registration even if it has not announced `registration_revocation` (Crossbar.io, nexus).
    tell_revocations, has_tell_revocations;
    /// Prefers the longest prefix, and then the longest wildcard pattern, counted in bytes (nexus; Crossbar.io takes any wildcard).
    longest_pattern, has_longest_pattern;
    /// Has no patterns: takes each topic and procedure as it is, whatever `match` says (xconn).
    no_patterns, has_no_patterns;
    /// Lets clients publish and register what starts with `wamp.` (xconn).
    open_reserved, has_open_reserved;

    // Publications.

    /// Delivers events to their publishers, and to whoever lists exclude (xconn).
    no_lists, has_no_lists;
    /// Takes an empty list of those who may receive an event for no list: everybody gets it (Crossbar.io, nexus).
    empty_list_is_none, has_empty_list_is_none;
    /// Sends PUBLISHED after the publisher's own EVENT (xconn; nexus in either order).
    published_last, has_published_last;
    /// Retains no events (nexus, xconn).
    no_retention, has_no_retention;
    /// Gives a retained event another publication id each time, and to subscribers of its very topic only (Crossbar.io).
    new_retained_ids, has_new_retained_ids;
    /// Ignores `disclose_me` and `disclose_caller`: who is disclosed is [configured](crate::router::RealmConfig::disclosure) (Crossbar.io,
    /// xconn).
    ignore_disclose_me, has_ignore_disclose_me;
    /// Discloses publishers and callers only to those who have announced `publisher_identification` or `caller_identification`
    /// (nexus).
    disclose_to_announced, has_disclose_to_announced;

    // The meta API.

    /// Has no meta API (xconn).
    no_meta_api, has_no_meta_api;
    /// Tells only the session in `wamp.session.on_leave` (Crossbar.io).
    short_on_leave, has_short_on_leave;
    /// Gives a list where sessions that were killed are to be counted, and does not have `wamp.session.kill_all` (Crossbar.io).
    list_killed, has_list_killed;
    /// Kills the session that asks for it, too, if it is meant (Crossbar.io).
    kill_caller, has_kill_caller;
    /// Gives null as the result of procedures that have none (Crossbar.io).
    null_results, has_null_results;
    /// Gives numbers as the results of the testament procedures, which have none (Crossbar.io).
    testament_results, has_testament_results;
    /// Has `wamp.subscription.count_suscribers` instead of `wamp.subscription.count_subscribers` (nexus).
    misspelt_count, has_misspelt_count;
    /// Gives 0 where a lookup finds nothing (nexus).
    zero_for_none, has_zero_for_none;
}
