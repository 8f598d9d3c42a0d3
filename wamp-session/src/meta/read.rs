//! What routers answer, read leniently: what is missing is missing, and what is of another type than it should be is an error
//! only where nothing can be made of it.

use std::sync::Arc;

use wamp_proto::{Dict, InvalidId, MatchPolicy, Payload, PayloadError, SessionId, Uri, UriRule, Value};

/// One of the ids.
pub(super) trait Id: Copy {
    fn new(id: u64) -> Result<Self, InvalidId>;
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl Id for wamp_proto::$id {
            fn new(id: u64) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }
    )*};
}

ids!(SessionId RegistrationId SubscriptionId PublicationId);

/// The Arguments, a null in their place counting as none.
pub(super) fn args(payload: &Payload) -> Result<Vec<Value>, PayloadError> {
    payload.args()
}

/// The first of the Arguments, null if there is none.
pub(super) fn first(payload: &Payload) -> Result<Value, PayloadError> {
    match payload.arg(0) {
        Err(PayloadError::Missing(_)) => Ok(Value::Null),
        result => result,
    }
}

pub(super) fn mismatch(path: &str, expected: &str) -> PayloadError {
    PayloadError::Mismatch { path: path.to_owned(), reason: format!("expected {expected}") }
}

/// A whole number, also one that is written as a float: clients and routers in JavaScript and Lua send large ids so.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let float =
            value.as_f64().filter(|float| float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(float))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and in the range")]
        Some(float as u64)
    })
}

pub(super) fn id<T: Id>(value: &Value) -> Option<T> {
    number(value).and_then(|id| T::new(id).ok())
}

/// One of the Arguments, an id.
pub(super) fn id_at<T: Id>(args: &[Value], index: usize) -> Result<T, PayloadError> {
    let value = args.get(index).ok_or(PayloadError::Missing(index))?;
    id(value).ok_or_else(|| mismatch(&format!("args[{index}]"), "an id"))
}

/// One of the Arguments, an id or null.
pub(super) fn id_or_null_at<T: Id>(args: &[Value], index: usize) -> Result<Option<T>, PayloadError> {
    match args.get(index) {
        Some(Value::Null) => Ok(None),
        _ => id_at(args, index).map(Some),
    }
}

/// An id, or a miss: null, 0 or nothing.
pub(super) fn found<T: Id>(payload: &Payload) -> Result<Option<T>, PayloadError> {
    match first(payload)? {
        Value::Null => Ok(None),
        value if number(&value) == Some(0) => Ok(None),
        value => id(&value).map(Some).ok_or_else(|| mismatch("args[0]", "an id or null")),
    }
}

/// A list of ids; null and nothing are an empty one.
pub(super) fn ids<T: Id>(value: &Value, path: &str) -> Result<Vec<T>, PayloadError> {
    let wrong = || mismatch(path, "a list of ids");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(list) => list.iter().map(|value| id(value).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}

/// The first argument, a list of ids.
pub(super) fn id_list<T: Id>(payload: &Payload) -> Result<Vec<T>, PayloadError> {
    ids(&first(payload)?, "args[0]")
}

/// The first argument, a number; a list counts as its length.
pub(super) fn count(payload: &Payload) -> Result<u64, PayloadError> {
    let value = first(payload)?;
    let length = |list: &[Value]| u64::try_from(list.len()).ok();
    number(&value).or_else(|| value.as_list().and_then(length)).ok_or_else(|| mismatch("args[0]", "a number"))
}

/// One of the Arguments, a dict.
pub(super) fn dict_at(args: Vec<Value>, index: usize) -> Result<Dict, PayloadError> {
    match args.into_iter().nth(index) {
        Some(Value::Dict(dict)) => Ok(dict),
        Some(_) => Err(mismatch(&format!("args[{index}]"), "a dict")),
        None => Err(PayloadError::Missing(index)),
    }
}

/// What a router tells of a registration and of a subscription alike, taken out of a dict.
pub(super) struct Entry<T> {
    pub(super) id: T,
    pub(super) created: Option<Arc<str>>,
    pub(super) uri: Option<Uri>,
    pub(super) match_policy: MatchPolicy,
}

impl<T: Id> Entry<T> {
    pub(super) fn take(dict: &mut Dict, path: &str) -> Result<Self, PayloadError> {
        let match_policy = take(dict, "match", |value| MatchPolicy::from_name(value.as_str()?)).unwrap_or_default();
        Ok(Self {
            id: take_id(dict, "id").ok_or_else(|| mismatch(&format!("{path}.id"), "an id"))?,
            created: take_text(dict, "created"),
            uri: take_uri(dict, "uri", match_policy),
            match_policy,
        })
    }
}

/// Reads details, the one of the Arguments at an index.
pub(super) fn details_at<D>(
    args: Vec<Value>,
    index: usize,
    read: impl FnOnce(Dict, &str) -> Result<D, PayloadError>,
) -> Result<D, PayloadError> {
    read(dict_at(args, index)?, &format!("args[{index}]"))
}

/// The arguments of an event about something that was made: a session and the details.
pub(super) fn created<D>(
    payload: &Payload,
    read: impl FnOnce(Dict, &str) -> Result<D, PayloadError>,
) -> Result<(SessionId, D), PayloadError> {
    let args = args(payload)?;
    Ok((id_at(&args, 0)?, details_at(args, 1, read)?))
}

/// The arguments of an event about something that changed: a session, which some routers do not tell, and an id.
pub(super) fn changed<T: Id>(payload: &Payload) -> Result<(Option<SessionId>, T), PayloadError> {
    let args = args(payload)?;
    Ok((id_or_null_at(&args, 0)?, id_at(&args, 1)?))
}

/// Takes the value of a key out of a dict, if it is one of the type; else it stays there.
pub(super) fn take<T>(dict: &mut Dict, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
    let value = read(dict.get(key)?)?;
    dict.remove(key);
    Some(value)
}

pub(super) fn take_id<T: Id>(dict: &mut Dict, key: &str) -> Option<T> {
    take(dict, key, id)
}

pub(super) fn take_text(dict: &mut Dict, key: &str) -> Option<Arc<str>> {
    take(dict, key, |value| value.as_str().map(Into::into))
}

/// Takes a URI, or the pattern of a policy, out of a dict.
pub(super) fn take_uri(dict: &mut Dict, key: &str, policy: MatchPolicy) -> Option<Uri> {
    take(dict, key, |value| Uri::checked(value.as_str()?, UriRule::Loose, policy).ok())
}

/// The lists of ids by match policy: exact, prefix, wildcard.
pub(super) fn lists<T: Id>(payload: &Payload) -> Result<[Vec<T>; 3], PayloadError> {
    let lists = match first(payload)? {
        Value::Dict(lists) => lists,
        Value::Null => Dict::new(),
        _ => return Err(mismatch("args[0]", "a dict of lists")),
    };
    let list = |key: &str| ids(lists.get(key).unwrap_or(&Value::Null), &format!("args[0].{key}"));
    Ok([list("exact")?, list("prefix")?, list("wildcard")?])
}

/// The arguments of a lookup: options only where they say something.
pub(super) fn lookup(uri: &Uri, policy: MatchPolicy) -> Vec<Value> {
    let mut args = vec![Value::from(uri.as_str())];
    if policy != MatchPolicy::Exact {
        args.push(Dict::from_iter([("match", policy.as_str())]).into());
    }
    args
}
