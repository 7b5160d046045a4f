//! Tests of the whole layer: from text to configuration.

mod oracle;

use super::{Built, Family, build};
use crate::syntax::{LoadError, parse};

/// Builds a configuration from text. Nothing can be included.
pub(super) fn built(text: &str, family: Family) -> Built {
    let mut loader =
        |_: &[u8]| Err(LoadError { errno: Some(2), message: "No such file or directory".to_owned() });
    build(&parse(b"x.conf", text.as_bytes().to_vec(), &mut loader), family)
}
