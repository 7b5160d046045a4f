//! Tests of the whole layer: the language statement by statement, recovery, includes, and the properties that hold for
//! any input.

mod shared;

use super::*;

pub(super) fn no_files(_: &[u8]) -> Result<Vec<u8>, LoadError> {
    Err(LoadError { errno: Some(2), message: "No such file or directory".to_string() })
}

pub(super) fn parsed(text: impl AsRef<[u8]>) -> Parsed {
    parse(b"dhcpd.conf", text.as_ref().to_vec(), &mut no_files)
}
