//! The bodies of the fuzz targets. Unit tests run them on the committed seeds, and on edited ones, without a fuzzer.

use core::fmt;
use core::marker::PhantomData;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::codec::read::Read;
use crate::codec::{decode_closely, encode_closely};
use crate::error::{DecodeErrorKind, Fault, Kind};
use crate::{Dict, EncodeErrorKind, Format, Limits, Message, PayloadCheck, Value};

/// Decodes a frame: nothing panics, the short way over usual heads and both [`PayloadCheck`]s agree, and a message survives each format that can carry it.
pub fn decode(format: Format, frame: &[u8]) {
    let frame = Bytes::copy_from_slice(frame);
    let limits = Limits::new();
    let checked = crate::decode(frame.clone(), format, &limits, PayloadCheck::OnReceipt);
    let unchecked = crate::decode(frame.clone(), format, &limits, PayloadCheck::OnDecode);
    assert_eq!(decode_closely(&frame, format, &limits, PayloadCheck::OnReceipt), checked);
    let wrong_utf8 = matches!(&checked, Err(error) if *error.kind() == DecodeErrorKind::InvalidUtf8);
    match (checked, unchecked) {
        (Ok(message), Ok(unchecked)) => {
            assert_eq!(unchecked, message);
            read(&message);
            for target in Format::ALL {
                survives(&message, format, *target);
            }
        }
        (Err(error), Err(same)) => assert!(same == error || wrong_utf8, "{error} or {same}"),
        (Err(error), Ok(unchecked)) => {
            let same = unchecked.payload().and_then(|payload| payload.check().err());
            // JSON is checked for UTF-8 as a whole before anything else.
            assert!(same.as_ref() == Some(&error) || same.is_some() && wrong_utf8, "{error} or {same:?}");
            read(&unchecked);
        }
        (Ok(message), Err(error)) => panic!("{message:?} or {error}"),
    }
}

/// Encodes a message and decodes it again.
fn survives(message: &Message, format: Format, target: Format) {
    let mut frame = Vec::new();
    if let Err(error) = crate::encode(message, target, &mut frame) {
        // In its own format a message has a form, but for a string in JSON Details that starts with U+0000 and is no base64: it
        // decodes as text, so that it does not end the session.
        let unsupported = matches!(error.kind(), EncodeErrorKind::Unsupported { .. });
        assert!(target != format || unsupported && !format.is_binary(), "{message:?}: {error}");
        return;
    }
    assert_eq!(encode_closely(message, target).as_ref(), Ok(&frame));
    assert_eq!(crate::encode_frame(message.clone(), target).as_deref(), Ok(&*frame));
    let again = crate::decode(frame.clone().into(), target, &Limits::new(), PayloadCheck::OnReceipt);
    assert_eq!(again.as_ref(), Ok(message), "{frame:02x?}");
    let mut same = Vec::new();
    assert_eq!(again.as_ref().map(|again| crate::encode(again, target, &mut same)), Ok(Ok(())));
    assert_eq!(same, frame);
    // Its payload is nobody else's: it is sent on where it lies.
    assert_eq!(again.map(|again| crate::encode_frame(again, target)), Ok(Ok(frame.into())));
}

/// Looks at a payload in every way.
fn read(message: &Message) {
    let Some(payload) = message.payload() else { return };
    let args = payload.args::<Vec<Value>>();
    if let Ok(args) = &args {
        // Each skips those before it.
        for (index, arg) in args.iter().enumerate().take(16) {
            assert_eq!(payload.arg::<Value>(index).as_ref(), Ok(arg));
        }
        assert!(payload.arg::<Value>(args.len()).is_err());
    }
    assert_eq!(payload.raw_args().is_ok(), payload.check().is_ok());
    assert_eq!(payload.raw_kwargs().is_ok(), payload.check().is_ok());
    assert!(args.is_err() || payload.check().is_ok());
    let _ = payload.kwargs::<Dict>();
    let _ = payload.to::<(String, f64, Option<bool>)>();
    let _ = payload.arg::<Vec<Vec<u8>>>(1);
}

/// Skips one value, and decodes it: both agree on where it ends, whether it is valid and how deep it is. The first byte picks the format.
///
/// The skipper is compared with the reader of messages, with the decoder of the format, up to the depth limit, and with [`Value`].
/// The differences:
///
/// - [`Value`] has no room for what one format alone has: a key that is not a string (on the first level [`Read::skip_dict`]
///   refuses it), a MessagePack extension;
/// - no type has room for a CBOR simple value, a CBOR integer of more than 64 bits, or a JSON number beyond the range of `f64`:
///   decoding stops there, and what follows is compared with [`well_formed`] or, in JSON, with what `serde_json` ignores;
/// - tags of keys count for [`Read::skip_dict`], and for nothing else;
/// - MessagePack text that is not UTF-8 decodes as bytes.
pub fn skip_differential(input: &[u8]) {
    let Some((first, bytes)) = input.split_first() else { return };
    match Format::ALL.get(usize::from(*first) % 3) {
        #[cfg(feature = "json")]
        Some(Format::Json) => compare::<crate::json::Reader<'_>>(bytes, false, |bytes| {
            crate::json::from_slice(bytes, PhantomData::<Anything>).map_err(|error| {
                error.contains("out of range")
                    && crate::json::from_slice(bytes, PhantomData::<serde::de::IgnoredAny>).is_ok()
            })
        }),
        #[cfg(feature = "msgpack")]
        Some(Format::MsgPack) => compare::<crate::msgpack::Reader<'_>>(bytes, true, |bytes| {
            exactly(bytes, |bytes| crate::msgpack::from_slice(bytes, PhantomData::<Anything>).map_err(|_| false))
        }),
        #[cfg(feature = "cbor")]
        Some(Format::Cbor) => {
            match skip::<crate::cbor::Reader<'_>>(bytes, Limits::MAX_DEPTH) {
                Err(fault) if matches!(fault.kind, DecodeErrorKind::TooDeep | DecodeErrorKind::InvalidUtf8) => {}
                skipped => assert_eq!(skipped.ok(), well_formed(bytes, Limits::MAX_DEPTH)),
            }
            compare::<crate::cbor::Reader<'_>>(bytes, false, |bytes| {
                exactly(bytes, |bytes| {
                    crate::cbor::from_slice(bytes, PhantomData::<Anything>).map_err(|error| {
                        let reason = error.to_string();
                        reason.contains("simple value") || reason.contains("64 bits")
                    })
                })
            });
        }
        None => {}
    }
}

/// Where a CBOR item ends that is well-formed by RFC 8949, appendix C, whatever its text is, and nests no deeper than `depth`.
#[cfg(feature = "cbor")]
fn well_formed(bytes: &[u8], depth: u8) -> Option<usize> {
    const BREAK: u8 = 0xff;

    let mut at = 0;
    let CborHead { major, argument, .. } = loop {
        let head = cbor_head(bytes.get(at..)?)?;
        at += head.size;
        if head.major != 6 {
            break head;
        }
    };
    let (depth, items) = match (major, argument) {
        (2 | 3, Some(length)) => {
            let end = at.checked_add(usize::try_from(length).ok()?)?;
            return (end <= bytes.len()).then_some(end);
        }
        (2 | 3, None) => (depth, None),
        (4, length) => (depth.checked_sub(1)?, length),
        (5, length) => (depth.checked_sub(1)?, length.map(|entries| entries.saturating_mul(2))),
        _ => return Some(at),
    };
    let mut count = 0;
    while items != Some(count) {
        let rest = bytes.get(at..)?;
        if items.is_none() && rest.first() == Some(&BREAK) {
            return (major != 5 || count % 2 == 0).then_some(at + 1);
        }
        if major < 4 && cbor_head(rest).is_none_or(|chunk| chunk.major != major || chunk.argument.is_none()) {
            return None;
        }
        at += well_formed(rest, depth)?;
        count += 1;
    }
    Some(at)
}

#[cfg(feature = "cbor")]
struct CborHead {
    major: u8,
    /// `None` for an indefinite length.
    argument: Option<u64>,
    size: usize,
}

#[cfg(feature = "cbor")]
fn cbor_head(bytes: &[u8]) -> Option<CborHead> {
    let (initial, behind) = bytes.split_first()?;
    let (major, information) = (initial >> 5, initial & 0x1f);
    let (argument, width) = match information {
        0..=23 => (Some(information.into()), 0),
        24..=27 => {
            let width = 1 << (information - 24);
            (Some(behind.get(..width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))), width)
        }
        31 if (2..=5).contains(&major) => (None, 0),
        _ => return None,
    };
    let is_simple_in_vain = major == 7 && information == 24 && argument < Some(32);
    (!is_simple_in_vain).then_some(CborHead { major, argument, size: 1 + width })
}

/// Decodes one value with nothing behind it; `decode` does not look behind it. In a binary format no value is the start of another.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
fn exactly<'a>(bytes: &'a [u8], decode: impl Fn(&'a [u8]) -> Result<Anything, bool>) -> Result<Anything, bool> {
    match bytes.split_last() {
        Some((_, shorter)) if decode(shorter).is_ok() => Err(false),
        _ => decode(bytes),
    }
}

/// How deep a value of a message nests at most, which is in the message's own list; a decoder need not see deeper ones.
const DEEPEST: u8 = Limits::MAX_DEPTH - 1;

/// Compares a skipper with a decoder of one value with nothing behind it, whose errors tell whether a listed difference is the reason.
fn compare<'a, R: Read<'a>>(
    bytes: &'a [u8],
    bad_text_decodes: bool,
    decode: impl Fn(&'a [u8]) -> Result<Anything, bool>,
) {
    let skipped = skip::<R>(bytes, DEEPEST);
    if let Some(read) = step_through::<R>(bytes) {
        assert_eq!(read.ok(), skipped.as_ref().ok().copied(), "a value that is read and skipped: {skipped:?}");
    }
    let end = match skipped {
        Ok(end) => end,
        // A decoder is not to see what is nested deeper.
        Err(fault) if fault.kind == DecodeErrorKind::TooDeep => return,
        Err(fault) if fault.kind == DecodeErrorKind::InvalidUtf8 && bad_text_decodes => return,
        Err(fault) => {
            assert!(fault.offset <= bytes.len(), "{fault:?}");
            assert!(decode(bytes).is_err(), "only the skipper refuses it: {fault:?}");
            return;
        }
    };
    let (value, rest) = bytes.split_at(end);
    if R::new(rest).end().is_err() {
        assert!(decode(bytes).is_err(), "the skipper stops at {end}");
    }
    let found = match decode(value) {
        Ok(found) => found,
        Err(listed) => {
            assert!(listed, "only the skipper accepts {end} bytes");
            assert_eq!(R::value(value), None);
            return;
        }
    };
    assert_eq!(R::value(value).is_none(), found.foreign, "a value of {end} bytes");
    assert_eq!(skip::<R>(bytes, found.depth).ok(), Some(end), "a value of depth {}", found.depth);
    if let Some(less) = found.depth.checked_sub(1) {
        let fault = skip::<R>(bytes, less).err();
        assert!(
            fault.as_ref().is_some_and(|fault| fault.kind == DecodeErrorKind::TooDeep),
            "{fault:?} at depth {less}"
        );
    }
    let mut reader = R::new(bytes);
    if reader.kind().is_ok_and(|kind| kind == Kind::Dict) {
        match reader.skip_dict(DEEPEST) {
            Ok(()) => assert_eq!((reader.offset(), found.foreign_key), (end, false)),
            Err(fault) => match fault.kind {
                DecodeErrorKind::KeyIsNotAString { found: key } => {
                    assert!(found.foreign_key || key == Kind::Other, "a key is {key}");
                }
                _ => panic!("{fault:?} in a dict of {end} bytes"),
            },
        }
    }
}

/// Where the first value ends.
fn skip<'a, R: Read<'a>>(bytes: &'a [u8], depth: u8) -> Result<usize, Fault> {
    let mut reader = R::new(bytes);
    reader.kind()?;
    reader.skip(depth)?;
    Ok(reader.offset())
}

/// Where the first value ends, read as messages are outside their payload: `None` for what they do not have there.
fn step_through<'a, R: Read<'a>>(bytes: &'a [u8]) -> Option<Result<usize, Fault>> {
    let mut reader = R::new(bytes);
    let read = match reader.kind().ok()? {
        Kind::Bool => reader.bool().map(drop),
        Kind::Integer | Kind::Float => reader.number().map(drop),
        Kind::String => reader.string().map(drop),
        Kind::List => elements(&mut reader),
        Kind::Dict => entries(&mut reader),
        _ => return None,
    };
    match read {
        Err(fault) if matches!(fault.kind, DecodeErrorKind::KeyIsNotAString { .. }) => None,
        read => Some(read.map(|()| reader.offset())),
    }
}

fn elements<'a, R: Read<'a>>(reader: &mut R) -> Result<(), Fault> {
    let mut open = reader.list()?;
    while reader.next_element(&mut open)? {
        reader.kind()?;
        reader.skip(DEEPEST - 1)?;
    }
    Ok(())
}

fn entries<'a, R: Read<'a>>(reader: &mut R) -> Result<(), Fault> {
    let mut open = reader.dict()?;
    while reader.next_key(&mut open)?.is_some() {
        reader.kind()?;
        reader.skip(DEEPEST - 1)?;
    }
    Ok(())
}

/// Any value that a format's decoder yields.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Anything {
    /// Whether [`Value`] has no room for it.
    foreign: bool,
    /// Whether it is a string.
    text: bool,
    /// Whether it is a dict, and a key of it is not a string.
    foreign_key: bool,
    /// How many lists and dicts nest in it.
    depth: u8,
}

impl Anything {
    const PLAIN: Self = Self { foreign: false, text: false, foreign_key: false, depth: 0 };
    const TEXT: Self = Self { text: true, ..Self::PLAIN };
    const FOREIGN: Self = Self { foreign: true, ..Self::PLAIN };

    /// A list or dict with nothing in it.
    const EMPTY: Self = Self { depth: 1, ..Self::PLAIN };

    /// Puts an element into a list or dict.
    fn add(&mut self, element: Self) {
        self.foreign |= element.foreign;
        self.depth = self.depth.max(element.depth + 1);
    }
}

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnythingVisitor)
    }
}

struct AnythingVisitor;

macro_rules! visit {
    ($($method:ident($($argument:ty)?) => $found:ident;)*) => {$(
        fn $method<E: Error>(self $(, _: $argument)?) -> Result<Anything, E> {
            Ok(Anything::$found)
        }
    )*};
}

impl<'de> Visitor<'de> for AnythingVisitor {
    type Value = Anything;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    visit! {
        visit_bool(bool) => PLAIN;
        visit_i64(i64) => PLAIN;
        visit_u64(u64) => PLAIN;
        visit_f64(f64) => PLAIN;
        visit_str(&str) => TEXT;
        visit_bytes(&[u8]) => PLAIN;
        visit_none() => PLAIN;
        visit_unit() => PLAIN;
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Anything, E> {
        let fits = i64::try_from(value).is_ok() || u64::try_from(value).is_ok();
        Ok(if fits { Anything::PLAIN } else { Anything::FOREIGN })
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Anything, E> {
        Ok(if u64::try_from(value).is_ok() { Anything::PLAIN } else { Anything::FOREIGN })
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Anything, D::Error> {
        deserializer.deserialize_any(self)
    }

    /// An extension.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Anything, D::Error> {
        deserializer.deserialize_any(self)?;
        Ok(Anything::FOREIGN)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Anything, A::Error> {
        let mut list = Anything::EMPTY;
        while let Some(element) = elements.next_element()? {
            list.add(element);
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Anything, A::Error> {
        let mut dict = Anything::EMPTY;
        while let Some((key, value)) = entries.next_entry::<Anything, Anything>()? {
            dict.foreign_key |= !key.text;
            dict.foreign |= !key.text;
            dict.add(key);
            dict.add(value);
        }
        Ok(dict)
    }
}

#[cfg(test)]
#[cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::test_runner::{Config, RngSeed, TestRunner};

    use super::*;

    /// The committed seeds of a fuzz target, with their names.
    fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
        let mut seeds: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect();
        seeds.sort();
        assert!(seeds.len() >= 20, "{target} has {} seeds", seeds.len());
        seeds
    }

    /// Runs a body on each seed, then on seeds with a few bytes changed, inserted or cut off.
    fn run(target: &str, body: impl Fn(&[u8])) {
        let seeds = seeds(target);
        for (name, seed) in &seeds {
            println!("{name}");
            body(seed);
        }
        let edit = (any::<Index>(), 0..3_u8, any::<u8>());
        let input = (proptest::sample::select(seeds), proptest::collection::vec(edit, 1..6));
        let config =
            Config { cases: 10_000, failure_persistence: None, rng_seed: RngSeed::Fixed(2), ..Config::default() };
        let result = TestRunner::new(config).run(&input, |((_, mut bytes), edits)| {
            for (at, edit, byte) in edits {
                let at = at.index(bytes.len() + 1);
                match (edit, bytes.get_mut(at)) {
                    (0, Some(place)) => *place = byte,
                    (1, Some(_)) => drop(bytes.drain(at..(at + usize::from(byte % 8)).min(bytes.len()))),
                    _ => bytes.insert(at, byte),
                }
            }
            body(&bytes);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn seeds_of_decode_json() {
        run("decode_json", |frame| decode(Format::Json, frame));
    }

    #[test]
    fn seeds_of_decode_msgpack() {
        run("decode_msgpack", |frame| decode(Format::MsgPack, frame));
    }

    #[test]
    fn seeds_of_decode_cbor() {
        run("decode_cbor", |frame| decode(Format::Cbor, frame));
    }

    #[test]
    fn seeds_of_skip_differential() {
        run("skip_differential", skip_differential);
    }
}
