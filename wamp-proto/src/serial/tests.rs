//! What types become in every format, and what is said when they do not.

use std::collections::BTreeMap;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::*;
use crate::{Dict, Value};

/// A byte string, which serde itself has only for who asks for it.
#[derive(Clone, Debug, PartialEq)]
struct Binary(Vec<u8>);

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BinaryVisitor;

        impl Visitor<'_> for BinaryVisitor {
            type Value = Binary;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Binary, E> {
                Ok(Binary(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(BinaryVisitor)
    }
}

/// A type whose form depends on whether the format is human-readable.
#[derive(Debug, PartialEq)]
struct Readable;

impl Serialize for Readable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(serializer.is_human_readable());
        serializer.serialize_str("readable")
    }
}

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert!(deserializer.is_human_readable());
        String::deserialize(deserializer).map(|_| Self)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Newtype(Box<Point>),
    Tuple(u8, String),
    Struct { a: u8, b: Binary },
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f64,
    y: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Name {
    Left,
}

fn encoded<T: Serialize + ?Sized>(value: &T, format: Format) -> Result<Vec<u8>, EncodeErrorKind> {
    let mut bytes = Vec::new();
    write(value, format, PAYLOAD_DEPTH, &mut bytes).map(|()| bytes)
}

/// The error of a value as the only argument, in words.
fn refusal<T: Serialize>(value: &T, format: Format) -> String {
    encode(value, format, Wanted::Any, &mut Vec::new()).unwrap_err().to_string()
}

fn assert_round_trip<T: Serialize + for<'de> Deserialize<'de> + PartialEq + fmt::Debug>(value: &T) {
    for format in Format::ALL.iter().copied() {
        let bytes = encoded(value, format).unwrap();
        assert_eq!(decode::<T>(&bytes, format, Root::Args).as_ref(), Ok(value), "{format}");
    }
}

#[test]
fn types_have_the_same_form_in_every_format() {
    assert_round_trip(&(true, -1_i8, 1_u8, i64::MIN, u64::MAX, 0.5_f32, 0.1_f64, 'é', "text".to_owned()));
    assert_round_trip(&(
        Binary(vec![0, 255]),
        vec![Binary(vec![])],
        BTreeMap::from([("k".to_owned(), Binary(vec![1]))]),
    ));
    assert_round_trip(&(Some(1), None::<u8>, (), Nothing, Readable));
    assert_round_trip(&vec![
        Choice::Unit,
        Choice::Newtype(Box::default()),
        Choice::Tuple(1, "a".to_owned()),
        Choice::Struct { a: 1, b: Binary(vec![2]) },
    ]);
    assert_round_trip(&BTreeMap::from([(Name::Left, 1)]));
    for format in Format::ALL.iter().copied() {
        let as_value = |value: &dyn Fn() -> Result<Vec<u8>, EncodeErrorKind>| {
            decode::<Value>(&value().unwrap(), format, Root::Args).unwrap()
        };
        let point = as_value(&|| encoded(&Point { x: 1.5, y: None }, format));
        assert_eq!(point, Dict::from_iter([("x", Value::from(1.5)), ("y", Value::Null)]).into(), "{format}");
        assert_eq!(as_value(&|| encoded(&Choice::Unit, format)), "Unit".into(), "{format}");
        let tuple = as_value(&|| encoded(&Choice::Tuple(1, String::new()), format));
        let content = Value::List(vec![1_u8.into(), "".into()]);
        assert_eq!(tuple, Dict::from_iter([("Tuple", content)]).into(), "{format}");
        assert_eq!(as_value(&|| encoded(&Nothing, format)), Value::Null, "{format}");
        assert_eq!(as_value(&|| encoded(&'a', format)), "a".into(), "{format}");
        assert_eq!(as_value(&|| encoded(&(-5_i128, 5_u128), format)), vec![-5, 5].into(), "{format}");
    }
}

#[test]
fn msg_021_values_of_every_type_are_lossless() {
    let value = Value::List(vec![
        Value::Null,
        (-1).into(),
        1.5.into(),
        true.into(),
        "".into(),
        Value::List(vec![]),
        Dict::new().into(),
        Value::Bytes(bytes::Bytes::from_static(b"\0")),
        Dict::from_iter([("a", Value::List(vec![Dict::new().into()]))]).into(),
        u64::MAX.into(),
        i64::MIN.into(),
        Value::F64(-0.0),
        Value::F64(f64::MIN_POSITIVE / 2.0),
    ]);
    assert_round_trip(&value);
}

#[test]
fn ser_15_integers_beyond_64_bits_are_no_silent_loss() {
    for format in Format::ALL.iter().copied() {
        let expected = format!("args[0][1]: {format} has no integer of more than 64 bits");
        assert_eq!(refusal(&vec![0, u128::from(u64::MAX) + 1], format), expected);
        assert_eq!(refusal(&vec![0, i128::from(i64::MIN) - 1], format), expected);
        assert_eq!(refusal(&vec![0, i128::from(u64::MAX) + 1], format), expected);
    }
}

#[test]
fn keys_must_be_text() {
    for format in Format::ALL.iter().copied() {
        let expected = "args[0].map: a key of a dict is not a string";
        assert_eq!(refusal(&BTreeMap::from([("map", BTreeMap::from([(1, 2)]))]), format), expected);
        assert_eq!(refusal(&BTreeMap::from([("map", BTreeMap::from([(Some("a"), 2)]))]), format), expected);
        assert_eq!(refusal(&BTreeMap::from([("map", BTreeMap::from([(true, 2)]))]), format), expected);
        assert!(encoded(&BTreeMap::from([('a', 1)]), format).is_ok());
    }
}

#[test]
fn extension_types_are_refused() {
    #[derive(Serialize)]
    #[serde(rename = "_ExtStruct")]
    struct Extension((i8, Binary));

    for format in Format::ALL.iter().copied() {
        let expected = format!("args[0]: {format} has no extension types");
        assert_eq!(refusal(&Extension((1, Binary(vec![1]))), format), expected);
    }
}

#[test]
fn an_error_of_a_type_itself_has_its_path_and_text() {
    struct Failing;

    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("locked by another thread"))
        }
    }

    for format in Format::ALL.iter().copied() {
        let error = encode(&vec![Some(Failing)], format, Wanted::Any, &mut Vec::new()).unwrap_err();
        assert_eq!(error.path(), "args[0][0]");
        assert_eq!(error.kind(), &EncodeErrorKind::Custom("locked by another thread".to_owned()), "{format}");
    }
}

#[test]
fn what_a_format_decodes_is_no_deeper_than_what_it_encodes() {
    // The list of Arguments is one of the levels.
    let nested = |levels| (0..levels).fold(Value::Null, |value, _| Value::List(vec![value]));
    for format in Format::ALL.iter().copied() {
        let bytes = encoded(&nested(127), format).unwrap();
        assert_eq!(decode::<Value>(&bytes, format, Root::Args), Ok(nested(127)), "{format}");
        assert_eq!(encoded(&nested(128), format), Err(EncodeErrorKind::TooDeep), "{format}");

        let one = |value: &Value| encode(value, format, Wanted::Any, &mut Vec::new()).map_err(|error| error.kind);
        assert_eq!(one(&nested(126)), Ok(Shape::One));
        assert_eq!(one(&nested(127)), Err(EncodeErrorKind::TooDeep));
        let all = |value: Value| encode(&(value,), format, Wanted::Any, &mut Vec::new()).map_err(|error| error.kind);
        assert_eq!(all(nested(126)), Ok(Shape::All));
        assert_eq!(all(nested(127)), Err(EncodeErrorKind::TooDeep));

        let choice = (0..62).fold(Value::Null, |value, _| Dict::from_iter([("a", Value::List(vec![value]))]).into());
        assert!(encoded(&BTreeMap::from([("k", &choice)]), format).is_ok());
        let error = encode(&(nested(200),), format, Wanted::Any, &mut Vec::new()).unwrap_err();
        assert_eq!(error.path(), format!("args{}", "[0]".repeat(127)));
    }
}

#[test]
fn variants_with_content_count_as_the_levels_that_they_are() {
    let levels = |value: &Choice| (0..=4).find(|depth| write(value, Format::ALL[0], *depth, &mut Vec::new()).is_ok());
    assert_eq!(levels(&Choice::Unit), Some(0));
    assert_eq!(levels(&Choice::Newtype(Box::default())), Some(2));
    assert_eq!(levels(&Choice::Tuple(1, String::new())), Some(2));
    assert_eq!(levels(&Choice::Struct { a: 1, b: Binary(vec![]) }), Some(2));
}

#[test]
fn the_path_to_a_value_that_cannot_be_decoded_is_told() {
    fn failure<T: for<'de> Deserialize<'de>>(value: &(impl Serialize + ?Sized), root: Root) -> Vec<String> {
        let path = |format: &Format| match decode::<T>(&encoded(value, *format).unwrap(), *format, root) {
            Err(PayloadError::Mismatch { path, .. }) => path,
            result => panic!("{format}: {:?}", result.map(drop)),
        };
        let mut paths: Vec<_> = Format::ALL.iter().map(path).collect();
        paths.dedup();
        paths
    }

    assert_eq!(failure::<u8>("text", Root::Arg(3)), ["args[3]"]);
    assert_eq!(failure::<Vec<u8>>(&(1, "text"), Root::Args), ["args[1]"]);
    assert_eq!(failure::<(u8, Vec<(u8, u8)>)>(&(1, [[1, 2], [1, 300]]), Root::Args), ["args[1][1][1]"]);
    assert_eq!(failure::<BTreeMap<String, u8>>(&BTreeMap::from([("a", 1), ("b", 300)]), Root::Kwargs), ["kwargs.b"]);
    let odd = BTreeMap::from([("a b\n", 300)]);
    assert_eq!(failure::<BTreeMap<String, u8>>(&odd, Root::Kwargs), [r#"kwargs["a b\n"]"#]);
    let points = [Point::default(), Point { x: 1.0, y: Some(2.0) }];
    assert_eq!(failure::<Vec<BTreeMap<Name, u8>>>(&points, Root::Args), ["args[0]"]);
    assert_eq!(failure::<Vec<BTreeMap<String, Option<bool>>>>(&points, Root::Args), ["args[0].x"]);
    let choice = BTreeMap::from([("Tuple", (300, "a"))]);
    assert_eq!(failure::<Vec<Choice>>(&[choice], Root::Args), ["args[0].Tuple[0]"]);
    let choice = BTreeMap::from([("Newtype", BTreeMap::from([("x", "a")]))]);
    assert_eq!(failure::<Choice>(&choice, Root::Arg(0)), ["args[0].Newtype.x"]);
    let choice = BTreeMap::from([("Struct", BTreeMap::from([("a", 300)]))]);
    assert_eq!(failure::<Choice>(&choice, Root::Arg(0)), ["args[0].Struct.a"]);
    assert_eq!(failure::<Point>(&BTreeMap::from([("y", 1.0)]), Root::Kwargs), ["kwargs"]);
}

#[test]
fn flattened_and_tagged_types_are_adapted_too() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        a: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Flat(Flat),
    }

    let rest = BTreeMap::from([("b".to_owned(), Value::Bytes(bytes::Bytes::from_static(&[0])))]);
    assert_round_trip(&Tagged::Flat(Flat { a: 1, rest }));
    let rest = BTreeMap::from([("b".to_owned(), (0..128).fold(Value::Null, |value, _| Value::List(vec![value])))]);
    for format in Format::ALL.iter().copied() {
        let error = encode(&Flat { a: 1, rest: rest.clone() }, format, Wanted::Dict, &mut Vec::new()).unwrap_err();
        assert!(error.path().starts_with("kwargs.b[0]"), "{error}");
    }
}

#[test]
fn a_tuple_wants_as_many_elements_as_it_has() {
    for format in Format::ALL.iter().copied() {
        let bytes = encoded(&[1, 2, 3], format).unwrap();
        let reason = |result| match result {
            Err(PayloadError::Mismatch { path, reason }) => (path, reason),
            other => panic!("{other:?}"),
        };
        let (path, text) = reason(decode::<(u8, u8)>(&bytes, format, Root::Args).map(drop));
        assert_eq!((path.as_str(), text.as_str()), ("args", "invalid length 3, expected 2 elements"), "{format}");
        let (_, text) = reason(decode::<[u8; 1]>(&bytes, format, Root::Args).map(drop));
        assert_eq!(text, "invalid length 3, expected 1 elements", "{format}");
        let (_, text) = reason(decode::<(u8, u8, u8, u8)>(&bytes, format, Root::Args).map(drop));
        assert_eq!(text, "invalid length 3, expected a tuple of size 4", "{format}");
        assert_eq!(decode::<(u8, u8, u8)>(&bytes, format, Root::Args), Ok((1, 2, 3)), "{format}");
    }
}

#[test]
fn text_is_borrowed_from_the_frame() {
    for format in Format::ALL.iter().copied() {
        let bytes = encoded(&("text", BTreeMap::from([("key", "value")])), format).unwrap();
        let (text, dict): (&str, BTreeMap<&str, &str>) = decode(&bytes, format, Root::Args).unwrap();
        assert_eq!((text, dict["key"]), ("text", "value"), "{format}");
        assert!(bytes.as_ptr_range().contains(&text.as_ptr()), "{format}");
    }
}

#[test]
fn values_of_any_integer_width_decode() {
    struct Wide(i128);

    impl<'de> Deserializer<'de> for Wide {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            match u128::try_from(self.0) {
                Ok(value) => visitor.visit_u128(value),
                Err(_) => visitor.visit_i128(self.0),
            }
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
            seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    assert_eq!(Value::deserialize(Wide(5)), Ok(Value::U64(5)));
    assert_eq!(Value::deserialize(Wide(u64::MAX.into())), Ok(Value::U64(u64::MAX)));
    assert_eq!(Value::deserialize(Wide(i64::MIN.into())), Ok(Value::I64(i64::MIN)));
    let text = "invalid value: an integer of more than 64 bits, expected an integer of at most 64 bits";
    assert_eq!(Value::deserialize(Wide(i128::from(u64::MAX) + 1)), Err(serde::de::value::Error::custom(text)));
    assert!(Value::deserialize(Wide(i128::from(i64::MIN) - 1)).is_err());
}

#[cfg(feature = "json")]
mod json {
    use super::*;

    fn from_json<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, String> {
        decode(json.as_bytes(), Format::Json, Root::Args).map_err(|error| error.to_string())
    }

    #[test]
    fn ser_12_text_behind_u0000_is_bytes_where_bytes_or_anything_is_asked_for() {
        assert_eq!(from_json(r#""\u0000AAEC""#), Ok(Binary(vec![0, 1, 2])));
        assert_eq!(from_json(r#"["\u0000AAEC"]"#), Ok([Binary(vec![0, 1, 2])]));
        assert_eq!(from_json(r#"{"a":"\u0000AAEC"}"#), Ok(BTreeMap::from([("a".to_owned(), Binary(vec![0, 1, 2]))])));
        let bytes = || Value::Bytes(bytes::Bytes::from_static(&[0, 1, 2]));
        assert_eq!(from_json(r#""\u0000AAEC""#), Ok(bytes()));
        assert_eq!(
            from_json(r#"["\u0000AAEC",{"a":["\u0000AAEC"]},{"b":{"c":"\u0000AAEC"}}]"#),
            Ok(Value::List(vec![
                bytes(),
                Dict::from_iter([("a", Value::List(vec![bytes()]))]).into(),
                Dict::from_iter([("b", Dict::from_iter([("c", bytes())]))]).into(),
            ]))
        );
        assert_eq!(from_json(r#"[null,"\u0000AAEC"]"#), Ok((None::<Binary>, Some(Binary(vec![0, 1, 2])))));
        assert_eq!(
            from_json(r#"[{"Struct":{"a":1,"b":"\u0000AAEC"}}]"#),
            Ok([Choice::Struct { a: 1, b: Binary(vec![0, 1, 2]) }])
        );
    }

    #[test]
    fn ser_12_text_behind_u0000_stays_text_where_text_is_asked_for() {
        assert_eq!(from_json(r#"["\u0000AAEC","\u0000!"]"#), Ok(["\0AAEC".to_owned(), "\0!".to_owned()]));
        assert_eq!(from_json(r#"{"\u0000AAEC":1}"#), Ok(Dict::from_iter([("\0AAEC", 1)])));
    }

    #[test]
    fn ser_12_invalid_base64_is_an_error_of_the_decoding() {
        let text = "args[1].a: base64 is expected behind U+0000: Invalid symbol 33, offset 0.";
        assert_eq!(from_json::<Value>(r#"[1,{"a":"\u0000!"}]"#), Err(text.to_owned()));
        assert_eq!(from_json::<(u8, BTreeMap<String, Binary>)>(r#"[1,{"a":"\u0000!"}]"#), Err(text.to_owned()));
    }

    #[test]
    fn text_where_bytes_are_asked_for_is_its_bytes() {
        assert_eq!(from_json(r#""text""#), Ok(Binary(b"text".to_vec())));
        assert_eq!(from_json(r#""t\u0000""#), Ok(Binary(b"t\0".to_vec())));
    }

    #[test]
    fn untagged_types_see_bytes() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u8),
            Binary(Binary),
            Text(String),
        }

        let expected = [Either::Text("a".to_owned()), Either::Binary(Binary(vec![0])), Either::Number(1)];
        let decoded = from_json::<Vec<Either>>(r#"["\u0000AA==",1]"#);
        assert_eq!(decoded.as_deref(), Ok(&expected[1..]));
    }

    #[test]
    fn ser_15_json_has_no_nan_and_no_infinity() {
        let prices = |price| BTreeMap::from([("items", vec![BTreeMap::from([("price", price)])])]);
        let kwargs =
            |price| encode(&prices(price), Format::Json, Wanted::Dict, &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(kwargs(f64::NAN), "kwargs.items[0].price: JSON has no number NaN");
        assert_eq!(kwargs(f64::INFINITY), "kwargs.items[0].price: JSON has no number Infinity");
        assert_eq!(kwargs(f64::NEG_INFINITY), "kwargs.items[0].price: JSON has no number -Infinity");
        assert_eq!(refusal(&(1, f32::NAN), Format::Json), "args[1]: JSON has no number NaN");
        assert_eq!(refusal(&f64::NAN, Format::Json), "args[0]: JSON has no number NaN");
    }

    #[test]
    fn ser_13_text_that_starts_with_u0000_is_refused() {
        let reason = "JSON has no text that starts with U+0000, which marks binary data";
        assert_eq!(refusal(&("a", "\0b"), Format::Json), format!("args[1]: {reason}"));
        assert_eq!(refusal(&'\0', Format::Json), format!("args[0]: {reason}"));
        assert_eq!(refusal(&BTreeMap::from([("\0b", 1)]), Format::Json), format!("args[0]: {reason}"));
    }

    #[test]
    fn the_path_names_fields_and_variants() {
        #[derive(Serialize)]
        enum Price {
            Newtype(f64),
            Tuple(f64, f64),
            Struct { net: f64 },
        }

        #[derive(Serialize)]
        struct Item {
            price: Price,
        }

        let path = |price| {
            let error = encode(&(1, 2, Item { price }), Format::Json, Wanted::Any, &mut Vec::new()).unwrap_err();
            error.path().to_owned()
        };
        assert_eq!(path(Price::Newtype(f64::NAN)), "args[2].price.Newtype");
        assert_eq!(path(Price::Tuple(0.0, f64::NAN)), "args[2].price.Tuple[1]");
        assert_eq!(path(Price::Struct { net: f64::NAN }), "args[2].price.Struct.net");
    }

    #[test]
    fn the_path_names_keys_that_come_without_their_values() {
        struct Separate;

        impl Serialize for Separate {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                serde::ser::SerializeMap::serialize_key(&mut map, "first")?;
                serde::ser::SerializeMap::serialize_value(&mut map, &1)?;
                serde::ser::SerializeMap::serialize_key(&mut map, "second")?;
                serde::ser::SerializeMap::serialize_value(&mut map, &f64::NAN)?;
                serde::ser::SerializeMap::end(map)
            }
        }

        assert_eq!(refusal(&Separate, Format::Json), "args[0].second: JSON has no number NaN");
    }

    #[test]
    fn ser_15_integers_beyond_64_bits_are_floats() {
        assert_eq!(from_json("18446744073709551616"), Ok(Value::F64(18446744073709551616.0)));
        assert_eq!(from_json("-9223372036854775809"), Ok(Value::F64(-9223372036854775809.0)));
        assert!(from_json::<u64>("18446744073709551616").is_err());
    }
}
