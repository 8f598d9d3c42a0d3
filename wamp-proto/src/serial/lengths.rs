//! How many elements the lists and dicts of an encoded value have, for formats that do not say so before them.

use core::cell::{Cell, OnceCell};

use crate::Format;
use crate::codec::read::{Open, Read};
use crate::error::{Fault, Kind};

/// In how many lists and dicts values mostly are. These are left uncounted: to copy their elements is quicker than to count them.
const SHALLOW: usize = 8;

/// The lengths of a value's lists and dicts, which are entered in the order in which they begin.
///
/// Who has to write a length before the elements, and does not know it, writes the elements elsewhere first and copies them, once for each
/// list around them. So that this does not go as deep as a peer likes, the lengths are counted when a value turns out to be deep, all at once.
pub(super) struct Lengths<'a> {
    bytes: &'a [u8],
    format: Format,
    /// How many lists and dicts have been entered.
    entered: Cell<usize>,
    /// How many of them have not been left.
    level: Cell<usize>,
    /// Empty if they could not be counted.
    counted: OnceCell<Vec<u32>>,
}

impl<'a> Lengths<'a> {
    pub(super) const fn new(bytes: &'a [u8], format: Format) -> Self {
        Self { bytes, format, entered: Cell::new(0), level: Cell::new(0), counted: OnceCell::new() }
    }

    /// Enters the next list or dict, of which the format says what it can, and returns the length if it is known.
    pub(super) fn enter(&self, said: Option<usize>) -> Option<usize> {
        let index = self.entered.replace(self.entered.get() + 1);
        let level = self.level.replace(self.level.get() + 1);
        if said.is_some() || level < SHALLOW {
            return said;
        }
        let count = || with_format!(self.format, module => count(module::Reader::new(self.bytes))).unwrap_or_default();
        self.counted.get_or_init(count).get(index).and_then(|length| usize::try_from(*length).ok())
    }

    pub(super) fn leave(&self) {
        self.level.set(self.level.get().saturating_sub(1));
    }
}

/// A list or dict that is being counted.
struct Container {
    open: Open,
    is_dict: bool,
    /// Where its length is.
    index: usize,
}

/// Counts a value that has been skipped before.
fn count<'a, R: Read<'a>>(mut reader: R) -> Result<Vec<u32>, Fault> {
    let mut lengths: Vec<u32> = Vec::new();
    // No longer than the value is deep.
    let mut containers: Vec<Container> = Vec::new();
    loop {
        reader.pass_tags()?;
        let kind = reader.kind()?;
        if matches!(kind, Kind::List | Kind::Dict) {
            let is_dict = kind == Kind::Dict;
            let open = if is_dict { reader.dict()? } else { reader.list()? };
            containers.push(Container { open, is_dict, index: lengths.len() });
            lengths.push(0);
        } else {
            reader.skip(0)?;
        }
        loop {
            let Some(Container { open, is_dict, index }) = containers.last_mut() else { return Ok(lengths) };
            let found = if *is_dict { reader.pass_key(open)? } else { reader.next_element(open)? };
            if found {
                // Frames of 2^32 elements do not fit into memory.
                if let Some(length) = lengths.get_mut(*index) {
                    *length = length.saturating_add(1);
                }
                break;
            }
            containers.pop();
        }
    }
}

#[cfg(all(test, any(feature = "json", feature = "cbor")))]
mod tests {
    use super::*;

    #[cfg(feature = "json")]
    #[test]
    fn lengths_are_counted_in_the_order_in_which_lists_and_dicts_begin() {
        let counted = |json: &str| count(crate::json::Reader::new(json.as_bytes())).ok();
        assert_eq!(counted(r#" [ 1 , [ ] , {"a]":[true,"x,y"],"\n":{}} ,null] "#), Some(vec![4, 0, 2, 2, 0]));
        assert_eq!(counted(r#"{"a":1,"a":2}"#), Some(vec![2]));
        assert_eq!(counted("-1.5e3"), Some(vec![]));
        assert_eq!(counted(r#"[[1],{2:3}]"#), None);
    }

    #[cfg(feature = "cbor")]
    #[test]
    fn ser_31_lengths_are_counted_behind_tags_and_without_a_length() {
        let counted = |bytes: &[u8]| count(crate::cbor::Reader::new(bytes)).ok();
        // [_ 4([_ 1, 2]), {_ "a": 2(h'05'), 1((_ "b")): []}, 1(0)]
        let cbor = b"\x9f\xc4\x9f\x01\x02\xff\xbf\x61a\xc2\x41\x05\xc1\x7f\x61b\xff\x80\xff\xc1\x00\xff";
        assert_eq!(counted(cbor), Some(vec![3, 2, 2, 0]));
        assert_eq!(counted(b"\x9f\x01"), None);
    }
}
