/// Describes a value that all three formats can carry.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// The null value.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of at most 63 bits and a sign.
    Int(i64),
    /// A double; never NaN or infinite, which JSON cannot carry.
    Float(f64),
    /// A text.
    Text(String),
    /// Binary data; in JSON the WAMP text form `"\u0000"` and base64.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// A dictionary in the order in which it is written.
    Dict(Vec<(&'static str, Self)>),
}

impl Tree {
    /// Makes a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}
