//! Executable statements (ISC `common/parse.c:parse_executable_statement`).

use super::{Lost, Walk};
use crate::config::network::ScopeId;

impl Walk<'_> {
    /// `Ok(false)`: no statement, and the error is not claimed (ISC: 0, and `lose` is not set).
    pub(super) fn executable_statement(&mut self, _scope: ScopeId) -> Result<bool, Lost> {
        Ok(false)
    }
}
