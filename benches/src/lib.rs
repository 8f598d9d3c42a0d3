//! Frames that the benchmarks of Loowy measure.
//!
//! Every frame is built in code, is the same in every run, and exists in JSON, MessagePack and CBOR. The writers are small and independent of the
//! codecs under test: a benchmark never decodes what the code under test has encoded itself.
//!
//! The package that compares with other implementations depends on this library, so it stays free of what could change their build: no JSON or
//! MessagePack crate is a normal dependency here.

mod fixtures;
mod tree;
mod write;

pub use fixtures::{Case, Reading, frame, readings, result_bytes};
pub use tree::Tree;
pub use write::{Format, encode};
