//! The words of a peer, as they are shown to people.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use wamp_proto::{ErrorDetails, Payload};

use crate::passthru::Attributes as _;

/// How many characters of a peer's words are shown.
const SHOWN: usize = 200;

/// A reason, with the words that came with it.
pub(crate) fn said(reason: &str, words: Option<&str>) -> String {
    match words {
        Some(words) if !words.is_empty() => format!("{reason} ({})", shown(words)),
        _ => reason.to_owned(),
    }
}

/// The URI of an error, with its first argument if that is a text. What was sealed for somebody stays between the two.
pub(crate) fn failed(uri: &str, details: &ErrorDetails, payload: &Payload) -> String {
    let words: Option<Words> = if details.passthru().is_none() { payload.arg(0).ok() } else { None };
    said(uri, words.as_ref().map(|words| words.0.as_str()))
}

/// The start of a text, in which nothing moves a cursor, ends a line or turns the direction of writing.
pub(crate) fn shown(words: &str) -> String {
    let mut shown = String::new();
    let mut rest = words.chars();
    for char in rest.by_ref().take(SHOWN) {
        match char {
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(char.escape_unicode());
            }
            char if char.is_control() => shown.extend(char.escape_default()),
            char => shown.push(char),
        }
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A text, of which no more is kept than is shown.
struct Words(String);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Words, E> {
                // One more shows that there are more. JSON has bytes in texts that start with U+0000.
                if text.starts_with('\0') {
                    Err(E::custom("bytes"))
                } else {
                    Ok(Words(text.chars().take(SHOWN + 1).collect()))
                }
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use wamp_proto::{Format, IntoPayload};

    use crate::WampError;
    use crate::passthru::Passthru;

    const URI: &str = "com.example.error.no_stock";

    fn error(payload: impl IntoPayload) -> WampError {
        WampError::new(URI).unwrap().payload(payload).unwrap()
    }

    fn words(text: &str) -> String {
        let shown = error(text).to_string();
        let inner =
            shown.strip_prefix(URI).and_then(|rest| rest.strip_prefix(" (")).and_then(|rest| rest.strip_suffix(')'));
        inner.unwrap_or_else(|| panic!("{shown:?}")).to_owned()
    }

    #[test]
    fn an_error_shows_its_uri_and_its_first_argument_if_that_is_a_text() {
        assert_eq!(error(()).to_string(), URI);
        assert_eq!(words("only 3 are left"), "only 3 are left");
        assert_eq!(error(("only 3 are left", 7)).to_string(), format!("{URI} (only 3 are left)"));
        assert_eq!(error((3, "nuts")).to_string(), URI, "the first is a number");
        assert_eq!(error(((),)).to_string(), URI);
        assert_eq!(error((vec!["nuts"],)).to_string(), URI);
        assert_eq!(error("").to_string(), URI);
    }

    #[test]
    fn the_text_of_an_error_is_shown_from_every_format_and_bytes_from_none() {
        for format in Format::ALL {
            let text = "sold \"out\" of nüts".into_payload(*format).unwrap();
            assert_eq!(error(text).to_string(), format!("{URI} (sold \"out\" of nüts)"), "{format}");
            let bytes = wamp_proto::Value::Bytes(b"secret".to_vec().into()).into_payload(*format).unwrap();
            assert_eq!(error(bytes).to_string(), URI, "{format}");
        }
    }

    #[test]
    fn words_are_shown_up_to_200_characters() {
        let longest = "ü".repeat(200);
        assert_eq!(words(&longest), longest);
        assert_eq!(words(&format!("{longest}x")), format!("{longest}…"));
        assert_eq!(words(&"x".repeat(100_000)).chars().count(), 201);
    }

    #[test]
    fn a_method_that_was_not_offered_is_shown_up_to_200_characters() {
        let error = crate::AuthError::NotOffered("\n".repeat(100_000));
        let start = format!(r#"the router asked for the method "{}…", which"#, r"\n".repeat(200));
        assert!(error.to_string().starts_with(&start), "{} bytes", error.to_string().len());
    }

    #[test]
    fn words_end_no_line_and_move_nothing() {
        assert_eq!(words("a\nb\r\tc\u{1b}[2Jd\u{85}e"), r"a\nb\r\tc\u{1b}[2Jd\u{85}e");
        assert_eq!(words("a\u{202e}b\u{2067}c\u{2028}d\u{200f}e"), r"a\u{202e}b\u{2067}c\u{2028}d\u{200f}e");
        assert_eq!(words(r#"it's "so" \ so"#), r#"it's "so" \ so"#);
    }

    #[test]
    fn what_was_sealed_is_not_shown() {
        let sealed = error("only 3 are left").passthru(&Passthru::new("x_my_ppt"));
        assert_eq!(sealed.to_string(), URI);
    }
}
