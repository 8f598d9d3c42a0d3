//! Cbor.

use std::borrow::Cow;

use crate::codec::read::{Number, Open, Read};
use crate::codec::write::Write;
use crate::error::{Fault, Kind};
use crate::{EncodeErrorKind, Format, Value};

pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Read<'a> for Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
    fn offset(&self) -> usize {
        todo!()
    }
    fn kind(&mut self) -> Result<Kind, Fault> {
        todo!()
    }
    fn list(&mut self) -> Result<Open, Fault> {
        todo!()
    }
    fn next_element(&mut self, _: &mut Open) -> Result<bool, Fault> {
        todo!()
    }
    fn dict(&mut self) -> Result<Open, Fault> {
        todo!()
    }
    fn next_key(&mut self, _: &mut Open) -> Result<Option<Cow<'a, str>>, Fault> {
        todo!()
    }
    fn bool(&mut self) -> Result<bool, Fault> {
        todo!()
    }
    fn number(&mut self) -> Result<Number, Fault> {
        todo!()
    }
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        todo!()
    }
    fn skip(&mut self, _: u8) -> Result<(), Fault> {
        todo!()
    }
    fn skip_dict(&mut self, _: u8) -> Result<(), Fault> {
        todo!()
    }
    fn end(&mut self) -> Result<(), Fault> {
        todo!()
    }
    fn value(_: &[u8]) -> Option<Value> {
        todo!()
    }
}

pub(crate) struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    pub(crate) fn new(frame: &'a mut Vec<u8>) -> Self {
        Self(frame)
    }
}

impl Write for Writer<'_> {
    const FORMAT: Format = Format::Cbor;
    fn begin_list(&mut self, _: usize) {
        todo!()
    }
    fn end_list(&mut self) {
        todo!()
    }
    fn begin_dict(&mut self, _: usize) {
        todo!()
    }
    fn key(&mut self, _: &str) -> Result<(), EncodeErrorKind> {
        todo!()
    }
    fn end_dict(&mut self) {
        todo!()
    }
    fn bool(&mut self, _: bool) {
        todo!()
    }
    fn unsigned(&mut self, _: u64) {
        todo!()
    }
    fn string(&mut self, _: &str) -> Result<(), EncodeErrorKind> {
        todo!()
    }
    fn value(&mut self, _: &Value) -> Result<(), EncodeErrorKind> {
        todo!()
    }
    fn raw(&mut self, _: &[u8]) {
        todo!()
    }
}

pub(crate) fn to_vec<T: serde::Serialize + ?Sized>(_: &T, _: &mut Vec<u8>) -> Result<(), String> {
    todo!()
}

pub(crate) fn from_slice<'de, S: serde::de::DeserializeSeed<'de>>(_: &'de [u8], _: S) -> Result<S::Value, String> {
    todo!()
}
