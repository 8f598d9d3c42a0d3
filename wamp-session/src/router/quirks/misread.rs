//! What a router with habits makes of the messages of its clients.

use wamp_proto::{CallOptions, Dict, Message, PublishOptions};

use super::Quirks;

/// Takes the attributes of payload passthru mode out of Options or Details.
macro_rules! drop_passthru {
    ($attributes:expr) => {
        ($attributes.ppt_scheme, $attributes.ppt_serializer) = (None, None);
        ($attributes.ppt_cipher, $attributes.ppt_keyid) = (None, None);
    };
}

impl Quirks {
    /// What the router makes of a message of a session; `None` if it ignores it.
    pub(in crate::router) fn misread(self, mut message: Message) -> Option<Message> {
        match &mut message {
            Message::Cancel(_) if self.has_ignore_cancel() => return None,
            Message::Hello(_) if self.has_ignore_untimely() => return None,
            Message::Call(call) => self.misread_call(&mut call.options),
            Message::Publish(publish) => self.misread_publish(&mut publish.options),
            Message::Subscribe(subscribe) => {
                if self.has_no_patterns() {
                    subscribe.options.match_policy = None;
                }
                if self.has_no_retention() {
                    subscribe.options.get_retained = None;
                }
                if self.has_no_sharding() {
                    subscribe.options.nkey = None;
                }
            }
            Message::Register(register) => {
                let options = &mut register.options;
                if self.has_no_patterns() {
                    options.match_policy = None;
                }
                if self.has_no_shared_registrations() {
                    (options.invoke, options.concurrency, options.force_reregister) = (None, None, None);
                }
                if self.has_ignore_disclose_me() {
                    options.disclose_caller = None;
                }
            }
            Message::Yield(answer) if self.has_drop_passthru() => {
                drop_passthru!(answer.options);
            }
            Message::Error(error) => {
                if self.has_drop_passthru() {
                    drop_passthru!(error.details);
                }
                if self.has_drop_error_details() {
                    error.details.extra = Dict::new();
                }
            }
            _ => {}
        }
        Some(message)
    }

    fn misread_call(self, options: &mut CallOptions) {
        if self.has_timeouts_in_seconds() {
            options.timeout = options.timeout.map(|seconds| seconds.saturating_mul(1000));
        }
        if self.has_ignore_timeouts() {
            options.timeout = None;
        }
        if self.has_ignore_disclose_me() {
            options.disclose_me = None;
        }
        if self.has_no_progressive_calls() {
            options.progress = None;
        }
        if self.has_no_sharding() {
            (options.rkey, options.runmode) = (None, None);
        }
        if self.has_drop_passthru() {
            drop_passthru!(options);
        }
    }

    fn misread_publish(self, options: &mut PublishOptions) {
        if self.has_ignore_disclose_me() {
            options.disclose_me = None;
        }
        if self.has_no_retention() {
            options.retain = None;
        }
        if self.has_no_sharding() {
            options.rkey = None;
        }
        if self.has_drop_passthru() {
            drop_passthru!(options);
        }
        if self.has_no_lists() {
            options.exclude_me = Some(false);
            (options.exclude, options.eligible) = (None, None);
            (options.exclude_authid, options.eligible_authid) = (None, None);
            (options.exclude_authrole, options.eligible_authrole) = (None, None);
        }
        if self.has_empty_list_is_none() {
            options.eligible.take_if(|list| list.is_empty());
            options.eligible_authid.take_if(|list| list.is_empty());
            options.eligible_authrole.take_if(|list| list.is_empty());
        }
    }
}
