//! Environment files: reader and writer of `NAME=VALUE` lines, as Docker Compose 2 reads them.
//! Interpolation is left to the caller, since each program looks up variables in another order.

mod read;
mod write;

pub use read::{DotenvText, Invalid, KEY_LINES, Statement, key_rest, statements, without_end};
pub use write::{DotenvFile, DotenvReader, write};
