//! How a command is to be carried out.

mod callee;
mod caller;
mod publisher;
mod subscriber;

use bytes::Bytes;
use wamp_proto::Value;

pub use self::callee::RegisterOptions;
pub use self::caller::CallOptions;
pub use self::publisher::PublishOptions;
pub use self::subscriber::SubscribeOptions;
use crate::CommandError;

/// Checks an own key: `_[a-z0-9_]{3,}` as the specification has it, or `x_…` as routers do.
pub(crate) fn own_key(key: &str) -> Result<&str, CommandError> {
    let rest = key.strip_prefix("x_").filter(|rest| !rest.is_empty());
    let rest = rest.or_else(|| key.strip_prefix('_').filter(|rest| rest.len() >= 3));
    match rest {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')) => Ok(key),
        _ => Err(CommandError::InvalidOption(key.to_owned())),
    }
}

/// A value that is made of nothing else than its own memory, so that it can be dropped anywhere.
fn own_value(value: Value) -> Value {
    match value {
        Value::Bytes(bytes) => Value::Bytes(Bytes::copy_from_slice(&bytes)),
        Value::List(values) => Value::List(values.into_iter().map(own_value).collect()),
        Value::Dict(dict) => Value::Dict(dict.into_iter().map(|(key, value)| (key, own_value(value))).collect()),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn msg_012_own_keys_start_with_an_underscore_or_x() {
        for key in ["_my_opt", "_abc", "x_cb_node", "x_1"] {
            assert!(own_key(key).is_ok(), "{key}");
        }
        for key in ["MyOpt", "a", "_ab", "my-opt", "_My_opt", "timeout", "x_", "_", ""] {
            assert!(own_key(key).is_err(), "{key}");
        }
    }
}
